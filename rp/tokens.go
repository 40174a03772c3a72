package rp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

const (
	skew  = time.Minute      // how far the provider's clock may be ahead
	stale = 10 * time.Minute // the greatest age of the iat of a token that was just received
)

// idToken is the subject of the rules about an ID Token.
type idToken struct {
	*gooidc.IDToken
	idTokenClaims
	accessToken string
	flow        *flow    // of a sign-in or a silent renewal
	before      *Session // of a refresh
	config      Config
	now         time.Time
}

// idTokenClaims are the claims that go-oidc does not read.
type idTokenClaims struct {
	Azp      string           `json:"azp"`
	AuthTime *jwt.NumericDate `json:"auth_time"`
	Acr      string           `json:"acr"`
	Sid      string           `json:"sid"`
}

// The rules about every ID Token, and about the nonce of a sign-in, are those of package oidc. They are judged after
// go-oidc has checked signature, iss, aud and exp.
var (
	idTokenRules = otherwise(InvalidIDToken, oidc.IDTokenRules())
	nonceRules   = otherwise(InvalidIDToken, oidc.NonceRules())
)

// claims is the ID Token for the rules of package oidc.
func (t idToken) claims() oidc.IDToken {
	claims := oidc.IDToken{
		Subject: t.Subject, Audience: t.Audience, Azp: t.Azp, Nonce: t.Nonce, IssuedAt: t.IssuedAt, AtHash: t.AccessTokenHash,
		ClientID: t.config.ClientID, Now: t.now,
		IsTrusted: func(aud string) bool { return slices.Contains(t.config.TrustedAudiences, aud) },
		HashFits:  func() bool { return t.VerifyAccessToken(t.accessToken) == nil },
	}
	if t.flow != nil {
		claims.Wanted = t.flow.Nonce
	}
	return claims
}

// freshRules are for a token that was just received.
var freshRules = otherwise(InvalidIDToken, oidc.Table[idToken]{
	{Spec: "Core §3.1.3.7 (10)", Text: "the ID Token's iat is at most 10m0s ago by our clock",
		Holds: func(t idToken) bool { return t.now.Sub(t.IssuedAt) <= stale },
		Got:   func(t idToken) string { return seconds(t.now.Sub(t.IssuedAt)) + " ago" }},
})

// loginRules compare the ID Token with the authentication request.
var loginRules = otherwise(InvalidIDToken, oidc.Table[idToken]{
	{Spec: "Core §3.1.3.7 (12)", Text: "the ID Token's acr is one of the essential ones of the request",
		Holds: func(t idToken) bool {
			wanted := t.config.essentialACRs()
			return len(wanted) == 0 || slices.Contains(wanted, t.Acr)
		},
		Got: func(t idToken) string { return fmt.Sprintf("%q, asked for %q", clip(t.Acr), t.config.essentialACRs()) }},
	{Spec: "Core §3.1.3.7 (13)", Text: "the ID Token has an auth_time when max_age was sent",
		Holds: func(t idToken) bool { return t.flow.MaxAge == nil || t.AuthTime != nil }},
	{Spec: "Core §3.1.3.7 (13)", Text: "the ID Token's auth_time is not in the future when max_age was sent",
		Holds: func(t idToken) bool { return t.flow.MaxAge == nil || t.AuthTime.Time().Sub(t.now) <= skew },
		Got:   func(t idToken) string { return seconds(t.AuthTime.Time().Sub(t.now)) + " ahead" }},
	{Spec: "Core §3.1.3.7 (13)", Text: "the ID Token's auth_time is at most max_age ago",
		Holds: func(t idToken) bool {
			return t.flow.MaxAge == nil || t.now.Sub(t.AuthTime.Time()) <= time.Duration(*t.flow.MaxAge)*time.Second+skew
		},
		Got: func(t idToken) string {
			return fmt.Sprintf("%s ago, max_age was %d seconds", seconds(t.now.Sub(t.AuthTime.Time())), *t.flow.MaxAge)
		}},
})

// refreshRules compare the ID Token of a refresh with the session that it renews.
var refreshRules = otherwise(InvalidIDToken, oidc.Table[idToken]{
	{Spec: "Core §12.2", Text: "the ID Token's auth_time, when present, is that of the sign-in",
		Holds: func(t idToken) bool {
			return t.AuthTime == nil || t.before.AuthTime.IsZero() || t.AuthTime.Time().Equal(t.before.AuthTime)
		}},
	{Spec: "Core §12.2", Text: "the ID Token's nonce, when present, is that of the sign-in",
		Holds: func(t idToken) bool { return t.Nonce == "" || t.Nonce == t.before.claims().Nonce }},
	{Spec: "Core §12.2", Text: "the ID Token's aud is that of the sign-in",
		Holds: func(t idToken) bool {
			now, before := slices.Sorted(slices.Values(t.Audience)), slices.Sorted(slices.Values(t.before.claims().Aud))
			return slices.Equal(now, before)
		},
		Got: func(t idToken) string { return fmt.Sprintf("%q, it was %q", t.Audience, t.before.claims().Aud) }},
	{Spec: "Core §12.2", Text: "the ID Token's azp is that of the sign-in",
		Holds: func(t idToken) bool { return t.Azp == t.before.claims().Azp },
		Got:   func(t idToken) string { return fmt.Sprintf("%q, it was %q", clip(t.Azp), t.before.claims().Azp) }},
	{Spec: "Core §12.2", Text: "the ID Token's iat is not before that of the last ID Token",
		Holds: func(t idToken) bool { return t.before.IssuedAt.Sub(t.IssuedAt) <= skew }, // clocks of two replicas may differ
		Got:   func(t idToken) string { return seconds(t.before.IssuedAt.Sub(t.IssuedAt)) + " before" }},
})

// otherwise sets the error code of all rules.
func otherwise[S any](code oidc.ErrorCode, rules oidc.Table[S]) oidc.Table[S] {
	for i := range rules {
		rules[i].Else = cmp.Or(rules[i].Else, code)
	}
	return rules
}

func seconds(d time.Duration) string { return d.Round(time.Second).String() }

// verifyTokens checks a token response (Core §3.1.3.5, §3.1.3.7, §3.1.3.8; of a refresh: §12.2) and returns a session
// that is not stored yet. t has the flow or the session that the response belongs to.
func (p *RP) verifyTokens(ctx context.Context, d *discovered, token *oauth2.Token, t idToken) (*Session, error) {
	raw, _ := token.Extra("id_token").(string)
	token = withExactNames(token)
	switch {
	case token.AccessToken == "":
		return nil, oidc.ServerError.Errorf("the token endpoint's answer has no access_token (RFC 6749 section 5.1)")
	case !strings.EqualFold(token.TokenType, p.tokenType()):
		return nil, oidc.ServerError.Errorf("the token endpoint's answer has token_type %q, expected %s "+
			"(Core section 3.1.3.3, RFC 9449 section 5)", clip(token.TokenType), p.tokenType())
	case raw == "" && t.before != nil: // Core §12.2: the answer to a refresh may have no ID Token
		return p.refreshed(t.before, token), nil
	case raw == "":
		return nil, InvalidIDToken.Errorf("the token endpoint's answer has no id_token (Core section 3.1.3.3)")
	}
	signed, verifier, err := p.openIDToken(ctx, d, raw)
	if err == nil {
		t.IDToken, err = verifier.Verify(ctx, signed.raw)
	}
	if err == nil && josejson.Unmarshal(signed.claims, &t.idTokenClaims) != nil {
		err = errors.New("azp, sid or acr is not a string, or auth_time is not a number")
	}
	if err != nil {
		return nil, tokenKind{InvalidIDToken, "the ID Token", "Core section 3.1.3.7"}.refuse(err)
	}
	t.accessToken, t.config, t.now = token.AccessToken, p.config, p.config.Now()
	if err := t.judge(ctx); err != nil {
		return nil, err
	}
	session := p.newSession(t, signed, token)
	return session, p.rememberSid(ctx, session)
}

// withExactNames returns the token of a response without the members that x/oauth2 has read by names in other letters,
// such as ACCESS_TOKEN.
func withExactNames(token *oauth2.Token) *oauth2.Token {
	text := func(name string) string {
		value, _ := token.Extra(name).(string)
		return value
	}
	exact := *token
	exact.AccessToken, exact.TokenType = text("access_token"), text("token_type")
	exact.RefreshToken = text("refresh_token")
	return &exact
}

// judge returns the error of the first broken rule.
func (t idToken) judge(ctx context.Context) error {
	claims := t.claims()
	if err := idTokenRules.Judge(ctx, claims); err != nil {
		return err
	}
	if t.before != nil {
		return slices.Concat(freshRules, refreshRules).Judge(ctx, t)
	}
	if err := nonceRules.Judge(ctx, claims); err != nil {
		return err
	}
	return slices.Concat(freshRules, loginRules).Judge(ctx, t)
}

// openIDToken opens an ID Token or a logout token. The verifier checks its iss, aud and exp.
func (p *RP) openIDToken(ctx context.Context, d *discovered, raw string) (signedJWT, *gooidc.IDTokenVerifier, error) {
	alg := signingAlg(p.config.IDTokenSignedResponseAlg, d.metadata.IDTokenSigningAlgValuesSupported)
	signed, err := p.open(ctx, raw, alg, "IDTokenSignedResponseAlg")
	return signed, gooidc.NewVerifier(p.config.Issuer, signed, &gooidc.Config{
		ClientID: p.config.ClientID, Now: p.config.Now, SupportedSigningAlgs: []string{alg},
	}), err
}

// userInfo is the subject of the rules about a userinfo response.
type userInfo struct {
	Iss string           `json:"iss"`
	Sub string           `json:"sub"`
	Aud jwt.Audience     `json:"aud"`
	Exp *jwt.NumericDate `json:"exp"`

	signed  bool
	session *Session
	config  Config
}

var userInfoRules = otherwise(oidc.ServerError, oidc.Table[userInfo]{
	{Spec: "Core §5.3.2", Text: "userinfo is signed when the client registered for it",
		Holds: func(u userInfo) bool { return u.signed || u.config.UserinfoSignedResponseAlg == "" },
		Got:   func(u userInfo) string { return "no signature, registered for " + u.config.UserinfoSignedResponseAlg }},
	{Spec: "Core §5.3.2", Text: "userinfo has a sub",
		Holds: func(u userInfo) bool { return u.Sub != "" }},
	{Spec: "Core §5.3.2", Text: "the iss of userinfo is the provider, and signed userinfo has one",
		Holds: func(u userInfo) bool { return u.Iss == u.config.Issuer || (u.Iss == "" && !u.signed) },
		Got:   func(u userInfo) string { return fmt.Sprintf("%q, not %s", clip(u.Iss), u.config.Issuer) }},
	{Spec: "Core §5.3.2", Text: "the aud of userinfo contains the client_id, and signed userinfo has one",
		Holds: func(u userInfo) bool { return u.Aud.Contains(u.config.ClientID) || (len(u.Aud) == 0 && !u.signed) },
		Got:   func(u userInfo) string { return fmt.Sprintf("%q, not %q", u.Aud, u.config.ClientID) }},
	{Spec: "RFC 7519 §4.1.4", Text: "signed userinfo has not expired",
		Holds: func(u userInfo) bool { return !u.signed || u.Exp == nil || u.config.Now().Before(u.Exp.Time()) }},
	{Spec: "Core §5.3.2", Text: "the sub of userinfo is that of the ID Token", Else: SubMismatch,
		Holds: func(u userInfo) bool { return u.Sub == u.session.Sub },
		Got:   func(userInfo) string { return "another sub than the ID Token" }},
})

// UserInfo asks the provider for the claims of the request's user (Core §5.3): a JSON object, verified if it is signed.
// Its error is an error of TokenSource, or an *oidc.Error about the provider's answer.
func (p *RP) UserInfo(r *http.Request) (json.RawMessage, error) {
	session, err := p.usable(r)
	if err != nil {
		return nil, err
	}
	return p.userInfo(r.Context(), session)
}

// addUserInfo sets session.UserInfo if the configuration asks for it.
func (p *RP) addUserInfo(ctx context.Context, session *Session) (err error) {
	if p.config.UserInfoAtSignIn {
		session.UserInfo, err = p.userInfo(ctx, session)
	}
	return err
}

// userInfo returns the verified claims about the user of session.
func (p *RP) userInfo(ctx context.Context, session *Session) (json.RawMessage, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return nil, err
	}
	media, body, err := p.fetchUserInfo(ctx, d, session)
	if err != nil {
		return nil, err
	}
	u := userInfo{signed: media == "application/jwt", session: session, config: p.config}
	if u.signed {
		if body, err = p.verifyUserInfo(ctx, d, string(body)); err != nil {
			return nil, err
		}
	}
	if err := josejson.Unmarshal(body, &u); err != nil {
		return nil, unusable("it is no JSON object, a name is there twice, or sub, iss or aud has the wrong type")
	}
	if err := userInfoRules.Judge(ctx, u); err != nil {
		return nil, err
	}
	return body, nil
}

// fetchUserInfo sends the request of Core §5.3.1 and returns the answer's media type and body.
func (p *RP) fetchUserInfo(ctx context.Context, d *discovered, session *Session) (string, []byte, error) {
	if d.metadata.UserinfoEndpoint == "" {
		return "", nil, unusable("the provider has no userinfo_endpoint")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.metadata.UserinfoEndpoint, nil)
	if err != nil {
		return "", nil, err
	}
	p.token(session).SetAuthHeader(r)
	response, body, err := p.provider.exchange(p.httpClient(nil), r)
	switch {
	case err != nil:
		return "", nil, err
	case response.StatusCode == http.StatusUnauthorized:
		return "", nil, oidc.InvalidToken.Errorf("the provider refuses the access token: renew the session or sign in again")
	case response.StatusCode != http.StatusOK:
		return "", nil, unusable("the status is " + response.Status)
	}
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return media, body, nil
}

// verifyUserInfo decrypts and verifies a JWT. alg none is always refused.
func (p *RP) verifyUserInfo(ctx context.Context, d *discovered, raw string) ([]byte, error) {
	offered := d.metadata.UserinfoSigningAlgValuesSupported
	if len(offered) == 0 { // Discovery §3: the list is optional
		offered = d.metadata.IDTokenSigningAlgValuesSupported
	}
	alg := signingAlg(p.config.UserinfoSignedResponseAlg, offered)
	signed, err := p.open(ctx, raw, alg, "UserinfoSignedResponseAlg")
	if err != nil {
		return nil, tokenKind{oidc.ServerError, "userinfo", "Core section 5.3.2"}.refuse(err)
	}
	return signed.claims, nil
}

func unusable(why string) error {
	return oidc.ServerError.Errorf("the userinfo endpoint's answer cannot be used: %s", clip(why))
}
