package rp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// errNoToken is no OAuth error: RFC 6750 §3.1, "If the request lacks any authentication information … the resource server
// SHOULD NOT include an error code".
var errNoToken = errors.New("no access token: send it as Authorization: Bearer followed by the token")

// presentedToken finds the access token of a request, and the scheme it comes with: RFC 6750 §2, "Clients MUST NOT use more than one
// method to transmit the token in each request".
func presentedToken(r *http.Request) (scheme, token string, err error) {
	if r.URL.Query().Has("access_token") {
		return "", "", oidc.InvalidRequest.Errorf("the access token is in the query: send it in the Authorization header, there only")
	}
	token, err = oidc.BearerToken(r.Header)
	if err != nil || token != "" {
		return tokenTypeBearer, token, err
	}
	token, err = oidc.DPoPToken(r.Header)
	if err == nil && token == "" {
		err = errNoToken
	}
	return tokenTypeDPoP, token, err
}

// refuse answers as RFC 6750 §3 says.
func (s *Resource) refuse(w http.ResponseWriter, r *http.Request, scope oidc.Scope, err error) {
	challenge := s.challenge(r)
	if errors.Is(err, errNoToken) {
		w.Header().Set("WWW-Authenticate", challenge)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error_description": err.Error()})
		return
	}
	e := asError(err)
	s.config.Log.InfoContext(r.Context(), "request to the API refused",
		"error", string(e.Code), "error_description", e.Description, "cause", e.Unwrap())
	switch e.Code {
	case oidc.InvalidRequest, oidc.InvalidToken, oidc.InsufficientScope, oidc.InvalidDPoPProof:
		// Errorf has kept to ASCII without quotes.
		challenge += fmt.Sprintf(`, error="%s", error_description="%s"`, e.Code, e.Description)
		if e.Code == oidc.InsufficientScope {
			challenge += fmt.Sprintf(`, scope="%s"`, scope)
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	code := status(e)
	if e.Code == oidc.InvalidDPoPProof { // RFC 9449 §7.1
		code = http.StatusUnauthorized
	}
	writeJSON(w, code, e)
}

// challenge speaks of the scheme that the request came with.
func (s *Resource) challenge(r *http.Request) string {
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, tokenTypeDPoP) {
		return fmt.Sprintf(`DPoP realm="%s", algs="%s"`, s.config.Realm, strings.Join(asymmetricNames(), " "))
	}
	return fmt.Sprintf(`Bearer realm="%s"`, s.config.Realm)
}
