package logout

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/backchannel"
	"github.com/hush-idp/hush/idp/clients"
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
	Seal     session.Seal[url.Values] // carries the request across the page that asks
	Hints    func(idToken string) (Hint, error)
	// Tell tells the clients that have a backchannel_logout_uri, and says what became of it so far.
	Tell func(ctx context.Context, gone []session.Ended) []backchannel.Telling
}

// Sessions is a *session.Manager, or a decorator around one.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
	SignOut(w http.ResponseWriter, r *http.Request) ([]session.Ended, error)
	SignOutSID(ctx context.Context, sid string) ([]session.Ended, error)
	Show(w http.ResponseWriter, r *http.Request, s *session.Session)
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
	request, err := Read(c.Request().Context(), params, e.Clients, e.Hints)
	if err != nil {
		return err
	}
	request.compare(current)
	switch {
	case !request.Proven() && c.Request().Method == http.MethodPost:
		return c.Redirect(http.StatusSeeOther, c.Path()+"?"+params.Encode()) // a page has to be asked for by GET: it sets the CSRF cookie
	case !request.Proven():
		return e.ask(c, request, current, params)
	}
	gone, err := e.signOut(c, current, request.Hint.SID)
	if err != nil {
		return err
	}
	return e.signedOut(c, request, gone, others(current, request.Hint.SID))
}

// signOut ends one sign-in: the one in this browser, or else, where no cookie came, the one that sid names. So it works as well in
// an iframe that the cookie does not reach.
func (e *Endpoint) signOut(c echo.Context, current *session.Session, sid string) ([]session.Ended, error) {
	if current != nil && len(current.Accounts) == 1 {
		return e.Sessions.SignOut(c.Response(), c.Request())
	}
	gone, err := e.Sessions.SignOutSID(c.Request().Context(), sid)
	if current != nil && err == nil {
		rest := *current
		rest.Accounts = slices.DeleteFunc(slices.Clone(rest.Accounts), func(a session.Account) bool { return a.SID == sid })
		e.Sessions.Show(c.Response(), c.Request(), &rest)
	}
	return gone, err
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

// meant is the account that logout_hint names, of several in this browser. RP-Initiated Logout §2: logout_hint is a "Hint to the
// Authorization Server about the End-User that is logging out."
func (e *Endpoint) meant(current *session.Session, hint string) (session.Account, bool) {
	if current == nil || hint == "" || len(current.Accounts) < 2 {
		return session.Account{}, false
	}
	for _, account := range current.Accounts {
		if account.SID == hint {
			return account, true
		}
	}
	if user, ok := e.Users.ByName(hint); ok {
		hint = user.Sub
	}
	return current.Account(hint)
}

// ask shows the page with the button to sign out.
func (e *Endpoint) ask(c echo.Context, request Request, current *session.Session, params url.Values) (err error) {
	subs := current.Subs()
	if account, ok := e.meant(current, request.LogoutHint); ok {
		subs = []string{account.Sub}
	}
	page := pages.Logout{
		Frame:    e.frame(c, request),
		Accounts: pages.Accounts(e.Users.BySubs(subs)),
		Notice:   request.Problem,
	}
	page.Interaction, err = e.Seal.Close(params)
	if err != nil {
		return err
	}
	return e.Pages.Render(c.Response(), http.StatusOK, "logout", page, pages.Policy{})
}

// Confirm is POST /logout/confirm: the user pressed a button on the page that asks. It ends what that page named.
func (e *Endpoint) Confirm(c echo.Context) error {
	if c.FormValue("decision") != "sign_out" {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	params, err := e.Seal.Open(c.FormValue(session.InteractionParam))
	if err != nil {
		return err
	}
	request, err := Read(c.Request().Context(), params, e.Clients, e.Hints)
	if err != nil {
		return err
	}
	gone, still, err := e.end(c, request)
	if err != nil {
		return err
	}
	request.Hint = nil // the answer came from the page, so nobody is redirected
	return e.signedOut(c, request, gone, still)
}

// end signs out everybody in this browser, or the one whom logout_hint names. still are who stay.
func (e *Endpoint) end(c echo.Context, request Request) (gone []session.Ended, still []string, err error) {
	current, err := session.OrNone(e.Sessions.Current(c.Request()))
	if err != nil {
		return nil, nil, err
	}
	if account, ok := e.meant(current, request.LogoutHint); ok {
		gone, err = e.signOut(c, current, account.SID)
		return gone, others(current, account.SID), err
	}
	gone, err = e.Sessions.SignOut(c.Response(), c.Request())
	return gone, nil, err
}

// patience is how long the person waits for clients to be told. Whoever is slower is told behind the scenes.
const patience = time.Second

// tell tells the clients and returns those that do not know yet.
func (e *Endpoint) tell(ctx context.Context, gone []session.Ended) (untold []oidc.Client) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, telling := range e.Tell(ctx, gone) {
		if telling.Err != nil {
			untold = append(untold, telling.Client)
		}
	}
	return untold
}

// signedOut goes back to the client, or shows the last page. That offers the way back as a link where the request was not proven, since
// only a proven request is redirected; it loads the clients' iframes, and names who is still signed in.
func (e *Endpoint) signedOut(c echo.Context, request Request, gone []session.Ended, still []string) error {
	untold, frames := e.tell(c.Request().Context(), gone), e.frames(c.Request().Context(), gone)
	goesOn := request.Proven() && request.ReturnTo != ""
	if goesOn && len(frames) == 0 {
		return c.Redirect(http.StatusSeeOther, request.ReturnTo)
	}
	page := pages.SignedOut{
		Frame:    e.frame(c, request),
		ReturnTo: template.URL(request.ReturnTo),
		GoesOn:   goesOn,
		Still:    pages.Accounts(e.Users.BySubs(still)),
		Untold:   untold,
	}
	for _, frame := range frames {
		page.Frames = append(page.Frames, template.URL(frame))
	}
	policy := pages.Policy{Frames: frames}
	if goesOn {
		policy.FramedBy = request.ReturnTo // a client may sign out in an iframe of its own (signoutSilent in oidc-client-ts)
	}
	return e.Pages.Render(c.Response(), http.StatusOK, "signed_out", page, policy)
}

func (e *Endpoint) frame(c echo.Context, request Request) pages.Frame {
	csrf, _ := c.Get("csrf").(string)
	return pages.Frame{Language: e.Pages.Language(c.Request(), request.UILocales), Issuer: e.Issuer, CSRF: csrf, Client: request.Client}
}
