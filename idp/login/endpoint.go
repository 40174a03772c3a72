package login

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// The acr and amr of the two ways to sign in. RFC 8176 §2 has the values of amr; acr 1 is a password, 0 is less.
var (
	byPassword = session.Account{ACR: "1", AMR: []string{"pwd"}}
	byOneClick = session.Account{ACR: "0", AMR: []string{"user"}}
)

// ACRValues lists the acr values that sign-ins here can have.
func ACRValues() []string { return []string{byPassword.ACR, byOneClick.ACR} }

// Endpoint serves the pages.
type Endpoint struct {
	Issuer       string
	Pages        *pages.Pages
	Clients      *clients.Register
	Users        *users.Directory
	Sessions     Sessions
	Consents     *grant.Consents
	Interactions session.Seal[session.Interaction]
	ScopeTexts   map[string]string // of the scopes that the configuration adds
	OneClick     bool              // users may be signed in without a password; for development only
	// Attempt is asked before a password is compared. Its error refuses to; succeeded tells that the password was right. nil:
	// nobody counts.
	Attempt func(r *http.Request, username string) (succeeded func(), err error)
}

// Sessions is a *session.Manager, or a decorator around one.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
	SignIn(w http.ResponseWriter, r *http.Request, account session.Account) (*session.Session, error)
	Select(r *http.Request, sub string) error
}

// ShowLogin is GET /login: the sign-in page, with or without an application that waits for it.
func (e *Endpoint) ShowLogin(c echo.Context) error {
	waiting, err := e.waiting(c)
	if err != nil {
		return err
	}
	return e.renderLogin(c, http.StatusOK, waiting, pages.Login{})
}

// Login is POST /login: a password, one click, or a refusal.
func (e *Endpoint) Login(c echo.Context) error {
	waiting, err := e.waiting(c)
	if err != nil {
		return err
	}
	if c.FormValue("cancel") != "" && waiting.ClientID != "" {
		return e.deny(c, waiting, "the user cancelled the sign-in")
	}
	user, account, ok, err := e.authenticate(c)
	if err != nil {
		return err
	}
	if !ok {
		return e.renderLogin(c, http.StatusForbidden, waiting, pages.Login{Username: c.FormValue("username"), Wrong: true})
	}
	account.Sub = user.Sub
	if _, err := e.Sessions.SignIn(c.Response(), c.Request(), account); err != nil {
		return err
	}
	return e.goOn(c)
}

func (e *Endpoint) authenticate(c echo.Context) (user users.User, account session.Account, ok bool, err error) {
	if name := c.FormValue("one_click"); name != "" && e.offersOneClick(c) {
		user, ok = e.Users.ByName(name)
		return user, byOneClick, ok, nil
	}
	user, ok, err = e.comparePassword(c.Request(), c.FormValue("username"), c.FormValue("password"))
	return user, byPassword, ok, err
}

// comparePassword refuses, where too many were wrong, before it knows whether the user exists.
func (e *Endpoint) comparePassword(r *http.Request, username, password string) (users.User, bool, error) {
	succeeded := func() {}
	if e.Attempt != nil {
		var err error
		if succeeded, err = e.Attempt(r, username); err != nil {
			return users.User{}, false, err
		}
	}
	user, ok := e.Users.Authenticate(username, password)
	if ok {
		succeeded()
	}
	return user, ok, nil
}

// offersOneClick wants the browser to have come by a loopback name: a page of the internet whose name was made to point
// here (DNS rebinding) must not sign anybody in.
func (e *Endpoint) offersOneClick(c echo.Context) bool {
	u := url.URL{Host: c.Request().Host}
	return e.OneClick && oidc.IsLoopback(u.Hostname())
}

// renderLogin shows the sign-in page. The name is prefilled by what was typed, else by the user the request is
// about, else by login_hint (Core §3.1.2.1).
func (e *Endpoint) renderLogin(c echo.Context, status int, waiting session.Interaction, page pages.Login) error {
	page.Frame, page.Reason = e.frame(c, waiting), waiting.Reason
	if page.Username == "" {
		page.Username = e.expected(waiting)
	}
	if e.offersOneClick(c) {
		page.OneClick = pages.Accounts(e.Users.All())
	}
	return e.render(c, status, "login", page, waiting)
}

func (e *Endpoint) expected(waiting session.Interaction) string {
	if user, ok := e.Users.BySub(waiting.Sub); ok {
		return user.Username
	}
	return waiting.Params.Get("login_hint")
}

// ShowSelectAccount is GET /select_account: the accounts that are signed in, and a way to another.
func (e *Endpoint) ShowSelectAccount(c echo.Context) error {
	waiting, err := e.waiting(c)
	if err != nil {
		return err
	}
	current, err := e.current(c)
	if err != nil {
		return err
	}
	page := pages.SelectAccount{Frame: e.frame(c, waiting), Accounts: pages.Accounts(e.Users.BySubs(current.Subs()))}
	return e.render(c, http.StatusOK, "select_account", page, waiting)
}

// SelectAccount is POST /select_account. An empty account means another one.
func (e *Endpoint) SelectAccount(c echo.Context) error {
	sub := c.FormValue("account")
	if sub == "" {
		return e.to(c, session.PathLogin)
	}
	err := e.Sessions.Select(c.Request(), sub)
	if _, absent := errors.AsType[session.Absence](err); absent {
		return e.to(c, session.PathLogin) // it was signed out meanwhile
	}
	if err != nil {
		return err
	}
	return e.goOn(c)
}

// ShowConsent is GET /consent: what the client asks for (Core §3.1.2.4).
func (e *Endpoint) ShowConsent(c echo.Context) error {
	waiting, err := e.waiting(c)
	if err != nil {
		return err
	}
	user, ok := e.Users.BySub(waiting.Sub)
	if !ok {
		return oidc.InvalidRequest.Errorf("nobody is asked for consent here: start at the application")
	}
	page := pages.Consent{
		Frame: e.frame(c, waiting), Account: pages.NewAccount(user), Scopes: pages.DescribeScope(waiting.Scope, e.ScopeTexts),
		Back: pages.Place(waiting.Params.Get("redirect_uri")),
	}
	return e.render(c, http.StatusOK, "consent", page, waiting)
}

// Consent is POST /consent: allow or deny. Only who is signed in as the account that was asked can allow.
func (e *Endpoint) Consent(c echo.Context) error {
	waiting, err := e.waiting(c)
	if err != nil {
		return err
	}
	if c.FormValue("decision") != "allow" {
		return e.deny(c, waiting, "the user did not allow the application what it asked for")
	}
	current, err := e.current(c)
	if err != nil {
		return err
	}
	if _, ok := current.Account(waiting.Sub); ok {
		err = e.Consents.Remember(c.Request().Context(), waiting.Sub, waiting.ClientID, waiting.Scope)
	}
	if err != nil {
		return err
	}
	return e.goOn(c)
}

// Forget is POST /consent/forget: what the account used last, whose consents the home page shows, allowed the client is
// forgotten.
func (e *Endpoint) Forget(c echo.Context) error {
	current, err := e.current(c)
	if err != nil {
		return err
	}
	if current != nil {
		err = e.Consents.Forget(c.Request().Context(), current.Accounts[0].Sub, c.FormValue("client_id"))
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/")
}

// waiting opens the interaction that the page belongs to; a page without one belongs to no application.
func (e *Endpoint) waiting(c echo.Context) (session.Interaction, error) {
	sealed := c.FormValue(session.InteractionParam)
	if sealed == "" {
		return session.Interaction{}, nil
	}
	return e.Interactions.Open(sealed)
}

// goOn leads back to the request that waits, or home.
func (e *Endpoint) goOn(c echo.Context) error {
	if c.FormValue(session.InteractionParam) == "" {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	waiting, err := e.waiting(c)
	if err != nil {
		return err
	}
	return e.to(c, waiting.Back())
}

// to leads to path with the interaction as it came.
func (e *Endpoint) to(c echo.Context, path string) error {
	return redirect(c, path, c.FormValue(session.InteractionParam))
}

// deny leads back to the request with the answer no.
func (e *Endpoint) deny(c echo.Context, waiting session.Interaction, how string) error {
	waiting.Denied = how
	sealed, err := e.Interactions.Close(waiting)
	if err != nil {
		return err
	}
	return redirect(c, waiting.Back(), sealed)
}

func redirect(c echo.Context, path, sealed string) error {
	return c.Redirect(http.StatusSeeOther, path+"?"+url.Values{session.InteractionParam: {sealed}}.Encode())
}

func (e *Endpoint) render(c echo.Context, status int, name string, page any, waiting session.Interaction) error {
	policy := pages.Policy{FormAction: waiting.Params.Get("redirect_uri")}
	return e.Pages.Render(c.Response(), status, name, page, policy)
}

func (e *Endpoint) frame(c echo.Context, waiting session.Interaction) pages.Frame {
	csrf, _ := c.Get("csrf").(string)
	frame := pages.Frame{
		Language: e.Pages.Language(c.Request(), waiting.Params.Get("ui_locales")),
		Issuer:   e.Issuer, CSRF: csrf, Interaction: c.FormValue(session.InteractionParam),
	}
	if client, err := e.Clients.ByID(c.Request().Context(), waiting.ClientID); err == nil {
		frame.Client = &client
	}
	return frame
}

// current is the session of the request, nil for none.
func (e *Endpoint) current(c echo.Context) (*session.Session, error) {
	return session.OrNone(e.Sessions.Current(c.Request()))
}
