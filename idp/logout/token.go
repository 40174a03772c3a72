package logout

import (
	"cmp"
	"context"
	"time"

	"github.com/hush-idp/hush/idp/keys"
)

// Event is the member of events that makes a JWT a logout token.
const Event = "http://schemas.openid.net/event/backchannel-logout"

// tokenLifetime follows Back-Channel Logout §2.4: "it is RECOMMENDED that Logout Tokens use short expiration times in
// the exp Claim, preferably at most two minutes in the future".
const tokenLifetime = 2 * time.Minute

// Token holds the claims of a logout token (§2.4). There is no nonce: "A nonce Claim MUST NOT be present. Its use is
// prohibited to make a Logout Token syntactically invalid if used in a forged Authentication Response in place of an ID
// Token." https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
type Token struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub"`
	Audience string              `json:"aud"` // the client_id
	IssuedAt int64               `json:"iat"` // seconds since 1970, like Expiry
	Expiry   int64               `json:"exp"`
	JTI      string              `json:"jti"`
	Events   map[string]struct{} `json:"events"`
	SID      string              `json:"sid"`
}

// token makes the token of one attempt. §2.4: "A Logout Token MUST be signed and MAY also be encrypted. The same keys
// are used to sign and encrypt Logout Tokens as are used for ID Tokens."
func (s *Sender) token(ctx context.Context, d *delivery) (string, error) {
	sub, err := s.Subjects.Of(d.client, d.ended.Sub)
	if err != nil {
		return "", err
	}
	now := s.Now()
	signed, err := s.Keys.Sign(ctx, cmp.Or(d.client.IDTokenSignedResponseAlg, s.DefaultAlg), keys.TypeLogoutToken, Token{
		Issuer: d.ended.Issuer, Subject: sub, Audience: d.client.ClientID, IssuedAt: now.Unix(),
		Expiry: now.Add(tokenLifetime).Unix(), JTI: s.Random(), Events: map[string]struct{}{Event: {}}, SID: d.ended.SID,
	})
	if err != nil {
		return "", err
	}
	return s.ClientKeys.EncryptIDToken(ctx, d.client, signed)
}
