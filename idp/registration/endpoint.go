package registration

import (
	"context"
	"errors"
	"net/http"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// Endpoint is the client registration endpoint and the client configuration endpoint.
type Endpoint struct {
	Address string // of the endpoint; registration_client_uri stands below it
	// Admit tells whether the bearer of the initial access token may register; "" is none. RFC 7591 §3: the endpoint may be open, or
	// "protected by OAuth 2.0", with an initial access token. trusted tells that such a token came and is good.
	Admit    func(token string) (trusted bool, err error)
	Clients  *clients.Registered
	Fetch    Fetcher
	Metadata func() oidc.Metadata // what the provider can; what it cannot is not registered
	// SigningAlg is the default of id_token_signed_response_alg.
	SigningAlg string
	// Development is true for a provider on a loopback address, which nobody else can reach.
	Development bool
	Random      func() string // 128 bits or more, without a slash
}

// Fetcher is a *fetch.Client.
type Fetcher interface {
	Get(ctx context.Context, url string) ([]byte, error)
}

// Register is POST at the endpoint (RFC 7591 §3.1). Its errors are those of §3.2.2, invalid_token, or the store's.
func (e *Endpoint) Register(r *http.Request) (Information, error) {
	token, err := oidc.BearerToken(r.Header)
	if err != nil {
		return Information{}, err
	}
	trusted, err := e.Admit(token)
	if err != nil {
		return Information{}, err
	}
	client, _, err := e.read(r, trusted)
	if err != nil {
		return Information{}, err
	}
	client.ClientID = e.Random()
	secret, access := e.newSecret(client), e.newToken()
	client.ClientSecret = oidc.NewSecret(secret)
	entry := e.Clients.NewEntry(client, oidc.NewSecret(access))
	entry.Trusted = trusted
	return e.information(client, entry, secret, access), e.Clients.Add(r.Context(), entry)
}

// read gives the metadata of the request, judged. The secret is not its matter: one is put in place where the method needs it.
func (e *Endpoint) read(r *http.Request, trusted bool) (oidc.Client, document, error) {
	d, err := readDocument(r)
	if err != nil {
		return oidc.Client{}, nil, err
	}
	if _, ok := d["software_statement"]; ok {
		return oidc.Client{}, nil, oidc.UnapprovedSoftwareStatement.Errorf(
			"software_statement is not taken here, from nobody: send the metadata as plain JSON members (RFC 7591 §2.3)")
	}
	client, err := d.client()
	if err != nil {
		return oidc.Client{}, nil, err
	}
	client = withDefaults(client, e.SigningAlg)
	toBe := client
	toBe.ClientID, toBe.ClientSecret = "new", oidc.NewSecret(e.newSecret(client))
	return client, d, judge(r.Context(), request{Client: toBe, Endpoint: e, Provider: e.Metadata(), Trusted: trusted})
}

// Read is GET at the registration_client_uri (RFC 7592 §2.1).
func (e *Endpoint) Read(r *http.Request, clientID string) (Information, error) {
	entry, client, token, err := e.authorize(r, clientID)
	if err != nil {
		return Information{}, err
	}
	return e.information(client, entry, "", token), nil
}

// Update is PUT at the registration_client_uri (RFC 7592 §2.2): "The client MUST include all client metadata fields as returned
// to the client from a previous registration, read, or update operation", for what it leaves out is deleted.
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

// checkIdentity: RFC 7592 §2.2: the request "MUST include its client_id", which "MUST be the same as the client's currently issued
// client identifier"; the four that only the server says "MUST NOT" be in it; "If the client includes the client_secret field in
// the request, the value of this field MUST match the currently issued client secret for that client. The client MUST NOT be
// allowed to overwrite its existing client secret with its own chosen value."
func checkIdentity(d document, client oidc.Client) error {
	for _, name := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		if _, ok := d[name]; ok {
			return oidc.InvalidClientMetadata.Errorf("%s is for the provider to say: leave it out of an update (RFC 7592 §2.2)", name)
		}
	}
	_, says := d["client_secret"]
	switch {
	case d.text("client_id") != client.ClientID:
		return oidc.InvalidClientMetadata.Errorf("client_id is missing or another one; an update names the client that it is about (RFC 7592 §2.2)")
	case says && !client.ClientSecret.Matches(d.text("client_secret")):
		return oidc.InvalidClientMetadata.Errorf("client_secret is not the client's; send the one that was issued, or leave it out: no client chooses its own (RFC 7592 §2.2)")
	}
	return nil
}

// Delete is DELETE at the registration_client_uri (RFC 7592 §2.3).
func (e *Endpoint) Delete(r *http.Request, clientID string) error {
	if _, _, _, err := e.authorize(r, clientID); err != nil {
		return err
	}
	return gone(e.Clients.Remove(r.Context(), clientID))
}

// authorize finds the client whose registration access token came. RFC 7592 §2.1: of a client that does not exist "the server
// MUST respond with HTTP 401 Unauthorized", so it is the same as a wrong token.
func (e *Endpoint) authorize(r *http.Request, clientID string) (clients.Entry, oidc.Client, string, error) {
	token, err := oidc.BearerToken(r.Header)
	if err != nil {
		return clients.Entry{}, oidc.Client{}, "", err
	}
	if token == "" {
		return clients.Entry{}, oidc.Client{}, "", ErrNoToken
	}
	entry, err := e.Clients.ByToken(r.Context(), clientID, token)
	if err != nil {
		return clients.Entry{}, oidc.Client{}, "", gone(err)
	}
	client, err := e.Clients.Client(entry)
	return entry, client, token, err
}

// ErrNoToken is the answer to a request without the token that it needs.
var ErrNoToken = oidc.InvalidToken.Errorf("no access token came; send it as Authorization: Bearer and the token (RFC 7591 §3, RFC 7592 §2)")

// gone is the answer about a client that is not there, or not for who asks.
func gone(err error) error {
	if errors.Is(err, clients.ErrUnknown) {
		return oidc.InvalidToken.Errorf("the registration access token is not that of this client, or the client was deleted")
	}
	return err
}

// hasSecret tells whether the client's method needs a secret.
func hasSecret(c oidc.Client) bool {
	return c.TokenEndpointAuthMethod != oidc.AuthMethodNone && c.TokenEndpointAuthMethod != oidc.AuthMethodPrivateJWT
}

// needsPlain tells whether the provider must know the secret itself, not only its hash.
func needsPlain(c oidc.Client) bool { return c.TokenEndpointAuthMethod == oidc.AuthMethodSecretJWT }

// newSecret is a client_secret, for a client that needs one: more than the 64 bytes that HS512 takes as its key (RFC 7518 §3.2).
func (e *Endpoint) newSecret(c oidc.Client) string {
	if !hasSecret(c) {
		return ""
	}
	return e.Random() + e.Random() + e.Random()
}

func (e *Endpoint) newToken() string { return e.Random() + e.Random() }
