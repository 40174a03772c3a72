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

// The acr and amr of the two ways to sign in. RFC 8176 §2 defines the values of amr; acr 1 is a password, 0 is less.
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
	OneClick     bool              // users may sign in without a password; for development only
	Limit        endpoint.Limit    // of POST /login
	Addresses    *limit.Addresses
	Passwords    *limit.Passwords // counts wrong ones
}

// Sessions is a *session.Manager, or a decorator of one.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
	SignIn(w http.ResponseWriter, r *http.Request, account session.Account) (*session.Session, error)
	Select(r *http.Request, sub string) error
}

// Endpoints returns the pages and their forms.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	people := func(name, path, method string, serve endpoint.Handler) endpoint.Endpoint {
		return endpoint.Endpoint{Name: name, Path: path, Methods: []string{method}, Audience: endpoint.People, Serve: serve}
	}
	login := people("login", session.PathLogin, http.MethodPost, e.login)
	login.Limit = e.Limit
	forget := people("consent", session.PathConsent+"/forget", http.MethodPost, e.forget)
	forget.Untraced = true
	return []endpoint.Endpoint{
		people("login", session.PathLogin, http.MethodGet, e.showLogin),
		login,
		people("select_account", session.PathSelectAccount, http.MethodGet, e.showSelectAccount),
		people("select_account", session.PathSelectAccount, http.MethodPost, e.selectAccount),
		people("consent", session.PathConsent, http.MethodGet, e.showConsent),
		people("consent", session.PathConsent, http.MethodPost, e.consent),
		forget,
	}
}

// showLogin is GET /login: the sign-in page, for a waiting request or without one.
func (e *Endpoint) showLogin(w http.ResponseWriter, r *http.Request) error {
	waiting, err := e.waiting(r)
	if err != nil {
		return err
	}
	return e.renderLogin(w, r, http.StatusOK, waiting, pages.Login{})
}

// login is POST /login: a password, one click, or a refusal.
func (e *Endpoint) login(w http.ResponseWriter, r *http.Request) error {
	waiting, err := e.waiting(r)
	if err != nil {
		return err
	}
	if r.FormValue("cancel") != "" && waiting.ClientID != "" {
		return e.deny(w, r, waiting, "the user cancelled the sign-in")
	}
	user, account, ok, err := e.authenticate(r)
	if err != nil {
		return err
	}
	if !ok {
		page := pages.Login{Username: r.FormValue("username"), Wrong: true}
		return e.renderLogin(w, r, http.StatusForbidden, waiting, page)
	}
	account.Sub = user.Sub
	if _, err := e.Sessions.SignIn(w, r, account); err != nil {
		return err
	}
	return e.resume(w, r)
}

// authenticate finds the user by one click or by password. The limit of attempts comes before the comparison, so its
// refusal does not reveal whether the user exists.
func (e *Endpoint) authenticate(r *http.Request) (user users.User, account session.Account, ok bool, err error) {
	if name := r.FormValue("one_click"); name != "" && e.offersOneClick(r) {
		user, ok = e.Users.ByName(name)
		return user, byOneClick, ok, nil
	}
	succeeded, err := e.Passwords.Attempt(e.Addresses.Of(r), r.FormValue("username"))
	if err != nil {
		return users.User{}, session.Account{}, false, err
	}
	if user, ok = e.Users.Authenticate(r.FormValue("username"), r.FormValue("password")); ok {
		succeeded()
	}
	return user, byPassword, ok, nil
}

// offersOneClick demands a loopback host name. A page of the internet whose name was made to point here (DNS rebinding)
// must not sign anybody in.
func (e *Endpoint) offersOneClick(r *http.Request) bool {
	u := url.URL{Host: r.Host}
	return e.OneClick && oidc.IsLoopback(u.Hostname())
}

// renderLogin shows the sign-in page. Its user name is the one that was typed, else that of the user whom the request
// is about, else login_hint (Core §3.1.2.1).
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
	return e.render(w, status, "login", page, waiting)
}

// showSelectAccount is GET /select_account: the accounts that are signed in, and a way to another.
func (e *Endpoint) showSelectAccount(w http.ResponseWriter, r *http.Request) error {
	waiting, err := e.waiting(r)
	if err != nil {
		return err
	}
	current, err := session.OrNone(e.Sessions.Current(r))
	if err != nil {
		return err
	}
	page := pages.SelectAccount{Frame: e.frame(r, waiting), Accounts: pages.Accounts(e.Users.BySubs(current.Subs()))}
	return e.render(w, http.StatusOK, "select_account", page, waiting)
}

// selectAccount is POST /select_account. An empty account means another one. So does an account that was signed out
// meanwhile.
func (e *Endpoint) selectAccount(w http.ResponseWriter, r *http.Request) error {
	login := session.InteractionURL(session.PathLogin, r.FormValue(session.InteractionParam))
	sub := r.FormValue("account")
	if sub == "" {
		return seeOther(w, r, login)
	}
	err := e.Sessions.Select(r, sub)
	if _, absent := errors.AsType[session.Absence](err); absent {
		return seeOther(w, r, login)
	}
	if err != nil {
		return err
	}
	return e.resume(w, r)
}

// showConsent is GET /consent: the scope that the client asks for (Core §3.1.2.4).
func (e *Endpoint) showConsent(w http.ResponseWriter, r *http.Request) error {
	waiting, err := e.waiting(r)
	if err != nil {
		return err
	}
	user, ok := e.Users.BySub(waiting.Sub)
	if !ok {
		return oidc.InvalidRequest.Errorf("no request waits for consent here: start at the application")
	}
	page := pages.Consent{
		Frame: e.frame(r, waiting), Account: pages.NewAccount(user),
		Scopes: pages.DescribeScope(waiting.Scope, e.ScopeTexts),
		Back:   pages.Place(waiting.Params.Get("redirect_uri")),
	}
	return e.render(w, http.StatusOK, "consent", page, waiting)
}

// consent is POST /consent: allow or deny. The account of the page must still be signed in to allow.
func (e *Endpoint) consent(w http.ResponseWriter, r *http.Request) error {
	waiting, err := e.waiting(r)
	if err != nil {
		return err
	}
	if r.FormValue("decision") != "allow" {
		return e.deny(w, r, waiting, "the user did not allow the application what it asked for")
	}
	current, err := session.OrNone(e.Sessions.Current(r))
	if err != nil {
		return err
	}
	if _, ok := current.Account(waiting.Sub); ok {
		if err := e.Consents.Remember(r.Context(), waiting.Sub, waiting.ClientID, waiting.Scope); err != nil {
			return err
		}
	}
	return e.resume(w, r)
}

// forget is POST /consent/forget: it deletes a consent of the account used last, whose consents the home page shows.
func (e *Endpoint) forget(w http.ResponseWriter, r *http.Request) error {
	current, err := session.OrNone(e.Sessions.Current(r))
	if err != nil {
		return err
	}
	if current != nil {
		if err := e.Consents.Forget(r.Context(), current.Accounts[0].Sub, r.FormValue("client_id")); err != nil {
			return err
		}
	}
	return seeOther(w, r, "/")
}

// waiting opens the interaction of the page. It is empty if no application waits.
func (e *Endpoint) waiting(r *http.Request) (session.Interaction, error) {
	sealed := r.FormValue(session.InteractionParam)
	if sealed == "" {
		return session.Interaction{}, nil
	}
	return e.Interactions.Open(sealed)
}

// resume redirects to the waiting request, or to the home page.
func (e *Endpoint) resume(w http.ResponseWriter, r *http.Request) error {
	sealed := r.FormValue(session.InteractionParam)
	if sealed == "" {
		return seeOther(w, r, "/")
	}
	waiting, err := e.Interactions.Open(sealed)
	if err != nil {
		return err
	}
	return seeOther(w, r, session.InteractionURL(waiting.Back(), sealed))
}

// deny redirects to the waiting request with the person's refusal.
func (e *Endpoint) deny(w http.ResponseWriter, r *http.Request, waiting session.Interaction, how string) error {
	waiting.Denied = how
	target, err := e.Interactions.URL(waiting.Back(), waiting)
	if err != nil {
		return err
	}
	return seeOther(w, r, target)
}

func seeOther(w http.ResponseWriter, r *http.Request, target string) error {
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

func (e *Endpoint) render(w http.ResponseWriter, status int, name string, page any, waiting session.Interaction) error {
	return e.Pages.Render(w, status, name, page, pages.Policy{FormAction: waiting.Params.Get("redirect_uri")})
}

func (e *Endpoint) frame(r *http.Request, waiting session.Interaction) pages.Frame {
	frame := e.Pages.Frame(r, e.Issuer)
	frame.Language = e.Pages.Language(r, waiting.Params.Get("ui_locales"))
	frame.Interaction = r.FormValue(session.InteractionParam)
	if client, err := e.Clients.ByID(r.Context(), waiting.ClientID); err == nil {
		frame.Client = &client
	}
	return frame
}
