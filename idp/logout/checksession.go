package logout

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// PathCheckSession is the check_session_iframe: clients' pages load it to notice a sign-out (Session Management §3.2).
const PathCheckSession = "/check_session"

// CheckSession serves the check_session_iframe.
type CheckSession struct {
	Issuer   string
	Pages    *pages.Pages
	Clients  *clients.Register
	Sessions *session.Manager
}

// Endpoints returns the endpoint of the iframe. Its metadata: Session Management §3.3.
func (e *CheckSession) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "check_session", Path: PathCheckSession, Methods: []string{http.MethodGet}, Audience: endpoint.Visitors,
		Serve:    e.show,
		Describe: func(m *oidc.Metadata) { m.CheckSessionIframe = e.Issuer + PathCheckSession },
	}}
}

// show is GET /check_session. The script of the page reads the browser state from cookies and answers the clients.
func (e *CheckSession) show(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Vary", session.HeaderStorageAccess)
	if r.Header.Get(session.HeaderStorageAccess) == session.AccessInactive {
		w.Header().Set(session.HeaderActivate, "load") // the script may read the cookies, as the user allowed the client
	}
	if e.Sessions.Cookies.Withheld(r) {
		recorder := trace.From(r.Context())
		recorder.Set(func(record *trace.Record) { record.Reason = string(oidc.CookieWithheldOrAbsent) })
		recorder.Emit(trace.Step{
			Kind: trace.KindSession, Spec: "Session Management §5.1", Outcome: trace.Failed,
			Reason: string(oidc.CookieWithheldOrAbsent),
			Text: "the page will answer \"error\", unless nobody signed in: " +
				session.Withheld.Between(r.Header.Get("Referer"), e.Issuer),
		})
	}
	page := pages.CheckSession{
		Frame: pages.Frame{Issuer: e.Issuer}, Cookies: strings.Join(e.Sessions.Cookies.StateNames(), " "),
	}
	return e.Pages.Render(w, http.StatusOK, page, pages.Policy{Framers: e.framers(r)})
}

// maxFramers keeps the Content-Security-Policy header short enough for browsers and proxies.
const maxFramers = 100

// framers are the origins that may load the iframe: the origins of clients' redirect URIs. Another page could find out
// whether a user is signed in. The origin of the requesting page comes first, so that maxFramers does not exclude it.
func (e *CheckSession) framers(r *http.Request) []string {
	var origins []string
	if asking := oidc.Origin(r.Header.Get("Referer")); asking != "" && e.Clients.AllowsOrigin(r.Context(), asking) {
		origins = append(origins, asking)
	}
	for _, client := range e.Clients.All() {
		for _, uri := range client.RedirectURIs {
			if origin := framer(uri); origin != "" && !slices.Contains(origins, origin) {
				origins = append(origins, origin)
			}
		}
	}
	return origins[:min(len(origins), maxFramers)]
}

// framer is the origin of a redirect URI. A loopback application may use any port (RFC 8252 §7.3).
func framer(uri string) string {
	origin := oidc.Origin(uri)
	u, err := url.Parse(origin)
	if err == nil && u.Scheme == "http" && oidc.IsLoopback(u.Hostname()) && !strings.Contains(u.Hostname(), ":") {
		return "http://" + u.Hostname() + ":*"
	}
	return origin
}
