// Package storageaccess serves the page that asks the browser for access to the provider's cookie. A browser that
// blocks third-party cookies sends no cookie with a hidden iframe. An app puts this page into a visible iframe; after
// one click in it the browser may send the cookie again.
//
//	the app's page ── iframe ──► /storage_access ── click ──► document.requestStorageAccess()
//	      ▲                            │    │
//	      └── postMessage: the result ─┘    └── new window ──► /storage_access/visit ── nobody signed in ──► /login
//
// Browsers refuse for a site that the user never used in a window of its own, so the page leads to such a window.
//
// Only an origin of the client's redirect URIs may frame the page, and only that origin gets the result. A click there
// starts the browser's own question and nothing else: it sends no form, so a covered button (clickjacking) gains an app
// nothing that the browser does not ask for.
// https://privacycg.github.io/storage-access/
package storageaccess

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// The paths of the page for a frame, and of the page for a window of its own.
const (
	Path      = "/storage_access"
	PathVisit = Path + "/visit"
)

// The parameters of both pages. paramOrigin is the origin of the page that frames the first one.
const (
	paramClientID = "client_id"
	paramOrigin   = "origin"
)

// Endpoint serves both pages.
type Endpoint struct {
	Issuer       string
	Pages        *pages.Pages
	Clients      clients.Lookup
	Users        *users.Directory
	Sessions     *session.Manager
	Interactions session.Seal[session.Interaction]
}

// Endpoints returns both pages.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{
		{
			Name: "storage_access", Path: Path, Methods: []string{http.MethodGet}, Audience: endpoint.Visitors, Serve: e.ask,
			Describe: func(m *oidc.Metadata) { m.StorageAccessEndpoint = e.Issuer + Path },
		},
		pages.Route(http.MethodGet, "storage_access_visit", PathVisit, session.Serve(e.Sessions, e.visit)),
	}
}

// Asking is a request for one of the pages.
type Asking struct {
	ClientID, Origin string
	Known            bool     // there is such a client
	Registered       []string // the origins of its redirect URIs
}

var rules = oidc.Table[Asking]{{
	Spec: "RFC 6749 §2.2", Text: "client_id names a registered client", Else: oidc.UnauthorizedClient,
	Reason: oidc.ClientUnknown, Params: []string{paramClientID},
	Holds: func(a Asking) bool { return a.Known },
	Got:   func(a Asking) string { return fmt.Sprintf("%.60q", a.ClientID) },
	Help:  "check its spelling, or add the client to the configuration",
}, {
	Spec: "RFC 6749 §3.1.2", Text: "origin is the origin of a redirect_uri of the client",
	Reason: oidc.RedirectUnregistered, Params: []string{paramOrigin},
	Holds: func(a Asking) bool {
		return a.Origin != "" && oidc.Origin(a.Origin) == a.Origin && oidc.MatchRedirectURI(a.Registered, a.Origin)
	},
	Got: func(a Asking) string {
		return fmt.Sprintf("%.200q, and client %s has %s", a.Origin, a.ClientID, oidc.Listing(a.Registered, a.Origin))
	},
	Help: "send the origin of the page that shows this one, such as https://app.example",
}}

// verified returns the client of the request, and the origin that may frame the page and get its result.
func (e *Endpoint) verified(ctx context.Context, params url.Values) (*oidc.Client, string, error) {
	asking := Asking{ClientID: params.Get(paramClientID), Origin: params.Get(paramOrigin)}
	client, err := e.Clients.ByID(ctx, asking.ClientID)
	if err != nil && !errors.Is(err, clients.ErrUnknown) {
		return nil, "", err
	}
	asking.Known, asking.Registered = err == nil, client.Origins()
	return client, asking.Origin, rules.Judge(ctx, asking)
}

// ask is GET /storage_access, in a frame of the app. Its script asks the browser.
func (e *Endpoint) ask(w http.ResponseWriter, r *http.Request) error {
	params, err := oidc.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	client, origin, err := e.verified(r.Context(), params)
	if err != nil {
		return err
	}
	visit := url.Values{paramClientID: {client.ClientID}, paramOrigin: {origin}}
	if locales := params.Get("ui_locales"); locales != "" {
		visit.Set("ui_locales", locales)
	}
	page := pages.StorageAccess{Frame: e.Pages.Frame(r, e.Issuer), Origin: origin, Visit: PathVisit + "?" + visit.Encode()}
	page.Client = client
	return e.Pages.Render(w, http.StatusOK, page, pages.Policy{FramedBy: origin})
}

// visit is GET /storage_access/visit, in a window of its own: a visit that lets browsers ask afterwards. It redirects
// to the sign-in if nobody is signed in, because a cookie has to exist before access to it is of use.
func (e *Endpoint) visit(w http.ResponseWriter, r *http.Request, current *session.Session) error {
	params, err := oidc.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	reason := ""
	if sealed := params.Get(session.InteractionParam); sealed != "" { // the redirect of the sign-in
		waiting, err := e.Interactions.Open(sealed)
		if err != nil {
			return err
		}
		params = waiting.Params
		if waiting.SignedIn {
			reason = session.CookieLost
		}
	}
	client, _, err := e.verified(r.Context(), params)
	if err != nil {
		return err
	}
	if current == nil {
		return e.signIn(w, r, params, reason)
	}
	user, _ := e.Users.BySub(current.Accounts[0].Sub)
	page := pages.StorageVisit{Frame: e.Pages.Frame(r, e.Issuer), Account: pages.NewAccount(user)}
	page.Language, page.Client = e.Pages.Language(r, params.Get("ui_locales")), client
	return e.Pages.Render(w, http.StatusOK, page, pages.Policy{})
}

// signIn redirects to the sign-in, which returns to visit.
func (e *Endpoint) signIn(w http.ResponseWriter, r *http.Request, params url.Values, reason string) error {
	target, err := e.Interactions.URL(session.PathLogin, session.Interaction{
		Path: PathVisit, Params: params, Reason: reason,
	})
	if err != nil {
		return err
	}
	return pages.Redirect(w, r, target)
}
