package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
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
	return must(jwt.Signed(must(jose.NewSigner(jose.SigningKey{Algorithm: a.alg, Key: a.key}, options))).Claims(a.claims).Serialize())
}

func (a *attempt) check(t testing.TB) (jkt string, err error) {
	t.Helper()
	r := requestWith(t, a.make(t))
	if a.withToken {
		return thumbprint(a.key.Public()), a.f.CheckToken(r, a.client, token, thumbprint(key1().Public()))
	}
	return a.f.Proof(r, a.client)
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

var proofRows = []struct {
	name   string
	change func(*attempt)
	want   string // in the error; "": good
}{
	{"RFC 9449 §4.3 a good proof", func(*attempt) {}, ""},
	{"RFC 9449 §4.2 typ is dpop+jwt", func(a *attempt) { a.typ = "JWT" }, "typ is dpop+jwt"},
	{"RFC 9449 §4.2 typ is there", func(a *attempt) { a.typ = "" }, "typ is dpop+jwt"},
	{"RFC 9449 §4.3 the proof is a JWT", func(a *attempt) { a.raw = "no.jwt" }, "no JWT"},
	{"RFC 9449 §4.3 alg is not none", func(a *attempt) { a.raw = headed(map[string]any{"alg": "none", "typ": Type}) }, "no JWT"},
	{"RFC 9449 §4.2 alg is asymmetric", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "HS256", "typ": Type, "jwk": map[string]string{"kty": "oct", "k": "AAAA"}})
	}, "no JWT"},
	{"RFC 9449 §4.3 alg is one that the metadata lists", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "ES384", "typ": Type})
	}, "no JWT"},
	{"RFC 9449 §4.2 jwk is there", func(a *attempt) { a.raw = headed(map[string]any{"alg": "ES256", "typ": Type}) }, "no public key"},
	{"RFC 9449 §4.3 jwk holds no private key", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "ES256", "typ": Type, "jwk": json.RawMessage(must(json.Marshal(jose.JSONWebKey{Key: key1()})))})
	}, "its public key in jwk"},
	{"RFC 9449 §4.3 the signature is that of jwk", func(a *attempt) { a.jwk = jose.JSONWebKey{Key: key2().Public()} }, "not signed with the key"},
	{"RFC 9449 §4.3 a short RSA key", func(a *attempt) { a.alg, a.key = jose.RS256, must(rsa.GenerateKey(rand.Reader, 1024)) }, "no public key"},
	{"RFC 9449 §5.1 RS256", func(a *attempt) { a.alg, a.key = jose.RS256, must(rsa.GenerateKey(rand.Reader, 2048)) }, ""},
	{"RFC 9449 §5.1 EdDSA", func(a *attempt) {
		_, private, _ := ed25519.GenerateKey(rand.Reader)
		a.alg, a.key = jose.EdDSA, private
	}, ""},
	{"FAPI 2.0 §5.4.1 the proof of a fapi2 client with RS256", func(a *attempt) {
		a.useFAPI2(jose.RS256, must(rsa.GenerateKey(rand.Reader, 2048)))
	}, "alg PS256, ES256 or EdDSA"},
	{"FAPI 2.0 §5.4.1 the proof of a fapi2 client with PS256", func(a *attempt) {
		a.useFAPI2(jose.PS256, must(rsa.GenerateKey(rand.Reader, 2048)))
	}, ""},
	{"RFC 8725 §3.1 the jwk is of another kind than the alg", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "RS256", "typ": Type, "jwk": jose.JSONWebKey{Key: key1().Public()}})
	}, "no public key"},
	{"RFC 9449 §4.2 jwk is no symmetric key", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "ES256", "typ": Type, "jwk": map[string]string{"kty": "oct", "k": "AAAA"}})
	}, "its public key in jwk"},
	{"RFC 9449 §4.3 htu with another path below", func(a *attempt) { a.claims["htu"] = target + "/x" }, "htu is the URL"},
	{"RFC 9449 §4.3 htu with a final slash", func(a *attempt) { a.claims["htu"] = target + "/" }, "htu is the URL"},
	{"RFC 9449 §4.3 htu with another port", func(a *attempt) { a.claims["htu"] = "https://login.example.com:8443/token" }, "htu is the URL"},
	{"RFC 9449 §4.3 htu with a user name", func(a *attempt) { a.claims["htu"] = "https://login.example.com@evil.example.com/token" }, "htu is the URL"},
	{"RFC 9449 §4.3 htu is one string", func(a *attempt) { a.claims["htu"] = []string{target} }, "no claims"},
	{"RFC 9449 §4.3 htm stands by that name", func(a *attempt) { delete(a.claims, "htm"); a.claims["HTM"] = "POST" }, "htm is the method"},
	{"RFC 9449 §4.3 the claims are there", func(a *attempt) { a.claims = map[string]any{"htm": 7} }, "no claims"},
	{"RFC 9449 §4.2 jti is there", func(a *attempt) { delete(a.claims, "jti") }, "has a jti"},
	{"RFC 9449 §11.1 jti is not without end", func(a *attempt) { a.claims["jti"] = strings.Repeat("x", 256) }, "has a jti"},
	{"RFC 9449 §4.3 the proof's htm is the method of the request", func(a *attempt) { a.claims["htm"] = "GET" }, "htm is the method"},
	{"RFC 9449 §4.2 htm is there", func(a *attempt) { delete(a.claims, "htm") }, "htm is the method"},
	{"RFC 9449 §4.3 htm is case-sensitive", func(a *attempt) { a.claims["htm"] = "post" }, "htm is the method"},
	{"RFC 9449 §4.3 the proof's htu is the URL of the request", func(a *attempt) { a.claims["htu"] = "https://login.example.com/userinfo" }, "htu is the URL"},
	{"RFC 9449 §4.2 htu is there", func(a *attempt) { delete(a.claims, "htu") }, "htu is the URL"},
	{"RFC 9449 §4.3 htu of another host", func(a *attempt) { a.claims["htu"] = "https://evil.example.com/token" }, "htu is the URL"},
	{"RFC 9449 §4.3 htu without the host", func(a *attempt) { a.claims["htu"] = "/token" }, "htu is the URL"},
	{"RFC 9449 §4.3 htu of another scheme", func(a *attempt) { a.claims["htu"] = "http://login.example.com/token" }, "htu is the URL"},
	{"RFC 9449 §4.3 htu is compared without query and fragment", func(a *attempt) { a.claims["htu"] = target + "?a=b#c" }, ""},
	{"RFC 3986 §6.2.2 htu in capitals, where that says nothing", func(a *attempt) { a.claims["htu"] = "HTTPS://LOGIN.example.com/token" }, ""},
	{"RFC 3986 §6.2.2 htu in capitals, where that says something", func(a *attempt) { a.claims["htu"] = "https://login.example.com/TOKEN" }, "htu is the URL"},
	{"RFC 3986 §6.2.3 htu with the default port", func(a *attempt) { a.claims["htu"] = "https://login.example.com:443/token" }, ""},
	{"RFC 3986 §6.2.2 htu with needless escapes and dots", func(a *attempt) { a.claims["htu"] = "https://login.example.com/a/../%74oken" }, ""},
	{"RFC 3986 §6.2.2 htu with an escaped slash", func(a *attempt) { a.claims["htu"] = "https://login.example.com%2Ftoken" }, "htu is the URL"},
	{"RFC 9449 §4.2 iat is there", func(a *attempt) { delete(a.claims, "iat") }, "has an iat"},
	{"RFC 9449 §4.3 iat is of the last minute", func(a *attempt) { a.claims["iat"] = a.f.clock.Now().Unix() - 61 }, "of the last minute"},
	{"RFC 9449 §4.3 an old iat, and a nonce that tells the time", func(a *attempt) {
		a.claims["iat"], a.claims["nonce"] = a.f.clock.Now().Unix()-600, a.f.Nonces.Current()
	}, ""},
	{"FAPI 2.0 §5.3.2.1 iat 10 seconds in the future is accepted", func(a *attempt) { a.claims["iat"] = a.f.clock.Now().Unix() + 10 }, ""},
	{"FAPI 2.0 §5.3.2.1 iat more than 60 seconds in the future is rejected", func(a *attempt) { a.claims["iat"] = a.f.clock.Now().Unix() + 61 }, "iat is not in the future"},

	{"RFC 9449 §8 a nonce of the provider", func(a *attempt) { a.claims["nonce"] = a.f.Nonces.Current() }, ""},
	{"RFC 9449 §8 a nonce of nobody", func(a *attempt) { a.claims["nonce"] = "abc" }, "a moment ago"},
	{"RFC 9449 §8 a nonce of another provider", func(a *attempt) {
		a.claims["nonce"] = must(NewNonces([][]byte{[]byte("another cookie key")}, a.f.clock.Now)).Current()
	}, "a moment ago"},
	{"RFC 9449 §8 an old nonce", func(a *attempt) {
		a.claims["nonce"] = a.f.Nonces.Current()
		a.f.clock.Pass(5 * time.Minute)
		a.claims["iat"] = a.f.clock.Now().Unix()
	}, "a moment ago"},
	{"RFC 9449 §8 a nonce of the future", func(a *attempt) {
		a.f.clock.Pass(5 * time.Minute)
		a.claims["nonce"] = a.f.Nonces.Current()
		a.f.clock.Pass(-5 * time.Minute)
	}, "a moment ago"},
	{"RFC 9449 §8 an empty nonce is none where one is demanded", func(a *attempt) { a.f.RequireNonce, a.claims["nonce"] = true, "" }, "has a nonce"},
	{"RFC 9449 §8 a good nonce does not excuse an iat in the future", func(a *attempt) {
		a.claims["iat"], a.claims["nonce"] = a.f.clock.Now().Unix()+61, a.f.Nonces.Current()
	}, "iat is not in the future"},
	{"RFC 9449 §8 a nonce where one is demanded", func(a *attempt) { a.f.RequireNonce, a.claims["nonce"] = true, a.f.Nonces.Current() }, ""},
	{"RFC 9449 §8 no nonce where one is demanded", func(a *attempt) { a.f.RequireNonce = true }, "has a nonce"},

	{"RFC 9449 §7.1 a proof for an access token", (*attempt).addToken, ""},
	{"RFC 9449 §4.3 ath is there", func(a *attempt) { a.addToken(); delete(a.claims, "ath") }, "ath is the hash"},
	{"RFC 9449 §4.3 ath is the hash of the access token", func(a *attempt) { a.addToken(); a.claims["ath"] = hash("another") }, "ath is the hash"},
	{"RFC 9449 §4.3 the access token is bound to the key of the proof", func(a *attempt) { a.addToken(); a.key = key2() }, "key is the one"},
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

// A nonce makes a proof good for longer than its iat does: so long it is remembered.
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
	fuzz.Add(headed(map[string]any{"alg": "ES256", "jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}))
	fuzz.Add(headed(map[string]any{"alg": "RS256", "jwk": map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"}}))
	wild := newAttempt(f)
	wild.claims["iat"], wild.claims["htu"] = 1e300, "https://%zz"
	fuzz.Add(wild.make(fuzz))
	fuzz.Fuzz(func(t *testing.T, proof string) {
		jkt, err := f.Proof(requestWith(t, proof), oidc.Client{})
		if err == nil && jkt == "" && proof != "" {
			t.Error("a key without a name")
		}
		if code := oidc.AsError(err); err != nil && code.Code != oidc.InvalidDPoPProof && code.Code != oidc.UseDPoPNonce {
			t.Errorf("got %v", err)
		}
	})
}
