package rp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
)

func authorizationRequest(t *testing.T, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil || u.Path != "/authorize" {
		t.Fatalf("the browser was sent to %q, expected the authorization endpoint", location)
	}
	return u.Query()
}

func TestLoginSendsAnAuthenticationRequest(t *testing.T) {
	a := newApp(t)
	q := authorizationRequest(t,
		a.begin("/web/login?return_to=/web/&prompt=login&login_hint=bob&max_age=60&acr_values=1&scope=evil&state=evil"))
	for name, want := range map[string]string{ // Core §3.1.2.1
		"response_type": "code", "client_id": "web", "redirect_uri": a.server.URL + "/web/callback",
		"scope":                 "openid api.read",
		"code_challenge_method": "S256", // RFC 7636 §4.3
		"prompt":                "login", "login_hint": "bob", "max_age": "60", "acr_values": "1",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, expected %q", name, got, want)
		}
	}
	if location := a.begin("/web/login"); strings.Contains(location, "+") {
		t.Errorf("the redirect is %s, expected a blank as %%20 (RFC 3986 §2.1)", location)
	}
	again := authorizationRequest(t, a.begin("/web/login"))
	for _, name := range []string{"state", "nonce", "code_challenge"} { // RFC 6749 §10.10
		if len(q.Get(name)) < 26 || q.Get(name) == again.Get(name) {
			t.Errorf("%s is %q and then %q, expected fresh values of 128 bits or more", name, q.Get(name), again.Get(name))
		}
	}
}

func TestSilentLoginSendsPromptNone(t *testing.T) {
	a := newApp(t)
	q := authorizationRequest(t, a.begin("/web/silent"))
	if q.Get("prompt") != "none" || q.Has("id_token_hint") ||
		q.Get("redirect_uri") != a.server.URL+"/web/silent-callback" {
		t.Errorf("nobody signed in: %v", q)
	}
	session := a.signIn()
	if q := authorizationRequest(t, a.begin("/web/silent")); q.Get("id_token_hint") != session.IDToken {
		t.Errorf("Core §3.1.2.1: id_token_hint is %q, expected the session's ID Token", q.Get("id_token_hint"))
	}
}

func TestARedirectOfTheWholePageRenews(t *testing.T) {
	a := newApp(t)
	if q := authorizationRequest(t, a.begin("/web/login?prompt=none")); q.Has("id_token_hint") {
		t.Errorf("nobody signed in: %v", q)
	}
	session := a.signIn()
	q := authorizationRequest(t, a.begin("/web/login?prompt=none&return_to=/web/"))
	if q.Get("prompt") != "none" || q.Get("id_token_hint") != session.IDToken {
		t.Errorf("Core §3.1.2.1: the request is %v, expected prompt=none and the session's ID Token", q)
	}
	if q := authorizationRequest(t, a.begin("/web/login?prompt=login")); q.Has("id_token_hint") {
		t.Errorf("a sign-in with a page may be of another user: %v", q)
	}
}

func TestLoginRefuses(t *testing.T) {
	for _, row := range []struct{ name, query string }{
		{"RFC 9700 §4.11 return_to on another host", "return_to=//evil.test/"},
		{"RFC 9700 §4.11 return_to with three slashes, which a browser reads as two", "return_to=///evil.test/"},
		{"RFC 9700 §4.11 return_to with a backslash", `return_to=/\evil.test/`},
		{"RFC 9700 §4.11 return_to with a scheme", "return_to=https://evil.test/"},
		{"RFC 9700 §4.11 return_to with a script", "return_to=javascript:alert(1)"},
		{"RFC 9700 §4.11 return_to that a browser reads as // once the tab is dropped", "return_to=/%09/evil.test/"},
		{"RFC 9700 §4.11 return_to with a line break", "return_to=/a%0d%0aSet-Cookie:x"},
		{"RFC 9700 §4.11 a relative return_to", "return_to=evil"},
		{"a return_to too long for a cookie", "return_to=/" + strings.Repeat("a", maxReturnTo)},
		{"Core §3.1.2.1 max_age is a number of seconds", "max_age=soon"},
		{"Core §3.1.2.1 max_age is not negative", "max_age=-1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			location := a.begin("/web/login?" + row.query)
			if e := a.failure(location); e.Code != oidc.InvalidRequest || !strings.HasPrefix(location, "/web/?") {
				t.Errorf("sent to %q, expected invalid_request at /web/", location)
			}
		})
	}
}

func TestReturnTo(t *testing.T) {
	a := newApp(t)
	want := "/web/deep/page?tab=1&error=old#part"
	answer := a.provider.answer(a.begin("/web/login?return_to=" + url.QueryEscape(want)))
	if got := a.callback(answer); got != want {
		t.Errorf("after the sign-in: %q, expected %q", got, want)
	}
	answer = a.provider.answer(a.begin("/web/login?return_to=" + url.QueryEscape(want)))
	answer.Set("iss", "https://evil.test")
	u, _ := url.Parse(a.callback(answer))
	if u.Path != "/web/deep/page" || u.Fragment != "part" || u.Query().Get("tab") != "1" || len(u.Query()["error"]) != 1 ||
		u.Query().Get("error") != string(IssuerMismatch) {
		t.Errorf("after a failure: %v", u)
	}
}

func TestProviderDown(t *testing.T) {
	a := newApp(t)
	a.provider.Close()
	e := a.failure(a.begin("/web/login?return_to=/web/x"))
	if e.Code != ProviderDown || !strings.Contains(e.Description, "is unreachable at "+a.provider.URL) ||
		!strings.Contains(e.Description, "is it running?") {
		t.Errorf("login: %v", e)
	}
	location := a.begin("/web/silent")
	if !strings.HasPrefix(location, a.server.URL+"/web/silent-callback?state=") {
		t.Fatalf("silent login: %q, expected the silent callback page", location)
	}
	u, _ := url.Parse(location)
	if status, _, e := a.finishSilent(u.Query()); status != http.StatusServiceUnavailable || e.Code != ProviderDown {
		t.Errorf("finish: %d %v", status, e)
	}
}

func TestMethods(t *testing.T) {
	a := newApp(t)
	for _, row := range [][2]string{
		{"POST", "/web/login"}, {"POST", "/web/silent"}, {"POST", "/web/callback"}, {"GET", "/web/silent/finish"},
		{"GET", "/web/logout"},
		{"GET", "/web/refresh"}, {"GET", "/web/sign-out-here"}, {"GET", "/web/back-channel-logout"},
		{"POST", "/web/front-channel-logout"},
		{"POST", "/web/monitor"}, {"POST", "/web/monitor.js"}, {"PUT", "/web/initiate-login"}, {"POST", "/web/jwks"},
	} {
		if response := a.do(row[0], row[1], ""); response.StatusCode != http.StatusMethodNotAllowed ||
			response.Header.Get("Allow") == "" {
			t.Errorf("%s %s: %s", row[0], row[1], response.Status)
		}
	}
}

func TestSilentLoginNotConfigured(t *testing.T) {
	a := newApp(t, func(c *Config) { c.SilentRedirectURI = "" })
	if response := a.do("GET", "/web/silent", ""); response.StatusCode != http.StatusNotFound {
		t.Errorf("%s", response.Status)
	}
}

func flowCookies(a *testApp) (n int) {
	for _, cookie := range a.request().Cookies() {
		if strings.HasPrefix(cookie.Name, a.cookies.flow) {
			n++
		}
	}
	return n
}

func TestFlowsAreIndependent(t *testing.T) {
	a := newApp(t)
	a.signIn()
	tab, silent := a.begin("/web/login?return_to=/web/tab"), a.begin("/web/silent")
	if status, _, e := a.finishSilent(a.provider.answer(silent)); status != http.StatusOK {
		t.Errorf("the renewal beside a login: %v", e)
	}
	if to := a.callback(a.provider.answer(tab)); to != "/web/tab" {
		t.Errorf("the login beside a renewal ended at %q", to)
	}
}

func TestOldFlowsAreRemoved(t *testing.T) {
	a := newApp(t)
	typing := a.provider.answer(a.begin("/web/login"))
	for range 3 * maxFlows {
		a.begin("/web/silent")
		a.clock.Pass(time.Second)
	}
	if n := flowCookies(a); n != maxFlows+1 {
		t.Errorf("%d flow cookies, expected the login and the newest %d renewals", n, maxFlows)
	}
	newest := a.provider.answer(a.begin("/web/silent"))
	a.begin("/web/silent")
	if status, _, e := a.finishSilent(newest); status != http.StatusOK {
		t.Errorf("a new flow went with the old ones: %v", e)
	}
	if to := a.callback(typing); to != "/web/" {
		t.Errorf("the login beside many renewals ended at %q", to)
	}
	a.clock.Pass(flowLifetime)
	last := a.begin("/web/login")
	if n := flowCookies(a); n != 1 {
		t.Errorf("%d flow cookies after %v, expected the live one", n, flowLifetime)
	}
	if to := a.callback(a.provider.answer(last)); to != "/web/" || flowCookies(a) != 0 {
		t.Errorf("ended at %q with %d flow cookies", to, flowCookies(a))
	}
}

func TestCookieAttributes(t *testing.T) {
	for _, row := range []struct {
		name, origin string
		prefix       string
		secure       bool
	}{
		{"http: WebKit refuses Secure on loopback", "http://app.localhost:9090", "rp_", false},
		{"RFC 6265bis §4.1.3.2 https: the prefix __Host-", "https://app.example.com", "__Host-rp_", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, func(c *Config) {
				c.RedirectURI, c.SilentRedirectURI = row.origin+"/callback", row.origin+"/silent-callback"
			})
			w := httptest.NewRecorder()
			a.Login(w, httptest.NewRequest("GET", row.origin+"/login", nil))
			cookies := w.Result().Cookies()
			if len(cookies) != 1 {
				t.Fatalf("%d cookies, expected one: %v", len(cookies), w.Header())
			}
			c := cookies[0]
			if !strings.HasPrefix(c.Name, row.prefix) || c.Secure != row.secure || !c.HttpOnly ||
				c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 600 {
				t.Errorf("%s", c.Raw)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("the answer may be cached, or its URL passed on: %v", w.Header())
			}
		})
	}
}

func TestCookieNamesDiffer(t *testing.T) {
	names := map[string]bool{}
	for _, c := range []Config{
		{ClientID: "a", RedirectURI: "http://localhost:1/cb"},
		{ClientID: "b", RedirectURI: "http://localhost:1/cb"},
		{ClientID: "a", RedirectURI: "http://localhost:2/cb"},
	} {
		cookies, err := newCookies(c)
		if err != nil {
			t.Fatal(err)
		}
		names[cookies.session] = true
	}
	if len(names) != 3 {
		t.Errorf("two applications share a cookie name, and cookies ignore ports: %v", names)
	}
}

// URL §5.1: only & separates the parameters of a query and of a form.
func TestARawSemicolonIsData(t *testing.T) {
	a := newApp(t)
	location := a.begin("/web/login?return_to=/web/a;b&x=1;2")
	raw := a.provider.answer(location).Encode()
	if to := a.location(a.do("GET", "/web/callback?"+raw+"&x=a;b", "")); to != "/web/a;b" {
		t.Errorf("URL §5.1 a raw semicolon in return_to and in the answer: the sign-in ended at %q", to)
	}
	iss := "iss=" + url.QueryEscape(a.provider.URL)
	location = a.location(a.do("POST", "/web/initiate-login", iss+"&login_hint=bob;x"))
	if hint := authorizationRequest(t, location).Get("login_hint"); hint != "bob;x" {
		t.Errorf("URL §5.1 a raw semicolon in the form of an initiated login: login_hint is %q", hint)
	}
	if to := a.location(a.do("POST", "/web/logout", "state=a;b")); !strings.Contains(to, "state=a%3Bb") {
		t.Errorf("URL §5.1 a raw semicolon in the form of a logout: sent to %q", to)
	}
	a.signInAs("s;1")
	if response := a.frontChannel(iss + "&sid=s;1"); response.StatusCode != http.StatusOK || !a.isSignedOut() {
		t.Errorf("URL §5.1 a raw semicolon in sid of the front channel: %s", response.Status)
	}
}
