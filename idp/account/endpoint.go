package account

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
)

// Path is where the page is.
const Path = "/account"

// Endpoint serves the page.
type Endpoint struct {
	Issuer     string
	Pages      *pages.Pages
	Clients    *clients.Register
	Users      *users.Directory
	Sessions   *session.Manager
	Consents   *grant.Consents
	Grants     *grant.Grants
	ScopeTexts map[string]string // of the scopes that the configuration adds
	// Tell tells the clients of who was signed out.
	Tell func(ctx context.Context, gone []session.Ended)
}

// Show is GET /account.
func (e *Endpoint) Show(c echo.Context) error {
	current, err := e.current(c)
	if err != nil {
		return err
	}
	csrf, _ := c.Get("csrf").(string)
	page := pages.SignIns{
		Frame:  pages.Frame{Language: e.Pages.Language(c.Request(), c.QueryParam("ui_locales")), Issuer: e.Issuer, CSRF: csrf},
		People: pages.Accounts(e.Users.BySubs(current.Subs())),
	}
	if err := e.fill(c.Request().Context(), &page, current); err != nil {
		return err
	}
	return e.Pages.Render(c.Response(), http.StatusOK, "account", page, pages.Policy{})
}

// others is the value of sid that stands for all sign-ins in other browsers.
const others = "others"

// EndSession is POST /account/sessions with sid.
func (e *Endpoint) EndSession(c echo.Context) error {
	current, err := e.current(c)
	if err != nil {
		return err
	}
	signIns, err := e.signIns(c.Request().Context(), current)
	if err != nil {
		return err
	}
	for _, s := range signIns {
		if wanted := c.FormValue("sid"); s.This || s.SID != wanted && wanted != others {
			continue
		}
		gone, err := e.Sessions.SignOutSID(c.Request().Context(), s.SID)
		if err != nil {
			return err
		}
		e.Tell(c.Request().Context(), gone)
	}
	return c.Redirect(http.StatusSeeOther, Path)
}

// EndApp is POST /account/apps with sub and client_id.
func (e *Endpoint) EndApp(c echo.Context) error {
	current, err := e.current(c)
	if err != nil {
		return err
	}
	if account, ok := current.Account(c.FormValue("sub")); ok {
		err = e.Consents.Forget(c.Request().Context(), account.Sub, c.FormValue("client_id"))
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, Path)
}

func (e *Endpoint) current(c echo.Context) (*session.Session, error) {
	return session.OrNone(e.Sessions.Current(c.Request()))
}
