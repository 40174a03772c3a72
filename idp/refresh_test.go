package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// withOffline adds third-party clients: offline, public, and backend, confidential.
func withOffline(c *idp.Config) {
	both := []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken}
	c.Clients = []oidc.Client{
		{
			ClientID: "spa", RedirectURIs: []string{"http://localhost:9090/spa/callback.html"},
			TokenEndpointAuthMethod: oidc.AuthMethodNone, GrantTypes: both,
		},
		{
			ClientID: "web", RedirectURIs: []string{"http://localhost:9090/web/callback"},
			ClientSecret: oidc.NewSecret("web-secret"), GrantTypes: both, AccessTokenFormat: oidc.FormatOpaque,
		},
		{
			ClientID: "brief", RedirectURIs: []string{"http://localhost:9090/brief"},
			TokenEndpointAuthMethod: oidc.AuthMethodNone,
		},
	}
}

// allow takes alice through the consent page and returns the tokens.
func allow(t *testing.T, b *idptest.Browser, client string, change ...string) map[string]any {
	t.Helper()
	page := b.Authorize(idptest.Request(client, append([]string{"scope", "openid offline_access"}, change...)...))
	if page.Location != nil && strings.HasPrefix(page.Location.Path, "/consent") {
		page = b.Submit(b.Get(page.Location.String()), url.Values{"decision": {"allow"}})
		page = b.Get(page.Location.String())
	}
	if page.Location == nil || page.Location.Query().Get("code") == "" {
		t.Fatalf("no code: %d %v\n%s", page.Status, page.Location, page.Body)
	}
	return b.Tokens(client, page.Location.Query().Get("code"))
}

func refresh(b *idptest.Browser, client string, tokens map[string]any) idptest.Page {
	form := url.Values{
		"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {tokens["refresh_token"].(string)},
	}
	if client == "web" {
		form.Set("client_secret", "web-secret")
	}
	return b.Post("/token", form)
}

func TestOfflineAccess(t *testing.T) { // Core §11, RFC 6749 §6
	p := idptest.Start(t, withOffline)
	b := p.Browser(t)
	b.SignIn("alice")
	silently := b.Authorize(idptest.Request("spa", "scope", "openid offline_access", "prompt", "none"))
	if silently.Location.Query().Get("error") != "consent_required" {
		t.Errorf("Core §11 nothing was allowed yet: %v", silently.Location)
	}
	for _, client := range []string{"spa", "web"} {
		tokens := allow(t, b, client)
		if tokens["scope"] != "openid offline_access" || tokens["refresh_token"] == nil {
			t.Fatalf("%s: Core §11 after consent: %v", client, tokens)
		}
		p.Clock.Pass(time.Hour)
		page := refresh(b, client, tokens)
		if page.Status != http.StatusOK || page.Header.Get("Cache-Control") != "no-store" ||
			page.Header.Get("Pragma") != "no-cache" {
			t.Fatalf("%s: RFC 6749 §5.1 refreshing gives %d %v\n%s", client, page.Status, page.Header, page.Body)
		}
		wantPage(t, userinfo(t, b, page.JSON(t)), http.StatusOK, `"sub":"alice"`)
	}
}

func TestOfflineAccessOutlivesTheSession(t *testing.T) { // Back-Channel Logout §2.7
	p := idptest.Start(t, withOffline)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := allow(t, b, "spa")
	logout(b, http.MethodGet, url.Values{"id_token_hint": {tokens["id_token"].(string)}})
	if page := b.Authorize(
		idptest.Request("spa", "prompt", "none"),
	); page.Location.Query().Get("error") != "login_required" {
		t.Fatalf("the session is there still: %v", page.Location)
	}
	wantPage(t, refresh(b, "spa", tokens), http.StatusOK, "access_token")
}

func TestForgettingAConsentEndsTheRefreshTokens(t *testing.T) { // Core §11
	p := idptest.Start(t, withOffline)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := allow(t, b, "spa")
	b.Submit(b.Get("/"), url.Values{"client_id": {"spa"}})
	wantPage(t, refresh(b, "spa", tokens), http.StatusBadRequest, `"error":"invalid_grant"`)
	wantPage(t, userinfo(t, b, tokens), http.StatusUnauthorized, "revoked")
}

func TestOfflineAccessWithoutTheGrantIsIgnored(t *testing.T) { // Core §11
	p := idptest.Start(t, withOffline)
	b := p.Browser(t)
	b.SignIn("alice")
	page := b.Authorize(
		idptest.Request("brief", "redirect_uri", "http://localhost:9090/brief", "scope", "openid offline_access"),
	)
	page = b.Submit(b.Get(page.Location.String()), url.Values{"decision": {"allow"}})
	page = b.Get(page.Location.String())
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"brief"}, "code": {page.Location.Query().Get("code")},
		"code_verifier": {idptest.CodeVerifier}, "redirect_uri": {"http://localhost:9090/brief"},
	}
	if tokens := b.Post("/token", form).JSON(t); tokens["scope"] != "openid" || tokens["refresh_token"] != nil ||
		tokens["access_token"] == nil {
		t.Errorf("got %v", tokens)
	}
}

func TestARefreshInTheTrace(t *testing.T) {
	p := idptest.Start(t, withOffline)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := allow(t, b, "spa")
	wantPage(t, refresh(b, "spa", tokens), http.StatusOK, "refresh_token")
	p.Clock.Pass(time.Minute)
	wantPage(t, refresh(b, "spa", tokens), http.StatusBadRequest, "[refresh.replayed]")
	flow := p.LastFlow(t)
	steps := flow.Records[len(flow.Records)-1].Steps
	if !slices.ContainsFunc(steps, func(s trace.Step) bool {
		return strings.Contains(s.Text, "replaced before") && s.Outcome == trace.Failed
	}) {
		t.Errorf("the trace does not tell of the replay: %+v", steps)
	}
	text := p.Log.String()
	for _, secret := range []string{tokens["refresh_token"].(string), tokens["access_token"].(string)} {
		if strings.Contains(text, secret) {
			t.Error("a token is in the log")
		}
	}
}

func TestTheLabRevokesARefreshToken(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := allow(t, b, "spa")
	p.Fail(t, lab.Fault{Fault: lab.RefreshRevoked, Client: "spa"})
	wantPage(t, refresh(b, "spa", tokens), http.StatusBadRequest, `"error":"invalid_grant"`)
	wantPage(t, refresh(b, "spa", tokens), http.StatusBadRequest, "revoked")
	wantPage(t, userinfo(t, b, tokens), http.StatusUnauthorized, "revoked")
}

func TestClientCredentialsAtTheProvider(t *testing.T) { // RFC 6749 §4.4
	b := idptest.Start(t, nil).Browser(t)
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"web"}, "client_secret": {"web-secret"}, "scope": {"api.read"},
	}
	page := b.Post("/token", form)
	wantPage(t, page, http.StatusOK, `"scope":"api.read"`)
	wantPage(t, userinfo(t, b, page.JSON(t)), http.StatusForbidden, "insufficient_scope")
}

func TestWhatIsWrongWithTheConfigurationOfTokens(t *testing.T) {
	const ps, year = "PS256", 9000 * time.Hour
	tooLong := 2 * time.Minute
	for path, change := range map[string]func(*idp.Config){
		"refresh.idle":                      func(c *idp.Config) { c.Refresh.Idle = year * 10 },
		"refresh.absolute":                  func(c *idp.Config) { c.Refresh.Absolute = time.Millisecond },
		"refresh.grace":                     func(c *idp.Config) { c.Refresh.Grace = &tooLong },
		"clients[0].refresh_token_lifetime": func(c *idp.Config) { c.Clients[0].RefreshTokenLifetime = year },
		"clients[1].access_token_format":    func(c *idp.Config) { c.Clients[1].AccessTokenFormat = "xml" },
		"clients[1].introspection_signed_response_alg": func(c *idp.Config) {
			c.Clients[1].IntrospectionSignedResponseAlg = ps
		},
		"resources[0]": func(c *idp.Config) { c.Resources = []string{"/relative"} },
		"resources[1]": func(c *idp.Config) { c.Resources = []string{"urn:a", "urn:a"} },
		"scopes[0].name": func(c *idp.Config) {
			c.Scopes = []idp.Scope{
				{Name: "offline_access"},
			}
		},
	} {
		var c idp.Config
		withOffline(&c)
		change(&c)
		if err := idp.Validate(c.WithDefaults()); err == nil || !strings.Contains(err.Error(), path+": ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestARefreshCostsTwoStoreOperations(t *testing.T) {
	p, spy := startWithSpy(t)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := allow(t, b, "spa")
	for range 3 {
		spy.Reset()
		tokens = refresh(b, "spa", tokens).JSON(t)
		if want := []string{"Get", "Update"}; !slices.Equal(spy.Operations(), want) {
			t.Errorf("a refresh did %v; want %v: read the family, replace the token", spy.Operations(), want)
		}
	}
}
