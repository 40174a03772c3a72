package device

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// PathAuthorization is the device authorization endpoint (RFC 8628 §3.1).
const PathAuthorization = "/device_authorization"

// Authorization is the device authorization endpoint.
type Authorization struct {
	Issuer    string
	Auth      *clientauth.Authenticator
	Devices   *Devices
	Scopes    oidc.Scope // all that the provider knows
	Resources []string   // the APIs that any client may ask access tokens for
	Limit     endpoint.Limit
}

// Endpoints returns the endpoint.
func (a *Authorization) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "device_authorization", Path: PathAuthorization, Methods: []string{http.MethodPost},
		Audience: endpoint.Programs, Limit: a.Limit, Serve: a.serve,
		Describe: func(m *oidc.Metadata) { m.DeviceAuthorizationEndpoint = a.Issuer + PathAuthorization },
	}}
}

// Response is the device authorization response (RFC 8628 §3.2).
type Response struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int    `json:"expires_in"` // seconds
	Interval                int    `json:"interval"`   // seconds
}

// serve is POST /device_authorization.
func (a *Authorization) serve(w http.ResponseWriter, r *http.Request) error {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return err
	}
	client, err := a.Auth.Authenticate(r, form)
	if err != nil {
		return err
	}
	if !client.Grants(oidc.GrantDeviceCode) {
		return oidc.UnauthorizedClient.Errorf(
			"client %s is not registered for the device flow: add %s to its grant_types (RFC 8628 §3.1)",
			client.ClientID, oidc.GrantDeviceCode)
	}
	resources, err := oidc.ParseResources(form["resource"], client.AllowedResources(a.Resources))
	if err != nil {
		return err
	}
	codes, err := a.Devices.Begin(r.Context(), Pending{
		ClientID: client.ClientID, Scope: a.scope(client, form.Get("scope")), Resource: resources,
	})
	if err != nil {
		return err
	}
	page := a.Issuer + session.PathDevice
	return oidc.WriteJSON(w, http.StatusOK, Response{
		DeviceCode: codes.Device, UserCode: codes.User, VerificationURI: page,
		VerificationURIComplete: page + "?" + url.Values{paramUserCode: {codes.User}}.Encode(),
		ExpiresIn:               int(Lifetime / time.Second), Interval: int(Interval / time.Second),
	})
}

// scope is the part of the requested scope that client and provider know. The person consents to all of it, so
// offline_access counts, if the client can use refresh tokens.
func (a *Authorization) scope(client oidc.Client, requested string) oidc.Scope {
	scope := oidc.ParseScope(requested).Within(client.AllowedScope(a.Scopes))
	return slices.DeleteFunc(scope, func(value string) bool {
		return value == oidc.ScopeOffline && !client.Grants(oidc.GrantRefreshToken)
	})
}
