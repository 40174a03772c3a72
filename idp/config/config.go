// Package config is the configuration of a provider: one struct of the sections of the packages, its defaults, and its
// checks.
//
//	file, environment, flags ─► cmd/idp ─► Config ─► WithDefaults ─► Problems ─► idp.New
package config

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Config contains all settings of a provider. Its zero value, completed by WithDefaults, is a development provider at
// DefaultIssuer. The yaml tags are the keys of the configuration file; docs/configuration.md explains each. Sections
// belong to the package that uses them: its config.go has their defaults and checks.
type Config struct {
	Issuer string `yaml:"issuer"` // an origin, or an origin and a path
	// Dev turns development mode on or off. nil: on for a loopback issuer. It cannot be on for any other.
	Dev *bool `yaml:"dev"`
	// CookieKeys sign cookies and encrypt codes: the first signs and encrypts, all verify and decrypt. Each has 32
	// characters or more. None: random keys, which are lost when the process ends.
	CookieKeys []string `yaml:"cookie_keys"`
	// SigningKeys sign tokens; the first is the default. None: one RS256 key, made at start.
	SigningKeys []SigningKey `yaml:"signing_keys"`
	// RotateEvery is how often signing keys without a file are replaced. 0: on demand only.
	RotateEvery time.Duration `yaml:"rotate_every"`
	// Audience is the API that access tokens are for, unless the client says otherwise.
	Audience string `yaml:"audience"`
	// Session is how long a sign-in lasts. Default: 2h idle, a lunch break, and 12h absolute, a working day.
	Session oidc.Lifetime `yaml:"session"`
	Refresh grant.Config  `yaml:"refresh"`
	// Resources are APIs besides Audience that a client may ask access tokens for, by the resource parameter (RFC 8707).
	Resources []string `yaml:"resources"`
	// ACRValues are the levels of authentication, the highest first. None: 1 is a password, 0 is less.
	ACRValues authorize.Levels    `yaml:"acr_values"`
	PAR       authorize.PARConfig `yaml:"par"`
	// Aliases are additional paths of endpoints, by the endpoint's name: authorize, token, userinfo, logout, jwks.
	Aliases map[string]string `yaml:"aliases"`
	// Scopes are known besides openid, profile, email, address and phone, or add something to these.
	Scopes       []Scope             `yaml:"scopes"`
	Users        []users.User        `yaml:"users"`
	Clients      []oidc.Client       `yaml:"clients"`
	Limits       limit.Config        `yaml:"limits"`
	Registration registration.Config `yaml:"registration"`
	// PairwiseSalt is the salt of pairwise subs, 32 characters or more. None: there are no pairwise subs; a loopback
	// issuer has a built-in salt.
	PairwiseSalt string       `yaml:"pairwise_salt"`
	Fetch        fetch.Config `yaml:"fetch"`
	DPoP         dpop.Config  `yaml:"dpop"`

	// Layouts are additional issuers of the same provider, distinguished by their host or path, so that one process can
	// be same-site and cross-site to an application. Development mode only. nil: the three names of layoutHosts, if
	// Issuer has one of them.
	Layouts []string `yaml:"layouts"`
	// BackChannelHosts are other hosts, such as idp:8080, at which programs reach the provider. Under such a Host,
	// discovery names the endpoints for programs at that host. Development mode only.
	BackChannelHosts []string `yaml:"back_channel_hosts"`
	// DevHosts are host names that count as this machine, such as idp or 192.168.1.5, so that an issuer may have one of
	// them, by plain http.
	DevHosts []string `yaml:"dev_hosts"`
	// ConsoleOrigins are origins besides the provider's own that may read and use the console. Development mode only.
	// nil: the origins of the demo.
	ConsoleOrigins []string `yaml:"console_origins"`
	// AnyClient lets in clients that are not registered, if their redirect URI has a loopback host. Development mode only.
	AnyClient bool `yaml:"any_client"`
	// LoginHintSignsIn signs the user of login_hint in where a person would see the sign-in page. Development mode only.
	LoginHintSignsIn bool `yaml:"login_hint_signs_in"`
	// CodeLifetime is how long a code may be redeemed: 60 seconds, and up to an hour in development mode, for people who
	// step through a debugger.
	CodeLifetime time.Duration `yaml:"code_lifetime"`
	// BuiltIn adds the built-in users, clients and scopes of a loopback issuer to those of the configuration, instead of
	// having them only where the configuration has none. One of the configuration replaces the built-in one of its name.
	BuiltIn bool `yaml:"built_in"`
}

// SigningKey is a key that signs tokens: its alg and the PEM file that holds it, if there is one.
type SigningKey = keys.Spec

// Scope is a scope value of the installation, and the text that asks a person to allow it. It may also be a scope value
// of Core §5.4, to add something to it.
type Scope struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	// Claims are the names of the users' claims that the scope covers, beside those of Core §5.4.
	Claims []string `yaml:"claims"`
	// IDTokenClaims and AccessTokenClaims are those of them that go into these tokens for every client.
	IDTokenClaims     oidc.ClaimNames `yaml:"id_token_claims"`
	AccessTokenClaims oidc.ClaimNames `yaml:"access_token_claims"`
}

// DefaultIssuer is the issuer of a provider without configuration.
const DefaultIssuer = "http://localhost:8080"

// layoutHosts are the names at which the provider is the same host as the demo, same-site, and cross-site.
var layoutHosts = []string{"localhost", "idp.demo.localhost", "idp.localhost"}

// WithDefaults returns the configuration with defaults for missing values. Built-in users and clients are for a
// loopback issuer only.
func (c Config) WithDefaults() Config {
	c.Issuer = cmp.Or(c.Issuer, DefaultIssuer)
	loopback := c.Loopback()
	if c.Dev == nil {
		c.Dev = &loopback
	}
	if len(c.SigningKeys) == 0 {
		c.SigningKeys = []SigningKey{{Alg: jose.RS256}}
	}
	if loopback {
		c = withBuiltIn(c)
	}
	c.Audience = cmp.Or(c.Audience, c.Issuer)
	c.Session = c.Session.WithDefaults(2*time.Hour, 12*time.Hour)
	c.Refresh = c.Refresh.WithDefaults()
	c.CodeLifetime = cmp.Or(c.CodeLifetime, grant.CodeLifetime)
	c.ACRValues = c.ACRValues.WithDefaults()
	c.PAR = c.PAR.WithDefaults()
	c.Limits = c.Limits.WithDefaults(loopback)
	c.Registration = c.Registration.WithDefaults(c.Development())
	c.Fetch = c.Fetch.WithDefaults(c.Development())
	c.Clients = slices.Clone(c.Clients)
	for i, client := range c.Clients {
		c.Clients[i].IDTokenSignedResponseAlg = cmp.Or(client.IDTokenSignedResponseAlg, keys.DefaultAlg(c.SigningKeys))
		if client.TokenEndpointAuthMethod != oidc.AuthMethodSecretJWT {
			c.Clients[i].ClientSecret = client.ClientSecret.Hashed() // it is compared, and never read
		}
	}
	return c
}

// withBuiltIn adds the defaults of a loopback issuer: users, the demo's clients and their API, and a salt. In
// development mode it also has layouts, and a console that the demo may read.
func withBuiltIn(c Config) Config {
	built := builtIn()
	c.Users = withMore(c.BuiltIn, c.Users, built.Users, func(u users.User) string { return u.Username })
	c.Clients = withMore(c.BuiltIn, c.Clients, built.Clients, func(c oidc.Client) string { return c.ClientID })
	c.Scopes = withMore(c.BuiltIn, c.Scopes, built.Scopes, func(s Scope) string { return s.Name })
	c.Audience = cmp.Or(c.Audience, built.Audience)
	c.PairwiseSalt = cmp.Or(c.PairwiseSalt, "the salt of a provider for development at "+c.Issuer)
	if c.Development() && c.Layouts == nil {
		c.Layouts = layoutsOf(c.Issuer)
	}
	if c.Development() && c.ConsoleOrigins == nil {
		c.ConsoleOrigins = built.ConsoleOrigins
	}
	return c
}

// withMore returns the built-in entries if the configuration has none. With add it returns the entries of the
// configuration, which keep their places, and then the built-in ones of other names.
func withMore[E any](add bool, configured, built []E, name func(E) string) []E {
	if !add && len(configured) > 0 {
		return configured
	}
	all := slices.Clip(configured)
	for _, entry := range built {
		if !slices.ContainsFunc(configured, func(own E) bool { return name(own) == name(entry) }) {
			all = append(all, entry)
		}
	}
	return all
}

// layoutsOf returns the issuers of the other layouts, if issuer is one of them.
func layoutsOf(issuer string) (layouts []string) {
	u, err := url.Parse(issuer)
	isOne := err == nil && u.Scheme == "http" && slices.Contains(layoutHosts, u.Hostname())
	if !isOne || u.Path != "" && !segments.MatchString(u.Path) { // checkAddress tells about the path
		return nil
	}
	for _, host := range layoutHosts {
		if host != u.Hostname() {
			layouts = append(layouts, "http://"+strings.TrimSuffix(host+":"+u.Port(), ":")+u.Path)
		}
	}
	return layouts
}

// Loopback reports whether the issuer's host means this machine: a loopback host always does, and one of DevHosts does
// because the configuration says so.
func (c Config) Loopback() bool {
	u, err := url.Parse(c.Issuer)
	return err == nil && c.IsLocal(u.Hostname())
}

// IsLocal reports whether the host name, without a port, means this machine.
func (c Config) IsLocal(host string) bool {
	return oidc.IsLoopback(host) || host != "" && slices.Contains(c.DevHosts, strings.ToLower(host))
}

// BackChannel returns the base URL at each of BackChannelHosts, by the Host header.
func (c Config) BackChannel() endpoint.BackChannel {
	bases := endpoint.BackChannel{}
	scheme, _, _ := strings.Cut(c.Issuer, "://")
	for _, host := range c.BackChannelHosts {
		bases[host] = scheme + "://" + host + string(endpoint.BaseOf(c.Issuer))
	}
	return bases
}

// Machine returns the hosts that mean this machine, and those of the back channel.
func (c Config) Machine() endpoint.Machine {
	return endpoint.Machine{IsLocal: c.IsLocal, BackChannel: c.BackChannel()}
}

// Development tells whether development mode is on.
func (c Config) Development() bool { return c.Dev != nil && *c.Dev && c.Loopback() }

// KnownScope returns all scope values that the provider knows.
func (c Config) KnownScope() oidc.Scope {
	scope := append(oidc.StandardScope(), oidc.ScopeOffline)
	for _, s := range c.Scopes {
		if !oidc.StandardScope().Has(s.Name) {
			scope = append(scope, s.Name)
		}
	}
	return scope
}

// ScopeTexts are the descriptions of scope values that people read.
func (c Config) ScopeTexts() map[string]string {
	texts := map[string]string{}
	for _, s := range c.Scopes {
		texts[s.Name] = s.Description
	}
	return texts
}

// Release returns the claims of the configured scope values.
func (c Config) Release() claims.Release {
	release := claims.Release{
		Scopes: map[string][]string{}, InIDToken: map[string]oidc.ClaimNames{}, InAccessToken: map[string]oidc.ClaimNames{},
	}
	for _, scope := range c.Scopes {
		release.Scopes[scope.Name] = scope.Claims
		if len(scope.IDTokenClaims) > 0 {
			release.InIDToken[scope.Name] = scope.IDTokenClaims
		}
		if len(scope.AccessTokenClaims) > 0 {
			release.InAccessToken[scope.Name] = scope.AccessTokenClaims
		}
	}
	return release
}

// KnownResources are the APIs that any client may ask access tokens for (RFC 8707). The issuer stands for userinfo.
func (c Config) KnownResources() []string {
	known := slices.Clone(c.Resources)
	for _, always := range []string{c.Issuer, c.Audience} {
		if !slices.Contains(known, always) {
			known = slices.Insert(known, 0, always)
		}
	}
	return known
}
