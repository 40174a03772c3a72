package main

import (
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/rp"
)

// config is the configuration of the command line.
type config struct {
	Listen       string     `default:"127.0.0.1:9090" help:"Address to listen on."`
	BaseURL      string     `placeholder:"URL" help:"This demo's address for the browser (default: localhost and port)."`
	Issuer       string     `default:"http://localhost:8080" help:"The provider's issuer."`
	BackChannel  string     `placeholder:"URL" help:"The provider's address for this process: http://idp:8080."`
	ClientSecret string     `default:"web-secret" help:"Secret of the client \"web\", the server-side app."`
	APIAudience  string     `name:"api-audience" default:"urn:hush:demo-api" help:"The aud of access tokens for the API."`
	LogLevel     slog.Level `default:"info" help:"debug, info, warn or error."`
	LogFormat    string     `default:"text" enum:"text,json" help:"text or json."`
}

// The two clients, as the provider's built-in configuration knows them.
const (
	spaClientID = "spa"
	webClientID = "web"
)

// scopes are requested by both apps.
var scopes = []string{oidc.ScopeOpenID, "profile", "email", apiScope}

// complete sets defaults and checks the values that rp does not check.
func (c config) complete() (config, error) {
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return c, fmt.Errorf("--listen %q is not of the form host:port, such as 127.0.0.1:9090", c.Listen)
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://localhost:" + port
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	if origin := oidc.Origin(c.BaseURL); origin == "" || origin != c.BaseURL {
		return c, fmt.Errorf("--base-url %q is not of the form http://host:port: give the address only, in lower case",
			c.BaseURL)
	}
	return c, nil
}

// relyingParty is the configuration of the server-side app.
func (c config) relyingParty(log *slog.Logger) rp.Config {
	return rp.Config{
		Issuer: c.Issuer, BackChannel: c.BackChannel, ClientID: webClientID, ClientSecret: c.ClientSecret,
		RedirectURI:           c.BaseURL + "/web/callback",
		SilentRedirectURI:     c.BaseURL + "/web/silent-callback",
		PostLogoutRedirectURI: c.BaseURL + "/web/",
		Scopes:                scopes, Log: log,
	}
}

// resource is the configuration of the API.
func (c config) resource(log *slog.Logger) rp.ResourceConfig {
	return rp.ResourceConfig{
		Issuer: c.Issuer, BackChannel: c.BackChannel, Audience: c.APIAudience, Realm: "hush-demo", Log: log,
	}
}

// spaConfig are the settings of the single-page app. The names are those of RFC 7591 and of oidc-client-ts.
type spaConfig struct {
	Issuer                string `json:"issuer"`
	ClientID              string `json:"client_id"`
	RedirectURI           string `json:"redirect_uri"`
	PostLogoutRedirectURI string `json:"post_logout_redirect_uri"`
	Scope                 string `json:"scope"`
	Audience              string `json:"audience"`
}

func (c config) spa() spaConfig {
	return spaConfig{
		Issuer: c.Issuer, ClientID: spaClientID, Scope: strings.Join(scopes, " "), Audience: c.APIAudience,
		RedirectURI:           c.BaseURL + "/spa/callback.html",
		PostLogoutRedirectURI: c.BaseURL + "/spa/",
	}
}

// selfURL is the address of this process's own listener. An unspecified address cannot be dialled on every system, so
// the loopback address replaces it.
func selfURL(listen string) string {
	host, port, _ := net.SplitHostPort(listen) // the listener has accepted it
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
