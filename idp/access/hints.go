package access

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/keys"
)

// Hints reads the ID tokens that come back as id_token_hint.
type Hints struct {
	Issuer   string
	Keys     *keys.KeySet
	Clients  *clients.Register
	Subjects *clients.Subjects
}

// Hint is what a valid id_token_hint says.
type Hint struct {
	Subject  string // the user's sub at this provider; empty: no user of this provider
	SID      string
	Audience string // the client that the ID token was issued to
}

// Read reads an ID token that this provider signed, an expired one too, since it only says which user a request is
// about (Core §3.1.2.1 and §3.1.2.2). It returns an error for anything else.
func (h *Hints) Read(ctx context.Context, idToken string) (Hint, error) {
	if strings.Count(idToken, ".") == 4 {
		// Core §3.1.2.1: "the Client MUST decrypt the signed ID Token contained within the encrypted ID Token"
		return Hint{}, errors.New("it is encrypted: send the signed ID token that is in it")
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expiry   int64  `json:"exp"`
		SID      string `json:"sid"`
	}
	if err := h.Keys.Verify(ctx, idToken, keys.TypeIDToken, &claims); err != nil {
		return Hint{}, err
	}
	if claims.Subject == "" || claims.Expiry == 0 { // an answer of JARM is signed too, and so may userinfo be
		return Hint{}, errors.New("it has no sub or no exp, so it is no ID token")
	}
	if claims.Issuer != h.Issuer {
		return Hint{}, fmt.Errorf("its iss is %s, expected %s", claims.Issuer, h.Issuer)
	}
	client, err := h.Clients.ByID(ctx, claims.Audience)
	sub := claims.Subject // of a client that is not registered any more, unless its subs were pairwise
	if err == nil {
		sub, err = h.Subjects.Reveal(client, claims.Subject)
	} else if errors.Is(err, clients.ErrUnknown) {
		err = nil
	}
	return Hint{Subject: sub, SID: claims.SID, Audience: claims.Audience}, err
}
