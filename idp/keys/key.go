package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
)

// rsaBits is the usual key size, and the minimum of RFC 7518 §3.3.
const rsaBits = 2048

// key is one signing key with a ready signer for each typ.
type key struct {
	private crypto.Signer
	public  jose.JSONWebKey
	signers map[string]jwsSigner
}

// newKey makes or reads the key that spec describes.
func newKey(spec Spec) (*key, error) {
	private, err := load(spec)
	if err != nil {
		return nil, err
	}
	return ready(spec.Alg, private)
}

// ready gives a private key its kid and its signers.
func ready(alg jose.SignatureAlgorithm, private crypto.Signer) (*key, error) {
	public := jose.JSONWebKey{Key: private.Public(), Algorithm: string(alg), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256) // RFC 7638
	if err != nil {
		return nil, err
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	k := &key{private: private, public: public, signers: map[string]jwsSigner{}}
	for _, typ := range types {
		k.signers[typ], err = newJWSSigner(alg, private, public.KeyID, typ)
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

func load(spec Spec) (crypto.Signer, error) {
	if spec.File == "" {
		return generate(spec.Alg)
	}
	private, err := readPEM(spec.File)
	if err != nil {
		return nil, fmt.Errorf("keys: the %s key in %s cannot be used: %w", spec.Alg, spec.File, err)
	}
	if err := fits(private, spec.Alg); err != nil {
		return nil, fmt.Errorf("keys: the key in %s does not fit alg %s: %w", spec.File, spec.Alg, err)
	}
	return private, nil
}

func generate(alg jose.SignatureAlgorithm) (crypto.Signer, error) {
	switch alg {
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	default: // RS256, PS256
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
}

func readPEM(file string) (crypto.Signer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("it holds no PRIVATE KEY block (PKCS #8); openssl genpkey writes one")
	}
	return parse(block.Bytes)
}

// parse reads the DER of PKCS #8.
func parse(der []byte) (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", parsed)
	}
	return private, nil
}

func fits(private crypto.Signer, alg jose.SignatureAlgorithm) error {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		if alg != jose.RS256 && alg != jose.PS256 {
			return fmt.Errorf("it is an RSA key")
		}
		if k.N.BitLen() < rsaBits {
			return fmt.Errorf("it has %d bits; RFC 7518 §3.3 demands %d", k.N.BitLen(), rsaBits)
		}
	case *ecdsa.PrivateKey:
		if alg != jose.ES256 || k.Curve != elliptic.P256() {
			return fmt.Errorf("it is an ECDSA key on %s", k.Curve.Params().Name)
		}
	case ed25519.PrivateKey:
		if alg != jose.EdDSA {
			return fmt.Errorf("it is an Ed25519 key")
		}
	default:
		return fmt.Errorf("%T is no key this provider signs with", private)
	}
	return nil
}
