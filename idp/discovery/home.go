package discovery

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Home serves the home page: the accounts that are signed in and what they allowed; in development mode also the provider's
// addresses, users and clients.
type Home struct {
	Issuer      string
	Development bool
	Pages       *pages.Pages
	Users       *users.Directory
	Clients     *clients.Register
	Sessions    *session.Manager
	Consents    *grant.Consents
	Served      []endpoint.Endpoint // those with Describe are listed
}

// Endpoints is that of the home page.
func (h *Home) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "home", Path: "/", Methods: []string{http.MethodGet}, Audience: endpoint.People, Serve: h.serve, Untraced: true,
	}}
}

func (h *Home) serve(w http.ResponseWriter, r *http.Request) error {
	current, err := session.OrNone(h.Sessions.Current(r))
	if err != nil {
		return err
	}
	page := pages.Home{
		Frame:     h.Pages.Frame(r, h.Issuer),
		Dev:       h.Development,
		Accounts:  pages.Accounts(h.Users.BySubs(current.Subs())),
		Endpoints: h.addresses(),
	}
	if page.Consents, err = h.remembered(r.Context(), current); err != nil {
		return err
	}
	if current != nil {
		page.Apps = h.apps(page.Consents)
	}
	if page.Dev {
		page.Users, page.Clients = pages.Accounts(h.Users.All()), h.Clients.All()
	}
	return h.Pages.Render(w, http.StatusOK, "home", page, pages.Policy{})
}

// remembered lists the consents of the account that was used last.
func (h *Home) remembered(ctx context.Context, current *session.Session) ([]pages.Remembered, error) {
	if current == nil {
		return nil, nil
	}
	consents, err := h.Consents.Of(ctx, current.Accounts[0].Sub)
	if err != nil {
		return nil, err
	}
	var list []pages.Remembered
	for _, id := range slices.Sorted(maps.Keys(consents)) {
		if client, err := h.Clients.ByID(ctx, id); err == nil {
			list = append(list, pages.Remembered{Client: client, Scopes: consents[id].Scope, GrantedAt: consents[id].GrantedAt})
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

// apps are the clients at which a sign-in can begin (Core §4, Initiating Login from a Third Party): the configured clients, and the
// self-registered clients to which the user allowed something.
func (h *Home) apps(allowed []pages.Remembered) []pages.App {
	all := slices.Clone(h.Clients.All())
	for _, consent := range allowed {
		if !slices.ContainsFunc(all, func(c oidc.Client) bool { return c.ClientID == consent.Client.ClientID }) {
			all = append(all, consent.Client)
		}
	}
	var apps []pages.App
	for _, client := range all {
		if address := initiateLogin(client, h.Issuer); address != "" {
			apps = append(apps, pages.App{Name: client.Name(), ClientID: client.ClientID, URL: address})
		}
	}
	return apps
}

// initiateLogin is the client's initiate_login_uri with iss, "the Issuer Identifier for the OP that the RP is to send the
// Authentication Request to" (Core §4); empty for a client that has none.
func initiateLogin(client oidc.Client, issuer string) string {
	u, err := url.Parse(client.InitiateLoginURI)
	if err != nil || client.InitiateLoginURI == "" {
		return ""
	}
	query := u.Query()
	query.Set("iss", issuer)
	u.RawQuery = query.Encode()
	return u.String()
}
