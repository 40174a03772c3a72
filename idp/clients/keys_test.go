package clients_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/oidc"
)

// site is a server with a jwks_uri, and the clock of the provider.
type site struct {
	mutex  sync.Mutex
	now    time.Time
	text   string // the answer; empty: the set of keys
	keys   []any
	isDown bool
	asked  int
	client oidc.Client
}

func (s *site) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.asked++
	if s.isDown {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, s.text)
	if s.text == "" {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": s.keys})
	}
}

func (s *site) clock() time.Time { return s.now }

func newSite(t testing.TB, set ...any) (*site, *clients.Keys) {
	t.Helper()
	s := &site{now: time.Unix(1767225600, 0), keys: set}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.client = oidc.Client{ClientID: "app", JWKSURI: server.URL + "/jwks"}
	private := true
	return s, clients.NewKeys(must(fetch.New(fetch.Config{AllowPrivate: &private})), s.clock)
}

func ec(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func jwk(kid string, public any) jose.JSONWebKey { return jose.JSONWebKey{KeyID: kid, Key: public} }

func sign(t testing.TB, alg jose.SignatureAlgorithm, kid string, private any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: private, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"iss":"app"}`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func verify(k *clients.Keys, c oidc.Client, token string) error {
	_, _, err := k.Verify(context.Background(), &c, token, clients.SignatureAlgorithms())
	return err
}

func want(t *testing.T, err error, text string) {
	t.Helper()
	switch {
	case text == "" && err != nil:
		t.Errorf("got %v", err)
	case text != "" && (err == nil || !strings.Contains(err.Error(), text)):
		t.Errorf("got %v; want an error with %q", err, text)
	}
}

type keyRow struct {
	name  string
	keys  []jose.JSONWebKey
	token string
	want  string
}

func forUse(key jose.JSONWebKey, use string) jose.JSONWebKey {
	key.Use = use
	return key
}

func keyRows(t *testing.T) []keyRow {
	t.Helper()
	key, other := ec(t), ec(t)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := jwk("k", key.Public())
	return []keyRow{
		{
			"Core §10.1 the key that the kid names verifies", []jose.JSONWebKey{jwk("j", other.Public()), good},
			sign(t, jose.ES256, "k", key), "",
		},
		{"Core §10.1 without a kid the one key verifies", []jose.JSONWebKey{good}, sign(t, jose.ES256, "", key), ""},
		{
			"Core §10.1 of several keys one is named by kid", []jose.JSONWebKey{jwk("j", other.Public()), good},
			sign(t, jose.ES256, "", key), "name one by kid",
		},
		{
			"keys of another kty or use cannot be meant, so no kid is needed",
			[]jose.JSONWebKey{jwk("e", edwards.Public()), forUse(jwk("j", other.Public()), "enc"), good},
			sign(t, jose.ES256, "", key), "",
		},
		{"a kid that no key has", []jose.JSONWebKey{good}, sign(t, jose.ES256, "x", key), `kid "x"`},
		{"the signature of another key", []jose.JSONWebKey{good}, sign(t, jose.ES256, "k", other), "its signature is not"},
		{
			"RFC 7517 §4.2 a key for encryption signs nothing",
			[]jose.JSONWebKey{forUse(good, "enc")}, sign(t, jose.ES256, "k", key),
			"no key for ES256",
		},
		{
			"RFC 7517 §4.2 a key for signatures", []jose.JSONWebKey{forUse(good, "sig")},
			sign(t, jose.ES256, "k", key), "",
		},
		{
			"RFC 7517 §4.4 a key for another alg", []jose.JSONWebKey{{KeyID: "k", Key: large.Public(), Algorithm: "RS256"}},
			sign(t, jose.PS256, "k", large), "no key for PS256",
		},
		{
			"RFC 7517 §4.4 a key for this alg", []jose.JSONWebKey{{KeyID: "k", Key: large.Public(), Algorithm: "PS256"}},
			sign(t, jose.PS256, "k", large), "",
		},
		{
			"a key that only makes the provider slow",
			[]jose.JSONWebKey{jwk("r", &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Set(large.N), 8192, 1), E: large.E})},
			sign(t, jose.RS256, "r", large), "2048 to 8192 bits",
		},
		{"EdDSA", []jose.JSONWebKey{jwk("e", edwards.Public())}, sign(t, jose.EdDSA, "e", edwards), ""},
		{"RS256", []jose.JSONWebKey{jwk("r", large.Public())}, sign(t, jose.RS256, "r", large), ""},
		{"no keys", nil, sign(t, jose.ES256, "k", key), "no key"},
		{
			"RFC 8725 §3.1 a MAC with the public key is no signature", []jose.JSONWebKey{good},
			sign(t, jose.HS256, "k", make([]byte, 32)), "alg",
		},
		{"RFC 8725 §3.1 alg none is no signature", []jose.JSONWebKey{good}, "eyJhbGciOiJub25lIn0.e30.", "alg"},
		{"what is no JWT", []jose.JSONWebKey{good}, "a.b", "no signed JWT"},
	}
}

func TestWhichKeyVerifies(t *testing.T) {
	for _, row := range keyRows(t) {
		t.Run(row.name, func(t *testing.T) {
			_, keys := newSite(t)
			c := oidc.Client{ClientID: "app", JWKS: &oidc.KeySet{JSONWebKeySet: jose.JSONWebKeySet{Keys: row.keys}}}
			want(t, verify(keys, c, row.token), row.want)
		})
	}
}

func TestAClientWithoutKeys(t *testing.T) {
	_, keys := newSite(t)
	want(t, verify(keys, oidc.Client{ClientID: "app"}, sign(t, jose.ES256, "", ec(t))), "neither jwks nor jwks_uri")
}

// A client changes its keys without notice: Core §10.1.1.
func TestAnUnknownKidIsFetchedAtOnce(t *testing.T) {
	before, after := ec(t), ec(t)
	s, keys := newSite(t, jwk("1", before.Public()))
	want(t, verify(keys, s.client, sign(t, jose.ES256, "1", before)), "")
	s.keys = []any{jwk("2", after.Public())}
	want(t, verify(keys, s.client, sign(t, jose.ES256, "2", after)), "")
	want(t, verify(keys, s.client, sign(t, jose.ES256, "1", before)), `kid "1"`)
	if s.asked != 3 {
		t.Errorf("asked %d times", s.asked)
	}
}

func TestKnownKeysAreNotFetchedAgain(t *testing.T) {
	key := ec(t)
	s, keys := newSite(t, jwk("1", key.Public()))
	for range 100 {
		want(t, verify(keys, s.client, sign(t, jose.ES256, "1", key)), "")
	}
	if s.asked != 1 {
		t.Errorf("asked %d times", s.asked)
	}
	s.now = s.now.Add(6 * time.Minute)
	want(t, verify(keys, s.client, sign(t, jose.ES256, "1", key)), "")
	if s.asked != 2 {
		t.Errorf("asked %d times", s.asked)
	}
}

// Anybody may send any kid. Unknown kids cause five fetches at once, and then one in ten seconds.
func TestUnknownKidsCauseFewFetches(t *testing.T) {
	key := ec(t)
	s, keys := newSite(t, jwk("1", key.Public()))
	for i := range 1000 {
		_ = verify(keys, s.client, sign(t, jose.ES256, fmt.Sprint("x", i), key))
	}
	if s.asked != 6 {
		t.Errorf("asked %d times", s.asked)
	}
	s.now = s.now.Add(10 * time.Second)
	_ = verify(keys, s.client, sign(t, jose.ES256, "y", key))
	if s.asked != 7 {
		t.Errorf("asked %d times", s.asked)
	}
}

func TestAFetchThatFailed(t *testing.T) {
	key := ec(t)
	s, keys := newSite(t, jwk("1", key.Public()))
	s.isDown = true
	token := sign(t, jose.ES256, "1", key)
	for range 10 {
		want(t, verify(keys, s.client, token), "status 503")
	}
	if s.asked != 1 {
		t.Errorf("asked %d times: a failure is cached for some seconds", s.asked)
	}
	s.isDown, s.now = false, s.now.Add(10*time.Second)
	want(t, verify(keys, s.client, token), "")
	s.isDown, s.now = true, s.now.Add(30*time.Minute)
	want(t, verify(keys, s.client, token), "") // the keys from before go on for a while
	s.now = s.now.Add(2 * time.Hour)
	want(t, verify(keys, s.client, token), "gives no keys")
}

func TestWhatIsNoJWKSet(t *testing.T) {
	many := make([]any, 101)
	for _, row := range []struct {
		name string
		text string
	}{
		{"no JSON", "<html>"}, {"no keys", `{"other":1}`}, {"a list", `[]`},
		{"too many", string(must(json.Marshal(map[string]any{"keys": many})))},
	} {
		s, keys := newSite(t)
		s.text = row.text
		want(t, verify(keys, s.client, sign(t, jose.ES256, "1", ec(t))), "gives no keys")
	}
}

// RFC 7517 §5: keys that are not understood are ignored; private and shared keys do not belong into a set.
func TestOfASetOnlyTheUsableKeysCount(t *testing.T) {
	key, leaked := ec(t), ec(t)
	s, keys := newSite(
		t,
		map[string]string{"kty": "ABC"},
		map[string]string{"kty": "EC", "crv": "P-256"},
		jwk("leaked", leaked),
		jose.JSONWebKey{KeyID: "oct", Key: make([]byte, 32)},
		jwk("1", key.Public()),
	)
	want(t, verify(keys, s.client, sign(t, jose.ES256, "1", key)), "")
	want(t, verify(keys, s.client, sign(t, jose.ES256, "leaked", leaked)), "no key")
}

func TestTheKeyForEncryption(t *testing.T) {
	small, big, curve := must(rsa.GenerateKey(rand.Reader, 1024)), must(rsa.GenerateKey(rand.Reader, 2048)), ec(t)
	s, keys := newSite(
		t,
		jose.JSONWebKey{KeyID: "small", Key: small.Public(), Use: "enc"},
		jose.JSONWebKey{KeyID: "sig", Key: big.Public(), Use: "sig"},
		jose.JSONWebKey{KeyID: "big", Key: big.Public(), Use: "enc"},
		jose.JSONWebKey{KeyID: "curve", Key: curve.Public()},
	)
	for alg, kid := range map[jose.KeyAlgorithm]string{
		jose.RSA_OAEP_256: "big", jose.ECDH_ES: "curve", jose.ECDH_ES_A256KW: "curve",
	} {
		if key, err := keys.ForEncryption(t.Context(), &s.client, alg); err != nil || key.KeyID != kid {
			t.Errorf("%s: got %q, %v", alg, key.KeyID, err)
		}
	}
	if _, err := keys.ForEncryption(t.Context(), &s.client, jose.A128KW); err == nil {
		t.Error("a key for A128KW was found")
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	key := ec(t)
	s, keys := newSite(t, jwk("1", key.Public()))
	token := sign(t, jose.ES256, "1", key)
	for i := range 1100 {
		s.now = s.now.Add(time.Millisecond)
		want(t, verify(keys, oidc.Client{ClientID: "app", JWKSURI: fmt.Sprint(s.client.JWKSURI, i)}, token), "")
	}
	for i := range 1100 { // the last thousand are still there
		if i >= 100 {
			want(t, verify(keys, oidc.Client{ClientID: "app", JWKSURI: fmt.Sprint(s.client.JWKSURI, i)}, token), "")
		}
	}
	if s.asked != 1100 {
		t.Errorf("asked %d times", s.asked)
	}
}
