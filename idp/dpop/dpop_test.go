package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const (
	target = "https://login.example.com/token"
	token  = "an-access-token"
)

var (
	key1 = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	key2 = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func thumbprint(key any) string {
	k := jose.JSONWebKey{Key: key}
	return base64.RawURLEncoding.EncodeToString(must(k.Thumbprint(crypto.SHA256)))
}

type fixture struct {
	*Checker
	clock *storagetest.Clock
}

func newFixture() fixture {
	clock := storagetest.NewClock()
	nonces := must(NewNonces([][]byte{[]byte("the cookie key of the provider..")}, clock.Now))
	return fixture{clock: clock, Checker: &Checker{
		Issuer: "https://login.example.com", Nonces: nonces, Now: clock.Now,
		Used: storage.NewBucket[time.Time]("dpop", storage.NewMemory(clock.Now)),
	}}
}

// attempt is a good proof for a request to the token endpoint, and one change.
type attempt struct {
	f      fixture
	alg    jose.SignatureAlgorithm
	key    crypto.Signer
	typ    string
	jwk    any // in the header; nil: the key's public half
	claims map[string]any
	raw    string // instead

	client    oidc.Client
	withToken bool // an access token that is bound to key1 comes with the proof
}

func newAttempt(f fixture) *attempt {
	return &attempt{
		f: f, alg: jose.ES256, key: key1(), typ: Type,
		claims: map[string]any{"jti": rand.Text(), "htm": "POST", "htu": target, "iat": f.clock.Now().Unix()},
	}
}

func (a *attempt) make(t testing.TB) string {
	t.Helper()
	if a.raw != "" {
		return a.raw
	}
	jwk := a.jwk
	if jwk == nil {
		jwk = jose.JSONWebKey{Key: a.key.Public()}
	}
	options := new(jose.SignerOptions).WithHeader("jwk", jwk)
	if a.typ != "" {
		options = options.WithType(jose.ContentType(a.typ))
	}
	return must(
		jwt.Signed(must(jose.NewSigner(jose.SigningKey{Algorithm: a.alg, Key: a.key}, options))).Claims(a.claims).Serialize(),
	)
}

func (a *attempt) check(t testing.TB) (jkt string, err error) {
	t.Helper()
	r := requestWith(t, a.make(t))
	if a.withToken {
		return thumbprint(a.key.Public()), a.f.CheckToken(r, &a.client, token, thumbprint(key1().Public()))
	}
	return a.f.Proof(r, &a.client)
}

// requestWith is a request to the token endpoint with these DPoP headers.
func requestWith(t testing.TB, proofs ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token", nil)
	r.Header["Dpop"] = proofs
	return r
}

func (a *attempt) addToken() { a.withToken, a.claims["ath"] = true, hash(token) }

func (a *attempt) useFAPI2(alg jose.SignatureAlgorithm, key crypto.Signer) {
	a.alg, a.key, a.client.Profile, a.claims["nonce"] = alg, key, oidc.ProfileFAPI2, a.f.Nonces.Current()
}

// headed is a proof whose protected header is what a test writes.
func headed(header map[string]any) string {
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(header))) + ".e30.AAAA"
}

func TestProofs(t *testing.T) {
	for _, row := range proofRows {
		t.Run(row.name, func(t *testing.T) {
			a := newAttempt(newFixture())
			row.change(a)
			jkt, err := a.check(t)
			switch {
			case row.want == "" && (err != nil || jkt != thumbprint(a.key.Public())):
				t.Errorf("got %q, %v", jkt, err)
			case row.want != "":
				wantRefused(t, err, row.want)
			}
		})
	}
}

func wantRefused(t *testing.T, err error, text string) {
	t.Helper()
	e := oidc.AsError(err)
	wanted := oidc.InvalidDPoPProof
	if strings.Contains(text, "has a nonce") || strings.Contains(text, "a moment ago") {
		wanted = oidc.UseDPoPNonce
	}
	if err == nil || e.Code != wanted || !strings.Contains(e.Description, text) {
		t.Errorf("got %v; want %s with %q", err, wanted, text)
	}
}

func TestEveryRuleIsBroken(t *testing.T) {
	for _, rule := range rules {
		found := false
		for _, row := range proofRows {
			found = found || row.want != "" && strings.Contains(rule.Text, row.want)
		}
		if !found {
			t.Errorf("no row breaks %q", rule.Text)
		}
	}
}

func TestAProofIsUsedOnce(t *testing.T) { // RFC 9449 §11.1
	f := newFixture()
	a := newAttempt(f)
	a.claims["nonce"] = f.Nonces.Current()
	if _, err := a.check(t); err != nil {
		t.Fatal(err)
	}
	for _, pass := range []time.Duration{0, 30 * time.Second, 29 * time.Second} { // as long as the proof itself is good
		f.clock.Pass(pass)
		_, err := a.check(t)
		wantRefused(t, err, "used before")
	}
	again, replica := newAttempt(f), newFixture()
	if _, err := again.check(t); err != nil {
		t.Fatal(err)
	}
	replica.clock, replica.Now, replica.Used, again.f = f.clock, f.Now, f.Used, replica
	_, err := again.check(t)
	wantRefused(t, err, "used before")
	other := newAttempt(f)
	other.key, other.claims["jti"] = key2(), a.claims["jti"]
	if _, err := other.check(t); err != nil {
		t.Errorf("the jti of one client is not that of another: %v", err)
	}
}

// A nonce makes a proof good for longer than its iat does. The used proof is stored for so long.
func TestAProofWithANonceIsUsedOnce(t *testing.T) { // RFC 9449 §11.1
	f := newFixture()
	a := newAttempt(f)
	nonce := f.Nonces.Current()
	a.claims["nonce"] = nonce
	if _, err := a.check(t); err != nil {
		t.Fatal(err)
	}
	for f.clock.Pass(5 * time.Second); f.Nonces.Accepts(nonce); f.clock.Pass(5 * time.Second) {
		_, err := a.check(t)
		wantRefused(t, err, "used before")
	}
	_, err := a.check(t)
	wantRefused(t, err, "a moment ago")
}

// RFC 9449 §8.1: nonce = 1*NQCHAR.
func TestTheSyntaxOfANonce(t *testing.T) {
	if nonce := newFixture().Nonces.Current(); !regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`).MatchString(nonce) {
		t.Errorf("got %q", nonce)
	}
}

func TestOfManyWithOneProofOneIsServed(t *testing.T) {
	a := newAttempt(newFixture())
	a.raw = a.make(t)
	served := make(chan bool)
	for range 20 {
		go func() {
			_, err := a.check(t)
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

// Replicas with the same secrets agree about nonces, also while a new secret is rolled out.
func TestNoncesOfReplicas(t *testing.T) {
	clock := storagetest.NewClock()
	old, fresh := []byte("the old cookie key"), []byte("the new cookie key")
	a := must(NewNonces([][]byte{old}, clock.Now))
	b := must(NewNonces([][]byte{fresh, old}, clock.Now))
	if !b.Accepts(a.Current()) || a.Accepts(b.Current()) {
		t.Error("a nonce counts where its secret is known")
	}
	first := a.Current()
	clock.Pass(2 * time.Minute)
	if a.Current() == first || !a.Accepts(first) {
		t.Error("the nonce of the window before is taken")
	}
	clock.Pass(2 * time.Minute)
	if a.Accepts(first) {
		t.Error("an older nonce is not taken")
	}
}

func TestTheHeader(t *testing.T) {
	for _, row := range []struct {
		name   string
		values []string
		want   string
		bad    bool
	}{
		{"RFC 9449 §4.3 there is not more than one DPoP header", []string{"a", "b"}, "", true},
		{"RFC 9449 §4.1 one", []string{"a"}, "a", false},
		{"RFC 9449 §4.1 an empty one", []string{""}, "", true},
		{"none", nil, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, err := read(http.Header{"Dpop": row.values}); got != row.want || (err != nil) != row.bad {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// No bytes make the reader of proofs fail in another way than by refusing.
func FuzzProof(fuzz *testing.F) {
	f := newFixture()
	fuzz.Add(newAttempt(f).make(fuzz)[:60])
	fuzz.Add(
		headed(map[string]any{"alg": "ES256", "jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}),
	)
	fuzz.Add(headed(map[string]any{"alg": "RS256", "jwk": map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"}}))
	wild := newAttempt(f)
	wild.claims["iat"], wild.claims["htu"] = 1e300, "https://%zz"
	fuzz.Add(wild.make(fuzz))
	fuzz.Fuzz(func(t *testing.T, proof string) {
		jkt, err := f.Proof(requestWith(t, proof), &oidc.Client{})
		if err == nil && jkt == "" && proof != "" {
			t.Error("a key without a name")
		}
		if code := oidc.AsError(err); err != nil && code.Code != oidc.InvalidDPoPProof && code.Code != oidc.UseDPoPNonce {
			t.Errorf("got %v", err)
		}
	})
}
