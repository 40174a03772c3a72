package rp_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/rp"
)

// TestTheExampleGreetsByName: the application of the documentation's Example at a provider with default settings.
func TestTheExampleGreetsByName(t *testing.T) {
	var handler http.Handler
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(app.Close)
	provider := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		web := &c.Clients[slices.IndexFunc(c.Clients, func(c oidc.Client) bool { return c.ClientID == "web" })]
		web.RedirectURIs = []string{app.URL + "/auth/callback"}
	})
	party, err := rp.New(rp.Config{Issuer: provider.Issuer, ClientID: "web", ClientSecret: "web-secret",
		RedirectURI: app.URL + "/auth/callback", Scopes: []string{"openid", "profile"}})
	if err != nil {
		t.Fatal(err)
	}
	handler = application(party)
	browser := provider.Browser(t)
	browser.SignIn("alice")
	open := func(path string) string {
		page := browser.Get(app.URL + path)
		for page.Location != nil {
			page = browser.Get(page.Location.String())
		}
		return page.Body
	}
	if page := open("/"); !strings.Contains(page, "/auth/login?return_to=%2F") {
		t.Errorf("nobody is signed in, and the page has no link to a sign-in: %s", page)
	}
	for _, path := range []string{"/auth/login", "/auth/login?return_to=/orders"} {
		if page := open(path); !strings.Contains(page, "Hello Alice") {
			t.Errorf("%s ends at a page that does not greet Alice: %s", path, page)
		}
	}
	if page := open("/auth/login?prompt=none+login"); !strings.Contains(page, "That did not work: ") {
		t.Errorf("a failed sign-in ends at a page that does not say so: %s", page)
	}
}
