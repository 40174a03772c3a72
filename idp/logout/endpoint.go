package logout

import (
	"context"
	"html/template"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/interaction"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Endpoint is the end_session_endpoint.
type Endpoint struct {
	Issuer   string
	Pages    *pages.Pages
	Clients  *clients.Register
	Users    *users.Directory
	Sessions Sessions
	Seal     interaction.Seal[url.Values] // carries the request across the page that asks
	Hints    func(idToken string) (Hint, error)
}

// Sessions is a *session.Manager, or a decorator around one.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
	SignOut(w http.ResponseWriter, r *http.Request) error
	SignOutSID(ctx context.Context, sid string) error
}

// Logout is GET and POST /logout.
func (e *Endpoint) Logout(c echo.Context) error {
	params, err := c.FormParams()
	if err != nil {
		return oidc.InvalidRequest.Errorf("the parameters cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	current, err := session.OrNone(e.Sessions.Current(c.Request()))
	if err != nil {
		return err
	}
	request := Read(params, e.Clients, e.Hints)
	request.compare(current)
	switch {
	case !request.Proven() && c.Request().Method == http.MethodPost:
		return c.Redirect(http.StatusSeeOther, c.Path()+"?"+params.Encode()) // a page has to be asked for by GET: it sets the CSRF cookie
	case !request.Proven():
		return e.ask(c, request, current, params)
	}
	if err := e.signOut(c, current, *request.Hint); err != nil {
		return err
	}
	if request.ReturnTo != "" {
		return c.Redirect(http.StatusSeeOther, request.ReturnTo)
	}
	return e.signedOut(c, request, others(current, request.Hint.SID))
}

// signOut ends the hinted sign-in: the one in this browser, or else, where no cookie came, the one that the hint's sid
// names. So it works as well in an iframe that the cookie does not reach.
func (e *Endpoint) signOut(c echo.Context, current *session.Session, hint Hint) error {
	if current != nil && len(current.Accounts) == 1 {
		return e.Sessions.SignOut(c.Response(), c.Request())
	}
	return e.Sessions.SignOutSID(c.Request().Context(), hint.SID)
}

// others are the subs that stay signed in when the account of sid is signed out.
func others(current *session.Session, sid string) []string {
	if current == nil {
		return nil
	}
	var subs []string
	for _, account := range current.Accounts {
		if account.SID != sid {
			subs = append(subs, account.Sub)
		}
	}
	return subs
}

// ask shows the page with the button to sign out.
func (e *Endpoint) ask(c echo.Context, request Request, current *session.Session, params url.Values) (err error) {
	page := pages.Logout{
		Frame:    e.frame(c, "Sign out", request),
		Accounts: pages.Accounts(e.Users.BySubs(current.Subs())),
		Notice:   request.Problem,
	}
	page.Interaction, err = e.Seal.Close(params)
	if err != nil {
		return err
	}
	return e.Pages.Render(c.Response(), http.StatusOK, "logout", page, pages.Policy{})
}

// Confirm is POST /logout/confirm: the user pressed a button on the page that asks.
func (e *Endpoint) Confirm(c echo.Context) error {
	if c.FormValue("decision") != "sign_out" {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	params, err := e.Seal.Open(c.FormValue(interaction.Param))
	if err != nil {
		return err
	}
	if err := e.Sessions.SignOut(c.Response(), c.Request()); err != nil {
		return err
	}
	return e.signedOut(c, Read(params, e.Clients, e.Hints), nil)
}

// signedOut shows the last page. It offers the way back as a link, since only a proven request is redirected, and names who
// is still signed in.
func (e *Endpoint) signedOut(c echo.Context, request Request, still []string) error {
	page := pages.SignedOut{
		Frame:    e.frame(c, "Signed out", request),
		ReturnTo: template.URL(request.ReturnTo),
		Still:    pages.Accounts(e.Users.BySubs(still)),
	}
	return e.Pages.Render(c.Response(), http.StatusOK, "signed_out", page, pages.Policy{})
}

func (e *Endpoint) frame(c echo.Context, title string, request Request) pages.Frame {
	csrf, _ := c.Get("csrf").(string)
	return pages.Frame{Title: title, Issuer: e.Issuer, CSRF: csrf, Client: request.Client}
}
