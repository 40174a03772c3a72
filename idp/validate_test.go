package idp_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

var rowsWhatAPublicProviderRefuses = []struct {
	name   string
	change func(*idp.Config)
	want   string // of the one problem; empty: none
}{
	{"the good configuration", func(*idp.Config) {}, ""},
	{"http", func(c *idp.Config) { c.Issuer = "http://login.example.com" }, "issuer: "},
	{"Discovery §4 a path", func(c *idp.Config) { c.Issuer += "/realms/demo-1.2_~" }, ""},
	{"Discovery §3 a path and a query", func(c *idp.Config) { c.Issuer += "/idp?x=1" }, "issuer: "},
	{"Discovery §3 a path and a fragment", func(c *idp.Config) { c.Issuer += "/idp#x" }, "issuer: "},
	{"Discovery §4.3 a path with a final slash", func(c *idp.Config) { c.Issuer += "/idp/" }, "issuer: "},
	{"RFC 3986 §5.2.4 a path that goes up", func(c *idp.Config) { c.Issuer += "/idp/.." }, "issuer: "},
	{"RFC 3986 §6.2.2.2 a path with an escape", func(c *idp.Config) { c.Issuer += "/%69dp" }, "issuer: "},
	{"a path with an empty segment", func(c *idp.Config) { c.Issuer += "//idp" }, "issuer: "},
	{"RFC 6265 §4.1.1 a path that ends a cookie's Path", func(c *idp.Config) { c.Issuer += "/a;b" }, "issuer: "},
	{"RFC 8615 §3 a path of well-known documents", func(c *idp.Config) { c.Issuer += "/.well-known/idp" }, "issuer: "},
	{"a path that begins like a page of the provider", func(c *idp.Config) { c.Issuer += "/login/idp" }, "issuer: "},
	{"a path that begins like the console", func(c *idp.Config) { c.Issuer += "/console" }, "issuer: "},
	{"a path that begins like the pages about reasons", func(c *idp.Config) { c.Issuer += "/reasons/a" }, "issuer: "},
	{"a path that begins like the metrics", func(c *idp.Config) { c.Issuer += "/metrics" }, "issuer: "},
	{"an alias at the path of the console", func(c *idp.Config) {
		c.Aliases = map[string]string{"token": "/console"}
	}, "aliases.token: /console is the path of another endpoint"},
	{"a path that begins like an alias", func(c *idp.Config) {
		c.Issuer, c.Aliases = c.Issuer+"/oauth", map[string]string{"token": "/oauth/token"}
	}, "issuer: "},
	{"a path that begins with the letters of a page", func(c *idp.Config) { c.Issuer += "/logins" }, ""},
	{"development mode", func(c *idp.Config) { c.Dev = new(bool); *c.Dev = true }, "dev: "},
	{"clients that are not registered", func(c *idp.Config) { c.AnyClient = true },
		"any_client: is for development mode on a loopback issuer only"},
	{"a sign-in by login_hint", func(c *idp.Config) { c.LoginHintSignsIn = true },
		"login_hint_signs_in: is for development mode on a loopback issuer only"},
	{"RFC 6749 §4.1.2 a code that lives longer", func(c *idp.Config) { c.CodeLifetime = 2 * time.Minute },
		"code_lifetime: is for development mode on a loopback issuer only"},
	{"the built-in users", func(c *idp.Config) { c.BuiltIn = true },
		"built_in: adds users with public passwords"},
	{"no users, as the built-in ones are for loopback", func(c *idp.Config) { c.Users = nil }, "users: is empty"},
	{"no clients, as the built-in ones are for loopback", func(c *idp.Config) { c.Clients = nil }, "clients: is empty"},
	{
		"a plain password", func(c *idp.Config) { c.Users[0] = users.User{Username: "a", Password: "a"} },
		"users[0].password: is plain text",
	},
	{
		"RFC 9700 §2.6 an http redirect URI",
		func(c *idp.Config) { c.Clients[0].RedirectURIs = []string{"http://app.test/cb"} }, "clients[0].redirect_uris[0]: ",
	},
	{
		"RFC 8252 §7.3 an http redirect URI of a native app",
		func(c *idp.Config) { c.Clients[0].RedirectURIs = []string{"http://127.0.0.1/cb"} }, "",
	},
	{
		"RFC 8252 §7.1 an app's own scheme",
		func(c *idp.Config) { c.Clients[0].RedirectURIs = []string{"com.example.app:/cb"} }, "",
	},
	{
		"RFC 9700 §2.1 a redirect URI with a *",
		func(c *idp.Config) { c.Clients[0].RedirectURIs = []string{"https://*.app.test/cb"} },
		"clients[0].redirect_uris[0]: ",
	},
	{
		"RP-Initiated Logout §3.1 an http address of a public client",
		func(c *idp.Config) { c.Clients[0].PostLogoutRedirectURIs = []string{"http://app.test/"} },
		"clients[0].post_logout_redirect_uris[0]: ",
	},
	{
		"Core §4 an http initiate_login_uri",
		func(c *idp.Config) { c.Clients[0].InitiateLoginURI = "http://localhost:3000/login" },
		"clients[0].initiate_login_uri: ",
	},
	{
		"Fetch §3.2 every origin",
		func(c *idp.Config) { c.Clients[0].AllowedCORSOrigins = []string{"*"} }, "clients[0].allowed_cors_origins[0]: ",
	},
	{"two users with one email", func(c *idp.Config) {
		c.Users[0].Claims = map[string]any{"email": "a@example.com"}
		c.Users = append(
			c.Users,
			users.User{Username: "b", PasswordHash: c.Users[0].PasswordHash, Claims: map[string]any{"email": "A@example.com"}},
		)
	}, "users[1].claims.email: "},
	{
		"rotate_every is not so short that keys pile up", func(c *idp.Config) { c.RotateEvery = time.Minute },
		"rotate_every: ",
	},
	{"rotate_every of a month", func(c *idp.Config) { c.RotateEvery = 720 * time.Hour }, ""},
	{"rotate_every without a key of the provider's own", func(c *idp.Config) {
		c.RotateEvery, c.SigningKeys = 720*time.Hour, []idp.SigningKey{{Alg: "RS256", File: "rs256.pem"}}
	}, "rotate_every: "},
	{"a ca_file that is not there", func(c *idp.Config) { c.Fetch.CAFile = "/nowhere/ca.pem" }, "fetch.ca_file: "},
	{"a timeout of a day", func(c *idp.Config) { c.Fetch.Timeout = 24 * time.Hour }, "fetch.timeout: "},
	{
		"tokens of no lifetime", func(c *idp.Config) { c.Clients[0].AccessTokenLifetime = 1 },
		"clients[0].access_token_lifetime: ",
	},
}

// A good configuration for the internet plus one change a row. How problems are told by file and line is tested in
// cmd/idp.
func TestWhatAPublicProviderRefuses(t *testing.T) {
	for _, row := range rowsWhatAPublicProviderRefuses {
		t.Run(row.name, func(t *testing.T) {
			var config idp.Config
			public(&config)
			row.change(&config)
			err := idp.Validate(config.WithDefaults())
			switch {
			case row.want == "" && err != nil:
				t.Errorf("got %v", err)
			case row.want != "" && (err == nil || !strings.HasPrefix(err.Error(), row.want) ||
				strings.Contains(err.Error(), "\n")):
				t.Errorf("got %v; want one problem that begins with %q", err, row.want)
			}
		})
	}
}

// Only this machine can reach a provider at a loopback issuer: the hosts file, or a network of containers, may map any
// host name to it.
func TestAddressesOfContainersAreGoodForAProviderOnThisMachine(t *testing.T) {
	p := idptest.Start(t, nil)
	for member, value := range map[string]any{
		"redirect_uris": []string{"http://app:3000/callback"}, "post_logout_redirect_uris": []string{"http://app:3000/"},
		"backchannel_logout_uri": "http://app:3000/logout", "jwks_uri": "http://app:3000/jwks",
		"request_uris": []string{"http://app:3000/request"}, "initiate_login_uri": "http://localhost:3000/login",
	} {
		document := map[string]any{"redirect_uris": []string{"http://app:3000/callback"}, member: value}
		if w := sendJSON(t, p, http.MethodPost, "/register", document, ""); w.Code != http.StatusCreated {
			t.Errorf("%s %v: registration gives %d %s", member, value, w.Code, w.Body)
		}
		var config idp.Config
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		client := oidc.Client{ClientID: "app", ClientSecret: oidc.NewSecret("secret")}
		if err := json.Unmarshal(text, &client); err != nil {
			t.Fatal(err)
		}
		config.Clients = []oidc.Client{client}
		if err := idp.Validate(config.WithDefaults()); err != nil {
			t.Errorf("%s %v in the configuration: %v", member, value, err)
		}
	}
}
