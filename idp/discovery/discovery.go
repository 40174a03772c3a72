// Package discovery describes the provider: by metadata and keys for programs, by a home page for people.
//
//	endpoint.Endpoint.Describe ─► oidc.Metadata ─► /.well-known/openid-configuration         Discovery §4
//	                                           └─► /.well-known/oauth-authorization-server   RFC 8414 §3
//	keys.KeySet.Public ──────────────────────────► /jwks                                     RFC 7517 §5
//	sessions, consents, clients ─────────────────► /
package discovery

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// The paths of the documents.
const (
	Path      = "/.well-known/openid-configuration"
	pathOAuth = "/.well-known/oauth-authorization-server"
	pathJWKS  = "/jwks"
)

// Endpoint serves the provider's metadata and keys.
type Endpoint struct {
	Issuer   string
	Metadata *oidc.Metadata // complete before the first request
	// ByHost has other metadata for some Host headers; complete before the first request.
	ByHost map[string]*oidc.Metadata
	Keys   *keys.KeySet
}

// Endpoints returns both metadata documents and the key set.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	get := []string{http.MethodGet}
	return []endpoint.Endpoint{
		{Name: "discovery", Path: Path, Methods: get, Audience: endpoint.Files, Serve: e.serveMetadata},
		{Name: "discovery", Path: pathOAuth, Methods: get, Audience: endpoint.Files, Serve: e.serveMetadata},
		{
			Name: "jwks", Path: pathJWKS, Methods: get, Audience: endpoint.Files, Serve: e.serveKeys,
			Describe: func(m *oidc.Metadata) { m.JWKSURI = e.Issuer + pathJWKS },
		},
	}
}

// serveMetadata answers with the metadata. Clients may cache it for a minute, so they notice a change soon.
func (e *Endpoint) serveMetadata(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=60")
	metadata, ok := e.ByHost[r.Host]
	if !ok {
		metadata = e.Metadata
	}
	return oidc.WriteJSON(w, http.StatusOK, metadata)
}

// serveKeys answers with the key set. The cache time is short: a client must load a new key before the key signs.
func (e *Endpoint) serveKeys(w http.ResponseWriter, r *http.Request) error {
	set, err := e.Keys.Public(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=5")
	return oidc.WriteJSON(w, http.StatusOK, set)
}

// Health reports whether the process is alive and ready.
type Health struct {
	Keys   *keys.KeySet
	Usable func(context.Context) error // returns the reason why the store cannot be used now; nil: it is always usable
}

// NameHealth is the name of the endpoints of Health. Load balancers send requests to them every few seconds.
const NameHealth = "health"

// Endpoints returns /healthz, for a process that is alive, and /readyz, for a process that can answer requests.
func (h *Health) Endpoints() []endpoint.Endpoint {
	get := []string{http.MethodGet}
	return []endpoint.Endpoint{
		{Name: NameHealth, Path: "/healthz", Methods: get, Audience: endpoint.Files, Serve: alive, Untraced: true},
		{Name: NameHealth, Path: "/readyz", Methods: get, Audience: endpoint.Files, Serve: h.serveReady, Untraced: true},
	}
}

func alive(w http.ResponseWriter, _ *http.Request) error {
	return oidc.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (h *Health) serveReady(w http.ResponseWriter, r *http.Request) error {
	if err := h.Ready(r.Context()); err != nil {
		answer := map[string]string{"status": "unavailable", "reason": err.Error()}
		return oidc.WriteJSON(w, http.StatusServiceUnavailable, answer)
	}
	return alive(w, r)
}

// Ready waits for the signing keys and returns why requests cannot be answered.
func (h *Health) Ready(ctx context.Context) error {
	if err := h.Keys.Ready(ctx); err != nil {
		return fmt.Errorf("the signing keys are not usable: %w", err)
	}
	if h.Usable == nil {
		return nil
	}
	return h.Usable(ctx)
}

// Home serves the home page: the accounts that are signed in and their consents; in development mode also the
// provider's addresses, users and clients.
type Home struct {
	Issuer      string
	Development bool
	OptIns      []string // powers of development mode that the configuration turned on
	Pages       *pages.Pages
	Users       *users.Directory
	Clients     *clients.Register
	Sessions    *session.Manager
	Consents    *grant.Consents
	Served      []endpoint.Endpoint // the page lists the endpoints with Describe
}

// Endpoints returns the home page.
func (h *Home) Endpoints() []endpoint.Endpoint {
	home := pages.Route(http.MethodGet, "home", "/", session.Serve(h.Sessions, h.serve))
	home.Untraced = true
	return []endpoint.Endpoint{home}
}

func (h *Home) serve(w http.ResponseWriter, r *http.Request, current *session.Session) (err error) {
	page := pages.Home{
		Frame: h.Pages.Frame(r, h.Issuer), Dev: h.Development, Endpoints: h.addresses(),
		Accounts: pages.Accounts(h.Users.BySubs(current.Subs())),
	}
	if current != nil {
		if page.Consents, err = h.remembered(r.Context(), current.Accounts[0].Sub); err != nil {
			return err
		}
		page.Apps = h.apps(page.Consents)
	}
	if page.Dev {
		page.Users, page.Clients, page.OptIns = pages.Accounts(h.Users.All()), h.Clients.All(), h.OptIns
	}
	return h.Pages.Render(w, http.StatusOK, page, pages.Policy{})
}

// remembered lists the consents of the user.
func (h *Home) remembered(ctx context.Context, sub string) (list []pages.Remembered, err error) {
	consents, err := h.Consents.Of(ctx, sub)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(consents)) {
		if client, err := h.Clients.ByID(ctx, id); err == nil {
			consent := consents[id]
			list = append(list, pages.Remembered{Client: *client, Scopes: consent.Scope, GrantedAt: consent.GrantedAt})
		}
	}
	return list, nil
}

// addresses lists the endpoints that the metadata names.
func (h *Home) addresses() []pages.Endpoint {
	list := []pages.Endpoint{{Name: "discovery", URL: h.Issuer + Path}}
	for _, e := range h.Served {
		if e.Describe != nil {
			list = append(list, pages.Endpoint{Name: e.Name, URL: h.Issuer + e.Path})
		}
	}
	return list
}

// apps are the clients at which a sign-in can begin (Core §4, Initiating Login from a Third Party): the configured
// clients, and the self-registered clients with a consent.
func (h *Home) apps(allowed []pages.Remembered) (apps []pages.App) {
	all := slices.Clone(h.Clients.All())
	for _, consent := range allowed {
		if !slices.ContainsFunc(all, func(c oidc.Client) bool { return c.ClientID == consent.Client.ClientID }) {
			all = append(all, consent.Client)
		}
	}
	for _, client := range all {
		if app := pages.NewApp(client, h.Issuer); app.URL != "" {
			apps = append(apps, app)
		}
	}
	return apps
}
