package clientauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
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
	jwks := &oidc.KeySet{
		JSONWebKeySet: jose.JSONWebKeySet{
			Keys: []jose.JSONWebKey{{KeyID: "e", Key: elliptic1().Public()}, {KeyID: "r", Key: rsa1().Public()}},
		},
	}
	return []oidc.Client{
		{ClientID: "private", TokenEndpointAuthMethod: oidc.AuthMethodPrivateJWT, JWKS: jwks},
		{
			ClientID: "only-ps256", TokenEndpointAuthMethod: oidc.AuthMethodPrivateJWT, JWKS: jwks,
			TokenEndpointAuthSigningAlg: "PS256",
		},
		{ClientID: "bank", TokenEndpointAuthMethod: oidc.AuthMethodPrivateJWT, JWKS: jwks, Profile: oidc.ProfileFAPI2},
		{
			ClientID: "bank-by-secret", TokenEndpointAuthMethod: oidc.AuthMethodBasic, ClientSecret: oidc.NewSecret(secret),
			Profile: oidc.ProfileFAPI2,
		},
		{ClientID: "shared", TokenEndpointAuthMethod: oidc.AuthMethodSecretJWT, ClientSecret: oidc.NewSecret(secret)},
		{
			ClientID: "hashed", TokenEndpointAuthMethod: oidc.AuthMethodSecretJWT, ClientSecret: oidc.NewSecret(secret).Hashed(),
		},
		{ClientID: "short", TokenEndpointAuthMethod: oidc.AuthMethodSecretJWT, ClientSecret: oidc.NewSecret("short")},
		{ClientID: "basic", TokenEndpointAuthMethod: oidc.AuthMethodBasic, ClientSecret: oidc.NewSecret(secret)},
		{ClientID: "spa", TokenEndpointAuthMethod: oidc.AuthMethodNone},
	}
}

func newAuthenticator() *clientauth.Authenticator {
	now := func() time.Time { return noon }
	return &clientauth.Authenticator{
		Issuer: issuer, TokenEndpoint: issuer + "/token", Clients: clients.New(registered()),
		Keys:       clients.NewKeys(nil, now),
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
		alg: jose.ES256, key: elliptic1(), kid: "e", path: "/token",
		form: url.Values{"client_assertion_type": {clientauth.TypeAssertion}},
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

func (a *asking) ask(t testing.TB, by *clientauth.Authenticator) (*oidc.Client, error) {
	t.Helper()
	form := maps.Clone(a.form)
	if !form.Has("client_assertion") {
		form.Set("client_assertion", a.assertion(t))
	}
	return send(by, a.path, form, a.basic)
}

func send(by *clientauth.Authenticator, path string, form url.Values, basic string) (*oidc.Client, error) {
	r := httptest.NewRequest("POST", issuer+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic != "" {
		r.SetBasicAuth(basic, secret)
	}
	read, err := clientauth.ReadForm(r)
	if err != nil {
		return nil, err
	}
	return by.Authenticate(r, read)
}

func (a *asking) byMAC(alg jose.SignatureAlgorithm) {
	a.alg, a.key = alg, []byte(secret)
}

func unsigned(a *asking) string {
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: a.alg, Key: a.key}, nil))
	return "eyJhbGciOiJub25lIn0." + strings.Split(must(jwt.Signed(signer).Claims(a.claims).Serialize()), ".")[1] + "."
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
	e := endpoint.Errors{}.Explain(t.Context(), err)
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

// A used assertion is stored as long as it could be accepted, tolerance for clocks included.
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
		client, err := send(
			by,
			"/token",
			url.Values{"client_assertion_type": {clientauth.TypeAssertion}, "client_assertion": {assertion}},
			"",
		)
		if err == nil && client.ClientID == "" {
			t.Error("nobody is authenticated")
		}
		if err != nil && oidc.AsError(err).Code == oidc.ServerError {
			t.Errorf("got %v", err)
		}
	})
}
