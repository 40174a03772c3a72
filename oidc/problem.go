package oidc

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Problem is one mistake in a client's metadata: the field (with an index if it is a list) and the text of a Report.
type Problem struct{ Field, Text string }

// Problems lists all mistakes that the client's metadata shows without other data; nil for a good client. local means
// that only this machine can reach the provider, so http addresses are allowed.
func (c Client) Problems(local bool) (found []Problem) {
	report := Report(func(field, text string) { found = append(found, Problem{field, text}) })
	report.When(c.ClientID == "", "client_id", "is empty: every client needs a client_id")
	report.When(strings.ContainsFunc(c.ClientID, func(r rune) bool { return r < 0x20 || r > 0x7e }), "client_id",
		"holds characters outside printable ASCII (RFC 6749 appendix A.1)")
	report.When(len(c.RedirectURIs) == 0 && c.Grants(GrantAuthorizationCode), "redirect_uris",
		"is empty: the code flow needs at least one, for example http://localhost:5173/callback")
	c.checkAuthentication(report)
	c.checkProfile(report)
	c.checkGrants(report)
	c.checkURIs(report, local)
	c.checkKeys(report)
	c.checkRequests(report)
	c.checkClaims(report)
	report.unlessLifetime("access_token_lifetime", c.AccessTokenLifetime)
	report.unlessLifetime("id_token_lifetime", c.IDTokenLifetime)
	report.unlessLifetime("refresh_token_lifetime", c.RefreshTokenLifetime)
	report.unlessOneOf("access_token_format", c.AccessTokenFormat, FormatOpaque)
	report.When(c.DefaultMaxAge != nil && *c.DefaultMaxAge < 0, "default_max_age",
		"is negative: write a number of seconds")
	return found
}

func (c Client) checkAuthentication(report Report) {
	method, alg, secret := c.TokenEndpointAuthMethod, c.TokenEndpointAuthSigningAlg, c.ClientSecret
	methods := []string{"", AuthMethodNone, AuthMethodBasic, AuthMethodPost, AuthMethodSecretJWT, AuthMethodPrivateJWT}
	report.When(!slices.Contains(methods, method), "token_endpoint_auth_method",
		"%q is not known: use %s for a public client, %s for a confidential one",
		method, AuthMethodNone, strings.Join(methods[2:], ", "))
	report.When(alg != "" && c.SignsAssertions() && len(c.AssertionAlgs()) == 0, "token_endpoint_auth_signing_alg",
		"%q is no alg for %s: leave it out, or use one of %s", alg, method, strings.Join(c.methodAlgs(), ", "))
	report.When(method == AuthMethodPrivateJWT && !c.hasKeys(), "jwks_uri",
		"is missing, and jwks too: private_key_jwt is verified with the client's public keys")
	size := len(secret.Plain())
	report.When(method == AuthMethodSecretJWT && size > 0 && size < minSecret, "client_secret",
		"has %d bytes; client_secret_jwt needs %d or more (RFC 7518 §3.2)", size, minSecret)
	report.When(c.Public() && !secret.IsZero(), "client_secret",
		"is given, but token_endpoint_auth_method none makes the client public: remove one of the two")
	report.When(!c.Public() && method != AuthMethodPrivateJWT && secret.IsZero(), "client_secret",
		"is missing: give one, or set token_endpoint_auth_method: none for a single-page or native app")
}

func (c Client) checkProfile(report Report) {
	report.unlessOneOf("profile", c.Profile, ProfileFAPI2)
	if !c.FAPI2() {
		return
	}
	report.When(c.TokenEndpointAuthMethod != AuthMethodPrivateJWT, "token_endpoint_auth_method",
		"is %q, but profile fapi2 demands private_key_jwt (FAPI 2.0 §5.3.2.1)", c.TokenEndpointAuthMethod)
	for _, signed := range []struct{ field, alg string }{
		{"id_token_signed_response_alg", c.IDTokenSignedResponseAlg},
		{"userinfo_signed_response_alg", c.UserinfoSignedResponseAlg},
		{"introspection_signed_response_alg", c.IntrospectionSignedResponseAlg},
	} {
		report.When(signed.alg != "" && !slices.Contains(fapi2Algs, signed.alg), signed.field,
			"is %q, but profile fapi2 demands one of %s (FAPI 2.0 §5.4.1)", signed.alg, strings.Join(fapi2Algs, ", "))
	}
}

func (c Client) checkGrants(report Report) {
	grants := []string{GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials, GrantDeviceCode}
	for i, grant := range c.GrantTypes {
		report.unlessOneOf(fmt.Sprintf("grant_types[%d]", i), grant, grants...)
	}
	for i, responseType := range c.ResponseTypes {
		report.unlessOneOf(fmt.Sprintf("response_types[%d]", i), responseType, "code")
	}
	report.When(slices.Contains(c.ResponseTypes, "code") && !c.Grants(GrantAuthorizationCode), "response_types",
		"code belongs to grant_types authorization_code, which is not there: add it, or write an empty list (RFC 7591 §2.1)")
	report.When(c.Public() && slices.Contains(c.GrantTypes, GrantClientCredentials), "grant_types",
		"client_credentials is for confidential clients only (RFC 6749 §4.4): choose another token_endpoint_auth_method "+
			"than none")
	report.unlessOneOf("application_type", c.ApplicationType, "web", "native")
	report.unlessOneOf("subject_type", c.SubjectType, SubjectPublic, SubjectPairwise)
}

func (c Client) hasKeys() bool { return c.JWKS != nil || c.JWKSURI != "" }

func (c Client) checkKeys(report Report) {
	report.When((c.IDTokenEncryptedResponseAlg != "" || c.UserinfoEncryptedResponseAlg != "") && !c.hasKeys(), "jwks_uri",
		"is missing, and jwks too: tokens and answers for the client are encrypted with its public key")
	report.unlessEncryption("id_token", c.IDTokenEncryptedResponseAlg, c.IDTokenEncryptedResponseEnc)
	report.unlessEncryption("userinfo", c.UserinfoEncryptedResponseAlg, c.UserinfoEncryptedResponseEnc)
	if c.JWKS == nil {
		return
	}
	report.When(c.JWKSURI != "", "jwks", "stands beside jwks_uri: keep one of the two") // Registration §2
	report.When(len(c.JWKS.Keys) == 0, "jwks",
		"holds no key that can be read: write a JWK Set with the client's public keys (RFC 7517 §5)")
	for i, key := range c.JWKS.Keys {
		at := fmt.Sprintf("jwks.keys[%d]", i)
		report.When(!key.IsPublic(), at,
			"is private, symmetric or no key at all: register public keys only, and replace a private one that was shown")
		report.When(key.IsPublic() && !key.Valid(), at, "is no valid key")
	}
}

// checkRequests checks the metadata about authorization requests and their answers.
func (c Client) checkRequests(report Report) {
	algs, alg := privateKeyAlgs, c.RequestObjectSigningAlg
	if c.FAPI2() {
		algs = fapi2Algs
	}
	report.When(c.RequireSignedRequestObject && alg == "none", "request_object_signing_alg",
		"is none, but require_signed_request_object demands a signature: choose one of %s", strings.Join(algs, ", "))
	report.When((c.RequireSignedRequestObject || slices.Contains(algs, alg)) && !c.hasKeys(), "jwks",
		"is missing, and so is jwks_uri: signed request objects need the client's key (RFC 9101 §6.2)")
	if c.FAPI2() || alg != "none" {
		report.unlessOneOf("request_object_signing_alg", alg, algs...)
	}
	// JARM §3: "The algorithm none is not allowed"
	report.unlessOneOf("authorization_signed_response_alg", c.AuthorizationSignedResponseAlg, algs...)
	for i, value := range c.DefaultACRValues {
		report.When(value == "" || strings.ContainsFunc(value, notURI), fmt.Sprintf("default_acr_values[%d]", i),
			"%q is no acr value: write a word or a URI without spaces", value)
	}
}

// unlessLifetime reports a lifetime below one second. Zero stands for the default.
func (r Report) unlessLifetime(field string, d time.Duration) {
	r.When(d < 0, field, "is negative: write a duration such as 5m")
	r.When(d > 0 && d < time.Second, field, "%v is less than a second: write a duration such as 5m", d)
}

// unlessOneOf reports a value that is neither empty nor known.
func (r Report) unlessOneOf(field, value string, known ...string) {
	r.When(value != "" && !slices.Contains(known, value), field,
		"%q is not supported; known are %s", value, strings.Join(known, ", "))
}

// unlessEncryption checks a pair of alg and enc. Registration §2: "When id_token_encrypted_response_enc is included,
// id_token_encrypted_response_alg MUST also be provided", and the same for userinfo.
func (r Report) unlessEncryption(of, alg, enc string) {
	r.unlessOneOf(of+"_encrypted_response_alg", alg, encryptionAlgs...)
	r.unlessOneOf(of+"_encrypted_response_enc", enc, encryptionEncs...)
	r.When(alg == "" && enc != "", of+"_encrypted_response_enc", "stands without %s_encrypted_response_alg: add that", of)
}

// notURI tells whether no URI may contain r (RFC 3986 §2). Browsers read a backslash as a slash.
func notURI(r rune) bool { return r <= 0x20 || r > 0x7e || strings.ContainsRune("\"<>\\^`{|}", r) }
