package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

// RFC 9068 §4: "The resource server MUST validate that the 'aud' claim contains a resource indicator value
// corresponding to an identifier the resource server expects for itself."
func TestUserinfoTakesTokensThatAreForIt(t *testing.T) {
	const orders, own = "https://orders.example.com", "https://api.example.com"
	for _, row := range []struct {
		name      string
		audience  string // of the client's registration
		resources []string
		status    int
	}{
		{name: "RFC 8707 §2 no resource: the default API", status: 200},
		{name: "RFC 8707 §2 no resource: the client's own API", audience: own, status: 200},
		{name: "RFC 9068 §4 another API only", resources: []string{orders}, status: 401},
		{name: "RFC 9068 §4 no API of the client", audience: own, resources: []string{orders}, status: 401},
		{name: "RFC 9068 §4 the client's own API and another", audience: own, resources: []string{own, orders}, status: 401},
		{name: "RFC 9068 §4 another API and the issuer", resources: []string{orders, "issuer"}, status: 200},
		{name: "RFC 9068 §4 the issuer", audience: own, resources: []string{"issuer"}, status: 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) {
				withThirdParty(c)
				c.Resources, c.Clients[0].FirstParty, c.Clients[0].Audience = []string{orders}, true, row.audience
			})
			b := p.Browser(t)
			b.SignIn("alice")
			params := idptest.Request("spa", "client_id", "third", "redirect_uri", "https://app.test/cb")
			for _, resource := range row.resources {
				params.Add("resource", strings.Replace(resource, "issuer", p.Issuer, 1))
			}
			token := b.Post("/token", url.Values{
				"grant_type": {"authorization_code"}, "code": {b.Code(params)}, "redirect_uri": {"https://app.test/cb"},
				"client_id": {"third"}, "code_verifier": {idptest.CodeVerifier},
			}).JSON(t)["access_token"].(string)
			page := b.GetWithToken("/userinfo", token)
			if page.Status != row.status {
				t.Errorf("userinfo answers %d %s; want %d", page.Status, page.Body, row.status)
			}
			remedy := "resource=" + p.Issuer
			if page.Status == http.StatusUnauthorized && !strings.Contains(page.Header.Get("WWW-Authenticate"), remedy) {
				t.Errorf("the challenge is %s; want %q in it", page.Header.Get("WWW-Authenticate"), remedy)
			}
		})
	}
}
