package oidc

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The algs of JWTs that clients make (RFC 7518 §3.1), and of JWTs that are encrypted to them (§4.1, §5.1).
var (
	privateKeyAlgs = []string{"RS256", "PS256", "ES256", "EdDSA"}
	secretAlgs     = []string{"HS256", "HS384", "HS512"}
	fapi2Algs      = []string{"PS256", "ES256", "EdDSA"}
	encryptionAlgs = []string{"RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"}
	encryptionEncs = []string{"A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"}
)

// minSecret is the least number of bytes of a client_secret for HS256 (RFC 7518 §3.2).
const minSecret = 32

// DefaultEnc is the enc for a client that registered only an alg of encryption (Registration §2).
const DefaultEnc = string(jose.A128CBC_HS256)

// MaxClockSkew is how far the clock of a client may be ahead of the provider's, in every JWT that a client makes. FAPI
// 2.0 §5.3.2.1 wants 10 seconds accepted and more than 60 rejected.
const MaxClockSkew = 30 * time.Second

// CheckCrit returns an error for the header of a JWT that has crit, whatever is in it: a JWT with an extension that the
// recipient does not understand is invalid, and this module understands none. The list must not be empty either; the
// JOSE library accepts an empty one. https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
func CheckCrit(header jose.Header) error {
	if _, has := header.ExtraHeaders["crit"]; has {
		return errors.New("its header has crit, and no extension of JWS is understood here (RFC 7515 §4.1.11): leave it out")
	}
	return nil
}

// FAPI2Algs lists the algs that the FAPI 2.0 Security Profile allows (§5.4.1).
func FAPI2Algs() []string { return slices.Clone(fapi2Algs) }

// EncryptionAlgs lists the values of id_token_encrypted_response_alg and userinfo_encrypted_response_alg.
func EncryptionAlgs() []string { return slices.Clone(encryptionAlgs) }

// EncryptionEncs lists the values of id_token_encrypted_response_enc and userinfo_encrypted_response_enc.
func EncryptionEncs() []string { return slices.Clone(encryptionEncs) }

// AssertionAlgs lists the algs that assertions of all clients may have.
func AssertionAlgs() []string { return slices.Concat(privateKeyAlgs, secretAlgs) }

// AssertionAlgs lists the algs that the client's assertions may have: by its method, its profile and its
// token_endpoint_auth_signing_alg. RFC 8725 §3.1: the verifier decides which algs are accepted, never the token.
func (c Client) AssertionAlgs() []string {
	return slices.DeleteFunc(slices.Clone(c.methodAlgs()), func(alg string) bool {
		return c.TokenEndpointAuthSigningAlg != "" && alg != c.TokenEndpointAuthSigningAlg
	})
}

// methodAlgs is AssertionAlgs, but ignores token_endpoint_auth_signing_alg.
func (c Client) methodAlgs() []string {
	switch {
	case c.TokenEndpointAuthMethod == AuthMethodSecretJWT:
		return secretAlgs
	case c.TokenEndpointAuthMethod != AuthMethodPrivateJWT:
		return nil
	case c.FAPI2():
		return fapi2Algs
	}
	return privateKeyAlgs
}

// DefaultSigningAlg returns the alg of signatures for a client that registered none, of the algs that a provider
// offers: RS256 (Registration §2, id_token_signed_response_alg: "The default, if omitted, is RS256"; JARM §3 and RFC
// 9701 §6 say the same), or the first alg if the provider does not offer RS256. offered must not be empty.
func DefaultSigningAlg[Alg ~string](offered []Alg) Alg {
	if slices.Contains(offered, "RS256") {
		return "RS256"
	}
	return offered[0]
}

// DefaultAlg returns the alg of signatures if the client registered none, or "" for the provider's default.
func (c Client) DefaultAlg() string {
	if c.FAPI2() {
		return c.IDTokenSignedResponseAlg
	}
	return ""
}

// The record of an access token has its audience as MessagePack, by methods that go generate writes.
//
//go:generate go tool msgp -io=false -tests=false

// Audience is the aud claim: on the wire one string, or an array of strings (RFC 7519 §4.1.3).
type Audience []string

// Has tells whether value is among the audience.
func (a Audience) Has(value string) bool { return slices.Contains(a, value) }

// MarshalJSON writes one value as a string, several as an array.
func (a Audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// UnmarshalJSON reads a string or an array of strings.
func (a *Audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = Audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}
