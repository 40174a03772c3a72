package rp

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/hush-idp/hush/oidc"
)

// errNoToken is no OAuth error: RFC 6750 §3.1, "If the request lacks any authentication information … the resource server
// SHOULD NOT include an error code".
var errNoToken = errors.New("no access token: send it as Authorization: Bearer followed by the token")

// bearerToken finds the access token of a request: RFC 6750 §2, "Clients MUST NOT use more than one method to transmit the
// token in each request".
func bearerToken(r *http.Request) (string, error) {
	if r.URL.Query().Has("access_token") {
		return "", oidc.InvalidRequest.Errorf("the access token is in the query: send it in the Authorization header, there only")
	}
	token, err := oidc.BearerToken(r.Header)
	if err == nil && token == "" {
		return "", errNoToken
	}
	return token, err
}

// refuse answers as RFC 6750 §3 says.
func (s *Resource) refuse(w http.ResponseWriter, r *http.Request, scope oidc.Scope, err error) {
	challenge := fmt.Sprintf(`Bearer realm="%s"`, s.config.Realm)
	if errors.Is(err, errNoToken) {
		w.Header().Set("WWW-Authenticate", challenge)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error_description": err.Error()})
		return
	}
	e := asError(err)
	s.config.Log.InfoContext(r.Context(), "request to the API refused",
		"error", string(e.Code), "error_description", e.Description, "cause", e.Unwrap())
	switch e.Code {
	case oidc.InvalidRequest, oidc.InvalidToken, oidc.InsufficientScope:
		// Errorf has kept to ASCII without quotes.
		challenge += fmt.Sprintf(`, error="%s", error_description="%s"`, e.Code, e.Description)
		if e.Code == oidc.InsufficientScope {
			challenge += fmt.Sprintf(`, scope="%s"`, scope)
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	writeJSON(w, status(e), e)
}
