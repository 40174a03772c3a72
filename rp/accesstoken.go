package rp

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// AccessToken is a verified access token (RFC 9068 §2.2).
type AccessToken struct {
	Iss      string
	Sub      string
	Aud      []string
	ClientID string
	Jti      string
	Scope    oidc.Scope
	JKT      string // the thumbprint of the key that the token is bound to (RFC 9449 §6.1); empty: a bearer token
	Exp      time.Time
	Iat      time.Time
	Claims   json.RawMessage // all of them, a JSON object
}

// asymmetric are the algorithms a token may be signed with. RFC 9068 §2.1: "JWT access tokens MUST be signed" and "MUST
// NOT use "none""; HMAC is left out because a key that an API could verify with would let it sign as well.
var asymmetric = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// presented is what the rules about an access token look at.
type presented struct {
	accessTokenClaims
	config ResourceConfig
	now    time.Time
}

type accessTokenClaims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	Cnf      *struct {
		JKT string `json:"jkt"`
	} `json:"cnf"`
}

// accessTokenRules are what must hold of the claims once the signature has been verified. Order is the order of the
// checks.
var accessTokenRules = []rule[presented]{
	{"RFC 9068 §4", "iss is the provider", func(t presented) string {
		return unless(t.Issuer == t.config.Issuer, "iss is '%s', expected %s", clip(t.Issuer), t.config.Issuer)
	}},
	{"RFC 9068 §4", "aud contains this API", func(t presented) string {
		return unless(slices.Contains(t.Audience, t.config.Audience), "aud is %q, expected %s", t.Audience, t.config.Audience)
	}},
	{"RFC 9068 §2.2", "exp is present", func(t presented) string {
		return unless(t.Expiry != nil, "exp is missing")
	}},
	{"RFC 9068 §4", "now is before exp", func(t presented) string {
		ago := t.now.Sub(t.Expiry.Time())
		return unless(ago < 0, "it expired %v ago by this API's clock: renew it", ago.Round(time.Second))
	}},
	{"RFC 7519 §4.1.5", "now is not before nbf, when there is one", func(t presented) string {
		return unless(t.NotBefore == nil || !t.NotBefore.Time().After(t.now.Add(skew)), "it is not valid yet by this API's clock")
	}},
	{"RFC 9068 §2.2", "iat is present and not in the future", func(t presented) string {
		return unless(t.IssuedAt != nil && !t.IssuedAt.Time().After(t.now.Add(skew)),
			"iat is missing, or more than %v ahead of this API's clock", skew)
	}},
	{"RFC 9068 §2.2", "sub is present", func(t presented) string {
		return unless(t.Subject != "", "sub is missing")
	}},
	{"RFC 9068 §2.2", "client_id is present", func(t presented) string {
		return unless(t.ClientID != "", "client_id is missing")
	}},
	{"RFC 9068 §2.2", "jti is present", func(t presented) string {
		return unless(t.ID != "", "jti is missing")
	}},
	{"RFC 7800 §3.1", "cnf, when present, names a key that a DPoP proof shows", func(t presented) string {
		return unless(t.Cnf == nil || t.Cnf.JKT != "", "cnf has no jkt: this API cannot check what else the token is bound to")
	}},
}

// verify is RFC 9068 §4. Only it makes an AccessToken.
func (s *Resource) verify(ctx context.Context, raw string) (*AccessToken, error) {
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return nil, oidc.InvalidToken.Errorf("the access token is not a JWT with an asymmetric signature: %s", clip(err.Error()))
	}
	if typ := mediaType(token.Headers[0]); typ != "at+jwt" {
		return nil, oidc.InvalidToken.Errorf("the token's typ is '%s', expected at+jwt (RFC 9068 section 4): send the access token, not the ID Token",
			clip(typ))
	}
	claims, err := s.keys.verify(ctx, token)
	if err != nil {
		return nil, s.explainKey(err, token.Headers[0])
	}
	t := presented{config: s.config, now: s.config.Now()}
	if json.Unmarshal(claims, &t.accessTokenClaims) != nil {
		return nil, oidc.InvalidToken.Errorf("a claim of the access token has the wrong type (RFC 9068 section 2.2)")
	}
	if breach := judge(accessTokenRules, t); breach != "" {
		return nil, oidc.InvalidToken.Errorf("the access token is not acceptable: %s", breach)
	}
	return &AccessToken{
		Iss: t.Issuer, Sub: t.Subject, Aud: t.Audience, ClientID: t.ClientID, Jti: t.ID,
		Scope: oidc.ParseScope(t.Scope), JKT: t.jkt(), Exp: t.Expiry.Time(), Iat: t.IssuedAt.Time(), Claims: claims,
	}, nil
}

// jkt is the thumbprint of the key that the token is bound to; "" for a bearer token.
func (c accessTokenClaims) jkt() string {
	if c.Cnf == nil {
		return ""
	}
	return c.Cnf.JKT
}

// mediaType reads typ. RFC 7515 §4.1.9: "application/" may be left out; media types are case-insensitive.
func mediaType(header jose.Header) string {
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

func (s *Resource) explainKey(err error, header jose.Header) error {
	if errors.Is(err, errNoKid) {
		return oidc.InvalidToken.Errorf("the access token's signature cannot be verified: %v", err)
	}
	if !errors.Is(err, errNoKey) {
		return err
	}
	return oidc.InvalidToken.Errorf("no key that %s publishes verifies the access token's signature (kid '%s', alg %s)",
		s.config.Issuer, clip(header.KeyID), header.Algorithm)
}
