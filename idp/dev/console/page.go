package console

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// page is GET /console.
func (e *Endpoint) page(w http.ResponseWriter, r *http.Request) (any, error) {
	frame := e.Pages.Frame(r, e.Issuer)
	frame.Title, frame.Language, frame.CSRF = "Console", "", e.Token
	if frame.Lab == nil {
		frame.Lab = &pages.Lab{} // hidden, until the script shows what begins
	}
	page := pages.Console{Frame: frame, Issuers: e.Issuers}
	return nil, e.Pages.Render(w, http.StatusOK, page, pages.Policy{Connects: true, FramesOwn: true})
}

// tokenAnswer is the answer of GET /console/token.
type tokenAnswer struct {
	CSRF string `json:"csrf"` // for the header X-Hush-CSRF
}

// token is GET /console/token: for pages of listed origins, which get it by CORS.
func (e *Endpoint) token(http.ResponseWriter, *http.Request) (any, error) {
	return tokenAnswer{e.Token}, nil
}

// probed is the message of the probe to the page around it.
type probed struct {
	Source  string      `json:"source"`
	Cookies []string    `json:"cookies"` // which of the session cookies came
	Session bool        `json:"session"` // they open a session
	Fetch   trace.Fetch `json:"fetch"`
}

// probe is GET /console/probe?origin=…: a page that only this listed origin may frame, and that reports to it whether
// the session cookie arrived. So the demo measures the behaviour of this browser.
func (e *Endpoint) probe(w http.ResponseWriter, r *http.Request) (any, error) {
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	origin := query.Get("origin")
	if !slices.Contains(e.Origins, origin) {
		return nil, oidc.InvalidRequest.Errorf("origin %.100q is not listed in console_origins: the probe reports "+
			"to listed origins only", origin)
	}
	s, err := session.OrNone(e.Sessions.Current(r))
	if err != nil {
		return nil, err
	}
	report, err := json.Marshal(probed{Source: "hush-probe", Cookies: orEmpty(e.Sessions.Cookies.Arrived(r)),
		Session: s != nil, Fetch: FetchOf(r.Header)})
	if err != nil {
		return nil, err
	}
	page := pages.Probe{Frame: pages.Frame{Title: "Probe", Issuer: e.Issuer}, Origin: origin, Report: string(report)}
	return nil, e.Pages.Render(w, http.StatusOK, page, pages.Policy{FramedBy: origin})
}

// FetchOf reads the Fetch Metadata of a request.
func FetchOf(h http.Header) trace.Fetch {
	return trace.Fetch{
		Site: h.Get("Sec-Fetch-Site"), Mode: h.Get("Sec-Fetch-Mode"), Dest: h.Get("Sec-Fetch-Dest"),
		StorageAccess: h.Get(session.HeaderStorageAccess),
	}
}

// SameSiteOf is the attribute SameSite of a cookie, as it stands in Set-Cookie; "" without one.
func SameSiteOf(cookie *http.Cookie) string {
	return map[http.SameSite]string{
		http.SameSiteNoneMode: "None", http.SameSiteLaxMode: "Lax", http.SameSiteStrictMode: "Strict",
	}[cookie.SameSite]
}
