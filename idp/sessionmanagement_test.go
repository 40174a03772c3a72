package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// browserState is what a script reads in the browser.
func browserState(b *idptest.Browser) string {
	for _, cookie := range b.Cookies() {
		if strings.HasSuffix(cookie.Name, "-state-lax") {
			return cookie.Value
		}
	}
	return ""
}

// unchanged is what the page behind check_session_iframe finds out: static/idp/check_session.js.
func unchanged(b *idptest.Browser, sessionState string) bool {
	_, salt, _ := strings.Cut(sessionState, ".")
	return session.SessionState("spa", "http://localhost:9090", browserState(b), salt) == sessionState
}

func TestSessionManagement(t *testing.T) {
	p := idptest.Start(t, nil)
	b, other := p.Browser(t), p.Browser(t)
	state := func(change ...string) string {
		t.Helper()
		return b.Authorize(idptest.Request("spa", change...)).Location.Query().Get("session_state")
	}
	want := func(row string, holds bool) {
		t.Helper()
		if !holds {
			t.Error(row)
		}
	}
	nobody := state("prompt", "none")
	want(
		"Session Management §3.1 session_state SHOULD be returned upon an authentication failure",
		nobody != "" && unchanged(b, nobody),
	)
	cancelled := b.Submit(open(t, b, idptest.Request("spa")), url.Values{"cancel": {"1"}})
	cancelled = b.Get(cancelled.Location.String())
	want(
		"Session Management §3.1 and where the person cancels", unchanged(b, cancelled.Location.Query().Get("session_state")),
	)
	b.SignIn("alice")
	want("Session Management §3.2 after a sign-in the answer MUST be changed", !unchanged(b, nobody))
	alice := state()
	want("Session Management §2 session_state MUST be in the authentication response", alice != "")
	want("Session Management §2 session_state MUST NOT contain a space", !strings.Contains(alice, " "))
	want("Session Management §3.2 if it matched, the answer MUST be unchanged", unchanged(b, alice))
	again := state("prompt", "none")
	renewal := b.Authorize(idptest.Request("spa", "prompt", "none"))
	want("Session Management §3.2 a renewal writes no cookie", len(renewal.Header["Set-Cookie"]) == 0)
	want("Session Management §3.2 a renewal changes nothing", unchanged(b, alice) && unchanged(b, again) && again != alice)
	b.SignIn("bob")
	want("Session Management §3.2 after another user's sign-in the answer MUST be changed", !unchanged(b, alice))
	hint := b.Tokens("spa", b.Code(idptest.Request("spa", "login_hint", "bob")))["id_token"].(string)
	both := state("login_hint", "alice", "prompt", "none")
	want("Session Management §3.2 the users who are signed in count, not the user of the request", unchanged(b, both))
	b.Get("/logout?id_token_hint=" + hint)
	want("Session Management §3.2 after one of two signed out the answer MUST be changed", !unchanged(b, both))
	rest := state("prompt", "none")
	want("Session Management §3.2 and the one who stays has the new state", unchanged(b, rest))
	other.SignIn("alice")
	other.Submit(other.Get("/account"), url.Values{"sid": {"others"}})
	gone := state("prompt", "none")
	want(
		"Session Management §3.2 a session that was ended elsewhere shows with the next request",
		!unchanged(b, rest) && unchanged(b, gone),
	)
}

// Session Management §3.2: the state in the browser is that of the latest sign-in.
func TestALateAnswerToAnOutdatedCookieKeepsTheBrowserState(t *testing.T) {
	p := idptest.Start(t, nil)
	for name, ask := range map[string]func(b *idptest.Browser, cookies []*http.Cookie) idptest.Page{
		"a silent request": func(b *idptest.Browser, cookies []*http.Cookie) idptest.Page {
			b.SetCookies(cookies)
			return b.Authorize(idptest.Request("spa", "prompt", "none"))
		},
		"a cancelled sign-in": func(b *idptest.Browser, cookies []*http.Cookie) idptest.Page {
			cancelled := b.Submit(open(t, b, idptest.Request("spa", "prompt", "login")), url.Values{"cancel": {"1"}})
			b.SetCookies(cookies)
			return b.Get(cancelled.Location.String())
		},
	} {
		b := p.Browser(t)
		b.SignIn("alice")
		before := b.Cookies()
		b.SignIn("alice") // in another tab, before the answer to the request of this one
		page := ask(p.Browser(t), before)
		if answer := page.Location.Query(); answer.Get("error") == "" {
			t.Fatalf("%s with an outdated cookie is answered %v", name, answer)
		}
		for _, cookie := range page.Header.Values("Set-Cookie") {
			if strings.Contains(cookie, "-state") {
				t.Errorf("%s: the answer changes the state of the later sign-in: %s", name, cookie)
			}
		}
	}
}

func TestTheCheckSessionPage(t *testing.T) {
	p := idptest.Start(t, nil)
	page := p.Browser(t).Get(metadata(t, p).CheckSessionIframe)
	wantPage(t, page, http.StatusOK, `data-cookies="`+strings.Join(stateNames(t, p), " ")+`"`)
	csp := page.Header.Get("Content-Security-Policy")
	for row, holds := range map[string]bool{
		"Session Management §3.2 clients frame the page": strings.Contains(csp, "frame-ancestors "+
			"http://localhost:*"), // any port: RFC 8252 §7.3
		"Session Management §3.2 nobody else does":               !strings.Contains(strings.ReplaceAll(csp, ":*", ""), "*"),
		"Session Management §3.2 nothing keeps it out of frames": page.Header.Get("X-Frame-Options") == "",
		"CSP Level 3 §6.7.3.3 no inline script": strings.Contains(
			csp, "script-src 'self';",
		) && !strings.Contains(page.Body, "<script>"),
	} {
		if !holds {
			t.Errorf("%s: %s", row, csp)
		}
	}
	// a loopback client's port may be any
	for referer, want := range map[string]bool{"http://localhost:9091/app": true, "https://evil.test/": false} {
		w := serve(p, get(t, "GET", "/check_session", nil, "Referer", referer))
		if got := strings.Contains(w.Header().Get("Content-Security-Policy"), oidc.Origin(referer)); got != want {
			t.Errorf("Session Management §3.2 may %s frame the page: %v; want %v", referer, got, want)
		}
	}
}

func stateNames(t *testing.T, p *idptest.Provider) []string {
	t.Helper()
	u, err := url.Parse(p.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return session.NewCookies(u, nil, 0).StateNames()
}

func TestACheckSessionPageIsLoadedWithTheCookies(t *testing.T) { // Storage Access Headers
	p := idptest.Start(t, nil)
	for access, want := range map[string]string{"inactive": "load", "active": "", "none": "", "": ""} {
		w := serve(p, get(t, "GET", "/check_session", nil, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe",
			"Sec-Fetch-Storage-Access", access))
		if got := w.Header().Get("Activate-Storage-Access"); got != want || w.Header().Get("Vary") == "" {
			t.Errorf("after %q Activate-Storage-Access is %q with Vary %q; want %q", access, got, w.Header().Get("Vary"), want)
		}
	}
}

func TestACheckSessionPageWithoutCookiesIsInTheTrace(t *testing.T) { // Session Management §5.1
	p := idptest.Start(t, nil)
	frame := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Storage-Access", "none"}
	serve(p, get(t, "GET", "/check_session", nil, frame...))
	if flow := p.LastFlow(t); len(flow.Reasons) != 1 || flow.Reasons[0].Code != string(oidc.CookieWithheldOrAbsent) {
		t.Errorf("the reasons are %v", flow.Reasons)
	}
}
