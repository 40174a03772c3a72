package registration_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// document is the JSON of a request.
type document map[string]any

// fixture is the endpoint of a provider that everybody can reach, with documents for it to fetch.
type fixture struct {
	*registration.Endpoint
	store     *storagetest.Spy
	documents map[string]string
}

func (d *fixture) Get(_ context.Context, url string) ([]byte, error) {
	text, ok := d.documents[url]
	if url == "https://app.test/inside" {
		return nil, errors.New("dial tcp 10.0.0.1:443: connect: connection refused")
	}
	if !ok {
		return nil, &fetch.Error{URL: url, Text: "its server answers with status 404, expected 200"}
	}
	return []byte(text), nil
}

type plain struct{}

func (plain) Close(text []byte, _ string) []byte         { return text }
func (plain) Open(text []byte, _ string) ([]byte, error) { return text, nil }

func newFixture() *fixture {
	clock := storagetest.NewClock()
	spy := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	d := &fixture{store: spy, documents: map[string]string{}}
	d.Endpoint = &registration.Endpoint{
		Issuer: "https://idp.test", Clients: clients.NewRegistered(spy, plain{}, clock.Now), Fetch: d,
		Metadata: capable, SigningAlg: "RS256", Random: rand.Text,
		Config: registration.Config{
			Mode: registration.ModeOpen, InitialAccessTokens: []oidc.Secret{oidc.NewSecret("initial")},
		},
	}
	return d
}

// capable is the metadata of a provider that can everything a client may register.
func capable() oidc.Metadata {
	return oidc.Metadata{
		ScopesSupported: []string{"openid", "profile", "email"}, ResponseTypesSupported: []string{"code"},
		GrantTypesSupported: []string{
			oidc.GrantAuthorizationCode,
			oidc.GrantRefreshToken,
			oidc.GrantClientCredentials,
			oidc.GrantDeviceCode,
		},
		SubjectTypesSupported:                      []string{"public", "pairwise"},
		IDTokenSigningAlgValuesSupported:           []string{"RS256", "ES256"},
		IDTokenEncryptionAlgValuesSupported:        []string{"RSA-OAEP-256", "ECDH-ES"},
		IDTokenEncryptionEncValuesSupported:        []string{"A128CBC-HS256", "A256GCM"},
		UserinfoSigningAlgValuesSupported:          []string{"RS256", "ES256"},
		UserinfoEncryptionAlgValuesSupported:       []string{"RSA-OAEP-256", "ECDH-ES"},
		UserinfoEncryptionEncValuesSupported:       []string{"A128CBC-HS256", "A256GCM"},
		RequestObjectSigningAlgValuesSupported:     []string{"none", "RS256"},
		AuthorizationSigningAlgValuesSupported:     []string{"RS256"},
		IntrospectionSigningAlgValuesSupported:     []string{"RS256"},
		TokenEndpointAuthSigningAlgValuesSupported: []string{"RS256", "HS256"},
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
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	set := func(key any) any {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: "k"}}}
	}
	k.public, k.private, k.symmetric = set(key.Public()), set(key), set([]byte("a symmetric key"))
	return k
}
