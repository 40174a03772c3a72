package keys_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp/keys"
)

// TestVerifyRefuses takes a good RS256 ID token and changes one thing about it.
func TestVerifyRefuses(t *testing.T) {
	own, other := mustRSA(t), mustRSA(t)
	set := mustNew(t, keys.Spec{Alg: jose.RS256, File: write(t, pkcs8(t, own))}, keys.Spec{Alg: jose.ES256})
	public, kid := mustPublic(t, set).Keys[0], mustPublic(t, set).Keys[0].KeyID
	good := signedBy(t, own, kid, "JWT")
	if err := set.Verify(t.Context(), good, keys.TypeIDToken, &claims{}); err != nil {
		t.Fatalf("the good token is refused: %v", err)
	}
	header, payload, signature := split(t, good)
	for _, row := range []struct{ name, token string }{
		{
			"RFC 8725 §3.1 alg none without a signature",
			encode(`{"alg":"none","typ":"JWT","kid":"`+kid+`"}`) + "." + payload + ".",
		},
		{
			"RFC 8725 §3.1 alg none with the signature",
			encode(`{"alg":"none","typ":"JWT","kid":"`+kid+`"}`) + "." + payload + "." + signature,
		},
		{"RFC 8725 §2.1 HMAC with the public key's DER", hmacSigned(t, public, der(t, public))},
		{"RFC 8725 §2.1 HMAC with the public key's PEM", hmacSigned(t, public, pemOf(t, public))},
		{"RFC 8725 §2.1 HMAC with the public key's JWK", hmacSigned(t, public, jwkOf(t, public))},
		{"RFC 8725 §3.11 an access token", signedBy(t, own, kid, "at+jwt")},
		{"RFC 7515 §4.1.11 crit that is empty", signedBy(t, own, kid, "JWT", "crit")},
		{"RFC 8725 §3.11 no typ", signedBy(t, own, kid, "")},
		{"RFC 7515 §4.1.4 an unknown kid", signedBy(t, own, "unknown", "JWT")},
		{"RFC 7515 §4.1.4 no kid", signedBy(t, own, "", "JWT")},
		{"RFC 7515 §4.1.4 the kid of another of our keys", signedBy(t, own, mustPublic(t, set).Keys[1].KeyID, "JWT")},
		{"RFC 7515 §5.2 our kid, signed by another key", signedBy(t, other, kid, "JWT")},
		{"RFC 7515 §5.2 a changed payload", header + "." + encode(`{"sub":"bob"}`) + "." + signature},
		{
			"RFC 7515 §5.2 a changed header",
			encode(`{"alg":"RS256","kid":"`+kid+`","typ":"JWT"} `) + "." + payload + "." + signature,
		},
		{
			"RFC 7515 §5.2 the other key's alg",
			encode(`{"alg":"ES256","kid":"`+kid+`","typ":"JWT"}`) + "." + payload + "." + signature,
		},
		{
			"RFC 7515 §5.2 an alg the provider has no key for",
			encode(`{"alg":"PS256","kid":"`+kid+`","typ":"JWT"}`) + "." + payload + "." + signature,
		},
		{"RFC 7515 §5.2 a changed signature", header + "." + payload + "." + encode(strings.Repeat("x", 256))},
		{"RFC 7515 §5.2 no signature", header + "." + payload + "."},
		{"RFC 7515 §7.1 two parts", header + "." + payload},
		{
			"RFC 7519 §3 the JSON serialization is no JWT",
			`{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`,
		},
		{"the token of another provider", mustSign(t, mustNew(t, keys.Spec{Alg: jose.ES256}), "", keys.TypeIDToken)},
		{"no token", "forged"},
		{"nothing", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := claims{}
			if err := set.Verify(t.Context(), row.token, keys.TypeIDToken, &got); err == nil || got.Subject != "" {
				t.Errorf("Verify gave %+v, %v; want an error and nothing else", got, err)
			}
		})
	}
}

func mustRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	set := mustNew(t, keys.Spec{Alg: jose.ES256})
	for _, row := range []struct{ name, token, text string }{
		{
			"the typ that came and the one expected", mustSign(t, set, "", keys.TypeAccessToken),
			`typ is "at+jwt", expected "JWT"`,
		},
		{"the algs expected", "forged", "ES256"},
		{
			"a kid of before the restart",
			mustSign(t, mustNew(t, keys.Spec{Alg: jose.ES256}), "", keys.TypeIDToken), "was the provider restarted?",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := set.Verify(t.Context(), row.token, keys.TypeIDToken, &claims{})
			if err == nil || !strings.Contains(err.Error(), row.text) {
				t.Errorf("Verify = %v; want %q in it", err, row.text)
			}
		})
	}
}

func TestAnIDTokenIsNoAccessToken(t *testing.T) {
	set := mustNew(t, keys.Spec{Alg: jose.ES256})
	idToken := mustSign(t, set, "", keys.TypeIDToken)
	if err := set.Verify(t.Context(), idToken, keys.TypeAccessToken, &claims{}); err == nil {
		t.Error("RFC 9068 §4: typ must be at+jwt, but an ID token passes")
	}
}

func split(t *testing.T, token string) (header, payload, signature string) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("RFC 7515 §7.1: %s has %d parts", token, len(parts))
	}
	return parts[0], parts[1], parts[2]
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// signedBy is a token by the key. Each header in empty is an empty list.
func signedBy(t *testing.T, key *rsa.PrivateKey, kid, typ string, empty ...jose.HeaderKey) string {
	t.Helper()
	options := new(jose.SignerOptions)
	if typ != "" {
		options.WithType(jose.ContentType(typ))
	}
	for _, name := range empty {
		options.WithHeader(name, []string{})
	}
	return serialize(t, jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, options)
}

// hmacSigned is a token whose HMAC key is what everybody can read.
func hmacSigned(t *testing.T, public jose.JSONWebKey, secret []byte) string {
	t.Helper()
	signing := jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: public.KeyID}}
	return serialize(t, signing, new(jose.SignerOptions).WithType("JWT"))
}

func serialize(t *testing.T, signing jose.SigningKey, options *jose.SignerOptions) string {
	t.Helper()
	signer, err := jose.NewSigner(signing, options)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims{"mallory"}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func der(t *testing.T, public jose.JSONWebKey) []byte {
	t.Helper()
	text, err := x509.MarshalPKIXPublicKey(public.Key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func pemOf(t *testing.T, public jose.JSONWebKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der(t, public)})
}

func jwkOf(t *testing.T, public jose.JSONWebKey) []byte {
	t.Helper()
	text, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
