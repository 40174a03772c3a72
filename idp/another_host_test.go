package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

const (
	asPage    = "text/html,application/xhtml+xml,*/*;q=0.8" // as browsers ask for a page
	loginPage = "/login?ui_locales=fr&x=%20"
)

// anotherHostRows are requests at a host that is not the issuer's, in development mode and in production.
var anotherHostRows = []struct {
	name         string
	path, accept string
	headers      []string
	development  int
	production   int
}{
	{"a page", loginPage, asPage, nil, http.StatusSeeOther, http.StatusMisdirectedRequest},
	{"the home page", "/", asPage, nil, http.StatusSeeOther, http.StatusMisdirectedRequest},
	{"an authorization request", "/authorize", asPage, nil, http.StatusSeeOther, http.StatusMisdirectedRequest},
	{"a page behind a trusted proxy that names another host", loginPage, asPage,
		[]string{"X-Forwarded-Host", "127.0.0.2:8080"}, http.StatusSeeOther, http.StatusMisdirectedRequest},
	{"a page behind a trusted proxy that names the issuer's host", loginPage, asPage,
		[]string{"X-Forwarded-Host", "issuer"}, http.StatusOK, http.StatusOK},
	{"a page behind two trusted proxies that each name a host", loginPage, asPage,
		[]string{"X-Forwarded-Host", "issuer, 10.0.0.2:8080"}, http.StatusOK, http.StatusOK},
	{"RFC 6265 §8.5 a page behind a trusted proxy that leaves the port out", loginPage, asPage,
		[]string{"X-Forwarded-Host", "issuer without port"}, http.StatusOK, http.StatusOK},
	{"a page that the browser was sent to a moment ago, by a proxy that hides the host", loginPage, asPage,
		[]string{"Cookie", "hush-moved=%2Flogin"}, http.StatusOK, http.StatusMisdirectedRequest},
	{"RFC 8414 §3 metadata, for a program in another container", "/.well-known/openid-configuration", "application/json",
		nil, http.StatusOK, http.StatusOK},
	{"Core §10.1.1 keys, for a program that asks for any type", "/jwks", asPage, nil, http.StatusOK, http.StatusOK},
	{"a health check by address", "/healthz", "*/*", nil, http.StatusOK, http.StatusOK},
	{"a health check of the home page", "/", "", nil, http.StatusOK, http.StatusOK},
	{"the style of the page about the error", "/static/idp/idp.css", asPage, nil, http.StatusOK, http.StatusOK},
}

// RFC 9110 §15.5.20: 421 is for a request that was directed at a server that cannot answer for its authority.
func TestPagesAreServedAtTheHostOfTheIssuer(t *testing.T) {
	for mode, change := range map[string]func(*idp.Config){
		"development": nil,
		"production":  func(c *idp.Config) { c.Dev = new(bool) },
	} {
		p := idptest.Start(t, change)
		own, _ := url.Parse(p.Issuer)
		for _, row := range anotherHostRows {
			t.Run(mode+": "+row.name, func(t *testing.T) {
				r := get(t, http.MethodGet, p.Issuer+row.path, nil, append([]string{"Accept", row.accept}, row.headers...)...)
				r.Host, r.RemoteAddr = "127.0.0.2:8080", "127.0.0.1:1234"
				named := strings.NewReplacer("issuer without port", own.Hostname(), "issuer", own.Host)
				r.Header.Set("X-Forwarded-Host", named.Replace(r.Header.Get("X-Forwarded-Host")))
				want := map[string]int{"development": row.development, "production": row.production}[mode]
				w := serve(p, r)
				if w.Code != want {
					t.Fatalf("the status is %d; want %d\n%s", w.Code, want, w.Body)
				}
				if to := w.Header().Get("Location"); want == http.StatusSeeOther && to != p.Issuer+row.path {
					t.Errorf("the browser is sent to %s; want the same path and query at the issuer", to)
				}
				if want == http.StatusMisdirectedRequest && !strings.Contains(w.Body.String(), `href="`+p.Issuer+`"`) {
					t.Errorf("the page does not lead to the issuer:\n%s", w.Body)
				}
			})
		}
	}
}

func TestAnUntrustedPeerCannotNameTheHost(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) { c.Dev = new(bool) })
	own, _ := url.Parse(p.Issuer)
	r := get(t, http.MethodGet, p.Issuer+"/login", nil, "Accept", asPage, "X-Forwarded-Host", own.Host)
	r.Host, r.RemoteAddr = "evil.test", "192.0.2.1:1234"
	if w := serve(p, r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("the status is %d; want 421", w.Code)
	}
}
