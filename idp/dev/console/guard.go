package console

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// guard is one condition of every request to the console. Guards are checked in order; the answer is about the first
// condition that does not hold.
type guard struct {
	text  string
	holds func(e *Endpoint, r *http.Request) bool
	told  string // the text of the refusal: what was wrong, what to do
}

var guards = []guard{
	{
		text:  "the request names a host of this provider (against DNS rebinding)",
		holds: (*Endpoint).isOurHost,
		told:  "the console answers at the provider's own names only, and the Host header has another: open it at the issuer",
	},
	{
		text:  "its Origin, if it has one, is the provider's own or a listed one",
		holds: (*Endpoint).isKnownOrigin,
		told:  "a page of another origin asked: open the console itself, or list the origin in console_origins",
	},
	{
		text:  "without an Origin it does not come from a foreign page, unless a person follows a link",
		holds: (*Endpoint).isNotForeign,
		told:  "another site's page asked for this (Sec-Fetch-Site says so): open the console itself",
	},
	{
		text:  "what changes something brings the CSRF token",
		holds: (*Endpoint).hasToken,
		told: "the CSRF token is missing or wrong (was the provider restarted?): send what GET /console/token " +
			"answers in the header X-Hush-CSRF, or reload the page",
	},
}

// guarded asks the guards, and answers preflights for listed origins
// (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
func (e *Endpoint) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.share(w.Header(), r.Header.Get("Origin"))
		if i := slices.IndexFunc(guards, func(g guard) bool { return !g.holds(e, r) }); i >= 0 {
			e.refuse(w, r, http.StatusForbidden, oidc.AccessDenied.Errorf("%s", guards[i].told))
			return
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// share sets the CORS headers for a listed origin; others get none.
func (e *Endpoint) share(h http.Header, origin string) {
	h.Add("Vary", "Origin")
	if !slices.Contains(e.Origins, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", "Content-Type, X-Hush-CSRF")
	h.Set("Access-Control-Max-Age", "600")
}

func (e *Endpoint) isOurHost(r *http.Request) bool {
	return slices.ContainsFunc(e.Issuers, func(issuer string) bool {
		u, err := url.Parse(issuer)
		return err == nil && strings.EqualFold(u.Host, r.Host)
	})
}

// isKnownOrigin: a form of our own page says "Origin: null", since pages here have Referrer-Policy no-referrer
// (https://fetch.spec.whatwg.org/#append-a-request-origin-header); the browser says that it is ours nevertheless.
func (e *Endpoint) isKnownOrigin(r *http.Request) bool {
	switch origin := r.Header.Get("Origin"); origin {
	case "":
		return true
	case "null":
		return r.Header.Get("Sec-Fetch-Site") == "same-origin"
	default:
		return slices.Contains(e.Issuers, origin) || slices.Contains(e.Origins, origin)
	}
}

// isNotForeign: another port of the same host is foreign too. The probe is made for an iframe of a listed origin, and
// its frame-ancestors keep others out.
func (e *Endpoint) isNotForeign(r *http.Request) bool {
	if r.Header.Get("Origin") != "" {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	dest := r.Header.Get("Sec-Fetch-Dest")
	return r.Method == http.MethodGet && (dest == "document" || dest == "iframe" && r.URL.Path == Path+"/probe")
}

func (e *Endpoint) hasToken(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	given := r.Header.Get("X-Hush-CSRF")
	if given == "" {
		given = r.PostFormValue("csrf")
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(e.Token)) == 1
}
