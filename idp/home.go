package idp

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
)

// home is GET /: who is signed in here and what they allowed; for a developer, the provider's addresses, users and clients.
func (p *site) home(c echo.Context) error {
	current, err := session.OrNone(p.sessions.Current(c.Request()))
	if err != nil {
		return err
	}
	page := pages.Home{
		Frame:     p.frame(c),
		Dev:       p.config.Development(),
		Accounts:  pages.Accounts(p.users.BySubs(current.Subs())),
		Endpoints: p.listed(),
	}
	if page.Consents, err = p.remembered(c.Request().Context(), current); err != nil {
		return err
	}
	if current != nil {
		page.Apps = p.apps(page.Consents)
	}
	if page.Dev {
		page.Users, page.Clients = pages.Accounts(p.users.All()), p.clients.All()
	}
	return p.pages.Render(c.Response(), http.StatusOK, "home", page, pages.Policy{})
}

// remembered lists the consents of the account used last.
func (p *site) remembered(ctx context.Context, current *session.Session) ([]pages.Remembered, error) {
	if current == nil {
		return nil, nil
	}
	consents, err := p.consents.Of(ctx, current.Accounts[0].Sub)
	if err != nil {
		return nil, err
	}
	var list []pages.Remembered
	for _, id := range slices.Sorted(maps.Keys(consents)) {
		if client, err := p.clients.ByID(ctx, id); err == nil {
			list = append(list, pages.Remembered{Client: client, Scopes: consents[id].Scope, GrantedAt: consents[id].GrantedAt})
		}
	}
	return list, nil
}

// listed are the endpoints that the metadata names.
func (p *site) listed() []pages.Endpoint {
	list := []pages.Endpoint{{Name: "discovery", URL: p.config.Issuer + pathDiscovery}}
	for _, e := range p.endpoints() {
		if e.Describe != nil {
			list = append(list, pages.Endpoint{Name: e.Name, URL: p.config.Issuer + e.Path})
		}
	}
	return list
}

// frame is that of a page that speaks the person's language.
func (p *site) frame(c echo.Context) pages.Frame { return p.pages.Frame(c.Request(), p.config.Issuer) }
