package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/keys"
)

type claims struct {
	Subject string `json:"sub"`
}

// newKeySet has a key for every algorithm, RS256 the default.
func newKeySet(t *testing.T) *keys.KeySet {
	t.Helper()
	var specs []keys.Spec
	for _, alg := range keys.Algorithms() {
		specs = append(specs, keys.Spec{Alg: alg})
	}
	return mustNew(t, specs...)
}

func mustNew(t *testing.T, specs ...keys.Spec) *keys.KeySet {
	t.Helper()
	set, err := keys.New(specs, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func mustSign(t *testing.T, set *keys.KeySet, alg, typ string) string {
	t.Helper()
	token, err := set.Sign(t.Context(), alg, typ, claims{"alice"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func mustPublic(t *testing.T, set *keys.KeySet) jose.JSONWebKeySet {
	t.Helper()
	jwks, err := set.Public(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return jwks
}

// published is the JWKS as a client gets it: through JSON.
func published(t *testing.T, set *keys.KeySet) (jose.JSONWebKeySet, string) {
	t.Helper()
	text, err := json.Marshal(mustPublic(t, set))
	if err != nil {
		t.Fatal(err)
	}
	var jwks jose.JSONWebKeySet
	if err := json.Unmarshal(text, &jwks); err != nil {
		t.Fatal(err)
	}
	return jwks, string(text)
}

func TestEveryAlgorithmSignsWhatThePublishedKeysVerify(t *testing.T) {
	set := newKeySet(t)
	jwks, _ := published(t, set)
	for _, alg := range keys.Algorithms() {
		for _, typ := range []string{keys.TypeIDToken, keys.TypeAccessToken} {
			t.Run("RFC 7518 §3.1 "+string(alg)+", typ "+typ, func(t *testing.T) {
				checkSigned(t, set, jwks, alg, typ)
			})
		}
	}
}

// checkSigned is a relying party that knows the JWKS and nothing else.
func checkSigned(t *testing.T, set *keys.KeySet, jwks jose.JSONWebKeySet, alg jose.SignatureAlgorithm, typ string) {
	t.Helper()
	token := mustSign(t, set, string(alg), typ)
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatalf("RFC 7515 §4.1.1: no token with alg %s: %v", alg, err)
	}
	header := parsed.Headers[0]
	if got := header.ExtraHeaders[jose.HeaderType]; got != typ {
		t.Errorf("RFC 7515 §4.1.9: typ = %v; want %s", got, typ)
	}
	found := jwks.Key(header.KeyID)
	if len(found) != 1 || found[0].Algorithm != string(alg) {
		t.Fatalf("RFC 7515 §4.1.4: kid %q finds %d keys; want the one for %s", header.KeyID, len(found), alg)
	}
	var got claims
	if err := parsed.Claims(found[0].Key, &got); err != nil || got.Subject != "alice" {
		t.Errorf("the published key gives %+v, %v; want sub alice", got, err)
	}
	got = claims{}
	if err := set.Verify(t.Context(), token, typ, &got); err != nil || got.Subject != "alice" {
		t.Errorf("the set gives %+v, %v for its own token", got, err)
	}
}

func TestWithoutAnAlgTheFirstKeySigns(t *testing.T) {
	set := mustNew(t, keys.Spec{Alg: jose.ES256}, keys.Spec{Alg: jose.EdDSA})
	token := mustSign(t, set, "", keys.TypeIDToken)
	if _, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256}); err != nil {
		t.Errorf("the default is not the first configured, ES256: %v", err)
	}
	if diff := cmp.Diff([]jose.SignatureAlgorithm{jose.ES256, jose.EdDSA}, set.Algs()); diff != "" {
		t.Errorf("Algs (-want +got):\n%s", diff)
	}
}

func TestSignRefusesAnAlgWithoutAKey(t *testing.T) {
	set := mustNew(t, keys.Spec{Alg: jose.ES256})
	for _, alg := range []string{"RS256", "none", "HS256", "es256"} {
		if token, err := set.Sign(t.Context(), alg, keys.TypeIDToken, claims{"alice"}); err == nil {
			t.Errorf("alg %s gave %s; there is an ES256 key only", alg, token)
		}
		if _, err := set.Alg(alg); err == nil {
			t.Errorf("Alg(%q) gives no error", alg)
		}
	}
}

// RFC 7517 §4: what a published key says of itself.
func TestThePublishedKeys(t *testing.T) {
	jwks, text := published(t, newKeySet(t))
	var algs []jose.SignatureAlgorithm
	for _, key := range jwks.Keys {
		algs = append(algs, jose.SignatureAlgorithm(key.Algorithm))
		if key.Use != "sig" {
			t.Errorf("RFC 7517 §4.2: use of the %s key = %q; want sig", key.Algorithm, key.Use)
		}
		thumbprint, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if want := base64.RawURLEncoding.EncodeToString(thumbprint); key.KeyID != want {
			t.Errorf("RFC 7638 §3.1: kid of the %s key = %s; want the thumbprint %s", key.Algorithm, key.KeyID, want)
		}
		if !key.IsPublic() || !key.Valid() {
			t.Errorf("the %s key is not a valid public one", key.Algorithm)
		}
	}
	if diff := cmp.Diff(keys.Algorithms(), algs); diff != "" {
		t.Errorf("one key for each algorithm (-want +got):\n%s", diff)
	}
	checkMembers(t, text)
}

// checkMembers holds RFC 7518 §6: the members of a public key, and none of a private one (d, p, q, dp, dq, qi, oth, k).
func checkMembers(t *testing.T, text string) {
	t.Helper()
	var jwks struct{ Keys []map[string]any }
	if err := json.Unmarshal([]byte(text), &jwks); err != nil {
		t.Fatal(err)
	}
	members := map[string][]string{
		"RSA": {"alg", "e", "kid", "kty", "n", "use"},
		"EC":  {"alg", "crv", "kid", "kty", "use", "x", "y"},
		"OKP": {"alg", "crv", "kid", "kty", "use", "x"},
	}
	for _, key := range jwks.Keys {
		var got []string
		for name := range key {
			got = append(got, name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(members[key["kty"].(string)], got); diff != "" {
			t.Errorf("members of the %v key (-want +got):\n%s", key["alg"], diff)
		}
	}
}

func TestKeysHaveTheStrengthThatTheirAlgorithmDemands(t *testing.T) {
	for _, key := range mustPublic(t, newKeySet(t)).Keys {
		switch public := key.Key.(type) {
		case *rsa.PublicKey:
			if public.N.BitLen() < 2048 {
				t.Errorf("RFC 7518 §3.3: the %s key has %d bits", key.Algorithm, public.N.BitLen())
			}
		case *ecdsa.PublicKey:
			if public.Curve.Params().Name != "P-256" {
				t.Errorf("RFC 7518 §3.4: the ES256 key is on %s", public.Curve.Params().Name)
			}
		case ed25519.PublicKey:
		default:
			t.Errorf("%s has a %T", key.Algorithm, public)
		}
	}
}

func TestEachKeySetMakesKeysOfItsOwn(t *testing.T) {
	a, b := mustPublic(t, mustNew(t, keys.Spec{Alg: jose.EdDSA})), mustPublic(t, mustNew(t, keys.Spec{Alg: jose.EdDSA}))
	if a.Keys[0].KeyID == b.Keys[0].KeyID {
		t.Error("two providers have the same key")
	}
}

func TestNewRefusesSpecsThatCannotBe(t *testing.T) {
	for _, row := range []struct {
		name  string
		specs []keys.Spec
		text  string
	}{
		{"no key at all", nil, "RS256"},
		{"RFC 8725 §3.1 alg none", []keys.Spec{{Alg: "none"}}, "supported are"},
		{"an alg with a shared key", []keys.Spec{{Alg: jose.HS256}}, "supported are"},
		{"an alg in other case", []keys.Spec{{Alg: "rs256"}}, "supported are"},
		{"an alg this provider does not have", []keys.Spec{{Alg: jose.ES256}, {Alg: jose.ES384}}, "supported are"},
		{"no alg", []keys.Spec{{}}, "supported are"},
		{"the same alg twice", []keys.Spec{{Alg: jose.ES256}, {Alg: jose.ES256}}, "twice"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := keys.New(row.specs, time.Now); err == nil || !strings.Contains(err.Error(), row.text) {
				t.Errorf("New = %v; want an error with %q in it", err, row.text)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	set := mustNew(t, keys.Spec{Alg: jose.ES256}, keys.Spec{Alg: jose.EdDSA})
	before := mustPublic(t, set).Keys
	old := mustSign(t, set, "", keys.TypeIDToken)
	if err := set.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := mustPublic(t, set).Keys
	if len(after) != 4 || after[0].KeyID == before[0].KeyID {
		t.Fatalf("after a rotation %d keys are published, the first of which is %s", len(after), after[0].KeyID)
	}
	for i, name := range []string{"a token signed before", "a token signed after"} {
		token := []string{old, mustSign(t, set, "", keys.TypeIDToken)}[i]
		if err := set.Verify(t.Context(), token, keys.TypeIDToken, &claims{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRotationsAtOnceLoseNoKey(t *testing.T) {
	for range 100 {
		set := mustNew(t, keys.Spec{Alg: jose.EdDSA})
		var rotations sync.WaitGroup
		for range 6 {
			rotations.Go(func() { _ = set.Rotate(t.Context()) })
		}
		rotations.Wait()
		kids := map[string]bool{}
		for _, key := range mustPublic(t, set).Keys {
			kids[key.KeyID] = true
		}
		if len(kids) != 7 {
			t.Fatalf("after six rotations %d keys are published; want seven", len(kids))
		}
	}
}

func TestManyRotationsDoNotPileUp(t *testing.T) {
	set := mustNew(t, keys.Spec{Alg: jose.EdDSA})
	for range 30 {
		if err := set.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if published := len(mustPublic(t, set).Keys); published != 9 {
		t.Errorf("%d keys are published; want the one that signs and eight before it", published)
	}
}

func TestATokenWithoutKIDIsNotRecognised(t *testing.T) {
	set := mustNew(t, keys.Spec{Alg: jose.ES256})
	token, err := set.SignWithoutKID(t.Context(), "", keys.TypeIDToken, claims{"alice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Verify(t.Context(), token, keys.TypeIDToken, &claims{}); err == nil {
		t.Error("a token without kid was taken for one of ours")
	}
}
