package oidc

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

// The values of token_type (RFC 6750 §6.1.1, RFC 9449 §5).
const (
	TokenTypeBearer = "Bearer"
	TokenTypeDPoP   = "DPoP"
)

// LettersAndDigits are the letters and digits of ASCII: ALPHA and DIGIT of RFC 5234 appendix B.1.
const LettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// IsMadeOf reports whether each character of text is in chars, which must be ASCII. An empty text is.
func IsMadeOf(text, chars string) bool { return strings.Trim(text, chars) == "" }

// b64token is RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
var b64token = regexp.MustCompile(`^[A-Za-z0-9\-._~+/]+=*$`)

// Authorization returns the scheme and the credentials of the Authorization header. RFC 9110 §11.4: one space or more
// separates them.
func Authorization(h http.Header) (scheme, credentials string) {
	scheme, credentials, _ = strings.Cut(h.Get("Authorization"), " ")
	return scheme, strings.TrimLeft(credentials, " ")
}

// BasicAuth returns the user and the password of the scheme Basic (RFC 7617 §2), as net/http does for one space.
func BasicAuth(h http.Header) (user, password string, ok bool) {
	scheme, credentials := Authorization(h)
	if scheme == "" {
		return "", "", false
	}
	return (&http.Request{Header: http.Header{"Authorization": {scheme + " " + credentials}}}).BasicAuth()
}

// BearerToken returns the access token of the Authorization header (RFC 6750 §2.1), or "" without a Bearer header. More
// than one Authorization header, or a Bearer without a token, is an invalid_request.
func BearerToken(h http.Header) (string, error) {
	if count := len(h.Values("Authorization")); count > 1 {
		return "", InvalidRequest.Errorf("the request has %d Authorization headers: send one", count)
	}
	return tokenOf(h, TokenTypeBearer, "RFC 6750 §2.1")
}

// DPoPToken is BearerToken for the authentication scheme DPoP (RFC 9449 §7.1).
func DPoPToken(h http.Header) (string, error) { return tokenOf(h, TokenTypeDPoP, "RFC 9449 §7.1") }

func tokenOf(h http.Header, wanted, spec string) (string, error) {
	scheme, token := Authorization(h)
	if !strings.EqualFold(scheme, wanted) { // RFC 9110 §11.1: schemes are case-insensitive
		return "", nil
	}
	if len(h.Values("Authorization")) > 1 || !b64token.MatchString(token) {
		return "", InvalidRequest.Errorf("expected: one Authorization header with '%s', a space and a token (%s)",
			wanted, spec)
	}
	return token, nil
}

// WriteJSON answers with v as JSON. It returns an error if the connection fails or v cannot be encoded as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}
