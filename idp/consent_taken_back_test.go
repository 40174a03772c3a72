package idp_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// RFC 9700 §4.14.2 is about refresh tokens; an access token without one must not outlive the consent either.
func TestAConsentThatIsTakenBackEndsAccessTokensAtOnce(t *testing.T) {
	for name, change := range map[string]func(*oidc.Client){
		"JWT": func(*oidc.Client) {}, "opaque": func(c *oidc.Client) { c.AccessTokenFormat = oidc.FormatOpaque },
	} {
		t.Run(name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) {
				withThirdParty(c)
				c.Clients[0].TokenEndpointAuthMethod, c.Clients[0].ClientSecret = "", oidc.NewSecret("a secret")
				change(&c.Clients[0])
			})
			b := p.Browser(t)
			b.SignIn("alice")
			params := idptest.Request("spa", "client_id", "third", "redirect_uri", "https://app.test/cb")
			token := func(code string) string {
				page := b.Post("/token", url.Values{
					"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://app.test/cb"},
					"client_id": {"third"}, "client_secret": {"a secret"}, "code_verifier": {idptest.CodeVerifier},
				})
				if page.Status != http.StatusOK {
					return ""
				}
				return page.JSON(t)["access_token"].(string)
			}
			first := token(answer(t, submit(t, b, open(t, b, params), "decision", "allow")).Get("code"))
			waiting := b.Code(params)
			checkActive(t, b, first, true)
			p.Clock.Pass(time.Second)
			b.Submit(b.Get("/account"), url.Values{"client_id": {"third"}, "sub": {"alice"}})
			checkActive(t, b, first, false)
			if of := token(waiting); of != "" {
				t.Errorf("a code from before gives the access token %s; want invalid_grant", of)
			}
			p.Clock.Pass(time.Second)
			again := token(answer(t, submit(t, b, open(t, b, params), "decision", "allow")).Get("code"))
			checkActive(t, b, again, true)
			checkActive(t, b, first, false)
		})
	}
}

// checkActive holds that userinfo and introspection accept the access token, or that both refuse it.
func checkActive(t *testing.T, b *idptest.Browser, token string, want bool) {
	t.Helper()
	page := b.GetWithToken("/userinfo", token)
	if got := page.Status == http.StatusOK; got != want {
		t.Errorf("userinfo answers %d %s; want good: %v", page.Status, page.Body, want)
	}
	info := b.Post("/introspect", url.Values{"token": {token}, "client_id": {"third"}, "client_secret": {"a secret"}})
	if got := info.Status == http.StatusOK && info.JSON(t)["active"] == true; got != want {
		t.Errorf("introspection answers %d %s; want active: %v", info.Status, info.Body, want)
	}
}
