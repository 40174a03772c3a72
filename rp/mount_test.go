package rp

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestMountServesEveryRoute: each route answers, and no handler answers at the addresses beside it.
func TestMountServesEveryRoute(t *testing.T) {
	a := newApp(t)
	for _, row := range [][2]string{
		{"GET", "/web/login"}, {"GET", "/web/callback"}, {"POST", "/web/logout"}, {"GET", "/web/silent"},
		{"GET", "/web/silent-callback"}, {"POST", "/web/silent-callback"}, {"POST", "/web/silent/finish"},
		{"POST", "/web/refresh"}, {"POST", "/web/sign-out-here"}, {"GET", "/web/monitor.js"},
		{"POST", "/web/back-channel-logout"}, {"GET", "/web/front-channel-logout"}, {"POST", "/web/initiate-login"},
		{"GET", "/web/jwks"},
	} {
		response := a.do(row[0], row[1], "")
		if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusMethodNotAllowed {
			t.Errorf("%s %s answered %s", row[0], row[1], response.Status)
		}
	}
	if response := a.do("GET", "/web/monitor", ""); response.StatusCode != http.StatusForbidden {
		t.Errorf("GET /web/monitor without a session answered %s, expected 403", response.Status)
	}
	for _, path := range []string{"/web/", "/web", "/login", "/web/callback/x"} {
		if response := a.do("GET", path, ""); response.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s answered %s, expected 404: package rp has nothing there", path, response.Status)
		}
	}
}

// TestMountRefusesPrefixes at which no request would find a route.
func TestMountRefusesPrefixes(t *testing.T) {
	for _, prefix := range []string{
		"auth", "auth/", "app.test/auth", "GET /auth", "//", "/auth//", "/auth/../web", "/a/./b",
	} {
		t.Run(prefix, func(t *testing.T) {
			party, err := New(goodConfig())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if said, _ := recover().(string); !strings.Contains(said, prefix) || !strings.Contains(said, "such as /auth") {
					t.Errorf("Mount said %q, expected the prefix, and an example of a good one", said)
				}
			}()
			party.Mount(http.NewServeMux(), prefix)
		})
	}
}

func TestMountPrefixes(t *testing.T) {
	for _, row := range []struct{ name, redirectURI, prefix, login, callback string }{
		{"a prefix with a slash at its end", "https://app.test/auth/callback", "/auth/", "/auth/login", "/auth/callback"},
		{"a slash alone", "https://app.test/callback", "/", "/login", "/callback"},
		{"no prefix", "https://app.test/callback", "", "/login", "/callback"},
		{"a RedirectURI without a path", "https://app.test", "/auth", "/auth/login", "/"},
		{"a RedirectURI that ends with a slash", "https://app.test/cb/", "/auth", "/auth/login", "/cb/"},
		{"a RedirectURI with a query", "https://app.test/cb?a=b", "/auth", "/auth/login", "/cb"},
	} {
		t.Run(row.name, func(t *testing.T) {
			config := goodConfig()
			config.RedirectURI, config.SilentRedirectURI = row.redirectURI, ""
			party, err := New(config)
			if err != nil {
				t.Fatal(err)
			}
			mux := http.NewServeMux()
			party.Mount(mux, row.prefix)
			for _, path := range []string{row.login, row.callback} {
				if _, pattern := mux.Handler(httptest.NewRequest("GET", path, nil)); pattern == "" {
					t.Errorf("nothing is at %s", path)
				}
			}
			if _, pattern := mux.Handler(httptest.NewRequest("GET", row.callback+"/below", nil)); pattern != "" {
				t.Errorf("the pattern %s takes paths below the callback", pattern)
			}
		})
	}
}

func TestMountRefusesTwoHandlersAtOnePath(t *testing.T) {
	config := goodConfig()
	config.SilentRedirectURI = "https://app.example.com/auth/silent" // SilentLogin is there
	party, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("SilentLogin and SilentCallback have one path, and Mount accepts it")
		}
	}()
	party.Mount(http.NewServeMux(), "/auth")
}

// TestAnOwnPageStandsBesideMount: an application that has a silent callback page of its own uses Mount as well.
func TestAnOwnPageStandsBesideMount(t *testing.T) {
	party, err := New(goodConfig())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /web/silent-callback", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "my own page")
	})
	party.Mount(mux, "/web")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/web/silent-callback", nil))
	if w.Body.String() != "my own page" {
		t.Errorf("the page is %q", w.Body)
	}
}

func TestTheSilentCallbackPage(t *testing.T) {
	a := newApp(t)
	page := a.do("GET", "/web/silent-callback?code=secret&state=s", "")
	body, err := io.ReadAll(page.Body)
	if err != nil || !strings.Contains(string(body), silentCallbackScript) || strings.Contains(string(body), "secret") {
		t.Errorf("the page is %s (%v), expected the script, and nothing of the query", body, err)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'self'", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"Content-Type": "text/html",
	} {
		if got := page.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q, expected %s", name, got, want)
		}
	}
	a.signIn()
	response := a.do("POST", "/web/silent-callback", a.provider.answer(a.begin("/web/silent")).Encode())
	var view SessionView
	if err := json.NewDecoder(response.Body).Decode(&view); err != nil || view.Renewals != 1 {
		t.Errorf("the POST of the page's script answered %s, %+v (%v)", response.Status, view, err)
	}
}
