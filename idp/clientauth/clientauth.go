// Package clientauth authenticates clients at the endpoints to which they send requests by themselves: the token
// endpoint and others like it (RFC 6749 §2.3, Core §9).
//
//	request ─► ReadForm ─► its method, exactly one ─► the client ─► its registered method? ─► proof good? ─► Client
//	                                                                                        │
//	                                                      a secret: compare ◄──────────────┤
//	                  an assertion: signature ─► the rules ─► jti not used before ◄────────┘
//
// An assertion is used up when it is accepted, even if the request then fails: a second request needs a new assertion.
//
// Where teaching ends: mutual TLS (RFC 8705) is not supported; a proxy in front of the provider usually ends TLS.
package clientauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Authenticator authenticates the clients that send requests to one issuer.
type Authenticator struct {
	Issuer        string
	TokenEndpoint string // its URL is an audience of assertions at all endpoints
	Clients       clients.Lookup
	Keys          *clients.Keys
	Assertions    storage.Bucket[time.Time] // used assertions, and when they were used
	BackChannel   endpoint.BackChannel
	Development   bool // errors say whether a wrong secret was right before it was decoded
	Now           func() time.Time
}

// credentials are the values by which a request authenticates the client, by one method of Core §9. raw is the secret
// that a client meant if it did not form-encode the secret.
type credentials struct{ clientID, secret, raw, assertion, method string }

// Methods lists the supported values of token_endpoint_auth_method.
func Methods() []string {
	return []string{
		oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodSecretJWT, oidc.AuthMethodPrivateJWT, oidc.AuthMethodNone,
	}
}

// refuse makes the error about a client that is not authenticated.
var refuse = oidc.InvalidClient.Errorf

// Attempt is an authentication that ended; Err is nil if it succeeded.
type Attempt struct{ Err error }

// authenticated is the rule that reports the result of an authentication to an observer.
var authenticated = oidc.Table[Attempt]{{
	Spec: "RFC 6749 §2.3", Text: "the client is registered and authenticates by its registered method",
	Holds: func(a Attempt) bool { return a.Err == nil },
}}

// Authenticate returns the client that sent the request; with an error the Client is empty, never nil. RFC 6749 §2.3:
// "The client MUST NOT use more than one authentication method in each request." Its errors are invalid_client, or the
// store's. The caller must not change the client.
// https://www.rfc-editor.org/rfc/rfc6749#section-2.3
func (a *Authenticator) Authenticate(r *http.Request, form url.Values) (*oidc.Client, error) {
	client, err := a.authenticate(r, form)
	authenticated.Broken(r.Context(), Attempt{err})
	if err != nil {
		return &oidc.Client{}, err
	}
	return client, nil
}

func (a *Authenticator) authenticate(r *http.Request, form url.Values) (*oidc.Client, error) {
	given, err := readCredentials(r, form)
	if err != nil {
		return &oidc.Client{}, err
	}
	client, err := a.Clients.ByID(r.Context(), given.clientID)
	switch {
	case errors.Is(err, clients.ErrUnknown):
		return client, refuse("client_id %.100q is not registered at this provider", given.clientID).Blame(oidc.ClientUnknown)
	case err != nil:
		return client, err
	}
	if err := checkMethod(client, given); err != nil {
		return client, err
	}
	if given.assertion != "" {
		return client, a.checkAssertion(r, client, given.assertion)
	}
	if !client.Public() && !client.ClientSecret.Matches(given.secret) {
		return client, a.wrongSecret(client, given)
	}
	return client, nil
}

// wrongSecret makes the error about a wrong secret. In development mode it says so if the secret would be right in
// another encoding. In production it does not, because that is a comparison with a second secret.
func (a *Authenticator) wrongSecret(client *oidc.Client, given credentials) error {
	if a.Development && client.ClientSecret.Matches(given.raw) {
		return refuse("the client_secret of client %s would be right if it were form-encoded: write + as %%2B, / as %%2F, "+
			"= as %%3D, %% as %%25 (RFC 6749 §2.3.1)", client.ClientID)
	}
	return refuse("the client_secret of client %s is wrong", client.ClientID)
}

// checkMethod compares the method of the request with the registered one.
func checkMethod(client *oidc.Client, given credentials) error {
	switch {
	case client.FAPI2() && given.method != oidc.AuthMethodPrivateJWT:
		return refuse("client %s used %s; its profile fapi2 demands private_key_jwt (FAPI 2.0 §5.3.2.1)",
			client.ClientID, given.method)
	case given.assertion == "" && client.Public() && given.method != oidc.AuthMethodNone:
		return refuse("client %s is public and has no secret, but sent one; "+
			"send client_id only, and code_verifier", client.ClientID)
	case given.method == oidc.AuthMethodNone && !client.Public() && client.SignsAssertions():
		return refuse("client %s is confidential; send client_assertion_type and client_assertion (%s)",
			client.ClientID, client.TokenEndpointAuthMethod)
	case given.method == oidc.AuthMethodNone && !client.Public():
		return refuse("client %s is confidential; send its client_secret", client.ClientID)
	case !slices.Contains(client.AuthMethods(), given.method):
		return refuse("client %s used %s; its registered token_endpoint_auth_method is %s",
			client.ClientID, given.method, client.TokenEndpointAuthMethod)
	}
	return nil
}

// readCredentials returns the credentials of the request, which may use one method only.
func readCredentials(r *http.Request, form url.Values) (credentials, error) {
	body := credentials{clientID: form.Get("client_id"), secret: form.Get("client_secret"), method: oidc.AuthMethodPost}
	body.raw = strings.ReplaceAll(body.secret, " ", "+")
	if body.secret == "" {
		body.method = oidc.AuthMethodNone
	}
	switch count := len(r.Header.Values("Authorization")); {
	case count > 1: // a proxy before the provider may have read another one
		return credentials{}, refuse("the request has %d Authorization headers: send one (RFC 6749 §2.3)", count)
	case form.Get("client_assertion") != "" || form.Get("client_assertion_type") != "":
		return readAssertion(r, form)
	case r.Header.Get("Authorization") != "":
		return readBasic(r, body)
	case body.clientID == "":
		return credentials{}, refuse("the request names no client: send client_id, and client_secret if the client has one")
	}
	return body, nil
}

// readBasic reads client_secret_basic. RFC 6749 §2.3.1: id and secret are each encoded as in a form before they are
// joined by a colon.
func readBasic(r *http.Request, body credentials) (credentials, error) {
	user, password, ok := oidc.BasicAuth(r.Header)
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	switch {
	case !ok || errID != nil || errSecret != nil:
		return credentials{}, refuse("the Authorization header cannot be read; " +
			"expected Basic and the base64 of client_id:client_secret, each form-encoded (RFC 6749 §2.3.1)")
	case body.secret != "":
		return credentials{}, refuse(
			"the client authenticates twice, in the header and in the body; do it once (RFC 6749 §2.3)")
	case body.clientID != "" && body.clientID != id:
		return credentials{}, refuse("the client_id of the body is not that of the Authorization header")
	}
	return credentials{clientID: id, secret: secret, raw: password, method: oidc.AuthMethodBasic}, nil
}

// Challenge is the WWW-Authenticate header of an invalid_client answer. RFC 6749 §5.2: the response MUST include the
// "WWW-Authenticate" response header field matching the authentication scheme used by the client.
func Challenge(realm string) string {
	return `Basic realm="` + strings.ReplaceAll(realm, `"`, "") + `", charset="UTF-8"`
}

// ReadForm reads the body. RFC 6749 §3.2: "Request and response parameters MUST NOT be included more than once";
// parameters in the URL do not count, since URLs end in logs. The one exception is resource: RFC 8707 §2: "Multiple
// resource parameters MAY be used".
func ReadForm(r *http.Request) (url.Values, error) {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), oidc.FormType) {
		return nil, oidc.InvalidRequest.Errorf("the Content-Type is %.100q; expected %s (RFC 6749 §4.1.3)",
			media, oidc.FormType)
	}
	if err := oidc.ParseForm(r); err != nil {
		return nil, oidc.InvalidRequest.Errorf("the form in the body cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	isBad := func(value string) bool { return !utf8.ValidString(value) }
	var wrong []string
	for name, values := range r.PostForm {
		if len(values) > 1 && name != "resource" || slices.ContainsFunc(values, isBad) {
			wrong = append(wrong, name)
		}
	}
	if wrong == nil {
		return r.PostForm, nil
	}
	name := slices.Min(wrong) // always the same one
	if count := len(r.PostForm[name]); count > 1 && name != "resource" {
		return nil, oidc.InvalidRequest.Errorf(
			"%.50q came %d times; send each parameter once (RFC 6749 §3.2)", name, count)
	}
	return nil, oidc.InvalidRequest.Errorf("%.50q is not UTF-8 (RFC 6749 appendix B)", name)
}
