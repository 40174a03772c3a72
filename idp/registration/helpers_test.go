package registration_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// document is the JSON of a request.
type document map[string]any

// fixture is the endpoint of a provider that everybody can reach.
type fixture struct {
	*registration.Endpoint
	store *storagetest.Spy
}

// sectors is a server with documents for sector_identifier_uri.
var sectors = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	text, ok := map[string]string{
		"/sector": `["https://app.test/cb","https://more.test/cb"]`,
		"/other":  `["https://app.test/another"]`, "/object": `{}`,
	}[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, text)
}))

// fetcher makes the client of the provider, which trusts the server sectors.
var fetcher = sync.OnceValue(func() *fetch.Client {
	directory, private := must(os.MkdirTemp("", "")), true
	defer os.RemoveAll(directory)
	ca := filepath.Join(directory, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sectors.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		panic(err)
	}
	return must(fetch.New(fetch.Config{AllowPrivate: &private, CAFile: ca}))
})

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newFixture() *fixture {
	clock := storagetest.NewClock()
	spy := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	seal, metadata := must(keys.NewSealFor("a test", [][]byte{make([]byte, 32)})), capable()
	return &fixture{store: spy, Endpoint: &registration.Endpoint{
		Issuer: "https://idp.test", Clients: clients.NewRegistered(spy, seal, clock.Now), Fetch: fetcher(),
		Metadata: &metadata, SigningAlg: "RS256", Random: rand.Text, Provided: clients.Provided{
			SigningAlgs: metadata.IDTokenSigningAlgValuesSupported, Scope: metadata.ScopesSupported,
			ACRValues: []string{"1", "0"}, LongestRefresh: time.Hour, PairwiseSalt: strings.Repeat("s", 32),
			Release: claims.Release{Scopes: map[string][]string{"profile": {"name"}}},
		},
		Config: registration.Config{
			Mode: registration.ModeOpen, InitialAccessTokens: []oidc.Secret{oidc.NewSecret("initial")},
		},
	}}
}

// capable is the metadata of a provider that supports everything a client may register.
func capable() oidc.Metadata {
	return oidc.Metadata{
		ClaimsSupported: []string{"name"},
		ScopesSupported: []string{"openid", "profile", "email"}, ResponseTypesSupported: []string{"code"},
		GrantTypesSupported: []string{
			oidc.GrantAuthorizationCode,
			oidc.GrantRefreshToken,
			oidc.GrantClientCredentials,
			oidc.GrantDeviceCode,
		},
		SubjectTypesSupported:                  []string{"public", "pairwise"},
		IDTokenSigningAlgValuesSupported:       []string{"RS256", "ES256"},
		IDTokenEncryptionAlgValuesSupported:    []string{"RSA-OAEP-256", "ECDH-ES"},
		IDTokenEncryptionEncValuesSupported:    []string{"A128CBC-HS256", "A256GCM"},
		UserinfoSigningAlgValuesSupported:      []string{"RS256", "ES256"},
		UserinfoEncryptionAlgValuesSupported:   []string{"RSA-OAEP-256", "ECDH-ES"},
		UserinfoEncryptionEncValuesSupported:   []string{"A128CBC-HS256", "A256GCM"},
		RequestObjectSigningAlgValuesSupported: []string{"none", "RS256"},
		AuthorizationSigningAlgValuesSupported: []string{"RS256"},
		IntrospectionSigningAlgValuesSupported: []string{"RS256"},
		TokenEndpointAuthAlgs:                  []string{"RS256", "HS256"},
		TokenEndpointAuthMethodsSupported: []string{
			oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodNone, oidc.AuthMethodSecretJWT, oidc.AuthMethodPrivateJWT,
		},
	}
}

func good() document { return document{"redirect_uris": []string{"https://app.test/cb"}} }

// with is the document with names and values that replace members; nil removes one.
func (d document) with(change ...any) document {
	changed := maps.Clone(d)
	for i := 0; i < len(change); i += 2 {
		name := change[i].(string)
		if changed[name] = change[i+1]; change[i+1] == nil {
			delete(changed, name)
		}
	}
	return changed
}

func request(t testing.TB, method, body, token string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/register", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func text(t testing.TB, d any) string {
	t.Helper()
	encoded, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// members are those of an answer, as they travel.
func members(t testing.TB, i registration.Information) document {
	t.Helper()
	var m document
	if err := json.Unmarshal([]byte(text(t, i)), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (d *fixture) register(t testing.TB, given document) registration.Information {
	t.Helper()
	i, err := d.Register(request(t, http.MethodPost, text(t, given), ""))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

var publicKey = makeKeys()

// keysOf are the keys of a set, as they travel.
func keysOf(set any) []any {
	encoded, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	var read struct{ Keys []any }
	if err := json.Unmarshal(encoded, &read); err != nil {
		panic(err)
	}
	return read.Keys
}

// makeKeys makes one key for all rows, in three sets.
func makeKeys() (k struct{ public, private, symmetric any }) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	set := func(key any) any {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: "k"}}}
	}
	k.public, k.private, k.symmetric = set(key.Public()), set(key), set([]byte("a symmetric key"))
	return k
}
