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

// Observer measures the provider from outside. Prometheus and OpenTelemetry stand behind it in cmd/idp, the trace in
// package dev.
type Observer interface {
	// Request is told about each request before anything else happens to it. The provider serves the request that it
	// returns, and calls done when the answer was written.
	Request(e endpoint.Endpoint, requestID string, r *http.Request) (observed *http.Request, done func(endpoint.Outcome))
	// Store returns next with every operation measured, or next itself.
	Store(next storage.Store) storage.Store
}

// Development is development mode: it watches requests, makes them fail on purpose, and serves the console. Package dev
// implements it. Without it a provider has none of this.
type Development interface {
	// Place is where the changes live that the console makes: the clients that it added.
	Place() storage.Place
	// At is called once for each issuer, before the endpoints are built.
	At(site Site) DevelopmentSite
	// LogoutSent hears about each try to send a back-channel logout token.
	LogoutSent(sent logout.Sent)
}

// Site is what development mode gets of a provider at one issuer.
type Site struct {
	Config   Config // Issuer is that of the site
	Pages    *pages.Pages
	Users    *users.Directory
	Keys     *keys.KeySet
	Sessions *session.Manager
	Consents *grant.Consents
	Grants   *grant.Grants
	Sender   *logout.Sender // for clients of sessions that the console ended
	Devices  *device.Devices
	Clients  *clients.Register
	Signer   keys.Signer
}

// DevelopmentSite is development mode at one issuer.
type DevelopmentSite interface {
	Observer
	// Parts are the parts of the site as the endpoints use them: watched, and failing on purpose.
	Parts() Parts
	// Endpoints are those of development mode itself: the console and the pages about reasons. served are all others.
	Endpoints(served []endpoint.Endpoint) []endpoint.Endpoint
	// Fail stands around Serve of each endpoint: it may answer in its place.
	Fail(e endpoint.Endpoint, next endpoint.Handler) endpoint.Handler
	// Help adds to an error page what a developer can do. framedBy is the origin that may frame the page; empty: none.
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
