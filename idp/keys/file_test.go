package keys_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/keys"
)

// testKeys are private keys of many kinds, made once.
type testKeys struct {
	rsa, short   *rsa.PrivateKey
	p256, p384   *ecdsa.PrivateKey
	ed25519      ed25519.PrivateKey
	keyAgreement *ecdh.PrivateKey
}

func makeKeys(t *testing.T) testKeys {
	t.Helper()
	var k testKeys
	var errs [6]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.short, errs[1] = rsa.GenerateKey(rand.Reader, 1024)
	k.p256, errs[2] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	k.p384, errs[3] = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, k.ed25519, errs[4] = ed25519.GenerateKey(rand.Reader)
	k.keyAgreement, errs[5] = ecdh.X25519().GenerateKey(rand.Reader)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func TestAKeyFromAFileSigns(t *testing.T) {
	k := makeKeys(t)
	for _, row := range []struct {
		name string
		alg  jose.SignatureAlgorithm
		text []byte
	}{
		{"RSA for RS256", jose.RS256, pkcs8(t, k.rsa)},
		{"RSA for PS256", jose.PS256, pkcs8(t, k.rsa)},
		{"P-256 for ES256", jose.ES256, pkcs8(t, k.p256)},
		{"Ed25519 for EdDSA", jose.EdDSA, pkcs8(t, k.ed25519)},
		{"words before the PEM block", jose.ES256, append([]byte("made in May\n"), pkcs8(t, k.p256)...)},
	} {
		t.Run(row.name, func(t *testing.T) {
			spec := keys.Spec{Alg: row.alg, File: write(t, row.text)}
			before, after := mustNew(t, spec), mustNew(t, spec)
			token := mustSign(t, before, "", keys.TypeIDToken)
			if err := after.Verify(t.Context(), token, keys.TypeIDToken, &claims{}); err != nil {
				t.Errorf("after a restart with the same file: %v", err)
			}
			if err := after.Ready(t.Context()); err != nil {
				t.Errorf("Ready() = %v", err)
			}
		})
	}
}

func TestAFileThatDoesNotFit(t *testing.T) {
	k := makeKeys(t)
	for _, row := range []struct {
		name string
		alg  jose.SignatureAlgorithm
		text []byte
		want string
	}{
		{"RFC 7518 §3.3 RSA of 1024 bits for RS256", jose.RS256, pkcs8(t, k.short), "2048"},
		{"RFC 7518 §3.5 RSA of 1024 bits for PS256", jose.PS256, pkcs8(t, k.short), "2048"},
		{"RFC 7518 §3.4 P-384 for ES256", jose.ES256, pkcs8(t, k.p384), "P-384"},
		{"RSA for ES256", jose.ES256, pkcs8(t, k.rsa), "RSA"},
		{"RSA for EdDSA", jose.EdDSA, pkcs8(t, k.rsa), "RSA"},
		{"P-256 for RS256", jose.RS256, pkcs8(t, k.p256), "ECDSA"},
		{"P-256 for EdDSA", jose.EdDSA, pkcs8(t, k.p256), "ECDSA"},
		{"Ed25519 for ES256", jose.ES256, pkcs8(t, k.ed25519), "Ed25519"},
		{"Ed25519 for PS256", jose.PS256, pkcs8(t, k.ed25519), "Ed25519"},
		{"X25519, which cannot sign", jose.EdDSA, pkcs8(t, k.keyAgreement), "cannot sign"},
		{"PKCS #1", jose.RS256, block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k.rsa)), "PKCS #8"},
		{"an encrypted key", jose.RS256, block("ENCRYPTED PRIVATE KEY", []byte("x")), "PKCS #8"},
		{"a public key", jose.RS256, block("PUBLIC KEY", []byte("x")), "PKCS #8"},
		{"a broken block", jose.RS256, block("PRIVATE KEY", []byte("x")), "cannot be used"},
		{"no PEM", jose.RS256, []byte("hello"), "PKCS #8"},
		{"an empty file", jose.RS256, nil, "PKCS #8"},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := write(t, row.text)
			err := mustNew(t, keys.Spec{Alg: row.alg, File: file}).Ready(t.Context())
			checkFileError(t, err, file, row.want)
			if err != nil && !strings.Contains(err.Error(), string(row.alg)) {
				t.Errorf("Ready() = %v; want the alg in it", err)
			}
		})
	}
}

func checkFileError(t *testing.T, err error, file, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v; want an error that names %s and says %q", err, file, want)
	}
}

func TestAMissingFileFailsWhateverNeedsTheKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "missing.pem")
	set := mustNew(t, keys.Spec{Alg: jose.ES256, File: file})
	_, errPublic := set.Public(t.Context())
	_, errSign := set.Sign(t.Context(), "", keys.TypeIDToken, claims{"alice"})
	for _, err := range []error{set.Ready(t.Context()), errPublic, errSign} {
		checkFileError(t, err, file, "no such file")
	}
}

func pkcs8(t *testing.T, private any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func write(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
