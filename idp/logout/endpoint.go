package logout

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Path is the end_session_endpoint.
const Path = "/logout"

// Endpoint is the end_session_endpoint.
type Endpoint struct {
	Issuer   string
	Pages    *pages.Pages
	Clients  *clients.Register
	Users    *users.Directory
	Sessions Sessions
	Seal     session.Seal[url.Values] // carries the request through the page that asks
	Hints    *access.Hints
	Sender   *Sender
}

// Sessions is a *session.Manager, or a decorator of one.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
	SignOut(w http.ResponseWriter, r *http.Request) ([]session.Ended, error)
	SignOutSID(ctx context.Context, sid string) ([]session.Ended, error)
	SetBrowserState(w http.ResponseWriter, r *http.Request, s *session.Session)
}

// Endpoints returns /logout and the form of its page.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	get := endpoint.Endpoint{
		Name: "logout", Path: Path, Methods: []string{http.MethodGet}, Audience: endpoint.People, Serve: e.logout,
		Describe: func(m *oidc.Metadata) { // Front-Channel Logout §3, Back-Channel Logout §2.1
			m.EndSessionEndpoint = e.Issuer + Path
			m.FrontchannelLogoutSupported, m.FrontchannelLogoutSessionSupported = true, true
			m.BackchannelLogoutSupported, m.BackchannelLogoutSessionSupported = true, true
		},
	}
	post := []string{http.MethodPost}
	return []endpoint.Endpoint{
		get,
		{Name: "logout", Path: Path, Methods: post, Audience: endpoint.Visitors, Serve: e.logout},
		{Name: "logout", Path: Path + "/confirm", Methods: post, Audience: endpoint.People, Serve: e.confirm},
	}
}

// logout is GET and POST /logout.
func (e *Endpoint) logout(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return oidc.InvalidRequest.Errorf("the parameters cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	current, err := session.OrNone(e.Sessions.Current(r))
	if err != nil {
		return err
	}
	request, err := Read(r.Context(), r.Form, e.Clients, e.Hints)
	if err != nil {
		return err
	}
	request.compare(current)
	switch {
	// the page must be the answer to a GET, which sets the CSRF cookie
	case !request.Proven() && r.Method == http.MethodPost:
		http.Redirect(w, r, Path+"?"+r.Form.Encode(), http.StatusSeeOther)
		return nil
	case !request.Proven():
		return e.ask(w, r, request, current)
	}
	ended, err := e.signOut(w, r, current, request.Hint.SID)
	if err != nil {
		return err
	}
	return e.signedOut(w, r, request, ended, remaining(current, request.Hint.SID))
}

// signOut ends one sign-in: the only one of this browser, or the sign-in that sid names. sid works without a cookie
// too, in an iframe for example.
func (e *Endpoint) signOut(
	w http.ResponseWriter, r *http.Request, current *session.Session, sid string,
) ([]session.Ended, error) {
	if current != nil && len(current.Accounts) == 1 {
		return e.Sessions.SignOut(w, r)
	}
	ended, err := e.Sessions.SignOutSID(r.Context(), sid)
	if current != nil && err == nil {
		rest := *current
		rest.Accounts = slices.DeleteFunc(slices.Clone(rest.Accounts), func(a session.Account) bool { return a.SID == sid })
		e.Sessions.SetBrowserState(w, r, &rest)
	}
	return ended, err
}

// remaining are the subs that stay signed in when the account of sid is signed out.
func remaining(current *session.Session, sid string) (subs []string) {
	if current == nil {
		return nil
	}
	for _, account := range current.Accounts {
		if account.SID != sid {
			subs = append(subs, account.Sub)
		}
	}
	return subs
}

// hinted is the account that logout_hint names, if several are signed in with this browser. RP-Initiated Logout §2:
// logout_hint is a "Hint to the Authorization Server about the End-User that is logging out."
func (e *Endpoint) hinted(current *session.Session, hint string) (session.Account, bool) {
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
func (e *Endpoint) ask(w http.ResponseWriter, r *http.Request, request Request, current *session.Session) (err error) {
	subs := current.Subs()
	if account, ok := e.hinted(current, request.LogoutHint); ok {
		subs = []string{account.Sub}
	}
	page := pages.Logout{
		Frame: e.frame(r, request), Accounts: pages.Accounts(e.Users.BySubs(subs)), Notice: request.Problem,
	}
	if page.Interaction, err = e.Seal.Close(r.Form); err != nil {
		return err
	}
	return e.Pages.Render(w, http.StatusOK, "logout", page, pages.Policy{})
}

// confirm is POST /logout/confirm: the user pressed a button on the page of ask. It signs out the accounts on that
// page.
func (e *Endpoint) confirm(w http.ResponseWriter, r *http.Request) error {
	if r.FormValue("decision") != "sign_out" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	params, err := e.Seal.Open(r.FormValue(session.InteractionParam))
	if err != nil {
		return err
	}
	request, err := Read(r.Context(), params, e.Clients, e.Hints)
	if err != nil {
		return err
	}
	current, err := session.OrNone(e.Sessions.Current(r))
	if err != nil {
		return err
	}
	var ended []session.Ended
	var still []string
	if account, ok := e.hinted(current, request.LogoutHint); ok {
		ended, err = e.signOut(w, r, current, account.SID)
		still = remaining(current, account.SID)
	} else {
		ended, err = e.Sessions.SignOut(w, r)
	}
	if err != nil {
		return err
	}
	request.Hint = nil // the page confirmed, not the client: there is no redirect
	return e.signedOut(w, r, request, ended, still)
}

// waitForClients limits the wait of the person for the first attempts of the back channel.
const waitForClients = time.Second

// signedOut redirects to the client, or shows the last page. Only a proven request is redirected; the page of any other
// has a link. The page loads the iframes of the front channel, names the accounts that are still signed in, and the
// clients that did not confirm a logout token.
func (e *Endpoint) signedOut(
	w http.ResponseWriter, r *http.Request, request Request, ended []session.Ended, still []string,
) error {
	ctx, cancel := context.WithTimeout(r.Context(), waitForClients)
	defer cancel()
	var untold []oidc.Client
	for _, sent := range e.Sender.SendAndWait(ctx, e.Issuer, ended) {
		if sent.Err != nil {
			untold = append(untold, sent.Client)
		}
	}
	frames := e.frames(r.Context(), ended)
	goesOn := request.Proven() && request.ReturnTo != ""
	if goesOn && len(frames) == 0 {
		http.Redirect(w, r, request.ReturnTo, http.StatusSeeOther)
		return nil
	}
	page := pages.SignedOut{
		Frame: e.frame(r, request), ReturnTo: template.URL(request.ReturnTo), GoesOn: goesOn,
		Still: pages.Accounts(e.Users.BySubs(still)), Untold: untold,
	}
	for _, frame := range frames {
		page.Frames = append(page.Frames, template.URL(frame))
	}
	policy := pages.Policy{Frames: frames}
	if goesOn {
		policy.FramedBy = request.ReturnTo // a client may sign out in an iframe of its own (signoutSilent in oidc-client-ts)
	}
	return e.Pages.Render(w, http.StatusOK, "signed_out", page, policy)
}

// frames are the URIs of the iframes on the last page: each registered frontchannel_logout_uri with iss and sid.
// Front-Channel Logout §3: "The OP […] renders <iframe src="frontchannel_logout_uri"> in a page with the registered
// logout URI as the source to trigger the logout actions by the RP." A client that is deleted, or cannot be looked up
// now, has none. https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout
func (e *Endpoint) frames(ctx context.Context, ended []session.Ended) (frames []string) {
	for _, s := range ended {
		for _, id := range s.Clients {
			if client, err := e.Clients.ByID(ctx, id); err == nil && client.FrontchannelLogoutURI != "" {
				// §3: "if either is included, both MUST be"
				about := url.Values{"iss": {cmp.Or(s.Issuer, e.Issuer)}, "sid": {s.SID}}
				frames = append(frames, withQuery(client.FrontchannelLogoutURI, about))
			}
		}
	}
	return frames
}

// withQuery adds parameters to a URI. Its own query stays as it is (Front-Channel Logout §2).
func withQuery(uri string, more url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + more.Encode()
}

func (e *Endpoint) frame(r *http.Request, request Request) pages.Frame {
	frame := e.Pages.Frame(r, e.Issuer)
	frame.Language, frame.Client = e.Pages.Language(r, request.UILocales), request.Client
	return frame
}
