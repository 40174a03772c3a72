package rp

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Mount registers all routes of this package. Callback and SilentCallback get the paths of RedirectURI and
// SilentRedirectURI. The other routes begin with prefix, a local path such as /auth:
//
//	/auth/login                  Login
//	/auth/logout                 Logout
//	/auth/silent                 SilentLogin
//	/auth/silent/finish          FinishSilent, for a silent callback page of the application's own
//	/auth/refresh                Refresh
//	/auth/sign-out-here          SignOutHere
//	/auth/monitor                Monitor
//	/auth/monitor.js             MonitorScript
//	/auth/back-channel-logout    BackChannelLogout: register it as backchannel_logout_uri
//	/auth/front-channel-logout   FrontChannelLogout: register it as frontchannel_logout_uri
//	/auth/initiate-login         InitiateLogin: register it as initiate_login_uri
//	/auth/jwks                   JWKS: register it as jwks_uri
//
// The prefix may be empty. Each handler refuses the methods that it does not serve. Mount panics when prefix is no
// local path and, as mux does, when a path is taken already or is no valid pattern. A pattern with a method, such as
// "GET /auth/silent-callback", may stand beside Mount and has precedence over its route.
func (p *RP) Mount(mux *http.ServeMux, prefix string) {
	prefix = localPrefix(prefix)
	for _, route := range p.routes() {
		mux.HandleFunc(prefix+route.path, route.handler)
	}
	mux.HandleFunc(patternOf(p.config.RedirectURI), p.Callback)
	if p.config.SilentRedirectURI != "" {
		mux.HandleFunc(patternOf(p.config.SilentRedirectURI), p.SilentCallback)
	}
}

// localPrefix returns prefix without the slash at its end. mux takes a text without a slash at its beginning for a host
// or a method, and redirects paths with empty or dot segments: no request would find a route there.
func localPrefix(prefix string) string {
	trimmed := strings.TrimSuffix(prefix, "/")
	if login := trimmed + "/login"; login[0] != '/' || path.Clean(login) != login {
		panic(fmt.Sprintf("rp: Mount got the prefix %q, expected a local path such as /auth, or an empty text: "+
			"begin it with one slash, without empty or dot segments", prefix))
	}
	return trimmed
}

// route is a handler at a path below the prefix of Mount.
type route struct {
	path    string
	handler http.HandlerFunc
}

func (p *RP) routes() []route {
	return []route{
		{"/login", p.Login}, {"/logout", p.Logout}, {"/silent", p.SilentLogin}, {"/silent/finish", p.FinishSilent},
		{"/refresh", p.Refresh}, {"/sign-out-here", p.SignOutHere},
		{"/monitor", p.Monitor}, {"/monitor.js", p.MonitorScript},
		{"/back-channel-logout", p.BackChannelLogout}, {"/front-channel-logout", p.FrontChannelLogout},
		{"/initiate-login", p.InitiateLogin}, {"/jwks", p.JWKS},
	}
}

// patternOf returns the pattern for the path of an address that New has checked, and for no path below it.
func patternOf(address string) string {
	u, _ := url.Parse(address)
	pattern := cmp.Or(u.Path, "/")
	if strings.HasSuffix(pattern, "/") {
		pattern += "{$}"
	}
	return pattern
}

//go:embed silent-callback.js
var silentCallbackScript string

// silentCallbackPolicy lets the page run its own script, send the answer to its own origin, and stand in iframes of its
// own origin. https://www.w3.org/TR/CSP3/#framework-directive-source-list
var silentCallbackPolicy = func() string {
	sum := sha256.Sum256([]byte(silentCallbackScript))
	return "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"connect-src 'self'; frame-ancestors 'self'; base-uri 'none'"
}()

// SilentCallback is a page for SilentRedirectURI, for an application that needs none of its own: GET the page, whose
// script POSTs the provider's answer to the same path, which is FinishSilent. The script then sends a message to the
// page that holds the iframe:
//
//	addEventListener("message", (event) => {
//	  if (event.origin !== location.origin || event.data?.source !== "rp") return;
//	  const { status, body } = event.data; // status 200: body is a SessionView; else it has error and error_description
//	});
func (p *RP) SilentCallback(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		p.FinishSilent(w, r)
		return
	}
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", silentCallbackPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer") // the address of the page holds a code
	_, _ = w.Write([]byte("<!doctype html><title>Renewal</title><body><script type=\"module\">" +
		silentCallbackScript + "</script>\n"))
}
