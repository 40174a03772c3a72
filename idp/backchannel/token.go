package backchannel

import (
	"context"
	"time"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

// Event is what the member of events is called that makes a JWT a logout token.
const Event = "http://schemas.openid.net/event/backchannel-logout"

// tokenLifetime is what §2.4 recommends: "it is RECOMMENDED that Logout Tokens use short expiration times in the exp Claim, preferably
// at most two minutes in the future".
const tokenLifetime = 2 * time.Minute

// Token holds the claims of a logout token (§2.4). There is no nonce: "A nonce Claim MUST NOT be present. Its use is prohibited
// to make a Logout Token syntactically invalid if used in a forged Authentication Response in place of an ID Token."
// https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
type Token struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub"`
	Audience string              `json:"aud"` // the client_id
	IssuedAt int64               `json:"iat"` // seconds since 1970, like all times here
	Expiry   int64               `json:"exp"`
	JTI      string              `json:"jti"`
	Events   map[string]struct{} `json:"events"`
	SID      string              `json:"sid"`
}

// make returns the token for the delivery's client, by the client's alg, and encrypted where its ID tokens are. §2.4: "A
// Logout Token MUST be signed and MAY also be encrypted. The same keys are used to sign and encrypt Logout Tokens as are used for ID
// Tokens."
func (s *Sender) make(ctx context.Context, d *delivery) (string, error) {
	sub, err := s.Subject(ctx, d.client, d.ended.Sub)
	if err != nil {
		return "", err
	}
	now := s.Now()
	signed, err := s.Sign(d.client.IDTokenSignedResponseAlg, keys.TypeLogoutToken, Token{
		Issuer: d.ended.Issuer, Subject: sub, Audience: d.client.ClientID, IssuedAt: now.Unix(), Expiry: now.Add(tokenLifetime).Unix(),
		JTI: s.Random(), Events: map[string]struct{}{Event: {}}, SID: d.ended.SID,
	})
	if err != nil {
		return "", err
	}
	return s.Encrypt(ctx, d.client, signed)
}

// told tells whether the status means that the client did what it was told. §2.8: "If the logout succeeded, the RP MUST respond with
// HTTP 200 OK. However, note that some Web frameworks will substitute an HTTP 204 No Content response".
func told(status int) bool { return status == 200 || status == 204 }

// Telling is what became of telling a client.
type Telling struct {
	Client oidc.Client
	SID    string
	Try    int   // 1 is the first
	Err    error // nil: the client was told
	Again  bool  // there will be another try
}
