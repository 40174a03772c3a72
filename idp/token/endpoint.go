package token

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// Endpoint is the token endpoint.
type Endpoint struct {
	Clients  Clients
	Grants   Grants
	Tokens   Tokens
	Issuer   string
	Audience string // the API that access tokens are for, unless the client says otherwise
	Sign     access.Sign
	Now      func() time.Time
	Random   func() string // jti: 128 bits or more

	Devices   Devices
	Scopes    oidc.Scope // all that the provider knows
	Resources []string   // the APIs that any client may ask access tokens for
	Refresh   Refresh

	// Claims are the claims about the user that go into the ID token: of those requested, what may be released. nil: none.
	Claims func(sub string, scope oidc.Scope, requested map[string]*oidc.ClaimRequest) map[string]any
	// Proof is the thumbprint of the key whose DPoP proof came with the request; "" when none came and none is needed. nil: DPoP is
	// not known.
	Proof func(r *http.Request, client oidc.Client) (jkt string, err error)
	// Encrypt encrypts an ID token to the client, if it registered that. nil: none did.
	Encrypt func(ctx context.Context, client oidc.Client, signed string) (string, error)
	// Knows tells whether there still is a user of that sub. nil: there is.
	Knows func(sub string) bool
}

// What the endpoint asks of the rooms around it. The provider's own implement these; so do the decorators around them,
// through which the trace watches and the failure lab meddles.
type (
	// Clients is a *clientauth.Authenticator.
	Clients interface {
		Authenticate(r *http.Request, form url.Values) (oidc.Client, error)
	}
	// Grants is a *grant.Grants.
	Grants interface {
		Redeem(ctx context.Context, code string, tokenLifetime time.Duration) (grant.Grant, error)
		Begin(ctx context.Context, granted grant.Grant, jkt string, terms grant.Terms) (refreshToken string, err error)
		Family(ctx context.Context, refreshToken string) (grant.Family, error)
		Use(ctx context.Context, refreshToken string, terms grant.Terms) (next string, err error)
	}
	// Devices is a *device.Devices.
	Devices interface {
		Redeem(ctx context.Context, client oidc.Client, deviceCode string) (grant.Grant, error)
	}
	// Tokens is an *access.Tokens.
	Tokens interface {
		Make(ctx context.Context, client oidc.Client, token access.Token) (string, error)
		SubjectOf(ctx context.Context, client oidc.Client, sub string) (string, error)
	}
)

// Response is a successful answer (RFC 6749 §5.1, Core §3.1.3.3).
type Response struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"` // Bearer, or DPoP
	ExpiresIn    int    `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

// request is a token request of a client that authenticated. Each grant type reads its own parameters out of the form.
type request struct {
	Client oidc.Client
	Form   url.Values
	JKT    string // the thumbprint of the key whose DPoP proof came; empty: none came (RFC 9449 §5)
}

// obey answers the requests of one grant type.
type obey func(*Endpoint, context.Context, request) (Response, error)

// grantTypes are what grant_type may be, each with the one function that obeys it.
var grantTypes = map[string]obey{
	oidc.GrantAuthorizationCode: (*Endpoint).authorizationCode,
	oidc.GrantRefreshToken:      (*Endpoint).refreshToken,
	oidc.GrantClientCredentials: (*Endpoint).clientCredentials,
	oidc.GrantDeviceCode:        (*Endpoint).deviceCode,
}

// GrantTypes lists the values of grant_type that the endpoint knows.
func GrantTypes() []string { return slices.Sorted(maps.Keys(grantTypes)) }

// Exchange answers a token request. Its errors are *oidc.Error, or server errors to be hidden behind one.
func (e *Endpoint) Exchange(r *http.Request) (Response, error) {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return Response{}, err
	}
	client, err := e.Clients.Authenticate(r, form)
	if err != nil {
		return Response{}, err
	}
	obey, err := e.grantType(client, form.Get("grant_type"))
	if err != nil {
		return Response{}, err
	}
	jkt, err := e.proof(r, client)
	if err != nil {
		return Response{}, err
	}
	return obey(e, r.Context(), request{Client: client, Form: form, JKT: jkt})
}

// grantType finds who obeys, if the client may use the grant type.
func (e *Endpoint) grantType(client oidc.Client, grantType string) (obey, error) {
	if grantType == "" {
		return nil, oidc.InvalidRequest.Errorf("grant_type is missing; send one of %s (RFC 6749 §4.1.3)", strings.Join(GrantTypes(), ", "))
	}
	found, ok := grantTypes[grantType]
	if !ok {
		return nil, oidc.UnsupportedGrantType.Errorf("grant_type %.50q is not supported; supported: %s", grantType, strings.Join(GrantTypes(), ", "))
	}
	if !client.Grants(grantType) {
		return nil, oidc.UnauthorizedClient.Errorf("client %s is not registered for grant_type %s; registered: %s",
			client.ClientID, grantType, cmp.Or(strings.Join(client.GrantTypes, ", "), oidc.GrantAuthorizationCode))
	}
	return found, nil
}
