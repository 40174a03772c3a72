package token

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

// Path is the path of the token endpoint.
const Path = "/token"

// Endpoint is the token endpoint.
type Endpoint struct {
	Issuer string
	Auth   *clientauth.Authenticator
	Proofs *dpop.Checker
	Grants GrantTypes
	Limit  endpoint.Limit
}

// GrantTypes maps each supported value of grant_type to its implementation.
type GrantTypes map[string]GrantType

// GrantType serves the requests of one grant type. Its errors are *oidc.Error, or server errors.
type GrantType interface {
	tokens(ctx context.Context, r request) (Response, error)
}

// Names lists the values of grant_type.
func (g GrantTypes) Names() []string { return slices.Sorted(maps.Keys(g)) }

// Response is a successful answer (RFC 6749 §5.1, Core §3.1.3.3).
type Response struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"` // Bearer, or DPoP
	ExpiresIn    int    `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

// request is a token request of a client that authenticated. Each grant type reads some of the parameters.
type request struct {
	Client *oidc.Client
	JKT    string // the thumbprint of the DPoP proof's key; empty: no proof (RFC 9449 §5)

	Code         string
	RedirectURI  string
	CodeVerifier string
	RefreshToken string
	DeviceCode   string
	Scope        oidc.Scope
	Resource     []string
}

func parse(form url.Values, client *oidc.Client, jkt string) request {
	resources := form["resource"]
	if client.AudienceAsResource && len(resources) == 0 {
		resources = form["audience"]
	}
	return request{
		Client: client, JKT: jkt, Code: form.Get("code"), RedirectURI: form.Get("redirect_uri"),
		CodeVerifier: form.Get("code_verifier"), RefreshToken: form.Get("refresh_token"), DeviceCode: form.Get("device_code"),
		Scope: oidc.ParseScope(form.Get("scope")), Resource: resources,
	}
}

// Endpoints returns POST /token.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "token", Path: Path, Methods: []string{http.MethodPost}, Audience: endpoint.Programs, Serve: e.Serve,
		Limit: e.Limit, Describe: e.describe,
	}}
}

func (e *Endpoint) describe(m *oidc.Metadata) {
	m.TokenEndpoint = e.Issuer + Path
	m.GrantTypesSupported = e.Grants.Names()
	m.TokenEndpointAuthMethodsSupported = clientauth.Methods()
	m.TokenEndpointAuthAlgs = oidc.AssertionAlgs()
	m.DPoPSigningAlgValuesSupported = dpop.Algorithms()
}

// Serve answers a token request. With DPoP every answer, also an error, has a nonce for the next proof.
func (e *Endpoint) Serve(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Values(dpop.Header) != nil {
		e.Proofs.GiveNonce(w, r)
	}
	response, err := e.Exchange(r)
	if err != nil {
		return err
	}
	return oidc.WriteJSON(w, http.StatusOK, response)
}

// Exchange returns the tokens for a token request. It checks the DPoP proof before a grant type spends a code or token,
// so that a client can repeat a request with a nonce.
func (e *Endpoint) Exchange(r *http.Request) (Response, error) {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return Response{}, err
	}
	client, err := e.Auth.Authenticate(r, form)
	if err != nil {
		return Response{}, err
	}
	grantType, err := e.grantType(client, form.Get("grant_type"))
	if err != nil {
		return Response{}, err
	}
	jkt := ""
	if r.Header.Values(dpop.Header) != nil || client.NeedsDPoP() {
		if jkt, err = e.Proofs.TokenProof(r, client); err != nil {
			return Response{}, err
		}
	}
	return grantType.tokens(r.Context(), parse(form, client, jkt))
}

// grantType returns the grant type, or an error if the client may not use it.
func (e *Endpoint) grantType(client *oidc.Client, name string) (GrantType, error) {
	found, ok := e.Grants[name]
	switch {
	case name == "":
		return nil, oidc.InvalidRequest.Errorf("grant_type is missing; send one of %s (RFC 6749 §4.1.3)",
			strings.Join(e.Grants.Names(), ", "))
	case !ok:
		return nil, oidc.UnsupportedGrantType.Errorf("grant_type %.50q is not supported; supported: %s", name,
			strings.Join(e.Grants.Names(), ", "))
	case !client.Grants(name):
		return nil, oidc.UnauthorizedClient.Errorf("client %s is not registered for grant_type %s; registered: %s",
			client.ClientID, name, cmp.Or(strings.Join(client.GrantTypes, ", "), oidc.GrantAuthorizationCode))
	}
	return found, nil
}
