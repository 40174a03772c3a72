package rp

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// skew is how far the provider's clock may be ahead of ours.
const skew = time.Minute

// stale is how long ago the provider may have signed a token that it hands out now.
const stale = 10 * time.Minute

// evidence is what the rules about an ID Token look at.
type evidence struct {
	*gooidc.IDToken
	idTokenClaims
	accessToken string
	flow        *flow    // of a sign-in or a silent renewal
	before      *Session // of a refresh
	config      Config
	now         time.Time
}

// idTokenClaims are those that go-oidc does not read.
type idTokenClaims struct {
	Azp      string           `json:"azp"`
	AuthTime *jwt.NumericDate `json:"auth_time"`
	Acr      string           `json:"acr"`
	Sid      string           `json:"sid"`
}

// idTokenRules are what Core demands beyond signature, iss, aud and exp, which go-oidc has checked before. Order is the
// order of the checks.
var idTokenRules = []rule[evidence]{
	{"Core §2", "sub is at most 255 ASCII characters", func(e evidence) string {
		ascii := !strings.ContainsFunc(e.Subject, func(r rune) bool { return r > 0x7e })
		return unless(e.Subject != "" && len(e.Subject) <= 255 && ascii, "sub is missing or too long")
	}},
	{"Core §3.1.3.7 (4)", "azp is present when the ID Token has several audiences", func(e evidence) string {
		return unless(len(e.Audience) == 1 || e.Azp != "", "aud holds %d values and azp is missing", len(e.Audience))
	}},
	{"Core §3.1.3.7 (5)", "azp, when present, is the client_id", func(e evidence) string {
		return unless(e.Azp == "" || e.Azp == e.config.ClientID, "azp is %q, expected %q", clip(e.Azp), e.config.ClientID)
	}},
	{"Core §3.1.3.7 (3)", "aud holds no audience that this client does not trust", func(e evidence) string {
		foreign := slices.IndexFunc(e.Audience, func(aud string) bool {
			return aud != e.config.ClientID && !slices.Contains(e.config.TrustedAudiences, aud)
		})
		return unless(foreign < 0, "aud is %q, expected %q alone", e.Audience, e.config.ClientID)
	}},
	{"Core §2", "iat is present", func(e evidence) string {
		return unless(e.IssuedAt.Unix() > 0, "iat is missing")
	}},
	{"Core §3.1.3.7 (10)", "iat is not in the future", func(e evidence) string {
		ahead := e.IssuedAt.Sub(e.now)
		return unless(ahead <= skew, "the provider's clock is %v ahead of ours, more than %v", ahead.Round(time.Second), skew)
	}},
	{"Core §3.1.3.7 (10)", "iat is not too far away from the current time", func(e evidence) string {
		ago := e.now.Sub(e.IssuedAt)
		return unless(ago <= stale, "the ID Token was issued %v ago by our clock, more than %v", ago.Round(time.Second), stale)
	}},
	{"Core §3.1.3.8", "at_hash, when present, is the access token's", func(e evidence) string {
		return unless(e.AccessTokenHash == "" || e.VerifyAccessToken(e.accessToken) == nil, "at_hash belongs to another access token")
	}},
}

// loginRules are about the request that the ID Token answers.
var loginRules = []rule[evidence]{
	{"Core §3.1.3.7 (11)", "nonce is the one that was sent", func(e evidence) string {
		return unless(subtle.ConstantTimeCompare([]byte(e.Nonce), []byte(e.flow.Nonce)) == 1, "nonce is missing or another request's")
	}},
	{"Core §3.1.3.7 (12)", "acr is one of those that were demanded as essential", func(e evidence) string {
		wanted := e.config.essentialACRs()
		return unless(len(wanted) == 0 || slices.Contains(wanted, e.Acr), "acr is '%s', expected one of %q", clip(e.Acr), wanted)
	}},
	{"Core §3.1.3.7 (13)", "auth_time is present when max_age was sent", func(e evidence) string {
		return unless(e.flow.MaxAge == nil || e.AuthTime != nil, "auth_time is missing")
	}},
	{"Core §3.1.3.7 (13)", "auth_time is at most max_age ago", func(e evidence) string {
		if e.flow.MaxAge == nil {
			return ""
		}
		ago, allowed := e.now.Sub(e.AuthTime.Time()), time.Duration(*e.flow.MaxAge)*time.Second
		return unless(ago <= allowed+skew, "the user signed in %v ago, max_age was %v", ago.Round(time.Second), allowed)
	}},
}

// refreshRules hold of an ID Token that comes with a refresh.
var refreshRules = []rule[evidence]{
	{"Core §12.2", "auth_time, when present, is that of the original sign-in", func(e evidence) string {
		return unless(e.AuthTime == nil || e.before.AuthTime.IsZero() || e.AuthTime.Time().Equal(e.before.AuthTime), "auth_time has changed")
	}},
	{"Core §12.2", "nonce, when present, is that of the original sign-in", func(e evidence) string {
		return unless(e.Nonce == "" || e.Nonce == e.before.claim("nonce"), "nonce is another one")
	}},
	{"Core §12.2", "aud is that of the original ID Token", func(e evidence) string {
		was := e.before.audience()
		return unless(slices.Equal(slices.Sorted(slices.Values(e.Audience)), slices.Sorted(slices.Values(was))), "aud is %q, it was %q", e.Audience, was)
	}},
	{"Core §12.2", "azp is that of the original ID Token", func(e evidence) string {
		return unless(e.Azp == e.before.claim("azp"), "azp is %q, it was %q", clip(e.Azp), e.before.claim("azp"))
	}},
	{"Core §12.2", "iat is that of now, and not before that of the original ID Token", func(e evidence) string {
		earlier := e.before.IssuedAt.Sub(e.IssuedAt) // a little is the clocks of two replicas
		return unless(earlier <= skew, "iat is %v before it", earlier)
	}},
}

// verify checks the token response to a code (Core §3.1.3.5, §3.1.3.7, §3.1.3.8). Only it makes a Session out of one.
func (p *RP) verify(ctx context.Context, d *discovered, f *flow, token *oauth2.Token) (*Session, error) {
	if err := p.checkTokenType(token); err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, InvalidIDToken.Errorf("the token endpoint's answer has no id_token (Core section 3.1.3.3)")
	}
	return p.verifyIDToken(ctx, d, raw, token, loginRules, evidence{flow: f})
}

func (p *RP) checkTokenType(token *oauth2.Token) error {
	if strings.EqualFold(token.TokenType, p.tokenType()) {
		return nil
	}
	return oidc.ServerError.Errorf("the token endpoint's answer has token_type %q, expected %s (Core section 3.1.3.3, RFC 9449 section 5)",
		clip(token.TokenType), p.tokenType())
}

// verifyIDToken holds the ID Token against the rules that all must keep, and more.
func (p *RP) verifyIDToken(ctx context.Context, d *discovered, raw string, token *oauth2.Token, more []rule[evidence], e evidence) (*Session, error) {
	raw, err := p.decrypt(raw)
	if err != nil {
		return nil, InvalidIDToken.Errorf("the ID Token cannot be decrypted (Core section 3.1.3.7 (1)): %s", clip(err.Error()))
	}
	if e.IDToken, err = p.checkSignature(ctx, d, raw); err != nil {
		return nil, err
	}
	if e.IDToken.Claims(&e.idTokenClaims) != nil {
		return nil, InvalidIDToken.Errorf("azp is not a string, sid or acr not a string, or auth_time not a number (Core section 2)")
	}
	e.accessToken, e.config, e.now = token.AccessToken, p.config, p.config.Now()
	breach := judge(idTokenRules, e)
	if breach == "" {
		breach = judge(more, e)
	}
	if breach != "" {
		return nil, InvalidIDToken.Errorf("the ID Token is not acceptable: %s", breach)
	}
	return p.newSession(e, raw, token), nil
}

// checkSignature lets go-oidc verify signature, alg, iss, aud, exp and nbf.
func (p *RP) checkSignature(ctx context.Context, d *discovered, raw string) (*gooidc.IDToken, error) {
	keys := &askedKeys{keySet: p.keys}
	idToken, err := p.verifier(d, keys).Verify(ctx, raw)
	switch {
	case keys.down != nil:
		return nil, keys.down
	case err != nil:
		return nil, InvalidIDToken.Errorf("the ID Token is not acceptable (Core section 3.1.3.7): %s", clip(err.Error()))
	}
	return idToken, nil
}

func (p *RP) verifier(d *discovered, keys gooidc.KeySet) *gooidc.IDTokenVerifier {
	return gooidc.NewVerifier(p.config.Issuer, keys, &gooidc.Config{
		ClientID: p.config.ClientID, Now: p.config.Now,
		SupportedSigningAlgs: p.config.signingAlgs(p.config.IDTokenSignedResponseAlg, d.metadata.IDTokenSigningAlgValuesSupported),
	})
}

// signingAlgs are the algorithms that a token of the provider's may be signed by: the registered one, or the asymmetric ones
// among those offered. Core §3.1.3.7 (7): "The alg value SHOULD be the default of RS256 or the algorithm sent by the Client
// in the id_token_signed_response_alg parameter during Registration".
func (c Config) signingAlgs(registered string, offered []string) []string {
	if registered != "" {
		return []string{registered}
	}
	algs := slices.DeleteFunc(slices.Clone(offered), func(alg string) bool { return !slices.Contains(asymmetric, jose.SignatureAlgorithm(alg)) })
	if len(algs) == 0 {
		return []string{string(jose.RS256)}
	}
	return algs
}

// askedKeys remembers that the provider could not be asked for its keys, which is another failure than a bad signature.
type askedKeys struct {
	*keySet
	down *oidc.Error
}

// VerifySignature implements go-oidc's KeySet.
func (k *askedKeys) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	claims, err := k.keySet.VerifySignature(ctx, raw)
	k.down, _ = errors.AsType[*oidc.Error](err)
	return claims, err
}

// newSession is what e proves. What the token response leaves out is as it was before, or as it was asked for.
func (p *RP) newSession(e evidence, raw string, token *oauth2.Token) *Session {
	s := p.refreshed(&Session{Scope: strings.Join(p.config.Scopes, " ")}, token)
	s.Sub, s.IDToken, s.Sid, s.IssuedAt, s.Began = e.Subject, raw, e.Sid, e.IssuedAt, e.now
	s.EndsAt = e.now.Add(sessionLifetime)
	if e.AuthTime != nil {
		s.AuthTime = e.AuthTime.Time()
	}
	_ = e.IDToken.Claims(&s.Claims) // they have been decoded before
	return s
}

// refreshed is session with the tokens of a token response. RFC 6749 §5.1: scope is "OPTIONAL, if identical to the scope
// requested"; §6: a refresh token that is not replaced stays good.
func (p *RP) refreshed(session *Session, token *oauth2.Token) *Session {
	s := *session
	s.AccessToken, s.Expiry = token.AccessToken, time.Time{}
	if token.RefreshToken != "" {
		s.RefreshToken = token.RefreshToken
	}
	if scope, ok := token.Extra("scope").(string); ok {
		s.Scope = scope
	}
	if token.ExpiresIn > 0 {
		s.Expiry = p.config.Now().Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	return &s
}
