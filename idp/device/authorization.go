package device

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/oidc"
)

// Authorization is the device authorization endpoint (RFC 8628 §3.1).
type Authorization struct {
	Page      string // the address of the page, the verification_uri: short, since a person types it
	Clients   Authenticator
	Devices   *Devices
	Scopes    oidc.Scope // all that the provider knows
	Resources []string   // the APIs that any client may ask access tokens for
}

// Authenticator is a *clientauth.Authenticator.
type Authenticator interface {
	Authenticate(r *http.Request, form url.Values) (oidc.Client, error)
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

// Start answers a device authorization request. Its errors are those of RFC 6749 §5.2, or the store's.
func (a *Authorization) Start(r *http.Request) (Response, error) {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return Response{}, err
	}
	client, err := a.Clients.Authenticate(r, form)
	if err != nil {
		return Response{}, err
	}
	if !client.Grants(oidc.GrantDeviceCode) {
		return Response{}, oidc.UnauthorizedClient.Errorf("client %s is not registered for the device flow: add %s to its grant_types (RFC 8628 §3.1)",
			client.ClientID, oidc.GrantDeviceCode)
	}
	resources, err := oidc.ParseResources(form["resource"], client.AllowedResources(a.Resources))
	if err != nil {
		return Response{}, err
	}
	return a.begin(r.Context(), Pending{ClientID: client.ClientID, Scope: a.scope(client, form.Get("scope")), Resource: resources})
}

// scope is what of the wish client and provider know. The person will be asked about all of it, so offline_access counts, if the
// client can do something with it.
func (a *Authorization) scope(client oidc.Client, wish string) oidc.Scope {
	scope := oidc.ParseScope(wish).Within(client.AllowedScope(a.Scopes))
	return slices.DeleteFunc(scope, func(value string) bool {
		return value == oidc.ScopeOffline && !client.Grants(oidc.GrantRefreshToken)
	})
}

func (a *Authorization) begin(ctx context.Context, p Pending) (Response, error) {
	codes, err := a.Devices.Begin(ctx, p)
	return Response{
		DeviceCode: codes.Device, UserCode: codes.User, VerificationURI: a.Page,
		VerificationURIComplete: a.Page + "?" + url.Values{paramUserCode: {codes.User}}.Encode(),
		ExpiresIn:               int(Lifetime / time.Second), Interval: int(Interval / time.Second),
	}, err
}
