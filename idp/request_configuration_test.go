package idp_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idptest"
)

func TestAliases(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		c.Aliases = map[string]string{"authorize": "/oauth2/authorize", "token": "/oauth/token", "logout": "/v2/logout"}
	})
	b := p.Browser(t)
	b.SignIn("alice")
	page := b.Get("/oauth2/authorize?" + idptest.Request("spa", "prompt", "none").Encode())
	code := page.Location.Query().Get("code")
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"spa"}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
	}
	w := serve(p, get(t, "POST", p.Issuer+"/oauth/token", form, "Origin", "http://localhost:9090"))
	if w.Code != http.StatusOK || w.Header().Get("Access-Control-Allow-Origin") != "http://localhost:9090" {
		t.Errorf("the token endpoint's alias gives %d %v %s", w.Code, w.Header(), w.Body)
	}
	w = serve(
		p,
		get(
			t, "OPTIONS", p.Issuer+"/oauth/token", nil, "Origin", "http://localhost:9090", "Access-Control-Request-Method",
			"POST", "Access-Control-Request-Headers", "auth0-client",
		),
	)
	if !strings.EqualFold(w.Header().Get("Access-Control-Allow-Headers"), "Auth0-Client") {
		t.Errorf("the preflight allows %q", w.Header().Get("Access-Control-Allow-Headers"))
	}
	if page := b.Get(
		"/v2/logout?client_id=spa&returnTo=" + url.QueryEscape("http://localhost:9090/spa/"),
	); page.Status != http.StatusOK ||
		!strings.Contains(page.Body, "logout-confirm") {
		t.Errorf("the logout's alias gives %d\n%s", page.Status, page.Body)
	}
}

func TestAnAliasOfLogoutTakesBothMethods(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) { c.Aliases = map[string]string{"logout": "/v2/logout"} })
	b := p.Browser(t)
	b.SignIn("alice")
	page := b.Post("/v2/logout", url.Values{"client_id": {"spa"}})
	if page.Status != http.StatusSeeOther || !strings.HasPrefix(page.Location.Path, "/logout") {
		t.Errorf("POST gives %d, %v", page.Status, page.Location)
	}
}

func TestWhatAConfigurationMaySayOfRequests(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*idp.Config)
		path   string
	}{
		{
			"RFC 9126 §2.2 a pushed request lives 600 seconds at the most", func(c *idp.Config) { c.PAR.Lifetime = time.Hour },
			"par.lifetime",
		},
		{"FAPI 2.0 §5.3.2.2 and less than 600", func(c *idp.Config) { c.PAR.Lifetime = 600 * time.Second }, "par.lifetime"},
		{"RFC 9126 §2.2 and five at the least", func(c *idp.Config) { c.PAR.Lifetime = time.Second }, "par.lifetime"},
		{
			"an acr value with a space",
			func(c *idp.Config) { c.ACRValues = []authorize.Level{{Value: "a b", AMR: []string{"pwd"}}} }, "acr_values[0].value",
		},
		{"an acr value twice", func(c *idp.Config) {
			c.ACRValues = []authorize.Level{{Value: "a", AMR: []string{"pwd"}}, {Value: "a", AMR: []string{"pwd"}}}
		}, "acr_values[1].value"},
		{
			"an acr value that nothing reaches", func(c *idp.Config) { c.ACRValues = []authorize.Level{{Value: "a"}} },
			"acr_values[0].amr",
		},
		{
			"an unknown way to sign in",
			func(c *idp.Config) { c.ACRValues = []authorize.Level{{Value: "a", AMR: []string{"fpt"}}} }, "acr_values[0].amr[0]",
		},
		{"an alias of nothing", func(c *idp.Config) { c.Aliases = map[string]string{"nothing": "/x"} }, "aliases.nothing"},
		{
			"an alias that is no path", func(c *idp.Config) { c.Aliases = map[string]string{"token": "oauth/token"} },
			"aliases.token",
		},
		{
			"an alias that hides another endpoint", func(c *idp.Config) { c.Aliases = map[string]string{"logout": "/par"} },
			"aliases.logout",
		},
		{
			"two aliases of one path", func(c *idp.Config) { c.Aliases = map[string]string{"authorize": "/x", "token": "/x"} },
			"aliases.token",
		},
		{"JARM §3 an alg without a key", func(c *idp.Config) {
			*c = c.WithDefaults()
			c.Clients[0].AuthorizationSignedResponseAlg = "PS256"
		}, "clients[0].authorization_signed_response_alg"},
		{"Registration §2 default_acr_values that do not exist", func(c *idp.Config) {
			*c = c.WithDefaults()
			c.Clients[0].DefaultACRValues = []string{"platinum"}
		}, "clients[0].default_acr_values[0]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			config := idp.Config{SigningKeys: []idp.SigningKey{{Alg: "ES256"}}}
			row.change(&config)
			problems, ok := errors.AsType[idp.Problems](idp.Validate(config.WithDefaults()))
			if !ok || len(problems) != 1 || problems[0].Path != row.path {
				t.Errorf("got %v; want one problem at %s", problems, row.path)
			}
		})
	}
}
