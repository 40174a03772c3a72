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

// startExample starts the application of the documentation's Example at a provider with default settings, at which
// alice is signed in. The function that it returns opens an address of the application and follows all redirects.
func startExample(t *testing.T, scopes ...string) (open func(path string) string) {
	t.Helper()
	var handler http.Handler
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(app.Close)
	provider := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		web := &c.Clients[slices.IndexFunc(c.Clients, func(c oidc.Client) bool { return c.ClientID == "web" })]
		web.RedirectURIs = []string{app.URL + "/auth/callback"}
	})
	party, err := rp.New(rp.Config{Issuer: provider.Issuer, ClientID: "web", ClientSecret: "web-secret",
		RedirectURI: app.URL + "/auth/callback", Scopes: scopes, UserInfoAtSignIn: true, OnSignIn: admit})
	if err != nil {
		t.Fatal(err)
	}
	handler = application(party)
	browser := provider.Browser(t)
	browser.SignIn("alice")
	return func(path string) string {
		page := browser.Get(app.URL + path)
		for page.Location != nil {
			page = browser.Get(page.Location.String())
		}
		return page.Body
	}
}

func TestTheExampleGreetsByName(t *testing.T) {
	open := startExample(t, "openid", "profile", "email")
	if page := open("/"); !strings.Contains(page, `href="/auth/login"`) {
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

func TestTheExampleRefusesAUser(t *testing.T) {
	open := startExample(t, "openid", "profile") // without the email address
	if page := open("/auth/login"); !strings.Contains(page, "needs your email address") {
		t.Errorf("a refused sign-in ends at a page that does not say so: %s", page)
	}
	if page := open("/"); strings.Contains(page, "Hello") {
		t.Errorf("the refused user is signed in: %s", page)
	}
}
