package keys

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// jwsSigner signs with one key and one header. It writes the compact serialisation (RFC 7515 §7.1):
//
//	BASE64URL(header) . BASE64URL(payload) . BASE64URL(signature)
//
// The header is encoded once. go-jose does all the rest with keys and tokens. Its builder is not used, because it
// encodes the header for each token and the claims twice: an ES256 token costs 108 allocations beside those of the
// signature, and 28 here (BenchmarkSign). The tests compare with the examples of RFC 7515, RFC 7520 and RFC 8037.
// https://www.rfc-editor.org/rfc/rfc7515#section-7.1
type jwsSigner struct {
	alg     jose.SignatureAlgorithm
	private crypto.Signer
	header  string // in base64url, with the dot after it
}

// newJWSSigner prepares the header with alg, kid and typ; without a kid the header does not name the key.
func newJWSSigner(alg jose.SignatureAlgorithm, private crypto.Signer, kid, typ string) (jwsSigner, error) {
	header, err := json.Marshal(struct {
		Alg jose.SignatureAlgorithm `json:"alg"`
		KID string                  `json:"kid,omitempty"`
		Typ string                  `json:"typ,omitempty"`
	}{alg, kid, typ})
	return jwsSigner{alg, private, base64.RawURLEncoding.EncodeToString(header) + "."}, err
}

// sign returns the JWS of the payload.
func (s jwsSigner) sign(payload []byte) (string, error) {
	var place [2048]byte // on the stack: usual tokens fit
	jws := base64.RawURLEncoding.AppendEncode(append(place[:0], s.header...), payload)
	signature, err := s.signature(jws)
	if err != nil {
		return "", err
	}
	return string(base64.RawURLEncoding.AppendEncode(append(jws, '.'), signature)), nil
}

// signature returns the signature of RFC 7518 §3.3 to §3.5 or RFC 8037 §3.1.
func (s jwsSigner) signature(input []byte) ([]byte, error) {
	if s.alg == jose.EdDSA { // it takes the input and not its hash; the clone lets input stay on the stack
		return s.private.Sign(rand.Reader, bytes.Clone(input), crypto.Hash(0))
	}
	digest := sha256.Sum256(input)
	var options crypto.SignerOpts = crypto.SHA256
	if s.alg == jose.PS256 {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	if s.alg != jose.ES256 {
		return s.private.Sign(rand.Reader, digest[:], options)
	}
	// Without random bytes the signature is the deterministic one of RFC 6979. RFC 8725 §3.2 recommends it, because bad
	// random bytes disclose the private key. It also takes less time: its generator uses SHA-256 and not SHA-512.
	signature, err := s.private.Sign(nil, digest[:], options)
	if err != nil {
		return nil, err
	}
	return withoutASN1(signature)
}

// withoutASN1 returns R and S, 32 bytes each (RFC 7518 §3.4). The signature of a P-256 key has them in ASN.1.
func withoutASN1(signature []byte) ([]byte, error) {
	var r, s []byte
	var inner cryptobyte.String
	outer := cryptobyte.String(signature)
	if !outer.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) ||
		len(r) > 32 || len(s) > 32 {
		return nil, errors.New("keys: the signature is not that of a P-256 key")
	}
	both := make([]byte, 64)
	copy(both[32-len(r):], r)
	copy(both[64-len(s):], s)
	return both, nil
}
