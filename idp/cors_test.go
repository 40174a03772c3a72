package idp_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idptest"
)

// preflight is the question of a browser whether a script of the origin may send a request.
// https://fetch.spec.whatwg.org/#cors-preflight-fetch
func preflight(t *testing.T, p *idptest.Provider, path, origin, method, headers string) http.Header {
	t.Helper()
	return serve(p, get(t, http.MethodOptions, path, nil, "Origin", origin, "Access-Control-Request-Method", method,
		"Access-Control-Request-Headers", headers)).Header()
}

// readable tells whether a browser gives an answer with the headers to a script of the origin, also if the script sent
// the request with credentials: "include". https://fetch.spec.whatwg.org/#cors-check
func readable(h http.Header, origin string) bool {
	return h.Get("Access-Control-Allow-Origin") == origin && h.Get("Access-Control-Allow-Credentials") == "true" &&
		slices.Contains(h.Values("Vary"), "Origin")
}

func TestScriptsOfClientsMayReadAnswers(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) { c.Registration.Mode = registration.ModeToken })
	for origin, allowed := range map[string]bool{
		"http://localhost:9090": true,
		"http://localhost:5173": true, // a loopback redirect URI matches with any port, and so does its origin

		"http://app.localhost:9090":         true,
		"https://localhost:9090":            false,
		"http://evil.test":                  false,
		"http://localhost.evil.test:9090":   false,
		"capacitor://localhost":             false, // no client names it in this configuration
		"null":                              false,
		"*":                                 false,
		"http://localhost:9090, http://b.c": false,
	} {
		for _, target := range []struct{ method, path string }{
			{"POST", "/token"}, {"GET", "/userinfo"}, {"GET", "/token"}, {"POST", "/revoke"}, {"POST", "/introspect"},
			{"POST", "/par"}, {"POST", "/device_authorization"}, {"POST", "/register"}, {"PUT", "/register/x"},
		} {
			answer := serve(p, get(t, target.method, target.path, nil, "Origin", origin)).Header()
			asked := preflight(t, p, target.path, origin, target.method, "x-any")
			if readable(answer, origin) != allowed || readable(asked, origin) != allowed {
				t.Errorf("%s %s from %s: %v; preflight: %v", target.method, target.path, origin, answer, asked)
			}
			if !allowed && (answer.Get("Access-Control-Allow-Origin") != "" || asked.Get("Access-Control-Allow-Origin") != "") {
				t.Errorf("Fetch §3.2 %s %s names %q", target.method, target.path, answer.Get("Access-Control-Allow-Origin"))
			}
		}
	}
}

// The metadata and the keys are public. A browser refuses * for requests with credentials: "include", so the answer
// names the origin.
func TestScriptsOfAllOriginsMayReadPublicDocuments(t *testing.T) {
	p := idptest.Start(t, nil)
	origins := []string{"https://unregistered.example", "http://192.168.1.7:5173", "capacitor://localhost", "null"}
	for _, path := range []string{
		"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks",
	} {
		for _, origin := range origins {
			if h := serve(p, get(t, http.MethodGet, path, nil, "Origin", origin)).Header(); !readable(h, origin) {
				t.Errorf("GET %s from %s: %v", path, origin, h)
			}
			h := preflight(t, p, path, origin, "GET", "x-okta-user-agent-extended")
			if !readable(h, origin) || h.Get("Access-Control-Allow-Headers") != "x-okta-user-agent-extended" {
				t.Errorf("the preflight of %s from %s: %v", path, origin, h)
			}
		}
		if vary := serve(p, get(t, http.MethodGet, path, nil)).Header().Values("Vary"); !slices.Contains(vary, "Origin") {
			t.Errorf("a cache may give the answer without Origin to a script: %s varies by %q", path, vary)
		}
	}
}

func TestAScriptMaySendAnyHeader(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, row := range []struct {
		name, headers string
		allowed       bool
	}{
		{"OpenTelemetry and Datadog", "traceparent,tracestate", true},
		{"Sentry", "baggage,content-type,sentry-trace", true},
		{"axios", "cache-control,pragma,x-requested-with", true},
		{"okta-auth-js", "authorization,x-okta-user-agent-extended", true},
		{"auth0-spa-js", "auth0-client", true},
		{"RFC 9449 §5 a DPoP proof", "dpop", true},
		{"RFC 9110 §5.6.2 every character of a token", "x!#$%&'*+.^_`|~-0az", true},
		{"RFC 9110 §5.6.1 blanks around the comma", "traceparent , baggage", true},
		{"RFC 9110 §5.6.2 what is no token", "x-bad(header)", false},
		{"RFC 9110 §5.6.2 letters outside of ASCII", "x-ä", false},
		{"more than a thousand characters", strings.Repeat("x", 1001), false},
	} {
		for _, path := range []string{"/token", "/userinfo", "/register", "/jwks"} {
			h := preflight(t, p, path, "http://localhost:9090", "POST", row.headers)
			if got := h.Get("Access-Control-Allow-Headers"); (got == row.headers) != row.allowed || len(got) > 1000 {
				t.Errorf("%s, %s: %.60q", row.name, path, got)
			}
			if vary := h.Values("Vary"); !slices.Contains(vary, "Access-Control-Request-Headers") {
				t.Errorf("%s, %s: the answer varies by %q", row.name, path, vary)
			}
		}
	}
}

// The router must leave OPTIONS to an endpoint that serves it: the demo's pages read the console from another origin.
func TestTheConsoleAnswersItsPreflightsItself(t *testing.T) {
	p := idptest.Start(t, nil)
	h := preflight(t, p, "/console/flows", "http://localhost:9090", "GET", "")
	if got := h.Get("Access-Control-Allow-Origin"); got != "http://localhost:9090" {
		t.Errorf("the demo may not read the console: %v", h)
	}
}

func TestAPreflightNamesTheMethodsOfTheAddress(t *testing.T) {
	p := idptest.Start(t, nil)
	for path, methods := range map[string]string{
		"/token": "POST", "/userinfo": "GET,POST", "/jwks": "GET", "/register": "POST", "/register/x": "PUT,GET,DELETE",
	} {
		h := preflight(t, p, path, "http://localhost:9090", "PUT", "")
		if got := h.Get("Access-Control-Allow-Methods"); got != methods {
			t.Errorf("%s allows %q; want %q", path, got, methods)
		}
	}
}

func TestScriptsOfAllOriginsMayRegisterWhereRegistrationIsOpen(t *testing.T) { // RFC 7591 §3
	const origin = "https://inspector.example"
	for mode, allowed := range map[string]bool{registration.ModeOpen: true, registration.ModeToken: false} {
		p := idptest.Start(t, func(c *idp.Config) { c.Registration.Mode = mode })
		for path, method := range map[string]string{"/register": "POST", "/register/x": "DELETE"} {
			h := preflight(t, p, path, origin, method, "authorization,content-type")
			if readable(h, origin) != allowed {
				t.Errorf("mode %s, %s: %v", mode, path, h)
			}
		}
	}
}

// RFC 9700 §2.6: "authorization servers MUST NOT support CORS at the authorization endpoint"
func TestNoScriptReadsPages(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, path := range []string{"/login", "/authorize", "/logout", "/device", "/account", "/", "/check_session"} {
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			h := serve(p, get(t, method, path, nil, "Origin", "http://localhost:9090",
				"Access-Control-Request-Method", "GET")).Header()
			if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s can be read by another origin: %v", method, path, h)
			}
		}
	}
}
