package oidc_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// member writes a public key as a JWK with more members.
func member(t *testing.T, key any, more map[string]any) map[string]any {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKey{Key: key})
	jwk := map[string]any{}
	if err == nil {
		err = json.Unmarshal(text, &jwk)
	}
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(jwk, more)
	return jwk
}

func keysForTests(t *testing.T) (es, other, p384, rs, ed any) {
	t.Helper()
	first, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	second, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	third, err3 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	fourth, err4 := rsa.GenerateKey(rand.Reader, 2048)
	fifth, _, err5 := ed25519.GenerateKey(rand.Reader)
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return first.Public(), second.Public(), third.Public(), fourth.Public(), fifth
}

// TestTheKeyOfASignature: each row is a set with a key for ES256 that has kid 1 and one more key, and a header with alg
// ES256.
func TestTheKeyOfASignature(t *testing.T) {
	es, other, p384, rs, ed := keysForTests(t)
	kid := func(kid string) map[string]any { return map[string]any{"kid": kid} }
	for _, row := range []struct {
		name string
		more any
		kid  string
		want string // of the error; empty: the key with kid 1
	}{
		{"Core §10.1 of several keys one is named by kid", member(t, other, kid("2")), "1", ""},
		{"Core §10.1 several keys that fit, and no kid in the header", member(t, other, kid("2")), "", "name one by kid"},
		{"Core §10.1 a kid of no key", member(t, other, kid("2")), "3", "no key for ES256 with kid \"3\""},
		{"RFC 7517 §4.1 kty: an RSA key cannot be meant by ES256", member(t, rs, nil), "", ""},
		{"RFC 7517 §4.1 kty: a key of another curve cannot be meant", member(t, p384, nil), "", ""},
		{"RFC 7517 §4.1 kty: an Ed25519 key cannot be meant", member(t, ed, nil), "", ""},
		{"RFC 7517 §4.2 use: a key for encryption cannot be meant", member(t, other, map[string]any{"use": "enc"}), "", ""},
		{"RFC 7517 §4.2 use: a second key for signatures can be meant", member(t, other, map[string]any{"use": "sig"}), "",
			"name one by kid"},
		{"RFC 7517 §4.3 key_ops: a key that derives keys cannot be meant",
			member(t, other, map[string]any{"key_ops": []string{"deriveKey"}}), "", ""},
		{"RFC 7517 §4.3 key_ops: a second key that verifies can be meant",
			member(t, other, map[string]any{"key_ops": []string{"verify"}}), "", "name one by kid"},
		{"RFC 7517 §4.3 key_ops that contradict use: the key is ignored",
			member(t, other, map[string]any{"use": "sig", "key_ops": []string{"encrypt"}}), "", ""},
		{"RFC 7517 §4.3 key_ops of no known operation: the key is ignored",
			member(t, other, map[string]any{"key_ops": []string{"stamp"}}), "", ""},
		{"RFC 7517 §4.3 key_ops without an operation allow each: a second key can be meant",
			member(t, other, map[string]any{"key_ops": []string{}}), "", "name one by kid"},
		{"RFC 7517 §4 names are case-sensitive: KEY_OPS says nothing",
			member(t, other, map[string]any{"KEY_OPS": []string{"stamp"}}), "", "name one by kid"},
		{"RFC 7517 §4.4 alg: a key for another algorithm cannot be meant",
			member(t, other, map[string]any{"alg": "ECDH-ES"}), "", ""},
		{"RFC 7517 §4.5 two keys of one kid: kty tells them apart", member(t, rs, kid("1")), "1", ""},
		{"RFC 7517 §5 a key that cannot be read is ignored", map[string]any{"kty": "unheard-of", "kid": "1"}, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			text, err := json.Marshal(map[string]any{"keys": []any{row.more, member(t, es, kid("1"))}})
			if err != nil {
				t.Fatal(err)
			}
			var set oidc.KeySet
			if err := json.Unmarshal(text, &set); err != nil {
				t.Fatal(err)
			}
			keys, err := set.Verifying("ES256", row.kid)
			switch {
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v, %v; expected an error with %q", keys, err, row.want)
			case row.want == "" && (err != nil || len(keys) != 1 || keys[0].KeyID != "1"):
				t.Errorf("got %v, %v; expected the key with kid 1", keys, err)
			}
		})
	}
}
