package rp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

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
	Claims   json.RawMessage // all claims, a JSON object
}

// accessToken is the subject of the rules about an access token.
type accessToken struct {
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

// accessTokenRules are judged once the signature has been verified.
var accessTokenRules = oidc.Table[accessToken]{
	{Spec: "RFC 9068 §4", Text: "the access token's iss is the provider", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.Issuer == t.config.Issuer },
		Got:   func(t accessToken) string { return fmt.Sprintf("%q, not %s", clip(t.Issuer), t.config.Issuer) }},
	{Spec: "RFC 9068 §4", Text: "the access token's aud contains this API", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return slices.Contains(t.Audience, t.config.Audience) },
		Got:   func(t accessToken) string { return fmt.Sprintf("%q, not %s", t.Audience, t.config.Audience) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has an exp", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.Expiry != nil }},
	{Spec: "RFC 9068 §4", Text: "the access token's exp is in the future", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.now.Before(t.Expiry.Time()) },
		Got:   func(t accessToken) string { return seconds(t.now.Sub(t.Expiry.Time())) + " ago by this API's clock" },
		Help:  "renew it"},
	{Spec: "RFC 7519 §4.1.5", Text: "the access token's nbf, when present, is past by this API's clock",
		Else:  oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.NotBefore == nil || !t.NotBefore.Time().After(t.now.Add(skew)) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has an iat, at most 1m0s ahead of this API's clock",
		Else:  oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.IssuedAt != nil && !t.IssuedAt.Time().After(t.now.Add(skew)) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a sub", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.Subject != "" }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a client_id", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.ClientID != "" }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a jti", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.ID != "" }},
	{Spec: "RFC 7800 §3.1", Text: "the access token's cnf, when present, has a jkt", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.Cnf == nil || t.Cnf.JKT != "" },
		Help:  "this API can check DPoP proofs only"},
}

// verify checks an access token: RFC 9068 §4.
func (s *Resource) verify(ctx context.Context, raw string) (*AccessToken, error) {
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return nil, oidc.InvalidToken.Errorf("the access token is not a JWT with an asymmetric signature: %s",
			clip(err.Error()))
	}
	header := token.Headers[0]
	if typ := mediaType(header); typ != "at+jwt" {
		return nil, oidc.InvalidToken.Errorf("the token's typ is '%s', expected at+jwt (RFC 9068 section 4): "+
			"send the access token, not the ID Token", clip(typ))
	}
	claims, err := s.keys.verify(ctx, token)
	switch {
	case errors.Is(err, errNoKid):
		return nil, oidc.InvalidToken.Errorf("the access token's signature cannot be verified: %v", err)
	case errors.Is(err, errNoKey):
		return nil, oidc.InvalidToken.Errorf("no key that %s publishes verifies the access token's signature "+
			"(kid '%s', alg %s)",
			s.config.Issuer, clip(header.KeyID), header.Algorithm)
	case err != nil:
		return nil, err
	}
	t := accessToken{config: s.config, now: s.config.Now()}
	if json.Unmarshal(claims, &t.accessTokenClaims) != nil {
		return nil, oidc.InvalidToken.Errorf("a claim of the access token has the wrong type (RFC 9068 section 2.2)")
	}
	if err := accessTokenRules.Judge(ctx, t); err != nil {
		return nil, err
	}
	verified := &AccessToken{
		Iss: t.Issuer, Sub: t.Subject, Aud: t.Audience, ClientID: t.ClientID, Jti: t.ID,
		Scope: oidc.ParseScope(t.Scope), Exp: t.Expiry.Time(), Iat: t.IssuedAt.Time(), Claims: claims,
	}
	if t.Cnf != nil {
		verified.JKT = t.Cnf.JKT
	}
	return verified, nil
}
