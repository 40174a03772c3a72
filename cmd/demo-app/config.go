package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hush-idp/hush/cmd/variables"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/rp"
)

// config is the configuration of the command line.
type config struct {
	Listen       string
	BaseURL      string // for browsers
	Issuer       string
	BackChannel  string // the provider's address for this process
	ClientSecret string // of the client "web", the server-side app
	APIAudience  string // the aud of access tokens for the API
	Docs         string // the folder with the site of the documentation; empty: none
	LogLevel     slog.Level
	LogFormat    string // text or json
}

// flags adds a flag for each setting, with its default.
func (c *config) flags(set *pflag.FlagSet) {
	set.StringVar(&c.Listen, "listen", "127.0.0.1:9090", "Address to listen on, `HOST:PORT`.")
	set.StringVar(&c.BaseURL, "base-url", "", "This demo's `URL` for the browser (default: localhost and port).")
	set.StringVar(&c.Issuer, "issuer", "http://localhost:8080", "The provider's issuer, a `URL`.")
	set.StringVar(&c.BackChannel, "back-channel", "", "The provider's `URL` for this process: http://idp:8080.")
	set.StringVar(&c.ClientSecret, "client-secret", "web-secret", "`SECRET` of the client \"web\", the server-side app.")
	set.StringVar(&c.APIAudience, "api-audience", "urn:hush:demo-api", "The `aud` of access tokens for the API.")
	set.StringVar(&c.Docs, "docs", "", "`FOLDER` of the documentation, which make docs builds; served at /docs/.")
	set.TextVar(&c.LogLevel, "log-level", slog.LevelInfo, "`LEVEL` of the log: debug, info, warn or error.")
	set.StringVar(&c.LogFormat, "log-format", "text", "`FORMAT` of the log: text or json.")
}

// readEnvironment sets each flag that is not on the command line to the value of its variable: HUSH_DEMO_BASE_URL for
// --base-url. A variable that is made from a file ends with a line break. An empty one does not count, because a
// compose file sets a variable to nothing when its own environment does not have it.
func readEnvironment(set *pflag.FlagSet) (err error) {
	set.VisitAll(func(flag *pflag.Flag) {
		name := variables.Of(prefix, flag.Name)
		value := strings.TrimSpace(os.Getenv(name))
		if flag.Changed || value == "" {
			return
		}
		if wrong := flag.Value.Set(value); wrong != nil {
			err = fmt.Errorf("%s: %w", name, wrong)
		}
	})
	return err
}

// prefix begins the name of each variable.
const prefix = "HUSH_DEMO_"

// unreadVariables warns of variables that begin with the prefix and that are of no flag.
func unreadVariables() []string {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(config).flags(flags)
	return variables.Unread(os.Environ(), prefix, flags, func(string) bool { return false })
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
	for _, text := range []*string{
		&c.Listen, &c.BaseURL, &c.Issuer, &c.BackChannel, &c.ClientSecret, &c.APIAudience, &c.Docs,
	} {
		*text = strings.TrimSpace(*text) // variables that are made from files end with a line break
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return c, fmt.Errorf("--log-format %q is neither text nor json: write one of the two", c.LogFormat)
	}
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
		Home:                  "/web/",
		Scopes:                scopes, Log: log,
	}
}

// resource is the configuration of the API.
func (c config) resource(log *slog.Logger) rp.ResourceConfig {
	return rp.ResourceConfig{Issuer: c.Issuer, BackChannel: c.BackChannel, Audience: c.APIAudience, Realm: "hush-demo",
		Log: log}
}

// spa returns the settings of the single-page app. The names come from RFC 7591 and from oidc-client-ts.
func (c config) spa() map[string]string {
	return map[string]string{
		"issuer": c.Issuer, "client_id": spaClientID, "scope": strings.Join(scopes, " "), "audience": c.APIAudience,
		"redirect_uri": c.BaseURL + "/spa/callback.html", "post_logout_redirect_uri": c.BaseURL + "/spa/",
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

// layout is a pair of host names for app and provider. The two names decide which cookies reach the hidden iframe, so
// each pair behaves like a different kind of installation. Every name under localhost means this machine (RFC 6761
// §6.3), so one process serves them all.
type layout struct {
	Name, Relation string
	Expect         string // whether the hidden iframe gets the provider's cookie
	app, idp       string // host names
}

var layouts = []layout{
	{"One host", "two ports of localhost", "Same site, because ports do not count. Everything works here, " +
		"even things that break in production.", "localhost", "localhost"},
	{"One site", "two names under demo.localhost", "Same site with two names, like app.example.com and " +
		"login.example.com. Every cookie arrives. Choose this layout in production.",
		"app.demo.localhost", "idp.demo.localhost"},
	{"Two sites", "app.localhost and idp.localhost",
		"Two sites, like app.example and login.example. The cookie is a third-party cookie in the iframe. It " +
			"arrives only if the browser gives access to it.", "app.localhost", "idp.localhost"},
}

// everywhere is this configuration for every layout, the given one first. Without a layout it returns this
// configuration only.
func (c config) everywhere() []config {
	all := []config{c}
	if c.layout() == nil {
		return all
	}
	for _, l := range layouts {
		if other := c.in(l); other != c {
			all = append(all, other)
		}
	}
	return all
}

// layout is the layout of this configuration; nil: it is none of them.
func (c config) layout() *layout {
	if !strings.HasPrefix(c.BaseURL, "http:") || !strings.HasPrefix(c.Issuer, "http:") {
		return nil
	}
	for i, l := range layouts {
		if c.in(l) == c {
			return &layouts[i]
		}
	}
	return nil
}

// in is the same configuration at the host names of a layout. The ports stay.
func (c config) in(l layout) config {
	c.BaseURL, c.Issuer = withHost(c.BaseURL, l.app), withHost(c.Issuer, l.idp)
	return c
}

// withHost replaces the host name in an address that has been checked before.
func withHost(address, host string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if u.Port() != "" {
		host = net.JoinHostPort(host, u.Port())
	}
	u.Host = host
	return u.String()
}

// hostOf is the host name in an address that has been checked before.
func hostOf(address string) string {
	_, authority, _ := strings.Cut(address, "://")
	return (&url.URL{Host: authority}).Hostname()
}

// sites are the handlers of the layouts by the app's host name. The one called first answers under every other name.
type sites struct {
	byHost map[string]http.Handler
	first  string
}

// ServeHTTP implements http.Handler.
func (s sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = r.Host // without a port
	}
	cmp.Or(s.byHost[strings.ToLower(name)], s.byHost[s.first]).ServeHTTP(w, r)
}

// place is a layout in the navigation bar of every page.
type place struct {
	layout
	URL     string // the app's address there
	Current bool
}

// places are the layouts that this process serves, in their own order; nil when there is only one.
func (c config) places() []place {
	if c.layout() == nil {
		return nil
	}
	all := make([]place, len(layouts))
	for i, l := range layouts {
		there := c.in(l)
		all[i] = place{layout: l, URL: there.BaseURL, Current: there == c}
	}
	return all
}
