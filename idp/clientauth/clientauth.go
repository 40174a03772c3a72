package clientauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// Authenticator knows the clients, and judges what they bring.
type Authenticator struct {
	Issuer        string
	TokenEndpoint string // its URL, which an assertion may be for wherever it is sent
	Clients       Clients
	Keys          Keys
	Assertions    storage.Bucket[time.Time] // that were used, and when
	Now           func() time.Time
}

type (
	// Clients is a *clients.Register, or a decorator around one.
	Clients interface {
		ByID(ctx context.Context, clientID string) (oidc.Client, error)
	}
	// Keys is a *clients.Keys.
	Keys interface {
		Verify(ctx context.Context, client oidc.Client, compact string, algs []jose.SignatureAlgorithm) (jose.Header, []byte, error)
	}
)

// credentials are a client's claim to be somebody, by one of the methods of Core §9. Of an assertion only its alg can tell
// which of the two methods it is.
type credentials struct{ clientID, secret, assertion, method string }

// Methods lists the values of token_endpoint_auth_method that work.
func Methods() []string {
	return []string{oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodSecretJWT, oidc.AuthMethodPrivateJWT, oidc.AuthMethodNone}
}

// Authenticate finds out which client is asking. RFC 6749 §2.3: "The client MUST NOT use more than one authentication
// method in each request." Its errors are invalid_client, or the store's.
// https://www.rfc-editor.org/rfc/rfc6749#section-2.3
func (a *Authenticator) Authenticate(r *http.Request, form url.Values) (oidc.Client, error) {
	client, err := a.authenticate(r, form)
	if err != nil {
		tellRefused(r.Context(), err)
		return oidc.Client{}, err
	}
	trace.Take(r.Context(), &authenticated)
	return client, nil
}

func (a *Authenticator) authenticate(r *http.Request, form url.Values) (oidc.Client, error) {
	given, err := readCredentials(r, form)
	if err != nil {
		return oidc.Client{}, oidc.AsError(err).Blame(oidc.ClientAuthentication)
	}
	client, err := a.Clients.ByID(r.Context(), given.clientID)
	switch {
	case errors.Is(err, clients.ErrUnknown):
		return oidc.Client{}, oidc.InvalidClient.Errorf("client_id %.100q is not registered at this provider", given.clientID).Blame(oidc.ClientUnknown)
	case err != nil:
		return oidc.Client{}, err
	}
	if err := a.verify(r, client, given); err != nil {
		return oidc.Client{}, blame(err)
	}
	return client, nil
}

// blame gives the reason to an error that is the client's, and none to one of the store.
func blame(err error) error {
	if e, ok := errors.AsType[*oidc.Error](err); ok && e.Code == oidc.InvalidClient {
		return e.Blame(oidc.ClientAuthentication)
	}
	return err
}

func (a *Authenticator) verify(r *http.Request, client oidc.Client, given credentials) error {
	switch {
	case client.FAPI2() && given.method != oidc.AuthMethodPrivateJWT:
		return oidc.InvalidClient.Errorf("client %s used %s; its profile fapi2 demands private_key_jwt (FAPI 2.0 section 5.3.2.1)", client.ClientID, given.method)
	case given.assertion != "":
		return a.assertion(r, client, given)
	}
	return verify(client, given)
}

var authenticated = trace.Step{Kind: trace.KindClient, Spec: "RFC 6749 §2.3", Text: "the client is who it says, by its registered method", Outcome: trace.OK}

// tellRefused tells the trace that the client is not who it says.
func tellRefused(ctx context.Context, err error) {
	step := authenticated
	step.Text, step.Outcome, step.Reason = "the client is not known, or did not prove who it is", trace.Failed, string(oidc.AsError(err).Reason)
	trace.Emit(ctx, step)
}

// readCredentials tells which method the request uses, and that it is only one.
func readCredentials(r *http.Request, form url.Values) (credentials, error) {
	fromBody := credentials{clientID: form.Get("client_id"), secret: form.Get("client_secret"), method: oidc.AuthMethodPost}
	if fromBody.secret == "" {
		fromBody.method = oidc.AuthMethodNone
	}
	switch {
	case form.Get("client_assertion") != "" || form.Get("client_assertion_type") != "":
		return fromAssertion(r, form)
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
	return credentials{clientID: id, secret: secret, method: oidc.AuthMethodBasic}, nil
}

// verify compares what was given with what is registered.
func verify(client oidc.Client, given credentials) error {
	switch {
	case client.Public() && given.method != oidc.AuthMethodNone:
		return oidc.InvalidClient.Errorf("client %s is public and has no secret, but sent one; send client_id only, and code_verifier", client.ClientID)
	case given.method == oidc.AuthMethodNone && !client.Public() && client.SignsAssertions():
		return oidc.InvalidClient.Errorf("client %s is confidential; send client_assertion_type and client_assertion (%s)", client.ClientID, client.TokenEndpointAuthMethod)
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
