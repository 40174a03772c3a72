package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Developers see in the flow why they get less than they asked for.
func TestAFlowSaysWhatWasLeftOut(t *testing.T) {
	for _, row := range []struct {
		name   string
		client oidc.Client
		change []string
		text   string
	}{
		{
			name: "Core §11 offline_access of a client without the grant type", client: oidc.Client{FirstParty: true},
			change: []string{"scope", "openid offline_access"}, text: "refresh_token is not in the client's grant_types",
		},
		{
			name: "Core §11 offline_access without consent", text: "the user has not allowed it",
			client: oidc.Client{GrantTypes: []string{"authorization_code", "refresh_token"}},
			change: []string{"scope", "openid offline_access", "prompt", "none"},
		},
		{
			name: "Core §3.1.2.1 a scope value that the provider does not know", client: oidc.Client{FirstParty: true},
			change: []string{"scope", "openid nobody.knows"}, text: `"nobody.knows" was left out: the provider does not know it`,
		},
		{
			name: "RFC 6749 §3.3 a scope value of other clients", client: oidc.Client{FirstParty: true, Scope: "openid"},
			change: []string{"scope", "openid email"}, text: `"email" was left out: it is not in the client's scope`,
		},
		{
			name: "RFC 8707 §2 audience instead of resource", client: oidc.Client{FirstParty: true},
			change: []string{"audience", "https://api.test"}, text: "audience was ignored: name the API by resource",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) {
				row.client.ClientID, row.client.TokenEndpointAuthMethod = "third", oidc.AuthMethodNone
				row.client.RedirectURIs = []string{"https://app.test/cb"}
				c.Clients = []oidc.Client{row.client}
			})
			b := p.Browser(t)
			b.SignIn("alice")
			change := append(row.change, "client_id", "third", "redirect_uri", "https://app.test/cb")
			b.Authorize(idptest.Request("spa", change...))
			checkNarrowed(t, p.LastFlow(t), row.text)
		})
	}
}

func TestAFlowOfADeviceSaysWhatWasLeftOut(t *testing.T) {
	for _, row := range []struct{ name, scope, text string }{
		{"RFC 6749 §3.3 a scope value that the provider does not know", "openid nobody.knows", `"nobody.knows" was left out`},
		{"RFC 6749 §3.3 a scope value of other clients", "openid phone", `"phone" was left out: it is not in the client's`},
		{
			"Core §11 offline_access of a client without the grant type", "openid offline_access",
			"refresh_token is not in the client's grant_types",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := withTV(t, func(c *idp.Config) {
				c.Clients[len(c.Clients)-1].Scope = "openid email offline_access"
				c.Clients[len(c.Clients)-1].GrantTypes = []string{oidc.GrantDeviceCode}
			})
			startTV(t, p, row.scope)
			checkNarrowed(t, p.LastFlow(t), row.text)
		})
	}
}

// The request that goes on after the sign-in no longer has the parameter audience.
func TestAFlowKeepsWhatWasLeftOutBeforeTheSignIn(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	asked := b.Authorize(idptest.Request("spa", "scope", "openid nobody.knows", "audience", "https://api.test"))
	login := b.Get(asked.Location.String())
	b.Get(b.Submit(login, url.Values{"username": {"alice"}, "password": {"alice"}}).Location.String())
	checkNarrowed(t, p.LastFlow(t), "does not know it; the parameter audience was ignored: name the API by resource")
}

func TestARefreshThatAsksForLessSaysSo(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "scope", "openid email offline_access")))
	b.Post("/token", url.Values{
		"grant_type": {"refresh_token"}, "client_id": {"spa"}, "scope": {"openid"},
		"refresh_token": {tokens["refresh_token"].(string)},
	})
	checkNarrowed(t, p.LastFlow(t), `"email offline_access" was left out`)
}

func checkNarrowed(t *testing.T, flow trace.Flow, want string) {
	t.Helper()
	if !slices.ContainsFunc(flow.Reasons, func(r trace.Reasoned) bool {
		return r.Code == string(oidc.RequestNarrowed) && strings.Contains(r.Text, want)
	}) {
		t.Errorf("the flow has the reasons %+v; want request.narrowed: %s", flow.Reasons, want)
	}
}

// RFC 6749 §2.3.1: id and secret are form-encoded. Many programs send them as they are.
func TestASecretThatWasNotFormEncodedIsNamedInDevelopmentModeOnly(t *testing.T) {
	const secret = "ab+cd/ef=="
	form := url.Values{"grant_type": {"client_credentials"}}
	inBody := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {strings.ReplaceAll(secret, "+", " ")},
	}
	for _, mode := range []struct {
		name  string
		setup func(*idp.Config)
		want  bool
	}{{"development", func(*idp.Config) {}, true}, {"production", public, false}} {
		t.Run(mode.name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) {
				mode.setup(c)
				c.Clients = []oidc.Client{{
					ClientID: "app", ClientSecret: oidc.NewSecret(secret), GrantTypes: []string{oidc.GrantClientCredentials},
				}}
			})
			ask := func(form url.Values, password string) (status int, body string) {
				r := get(t, "POST", "/token", form)
				if password != "" {
					r.SetBasicAuth("app", password)
				}
				w := serve(p, r)
				return w.Code, w.Body.String()
			}
			if status, body := ask(form, url.QueryEscape(secret)); status != http.StatusOK {
				t.Errorf("a form-encoded secret gives %d %s", status, body)
			}
			for _, wrong := range []struct {
				form     url.Values
				password string
				want     bool
			}{{form, secret, mode.want}, {inBody, "", mode.want}, {form, "ab+cd/ef=", false}} {
				status, body := ask(wrong.form, wrong.password)
				if got := strings.Contains(body, "form-encoded"); status != http.StatusUnauthorized || got != wrong.want {
					t.Errorf("the secret %q gives %d %s; want advice: %v", wrong.password, status, body, wrong.want)
				}
			}
		})
	}
}
