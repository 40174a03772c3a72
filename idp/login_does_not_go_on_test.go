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

// withoutCookies is a browser that drops each cookie. Sec-Fetch-Site proves the form instead of the CSRF cookie.
func withoutCookies(t *testing.T, p *idptest.Provider, page idptest.Page) idptest.Page {
	t.Helper()
	b := p.Browser(t)
	r := get(t, http.MethodPost, p.Issuer+"/login", url.Values{
		"username": {"alice"}, "password": {"alice"}, "interaction": {page.Location.Query().Get("interaction")},
	}, "Sec-Fetch-Site", "same-origin")
	r.RequestURI = ""
	page = b.Do(r)
	for page.Status == http.StatusSeeOther {
		page = p.Browser(t).Get(page.Location.String())
	}
	return page
}

func TestASignInWhoseCookieDoesNotComeBackSaysSo(t *testing.T) { // RFC 6265 §7.2: user agents may block cookies
	const says = `did not send the provider&#39;s cookie back`
	p := idptest.Start(t, nil)
	for name, page := range map[string]idptest.Page{
		"an application": p.Browser(t).Authorize(idptest.Request("spa")),
		"a new sign-in":  p.Browser(t).Authorize(idptest.Request("spa", "prompt", "login")),
		"a device":       p.Browser(t).Get("/device?user_code=BCDF-GHJK"),
	} {
		if first := p.Browser(t).Get(page.Location.String()); strings.Contains(first.Body, "cookie back") {
			t.Errorf("%s: the first sign-in page says that a cookie is missing", name)
		}
		last := withoutCookies(t, p, page)
		if body := strings.ReplaceAll(last.Body, "'", "&#39;"); !strings.Contains(body, says) ||
			!strings.Contains(body, `id="login-submit"`) {
			t.Errorf("%s: after a right password the page is %d\n%s", name, last.Status, last.Body)
		}
	}
}

// The keys of a memory store are new after a restart, so the form of an older page cannot be read.
func TestAPageThatIsTooOldShowsTheWayToBeginAgain(t *testing.T) {
	client := func(id, initiate, home string) oidc.Client {
		return oidc.Client{
			ClientID: id, ClientName: "The App", TokenEndpointAuthMethod: "none", RedirectURIs: []string{"http://localhost/cb"},
			InitiateLoginURI: initiate, ClientURI: home,
		}
	}
	config := func(c *idp.Config) {
		c.Clients = []oidc.Client{
			client("starts", "https://app.test/start?x=1", "https://app.test/home"),
			client("home", "", "https://app.test/home"), client("neither", "", ""),
		}
	}
	before, after := idptest.Start(t, config), idptest.Start(t, config)
	for id, want := range map[string]string{
		"starts":  `id="begin-again" href="https://app.test/start?iss=` + url.QueryEscape(after.Issuer) + `&amp;x=1"`,
		"home":    `id="begin-again" href="https://app.test/home"`,
		"neither": "open the app at its own address",
	} {
		b := before.Browser(t)
		sent := b.Authorize(idptest.Request(id, "redirect_uri", "http://localhost/cb"))
		wantPage(t, b.Get(sent.Location.String()), http.StatusOK, `name="app" value="`+id+`"`)
		form := url.Values{"interaction": {sent.Location.Query().Get("interaction")}, "app": {id}}
		r := get(t, http.MethodPost, after.Issuer+"/login", form, "Sec-Fetch-Site", "same-origin")
		r.RequestURI = ""
		wantPage(t, after.Browser(t).Do(r), http.StatusBadRequest, want)
	}
	wantPage(t, after.Browser(t).Get("/login?interaction=x&app=starts"), http.StatusBadRequest, "To begin again")
}
