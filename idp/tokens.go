package idp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/token"
)

// hint reads an id_token_hint: an ID token that this provider signed, an expired one too, since it only says whom a request
// is about (Core §3.1.2.1 and §3.1.2.2).
func (p *site) hint(idToken string) (logout.Hint, error) {
	if strings.Count(idToken, ".") == 4 { // Core §3.1.2.1: "the Client MUST decrypt the signed ID Token contained within the encrypted ID Token"
		return logout.Hint{}, errors.New("it is encrypted: send the signed ID token that is in it")
	}
	var claims token.IDToken
	if err := p.keys.Verify(context.Background(), idToken, keys.TypeIDToken, &claims); err != nil {
		return logout.Hint{}, err
	}
	if claims.Subject == "" || claims.Expiry == 0 { // an answer of JARM is signed too, and so may userinfo be
		return logout.Hint{}, errors.New("it has no sub or no exp, so it is no ID token")
	}
	if claims.Issuer != p.config.Issuer {
		return logout.Hint{}, fmt.Errorf("its iss is %s, expected %s", claims.Issuer, p.config.Issuer)
	}
	sub, err := p.localSubject(context.Background(), claims.Audience, claims.Subject)
	return logout.Hint{Subject: sub, SID: claims.SID, Audience: claims.Audience}, err
}
