package dev_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// previewApp has claims for each cause that a claim can have.
func previewApp(c *idp.Config) {
	c.Users = []users.User{{Username: "alice", Password: "alice", Claims: map[string]any{
		"name": "Alice Adams", "given_name": "Alice", "email": "alice@example.com", "email_verified": true,
		"groups": []string{"staff"},
	}}}
	c.Scopes = []idp.Scope{{Name: "groups", Claims: []string{"groups", "level"}, AccessTokenClaims: []string{"groups"}}}
	c.Clients = append(c.Clients, oidc.Client{
		ClientID: "app", ClientSecret: oidc.NewSecret("app's secret"), RedirectURIs: []string{"http://localhost:1/"},
		GrantTypes:    []string{oidc.GrantAuthorizationCode, oidc.GrantClientCredentials},
		Scope:         "openid email profile groups",
		IDTokenClaims: oidc.ClaimNames{"email"},
		ClaimsMapping: map[string]any{"roles": "groups", "tenant": map[string]any{"value": "t-1"}},
		Claims:        map[string]any{"machine": true},
	})
}

// TestWhatTheTokenWouldBe compares each claim with its cause.
func TestWhatTheTokenWouldBe(t *testing.T) {
	a := api{t, idptest.Start(t, previewApp)}
	answer := a.do(200, "POST", "/console/preview", `{"client": "app", "user": "alice",
		"scope": "openid email groups offline_access unknown", "claims": "{\"id_token\": {\"given_name\": null}}"}`)
	for _, row := range []struct{ place, name, value, why string }{
		{"id_token", "sub", "alice", "every ID token has it"},
		{"id_token", "aud", "app", "every ID token has it"},
		{"id_token", "email", "alice@example.com", "scope email covers it, and id_token_claims of the client"},
		{"id_token", "given_name", "Alice", "the parameter claims"},
		{"id_token", "tenant", "t-1", "claims_mapping of the client: tenant is a constant"},
		{"id_token", "groups", "", ""},
		{"access_token", "scope", "openid email groups", "the granted scope"},
		{"access_token", "roles", "[staff]", "claims_mapping of the client: roles is the claim groups"},
		{"access_token", "grant_id", "*", "of this provider"},
		{"userinfo", "email", "alice@example.com", "scope email covers it"},
		{"userinfo", "sub", "alice", "every answer of userinfo"},
		{"userinfo", "given_name", "", ""},
	} {
		t.Run(row.place+" "+row.name, func(t *testing.T) {
			value, why := claimIn(answer, row.place, row.name)
			if row.value != "*" && value != row.value || !strings.HasPrefix(why, row.why) {
				t.Errorf("it is %q because %q; want %q because %q", value, why, row.value, row.why)
			}
		})
	}
	if got := fmt.Sprint(answer["scope"], answer["absent"]); got != "openid email groups[level]" {
		t.Errorf("the granted scope and the absent claims are %s", got)
	}
	why := fmt.Sprint(answer["left_out"])
	if !strings.Contains(why, "offline_access") || !strings.Contains(why, "unknown") {
		t.Errorf("left out is %s", why)
	}
}

// claimIn is the value of a claim and its cause; empty: it is not there.
func claimIn(answer map[string]any, place, name string) (value, why string) {
	content, _ := answer[place].(map[string]any)
	list, _ := content["claims"].([]any)
	for _, one := range list {
		if claim := one.(map[string]any); claim["name"] == name {
			return fmt.Sprint(claim["value"]), claim["why"].(string)
		}
	}
	return "", ""
}

// signIn signs alice in at the client of previewApp, and returns the tokens that it gets for this scope.
func (a api) signIn(scope string) map[string]any {
	a.t.Helper()
	b := a.provider.Browser(a.t)
	b.SignIn("alice")
	code := b.Code(idptest.Request("app", "redirect_uri", "http://localhost:1/", "scope", scope, "nonce", ""))
	page := b.Post("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {idptest.CodeVerifier}, "client_id": {"app"},
		"client_secret": {"app's secret"}, "redirect_uri": {"http://localhost:1/"},
	})
	if page.Status != 200 {
		a.t.Fatalf("the token endpoint gives %d: %s", page.Status, page.Body)
	}
	return page.JSON(a.t)
}

// The preview has the claims of the tokens that a client gets after a sign-in.
func TestThePreviewIsTrue(t *testing.T) {
	for _, subjects := range []string{oidc.SubjectPublic, oidc.SubjectPairwise} {
		a := api{t, idptest.Start(t, func(c *idp.Config) {
			previewApp(c)
			app := &c.Clients[len(c.Clients)-1]
			app.SubjectType, app.FirstParty = subjects, true
		})}
		const scope = "openid email profile groups"
		tokens := a.signIn(scope)
		answer := a.do(200, "POST", "/console/preview", `{"client": "app", "user": "alice", "scope": "`+scope+`"}`)
		for place, real := range map[string]map[string]any{
			"id_token": claimsOf(t, tokens["id_token"]), "access_token": claimsOf(t, tokens["access_token"]),
			"userinfo": a.userinfo(200, tokens["access_token"]),
		} {
			if list := answer[place].(map[string]any)["claims"].([]any); len(list) != len(real) {
				t.Errorf("%s: %s has %d claims, and the preview %v", subjects, place, len(real), list)
			}
			for name, claim := range real {
				value, why := claimIn(answer, place, name)
				if value == "" || why == "the provider does not know the cause" {
					t.Errorf("%s: %s has %s, and the preview says %q because %q", subjects, place, name, value, why)
				}
				if text := fmt.Sprint(claim); name == "sid" && len(value) != len(text) {
					t.Errorf("%s: the sid of the %s is %s, and the preview says %s", subjects, place, text, value)
				}
			}
		}
	}
}

// Some claims depend on what a client may do.
func TestThePreviewHasTheClaimsOfTheKindOfClient(t *testing.T) {
	a := api{t, idptest.Start(t, func(c *idp.Config) {
		c.Clients = append(c.Clients,
			oidc.Client{ClientID: "television", TokenEndpointAuthMethod: oidc.AuthMethodNone,
				GrantTypes: []string{oidc.GrantDeviceCode}},
			oidc.Client{ClientID: "bound", TokenEndpointAuthMethod: oidc.AuthMethodNone,
				RedirectURIs: []string{"http://localhost:1/"}, DPoPBoundAccessTokens: true})
	})}
	for _, row := range []struct{ client, place, claim string }{
		{"bound", "access_token", "cnf"}, {"bound", "access_token", "sid"}, {"bound", "id_token", "sid"},
	} {
		for client, want := range map[string]bool{row.client: true, "television": false} {
			answer := a.do(200, "POST", "/console/preview", `{"client": "`+client+`", "user": "alice", "scope": "openid"}`)
			if value, _ := claimIn(answer, row.place, row.claim); (value != "") != want {
				t.Errorf("the %s of %s has %s %q; want one: %t", row.place, client, row.claim, value, want)
			}
		}
	}
}

func TestThePreviewWithoutAUserAndWithFaults(t *testing.T) {
	a := api{t, idptest.Start(t, previewApp)}
	answer := a.do(200, "POST", "/console/preview", `{"client": "app"}`)
	value, why := claimIn(answer, "access_token", "machine")
	if value != "true" || !strings.Contains(why, "configuration") {
		t.Errorf("the claim of the client is %q because %q", value, why)
	}
	if answer["id_token"] != nil || answer["userinfo"] != nil {
		t.Errorf("without a user there are an ID token and userinfo: %v", answer)
	}
	for body, status := range map[string]int{
		`{"client": "nobody"}`: 404, `{"client": "app", "user": "nobody"}`: 404, `{"client": "app", "scope": "unknown"}`: 400,
		`{"client": "app", "user": "alice", "claims": "[]"}`: 400, `{}`: 404,
	} {
		a.do(status, "POST", "/console/preview", body)
	}
}
