package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The payloads of the examples below.
const (
	joe   = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
	bilbo = "It\u2019s a dangerous business, Frodo, going out your door. You step onto the road, and if you don't " +
		"keep your feet, there\u2019s no knowing where you might be swept off to."
)

// The examples of the specifications whose signatures are deterministic: the JWS is theirs to the letter.
func TestTheCompactSerialisationIsThatOfTheSpecifications(t *testing.T) {
	for _, row := range []struct {
		name, kid, payload, want string
		alg                      jose.SignatureAlgorithm
		key                      crypto.Signer
	}{
		{
			name: "RFC 7515 A.2 RS256", alg: jose.RS256, payload: joe, key: rsaKeyOf(
				"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ou"+
					"Z2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
				"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmp"+
					"e_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"),
			want: "eyJhbGciOiJSUzI1NiJ9" +
				".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
				".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJ" +
				"dbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN93" +
				"83LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWk" +
				"WywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
		},
		{
			name: "RFC 7520 §4.1 RS256 with a kid", alg: jose.RS256, kid: "bilbo.baggins@hobbiton.example",
			payload: bilbo, key: rsaKeyOf(
				"3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_W"+
					"CsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k",
				"uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2lmKvwq"+
					"W7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc"),
			want: "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9" +
				".SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm" +
				"9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIH" +
				"N3ZXB0IG9mZiB0by4" +
				".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84w" +
				"nB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXF" +
				"xnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_f" +
				"cIe8u9ipH84ogoree7vjbU5y18kDquDg",
		},
		{
			name: "RFC 8037 A.4 EdDSA", alg: jose.EdDSA, payload: "Example of Ed25519 signing",
			key: ed25519.NewKeyFromSeed(decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
			want: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc" +
				".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			signer, err := newJWSSigner(row.alg, row.key, row.kid, "")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := signer.sign([]byte(row.payload)); got != row.want || err != nil {
				t.Errorf("got  %s, %v\nwant %s", got, err, row.want)
			}
		})
	}
}

// RFC 6979 A.2.5, which RFC 8725 §3.2 recommends: P-256 and SHA-256 with the messages "sample" and "test".
func TestSignaturesOfES256AreDeterministic(t *testing.T) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(),
		fromHex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"))
	if err != nil {
		t.Fatal(err)
	}
	for message, want := range map[string][]byte{
		"sample": fromHex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" +
			"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"),
		"test": fromHex("F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367" +
			"019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"),
	} {
		got, err := jwsSigner{alg: jose.ES256, private: private}.signature([]byte(message))
		if !bytes.Equal(got, want) || err != nil {
			t.Errorf("%s: got %x, %v\nwant %x", message, got, err, want)
		}
	}
}

// RFC 7515 A.3 has a key for ES256 but another signature, and signatures of PS256 contain a random number. So go-jose
// verifies them.
func TestAnotherLibraryVerifiesWhatIsSigned(t *testing.T) {
	for _, alg := range Algorithms() {
		for number := range 300 { // R or S of one signature in 128 begins with a zero byte, which RFC 7518 §3.4 demands
			private, err := generate(alg)
			if alg == jose.ES256 {
				private, err = ecdsa.ParseRawPrivateKey(
					elliptic.P256(), decoded("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"))
			}
			if err != nil {
				t.Fatal(err)
			}
			signer, err := newJWSSigner(alg, private, "the kid", TypeAccessToken)
			if err != nil {
				t.Fatal(err)
			}
			payload := fmt.Sprint(number, joe)
			text, err := signer.sign([]byte(payload))
			if err != nil {
				t.Fatal(err)
			}
			checkByGoJOSE(t, text, payload, alg, private.Public())
			if alg == jose.RS256 || alg == jose.PS256 {
				break // an RSA key costs a second, and its signatures have one form
			}
		}
	}
}

func checkByGoJOSE(t *testing.T, text, want string, alg jose.SignatureAlgorithm, public crypto.PublicKey) {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := parsed.Verify(public)
	header := parsed.Signatures[0].Protected
	if err != nil || string(payload) != want || header.KeyID != "the kid" ||
		header.ExtraHeaders[jose.HeaderType] != TypeAccessToken || header.Algorithm != string(alg) {
		t.Errorf("%s: header %+v, payload %s, %v", alg, header, payload, err)
	}
}

func rsaKeyOf(p, q string) *rsa.PrivateKey {
	one, e := big.NewInt(1), big.NewInt(65537)
	primes := []*big.Int{new(big.Int).SetBytes(decoded(p)), new(big.Int).SetBytes(decoded(q))}
	phi := new(big.Int).Mul(new(big.Int).Sub(primes[0], one), new(big.Int).Sub(primes[1], one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(primes[0], primes[1]), E: 65537},
		D:         new(big.Int).ModInverse(e, phi), Primes: primes,
	}
	key.Precompute()
	return key
}

func fromHex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}

func decoded(text string) []byte {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}

// BenchmarkSign signs the claims of an ID token with ES256: with this package, with go-jose's builder of JWTs, with
// go-jose's signer alone, and, as the floor, the signature without a token.
func BenchmarkSign(b *testing.B) {
	claims := map[string]any{
		"iss": "http://localhost:8080", "sub": "alice", "aud": "spa", "exp": 1800000000, "iat": 1800000000,
		"auth_time": 1800000000, "nonce": "0123456789abcdef0123456789abcdef", "at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng",
		"sid": "0123456789abcdef0123456789abcdef", "acr": "0", "amr": []string{"pwd"},
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	own, _ := newJWSSigner(jose.ES256, private, "kid", TypeIDToken)
	signing := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "kid"}}
	theirs, err := jose.NewSigner(signing, new(jose.SignerOptions).WithType(TypeIDToken))
	if err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name string
		sign func() (string, error)
	}{
		{"this package", func() (string, error) {
			payload, err := json.Marshal(claims)
			if err != nil {
				return "", err
			}
			return own.sign(payload)
		}},
		{"go-jose's builder", func() (string, error) { return jwt.Signed(theirs).Claims(claims).Serialize() }},
		{"go-jose's signer", func() (string, error) {
			payload, err := json.Marshal(claims)
			if err != nil {
				return "", err
			}
			signed, err := theirs.Sign(payload)
			if err != nil {
				return "", err
			}
			return signed.CompactSerialize()
		}},
		{"the signature alone", func() (string, error) {
			_, _, err := ecdsa.Sign(rand.Reader, private, make([]byte, 32))
			return "", err
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := way.sign(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
