package clientauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"maps"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const (
	issuer = "https://login.example.com"
	secret = "a-secret-of-forty-eight-characters-or-even-more-of-them-0123456789"
)

var noon = time.Unix(1767225600, 0)

// The keys of the clients.
var (
	elliptic1 = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	elliptic2 = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	rsa1      = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func registered() []oidc.Client {
	jwks := &oidc.KeySet{JSONWebKeySet: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "e", Key: elliptic1().Public()}, {KeyID: "r", Key: rsa1().Public()}}}}
	return []oidc.Client{
		{ClientID: "private", TokenEndpointAuthMethod: oidc.AuthMethodPrivateJWT, JWKS: jwks},
		{ClientID: "only-ps256", TokenEndpointAuthMethod: oidc.AuthMethodPrivateJWT, JWKS: jwks, TokenEndpointAuthSigningAlg: "PS256"},
		{ClientID: "bank", TokenEndpointAuthMethod: oidc.AuthMethodPrivateJWT, JWKS: jwks, Profile: oidc.ProfileFAPI2},
		{ClientID: "bank-by-secret", TokenEndpointAuthMethod: oidc.AuthMethodBasic, ClientSecret: oidc.NewSecret(secret), Profile: oidc.ProfileFAPI2},
		{ClientID: "shared", TokenEndpointAuthMethod: oidc.AuthMethodSecretJWT, ClientSecret: oidc.NewSecret(secret)},
		{ClientID: "hashed", TokenEndpointAuthMethod: oidc.AuthMethodSecretJWT, ClientSecret: oidc.NewSecret(secret).Hashed()},
		{ClientID: "short", TokenEndpointAuthMethod: oidc.AuthMethodSecretJWT, ClientSecret: oidc.NewSecret("short")},
		{ClientID: "basic", TokenEndpointAuthMethod: oidc.AuthMethodBasic, ClientSecret: oidc.NewSecret(secret)},
		{ClientID: "spa", TokenEndpointAuthMethod: oidc.AuthMethodNone},
	}
}

func newAuthenticator() *clientauth.Authenticator {
	now := func() time.Time { return noon }
	return &clientauth.Authenticator{
		Issuer: issuer, TokenEndpoint: issuer + "/token", Clients: clients.New(registered()), Keys: clients.NewKeys(nil, nil, now),
		Assertions: storage.NewBucket[time.Time]("assertion", storage.NewMemory(now)), Now: now,
	}
}

// asking is a request of a client with an assertion: the good one, and one change.
type asking struct {
	alg    jose.SignatureAlgorithm
	key    any
	kid    string
	typ    string
	header map[jose.HeaderKey]any
	claims map[string]any
	form   url.Values // besides the assertion
	basic  string
	path   string
}

func newAsking(client string) *asking {
	return &asking{
		alg: jose.ES256, key: elliptic1(), kid: "e", path: "/token", form: url.Values{"client_assertion_type": {clientauth.TypeAssertion}},
		claims: map[string]any{
			"iss": client, "sub": client, "aud": issuer, "exp": noon.Unix() + 60, "iat": noon.Unix(), "jti": rand.Text(),
		},
	}
}

func (a *asking) assertion(t testing.TB) string {
	t.Helper()
	options := new(jose.SignerOptions).WithHeader("kid", a.kid)
	for name, value := range a.header {
		options = options.WithHeader(name, value)
	}
	if a.typ != "" {
		options = options.WithType(jose.ContentType(a.typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: a.alg, Key: a.key}, options)
	if err != nil {
		t.Fatal(err)
	}
	return must(jwt.Signed(signer).Claims(a.claims).Serialize())
}

func (a *asking) ask(t testing.TB, by *clientauth.Authenticator) (oidc.Client, error) {
	t.Helper()
	form := maps.Clone(a.form)
	if !form.Has("client_assertion") {
		form.Set("client_assertion", a.assertion(t))
	}
	return send(by, a.path, form, a.basic)
}

func send(by *clientauth.Authenticator, path string, form url.Values, basic string) (oidc.Client, error) {
	r := httptest.NewRequest("POST", issuer+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic != "" {
		r.SetBasicAuth(basic, secret)
	}
	read, err := clientauth.ReadForm(r)
	if err != nil {
		return oidc.Client{}, err
	}
	return by.Authenticate(r, read)
}

func (a *asking) byMAC(alg jose.SignatureAlgorithm) {
	a.alg, a.key = alg, []byte(secret)
}

var assertionRows = []struct {
	name   string
	client string
	change func(*asking)
	want   string // in the error; "": the client is who it says
}{
	{"Core §9 private_key_jwt", "private", func(*asking) {}, ""},
	{"Core §9 private_key_jwt with RS256", "private", func(a *asking) { a.alg, a.key, a.kid = jose.RS256, rsa1(), "r" }, ""},
	{"Core §9 private_key_jwt with PS256", "private", func(a *asking) { a.alg, a.key, a.kid = jose.PS256, rsa1(), "r" }, ""},
	{"Core §9 client_secret_jwt", "shared", func(a *asking) { a.byMAC(jose.HS256) }, ""},
	{"Core §9 client_secret_jwt with HS512", "shared", func(a *asking) { a.byMAC(jose.HS512) }, ""},
	{"Core §9 client_secret_jwt with another secret", "shared", func(a *asking) { a.alg, a.key = jose.HS256, []byte(strings.ToUpper(secret)) }, "not authenticated with the client's secret"},
	{"Core §9 a client for private_key_jwt does not use its secret", "private", func(a *asking) { a.byMAC(jose.HS256) }, "used client_secret_jwt"},
	{"Core §9 a client for client_secret_jwt does not use a key", "shared", func(*asking) {}, "used private_key_jwt"},
	{"Core §9 a client for client_secret_basic sends no assertion", "basic", func(a *asking) { a.byMAC(jose.HS256) }, "used client_secret_jwt"},
	{"RFC 6749 §2.3 a public client sends no assertion", "spa", func(*asking) {}, "used private_key_jwt"},
	{"RFC 7518 §3.2 a MAC has a key as long as its hash", "short", func(a *asking) { a.byMAC(jose.HS256) }, "too short"},
	{"Core §9 of a secret of which only the hash is known no MAC is verified", "hashed", func(a *asking) { a.byMAC(jose.HS256) }, "only its hash"},

	{"RFC 7523 §2.2 client_assertion_type is jwt-bearer", "private", func(a *asking) {
		a.form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
	}, "client_assertion_type is"},
	{"RFC 7521 §4.2 client_assertion_type is there", "private", func(a *asking) { a.form.Del("client_assertion_type") }, "client_assertion_type is"},
	{"RFC 7523 §2.2 client_assertion is one JWT", "private", func(a *asking) { a.form.Set("client_assertion", "two tokens") }, "no signed JWT"},
	{"RFC 7523 §2.2 client_assertion is there", "private", func(a *asking) { a.form.Set("client_assertion", "") }, "no signed JWT"},
	{"RFC 7521 §4.2 client_id, if there, is the client of the assertion", "private", func(a *asking) { a.form.Set("client_id", "private") }, ""},
	{"RFC 7521 §4.2 client_id is not another client", "private", func(a *asking) { a.form.Set("client_id", "bank") }, "not the sub"},
	{"RFC 6749 §2.3 an assertion and a secret in the header", "private", func(a *asking) { a.basic = "private" }, "authenticates twice"},
	{"RFC 6749 §2.3 an assertion and a secret in the body", "private", func(a *asking) { a.form.Set("client_secret", secret) }, "authenticates twice"},

	{"RFC 7523 §3 iss is the client_id", "private", func(a *asking) { a.claims["iss"] = "bank" }, "iss is the client_id"},
	{"RFC 7523 §3 iss is there", "private", func(a *asking) { delete(a.claims, "iss") }, "iss is the client_id"},
	{"RFC 7523 §3 sub is the client_id", "private", func(a *asking) { a.claims["sub"] = "nobody" }, "not registered"},
	{"RFC 7523 §3 sub is there", "private", func(a *asking) { delete(a.claims, "sub") }, "no signed JWT with a sub"},
	{"RFC 7523 §3 sub stands once, by that name", "private", func(a *asking) { delete(a.claims, "sub"); a.claims["SUB"] = "private" }, "no signed JWT with a sub"},
	{"RFC 7523 §3 aud is the provider", "private", func(a *asking) { a.claims["aud"] = "https://other.example.com" }, "aud is this provider"},
	{"RFC 7523 §3 aud is there", "private", func(a *asking) { delete(a.claims, "aud") }, "aud is this provider"},
	{"RFC 7523 §3 aud may be the token endpoint", "private", func(a *asking) { a.claims["aud"] = issuer + "/token" }, ""},
	{"RFC 9126 §2 aud may be the endpoint that is asked", "private", func(a *asking) { a.path, a.claims["aud"] = "/par", issuer+"/par" }, ""},
	{"RFC 9126 §2 aud may be the token endpoint wherever it is sent", "private", func(a *asking) { a.path, a.claims["aud"] = "/par", issuer+"/token" }, ""},
	{"RFC 7523 §3 aud may name several", "private", func(a *asking) { a.claims["aud"] = []string{"https://other.example.com", issuer} }, ""},
	{"RFC 7523 §3 aud compares whole strings", "private", func(a *asking) { a.claims["aud"] = issuer + "/" }, "aud is this provider"},
	{"RFC 7523 §3 aud is a string", "private", func(a *asking) { a.claims["aud"] = 7 }, "no signed JWT"},
	{"RFC 7523 §3 exp is there", "private", func(a *asking) { delete(a.claims, "exp") }, "has an exp"},
	{"RFC 7523 §3 exp is not passed", "private", func(a *asking) { a.claims["exp"] = noon.Unix() - 31 }, "exp is not passed"},
	{"RFC 7523 §3 exp that is unreasonably far in the future", "private", func(a *asking) { a.claims["exp"] = noon.Unix() + 7200 }, "more than an hour"},
	{"RFC 7523 §3 nbf is not in the future", "private", func(a *asking) { a.claims["nbf"] = noon.Unix() + 61 }, "nbf is not"},
	{"RFC 7523 §3 nbf is kept", "private", func(a *asking) { a.claims["nbf"] = noon.Unix() - 10 }, ""},
	{"RFC 7523 §3 iat that is unreasonably far in the past", "private", func(a *asking) { a.claims["iat"] = noon.Unix() - 7200 }, "iat is not"},
	{"FAPI 2.0 §5.3.2.1 iat 10 seconds in the future is accepted", "bank", func(a *asking) { a.claims["iat"] = noon.Unix() + 10 }, ""},
	{"FAPI 2.0 §5.3.2.1 nbf 10 seconds in the future is accepted", "bank", func(a *asking) { a.claims["nbf"] = noon.Unix() + 10 }, ""},
	{"FAPI 2.0 §5.3.2.1 iat more than 60 seconds in the future is rejected", "bank", func(a *asking) { a.claims["iat"] = noon.Unix() + 61 }, "iat is not"},
	{"Core §9 iat is optional", "private", func(a *asking) { delete(a.claims, "iat") }, ""},
	{"Core §9 jti is there", "private", func(a *asking) { delete(a.claims, "jti") }, "has a jti"},
	{"Core §9 jti is not without end", "private", func(a *asking) { a.claims["jti"] = strings.Repeat("x", 256) }, "has a jti"},

	{"RFC 7523 §3 the JWT is signed", "private", func(a *asking) { a.form.Set("client_assertion", unsigned(a)) }, "no signed JWT"},
	{"RFC 7523 §3 the signature is the client's", "private", func(a *asking) { a.key = elliptic2() }, "its signature"},
	{"RFC 7515 §4.1.4 kid names a key of the client", "private", func(a *asking) { a.kid = "unknown" }, "kid"},
	{"Registration §2 token_endpoint_auth_signing_alg", "only-ps256", func(*asking) {}, "alg is"},
	{"Registration §2 token_endpoint_auth_signing_alg as registered", "only-ps256", func(a *asking) { a.alg, a.key, a.kid = jose.PS256, rsa1(), "r" }, ""},
	{"RFC 8725 §3.11 typ client-authentication+jwt", "private", func(a *asking) { a.typ = "client-authentication+jwt" }, ""},
	{"RFC 8725 §3.11 a request object is no assertion", "private", func(a *asking) { a.typ = "oauth-authz-req+jwt" }, "typ is absent"},
	{"RFC 8725 §3.11 a DPoP proof is no assertion", "private", func(a *asking) { a.typ = "dpop+jwt" }, "typ is absent"},

	{"RFC 8725 §3.10 a key that the assertion itself brings proves nothing", "private", func(a *asking) {
		a.key, a.header = elliptic2(), map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: elliptic2().Public(), KeyID: "e"}}
	}, "its signature"},
	{"RFC 8725 §3.10 nor does one at an address that it names", "private", func(a *asking) {
		a.key, a.header = elliptic2(), map[jose.HeaderKey]any{"jku": "https://evil.example.com/jwks"}
	}, "its signature"},
	{"RFC 8725 §2.1 a MAC with the client's public key is no signature", "private", func(a *asking) {
		a.alg, a.key = jose.HS256, must(x509.MarshalPKIXPublicKey(elliptic1().Public()))
	}, "used client_secret_jwt"},
	{"RFC 7515 §4.1.11 crit that is not understood", "private", func(a *asking) { a.header = map[jose.HeaderKey]any{"crit": []string{"x"}, "x": 1} }, "its signature"},
	{"RFC 7523 §3 the issuer of another provider behind ours", "private", func(a *asking) { a.claims["aud"] = issuer + ".evil.example.com" }, "aud is this provider"},
	{"RFC 7523 §3 aud may not be empty", "private", func(a *asking) { a.claims["aud"] = []string{} }, "aud is this provider"},
	{"RFC 7523 §3 an endpoint that is not asked is no audience", "private", func(a *asking) { a.claims["aud"] = issuer + "/revoke" }, "aud is this provider"},
	{"RFC 7523 §3 exp is a number", "private", func(a *asking) { a.claims["exp"] = "soon" }, "no signed JWT"},
	{"RFC 7523 §5 RS256 is understood", "private", func(a *asking) { a.alg, a.key, a.kid = jose.RS256, rsa1(), "r" }, ""},
	{"RFC 7523 §3 exp is forgiven half a minute", "private", func(a *asking) { a.claims["exp"] = noon.Unix() - 29 }, ""},
	{"FAPI 2.0 §5.3.2.1 nbf more than 60 seconds in the future is rejected", "bank", func(a *asking) { a.claims["nbf"] = noon.Unix() + 61 }, "nbf is not"},
	{"FAPI 2.0 §5.3.2.1 aud is not the endpoint that is asked", "bank", func(a *asking) { a.path, a.claims["aud"] = "/par", issuer+"/par" }, "aud is this provider"},
	{"FAPI 2.0 §5.3.2.1 private_key_jwt", "bank", func(*asking) {}, ""},
	{"FAPI 2.0 §5.3.2.1 aud is the issuer, no other endpoint", "bank", func(a *asking) { a.claims["aud"] = issuer + "/token" }, "aud is this provider"},
	{"FAPI 2.0 §5.3.2.1 aud is one string", "bank", func(a *asking) { a.claims["aud"] = []string{issuer} }, "one string"},
	{"FAPI 2.0 §5.4.1 RS256 is not used", "bank", func(a *asking) { a.alg, a.key, a.kid = jose.RS256, rsa1(), "r" }, "alg is"},
	{"FAPI 2.0 §5.4.1 PS256 is used", "bank", func(a *asking) { a.alg, a.key, a.kid = jose.PS256, rsa1(), "r" }, ""},
}

func unsigned(a *asking) string {
	return "eyJhbGciOiJub25lIn0." + strings.Split(must(jwt.Signed(must(jose.NewSigner(jose.SigningKey{Algorithm: a.alg, Key: a.key}, nil))).Claims(a.claims).Serialize()), ".")[1] + "."
}

func TestAssertions(t *testing.T) {
	for _, row := range assertionRows {
		t.Run(row.name, func(t *testing.T) {
			a := newAsking(row.client)
			row.change(a)
			client, err := a.ask(t, newAuthenticator())
			switch {
			case row.want == "" && (err != nil || client.ClientID != row.client):
				t.Errorf("got %q, %v", client.ClientID, err)
			case row.want != "":
				wantRefused(t, err, row.want)
			}
		})
	}
}

func wantRefused(t *testing.T, err error, text string) {
	t.Helper()
	e := endpoint.Errors{}.Explain(err)
	if err == nil || e.Code != oidc.InvalidClient || e.Reason == "" || !strings.Contains(e.Description, text) {
		t.Errorf("got %v (%s); want invalid_client with %q", err, e.Reason, text)
	}
}

// Each rule is broken by some row.
func TestEveryRuleIsBroken(t *testing.T) {
	for _, text := range clientauth.RuleTexts() {
		found := false
		for _, row := range assertionRows {
			found = found || row.want != "" && strings.Contains(text, row.want)
		}
		if !found && text != "client_assertion's sub is the client_id" { // the client is looked up by sub
			t.Errorf("no row breaks %q", text)
		}
	}
}

func TestAnAssertionIsUsedOnce(t *testing.T) { // Core §9, RFC 7523 §3
	by := newAuthenticator()
	a := newAsking("private")
	if _, err := a.ask(t, by); err != nil {
		t.Fatal(err)
	}
	_, err := a.ask(t, by)
	wantRefused(t, err, "used before")
	replica := newAuthenticator()
	replica.Assertions = by.Assertions
	_, err = a.ask(t, replica)
	wantRefused(t, err, "used before")
	a.path = "/par"
	_, err = a.ask(t, by) // RFC 7523 §3: at another endpoint it is the same assertion
	wantRefused(t, err, "used before")
	other := newAsking("bank")
	other.claims["jti"] = a.claims["jti"]
	if _, err := other.ask(t, by); err != nil {
		t.Errorf("the jti of one client is not that of another: %v", err)
	}
}

// To the last moment at which an assertion is good, the forgiven ones among them, it is remembered.
func TestAUsedAssertionIsRememberedAsLongAsItIsGood(t *testing.T) { // RFC 7523 §3
	clock := storagetest.NewClock()
	by := newAuthenticator()
	by.Now, by.Assertions = clock.Now, storage.NewBucket[time.Time]("assertion", storage.NewMemory(clock.Now))
	a := newAsking("private")
	a.claims["iat"], a.claims["exp"] = clock.Now().Unix(), clock.Now().Unix()+60
	if _, err := a.ask(t, by); err != nil {
		t.Fatal(err)
	}
	for range 89 {
		clock.Pass(time.Second)
		_, err := a.ask(t, by)
		wantRefused(t, err, "used before")
	}
	clock.Pass(time.Second)
	_, err := a.ask(t, by)
	wantRefused(t, err, "exp is not passed")
}

func TestOfManyWithOneAssertionOneIsServed(t *testing.T) {
	by, a := newAuthenticator(), newAsking("private")
	form := maps.Clone(a.form)
	form.Set("client_assertion", a.assertion(t))
	served := make(chan bool)
	for range 20 {
		go func() {
			_, err := send(by, "/token", form, "")
			served <- err == nil
		}()
	}
	count := 0
	for range 20 {
		if <-served {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d were served", count)
	}
}

func TestFAPI2DemandsPrivateKeyJWT(t *testing.T) { // FAPI 2.0 §5.3.2.1
	_, err := send(newAuthenticator(), "/token", url.Values{"grant_type": {"authorization_code"}}, "bank-by-secret")
	wantRefused(t, err, "demands private_key_jwt")
}

func TestAClientThatForgotItsAssertionHearsSo(t *testing.T) {
	_, err := send(newAuthenticator(), "/token", url.Values{"client_id": {"private"}}, "")
	wantRefused(t, err, "client_assertion")
}

// A store that fails is no fault of the client.
func TestAStoreThatFailsIsNotTheClientsFault(t *testing.T) {
	by := newAuthenticator()
	by.Assertions = storage.NewBucket[time.Time]("assertion", gone{})
	if _, err := newAsking("private").ask(t, by); oidc.AsError(err).Code != oidc.ServerError {
		t.Errorf("got %v", err)
	}
}

type gone struct{ storage.Store }

func (gone) Update(context.Context, string, time.Duration, func([]byte) ([]byte, error)) error {
	return storage.ErrUnavailable
}

// No bytes make the reader of assertions fail, and none passes.
func FuzzAssertion(f *testing.F) {
	by := newAuthenticator()
	f.Add(newAsking("private").assertion(f)[:40])
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(strings.Repeat("a", 10) + ".." + strings.Repeat("b", 10))
	a := newAsking("private")
	a.claims["exp"], a.claims["iss"] = 1e300, "x"
	f.Add(a.assertion(f))
	f.Fuzz(func(t *testing.T, assertion string) {
		client, err := send(by, "/token", url.Values{"client_assertion_type": {clientauth.TypeAssertion}, "client_assertion": {assertion}}, "")
		if err == nil && client.ClientID == "" {
			t.Error("nobody is authenticated")
		}
		if err != nil && oidc.AsError(err).Code == oidc.ServerError {
			t.Errorf("got %v", err)
		}
	})
}
