package idp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

func TestAnAppThatLetsASignInBeginHere(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients[0].InitiateLoginURI = "https://app.test/login?tenant=1"
	})
	b := p.Browser(t)
	if page := b.Get("/"); strings.Contains(page.Body, "https://app.test/login") {
		t.Error("who is not signed in is shown the apps")
	}
	b.SignIn("alice")
	link, err := url.Parse(strings.ReplaceAll(between(t, b.Get("/").Body, `id="open-spa" href="`, `"`), "&amp;", "&"))
	if err != nil || link.Host != "app.test" || link.Query().Get("iss") != p.Issuer || link.Query().Get("tenant") != "1" {
		t.Errorf("Core §4 the initiate_login_uri gets iss, and its own query stays: %v, %v", link, err)
	}
}
