package idptest_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// TestAnAPIWithTokensOfItsOwnUsers is how a protected API is tested: no browser, no sign-in, no further import.
func TestAnAPIWithTokensOfItsOwnUsers(t *testing.T) {
	provider := idptest.Start(t, nil)
	provider.AddUser(t, "dana", map[string]any{"name": "Dana Diaz"})
	provider.AddClient(t, "my-app", "http://localhost:5173/callback")

	tokens := provider.Token(t, "dana", "my-app")
	page := provider.Browser(t).GetWithToken("/userinfo", tokens.AccessToken)
	if user := page.JSON(t); user["name"] != "Dana Diaz" || tokens.IDToken == "" {
		t.Errorf("userinfo says %v", user)
	}
	expired := provider.Token(t, "dana", "my-app", idptest.Want{"expired": true})
	if page := provider.Browser(t).GetWithToken("/userinfo", expired.AccessToken); page.Status != http.StatusUnauthorized {
		t.Errorf("an expired token gives %d; want 401", page.Status)
	}
	provider.Reset(t)
	if page := provider.Browser(t).GetWithToken("/userinfo", tokens.AccessToken); page.Status != http.StatusUnauthorized {
		t.Errorf("after the reset the token gives %d; want 401", page.Status)
	}
}

// A browser walks through the sign-in page and the consent page, back to the application.
func TestABrowserWalksToTheApplication(t *testing.T) {
	provider := idptest.Start(t, nil)
	provider.API(t, http.MethodPatch, "/clients/spa", map[string]any{"first_party": false}, nil)
	browser := provider.Browser(t)
	page := browser.Walk(browser.Authorize(idptest.Request("spa")))
	page = browser.Walk(browser.Submit(page, url.Values{"username": {"alice"}, "password": {"alice"}}))
	if page.Location == nil || page.Location.Host != "localhost:9090" || page.Location.Query().Get("code") == "" {
		t.Errorf("the walk ends with %d at %v; want a code for the application\n%s", page.Status, page.Location, page.Body)
	}
}
