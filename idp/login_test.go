package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// open sends an authentication request and follows it to the page it leads to.
func open(t *testing.T, b *idptest.Browser, params url.Values) idptest.Page {
	t.Helper()
	page := b.Authorize(params)
	if page.Status != http.StatusSeeOther {
		t.Fatalf("/authorize gave %d:\n%s", page.Status, page.Body)
	}
	return b.Get(page.Location.String())
}

// submit fills in a form and follows the redirects that the provider answers with, up to the client's address.
func submit(t *testing.T, b *idptest.Browser, page idptest.Page, fill ...string) idptest.Page {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fill); i += 2 {
		form.Set(fill[i], fill[i+1])
	}
	page = b.Submit(page, form)
	for page.Location != nil && page.Location.Path != "/spa/callback.html" && page.Location.Host != "app.test" {
		page = b.Get(page.Location.String())
	}
	return page
}

func answer(t *testing.T, page idptest.Page) url.Values {
	t.Helper()
	if page.Location == nil {
		t.Fatalf("no answer to the client, but %d:\n%s", page.Status, page.Body)
	}
	return page.Location.Query()
}

func wantCode(t *testing.T, page idptest.Page) string {
	t.Helper()
	code := answer(t, page).Get("code")
	if code == "" {
		t.Fatalf("no code: %v", page.Location)
	}
	return code
}

func wantError(t *testing.T, page idptest.Page, code oidc.ErrorCode) {
	t.Helper()
	if got := answer(t, page).Get("error"); got != string(code) {
		t.Errorf("error = %q; want %s (%v)", got, code, page.Location)
	}
}

func wantPage(t *testing.T, page idptest.Page, status int, text string) {
	t.Helper()
	if page.Status != status || !strings.Contains(page.Body, text) {
		t.Errorf("got %d, want %d and %q in:\n%s", page.Status, status, text, page.Body)
	}
}

func TestSignInByPasswordEndsAtTheClientWithACode(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	page := open(t, b, idptest.Request("spa"))
	wantPage(t, page, http.StatusOK, `id="login-submit"`)
	code := wantCode(t, submit(t, b, page, "username", "alice", "password", "alice"))
	if tokens := b.Tokens("spa", code); tokens["id_token"] == nil {
		t.Errorf("got %v", tokens)
	}
}

func TestAWrongPasswordAsksAgainAndLosesNothing(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	page := submit(t, b, open(t, b, idptest.Request("spa")), "username", "alice", "password", "wrong")
	wantPage(t, page, http.StatusForbidden, "The username or the password is wrong.")
	wantPage(t, page, http.StatusForbidden, `value="alice"`)
	wantCode(t, submit(t, b, page, "username", "alice", "password", "alice"))
}

func TestCancelIsAccessDenied(t *testing.T) { // RFC 6749 §4.1.2.1
	b := idptest.Start(t, nil).Browser(t)
	wantError(t, submit(t, b, open(t, b, idptest.Request("spa")), "cancel", "1"), oidc.AccessDenied)
}

func TestTheLoginPageIsPrefilledByLoginHint(t *testing.T) { // Core §3.1.2.1
	b := idptest.Start(t, nil).Browser(t)
	wantPage(
		t, open(t, b, idptest.Request("spa", "login_hint", "carol@example.com")), http.StatusOK, `value="carol@example.com"`,
	)
}

func TestOneClickSignInIsForDevelopmentOnly(t *testing.T) {
	off := false
	for _, row := range []struct {
		name    string
		change  func(*idp.Config)
		host    string
		allowed bool
	}{
		{"a loopback issuer", nil, "127.0.0.1:8080", true},
		{"a loopback issuer by another loopback name", nil, "idp.localhost:8080", true},
		{"a loopback issuer by a foreign name (DNS rebinding)", nil, "evil.test:8080", false},
		{"a loopback issuer with dev=false", func(c *idp.Config) { c.Dev = &off }, "127.0.0.1:8080", false},
		{"another issuer", public, "127.0.0.1:8080", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, row.change)
			page := serve(p, get(t, "GET", "http://"+row.host+"/login", nil))
			if shown := strings.Contains(page.Body.String(), "one_click"); shown != row.allowed {
				t.Errorf("the buttons are shown: %v; want %v", shown, row.allowed)
			}
			r := get(t, "POST", "http://"+row.host+"/login", url.Values{"one_click": {"alice"}}, "Sec-Fetch-Site", "same-origin")
			if signedIn := serve(p, r).Code == http.StatusSeeOther; signedIn != row.allowed {
				t.Errorf("one click signs in: %v; want %v", signedIn, row.allowed)
			}
		})
	}
}

func TestPromptLoginSignsInAgainWithALaterAuthTime(t *testing.T) { // Core §3.1.2.1
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	before := authTime(t, b.Tokens("spa", b.Code(idptest.Request("spa"))))
	p.Clock.Pass(time.Minute)
	page := open(t, b, idptest.Request("spa", "prompt", "login"))
	wantPage(t, page, http.StatusOK, "asks you to sign in again")
	code := wantCode(t, submit(t, b, page, "username", "alice", "password", "alice"))
	if after := authTime(t, b.Tokens("spa", code)); after <= before {
		t.Errorf("auth_time was %v and is %v; want later", before, after)
	}
}

func TestMaxAgeKeepsAndRenewsAuthTime(t *testing.T) { // Core §3.1.2.1
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	first := authTime(t, b.Tokens("spa", b.Code(idptest.Request("spa", "max_age", "10000"))))
	p.Clock.Pass(time.Minute)
	second := authTime(t, b.Tokens("spa", b.Code(idptest.Request("spa", "max_age", "10000"))))
	if first != second {
		t.Errorf("auth_time changed from %v to %v without a sign-in", first, second)
	}
	for _, maxAge := range []string{"30", "0"} {
		page := open(t, b, idptest.Request("spa", "max_age", maxAge))
		code := wantCode(t, submit(t, b, page, "username", "alice", "password", "alice"))
		if third := authTime(t, b.Tokens("spa", code)); third <= second {
			t.Errorf("max_age=%s: auth_time = %v; want later than %v", maxAge, third, second)
		}
	}
}

func TestSelectAccount(t *testing.T) { // Core §3.1.2.1
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	b.SignIn("bob")
	wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.AccountSelectionRequired)
	page := open(t, b, idptest.Request("spa", "prompt", "select_account"))
	wantPage(t, page, http.StatusOK, `id="account-alice"`)
	if sub := subject(t, b, wantCode(t, submit(t, b, page, "account", "alice"))); sub != "alice" {
		t.Errorf("sub = %v; want the chosen one", sub)
	}
	page = submit(t, b, open(t, b, idptest.Request("spa", "prompt", "select_account")), "account", "") // another account
	if sub := subject(t, b, wantCode(t, submit(t, b, page, "username", "carol", "password", "carol"))); sub != "carol" {
		t.Errorf("sub = %v; want the one that was added", sub)
	}
}

// Core §3.1.2.1: "If the End-User identified by the ID Token is already logged in"
func TestAnIDTokenHintBinds(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	alice := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	p.Clock.Pass(time.Hour) // the hint has expired; it is good all the same
	b.SignIn("bob")
	if sub := subject(t, b, b.Code(idptest.Request("spa", "prompt", "none", "id_token_hint", alice))); sub != "alice" {
		t.Errorf("sub = %v; want the hinted one", sub)
	}
	other := p.Browser(t)
	other.SignIn("bob")
	wantError(t, other.Authorize(idptest.Request("spa", "prompt", "none", "id_token_hint", alice)), oidc.LoginRequired)
	page := open(t, other, idptest.Request("spa", "id_token_hint", alice))
	page = submit(t, other, page, "username", "carol", "password", "carol")
	wantPage(t, page, http.StatusOK, "asked for a user who is not signed in here")
	if sub := subject(
		t, other, wantCode(t, submit(t, other, page, "username", "alice", "password", "alice")),
	); sub != "alice" {
		t.Errorf("sub = %v; want the hinted one", sub)
	}
	wantError(
		t, b.Authorize(idptest.Request("spa", "prompt", "none", "id_token_hint", alice[:len(alice)-8]+"AAAAAAAA")),
		oidc.LoginRequired,
	)
}

func TestConsentIsAskedRememberedAndForgotten(t *testing.T) { // Core §3.1.2.4
	p := idptest.Start(t, withThirdParty)
	b := p.Browser(t)
	b.SignIn("alice")
	request := func(change ...string) url.Values {
		params := idptest.Request(
			"spa", append([]string{"client_id", "third", "redirect_uri", "https://app.test/cb"}, change...)...,
		)
		return params
	}
	wantError(t, b.Authorize(request("prompt", "none")), oidc.ConsentRequired)
	page := open(t, b, request())
	wantPage(t, page, http.StatusOK, "See your email address")
	wantError(t, submit(t, b, page, "decision", "deny"), oidc.AccessDenied)
	wantError(t, b.Authorize(request("prompt", "none")), oidc.ConsentRequired)
	wantCode(t, submit(t, b, open(t, b, request()), "decision", "allow"))
	wantCode(t, b.Authorize(request("prompt", "none")))
	wantCode(t, b.Authorize(request("prompt", "none", "scope", "openid email")))
	wantError(t, b.Authorize(request("prompt", "none", "scope", "openid phone")), oidc.ConsentRequired)
	wantPage(t, open(t, b, request("prompt", "consent")), http.StatusOK, `id="consent-allow"`)

	b.Submit(b.Get("/"), url.Values{"client_id": {"third"}})
	wantError(t, b.Authorize(request("prompt", "none")), oidc.ConsentRequired)
}

func TestConsentIsAskedOfTheUserInFrontOfThePage(t *testing.T) {
	p := idptest.Start(t, withThirdParty)
	alice := p.Browser(t)
	alice.SignIn("alice")
	params := idptest.Request("spa", "client_id", "third", "redirect_uri", "https://app.test/cb")
	page := open(t, alice, params)
	mallory := p.Browser(t)
	mallory.SignIn("bob")
	stolen := mallory.Get("/consent?" + authorizeInteraction(page)) // alice's page in bob's browser
	submit(t, mallory, stolen, "decision", "allow")
	params.Set("prompt", "none")
	wantError(t, alice.Authorize(params), oidc.ConsentRequired)
}

func TestFormsNeedTheirCSRFToken(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	credentials := url.Values{"username": {"alice"}, "password": {"alice"}}
	for _, path := range []string{"/login", "/select_account", "/consent", "/consent/forget", "/logout/confirm"} {
		wantPage(t, b.Post(path, credentials), http.StatusForbidden, "access_denied")
		credentials.Set("csrf", "invented")
		wantPage(t, b.Post(path, credentials), http.StatusForbidden, "access_denied")
		credentials.Del("csrf")
	}
}

func TestAnInteractionCannotBeChanged(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	page := b.Authorize(idptest.Request("spa"))
	sealed := page.Location.Query().Get("interaction")
	for _, path := range []string{"/login", "/consent", "/select_account", "/authorize"} {
		bad := sealed[:50] + "A" + sealed[51:]
		wantPage(t, b.Get(path+"?interaction="+url.QueryEscape(bad)), http.StatusBadRequest, "start again")
	}
}

func TestALogoutPageIsNoAuthenticationRequest(t *testing.T) { // what is sealed for one purpose opens for no other
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	params := idptest.Request("spa", "prompt", "login")
	page := b.Get("/logout?" + params.Encode())
	wantPage(t, b.Get("/authorize?"+authorizeInteraction(page)), http.StatusBadRequest, "start again")
}

// a browser's history must not yield codes of prompt=login
func TestAFulfilledRequestIsGoodForMinutesOnly(t *testing.T) {
	p := idptest.Start(t, withThirdParty)
	for _, change := range [][]string{
		{"prompt", "login"}, {"max_age", "1"}, {"prompt", "select_account"}, {"prompt", "consent"},
	} {
		b := p.Browser(t)
		b.SignIn("alice")
		p.Clock.Pass(time.Minute)
		params := idptest.Request("spa", append(change, "client_id", "third", "redirect_uri", "https://app.test/cb")...)
		page := b.Authorize(params)
		resume := "/authorize?" + page.Location.RawQuery
		for page.Location != nil && page.Location.Host != "app.test" {
			page = b.Get(page.Location.String())
			switch {
			case strings.Contains(page.Body, `id="login-submit"`):
				page = b.Submit(page, url.Values{"username": {"alice"}, "password": {"alice"}})
			case strings.Contains(page.Body, `id="account-alice"`):
				page = b.Submit(page, url.Values{"account": {"alice"}})
			case strings.Contains(page.Body, `id="consent-allow"`):
				page = b.Submit(page, url.Values{"decision": {"allow"}})
			}
		}
		wantCode(t, page)
		wantCode(t, b.Get(resume)) // a reload right away does no harm
		p.Clock.Pass(11 * time.Minute)
		if again := b.Get(resume); again.Location == nil || again.Location.Host == "app.test" {
			t.Errorf("%v: after 11 minutes the old request gives %v", change, again.Location)
		}
	}
}

func TestForgetIsForTheAccountThatIsShown(t *testing.T) {
	p := idptest.Start(t, withThirdParty)
	b := p.Browser(t)
	params := idptest.Request("spa", "client_id", "third", "redirect_uri", "https://app.test/cb")
	for _, name := range []string{"bob", "alice"} {
		b.SignIn(name)
		params.Set("login_hint", name)
		wantCode(t, submit(t, b, open(t, b, params), "decision", "allow"))
	}
	params.Set("prompt", "none")
	b.Submit(b.Get("/"), url.Values{"client_id": {"third"}})
	wantError(t, b.Authorize(params), oidc.ConsentRequired) // alice, who is shown first
	params.Set("login_hint", "bob")
	wantCode(t, b.Authorize(params))
}

// it could set the cookie that the token is compared with
func TestAFormFromAnotherPortOfTheHostIsRefused(t *testing.T) {
	p := idptest.Start(t, nil)
	form := url.Values{"username": {"alice"}, "password": {"alice"}, "csrf": {"planted"}}
	var planted *http.Cookie
	for _, cookie := range serve(p, get(t, "GET", "/login", nil)).Result().Cookies() {
		planted = &http.Cookie{Name: cookie.Name, Value: "planted"}
	}
	for site, status := range map[string]int{
		"": http.StatusSeeOther, "same-site": http.StatusForbidden, "cross-site": http.StatusForbidden,
	} {
		r := get(t, "POST", "/login", form, "Sec-Fetch-Site", site)
		r.AddCookie(planted)
		if w := serve(p, r); w.Code != status {
			t.Errorf("Sec-Fetch-Site %q: got %d, want %d", site, w.Code, status)
		}
	}
}

func authorizeInteraction(page idptest.Page) string {
	_, after, _ := strings.Cut(page.Body, `name="interaction" value="`)
	sealed, _, _ := strings.Cut(after, `"`)
	return url.Values{"interaction": {sealed}}.Encode()
}

func withThirdParty(c *idp.Config) {
	c.Clients = []oidc.Client{{
		ClientID: "third", ClientName: "Third-party app", RedirectURIs: []string{"https://app.test/cb"},
		TokenEndpointAuthMethod: oidc.AuthMethodNone,
	}}
}
