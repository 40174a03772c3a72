package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/dev/console"
)

// A good request plus one change.
var guardRows = []struct {
	name    string
	method  string
	path    string
	headers []string
	want    int
}{
	{"a program on this machine", "GET", "/console/flows", nil, 200},
	{"the page itself", "GET", "/console", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Dest", "document"}, 200},
	{"a script of the page", "GET", "/console/flows", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Dest", "empty"},
		200},
	{"a link from elsewhere that a person followed", "GET", "/console",
		[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "document"}, 200},
	{"another name of this provider", "GET", "/console/flows", []string{"Host", "IDP.localhost:8080"}, 200},
	{"a script of a listed origin", "GET", "/console/flows", []string{"Origin", demo, "Sec-Fetch-Site", "same-site"}, 200},
	{"a script of a listed origin, with the token", "DELETE", "/console/flows",
		[]string{"Origin", demo, "Sec-Fetch-Site", "cross-site"}, 204},
	{"the page of another layout", "GET", "/console/flows",
		[]string{"Origin", "http://idp.localhost:8080", "Sec-Fetch-Site", "cross-site"}, 200},
	{"a form of our own page, which hides its origin", "DELETE", "/console/flows",
		[]string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, 204},
	{"the probe in an iframe of another site", "GET", "/console/probe?origin=" + demo,
		[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe"}, 200},

	{"DNS rebinding: a foreign Host", "GET", "/console/flows", []string{"Host", "rebound.example.com"}, 403},
	{"DNS rebinding: our name at another port", "GET", "/console/flows", []string{"Host", "localhost:1"}, 403},
	{"DNS rebinding: a Host that is no name", "GET", "/console/flows", []string{"Host", "[::1"}, 403},
	{"a foreign Origin", "GET", "/console/flows", []string{"Origin", "https://evil.test"}, 403},
	{"a foreign Origin, with the token", "POST", "/console/keys", []string{"Origin", "https://evil.test"}, 403},
	{"an Origin that begins like a listed one", "GET", "/console/flows", []string{"Origin", demo + "1"}, 403},
	{"another port of this host", "GET", "/console/token", []string{"Origin", "http://localhost:1"}, 403},
	{"a sandboxed frame", "GET", "/console/token", []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, 403},
	{"an origin that hides, in a browser that says nothing else", "GET", "/console/token", []string{"Origin", "null"},
		403},
	{"a script tag of another site", "GET", "/console/flows",
		[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "script"}, 403},
	{"a picture tag of another port", "GET", "/console/flows",
		[]string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Dest", "image"}, 403},
	{"an iframe of another site", "GET", "/console", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe"},
		403},
	{"a form of another site", "POST", "/console/keys",
		[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "document"}, 403},
	{"no token in a form", "POST", "/console/keys",
		[]string{"X-Hush-CSRF", "", "Content-Type", "application/x-www-form-urlencoded"}, 403},
	{"no token in a text, which a form can send", "POST", "/console/keys",
		[]string{"X-Hush-CSRF", "", "Content-Type", "text/plain"}, 403},
	{"no token in a body without a type", "POST", "/console/keys", []string{"X-Hush-CSRF", "", "Content-Type", ""}, 403},
	{"no token from a page", "DELETE", "/console/flows",
		[]string{"X-Hush-CSRF", "", "Sec-Fetch-Site", "same-origin"}, 403},
	{"a program that sends JSON", "POST", "/console/clock", []string{"X-Hush-CSRF", ""}, 400},
	{"a program that sends a method that forms do not have", "DELETE", "/console/flows",
		[]string{"X-Hush-CSRF", "", "Content-Type", ""}, 204},
	{"a wrong token", "POST", "/console/keys", []string{"X-Hush-CSRF", token + "x"}, 403},
	{"the token's beginning", "PUT", "/console/clients/x", []string{"X-Hush-CSRF", token[:5]}, 403},
	{"a wrong token of a listed origin", "POST", "/console/clock", []string{"Origin", demo, "X-Hush-CSRF", "guessed"},
		403},
	{"a method that nobody offers", "PATCH", "/console/clients", nil, 404},
	{"a path that nobody offers", "GET", "/console/secrets", nil, 404},
}

func TestGuards(t *testing.T) {
	h := newFixture(t)
	for _, row := range guardRows {
		t.Run(row.name, func(t *testing.T) {
			response := h.ask(t, row.method, row.path, "", row.headers...)
			if response.StatusCode != row.want {
				t.Errorf("%s %s gives %d; want %d\n%s", row.method, row.path, response.StatusCode, row.want, read(t, response))
			}
			if row.want == 403 && strings.Contains(read(t, response), token) {
				t.Error("the refusal tells the token")
			}
		})
	}
	if len(h.Keys.Algs()) != 1 || len(publicKeys(t, h)) != 1 {
		t.Error("a refused request rotated the keys")
	}
}

// A form of the provider's own page by plain http to a host of dev_hosts: browsers send Sec-Fetch-Site to trustworthy
// addresses only, and hide the origin since the page has Referrer-Policy no-referrer.
func TestAFormInABrowserThatSendsNoSecFetchSite(t *testing.T) {
	h := newFixture(t)
	good := []string{"Origin", "null", "X-Hush-CSRF", "", "Content-Type", "application/x-www-form-urlencoded"}
	for _, row := range []struct {
		name, method, body string
		more               []string
		want               int
	}{
		{"the form", "POST", "csrf=" + token, nil, http.StatusOK},
		{"without the token", "POST", "", nil, http.StatusForbidden},
		{"with a wrong token", "POST", "csrf=guessed", nil, http.StatusForbidden},
		{"with the token in a header, which a form cannot have", "POST", "", []string{"X-Hush-CSRF", token},
			http.StatusForbidden},
		{"with the token in a body that is no form", "POST", "csrf=" + token, []string{"Content-Type", "text/plain"},
			http.StatusForbidden},
		{"of another site, in a browser that says so", "POST", "csrf=" + token, []string{"Sec-Fetch-Site", "cross-site"},
			http.StatusForbidden},
		{"of a foreign origin", "POST", "csrf=" + token, []string{"Origin", "https://evil.test"}, http.StatusForbidden},
		{"a GET with the token in its query", "GET", "", nil, http.StatusForbidden},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := "/console/keys"
			if row.method == http.MethodGet {
				path += "?csrf=" + token
			}
			response := h.ask(t, row.method, path, row.body, append(slices.Clone(good), row.more...)...)
			if response.StatusCode != row.want {
				t.Errorf("got %d; want %d\n%s", response.StatusCode, row.want, read(t, response))
			}
		})
	}
}

func publicKeys(t *testing.T, h *fixture) []any {
	t.Helper()
	return h.json(t, 200, "GET", "/console/keys", "")["keys"].([]any)
}

// Without the token no page changes anything, and a page of another origin reads nothing.
func TestEveryRouteIsGuarded(t *testing.T) {
	h := newFixture(t)
	isForm := []string{"X-Hush-CSRF", "", "Origin", "null", "Sec-Fetch-Site", "same-origin", "Content-Type",
		"application/x-www-form-urlencoded"}
	foreign := [][]string{{"Host", "rebound.example.com"}, {"Origin", "https://evil.test"}, {"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "script"}}
	for _, route := range console.Routes() {
		path := console.Path + strings.NewReplacer("{id}", "x", "{username}", "x").Replace(route.Path)
		refused := foreign
		if route.Method != http.MethodGet {
			refused = append(slices.Clone(foreign), isForm, []string{"X-Hush-CSRF", "", "Origin", demo})
		}
		for _, headers := range refused {
			response := h.ask(t, route.Method, path, "csrf=guessed", headers...)
			if response.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s with %v gives %d; want 403", route.Method, path, headers, response.StatusCode)
			}
		}
	}
}

// Fetch §3.2: only listed origins may read what the console answers, its refusals too.
func TestCORS(t *testing.T) {
	h := newFixture(t)
	for origin, allowed := range map[string]string{demo: demo, "https://evil.test": "", "http://localhost:9090": "",
		h.Issuer: "", "null": ""} {
		for _, method := range []string{"GET", "OPTIONS", "POST"} {
			response := h.ask(t, method, "/console/faults", "", "Origin", origin)
			if got := response.Header.Get("Access-Control-Allow-Origin"); got != allowed {
				t.Errorf("%s from %s: Access-Control-Allow-Origin %q; want %q", method, origin, got, allowed)
			}
			if got := response.Header.Get("Access-Control-Allow-Credentials"); got != "" {
				t.Errorf("%s from %s: Access-Control-Allow-Credentials %q; want none", method, origin, got)
			}
			if got := response.Header.Get("Vary"); got != "Origin" {
				t.Errorf("%s from %s: Vary %q; want Origin", method, origin, got)
			}
		}
	}
}

func TestAPreflightOfAListedOriginIsAnswered(t *testing.T) {
	h := newFixture(t)
	for _, path := range []string{"/console/faults", "/console/clients/spa/redirect_uris", "/console/reports"} {
		response := h.ask(t, "OPTIONS", path, "", "Origin", demo, "X-Hush-CSRF", "", "Sec-Fetch-Site", "cross-site",
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,x-hush-csrf")
		if response.StatusCode != http.StatusNoContent {
			t.Errorf("the preflight for %s gives %d; want 204", path, response.StatusCode)
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
			"Access-Control-Allow-Headers": "Content-Type, X-Hush-CSRF",
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %s; want %s", name, got, want)
			}
		}
	}
}

func TestAPersonSeesAPageAndAProgramJSON(t *testing.T) {
	h := newFixture(t)
	for accept, want := range map[string]string{"text/html,application/xhtml+xml": "text/html; charset=utf-8",
		"application/json": "application/json", "": "application/json"} {
		response := h.ask(t, "GET", "/console/nothing", "", "Accept", accept)
		if got := response.Header.Get("Content-Type"); response.StatusCode != 404 || got != want {
			t.Errorf("Accept %q gives %d %s; want 404 %s", accept, response.StatusCode, got, want)
		}
	}
}
