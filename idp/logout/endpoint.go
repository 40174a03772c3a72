package logout

import (
	"html/template"
	"net/http"

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
	Issuer       string
	Pages        *pages.Pages
	Clients      *clients.Register
	Users        *users.Directory
	Sessions     *session.Manager
	Interactions interaction.Sealer // carries the request across the page that asks
	Hints        func(idToken string) (Hint, error)
}

// Logout is GET and POST /logout.
func (e *Endpoint) Logout(c echo.Context) error {
	params, err := c.FormParams()
	if err != nil {
		return oidc.InvalidRequest.Errorf("the parameters cannot be read: %v", err).Because(err)
	}
	request := Read(params, e.Clients, e.Hints)
	if !request.Proven() && c.Request().Method == http.MethodPost {
		return c.Redirect(http.StatusSeeOther, c.Path()+"?"+params.Encode()) // a page has to be asked for by GET: it sets the CSRF cookie
	}
	if !request.Proven() {
		return e.ask(c, request, interaction.Interaction{Params: params})
	}
	if err := e.signOut(c, *request.Hint); err != nil {
		return err
	}
	if request.ReturnTo != "" {
		return c.Redirect(http.StatusSeeOther, request.ReturnTo)
	}
	return e.signedOut(c, request)
}

// signOut ends the hinted user's sign-in: the one in this browser, or else the one that the hint's sid names, wherever its
// browser is. So it works as well in an iframe that the cookie does not reach.
func (e *Endpoint) signOut(c echo.Context, hint Hint) error {
	current, err := session.OrNone(e.Sessions.Current(c.Request()))
	if err != nil {
		return err
	}
	account, here := current.Account(hint.Subject)
	switch {
	case here && len(current.Accounts) == 1:
		return e.Sessions.SignOut(c.Response(), c.Request())
	case here:
		return e.Sessions.SignOutSID(c.Request().Context(), account.SID)
	}
	return e.Sessions.SignOutSID(c.Request().Context(), hint.SID)
}

// ask shows the page with the button to sign out.
func (e *Endpoint) ask(c echo.Context, request Request, waiting interaction.Interaction) error {
	current, err := session.OrNone(e.Sessions.Current(c.Request()))
	if err != nil {
		return err
	}
	page := pages.Logout{
		Frame:    e.frame(c, "Sign out", request),
		Accounts: pages.Accounts(e.Users.BySubs(current.Subs())),
		Notice:   request.Problem,
	}
	page.Interaction, err = e.Interactions.Seal(waiting)
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
	waiting, err := e.Interactions.Open(c.FormValue(interaction.Param))
	if err != nil {
		return err
	}
	if err := e.Sessions.SignOut(c.Response(), c.Request()); err != nil {
		return err
	}
	return e.signedOut(c, Read(waiting.Params, e.Clients, e.Hints))
}

// signedOut shows the last page. It offers the way back as a link: only a proven request is redirected.
func (e *Endpoint) signedOut(c echo.Context, request Request) error {
	page := pages.SignedOut{Frame: e.frame(c, "Signed out", request), ReturnTo: template.URL(request.ReturnTo)}
	return e.Pages.Render(c.Response(), http.StatusOK, "signed_out", page, pages.Policy{})
}

func (e *Endpoint) frame(c echo.Context, title string, request Request) pages.Frame {
	csrf, _ := c.Get("csrf").(string)
	return pages.Frame{Title: title, Issuer: e.Issuer, CSRF: csrf, Client: request.Client}
}
