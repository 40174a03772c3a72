package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// asking is a good request for the page at /storage_access, changed.
func asking(change ...string) string {
	params := url.Values{"client_id": {"spa"}, "origin": {"http://app.localhost:9090"}}
	for i := 0; i < len(change); i += 2 {
		params.Set(change[i], change[i+1])
	}
	return "/storage_access?" + params.Encode()
}

// withTwoApps has two clients with origins of their own.
func withTwoApps(c *idp.Config) {
	c.Clients = []oidc.Client{{
		ClientID: "spa", TokenEndpointAuthMethod: "none",
		RedirectURIs: []string{"http://app.localhost:9090/cb", "http://localhost:9090/cb"},
	}, {
		ClientID: "other", ClientName: "<b>Other</b>", TokenEndpointAuthMethod: "none",
		RedirectURIs: []string{"https://other.test/cb", "com.example.app:/cb"},
	}}
}

func TestTheStorageAccessPage(t *testing.T) {
	b := idptest.Start(t, withTwoApps).Browser(t)
	for row, want := range map[string]struct{ target, origin string }{
		"Storage Access §2 the page names the origin of the client": {asking(), "http://app.localhost:9090"},
		"RFC 8252 §7.3 a loopback client may have any port": {
			asking("origin", "http://localhost:5173"), "http://localhost:5173",
		},
		"Storage Access §2 each client has its own origin": {
			asking("client_id", "other", "origin", "https://other.test"), "https://other.test",
		},
	} {
		t.Run(row, func(t *testing.T) {
			page := b.Get(want.target)
			wantPage(t, page, http.StatusOK, `data-origin="`+want.origin+`"`)
			policy := page.Header.Get("Content-Security-Policy")
			if !strings.HasSuffix(policy, "frame-ancestors "+want.origin) || page.Header.Get("X-Frame-Options") != "" {
				t.Errorf("the page may be framed by: %s, %q", policy, page.Header.Get("X-Frame-Options"))
			}
			if strings.Contains(page.Body, "<form") || strings.Contains(page.Body, "<b>Other") {
				t.Errorf("a click must have no effect at the provider, and a name no markup:\n%s", page.Body)
			}
		})
	}
}

func TestTheStorageAccessPageRefuses(t *testing.T) {
	b := idptest.Start(t, withTwoApps).Browser(t)
	b.SignIn("alice")
	for row, want := range map[string]struct{ target, reason string }{
		"RFC 6749 §2.2 an unknown client":   {asking("client_id", "nobody"), "client.unknown"},
		"RFC 6749 §2.2 no client":           {asking("client_id", ""), "client.unknown"},
		"RFC 6749 §3.1.2 no origin":         {asking("origin", ""), "redirect.unregistered"},
		"RFC 6749 §3.1.2 an unknown origin": {asking("origin", "https://evil.test"), "redirect.unregistered"},
		"RFC 6749 §3.1.2 the origin of another client": {
			asking("origin", "https://other.test"), "redirect.unregistered",
		},
		"RFC 6749 §3.1.2 another scheme": {
			asking("origin", "https://app.localhost:9090"), "redirect.unregistered",
		},
		"RFC 6749 §3.1.2 an address with a path is no origin": {
			asking("origin", "http://app.localhost:9090/"), "redirect.unregistered",
		},
		"RFC 6749 §3.1.2 every origin": {asking("origin", "*"), "redirect.unregistered"},
		"RFC 6749 §3.1.2 the origin of a sandboxed frame": {
			asking("client_id", "other", "origin", "null"), "redirect.unregistered",
		},
		"RFC 6749 §3.1.2 a native app has no origin": {
			asking("client_id", "other", "origin", "com.example.app:"), "redirect.unregistered",
		},
		"RFC 6749 §3.1.2 another directive": {
			asking("origin", "http://app.localhost:9090; frame-ancestors *"), "redirect.unregistered",
		},
	} {
		t.Run(row, func(t *testing.T) {
			for _, target := range []string{want.target, strings.Replace(want.target, "?", "/visit?", 1)} {
				page := b.Get(target)
				wantPage(t, page, http.StatusBadRequest, want.reason)
				if page.Header.Get("X-Frame-Options") != "DENY" ||
					!strings.HasSuffix(page.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
					t.Errorf("a page may frame the refusal: %v", page.Header)
				}
			}
		})
	}
}

func TestTheVisitBeforeStorageAccess(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	visit := strings.Replace(asking("ui_locales", "de"), "?", "/visit?", 1)
	login := b.Get(visit)
	if login.Location == nil || login.Location.Path != "/login" {
		t.Fatalf("nobody is signed in, and the answer is %d %v", login.Status, login.Location)
	}
	page := b.Get(login.Location.String())
	back := b.Submit(page, url.Values{"username": {"alice"}, "password": {"alice"}})
	page = b.Get(back.Location.String())
	wantPage(t, page, http.StatusOK, "Alice")
	wantPage(t, page, http.StatusOK, `<html lang="de">`)
	if page.Header.Get("X-Frame-Options") != "DENY" {
		t.Error("a page that names the user may be in no frame")
	}
	wantPage(t, b.Get(visit), http.StatusOK, "Alice")
}
