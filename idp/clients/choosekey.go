package clients

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

const (
	rsaBits = 2048 // RFC 7518 §3.3 and §4.3: "A key of size 2048 bits or larger MUST be used"
	rsaMost = 8192 // a larger key only makes the provider slow
	maxKeys = 100  // of one set
)

// wanted describes the key that a caller needs.
type wanted struct {
	kid   string // empty: not named
	text  string // "a key with kid …"
	isFit func(jose.JSONWebKey) bool
	first bool // of several keys the first is taken
}

// fits describes the key that made a signature. RFC 7517 §4.2: use is "sig"; §4.4: alg is what the key is for.
func fits(kid string, alg jose.SignatureAlgorithm) wanted {
	return wanted{
		kid: kid, text: fmt.Sprintf("key for %s signatures", alg),
		isFit: func(key jose.JSONWebKey) bool {
			return (key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == string(alg)) &&
				signs(key.Key, alg)
		},
	}
}

func signs(key any, alg jose.SignatureAlgorithm) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return (alg == jose.RS256 || alg == jose.PS256) && sized(k)
	case *ecdsa.PublicKey:
		return alg == jose.ES256 && k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return alg == jose.EdDSA
	}
	return false
}

func sized(key *rsa.PublicKey) bool { return rsaBits <= key.N.BitLen() && key.N.BitLen() <= rsaMost }

// canEncrypt describes a key to encrypt with. RFC 7517 §4.2: use is "enc".
func canEncrypt(alg jose.KeyAlgorithm) wanted {
	return wanted{
		first: true, text: fmt.Sprintf("key for %s encryption", alg),
		isFit: func(key jose.JSONWebKey) bool {
			return (key.Use == "" || key.Use == "enc") && (key.Algorithm == "" || key.Algorithm == string(alg)) &&
				encrypts(key.Key, alg)
		},
	}
}

func encrypts(key any, alg jose.KeyAlgorithm) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(string(alg), "RSA-OAEP") && sized(k)
	case *ecdsa.PublicKey:
		return strings.HasPrefix(string(alg), "ECDH-ES")
	}
	return false
}

// choose returns the wanted key. Core §10.1: "If there are multiple keys in the referenced JWK Set document, a kid
// value MUST be provided in the JOSE Header." Only keys that can have made the signature count.
func (w wanted) choose(keys []jose.JSONWebKey) (jose.JSONWebKey, error) {
	var found []jose.JSONWebKey
	for _, key := range keys {
		if key.IsPublic() && w.isFit(key) && (w.kid == "" || w.kid == key.KeyID) {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 0 && w.kid != "":
		return jose.JSONWebKey{}, fmt.Errorf(
			"the client's keys hold no %s with kid %.50q: check kid, use, alg and size (%d to %d bits of RSA)",
			w.text,
			w.kid,
			rsaBits,
			rsaMost,
		)
	case len(found) == 0:
		return jose.JSONWebKey{}, fmt.Errorf(
			"the client's keys hold no %s: check use, alg and size (%d to %d bits of RSA)",
			w.text,
			rsaBits,
			rsaMost,
		)
	case len(found) > 1 && !w.first:
		return jose.JSONWebKey{}, fmt.Errorf(
			"the client has %d keys that could be meant: name one by kid in the header (Core section 10.1)",
			len(found),
		)
	}
	return found[0], nil
}

// parse reads a JWK Set. RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type)
// values that are not understood by them, that are missing required members, or for which values are out of the
// supported ranges."
func parse(text []byte) ([]jose.JSONWebKey, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &raw); err != nil || raw.Keys == nil {
		return nil, errors.New("it is no JWK Set (RFC 7517 section 5)")
	}
	if len(raw.Keys) > maxKeys {
		return nil, fmt.Errorf("it holds %d keys; %d are the most", len(raw.Keys), maxKeys)
	}
	var keys []jose.JSONWebKey
	for _, text := range raw.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) == nil && key.IsPublic() {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
