package idptest_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

// goClient is an application that stands on go-oidc and golang.org/x/oauth2.
type goClient struct {
	t        *testing.T
	provider *idptest.Provider
	found    *gooidc.Provider
	config   oauth2.Config
}

func newGoClient(t *testing.T, scopes ...string) goClient {
	t.Helper()
	p := idptest.Start(t, func(c *idp.Config) { c.SigningKeys = []idp.SigningKey{{Alg: "RS256"}} })
	found, err := gooidc.NewProvider(t.Context(), p.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return goClient{t: t, provider: p, found: found, config: oauth2.Config{
		ClientID: "web", ClientSecret: "web-secret", Endpoint: found.Endpoint(),
		RedirectURL: "http://localhost:9090/web/callback", Scopes: append([]string{"openid", "email"}, scopes...),
	}}
}

// signIn is the code flow with PKCE and a nonce.
func (c goClient) signIn() (*oauth2.Token, *gooidc.IDToken) {
	c.t.Helper()
	verifier := oauth2.GenerateVerifier()
	b := c.provider.Browser(c.t)
	b.SignIn("alice")
	answer := b.Get(c.config.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier),
		gooidc.Nonce("a nonce"))).Location.Query()
	if answer.Get("state") != "a state" {
		c.t.Fatalf("got %v", answer)
	}
	token, err := c.config.Exchange(c.t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		c.t.Fatal(err)
	}
	idToken, err := c.verify(token)
	if err != nil || idToken.Nonce != "a nonce" {
		c.t.Fatalf("%v: %v", idToken, err)
	}
	return token, idToken
}

func (c goClient) verify(token *oauth2.Token) (*gooidc.IDToken, error) {
	text, _ := token.Extra("id_token").(string)
	idToken, err := c.found.Verifier(&gooidc.Config{ClientID: "web", Now: c.provider.Clock.Now}).Verify(c.t.Context(),
		text)
	if err != nil {
		return nil, err
	}
	if idToken.AccessTokenHash == "" {
		return idToken, nil
	}
	return idToken, idToken.VerifyAccessToken(token.AccessToken)
}

func TestGoOIDCSignsIn(t *testing.T) { // Core §3.1
	c := newGoClient(t)
	token, idToken := c.signIn()
	info, err := c.found.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != idToken.Subject || info.Email != "alice@example.com" || !info.EmailVerified {
		t.Errorf("%+v: %v", info, err)
	}
}

func TestGoOIDCComparesTheIssuer(t *testing.T) { // Discovery §4.3
	c := newGoClient(t)
	if _, err := gooidc.NewProvider(t.Context(), c.provider.Issuer+"/"); err == nil {
		t.Error("another issuer is found at this address")
	}
}

func TestOAuth2RefreshesByItself(t *testing.T) { // RFC 6749 §6, Core §12.2
	c := newGoClient(t, "offline_access")
	token, first := c.signIn()
	expired := *token
	expired.Expiry = time.Now().Add(-time.Minute)
	renewed, err := c.config.TokenSource(t.Context(), &expired).Token()
	if err != nil {
		t.Fatal(err)
	}
	if renewed.AccessToken == token.AccessToken || renewed.RefreshToken == token.RefreshToken {
		t.Error("nothing is new")
	}
	idToken, err := c.verify(renewed)
	if err != nil || idToken.Subject != first.Subject {
		t.Errorf("%+v: %v", idToken, err)
	}
}

func TestOAuth2ClientCredentials(t *testing.T) { // RFC 6749 §4.4
	c := newGoClient(t)
	for name, style := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader,
		"post": oauth2.AuthStyleInParams} {
		config := clientcredentials.Config{
			ClientID: "web", ClientSecret: "web-secret", TokenURL: c.config.Endpoint.TokenURL, Scopes: []string{"api.read"},
			AuthStyle: style,
		}
		if token, err := config.Token(t.Context()); err != nil || !token.Valid() {
			t.Errorf("%s: %+v, %v", name, token, err)
		}
	}
}

func TestOAuth2DeviceFlow(t *testing.T) { // RFC 8628 §3
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients[0].GrantTypes = append(c.Clients[0].GrantTypes, "urn:ietf:params:oauth:grant-type:device_code")
	})
	config := oauth2.Config{ClientID: "spa", Scopes: []string{"openid"}, Endpoint: oauth2.Endpoint{
		DeviceAuthURL: p.Issuer + "/device_authorization", TokenURL: p.Issuer + "/token", AuthStyle: oauth2.AuthStyleInParams,
	}}
	codes, err := config.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := p.Browser(t)
	b.SignIn("alice")
	page := b.Submit(b.Get(codes.VerificationURIComplete), url.Values{"decision": {"allow"}})
	if page.Status >= http.StatusBadRequest {
		t.Fatalf("got %d", page.Status)
	}
	codes.Interval = 1
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if token, err := config.DeviceAccessToken(ctx, codes); err != nil || !token.Valid() {
		t.Errorf("%+v, %v", token, err)
	}
}
