package oidc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// goodClient has every field, none of them wrong.
func goodClient() oidc.Client {
	maxAge := 3600
	return oidc.Client{
		ClientID: "web", ClientSecret: oidc.NewSecret("secret"), ClientName: "Web",
		ClientURI: "https://app.test", LogoURI: "https://app.test/logo.png", PolicyURI: "https://app.test/policy",
		TosURI:                 "http://app.test/tos",
		RedirectURIs:           []string{"https://app.test/cb?tenant=7", "http://localhost:9090/cb", "com.example.app:/cb"},
		PostLogoutRedirectURIs: []string{"https://app.test/"}, TokenEndpointAuthMethod: oidc.AuthMethodBasic,
		GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"}, Scope: "openid", DefaultMaxAge: &maxAge,
		AccessTokenLifetime: time.Minute, IDTokenLifetime: time.Minute,
	}
}

func TestAGoodClientHasNoProblems(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*oidc.Client)
	}{
		{"RFC 7591 §2 a confidential client", func(*oidc.Client) {}},
		{"RFC 7591 §2 without a token_endpoint_auth_method", func(c *oidc.Client) { c.TokenEndpointAuthMethod = "" }},
		{"RFC 7591 §2 client_secret_post", func(c *oidc.Client) { c.TokenEndpointAuthMethod = oidc.AuthMethodPost }},
		{"RFC 7591 §2 a public client", func(c *oidc.Client) {
			c.TokenEndpointAuthMethod, c.ClientSecret = oidc.AuthMethodNone, oidc.Secret{}
		}},
		{
			"Back-Channel Logout §2.2 backchannel_logout_uri of a confidential client may be http",
			func(c *oidc.Client) { c.BackchannelLogoutURI = "http://app.test/out?tenant=7" },
		},
		{
			"Front-Channel Logout §2 frontchannel_logout_uri may have a query",
			func(c *oidc.Client) { c.FrontchannelLogoutURI = "https://app.test/out?tenant=7" },
		},
		{"RFC 7591 §2 only what is required", func(c *oidc.Client) {
			*c = oidc.Client{ClientID: c.ClientID, ClientSecret: c.ClientSecret, RedirectURIs: c.RedirectURIs}
		}},
		{"Registration §2 default_max_age=0", func(c *oidc.Client) { *c.DefaultMaxAge = 0 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := goodClient()
			row.change(&client)
			if problems := client.Problems(false); len(problems) > 0 {
				t.Errorf("Problems() = %v", problems)
			}
		})
	}
}

func redirectURI(uri string) func(*oidc.Client) {
	return func(c *oidc.Client) { c.RedirectURIs[1] = uri }
}

// brokenClients are a good client with one change, the field that is wrong, and a word of the remedy.
var brokenClients = []struct {
	name   string
	change func(*oidc.Client)
	field  string
	text   string
}{
	{"RFC 7591 §3.2.1 client_id is required", func(c *oidc.Client) { c.ClientID = "" }, "client_id", "every client needs"},
	{
		"RFC 6749 appendix A.1 client_id is printable ASCII", func(c *oidc.Client) { c.ClientID = "wéb" }, "client_id",
		"printable ASCII",
	},
	{
		"RFC 6749 appendix A.1 client_id has no control characters", func(c *oidc.Client) { c.ClientID = "web\n" },
		"client_id", "printable ASCII",
	},
	{
		"RFC 7591 §2 redirect_uris is required", func(c *oidc.Client) { c.RedirectURIs = nil }, "redirect_uris",
		"at least one",
	},
	{
		"RFC 6749 §3.1.2 a redirect URI has no fragment", redirectURI("https://app.test/cb#x"), "redirect_uris[1]",
		"remove the #",
	},
	{
		"RFC 6749 §3.1.2 a redirect URI has no empty fragment", redirectURI("https://app.test/cb#"), "redirect_uris[1]",
		"remove the #",
	},
	{"RFC 6749 §3.1.2 a redirect URI is absolute", redirectURI("/cb"), "redirect_uris[1]", "not absolute"},
	{"RFC 6749 §3.1.2 a redirect URI has a scheme", redirectURI("//app.test/cb"), "redirect_uris[1]", "not absolute"},
	{"RFC 6749 §3.1.2 a web redirect URI has a host", redirectURI("https:/cb"), "redirect_uris[1]", "not absolute"},
	{
		"RFC 9110 §4.2.1 a web redirect URI has more than a port", redirectURI("https://:8443/cb"), "redirect_uris[1]",
		"absolute",
	},
	{"RFC 6749 §3.1.2 a redirect URI is not empty", redirectURI(""), "redirect_uris[1]", "not absolute"},
	{
		"RFC 3986 §3.2.3 a redirect URI's port is a number", redirectURI("https://app.test:port/"), "redirect_uris[1]",
		"no URI",
	},
	{
		"RFC 3986 §2 a redirect URI has no control characters", redirectURI("https://app.test/\x01"),
		"redirect_uris[1]", "no URI",
	},
	{"RFC 3986 §2 a redirect URI has no spaces", redirectURI("https://app.test/call back"), "redirect_uris[1]", "no URI"},
	{
		"RFC 3986 §2 a redirect URI has no backslash", redirectURI(`https://app.test/\evil.test`), "redirect_uris[1]",
		"no URI",
	},
	{"RFC 3986 §2 a redirect URI has no quotes", redirectURI(`https://app.test/"onload="x`), "redirect_uris[1]", "no URI"},
	{"RFC 6749 §10.15 a redirect URI is no script", redirectURI("javascript:alert(1)"), "redirect_uris[1]", "script"},
	{
		"RFC 6749 §10.15 a redirect URI is no script in any case", redirectURI("JavaScript:alert(1)"),
		"redirect_uris[1]", "script",
	},
	{"a redirect URI is no data", redirectURI("data:text/html,x"), "redirect_uris[1]", "script"},
	{"a redirect URI is no file", redirectURI("file:///etc/passwd"), "redirect_uris[1]", "script"},
	{
		"RFC 3986 §3.2.1 a redirect URI has no user name", redirectURI("https://user@app.test/cb"), "redirect_uris[1]",
		"user name",
	},
	{"RP-Initiated Logout §3.1 a post-logout URI without a fragment", func(c *oidc.Client) {
		c.PostLogoutRedirectURIs[0] += "#x"
	}, "post_logout_redirect_uris[0]", "remove the #"},
	{"RP-Initiated Logout §3.1 a post-logout URI is no script", func(c *oidc.Client) {
		c.PostLogoutRedirectURIs[0] = "javascript:alert(1)"
	}, "post_logout_redirect_uris[0]", "script"},
	{"RP-Initiated Logout §3.1 a post-logout URI is absolute", func(c *oidc.Client) {
		c.PostLogoutRedirectURIs[0] = "/out"
	}, "post_logout_redirect_uris[0]", "not absolute"},
	{"Front-Channel Logout §2 the scheme MUST be that of a redirect URI", func(c *oidc.Client) {
		c.FrontchannelLogoutURI = "http://app.test/out"
	}, "frontchannel_logout_uri", "redirect URI"},
	{"Front-Channel Logout §2 the domain MUST be that of a redirect URI", func(c *oidc.Client) {
		c.FrontchannelLogoutURI = "https://app.test.evil.test/out"
	}, "frontchannel_logout_uri", "redirect URI"},
	{"Front-Channel Logout §2 the port MUST be that of a redirect URI", func(c *oidc.Client) {
		c.FrontchannelLogoutURI = "https://app.test:8443/out"
	}, "frontchannel_logout_uri", "redirect URI"},
	{"Front-Channel Logout §2 frontchannel_logout_uri is no script", func(c *oidc.Client) {
		c.FrontchannelLogoutURI = "javascript:alert(1)"
	}, "frontchannel_logout_uri", "redirect URI"},
	{"Back-Channel Logout §2.2 backchannel_logout_uri MUST be an absolute URI", func(c *oidc.Client) {
		c.BackchannelLogoutURI = "/out"
	}, "backchannel_logout_uri", "http or https"},
	{"Back-Channel Logout §2.2 backchannel_logout_uri MUST NOT include a fragment", func(c *oidc.Client) {
		c.BackchannelLogoutURI = "https://app.test/out#x"
	}, "backchannel_logout_uri", "remove it"},
	{"Back-Channel Logout §2.2 backchannel_logout_uri is https, or http of a confidential client", func(c *oidc.Client) {
		c.BackchannelLogoutURI, c.TokenEndpointAuthMethod, c.ClientSecret = "http://app.test/out", oidc.AuthMethodNone,
			oidc.Secret{}
	}, "backchannel_logout_uri", "use https"},
	{
		"RFC 7591 §2 client_uri is a web page", func(c *oidc.Client) { c.ClientURI = "ftp://app.test" }, "client_uri",
		"http or https",
	},
	{"RFC 7591 §2 logo_uri is a web image", func(c *oidc.Client) { c.LogoURI = "logo.png" }, "logo_uri", "http or https"},
	{
		"RFC 7591 §2 policy_uri is a web page", func(c *oidc.Client) { c.PolicyURI = "javascript:alert(1)" },
		"policy_uri", "http or https",
	},
	{"RFC 7591 §2 tos_uri is a web page", func(c *oidc.Client) { c.TosURI = "https://" }, "tos_uri", "http or https"},
	{"RFC 7591 §2 token_endpoint_auth_method is known", func(c *oidc.Client) {
		c.TokenEndpointAuthMethod = "tls_client_auth"
	}, "token_endpoint_auth_method", oidc.AuthMethodBasic},
	{"RFC 6749 §2.1 a public client has no secret", func(c *oidc.Client) {
		c.TokenEndpointAuthMethod = oidc.AuthMethodNone
	}, "client_secret", "remove one"},
	{
		"RFC 6749 §2.3.1 a confidential client has a secret", func(c *oidc.Client) { c.ClientSecret = oidc.Secret{} },
		"client_secret", "missing",
	},
	{"RFC 9700 §2.1.2 the implicit grant is not offered", func(c *oidc.Client) {
		c.GrantTypes = append(c.GrantTypes, "implicit")
	}, "grant_types[1]", "authorization_code"},
	{
		"RFC 9700 §2.1.2 response_type=token is not offered", func(c *oidc.Client) { c.ResponseTypes[0] = "token" },
		"response_types[0]", "code",
	},
	{
		"access_token_lifetime is not negative", func(c *oidc.Client) { c.AccessTokenLifetime = -1 },
		"access_token_lifetime", "5m",
	},
	{"id_token_lifetime is not negative", func(c *oidc.Client) { c.IDTokenLifetime = -1 }, "id_token_lifetime", "5m"},
	{
		"Registration §2 default_max_age is not negative", func(c *oidc.Client) { *c.DefaultMaxAge = -1 },
		"default_max_age", "seconds",
	},
}

func TestClientProblems(t *testing.T) {
	for _, row := range brokenClients {
		t.Run(row.name, func(t *testing.T) {
			client := goodClient()
			row.change(&client)
			problems := client.Problems(false)
			if len(problems) != 1 || problems[0].Field != row.field || !strings.Contains(problems[0].Text, row.text) {
				t.Errorf("Problems() = %v; want one about %s with %q in it", problems, row.field, row.text)
			}
		})
	}
}

func TestProblemsNamesAllThatIsWrong(t *testing.T) {
	client := goodClient()
	client.ClientID, client.TosURI, client.RedirectURIs[2] = "", "x", "y"
	if got := len(client.Problems(false)); got != 3 {
		t.Errorf("three faults gave %d problems: %v", got, client.Problems(false))
	}
}
