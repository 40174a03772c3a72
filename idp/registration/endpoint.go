// Package registration lets clients register themselves: RFC 7591 (and OpenID Connect Dynamic Client Registration), and
// read, change and delete their registration (RFC 7592).
//
//	POST /register ──► open? else an initial access token ──► read ──► defaults ──► rules ──► clients.Registered
//	      201 {client_id, client_secret, registration_access_token, registration_client_uri, … all metadata}
//	                                                       │
//	GET, PUT, DELETE /register/{client_id} ◄───────────────┘  by the registration access token
//
// The store has only hashes of the secret and of the registration access token. So a later answer repeats the token of
// the request, and has no secret, unless the request makes a new one.
//
// Where teaching ends: software statements are refused; names in several languages (client_name#ja) are ignored, like
// all unknown metadata. Deleting a client leaves its access tokens valid: they live for minutes.
package registration

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Path is the path of the client registration endpoint (RFC 7591 §3); each client's configuration endpoint (RFC 7592
// §2) is below it.
const Path = "/register"

// Endpoint is the client registration endpoint and the client configuration endpoint.
type Endpoint struct {
	Issuer      string
	Config      Config
	Tickets     session.Seal[Ticket] // initial access tokens that InitialAccessToken makes
	Clients     *clients.Registered
	Fetch       *fetch.Client
	Metadata    *oidc.Metadata // of the provider, complete before the first request
	Provided    clients.Provided
	SigningAlg  string         // the default of id_token_signed_response_alg
	Development bool           // the provider is on a loopback address: only this machine can reach it
	Random      func() string  // 128 bits or more, without a slash
	Limit       endpoint.Limit // of requests that register or change a client
	Errors      endpoint.Errors
}

// Endpoints returns POST /register, and GET, PUT and DELETE /register/{client_id}; none if registration is off.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	anyOrigin := e.Config.Mode == ModeOpen // a client that registers itself has no known origin yet
	describe, serve := func(m *oidc.Metadata) { m.RegistrationEndpoint = e.Issuer + Path }, e.serve
	if !e.Config.Enabled() { // scripts may read that there is nothing
		describe, serve = nil, func(http.ResponseWriter, *http.Request) error { return endpoint.ErrNotFound }
	}
	return []endpoint.Endpoint{{
		Name: "register", Path: Path, Methods: []string{http.MethodPost}, Audience: endpoint.Programs, Serve: serve,
		AnyOrigin: anyOrigin, Limit: e.Limit, Describe: describe,
	}, {
		Name: "register", Path: Path + "/{client_id}", Methods: []string{http.MethodPut}, Audience: endpoint.Programs,
		AnyOrigin: anyOrigin, Serve: serve, Limit: e.Limit,
	}, {
		Name: "register", Path: Path + "/{client_id}", Methods: []string{http.MethodGet, http.MethodDelete},
		Audience: endpoint.Programs, AnyOrigin: anyOrigin, Serve: serve,
	}}
}

// serve answers with the registration of the client. The answer to a missing or wrong token has the header
// WWW-Authenticate (RFC 6750 §3).
func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) error {
	status, information, err := e.handle(r)
	switch {
	case err == nil && status == http.StatusNoContent:
		w.WriteHeader(status)
		return nil
	case err == nil:
		w.Header().Set("Pragma", "no-cache") // as in the examples of RFC 7591 §3.2.1
		return oidc.WriteJSON(w, status, information)
	case oidc.AsError(err).Code == oidc.InvalidToken:
		challenge := fmt.Sprintf("Bearer realm=%q", e.Issuer)
		if explained := e.Errors.Explain(r.Context(), err); err != errNoToken {
			challenge += fmt.Sprintf(", error=%q, error_description=%q", explained.Code, explained.Description)
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	return err
}

func (e *Endpoint) handle(r *http.Request) (status int, information Information, err error) {
	status = http.StatusOK
	switch id := r.PathValue("client_id"); r.Method {
	case http.MethodPost:
		status = http.StatusCreated
		information, err = e.Register(r)
	case http.MethodPut:
		information, err = e.Update(r, id)
	case http.MethodDelete:
		status, err = http.StatusNoContent, e.Delete(r, id)
	default:
		information, err = e.Read(r, id)
	}
	return status, information, err
}

// Register registers a client (RFC 7591 §3.1). Its errors are those of §3.2.2, invalid_token, or the store's.
func (e *Endpoint) Register(r *http.Request) (Information, error) {
	trusted, err := e.admit(r)
	if err != nil {
		return Information{}, err
	}
	client, _, err := e.read(r, trusted)
	if err != nil {
		return Information{}, err
	}
	client.ClientID = e.Random()
	secret, access := e.newSecret(client), e.Random()+e.Random()
	client.ClientSecret = oidc.NewSecret(secret)
	entry := e.Clients.NewEntry(client, oidc.NewSecret(access))
	entry.Trusted = trusted
	return e.information(client, entry, secret, access), e.Clients.Add(r.Context(), entry)
}

// read returns the metadata of the request if the rules accept it. The client has no secret yet; the rules see a new
// one if the client's method needs it.
func (e *Endpoint) read(r *http.Request, trusted bool) (oidc.Client, document, error) {
	d, err := readDocument(r)
	if err != nil {
		return oidc.Client{}, nil, err
	}
	if _, ok := d["software_statement"]; ok {
		return oidc.Client{}, nil, oidc.UnapprovedSoftwareStatement.Errorf(
			"software_statement is not supported: send the metadata as plain JSON members (RFC 7591 §2.3)")
	}
	client, err := d.client()
	if err != nil {
		return oidc.Client{}, nil, err
	}
	client = withDefaults(client, e.SigningAlg)
	planned := client
	planned.ClientID, planned.ClientSecret = "new", oidc.NewSecret(e.newSecret(client))
	return client, d, judge(r.Context(), &request{Client: planned, Endpoint: e, Trusted: trusted})
}

// Read returns the registration of a client (RFC 7592 §2.1).
func (e *Endpoint) Read(r *http.Request, clientID string) (Information, error) {
	entry, client, token, err := e.authorize(r, clientID)
	if err != nil {
		return Information{}, err
	}
	return e.information(client, entry, "", token), nil
}

// Update replaces the registration of a client (RFC 7592 §2.2). Members that are missing in the request are deleted.
func (e *Endpoint) Update(r *http.Request, clientID string) (Information, error) {
	old, before, token, err := e.authorize(r, clientID)
	if err != nil {
		return Information{}, err
	}
	client, d, err := e.read(r, old.Trusted)
	if err != nil {
		return Information{}, err
	}
	if err := checkIdentity(d, before); err != nil {
		return Information{}, err
	}
	client.ClientID = clientID
	shown, secret := d.text("client_secret"), before.ClientSecret
	switch {
	case !hasSecret(client):
		shown, secret = "", oidc.Secret{}
	case before.ClientSecret.IsZero() || needsPlain(client) && shown == "" && before.ClientSecret.Plain() == "":
		shown = e.newSecret(client)
		secret = oidc.NewSecret(shown)
	case shown != "":
		secret = oidc.NewSecret(shown)
	}
	client.ClientSecret = secret
	changed := e.Clients.With(old, client)
	if err := e.Clients.Replace(r.Context(), changed); err != nil {
		return Information{}, gone(err)
	}
	return e.information(client, changed, shown, token), nil
}

// checkIdentity: RFC 7592 §2.2: an update "MUST include its client_id", the issued one; four members that only the
// server sets "MUST NOT" be in it; a client_secret in it "MUST match the currently issued client secret".
func checkIdentity(d document, client oidc.Client) error {
	for _, name := range []string{
		"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at",
	} {
		if _, ok := d[name]; ok {
			return oidc.InvalidClientMetadata.Errorf(
				"only the provider sets %s: leave it out of an update (RFC 7592 §2.2)", name)
		}
	}
	_, says := d["client_secret"]
	switch {
	case d.text("client_id") != client.ClientID:
		return oidc.InvalidClientMetadata.Errorf(
			"client_id is missing or another one; an update names the client that it is about (RFC 7592 §2.2)")
	case says && !client.ClientSecret.Matches(d.text("client_secret")):
		return oidc.InvalidClientMetadata.Errorf(
			"client_secret is not the client's; send the one that was issued, or leave it out (RFC 7592 §2.2)")
	}
	return nil
}

// Delete deletes a client (RFC 7592 §2.3).
func (e *Endpoint) Delete(r *http.Request, clientID string) error {
	if _, _, _, err := e.authorize(r, clientID); err != nil {
		return err
	}
	return gone(e.Clients.Remove(r.Context(), clientID))
}

// authorize returns the client of the registration access token. RFC 7592 §2.1: for a client that does not exist "the
// server MUST respond with HTTP 401 Unauthorized", as for a wrong token.
func (e *Endpoint) authorize(r *http.Request, clientID string) (clients.Entry, oidc.Client, string, error) {
	token, err := oidc.BearerToken(r.Header)
	if err != nil {
		return clients.Entry{}, oidc.Client{}, "", err
	}
	if token == "" {
		return clients.Entry{}, oidc.Client{}, "", errNoToken
	}
	entry, err := e.Clients.ByToken(r.Context(), clientID, token)
	if err != nil {
		return clients.Entry{}, oidc.Client{}, "", gone(err)
	}
	client, err := e.Clients.Client(entry)
	return entry, client, token, err
}

// errNoToken refuses a request without the token that it needs.
var errNoToken = oidc.InvalidToken.Errorf(
	"no access token came; send it as Authorization: Bearer and the token (RFC 7591 §3, RFC 7592 §2)")

// gone refuses a request about a client that does not exist, or with a wrong token.
func gone(err error) error {
	if errors.Is(err, clients.ErrUnknown) {
		return oidc.InvalidToken.Errorf("the registration access token is not that of this client, or the client was deleted")
	}
	return err
}

// hasSecret says whether the client's method needs a secret.
func hasSecret(c oidc.Client) bool {
	return c.TokenEndpointAuthMethod != oidc.AuthMethodNone && c.TokenEndpointAuthMethod != oidc.AuthMethodPrivateJWT
}

// needsPlain says whether the provider must know the secret itself, not only its hash.
func needsPlain(c oidc.Client) bool { return c.TokenEndpointAuthMethod == oidc.AuthMethodSecretJWT }

// newSecret makes a client_secret if the client needs one. HS512 needs 64 bytes (RFC 7518 §3.2); it has more.
func (e *Endpoint) newSecret(c oidc.Client) string {
	if !hasSecret(c) {
		return ""
	}
	return e.Random() + e.Random() + e.Random()
}

// Information is the answer about a client (RFC 7591 §3.2.1, RFC 7592 §3): all its metadata as registered, including
// defaults, and the token and URI for managing its registration.
type Information struct {
	oidc.Client
	// ClientSecret is set when it was just made; the store has only its hash.
	ClientSecret            string `json:"client_secret,omitempty"`
	ClientSecretExpiresAt   *int64 `json:"client_secret_expires_at,omitempty"` // 0: never; set with ClientSecret
	ClientIDIssuedAt        int64  `json:"client_id_issued_at"`                // seconds since 1970
	RegistrationAccessToken string `json:"registration_access_token"`
	RegistrationClientURI   string `json:"registration_client_uri"`
}

// information is the answer about the entry. secret is empty unless it was just made or came with the request.
func (e *Endpoint) information(client oidc.Client, entry clients.Entry, secret, token string) Information {
	i := Information{
		Client: client, ClientSecret: secret, ClientIDIssuedAt: entry.IssuedAt.Unix(),
		RegistrationAccessToken: token, RegistrationClientURI: e.Issuer + Path + "/" + client.ClientID,
	}
	i.Client.ClientSecret = oidc.Secret{}
	if secret != "" {
		i.ClientSecretExpiresAt = new(int64)
	}
	return i
}
