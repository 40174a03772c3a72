package idp

import (
	"context"
	"net/http"

	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/device"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/login"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Observer watches requests and store operations. In cmd/idp, Prometheus and OpenTelemetry implement it; in package
// dev, the trace does.
type Observer interface {
	// Request is called for each request before the provider does anything with it. The provider serves the returned
	// request, and calls done after the answer was written.
	Request(e endpoint.Endpoint, requestID string, r *http.Request) (observed *http.Request, done func(endpoint.Outcome))
	// Store returns a store that measures every operation of next, or next itself.
	Store(next storage.Store) storage.Store
}

// Development is development mode: it watches requests, makes them fail on purpose, and serves the console. Package dev
// implements it. A production provider has none.
type Development interface {
	// Place is the place in the store for the clients that the console added.
	Place() storage.Place
	// Unregistered are the clients that any_client lets in; nil without that setting.
	Unregistered() clients.Unregistered
	// At is called once for each issuer, before the endpoints are built.
	At(site Site) DevelopmentSite
	// LogoutSent is called after each attempt to send a back-channel logout token.
	LogoutSent(sent logout.Sent)
	// Remark returns what the failure lab did to the request of ctx, for its error_description: a text in parentheses,
	// or "" if it did nothing.
	Remark(ctx context.Context) string
}

// Site has the parts of a provider at one issuer that development mode uses.
type Site struct {
	Config   Config // Issuer is the issuer of the site
	Pages    *pages.Pages
	Users    *users.Directory
	Keys     *keys.KeySet
	Sessions *session.Manager
	Consents *grant.Consents
	Grants   *grant.Grants
	Sender   *logout.Sender // sends logout tokens for sessions that the console ended
	Devices  *device.Devices
	Clients  *clients.Register
	Signer   keys.Signer
	Tokens   token.Direct // makes tokens without a request of a client
}

// DevelopmentSite is development mode at one issuer.
type DevelopmentSite interface {
	Observer
	// Parts returns the decorated parts, which the endpoints use. The decorators record calls and can fail on purpose.
	Parts() Parts
	// Endpoints returns the endpoints of development mode: console and pages about reasons. served are all others.
	Endpoints(served []endpoint.Endpoint) []endpoint.Endpoint
	// Fail returns a handler for the endpoint that calls next, or fails on purpose without calling it.
	Fail(e endpoint.Endpoint, next endpoint.Handler) endpoint.Handler
	// Help adds advice for a developer to an error page. framedBy is the origin that may frame the page; empty: none.
	Help(r *http.Request, page *pages.Error, e *oidc.Error) (framedBy string)
}

// Parts are the parts of a provider that development mode decorates.
type Parts struct {
	Clients   authorize.Clients
	Recognise authorize.Sessions // the sessions as /authorize sees them
	Sessions  Sessions
	Consents  authorize.Consents
	Grants    Grants
	Signer    keys.Signer
	Devices   token.Devices
}

// Sessions is a *session.Manager, or a decorator of one.
type Sessions interface {
	authorize.Sessions
	login.Sessions
	logout.Sessions
}

// Grants is a *grant.Grants, or a decorator of one.
type Grants interface {
	authorize.Grants
	token.Grants
	Revoke(ctx context.Context, id string) error
}
