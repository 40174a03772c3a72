package idp_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

const ordersAPI = "https://orders.example.com"

// withAudience is a provider whose client web, written for Auth0, names its API by the parameter audience.
func withAudience(c *idp.Config) {
	withRoles(func(web *oidc.Client, _ *idp.Config) { web.AudienceAsResource = true })(c)
	c.Resources = []string{ordersAPI}
}

func TestAudienceHasTheMeaningOfResource(t *testing.T) { // RFC 8707 §2
	for _, row := range []struct {
		name   string
		change []string
		aud    any
	}{
		{"audience names the API", []string{"audience", ordersAPI}, ordersAPI},
		{"without audience the token is for the default API", nil, "urn:hush:demo-api"},
		{"resource counts more", []string{"audience", ordersAPI, "resource", "urn:hush:demo-api"}, "urn:hush:demo-api"},
		{"audience names no API of the provider", []string{"audience", "https://other.example.com"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := idptest.Start(t, withAudience).Browser(t)
			b.SignIn("alice")
			request := idptest.Request("web", append([]string{"scope", "openid"}, row.change...)...)
			if row.aud == nil {
				page := b.Authorize(request)
				if page.Location == nil || page.Location.Query().Get("error") != "invalid_target" {
					t.Errorf("got %d %v", page.Status, page.Location)
				}
				return
			}
			tokens := b.Tokens("web", b.Code(request))
			if diff := cmp.Diff(row.aud, claims(t, tokens["access_token"])["aud"]); diff != "" {
				t.Errorf("aud (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAudienceAtTheTokenEndpoint(t *testing.T) { // RFC 8707 §2.2
	b := idptest.Start(t, withAudience).Browser(t)
	ask := func(audience string) idptest.Page {
		return b.Post("/token", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"web"}, "client_secret": {"web-secret"}, "audience": {audience},
		})
	}
	if aud := claims(t, ask(ordersAPI).JSON(t)["access_token"])["aud"]; aud != ordersAPI {
		t.Errorf("aud is %v", aud)
	}
	wantPage(t, ask("https://other.example.com"), http.StatusBadRequest, "invalid_target")
}

func TestAudienceOfOtherClientsIsIgnored(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "audience", ordersAPI)))
	if aud := claims(t, tokens["access_token"])["aud"]; aud != "urn:hush:demo-api" {
		t.Errorf("aud is %v", aud)
	}
	checkNarrowed(t, p.LastFlow(t), "audience_as_resource: true")
}
