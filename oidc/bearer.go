package oidc

import (
	"net/http"
	"regexp"
	"strings"
)

// The values of token_type (RFC 6750 §6.1.1, RFC 9449 §5).
const (
	TokenTypeBearer = "Bearer"
	TokenTypeDPoP   = "DPoP"
)

// b64token is RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
var b64token = regexp.MustCompile(`^[A-Za-z0-9\-._~+/]+=*$`)

// BearerToken returns the access token of the Authorization header (RFC 6750 §2.1), or "" when the request uses no such
// authentication. More than one Authorization header, or a Bearer without a token, is an invalid_request.
func BearerToken(h http.Header) (string, error) {
	headers := h.Values("Authorization")
	if len(headers) > 1 {
		return "", InvalidRequest.Errorf("the request has %d Authorization headers: send one", len(headers))
	}
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") { // RFC 9110 §11.1: schemes are case-insensitive
		return "", nil
	}
	if !b64token.MatchString(token) {
		return "", InvalidRequest.Errorf("the Authorization header is not 'Bearer', one space and a token (RFC 6750 §2.1)")
	}
	return token, nil
}

// DPoPToken is BearerToken for the authentication scheme DPoP (RFC 9449 §7.1).
func DPoPToken(h http.Header) (string, error) {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "DPoP") {
		return "", nil
	}
	if len(h.Values("Authorization")) > 1 || !b64token.MatchString(token) {
		return "", InvalidRequest.Errorf(
			"the Authorization header is not one, of 'DPoP', one space and a token (RFC 9449 §7.1)")
	}
	return token, nil
}
