package rp

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// skew is how far the provider's clock may be ahead of ours.
const skew = time.Minute

// evidence is what the rules about an ID Token look at.
type evidence struct {
	*gooidc.IDToken
	azp         string
	authTime    *jwt.NumericDate
	accessToken string
	flow        *flow
	clientID    string
	now         time.Time
}

// idTokenRules are what Core demands beyond signature, iss, aud and exp, which go-oidc has checked before. Order is the
// order of the checks.
var idTokenRules = []rule[evidence]{
	{"Core §2", "sub is at most 255 ASCII characters", func(e evidence) string {
		ascii := !strings.ContainsFunc(e.Subject, func(r rune) bool { return r > 0x7e })
		return unless(e.Subject != "" && len(e.Subject) <= 255 && ascii, "sub is missing or too long")
	}},
	{"Core §3.1.3.7 (4)", "azp is present when the ID Token has several audiences", func(e evidence) string {
		return unless(len(e.Audience) == 1 || e.azp != "", "aud holds %d values and azp is missing", len(e.Audience))
	}},
	{"Core §3.1.3.7 (5)", "azp, when present, is the client_id", func(e evidence) string {
		return unless(e.azp == "" || e.azp == e.clientID, "azp is %q, expected %q", clip(e.azp), e.clientID)
	}},
	{"Core §2", "iat is present", func(e evidence) string {
		return unless(e.IssuedAt.Unix() > 0, "iat is missing")
	}},
	{"Core §3.1.3.7 (10)", "iat is not in the future", func(e evidence) string {
		ahead := e.IssuedAt.Sub(e.now)
		return unless(ahead <= skew, "the provider's clock is %v ahead of ours, more than %v", ahead.Round(time.Second), skew)
	}},
	{"Core §3.1.3.7 (11)", "nonce is the one that was sent", func(e evidence) string {
		return unless(subtle.ConstantTimeCompare([]byte(e.Nonce), []byte(e.flow.Nonce)) == 1, "nonce is missing or another request's")
	}},
	{"Core §3.1.3.7 (13)", "auth_time is present when max_age was sent", func(e evidence) string {
		return unless(e.flow.MaxAge == nil || e.authTime != nil, "auth_time is missing")
	}},
	{"Core §3.1.3.7 (13)", "auth_time is at most max_age ago", func(e evidence) string {
		if e.flow.MaxAge == nil {
			return ""
		}
		ago, allowed := e.now.Sub(e.authTime.Time()), time.Duration(*e.flow.MaxAge)*time.Second
		return unless(ago <= allowed+skew, "the user signed in %v ago, max_age was %v", ago.Round(time.Second), allowed)
	}},
	{"Core §3.1.3.8", "at_hash, when present, is the access token's", func(e evidence) string {
		return unless(e.AccessTokenHash == "" || e.VerifyAccessToken(e.accessToken) == nil, "at_hash belongs to another access token")
	}},
}

// verify checks the token response (Core §3.1.3.5, §3.1.3.7, §3.1.3.8). Only it makes a Session out of one.
func (p *RP) verify(ctx context.Context, d *discovered, f *flow, token *oauth2.Token) (*Session, error) {
	if !strings.EqualFold(token.TokenType, "Bearer") { // Core §3.1.3.3
		return nil, oidc.ServerError.Errorf("the token endpoint's answer has token_type %q, expected Bearer (Core section 3.1.3.3)", clip(token.TokenType))
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, InvalidIDToken.Errorf("the token endpoint's answer has no id_token (Core section 3.1.3.3)")
	}
	verifier := d.Verifier(&gooidc.Config{ClientID: p.config.ClientID, Now: p.config.Now})
	idToken, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, InvalidIDToken.Errorf("the ID Token is not acceptable (Core section 3.1.3.7): %s", clip(err.Error()))
	}
	var claims struct {
		Azp      string           `json:"azp"`
		AuthTime *jwt.NumericDate `json:"auth_time"`
	}
	if err := idToken.Claims(&claims); err != nil {
		return nil, InvalidIDToken.Errorf("azp is not a string, or auth_time not a number (Core section 2)")
	}
	breach := judge(idTokenRules, evidence{idToken, claims.Azp, claims.AuthTime, token.AccessToken, f, p.config.ClientID, p.config.Now()})
	if breach != "" {
		return nil, InvalidIDToken.Errorf("the ID Token is not acceptable: %s", breach)
	}
	return p.newSession(idToken, claims.AuthTime, raw, token), nil
}

func (p *RP) newSession(idToken *gooidc.IDToken, authTime *jwt.NumericDate, raw string, token *oauth2.Token) *Session {
	now := p.config.Now()
	s := &Session{
		Sub:         idToken.Subject,
		IDToken:     raw,
		AccessToken: token.AccessToken,
		Scope:       strings.Join(p.config.Scopes, " "), // RFC 6749 §5.1: scope is "OPTIONAL, if identical to the scope requested"
		EndsAt:      now.Add(sessionLifetime),
	}
	if scope, ok := token.Extra("scope").(string); ok {
		s.Scope = scope
	}
	if token.ExpiresIn > 0 {
		s.Expiry = now.Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	if authTime != nil {
		s.AuthTime = authTime.Time()
	}
	_ = idToken.Claims(&s.Claims) // they have been decoded before
	return s
}
