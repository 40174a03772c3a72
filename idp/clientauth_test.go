package idp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// keyed is a client with a key of its own, whose public half is at its jwks_uri.
type keyed struct {
	kid     string
	private crypto.Signer
	alg     jose.SignatureAlgorithm
	set     atomic.Pointer[jose.JSONWebKeySet]
	site    *httptest.Server
}

func newKeyed(t *testing.T) *keyed {
	t.Helper()
	k := &keyed{alg: jose.ES256}
	k.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(k.set.Load())
	}))
	t.Cleanup(k.site.Close)
	k.rotate(t, "1")
	return k
}

func (k *keyed) rotate(t *testing.T, kid string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k.kid, k.private = kid, private
	k.set.Store(&jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: kid, Key: private.Public(), Use: "sig"}}})
}

func (k *keyed) assertion(t *testing.T, p *idptest.Provider) string {
	t.Helper()
	return k.assertionBy(t, p, "")
}

// assertionBy is one by the client's key, or without one by its secret.
func (k *keyed) assertionBy(t *testing.T, p *idptest.Provider, secret string) string {
	t.Helper()
	key := any([]byte(secret))
	if k.private != nil {
		key = jose.JSONWebKey{Key: k.private, KeyID: k.kid}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := p.Clock.Now().Unix()
	text, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": "web", "sub": "web", "aud": p.Issuer, "exp": now + 60, "iat": now, "jti": rand.Text(),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// byAssertion makes the client web one that authenticates by an assertion.
func byAssertion(change func(*oidc.Client)) func(*idp.Config) {
	return func(c *idp.Config) {
		*c = c.WithDefaults()
		web := &c.Clients[1]
		web.TokenEndpointAuthMethod, web.ClientSecret = oidc.AuthMethodPrivateJWT, oidc.Secret{}
		change(web)
	}
}

func redeemBy(t *testing.T, p *idptest.Provider, b *idptest.Browser, assertion string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(p, get(t, "POST", "/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {
			b.Code(idptest.Request("web")),
		}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("web").Get("redirect_uri")}, "client_assertion_type": {
			clientauth.TypeAssertion,
		}, "client_assertion": {assertion},
	}))
}

func TestPrivateKeyJWTByJWKSURI(t *testing.T) { // Core §9, §10.1.1
	k := newKeyed(t)
	p := idptest.Start(t, byAssertion(func(c *oidc.Client) { c.JWKSURI = k.site.URL }))
	b := p.Browser(t)
	b.SignIn("alice")
	first := k.assertion(t, p)
	if w := redeemBy(t, p, b, first); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	wantRefusal(
		t, redeemBy(t, p, b, first), http.StatusUnauthorized, "invalid_client",
	) // its jti was used; RFC 7523 §3.2 has the code
	k.rotate(t, "2")
	if w := redeemBy(t, p, b, k.assertion(t, p)); w.Code != http.StatusOK {
		t.Errorf("after the client changed its key: %s", w.Body)
	}
}

// No client makes the provider ask this machine, unless the configuration allows it.
func TestAJWKSURIOnThisMachineIsNotAsked(t *testing.T) {
	k := newKeyed(t)
	no := false
	p := idptest.Start(t, func(c *idp.Config) {
		byAssertion(func(client *oidc.Client) { client.JWKSURI = strings.Replace(k.site.URL, "http:", "https:", 1) })(c)
		c.Fetch.AllowPrivate = &no
	})
	b := p.Browser(t)
	b.SignIn("alice")
	w := redeemBy(t, p, b, k.assertion(t, p))
	wantRefusal(t, w, http.StatusUnauthorized, "invalid_client")
	if strings.Contains(w.Body.String(), strings.TrimPrefix(k.site.URL, "http://")) ||
		!strings.Contains(w.Body.String(), "public address") {
		t.Errorf("the answer maps the network: %s", w.Body)
	}
}

// Each listed method and alg of an assertion works (Discovery §3).
func TestEveryListedAlgOfAssertionsWorks(t *testing.T) {
	secret := strings.Repeat("s", 64)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	big, curve := rsaKey(t), newKeyed(t).private
	for _, alg := range metadata(t, idptest.Start(t, nil)).TokenEndpointAuthAlgs {
		k := newKeyed(t)
		k.alg, k.kid, k.private = jose.SignatureAlgorithm(alg), "k", map[string]crypto.Signer{
			"RS256": big, "PS256": big, "ES256": curve, "EdDSA": edwards,
		}[alg]
		p := idptest.Start(t, byAssertion(func(c *oidc.Client) {
			if k.private == nil {
				c.TokenEndpointAuthMethod, c.ClientSecret = oidc.AuthMethodSecretJWT, oidc.NewSecret(secret)
				return
			}
			k.set.Store(&jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "k", Key: k.private.Public()}}})
			c.JWKSURI = k.site.URL
		}))
		b := p.Browser(t)
		b.SignIn("alice")
		if w := redeemBy(t, p, b, k.assertionBy(t, p, secret)); w.Code != http.StatusOK {
			t.Errorf("%s: %s", alg, w.Body)
		}
	}
}

// Where no plain secret is needed none is in memory.
func TestOtherSecretsAreKeptAsTheirHash(t *testing.T) {
	c := idp.Config{}.WithDefaults()
	for _, client := range c.Clients {
		if client.ClientSecret.Plain() != "" {
			t.Errorf("the secret of %s", client.ClientID)
		}
	}
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
