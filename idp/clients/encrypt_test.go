package clients_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func keyed(private crypto.Signer) oidc.Client {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "enc-1", Key: private.Public(), Use: "enc"}}}
	return oidc.Client{ClientID: "app", JWKS: &oidc.KeySet{JSONWebKeySet: set}}
}

// Core §10.2: what is encrypted to the client is read with its private key, by every alg and enc of the metadata.
func TestWhatIsEncryptedTheClientReads(t *testing.T) {
	keys := clients.NewKeys(nil, time.Now)
	big, curve := must(rsa.GenerateKey(rand.Reader, 2048)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for _, alg := range oidc.EncryptionAlgs() {
		private := crypto.Signer(curve)
		if alg[0] == 'R' {
			private = big
		}
		for _, enc := range append(oidc.EncryptionEncs(), "") {
			client := keyed(private)
			client.IDTokenEncryptedResponseAlg, client.IDTokenEncryptedResponseEnc = alg, enc
			token := must(keys.EncryptIDToken(t.Context(), &client, "a.b.c"))
			wantEnc := enc
			if enc == "" {
				wantEnc = "A128CBC-HS256" // Registration §2: "the default enc value is A128CBC-HS256"
			}
			parsed, err := jose.ParseEncryptedCompact(
				token,
				[]jose.KeyAlgorithm{jose.KeyAlgorithm(alg)},
				[]jose.ContentEncryption{jose.ContentEncryption(wantEnc)},
			)
			if err != nil {
				t.Fatalf("%s %s: %v", alg, enc, err)
			}
			if plain, err := parsed.Decrypt(private); err != nil || string(plain) != "a.b.c" {
				t.Errorf("%s %s: got %q, %v", alg, enc, plain, err)
			}
			if h := parsed.Header; h.KeyID != "enc-1" || h.ExtraHeaders[jose.HeaderContentType] != "JWT" {
				t.Errorf("%s %s: the header is %+v", alg, enc, h)
			}
		}
	}
}

func TestAClientThatRegisteredNothingGetsItAsItIs(t *testing.T) {
	keys := clients.NewKeys(nil, time.Now)
	if got := must(keys.EncryptIDToken(t.Context(), &oidc.Client{}, "a.b.c")); got != "a.b.c" {
		t.Error(got)
	}
	if got := must(keys.EncryptUserinfo(t.Context(), &oidc.Client{}, []byte("{}"), false)); string(got) != "{}" {
		t.Error(got)
	}
}

func TestAClientWithoutAKeyForIt(t *testing.T) {
	keys := clients.NewKeys(nil, time.Now)
	client := keyed(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))
	client.UserinfoEncryptedResponseAlg = "RSA-OAEP-256"
	if _, err := keys.EncryptUserinfo(t.Context(), &client, []byte("{}"), false); oidc.AsError(
		err,
	).Code != oidc.InvalidRequest {
		t.Errorf("got %v", err)
	}
}
