package token

import (
	"context"
	"time"

	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

// Direct makes tokens without a request of a client, for tests of applications. Development mode alone has it.
type Direct struct {
	Issuer  *Issuer
	Grants  Grants
	Refresh Refresh
}

// Wanted describes tokens. Grant has the client, the scope, and the user with AuthTime; without AuthTime the tokens are
// the client's own.
type Wanted struct {
	Client *oidc.Client
	Grant  grant.Grant
	Claims map[string]any // in the ID token and in an access token that is a JWT; they replace others, and nil removes
	Age    time.Duration  // of the tokens: their iat is so long ago
	JKT    string         // the thumbprint of the key that the access token is bound to (RFC 9449 §6.1); empty: none
}

// Tokens makes the tokens as the token endpoint would. A refresh token begins now at any Age.
func (d Direct) Tokens(ctx context.Context, w Wanted) (Response, error) {
	issuer, access := *d.Issuer, *d.Issuer.Access
	issuer.Access = &access
	if len(w.Claims) > 0 {
		issuer.Signer = changing{issuer.Signer, w.Claims}
		access.Signer = issuer.Signer
	}
	now := issuer.Now
	issuer.Now = func() time.Time { return now().Add(-w.Age) }
	access.Now = issuer.Now
	w.Grant.ID, w.Grant.Issuer, w.Grant.ClientID = issuer.Random(), issuer.Issuer, w.Client.ClientID
	// after all that the user took back until now: these times are compared in milliseconds
	w.Grant.GrantedAt = now().Add(time.Millisecond)
	if !w.Grant.AuthTime.IsZero() {
		w.Grant.AuthTime = issuer.Now()
	}
	return begin(ctx, d.Grants, &issuer, d.Refresh, request{Client: w.Client, JKT: w.JKT}, w.Grant)
}

// changing signs other claims than it is given.
type changing struct {
	keys.Signer
	claims map[string]any
}

// Sign implements keys.Signer.
func (c changing) Sign(ctx context.Context, alg, typ string, own any) (string, error) {
	all, err := claims.Members(own)
	if err != nil {
		return "", err
	}
	for name, value := range c.claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	return c.Signer.Sign(ctx, alg, typ, all)
}
