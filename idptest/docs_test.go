package idptest_test

import (
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idptest"
)

// The part between the two comments is what docs/testing.md shows.

// recipe: begin
func TestMyApp(t *testing.T) {
	provider := idptest.Start(t, nil) // at a free port, with alice, bob, carol, spa and web; nil changes no setting
	provider.AddUser(t, "dana", map[string]any{"name": "Dana Diaz"})
	provider.AddClient(t, "my-app", "http://localhost:5173/callback")

	tokens := provider.Token(t, "dana", "my-app") // AccessToken, IDToken, and RefreshToken if the client has that grant
	expired := provider.Token(t, "dana", "my-app", idptest.Want{"expired": true})
	if tokens.AccessToken == "" || expired.AccessToken == "" {
		t.Error("a token is missing")
	}

	browser := provider.Browser(t)
	browser.SignIn("dana")                                          // by the page; the password is the name
	page := browser.Walk(browser.Authorize(idptest.Request("spa"))) // over redirects and consent, to the application
	if page.Location == nil || page.Location.Query().Get("code") == "" {
		t.Errorf("the application gets %v", page.Location)
	}

	provider.Clock.Pass(time.Minute) // sessions, codes and tokens expire
	provider.Fail(t, lab.Fault{Fault: lab.SessionExpired, Client: "spa"})
	browser.Authorize(idptest.Request("spa", "prompt", "none")) // in the place of the application
	if reasons := provider.LastFlow(t).Reasons; len(reasons) != 1 || reasons[0].Code != "session.expired" {
		t.Errorf("the reasons are %v", reasons)
	}
	provider.Reset(t)
}

// recipe: end
