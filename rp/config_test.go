package rp

import (
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func goodConfig() Config {
	return Config{
		Issuer: "https://idp.example.com", ClientID: "web", ClientSecret: "secret",
		RedirectURI: "https://app.example.com/web/callback", SilentRedirectURI: "https://app.example.com/web/silent-callback",
	}
}

// badConfigs are good configurations with one change.
var badConfigs = []struct {
	name   string
	change func(*Config)
	says   string
}{
	{"Issuer is required", func(c *Config) { c.Issuer = "" }, `Issuer ""`},
	{"Discovery §3 the issuer is a URL", func(c *Config) { c.Issuer = "idp.example.com" }, "not an absolute http(s) URL"},
	{"Discovery §3 the issuer is https", func(c *Config) { c.Issuer = "http://idp.example.com" }, "use https"},
	{"Discovery §3 the issuer has no fragment", func(c *Config) { c.Issuer += "#x" }, "fragment"},
	{"Discovery §3 the issuer has no query", func(c *Config) { c.Issuer += "?a=b" }, "has a query"},
	{"an issuer without user name", func(c *Config) { c.Issuer = "https://u:p@idp.example.com" }, "not an absolute"},
	{"RedirectURI is required", func(c *Config) { c.RedirectURI = "" }, `RedirectURI ""`},
	{"RFC 9700 §2.6 the redirect URI is https", func(c *Config) { c.RedirectURI = "http://app.example.com/cb" },
		"use https"},
	{"a browser is sent to http(s) only", func(c *Config) { c.SilentRedirectURI = "javascript:alert(1)" },
		"SilentRedirectURI"},
	{"cookies reach one origin", func(c *Config) { c.SilentRedirectURI = "https://www.example.com/cb" },
		"different origins"},
	{"a bad PostLogoutRedirectURI", func(c *Config) { c.PostLogoutRedirectURI = "/web/" }, "PostLogoutRedirectURI"},
	{"the back channel is an address", func(c *Config) { c.BackChannel = "http://idp:8080/base" }, "http://host:port"},
	{"the back channel is a URL", func(c *Config) { c.BackChannel = "idp:8080" }, "http://host:port"},
	{"ClientID is required", func(c *Config) { c.ClientID = "" }, "ClientID"},
	{"Core §3.1.2.1 openid is among the scopes", func(c *Config) { c.Scopes = []string{"profile"} }, "openid"},
	{"a short cookie key", func(c *Config) { c.CookieKeys = [][]byte{make([]byte, 16)} }, "CookieKeys[0] has 16 bytes"},
	{"RFC 7518 §3.2 client_secret_jwt has a long secret",
		func(c *Config) { c.TokenEndpointAuthMethod = "client_secret_jwt" }, "32 bytes"},
	{"Core §9 private_key_jwt has a key", func(c *Config) { c.TokenEndpointAuthMethod = "private_key_jwt" },
		"needs a ClientKey"},
	{"Core §9 client_secret_basic has a secret",
		func(c *Config) { c.TokenEndpointAuthMethod, c.ClientSecret = "client_secret_basic", "" }, "needs a ClientSecret"},
	{"Core §9 the method is one of them", func(c *Config) { c.TokenEndpointAuthMethod = "password" }, "not one of Core"},
	{"Core §6.1 request objects have a key that signs them", func(c *Config) { c.RequestObjects = true },
		"needs a ClientKey"},
	{"a ClientKey that is public", func(c *Config) { c.ClientKey = new(testClientKey.Public()) },
		"ClientKey is not a private key"},
	{"a ClientKey without alg", func(c *Config) { c.ClientKey = &jose.JSONWebKey{Key: testECKey} },
		"ClientKey has no alg"},
	{"RFC 7518 §3.1 a ClientKey fits its alg",
		func(c *Config) { c.ClientKey = &jose.JSONWebKey{Key: testECKey, Algorithm: "RS256"} },
		"does not sign by its alg RS256"},
	{"a DPoPKey without alg", func(c *Config) { c.DPoP, c.DPoPKey = true, &jose.JSONWebKey{Key: testECKey} },
		"DPoPKey has no alg"},
	{"a decryption key that is public", func(c *Config) { c.DecryptionKeys = []jose.JSONWebKey{testClientKey.Public()} },
		"DecryptionKeys[0] is not"},
	{"RFC 8725 §3.1 alg none is none", func(c *Config) { c.IDTokenSignedResponseAlg = "none" },
		"IDTokenSignedResponseAlg"},
	{"RFC 8725 §3.1 HMAC is none for userinfo", func(c *Config) { c.UserinfoSignedResponseAlg = "HS256" },
		"UserinfoSignedResponseAlg"},
	{"a response mode that this package does not read", func(c *Config) { c.ResponseMode = "fragment" },
		"use query or form_post"},
	{"RFC 9700 §4.11 a Home on another host", func(c *Config) { c.Home = "//evil.test/" }, "Home \"//evil.test/\" is not"},
	{"no cookie key", func(c *Config) { c.CookieKeys = [][]byte{} }, "CookieKeys is empty"},
}

func TestNewRefuses(t *testing.T) {
	for _, row := range badConfigs {
		t.Run(row.name, func(t *testing.T) {
			c := goodConfig()
			row.change(&c)
			if _, err := New(c); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, expected …%s…", err, row.says)
			}
		})
	}
}

func TestNewTellsEverythingAtOnce(t *testing.T) {
	_, err := New(Config{})
	for _, field := range []string{"Issuer", "RedirectURI", "ClientID"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v lacks %s", err, field)
		}
	}
}

func TestDefaults(t *testing.T) {
	p, err := New(goodConfig())
	if err != nil {
		t.Fatal(err)
	}
	if p.config.Home != "/" || len(p.config.CookieKeys) != 1 || p.config.Scopes[0] != "openid" || p.config.Now().IsZero() {
		t.Errorf("%q %+v", p.config.Home, p.config.Scopes)
	}
}

func TestNewResourceRefuses(t *testing.T) {
	for _, row := range []struct {
		name, says string
		config     ResourceConfig
	}{
		{"Issuer is required", "Issuer", ResourceConfig{Audience: "urn:api"}},
		{"RFC 9068 §4 Audience is required", "Audience", ResourceConfig{Issuer: "https://idp.example.com"}},
		{"RFC 9110 §11.5 Realm stands quoted", "Realm",
			ResourceConfig{Issuer: "https://idp.example.com", Audience: "urn:api", Realm: `a"b`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := NewResource(row.config); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, expected …%s…", err, row.says)
			}
		})
	}
}
