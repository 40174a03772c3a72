package token

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// credentials are a client's claim to be somebody, by one of the methods of Core §9.
type credentials struct{ clientID, secret, method string }

// authenticate finds out which client is asking. RFC 6749 §2.3: "The client MUST NOT use more than one authentication
// method in each request."
// https://www.rfc-editor.org/rfc/rfc6749#section-2.3
func (e *Endpoint) authenticate(r *http.Request, form url.Values) (oidc.Client, error) {
	given, err := readCredentials(r, form)
	if err != nil {
		return oidc.Client{}, oidc.AsError(err).Blame(oidc.ClientAuthentication)
	}
	client, ok := e.Clients.ByID(given.clientID)
	if !ok {
		return oidc.Client{}, oidc.InvalidClient.Errorf("client_id %.100q is not registered at this provider", given.clientID).Blame(oidc.ClientUnknown)
	}
	if err := verify(client, given); err != nil {
		return oidc.Client{}, oidc.AsError(err).Blame(oidc.ClientAuthentication)
	}
	return client, nil
}

// readCredentials tells which method the request uses, and that it is only one.
func readCredentials(r *http.Request, form url.Values) (credentials, error) {
	fromBody := credentials{form.Get("client_id"), form.Get("client_secret"), oidc.AuthMethodPost}
	if fromBody.secret == "" {
		fromBody.method = oidc.AuthMethodNone
	}
	switch {
	case r.Header.Get("Authorization") != "":
		return fromHeader(r, fromBody)
	case fromBody.clientID == "":
		return credentials{}, oidc.InvalidClient.Errorf("the client does not say who it is: send client_id, and client_secret if it has one")
	}
	return fromBody, nil
}

// fromHeader reads client_secret_basic. RFC 6749 §2.3.1: id and secret are each encoded as in a form before they are
// joined by a colon.
func fromHeader(r *http.Request, fromBody credentials) (credentials, error) {
	user, password, ok := r.BasicAuth()
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	switch {
	case !ok || errID != nil || errSecret != nil:
		return credentials{}, oidc.InvalidClient.Errorf(
			"the Authorization header cannot be read; expected Basic and the base64 of client_id:client_secret, each form-encoded (RFC 6749 §2.3.1)")
	case fromBody.secret != "":
		return credentials{}, oidc.InvalidClient.Errorf("the client authenticates twice, in the header and in the body; do it once (RFC 6749 §2.3)")
	case fromBody.clientID != "" && fromBody.clientID != id:
		return credentials{}, oidc.InvalidClient.Errorf("the client_id of the body is not that of the Authorization header")
	}
	return credentials{id, secret, oidc.AuthMethodBasic}, nil
}

// verify compares what was given with what is registered.
func verify(client oidc.Client, given credentials) error {
	switch {
	case client.Public() && given.method != oidc.AuthMethodNone:
		return oidc.InvalidClient.Errorf("client %s is public and has no secret, but sent one; send client_id only, and code_verifier", client.ClientID)
	case given.method == oidc.AuthMethodNone && !client.Public():
		return oidc.InvalidClient.Errorf("client %s is confidential; send its client_secret", client.ClientID)
	case !client.Allows(given.method):
		return oidc.InvalidClient.Errorf("client %s used %s; its registered token_endpoint_auth_method is %s",
			client.ClientID, given.method, client.TokenEndpointAuthMethod)
	case !client.Public() && !client.ClientSecret.Matches(given.secret):
		return oidc.InvalidClient.Errorf("the client_secret of client %s is wrong", client.ClientID)
	}
	return nil
}

// Challenge is the WWW-Authenticate header of an invalid_client answer. RFC 6749 §5.2: the response MUST include the
// "WWW-Authenticate" response header field matching the authentication scheme used by the client.
func Challenge(realm string) string {
	return `Basic realm="` + strings.ReplaceAll(realm, `"`, "") + `", charset="UTF-8"`
}
