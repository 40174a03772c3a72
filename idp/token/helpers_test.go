package token

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const (
	testIssuer   = "http://idp.test"
	codeVerifier = "a-code-verifier-of-exactly-43-characters-ok"
)

type testEndpoint struct {
	*Endpoint
	access *access.Tokens
	grants *grant.Grants
	clock  *storagetest.Clock
	store  *storagetest.Spy
}

var testKeys = sync.OnceValues(func() (*keys.Ring, error) { return keys.New([]keys.Spec{{Alg: "ES256"}}) })

func newEndpoint(t testing.TB) *testEndpoint {
	t.Helper()
	ring, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	clock := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	grants := grant.New(store, clock.Now, rand.Text)
	sign := func(_ context.Context, _, typ string, claims any) (string, error) {
		return ring.Sign("ES256", typ, claims)
	}
	tokens := &access.Tokens{
		Issuer: testIssuer, Sign: sign, Keys: ring, Grants: grants, Records: storage.NewBucket[access.Token]("access", store), Now: clock.Now, Random: rand.Text,
	}
	return &testEndpoint{clock: clock, store: store, grants: grants, access: tokens, Endpoint: &Endpoint{
		Issuer: testIssuer, Audience: "urn:the-api", Clients: &clientauth.Authenticator{Clients: clients.New(testClients())}, Now: clock.Now, Random: rand.Text,
		Scopes: append(oidc.StandardScope(), oidc.ScopeOffline, "orders.read", "orders.write"), Resources: []string{"urn:the-api", "https://a.test", "https://b.test"},
		Refresh: Refresh{Idle: 30 * 24 * time.Hour, Absolute: 365 * 24 * time.Hour}, Sign: sign, Grants: grants, Tokens: tokens,
	}}
}

func testClients() []oidc.Client {
	secret, uris := oidc.NewSecret("s/ecret"), []string{"https://app.test/cb"}
	lasting := []string{"authorization_code", "refresh_token"}
	return []oidc.Client{
		{ClientID: "spa", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone, IDTokenSignedResponseAlg: "RS256"},
		{ClientID: "web", RedirectURIs: uris, ClientSecret: secret, AccessTokenLifetime: 90 * time.Second, Audience: "urn:its-own-api"},
		{ClientID: "basic", RedirectURIs: uris, ClientSecret: secret, TokenEndpointAuthMethod: oidc.AuthMethodBasic},
		{ClientID: "post", RedirectURIs: uris, ClientSecret: secret, TokenEndpointAuthMethod: oidc.AuthMethodPost},
		{ClientID: "offline", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone, GrantTypes: lasting},
		{
			ClientID: "pairwise", RedirectURIs: uris, ClientSecret: secret, GrantTypes: lasting,
			SubjectType: oidc.SubjectPairwise,
		},
		{ClientID: "second", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone, GrantTypes: lasting},
		{ClientID: "confidential", RedirectURIs: uris, ClientSecret: secret, GrantTypes: lasting},
		{ClientID: "machine", ClientSecret: secret, GrantTypes: []string{"client_credentials"}, Scope: "orders.read orders.write"},
		{ClientID: "machine2", ClientSecret: secret, GrantTypes: []string{"client_credentials"}},
		{ClientID: "public", TokenEndpointAuthMethod: oidc.AuthMethodNone, GrantTypes: []string{"client_credentials"}},
		{ClientID: "codeless", RedirectURIs: uris, ClientSecret: secret, GrantTypes: []string{"client_credentials"}},
	}
}

func goodForm(client, code string) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {"https://app.test/cb"},
		"code_verifier": {codeVerifier},
	}
	if client != "spa" && client != "offline" {
		form.Set("client_secret", "s/ecret")
	}
	return form
}

// change applies the change of a row.
func change(t *testing.T, form url.Values, changes string) url.Values {
	t.Helper()
	for change := range strings.FieldsSeq(changes) {
		name, value, _ := strings.Cut(change, "=")
		value, err := url.QueryUnescape(value)
		if err != nil {
			t.Fatalf("change %q cannot be read: %v", change, err)
		}
		switch name[0] {
		case '-':
			form.Del(name[1:])
		case '+':
			form.Add(name[1:], value)
		default:
			form.Set(name, value)
		}
	}
	return form
}

func post(t *testing.T, form url.Values) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// claimsOf reads the payload of a token that was just signed.
func claimsOf[T any](t *testing.T, token string) T {
	t.Helper()
	var claims T
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// watchRules notes which rules are broken, until the test ends.
func watchRules(t *testing.T) map[int]bool {
	broken, original := map[int]bool{}, slices.Clone(rules)
	for i, rule := range original {
		rules[i].Holds = func(r request, g grant.Grant, now time.Time) bool {
			holds := rule.Holds(r, g, now)
			broken[i] = broken[i] || !holds
			return holds
		}
	}
	t.Cleanup(func() { copy(rules, original) })
	return broken
}
