package idp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

func TestATypedUserSignsInWithTypedClaims(t *testing.T) {
	b := idptest.Start(t, func(c *idp.Config) {
		c.Scopes = []idp.Scope{{Name: "api.read"}, {Name: "roles", Claims: []string{"roles"}}}
	}).Browser(t)
	page := b.Get(b.Authorize(idptest.Request("spa", "scope", "openid profile roles")).Location.String())
	page = b.Submit(page, url.Values{"name": {"Dora Q"}, "claims": {`{"roles": ["admin"]}`}})
	tokens := b.Tokens("spa", b.Code(page.Location.Query()))
	info := b.GetWithToken("/userinfo", tokens["access_token"].(string)).JSON(t)
	if info["sub"] != "Dora%20Q" || info["name"] != "Dora Q" || fmt.Sprint(info["roles"]) != "[admin]" {
		t.Errorf("userinfo is %v", info)
	}
	if id := claims(t, tokens["id_token"]); id["acr"] != "0" {
		t.Errorf("acr is %v; want 0, because nobody proved anything (Core §2)", id["acr"])
	}
}

func TestAFaultInTypedClaimsLosesNothing(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	page := b.Get(b.Authorize(idptest.Request("spa")).Location.String())
	page = b.Submit(page, url.Values{"name": {"dora"}, "claims": {`{"roles": [admin]}`}})
	for _, want := range []string{`id="typed-error"`, "line 1, character 12", `value="dora"`,
		"{&#34;roles&#34;: [admin]}</textarea>"} {
		if page.Status != http.StatusBadRequest || !strings.Contains(page.Body, want) {
			t.Errorf("the page has status %d and not %s:\n%s", page.Status, want, page.Body)
		}
	}
	page = b.Submit(page, url.Values{"name": {"dora"}, "claims": {`{"roles": ["admin"]}`}})
	if page.Location == nil || b.Get(page.Location.String()).Location.Query().Get("code") == "" {
		t.Errorf("the second attempt gave %d %v", page.Status, page.Location)
	}
}

// Only a page of the provider in development mode has the form.
func TestWhoCannotTypeAUser(t *testing.T) {
	local, off := idptest.Start(t, nil), idptest.Start(t, func(c *idp.Config) { c.Dev = new(bool) })
	form := url.Values{"name": {"dora"}, "claims": {""}}
	for _, row := range []struct {
		name     string
		provider *idptest.Provider
		issuer   string
		header   []string
	}{
		{"a production issuer", idptest.Start(t, public), "https://login.example.com", nil},
		{"without development mode", off, off.Issuer, nil},
		{"a form of a foreign page", local, local.Issuer,
			[]string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}},
		{"a form without the CSRF token", local, local.Issuer, nil},
		{"DNS rebinding: a foreign Host", local, "http://rebound.example.com", []string{"Sec-Fetch-Site", "same-origin"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := serve(row.provider, get(t, http.MethodPost, row.issuer+"/login", form, row.header...))
			if w.Code == http.StatusSeeOther {
				t.Errorf("the user signed in: %v", w.Header())
			}
			page := serve(row.provider, get(t, http.MethodGet, row.issuer+"/login", nil))
			if row.provider != local && strings.Contains(page.Body.String(), "typed-name") {
				t.Error("the page has the form")
			}
		})
	}
	if page := local.Browser(t).Get("/"); strings.Contains(page.Body, "dora") {
		t.Error("a refused request made a user")
	}
}
