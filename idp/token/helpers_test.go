package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
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

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const (
	testIssuer   = "http://idp.test"
	codeVerifier = "a-code-verifier-of-exactly-43-characters-ok"
)

var codeChallenge = oauth2.S256ChallengeFromVerifier(codeVerifier)

type testEndpoint struct {
	*Endpoint
	access *access.Tokens
	grants *grant.Grants
	issuer *Issuer
	clock  *storagetest.Clock
	store  *storagetest.Spy
	key    *ecdsa.PrivateKey // whose proof the requests carry; nil: they carry none
}

var testKeys = sync.OnceValues(func() (*keys.KeySet, error) {
	return keys.New([]keys.Spec{{Alg: "ES256"}}, time.Now)
})

func newEndpoint(t testing.TB) *testEndpoint {
	t.Helper()
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	clock := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	grants := newGrants(store, clock.Now)
	sign := keys.SignerFunc(func(ctx context.Context, _, typ string, claims any) (string, error) {
		return set.Sign(ctx, "ES256", typ, claims)
	})
	tokens := &access.Tokens{
		Issuer: testIssuer, Signer: sign, Keys: set, Grants: grants,
		Users:   directory(t, "alice"),
		Records: storage.NewBucket[access.Token]("access", store), Now: clock.Now, Random: rand.Text,
	}
	issuer := &Issuer{
		Issuer: testIssuer, Audience: "urn:the-api", Access: tokens, Signer: sign, Users: directory(t, "alice"),
		Keys: clients.NewKeys(nil, clock.Now), Now: clock.Now, Random: rand.Text,
	}
	e := &testEndpoint{clock: clock, store: store, access: tokens, issuer: issuer}
	e.useGrants(grants)
	return e
}

func newGrants(store storage.Store, now func() time.Time) *grant.Grants {
	return grant.New(grant.Config{}, grant.CodeLifetime, store, [][]byte{[]byte("a secret of the tests")}, now, rand.Text)
}

// useGrants builds the endpoint on these grants.
func (e *testEndpoint) useGrants(grants *grant.Grants) {
	refresh := Refresh{Idle: 30 * 24 * time.Hour, Absolute: 365 * 24 * time.Hour}
	e.grants = grants
	e.Endpoint = &Endpoint{
		Issuer: testIssuer, Auth: &clientauth.Authenticator{Clients: clients.New(testClients())},
		Proofs: &dpop.Checker{
			Issuer: testIssuer, Used: storage.NewBucket[time.Time]("dpop", e.store), Now: e.clock.Now,
		},
		Grants: GrantTypes{
			oidc.GrantAuthorizationCode: &AuthorizationCode{Grants: grants, Issuer: e.issuer, Refresh: refresh},
			oidc.GrantRefreshToken:      &RefreshToken{Grants: grants, Issuer: e.issuer, Refresh: refresh},
			oidc.GrantClientCredentials: &ClientCredentials{
				Issuer: e.issuer, Scopes: append(oidc.StandardScope(), oidc.ScopeOffline, "orders.read", "orders.write"),
				Resources: []string{"urn:the-api", "https://a.test", "https://b.test"},
			},
			oidc.GrantDeviceCode: &DeviceCode{Grants: grants, Issuer: e.issuer, Refresh: refresh},
		},
	}
}

// Exchange adds the DPoP proof that the test asked for, and hands the request to the endpoint.
func (e *testEndpoint) Exchange(r *http.Request) (Response, error) {
	if e.key != nil {
		r.Header.Set(dpop.Header, proofOf(e.key, e.clock.Now()))
	}
	return e.Endpoint.Exchange(r)
}

// boundKey is the key that codes and tokens are bound to; anotherKey is not.
var boundKey, anotherKey = newKey(), newKey()

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// thumbprint returns the thumbprint of the public key (RFC 7638), as jkt has it.
func thumbprint(key *ecdsa.PrivateKey) string {
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// proofOf returns a DPoP proof of the key for the token endpoint.
func proofOf(key *ecdsa.PrivateKey, now time.Time) string {
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType(dpop.Type)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		panic(err)
	}
	proof, err := jwt.Signed(signer).Claims(map[string]any{
		"jti": rand.Text(), "htm": http.MethodPost, "htu": testIssuer + "/token", "iat": now.Unix(),
	}).Serialize()
	if err != nil {
		panic(err)
	}
	return proof
}

func directory(t testing.TB, names ...string) *users.Directory {
	t.Helper()
	var all []users.User
	for _, name := range names {
		all = append(all, users.User{
			Username: name, Password: "x", Claims: map[string]any{"email": name + "@example.com", "iss": "https://evil.test"},
		})
	}
	made, err := users.New(all)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func testClients() []oidc.Client {
	secret, uris := oidc.NewSecret("s/ecret"), []string{"https://app.test/cb"}
	lasting := []string{"authorization_code", "refresh_token"}
	return []oidc.Client{
		{
			ClientID: "spa", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone,
			IDTokenSignedResponseAlg: "RS256",
		},
		{
			ClientID: "web", RedirectURIs: uris, ClientSecret: secret, AccessTokenLifetime: 90 * time.Second,
			Audience: "urn:its-own-api",
		},
		{ClientID: "basic", RedirectURIs: uris, ClientSecret: secret, TokenEndpointAuthMethod: oidc.AuthMethodBasic},
		{ClientID: "post", RedirectURIs: uris, ClientSecret: secret, TokenEndpointAuthMethod: oidc.AuthMethodPost},
		{ClientID: "offline", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone, GrantTypes: lasting},
		{
			ClientID: "pairwise", RedirectURIs: uris, ClientSecret: secret, GrantTypes: lasting,
			SubjectType: oidc.SubjectPairwise,
		},
		{ClientID: "second", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone, GrantTypes: lasting},
		{ClientID: "confidential", RedirectURIs: uris, ClientSecret: secret, GrantTypes: lasting},
		{
			ClientID: "machine", ClientSecret: secret, GrantTypes: []string{"client_credentials"},
			Scope: "orders.read orders.write",
		},
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

// eachIsBroken fails at the end of the test if a rule of the table was never broken.
func eachIsBroken[S any](t *testing.T, table oidc.Table[S]) {
	broken, original := map[int]bool{}, slices.Clone(table)
	for i, rule := range original {
		table[i].Holds = func(subject S) bool {
			holds := rule.Holds(subject)
			broken[i] = broken[i] || !holds
			return holds
		}
	}
	t.Cleanup(func() {
		copy(table, original)
		for i, rule := range table {
			if !broken[i] {
				t.Errorf("no row breaks the rule %q (%s)", rule.Text, rule.Spec)
			}
		}
	})
}
