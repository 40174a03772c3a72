// Package logout ends sign-ins: RP-Initiated Logout, the messages to the other clients of the session, and the page
// with a person's sessions.
// https://openid.net/specs/openid-connect-rpinitiated-1_0.html
// https://openid.net/specs/openid-connect-frontchannel-1_0.html
// https://openid.net/specs/openid-connect-backchannel-1_0.html
//
//	/logout ─► read ─► is id_token_hint valid? ── yes ──────────► sign out ─┬─► post_logout_redirect_uri
//	            ├─ no, nobody is signed in ─────────────────────────────────┤
//	            └─ no ► page asks ► /logout/confirm ────────────► sign out ─┤
//	/account/sessions ──────────────────────────────────────────► sign out ─┤
//	                                                                        ├─► front channel: iframes
//	                                                                        └─► back channel: Sender.Send
//
// A valid id_token_hint proves that the request comes from a client of the session, so the user is not asked again.
// Without it any link could sign the user out (§6), so the page asks. After the sign-out the browser goes to the
// post_logout_redirect_uri if it is registered for the client, which client_id or the hint names.
//
// Where teaching ends: a browser that blocks third-party cookies does not send them to the iframes of the front
// channel, so clients should prefer the back channel. Waiting deliveries are in memory: Close tries each once more, and
// they are lost when the process is killed. A session that expires sends no logout token. A product would ask for the
// password again before it shows /account, and would write to the person about a sign-in from a new browser.
package logout

import (
	"cmp"
	"context"
	"errors"
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
	"github.com/hush-idp/hush/trace"
)

// maxForm is more bytes than a request has: the server limits its body.
const maxForm = 64 << 10

// Path is the end_session_endpoint.
const Path = "/logout"

// Endpoint is the end_session_endpoint.
type Endpoint struct {
	Issuer   string
	Pages    *pages.Pages
	Clients  *clients.Register
	Users    *users.Directory
	Sessions Sessions
	Seal     session.Seal[Request] // carries the request through the page that asks
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
	get, post := []string{http.MethodGet}, []string{http.MethodPost}
	logout := session.Serve(e.Sessions, e.logout)
	return []endpoint.Endpoint{
		{Name: "logout", Path: Path, Methods: get, Audience: endpoint.People, Serve: logout, Describe: e.describe},
		{Name: "logout", Path: Path, Methods: post, Audience: endpoint.Visitors, Serve: logout},
		pages.Route(http.MethodPost, "logout", Path+"/confirm", session.Serve(e.Sessions, e.confirm)),
	}
}

// describe follows Front-Channel Logout §3 and Back-Channel Logout §2.1.
func (e *Endpoint) describe(m *oidc.Metadata) {
	m.EndSessionEndpoint = e.Issuer + Path
	m.FrontchannelLogoutSupported, m.FrontchannelLogoutSessionSupported = true, true
	m.BackchannelLogoutSupported, m.BackchannelLogoutSessionSupported = true, true
}

// logout is GET and POST /logout.
func (e *Endpoint) logout(w http.ResponseWriter, r *http.Request, current *session.Session) error {
	err := oidc.ParseForm(r)
	if multipart := r.ParseMultipartForm(maxForm); err == nil && !errors.Is(multipart, http.ErrNotMultipart) {
		err = multipart
	}
	if err != nil {
		return oidc.InvalidRequest.Errorf("the parameters cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	request, err := e.request(r, current)
	switch {
	case err != nil:
		return err
	case request.Proof == "" && r.Method == http.MethodPost:
		// a GET has SameSite=Lax cookies, and its answer sets the CSRF cookie
		target, err := e.Seal.URL(Path, request)
		if err != nil {
			return err
		}
		return pages.Redirect(w, r, target)
	case request.Proof == "" && current == nil && session.Missing(r) != session.Withheld: // nobody is signed in
		return e.signedOut(w, r, request, nil, nil)
	case request.Proof == "":
		return e.ask(w, r, request, current)
	}
	ended, still, err := e.signOut(w, r, current, request.Proof)
	if err != nil {
		return err
	}
	return e.signedOut(w, r, request, ended, still)
}

// request reads the request: of a client, or of logout's own redirect after a POST.
func (e *Endpoint) request(r *http.Request, current *session.Session) (Request, error) {
	if sealed := r.Form.Get(session.InteractionParam); sealed != "" && len(r.Form) == 1 {
		return e.open(r.Context(), sealed)
	}
	return e.read(r.Context(), r.Form, current)
}

// open reads a request that the browser carried, and names its client in the trace.
func (e *Endpoint) open(ctx context.Context, sealed string) (Request, error) {
	request, err := e.Seal.Open(sealed)
	trace.From(ctx).Set(func(record *trace.Record) { record.ClientID = request.ClientID })
	return request, err
}

// signOut ends one sign-in: the only one of this browser, or the sign-in that sid names. sid works without a cookie
// too, in an iframe for example. still is the rest of the session.
func (e *Endpoint) signOut(
	w http.ResponseWriter, r *http.Request, current *session.Session, sid string,
) (ended []session.Ended, still *session.Session, err error) {
	if current != nil && len(current.Accounts) == 1 {
		ended, err = e.Sessions.SignOut(w, r)
		return ended, nil, err
	}
	ended, err = e.Sessions.SignOutSID(r.Context(), sid)
	if current == nil || err != nil {
		return ended, nil, err
	}
	rest := *current
	rest.Accounts = slices.DeleteFunc(slices.Clone(rest.Accounts), hasSID(sid))
	e.Sessions.SetBrowserState(w, r, &rest)
	return ended, &rest, nil
}

func hasSID(sid string) func(session.Account) bool {
	return func(a session.Account) bool { return a.SID == sid }
}

// hinted is the account that logout_hint names, if several are signed in with this browser. RP-Initiated Logout §2:
// logout_hint is a "Hint to the Authorization Server about the End-User that is logging out."
func (e *Endpoint) hinted(current *session.Session, hint string) (session.Account, bool) {
	if current == nil || hint == "" || len(current.Accounts) < 2 {
		return session.Account{}, false
	}
	if i := slices.IndexFunc(current.Accounts, hasSID(hint)); i >= 0 {
		return current.Accounts[i], true
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
		Returns: request.ReturnTo != "",
	}
	if page.Interaction, err = e.Seal.Close(request); err != nil {
		return err
	}
	return e.Pages.Render(w, http.StatusOK, page, pages.Policy{FormsLeave: request.ReturnTo != ""})
}

// confirm is POST /logout/confirm, the form of ask. It signs out the accounts on that page.
func (e *Endpoint) confirm(w http.ResponseWriter, r *http.Request, current *session.Session) error {
	if r.Form.Get("decision") != "sign_out" {
		return pages.Redirect(w, r, "/")
	}
	request, err := e.open(r.Context(), r.Form.Get(session.InteractionParam))
	if err != nil {
		return err
	}
	var ended []session.Ended
	var still *session.Session
	if account, ok := e.hinted(current, request.LogoutHint); ok {
		ended, still, err = e.signOut(w, r, current, account.SID)
	} else {
		ended, err = e.Sessions.SignOut(w, r)
	}
	if err != nil {
		return err
	}
	return e.signedOut(w, r, request, ended, still)
}

// waitForClients limits how long the person waits for the first attempts of the back channel.
const waitForClients = time.Second

// signedOut redirects to the client, or shows the last page. The page loads the iframes of the front channel. It names
// the accounts that are still signed in, and the clients that did not confirm a logout token.
func (e *Endpoint) signedOut(
	w http.ResponseWriter, r *http.Request, request Request, ended []session.Ended, still *session.Session,
) error {
	ctx, cancel := context.WithTimeout(r.Context(), waitForClients)
	defer cancel()
	sent := e.Sender.SendAndWait(ctx, e.Issuer, ended)
	page := pages.SignedOut{
		Frame: e.frame(r, request), ReturnTo: request.ReturnTo, Frames: e.frames(r.Context(), ended),
		Still: pages.Accounts(e.Users.BySubs(still.Subs())), Notice: request.Problem,
	}
	if page.ReturnTo != "" && len(page.Frames) == 0 {
		return pages.Redirect(w, r, page.ReturnTo)
	}
	for _, s := range sent {
		if s.Err != nil {
			page.Unconfirmed = append(page.Unconfirmed, s.Client)
		}
	}
	// a client may sign out in an iframe of its own (signoutSilent in oidc-client-ts)
	policy := pages.Policy{Frames: len(page.Frames) > 0, FramedBy: request.ReturnTo}
	return e.Pages.Render(w, http.StatusOK, page, policy)
}

// frames are the URIs of the iframes on the last page: each registered frontchannel_logout_uri with iss and sid.
// Front-Channel Logout §3: "The OP […] renders <iframe src="frontchannel_logout_uri"> in a page with the registered
// logout URI as the source to trigger the logout actions by the RP." A client that cannot be looked up has none.
// https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout
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
	return uri + separator + oidc.EncodeQuery(more)
}

func (e *Endpoint) frame(r *http.Request, request Request) pages.Frame {
	frame := e.Pages.Frame(r, e.Issuer)
	frame.Language = e.Pages.Language(r, request.UILocales)
	if client, err := e.Clients.ByID(r.Context(), request.ClientID); err == nil {
		frame.Client = client
	}
	return frame
}
