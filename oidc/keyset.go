package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
)

const (
	minRSA = 2048 // bits; RFC 7518 §3.3 and §4.3: "A key of size 2048 bits or larger MUST be used"
	maxRSA = 8192 // bits; a larger key only makes the verifier slow
)

// curves are the curves of the ECDSA algorithms (RFC 7518 §3.4).
var curves = map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}

// KeySet is a JWK Set (RFC 7517 §5): of a client, in its metadata or at its jwks_uri, or of a provider.
type KeySet struct{ jose.JSONWebKeySet }

// UnmarshalYAML reads the set from the YAML form of its JSON.
func (k *KeySet) UnmarshalYAML(unmarshal func(any) error) error {
	var tree any
	if err := unmarshal(&tree); err != nil {
		return err
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return fmt.Errorf("this is no JWK Set (RFC 7517 section 5): %w", err)
	}
	return k.UnmarshalJSON(text)
}

// UnmarshalJSON leaves out keys that cannot be read (RFC 7517 §5), and keys whose use and key_ops contradict each
// other.
func (k *KeySet) UnmarshalJSON(text []byte) error {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := josejson.Unmarshal(text, &set); err != nil {
		return fmt.Errorf("this is no JWK Set (RFC 7517 section 5): %w", err)
	}
	k.Keys = nil
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if josejson.Unmarshal(raw, &key) == nil && applyKeyOps(&key, raw) {
			k.Keys = append(k.Keys, key)
		}
	}
	return nil
}

// applyKeyOps sets the use that key_ops say in other words, because jose does not read key_ops (RFC 7517 §4.3). It
// returns false when key_ops and use contradict each other, or key_ops allow neither use.
func applyKeyOps(key *jose.JSONWebKey, raw []byte) bool {
	var members struct {
		KeyOps []string `json:"key_ops"`
	}
	if josejson.Unmarshal(raw, &members) != nil {
		return false
	}
	if len(members.KeyOps) == 0 { // WebCrypto exports a public ECDH key with an empty list
		return true
	}
	uses := map[string]bool{}
	for _, operation := range members.KeyOps {
		switch operation {
		case "sign", "verify":
			uses["sig"] = true
		case "encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits":
			uses["enc"] = true
		}
	}
	if key.Use == "" && len(uses) == 1 {
		key.Use = map[bool]string{true: "sig", false: "enc"}[uses["sig"]]
	}
	return uses[key.Use] || key.Use == "" && len(uses) == 2
}

// For returns the keys of the set that serve the algorithm alg of a signature or of key management, by kty, size, use,
// key_ops and alg (RFC 7517 §4). With a kid, it returns only those of that kid. No key at all is an error.
func (k KeySet) For(alg, kid string) ([]jose.JSONWebKey, error) {
	fitting := slices.DeleteFunc(slices.Clone(k.Keys), func(key jose.JSONWebKey) bool {
		return kid != "" && key.KeyID != kid || !serves(key, alg)
	})
	if len(fitting) > 0 {
		return fitting, nil
	}
	named := ""
	if kid != "" {
		named = fmt.Sprintf(" with kid %.50q", kid)
	}
	return nil, fmt.Errorf("the published keys hold no key for %s%s: check kid, kty, use, key_ops, alg and size "+
		"(%d to %d bits of RSA)", alg, named, minRSA, maxRSA)
}

// Verifying returns the keys of the set that may have made a signature by alg. Core §10.1: "If there are multiple keys
// in the referenced JWK Set document, a kid value MUST be provided in the JOSE Header". Keys that cannot serve alg do
// not count, because a verifier never chooses them.
func (k KeySet) Verifying(alg, kid string) ([]jose.JSONWebKey, error) {
	fitting, err := k.For(alg, kid)
	if kid == "" && len(fitting) > 1 {
		return nil, fmt.Errorf("the header names no kid, and %d of the published keys serve %s: "+
			"name one by kid (Core section 10.1)", len(fitting), alg)
	}
	return fitting, err
}

// serves tells whether a public key can serve alg. RFC 8725 §3.1: a key serves the algorithm that it names and no
// other.
func serves(key jose.JSONWebKey, alg string) bool {
	encrypts := slices.Contains(encryptionAlgs, alg)
	use := map[bool]string{true: "enc", false: "sig"}[encrypts]
	if !key.IsPublic() || key.Use != "" && key.Use != use || key.Algorithm != "" && key.Algorithm != alg {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		isSized := minRSA <= public.N.BitLen() && public.N.BitLen() <= maxRSA
		return isSized && (strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")) // RSA-OAEP, RS256, PS256
	case *ecdsa.PublicKey:
		return strings.HasPrefix(alg, "ECDH-ES") || curves[alg] == public.Params().Name
	case ed25519.PublicKey:
		return alg == string(jose.EdDSA)
	}
	return false
}
