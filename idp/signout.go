package idp

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/account"
	"github.com/hush-idp/hush/idp/backchannel"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// pathCheckSession is the page that clients' pages load into an iframe, to hear when somebody signs out (Session Management §3.2).
const pathCheckSession = "/check_session"

// openBackchannel opens the way to the clients, which hear there that somebody signed out.
func (h *shared) openBackchannel(config Config) {
	h.backchannel = backchannel.New(backchannel.Config{
		Clients: h.clients,
		Subject: func(_ context.Context, client oidc.Client, sub string) (string, error) {
			return h.subjects.Of(client, sub)
		},
		Sign: func(alg, typ string, claims any) (string, error) {
			return h.keys.Sign(cmp.Or(alg, keys.DefaultAlg(config.SigningKeys)), typ, claims)
		},
		Encrypt: h.clientKeys.EncryptIDToken, Post: h.fetch.Post, Report: h.reportTelling, Pauses: backchannel.Pauses(),
		Now: h.deps.Now, Random: h.deps.Random,
	})
}

// Close ends what the provider does in the background. Clients that have to hear of a sign-out and could not be reached are tried
// once more; it waits for that until ctx ends.
func (p *Provider) Close(ctx context.Context) { p.backchannel.Close(ctx) }

// Tell tells the clients of accounts that were signed out, by the back channel, and returns when each was tried once or ctx ends.
func (p *Provider) Tell(ctx context.Context, gone []session.Ended) []backchannel.Telling {
	return p.first.tell(ctx, gone)
}

func (p *site) tell(ctx context.Context, gone []session.Ended) []backchannel.Telling {
	tellings := p.beginToTell(ctx, gone).Wait(ctx)
	for _, telling := range tellings {
		trace.Emit(ctx, backchannel.Step(telling))
	}
	return tellings
}

// beginToTell is Tell for who does not wait.
func (p *site) beginToTell(ctx context.Context, gone []session.Ended) backchannel.Round {
	for i, ended := range gone {
		gone[i].Issuer = cmp.Or(ended.Issuer, p.config.Issuer)
	}
	return p.backchannel.Tell(ctx, gone)
}

func (p *site) tellUnwatched(ctx context.Context, gone []session.Ended) { p.beginToTell(ctx, gone) }

// reportTelling logs each try. What a first one came to is in the trace of the request that signed out; those after it, which come when
// that is long over, have flows of their own.
func (h *shared) reportTelling(telling backchannel.Telling) {
	about := []any{"client_id", telling.Client.ClientID, "try", telling.Try}
	if telling.Err != nil {
		h.deps.Log.Warn("a client could not be told of a sign-out", append(about, "error", telling.Err.Error(), "again", telling.Again)...)
	} else {
		h.deps.Log.Info("a client was told of a sign-out", about...)
	}
	if h.deps.Development != nil {
		h.deps.Development.LogoutSent(telling)
	}
}

// openSessions gives the endpoints what they need to know about sessions and their ends, and opens the page about them.
func (p *site) openSessions() {
	p.authorize.Visit = p.sessions.Visit
	p.authorize.SessionState = func(client oidc.Client, redirectURI string, s *session.Session) string {
		return session.SessionState(client.ClientID, redirectURI, s.BrowserState(), p.deps.Random())
	}
	p.logout.Tell = p.tell
	p.account = &account.Endpoint{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: p.sessions, Consents: p.consents, Grants: p.grants,
		ScopeTexts: scopeTexts(p.config.Scopes), Tell: p.tellUnwatched,
	}
}

// describeSessions adds them to the metadata: Session Management §3.3, Front-Channel Logout §3, Back-Channel Logout §2.1.
func (p *site) describeSessions(m *oidc.Metadata) {
	m.CheckSessionIframe = p.config.Issuer + pathCheckSession
	m.FrontchannelLogoutSupported, m.FrontchannelLogoutSessionSupported = true, true
	m.BackchannelLogoutSupported, m.BackchannelLogoutSessionSupported = true, true
}

// checkSession is GET /check_session. What the page knows is the browser's; the answers are made in its script.
func (p *site) checkSession(c echo.Context) error {
	if withholds(p.sessions, c.Request()) {
		recorder := trace.From(c.Request().Context())
		recorder.Set(func(record *trace.Record) { record.Reason = string(oidc.CookieWithheldOrAbsent) })
		recorder.Emit(trace.Step{
			Kind: trace.KindSession, Spec: "Session Management §5.1", Outcome: trace.Failed, Reason: string(oidc.CookieWithheldOrAbsent),
			Text: "no cookie came with the request for the check_session_iframe: the browser withholds them, and the page will answer \"error\", or nobody signed in",
		})
	}
	page := pages.CheckSession{Frame: pages.Frame{Issuer: p.config.Issuer}, Cookies: strings.Join(p.sessions.Cookies.StateNames(), " ")}
	return p.pages.Render(c.Response(), http.StatusOK, "check_session", page, pages.Policy{Framers: p.framers(c.Request())})
}

// withholds tells whether the browser may keep the session cookies from an iframe.
func withholds(sessions *session.Manager, r *http.Request) bool {
	return len(sessions.Cookies.Arrived(r)) == 0 && session.Missing(r) == session.Withheld
}

// maxFramers is how many origins a header has room for.
const maxFramers = 100

// framers are the origins that may load the check_session_iframe: those of clients. A page of anybody else could find out by it whether
// somebody is signed in. The asking page's own origin comes first, if it is a client's, so that it counts too where clients registered
// themselves and are too many to list.
func (p *site) framers(r *http.Request) []string {
	var origins []string
	if asking := oidc.Origin(r.Header.Get("Referer")); asking != "" && p.clients.AllowsOrigin(r.Context(), asking) {
		origins = append(origins, asking)
	}
	for _, client := range p.clients.All() {
		for _, uri := range client.RedirectURIs {
			if origin := framer(uri); origin != "" && !slices.Contains(origins, origin) {
				origins = append(origins, origin)
			}
		}
	}
	return origins[:min(len(origins), maxFramers)]
}

// framer is the origin of a redirect URI. An application on this machine may have any port (RFC 8252 §7.3).
func framer(uri string) string {
	origin := oidc.Origin(uri)
	if u, err := url.Parse(origin); err == nil && u.Scheme == "http" && oidc.IsLoopback(u.Hostname()) && !strings.Contains(u.Hostname(), ":") {
		return "http://" + u.Hostname() + ":*"
	}
	return origin
}
