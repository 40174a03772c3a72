package idp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

// consolePaths are what the console and its pages answer in development mode.
var consolePaths = []string{
	"/console", "/console/events", "/console/flows", "/console/flows/x", "/console/cookies", "/console/token",
	"/console/probe", "/console/faults", "/console/faults/kinds",
	"/console/clock", "/console/lab", "/console/lab/off", "/console/sessions", "/console/clients",
	"/console/keys", "/console/users", "/reasons/",
	"/reasons/session.none",
}

func TestThereIsNoConsoleOutsideDevelopmentMode(t *testing.T) {
	for name, change := range map[string]func(*idp.Config){
		"a public issuer":                public,
		"a loopback issuer, --dev=false": func(c *idp.Config) { c.Dev = new(bool) },
	} {
		t.Run(name, func(t *testing.T) {
			p := idptest.Start(t, change)
			for _, path := range consolePaths {
				for _, method := range []string{
					http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions,
				} {
					r := httptest.NewRequest(method, p.Issuer+path, nil)
					if w := serve(p, r); w.Code != http.StatusNotFound {
						t.Errorf("%s %s gives %d; want 404", method, path, w.Code)
					}
				}
			}
		})
	}
}

func TestDevelopmentModeIsRefusedOnAPublicIssuer(t *testing.T) {
	for name, change := range map[string]func(*idp.Config){
		"dev":             func(c *idp.Config) { dev := true; c.Dev = &dev },
		"layouts":         func(c *idp.Config) { c.Layouts = []string{"http://localhost:8080"} },
		"console_origins": func(c *idp.Config) { c.ConsoleOrigins = []string{"http://localhost:9090"} },
	} {
		t.Run(name, func(t *testing.T) {
			var config idp.Config
			public(&config)
			change(&config)
			if err := idp.Validate(config.WithDefaults()); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("Validate = %v; want a problem with %s", err, name)
			}
		})
	}
}

func TestConsoleOriginsAreOfThisMachine(t *testing.T) {
	config := idp.Config{ConsoleOrigins: []string{"https://app.example.com"}}
	if err := idp.Validate(config.WithDefaults()); err == nil || !strings.Contains(err.Error(), "console_origins[0]") {
		t.Errorf("Validate = %v", err)
	}
}

func TestTheConsoleRefusesForeignRequests(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, row := range []struct {
		name    string
		host    string
		headers []string
		want    int
	}{
		{"the page itself", "", nil, http.StatusOK},
		{"a foreign Host (DNS rebinding)", "rebound.example.com", nil, http.StatusForbidden},
		{"a foreign Origin", "", []string{"Origin", "https://evil.test"}, http.StatusForbidden},
		{"another port of this machine", "", []string{"Origin", "http://localhost:1234"}, http.StatusForbidden},
		{
			"a script of another site", "", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "script"},
			http.StatusForbidden,
		},
		{"the demo", "", []string{"Origin", "http://localhost:9090", "Sec-Fetch-Site", "same-site"}, http.StatusOK},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := get(t, http.MethodGet, p.Issuer+"/console/flows", nil, row.headers...)
			if row.host != "" {
				r.Host = row.host
			}
			if w := serve(p, r); w.Code != row.want {
				t.Errorf("got %d; want %d\n%s", w.Code, row.want, w.Body)
			}
		})
	}
	for _, path := range []string{
		"/console/faults", "/console/clock", "/console/lab/off", "/console/tokens", "/console/keys", "/console/reports",
		"/console/sessions/x",
		"/console/clients/spa/redirect_uris",
	} {
		if w := serve(
			p, get(t, http.MethodPost, p.Issuer+path, url.Values{"csrf": {"guessed"}}),
		); w.Code != http.StatusForbidden {
			t.Errorf("POST %s without the token gives %d; want 403", path, w.Code)
		}
	}
}

// TestLayouts: one process answers under several issuers, and each is a provider of its own to the outside.
func TestLayouts(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) { c.Issuer = "http://localhost:8080" })
	for _, issuer := range []string{
		"http://localhost:8080", "http://idp.demo.localhost:8080", "http://idp.localhost:8080",
	} {
		w := serve(p, httptest.NewRequest(http.MethodGet, issuer+"/.well-known/openid-configuration", nil))
		if !strings.Contains(w.Body.String(), `"issuer":"`+issuer+`"`) {
			t.Errorf("Discovery §4.3 the metadata of %s says\n%s", issuer, w.Body)
		}
	}
	cookies := map[string]bool{}
	for _, issuer := range []string{"http://localhost:8080", "http://idp.localhost:8080"} {
		r := get(
			t, http.MethodPost, issuer+"/login", url.Values{"username": {"alice"}, "password": {"alice"}}, "Sec-Fetch-Site",
			"same-origin",
		)
		for _, cookie := range serve(p, r).Result().Cookies() {
			if cookies[cookie.Name] {
				t.Errorf("two layouts set the cookie %s", cookie.Name)
			}
			cookies[cookie.Name] = true
		}
	}
	w := serve(p, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/.well-known/openid-configuration", nil))
	if !strings.Contains(w.Body.String(), `"issuer":"http://localhost:8080"`) {
		t.Errorf("a name of no layout is the first issuer's; the metadata says\n%s", w.Body)
	}
	w = serve(p, httptest.NewRequest(http.MethodGet, "http://IDP.localhost:8080/.well-known/openid-configuration", nil))
	if !strings.Contains(w.Body.String(), `"issuer":"http://idp.localhost:8080"`) {
		t.Errorf("RFC 9110 §4.2.3 the name of a layout in capitals; the metadata says\n%s", w.Body)
	}
}

func TestLayoutsAreForTheNamesOfTheDemo(t *testing.T) {
	for issuer, want := range map[string]int{
		"http://localhost:8080": 2, "http://idp.localhost:8080": 2, "http://127.0.0.1:8080": 0,
		"https://localhost:8443": 0, "http://localhost:8080/realms/demo": 2,
	} {
		if got := len(idp.Config{Issuer: issuer}.WithDefaults().Layouts); got != want {
			t.Errorf("%s has %d more layouts; want %d", issuer, got, want)
		}
	}
	if got := (idp.Config{Dev: new(bool)}).WithDefaults().Layouts; got != nil {
		t.Errorf("without development mode there are the layouts %v", got)
	}
}

// The server refuses some requests before the console sees them. A script expects JSON then too.
func TestAScriptGetsEachRefusalOfTheConsoleInJSON(t *testing.T) {
	p := idptest.Start(t, nil)
	large := `{"client": "` + strings.Repeat("x", 1<<20) + `"}`
	for _, row := range []struct {
		name, method, path, accept string
		body                       io.Reader // another type than that of strings has no length
		status                     int
		media                      string
	}{
		{"a large body", "POST", "/console/preview", "application/json", strings.NewReader(large), 413, "application/json"},
		{"any accepted type", "PUT", "/console/clients/x", "*/*", strings.NewReader(large), 413, "application/json"},
		{"no accepted type", "POST", "/console/jwt", "", strings.NewReader(large), 413, "application/json"},
		{"no length", "POST", "/console/preview", "", io.MultiReader(strings.NewReader(large)), 413, "application/json"},
		{"no such method", "TRACE", "/console/flows", "application/json", nil, 405, "application/json"},
		{"a form", "POST", "/console/lab/off", "text/html,*/*;q=0.8", strings.NewReader(large), 413, "text/html"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(row.method, p.Issuer+row.path, row.body)
			r.Header.Set("Accept", row.accept)
			r.Header.Set("Content-Type", "application/json")
			w := serve(p, r)
			if got := w.Header().Get("Content-Type"); w.Code != row.status || !strings.HasPrefix(got, row.media) {
				t.Errorf("%d %s: %.300s; want %d %s", w.Code, got, w.Body, row.status, row.media)
			}
			if w.Code == 413 && !strings.Contains(w.Body.String(), "larger than 64 KiB") {
				t.Errorf("the answer does not say the limit: %.300s", w.Body)
			}
		})
	}
}
