// Package login serves the pages of the sign-in: password, choice of an account, consent. They are plain forms that
// work without script. Each form ends in a redirect to the waiting authorization request, or to the home page:
//
//	/login ───────────► Users.Authenticate ► Sessions.SignIn ──┐
//	/select_account ──► Sessions.Select ───────────────────────┼──► /authorize?interaction=…  (or /)
//	/consent ─────────► Consents.Remember ─────────────────────┘
//
// Every form carries a CSRF token. The server checks it before it calls the handler. Package idp/limit counts wrong
// passwords.
//
// Where teaching ends: one factor, and no way to reset a password.
package login

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// The acr and amr of the two ways to sign in. RFC 8176 §2 defines the values of amr; acr 1 means a password, 0 means
// less.
var (
	byPassword = session.Account{ACR: "1", AMR: []string{"pwd"}}
	byOneClick = session.Account{ACR: "0", AMR: []string{"user"}}
)

// ACRValues lists the acr values that a sign-in can have.
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
	ScopeTexts   map[string]string // of configured scopes
	// OneClick tells whether users may sign in without a password at the host name. nil: nowhere. For development only.
	OneClick func(host string) bool
	Typed    *users.Typed // users that people type; for development only
	// HintSignsIn tells whether login_hint signs in without a page. nil: never. For development only.
	HintSignsIn func(*http.Request) bool
	Limit       endpoint.Limit // of POST /login
	Addresses   *limit.Addresses
	Passwords   *limit.Passwords // counts wrong passwords
}

// Sessions is a *session.Manager, or a decorator of one.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
	SignIn(w http.ResponseWriter, r *http.Request, account session.Account) (*session.Session, error)
	Select(r *http.Request, sub string) error
}

// Endpoints returns the pages and their forms.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	login := pages.Route(http.MethodPost, "login", session.PathLogin, e.with(e.login))
	login.Limit = e.Limit
	forget := pages.Route(http.MethodPost, "consent", session.PathConsent+"/forget", session.Serve(e.Sessions, e.forget))
	forget.Untraced = true
	return []endpoint.Endpoint{
		pages.Route(http.MethodGet, "login", session.PathLogin, e.with(e.showLogin)),
		login,
		pages.Route(http.MethodGet, "select_account", session.PathSelectAccount, e.with(e.showSelectAccount)),
		pages.Route(http.MethodPost, "select_account", session.PathSelectAccount, e.with(e.selectAccount)),
		pages.Route(http.MethodGet, "consent", session.PathConsent, e.with(e.showConsent)),
		pages.Route(http.MethodPost, "consent", session.PathConsent, e.with(e.consent)),
		forget,
	}
}

// with returns a handler that calls serve with the waiting request; it is empty if no request waits.
func (e *Endpoint) with(
	serve func(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error,
) endpoint.Handler {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		_ = oidc.ParseForm(r) // the rest of a query that cannot be read is not needed
		var waiting session.Interaction
		if sealed := r.Form.Get(session.InteractionParam); sealed != "" {
			if waiting, err = e.Interactions.Open(sealed); err != nil {
				return err
			}
		}
		return serve(w, r, waiting)
	}
}

func (e *Endpoint) showLogin(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	if user, ok := e.hinted(r, waiting); ok {
		return e.signIn(w, r, waiting, user, byOneClick)
	}
	return e.renderLogin(w, r, http.StatusOK, waiting, pages.Login{})
}

// hinted returns the user of login_hint if that user signs in without a page. A browser that lost the cookie of such a
// sign-in would be redirected without end, so it gets the page.
func (e *Endpoint) hinted(r *http.Request, waiting session.Interaction) (users.User, bool) {
	if e.HintSignsIn == nil || !e.HintSignsIn(r) || waiting.Reason == session.CookieLost {
		return users.User{}, false
	}
	return e.Users.ByName(waiting.Params.Get("login_hint"))
}

// login is POST /login: a password, one click, or a refusal.
func (e *Endpoint) login(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	if r.Form.Get("cancel") != "" && waiting.ClientID != "" {
		return e.deny(w, r, waiting, "the user cancelled the sign-in")
	}
	if r.Form.Has("name") && e.offersOneClick(r) {
		return e.loginAsTyped(w, r, waiting)
	}
	user, account, ok, err := e.authenticate(r)
	if err != nil {
		return err
	}
	if !ok {
		page := pages.Login{Username: r.Form.Get("username"), Wrong: true}
		return e.renderLogin(w, r, http.StatusForbidden, waiting, page)
	}
	return e.signIn(w, r, waiting, user, account)
}

// loginAsTyped signs in the user with the typed name and claims. A fault is shown above the form, which keeps both.
func (e *Endpoint) loginAsTyped(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	name, claims := r.Form.Get("name"), r.Form.Get("claims")
	user, err := e.Typed.User(name, claims)
	if err != nil {
		page := pages.Login{TypedName: name, TypedClaims: claims, TypedFault: err.Error()}
		return e.renderLogin(w, r, http.StatusBadRequest, waiting, page)
	}
	return e.signIn(w, r, waiting, user, byOneClick)
}

// signIn signs the user in, and redirects to the waiting request or to the home page.
func (e *Endpoint) signIn(
	w http.ResponseWriter, r *http.Request, waiting session.Interaction, user users.User, account session.Account,
) error {
	account.Sub = user.Sub
	if _, err := e.Sessions.SignIn(w, r, account); err != nil {
		return err
	}
	if r.Form.Get(session.InteractionParam) == "" {
		return pages.Redirect(w, r, "/")
	}
	waiting.SignedIn = true
	return e.goOn(w, r, waiting)
}

// authenticate finds the user by one click or by password. The limit of attempts comes before the comparison, so its
// refusal does not reveal whether the user exists.
func (e *Endpoint) authenticate(r *http.Request) (user users.User, account session.Account, ok bool, err error) {
	if name := r.Form.Get("one_click"); name != "" && e.offersOneClick(r) {
		user, ok = e.Users.ByName(name)
		return user, byOneClick, ok, nil
	}
	name := r.Form.Get("username")
	settle, err := e.Passwords.Attempt(e.Addresses.Of(r), e.Users.Key(name))
	if err != nil {
		return users.User{}, session.Account{}, false, err
	}
	user, ok, err = e.Users.Authenticate(r.Context(), name, r.Form.Get("password"))
	settle(ok, err)
	return user, byPassword, ok, err
}

// offersOneClick demands a host name that means this machine: a foreign web page whose host name resolves to this
// machine (DNS rebinding) must not sign a user in.
func (e *Endpoint) offersOneClick(r *http.Request) bool {
	u := url.URL{Host: r.Host}
	return e.OneClick != nil && e.OneClick(u.Hostname())
}

// renderLogin shows the sign-in page. Its user name is the typed one, else the name of the user that the request is
// about, else login_hint (Core §3.1.2.1).
func (e *Endpoint) renderLogin(
	w http.ResponseWriter, r *http.Request, status int, waiting session.Interaction, page pages.Login,
) error {
	page.Frame, page.Reason = e.frame(r, waiting), waiting.Reason
	if user, ok := e.Users.BySub(waiting.Sub); ok {
		page.Username = cmp.Or(page.Username, user.Username)
	}
	page.Username = cmp.Or(page.Username, waiting.Params.Get("login_hint"))
	if e.offersOneClick(r) {
		page.OneClick = pages.Accounts(e.Users.All())
	}
	return e.render(w, status, page, waiting)
}

// showSelectAccount offers the accounts that are signed in, and the sign-in to another account.
func (e *Endpoint) showSelectAccount(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	current, err := session.OrNone(e.Sessions.Current(r))
	if err != nil {
		return err
	}
	page := pages.SelectAccount{Frame: e.frame(r, waiting), Accounts: pages.Accounts(e.Users.BySubs(current.Subs()))}
	return e.render(w, http.StatusOK, page, waiting)
}

// selectAccount is POST /select_account. It redirects to the sign-in if the account is empty or not signed in any more.
func (e *Endpoint) selectAccount(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	err := e.Sessions.Select(r, r.Form.Get("account"))
	if _, absent := errors.AsType[session.Absence](err); absent {
		return pages.Redirect(w, r, session.InteractionURL(session.PathLogin, r.Form.Get(session.InteractionParam)))
	}
	if err != nil {
		return err
	}
	return resume(w, r, waiting)
}

// showConsent shows the scope that the client asks for (Core §3.1.2.4).
func (e *Endpoint) showConsent(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	user, ok := e.Users.BySub(waiting.Sub)
	if !ok {
		return oidc.InvalidRequest.Errorf("no request waits for consent here: start at the application")
	}
	page := pages.Consent{
		Frame: e.frame(r, waiting), Account: pages.NewAccount(user),
		Scopes: pages.DescribeScope(waiting.Scope, e.ScopeTexts),
		Back:   pages.Place(waiting.Params.Get("redirect_uri")),
	}
	return e.render(w, http.StatusOK, page, waiting)
}

// consent is POST /consent: allow or deny. To allow, the account of the page must still be signed in.
func (e *Endpoint) consent(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	if r.Form.Get("decision") != "allow" {
		return e.deny(w, r, waiting, "the user did not allow the application what it asked for")
	}
	current, err := session.OrNone(e.Sessions.Current(r))
	if _, ok := current.Account(waiting.Sub); ok && err == nil {
		err = e.Consents.Remember(r.Context(), waiting.Sub, waiting.ClientID, waiting.Scope)
	}
	if err != nil {
		return err
	}
	return resume(w, r, waiting)
}

// forget is POST /consent/forget: it deletes a consent of the account used last. The home page lists these consents.
func (e *Endpoint) forget(w http.ResponseWriter, r *http.Request, current *session.Session) error {
	if current != nil {
		if err := e.Consents.Forget(r.Context(), current.Accounts[0].Sub, r.Form.Get("client_id")); err != nil {
			return err
		}
	}
	return pages.Redirect(w, r, "/")
}

// resume redirects to the waiting request, or to the home page.
func resume(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	sealed := r.Form.Get(session.InteractionParam)
	if sealed == "" {
		return pages.Redirect(w, r, "/")
	}
	return pages.Redirect(w, r, session.InteractionURL(waiting.Back(), sealed))
}

// deny redirects to the waiting request with the person's refusal.
func (e *Endpoint) deny(w http.ResponseWriter, r *http.Request, waiting session.Interaction, how string) error {
	waiting.Denied = how
	return e.goOn(w, r, waiting)
}

// goOn redirects to the waiting request with what the page added to it.
func (e *Endpoint) goOn(w http.ResponseWriter, r *http.Request, waiting session.Interaction) error {
	target, err := e.Interactions.URL(waiting.Back(), waiting)
	if err != nil {
		return err
	}
	return pages.Redirect(w, r, target)
}

func (e *Endpoint) render(w http.ResponseWriter, status int, page pages.Page, waiting session.Interaction) error {
	return e.Pages.Render(w, status, page, pages.Policy{FormsLeave: waiting.ClientID != ""})
}

func (e *Endpoint) frame(r *http.Request, waiting session.Interaction) pages.Frame {
	frame := e.Pages.Frame(r, e.Issuer)
	frame.Language = e.Pages.Language(r, waiting.Params.Get("ui_locales"))
	frame.Interaction = r.Form.Get(session.InteractionParam)
	if client, err := e.Clients.ByID(r.Context(), waiting.ClientID); err == nil {
		frame.Client = client
	}
	return frame
}
