package idp_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// public makes a provider of a configuration for the internet. It cannot be reached at its issuer: use serve.
func public(c *idp.Config) {
	c.Issuer = "https://login.example.com"
	c.CookieKeys = []string{strings.Repeat("k", 32)}
	c.Users = []users.User{
		{Username: "alice", PasswordHash: "$2b$04$KaoZ.mEHYxcgWQaxBAYTN.dwAC5rx2QK6BaQvn2T7TpiCkpCmAsKa"},
	}
	c.Clients = []oidc.Client{
		{ClientID: "app", RedirectURIs: []string{"https://app.test/cb"}, TokenEndpointAuthMethod: oidc.AuthMethodNone},
	}
}

// serve hands one request to the provider without a network.
func serve(p *idptest.Provider, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

// claims reads the payload of a JWT that the provider just answered with.
func claims(t *testing.T, token any) map[string]any {
	t.Helper()
	parts := strings.Split(token.(string), ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %v", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func authTime(t *testing.T, tokens map[string]any) float64 {
	t.Helper()
	return claims(t, tokens["id_token"])["auth_time"].(float64)
}

func subject(t *testing.T, b *idptest.Browser, code string) any {
	t.Helper()
	return claims(t, b.Tokens("spa", code)["id_token"])["sub"]
}

// get is a request with headers, given as names and values.
func get(t *testing.T, method, target string, form url.Values, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}
