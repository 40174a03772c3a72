package console

import (
	"cmp"
	"crypto/subtle"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// guards are the conditions of every request to the console, each with the text of the refusal. They are checked in
// order; the answer is about the first condition that does not hold.
var guards = []struct {
	holds   func(e *Endpoint, r *http.Request) bool
	refusal string
}{
	{(*Endpoint).isOurHost, // against DNS rebinding
		"the console answers at the provider's own names only, and the Host header has another: open it at the issuer"},
	{(*Endpoint).isKnownOrigin,
		"a page of another origin asked: open the console itself, or list the origin in console_origins"},
	{(*Endpoint).isNotForeign, "another site's page asked for this (Sec-Fetch-Site says so): open the console itself"},
	{(*Endpoint).hasToken, "the CSRF token is missing or wrong (was the provider restarted?): reload the page; a " +
		"program sends Content-Type: application/json; a page of console_origins sends what GET /console/token answers in " +
		"the header X-Hush-CSRF"},
}

// guarded checks the guards, and answers preflights for listed origins
// (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
func (e *Endpoint) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.share(w.Header(), r.Header.Get("Origin"))
		for _, guard := range guards {
			if !guard.holds(e, r) {
				e.refuse(w, r, http.StatusForbidden, oidc.AccessDenied.Errorf("%s", guard.refusal))
				return
			}
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
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Content-Type, X-Hush-CSRF")
	h.Set("Access-Control-Max-Age", "600")
}

func (e *Endpoint) isOurHost(r *http.Request) bool {
	if _, ok := e.BackChannel[r.Host]; ok {
		return true
	}
	return slices.ContainsFunc(e.Issuers, func(issuer string) bool {
		u, err := url.Parse(issuer)
		return err == nil && strings.EqualFold(u.Host, r.Host)
	})
}

// isKnownOrigin: Origin, if there is one, must be the provider's own or a listed one. A form of our own page sends
// "Origin: null", since pages here have Referrer-Policy no-referrer
// (https://fetch.spec.whatwg.org/#append-a-request-origin-header); Sec-Fetch-Site identifies it as ours. By plain
// http to a host of dev_hosts a browser does not send that (https://www.w3.org/TR/fetch-metadata/#fetch-integration).
// Then the CSRF token in the form identifies it: no page of another origin can read the token.
func (e *Endpoint) isKnownOrigin(r *http.Request) bool {
	switch origin := r.Header.Get("Origin"); origin {
	case "":
		return true
	case "null":
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "same-origin" || site == "" && e.isToken(formToken(r))
	default:
		isOwn := func(issuer string) bool { return oidc.Origin(issuer) == origin }
		return slices.ContainsFunc(e.Issuers, isOwn) || slices.Contains(e.Origins, origin)
	}
}

// isNotForeign: a request without Origin must not come from a foreign page, unless a person follows a link. Another
// port of the same host is foreign too. The probe is for an iframe of a listed origin; its frame-ancestors exclude
// others.
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

// hasToken: a request of a page that changes something needs the CSRF token.
func (e *Endpoint) hasToken(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	if isOfProgram(r) {
		return true
	}
	return e.isToken(cmp.Or(r.Header.Get("X-Hush-CSRF"), formToken(r)))
}

func (e *Endpoint) isToken(given string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(e.Token)) == 1
}

// formToken returns the CSRF token in the body of a form; empty: there is none.
func formToken(r *http.Request) string {
	if oidc.ParseForm(r) != nil {
		return ""
	}
	return r.PostForm.Get("csrf")
}

// isOfProgram reports whether no browser sent the request. A browser sends Origin with each request that changes
// something (https://fetch.spec.whatwg.org/#append-a-request-origin-header), and asks by a preflight before it sends
// JSON, or a method that forms do not have, from a page of another origin
// (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
func isOfProgram(r *http.Request) bool {
	for _, header := range []string{"Origin", "Sec-Fetch-Site", "X-Hush-CSRF"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method != http.MethodPost || err == nil && kind == "application/json"
}
