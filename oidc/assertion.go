package oidc

import (
	"slices"
	"strings"
	"time"
)

// What a client's assertion may be signed or authenticated with (RFC 7518 §3.1).
var (
	privateKeyAlgs = []string{"RS256", "PS256", "ES256", "EdDSA"}
	secretAlgs     = []string{"HS256", "HS384", "HS512"}
	// fapi2Algs: FAPI 2.0 Security Profile §5.4.1: "shall […] use PS256, ES256, or EdDSA (using the Ed25519 variant)
	// algorithms".
	fapi2Algs = []string{"PS256", "ES256", "EdDSA"}
)

// FAPI2Algs lists the algs that the FAPI 2.0 Security Profile leaves (§5.4.1).
func FAPI2Algs() []string { return slices.Clone(fapi2Algs) }

// AssertionAlgs lists the algs that assertions of all clients may have.
func AssertionAlgs() []string { return slices.Concat(privateKeyAlgs, secretAlgs) }

// AssertionAlgs lists the algs that the client's assertions may have: by its method, its profile and its
// token_endpoint_auth_signing_alg. RFC 8725 §3.1: the verifier decides which algs are accepted, never the token.
func (c Client) AssertionAlgs() []string {
	var algs []string
	switch {
	case c.TokenEndpointAuthMethod == AuthMethodSecretJWT:
		algs = slices.Clone(secretAlgs)
	case c.TokenEndpointAuthMethod == AuthMethodPrivateJWT && c.FAPI2():
		algs = slices.Clone(fapi2Algs)
	case c.TokenEndpointAuthMethod == AuthMethodPrivateJWT:
		algs = slices.Clone(privateKeyAlgs)
	}
	if c.TokenEndpointAuthSigningAlg == "" {
		return algs
	}
	return slices.DeleteFunc(algs, func(alg string) bool { return alg != c.TokenEndpointAuthSigningAlg })
}

// minSecret is what HS256 needs. RFC 7518 §3.2: "A key of the same size as the hash output […] or larger MUST be used
// with this algorithm."
const minSecret = 32

// assertions judges what private_key_jwt and client_secret_jwt need.
func (p *problems) assertions(c Client) {
	alg := c.TokenEndpointAuthSigningAlg
	p.when(alg != "" && c.SignsAssertions() && len(c.AssertionAlgs()) == 0, "token_endpoint_auth_signing_alg",
		"%q is no alg for %s: leave it out, or use one of %s", alg, c.TokenEndpointAuthMethod, strings.Join(Client{
			TokenEndpointAuthMethod: c.TokenEndpointAuthMethod, Profile: c.Profile}.AssertionAlgs(), ", "))
	p.when(c.TokenEndpointAuthMethod == AuthMethodPrivateJWT && c.JWKS == nil && c.JWKSURI == "", "jwks_uri",
		"is missing, and jwks too: private_key_jwt is verified with the client's public keys")
	p.when(
		(c.IDTokenEncryptedResponseAlg != "" || c.UserinfoEncryptedResponseAlg != "") && c.JWKS == nil && c.JWKSURI == "",
		"jwks_uri",
		"is missing, and jwks too: what is encrypted to the client is encrypted with its public key")
	secret := c.ClientSecret.Plain()
	p.when(c.TokenEndpointAuthMethod == AuthMethodSecretJWT && secret != "" && len(secret) < minSecret, "client_secret",
		"has %d bytes; client_secret_jwt needs %d or more (RFC 7518 §3.2)", len(secret), minSecret)
	p.when(c.FAPI2() && c.TokenEndpointAuthMethod != AuthMethodPrivateJWT, "token_endpoint_auth_method",
		"is %q, but profile fapi2 demands private_key_jwt (FAPI 2.0 §5.3.2.1)", c.TokenEndpointAuthMethod)
	p.fapi2Alg(c, "id_token_signed_response_alg", c.IDTokenSignedResponseAlg)
	p.fapi2Alg(c, "userinfo_signed_response_alg", c.UserinfoSignedResponseAlg)
	p.fapi2Alg(c, "authorization_signed_response_alg", c.AuthorizationSignedResponseAlg)
	p.fapi2Alg(c, "introspection_signed_response_alg", c.IntrospectionSignedResponseAlg)
	p.when(
		c.Profile != "" && c.Profile != ProfileFAPI2, "profile", "%q is not known: leave it out, or write %s",
		c.Profile, ProfileFAPI2,
	)
}

func (p *problems) fapi2Alg(c Client, field, alg string) {
	p.when(c.FAPI2() && alg != "" && !slices.Contains(fapi2Algs, alg), field,
		"is %q, but profile fapi2 demands one of %s (FAPI 2.0 §5.4.1)", alg, strings.Join(fapi2Algs, ", "))
}

// DefaultAlg is the alg of what is signed for the client and has no alg registered, such as its access tokens: the
// provider's default (""), unless the profile leaves fewer.
func (c Client) DefaultAlg() string {
	if c.FAPI2() {
		return c.IDTokenSignedResponseAlg
	}
	return ""
}

// MaxClockSkew is how far the clock of a client may be ahead of the provider's, in every JWT that a client makes. FAPI
// 2.0 §5.3.2.1 wants 10 seconds accepted and more than 60 rejected.
const MaxClockSkew = 30 * time.Second
