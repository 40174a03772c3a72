package oidc

import (
	"fmt"
	"slices"
	"strings"
)

// requests checks what the client registered about its authorization requests and their answers.
func (p *problems) requests(c Client) {
	algs := []string{"RS256", "PS256", "ES256", "EdDSA"}
	if c.FAPI2() {
		algs = FAPI2Algs()
	}
	p.one("request_object_signing_alg", c.RequestObjectSigningAlg, slices.Concat(algs, noSignature(c))...)
	p.when(c.RequireSignedRequestObject && c.RequestObjectSigningAlg == "none", "request_object_signing_alg",
		"is none, but require_signed_request_object demands a signature: choose one of %s", strings.Join(algs, ", "))
	p.when(
		(c.RequireSignedRequestObject || slices.Contains(algs, c.RequestObjectSigningAlg)) && c.JWKS == nil &&
			c.JWKSURI == "", "jwks",
		"is missing, and so is jwks_uri: signed request objects need the client's key (RFC 9101 §6.2)")
	p.one(
		"authorization_signed_response_alg", c.AuthorizationSignedResponseAlg,
		algs...) // JARM §3: "The algorithm none is not allowed"
	for i, uri := range c.RequestURIs {
		p.https(fmt.Sprintf("request_uris[%d]", i), uri, true) // Registration §2: pre-registered, and fetched
	}
	for i, value := range c.DefaultACRValues {
		p.when(
			value == "" || strings.ContainsFunc(value, notURI), fmt.Sprintf("default_acr_values[%d]", i),
			"%q is no acr value: write a word or a URI without spaces", value,
		)
	}
}

func noSignature(c Client) []string {
	if c.FAPI2() {
		return nil
	}
	return []string{"none"}
}
