package device

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// paramUserCode is what a person typed, or the device put into verification_uri_complete (RFC 8628 §3.3.1).
const paramUserCode = "user_code"

// Endpoint serves the page.
type Endpoint struct {
	Issuer       string
	Pages        *pages.Pages
	Clients      *clients.Register
	Users        *users.Directory
	Sessions     Sessions
	Devices      *Devices
	Interactions session.Seal[session.Interaction]
	ScopeTexts   map[string]string // of the scopes that the configuration adds
	// Attempt is asked before a code is looked up. Its error refuses to; succeeded tells that the code was right.
	Attempt func(r *http.Request) (succeeded func(), err error)
}

// Sessions is a *session.Manager, or a decorator around one.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
}

// Show is GET /device: the field for the code, or what the code asks for. Who is not signed in signs in first.
func (e *Endpoint) Show(c echo.Context) error {
	typed, err := e.typed(c)
	if err != nil {
		return err
	}
	current, err := session.OrNone(e.Sessions.Current(c.Request()))
	switch {
	case err != nil:
		return err
	case current == nil:
		return e.signIn(c, typed)
	case typed == "":
		return e.render(c, http.StatusOK, pages.Device{Frame: e.frame(c)})
	}
	found, err := e.find(c, typed)
	if errors.Is(err, ErrUnknown) {
		return e.renderUnknown(c, typed)
	}
	if err != nil {
		return err
	}
	return e.ask(c, found, typed, current)
}

// Decide is POST /device: what the person decided. Only the account that the page named can allow.
func (e *Endpoint) Decide(c echo.Context) error {
	typed := clip(c.FormValue(paramUserCode))
	current, err := session.OrNone(e.Sessions.Current(c.Request()))
	if err != nil {
		return err
	}
	account, signedIn := current.Account(c.FormValue("account"))
	if !signedIn {
		return e.signIn(c, typed) // signed out meanwhile
	}
	decision := Deny
	if c.FormValue("decision") == Allow {
		decision = Allow
	}
	found, err := e.find(c, typed)
	if err == nil {
		err = e.Devices.Decide(c.Request().Context(), found, decision, grant.Grant{
			Sub: account.Sub, AuthTime: account.AuthTime, ACR: account.ACR, AMR: account.AMR,
		})
	}
	if errors.Is(err, ErrUnknown) {
		return e.renderUnknown(c, typed)
	}
	if err != nil {
		return err
	}
	return e.render(c, http.StatusOK, pages.Device{Frame: e.frame(c), Decision: decision})
}

// typed is the user code of the request, or of the one that waited while the person signed in.
func (e *Endpoint) typed(c echo.Context) (string, error) {
	sealed := c.QueryParam(session.InteractionParam)
	if sealed == "" {
		return clip(c.QueryParam(paramUserCode)), nil
	}
	waiting, err := e.Interactions.Open(sealed)
	return waiting.Params.Get(paramUserCode), err
}

// longestTyped is more characters than a code has, with all that a person may put between them.
const longestTyped = 64

// clip keeps what is no code anyhow short enough to be shown again, and to travel through the sign-in.
func clip(typed string) string {
	if len(typed) <= longestTyped {
		return typed
	}
	return strings.ToValidUTF8(typed[:longestTyped], "")
}

// find looks the code up, where that is not done too often.
func (e *Endpoint) find(c echo.Context, typed string) (Pending, error) {
	succeeded, err := e.Attempt(c.Request())
	if err != nil {
		return Pending{}, err
	}
	found, err := e.Devices.Find(c.Request().Context(), typed)
	if err == nil {
		succeeded()
	}
	return found, err
}

// signIn leads to the sign-in page, and from there back here.
func (e *Endpoint) signIn(c echo.Context, typed string) error {
	sealed, err := e.waiting(typed)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, session.PathLogin+"?"+sealed)
}

func (e *Endpoint) waiting(typed string) (string, error) {
	sealed, err := e.Interactions.Close(session.Interaction{
		Path: session.PathDevice, Params: url.Values{paramUserCode: {typed}},
	})
	return url.Values{session.InteractionParam: {sealed}}.Encode(), err
}

// ask shows what the device asks for, and for whom: the account used last.
func (e *Endpoint) ask(c echo.Context, found Pending, typed string, current *session.Session) error {
	client, err := e.Clients.ByID(c.Request().Context(), found.ClientID)
	if errors.Is(err, clients.ErrUnknown) {
		return e.renderUnknown(c, typed)
	}
	if err != nil {
		return err
	}
	user, ok := e.Users.BySub(current.Accounts[0].Sub)
	if !ok {
		return oidc.InvalidRequest.Errorf("the user who is signed in is not known any more: sign out and in again")
	}
	another, err := e.waiting(typed)
	if err != nil {
		return err
	}
	page := pages.Device{
		Frame: e.frame(c), UserCode: shown(typed), Account: pages.NewAccount(user),
		Another: session.PathSelectAccount + "?" + another, Scopes: pages.DescribeScope(found.Scope, e.ScopeTexts),
	}
	page.Client = &client
	return e.render(c, http.StatusOK, page)
}

func (e *Endpoint) renderUnknown(c echo.Context, typed string) error {
	return e.render(c, http.StatusNotFound, pages.Device{Frame: e.frame(c), UserCode: typed, Unknown: true})
}

func (e *Endpoint) render(c echo.Context, status int, page pages.Device) error {
	return e.Pages.Render(c.Response(), status, "device", page, pages.Policy{})
}

func (e *Endpoint) frame(c echo.Context) pages.Frame {
	csrf, _ := c.Get("csrf").(string)
	return pages.Frame{Language: e.Pages.Language(c.Request(), ""), Issuer: e.Issuer, CSRF: csrf}
}
