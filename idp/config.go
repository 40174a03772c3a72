package idp

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Config is all that can be set about a provider. Its zero value, completed by WithDefaults, is a development provider
// at DefaultIssuer. YAML names are those of the configuration file; docs/configuration.md explains each.
type Config struct {
	Issuer string `yaml:"issuer"`
	// Dev turns development mode on or off. nil: on for a loopback issuer. It cannot be on for any other.
	Dev *bool `yaml:"dev"`
	// CookieKeys sign cookies: the first signs, all verify. Each has 32 characters or more. None: random ones, gone with
	// the process.
	CookieKeys []string `yaml:"cookie_keys"`
	// SigningKeys, the first is the default. None: one RS256 key, made at start.
	SigningKeys []SigningKey `yaml:"signing_keys"`
	// RotateEvery is how often signing keys without a file are replaced. 0: on demand only.
	RotateEvery time.Duration `yaml:"rotate_every"`
	// Audience is the API that access tokens are for, unless the client says otherwise.
	Audience string `yaml:"audience"`
	// Session says how long a sign-in lasts.
	Session SessionConfig `yaml:"session"`
	// Refresh says how long refresh tokens last.
	Refresh RefreshConfig `yaml:"refresh"`
	// Resources are the APIs that access tokens may be for besides Audience, where a client asks by the resource parameter.
	Resources []string `yaml:"resources"`
	// ACRValues are the levels of authentication, the highest first. None: 1 is a password, 0 is less.
	ACRValues []authorize.Level `yaml:"acr_values"`
	// PAR says how long pushed requests last.
	PAR PARConfig `yaml:"par"`
	// Aliases are other paths of endpoints, by their names: authorize, token, userinfo, logout, jwks.
	Aliases map[string]string `yaml:"aliases"`
	// Scopes are known besides openid, profile, email, address and phone.
	Scopes  []Scope       `yaml:"scopes"`
	Users   []users.User  `yaml:"users"`
	Clients []oidc.Client `yaml:"clients"`
	// Limits say how often an address, a client or a user may ask.
	Limits limit.Config `yaml:"limits"`
	// Registration says who may register a client.
	Registration RegistrationConfig `yaml:"registration"`
	// PairwiseSalt is what pairwise subs depend on, 32 characters or more. None: there are no pairwise subs.
	PairwiseSalt string `yaml:"pairwise_salt"`
	// Fetch says how the provider asks at addresses that clients name.
	Fetch fetch.Config `yaml:"fetch"`
	DPoP  DPoPConfig   `yaml:"dpop"`

	// Layouts are more issuers of the same provider, told apart by their host: so that one process can be same-site and
	// cross-site to an application. Development mode only. nil: the three names of layoutHosts, if Issuer has one of them.
	Layouts []string `yaml:"layouts"`
	// ConsoleOrigins are the origins whose pages may read the console and use it, besides the provider's own: those of the
	// demo. Development mode only.
	ConsoleOrigins []string `yaml:"console_origins"`
}

// SigningKey is a key that signs tokens: its alg (RS256, PS256, ES256 or EdDSA), and the PEM file (PKCS #8) it is in.
// Without a file it is made at start.
type SigningKey struct {
	Alg  string `yaml:"alg"`
	File string `yaml:"file"`
}

// SessionConfig limits a session by the time it is not used and by its age.
type SessionConfig struct {
	Idle     time.Duration `yaml:"idle"`
	Absolute time.Duration `yaml:"absolute"`
}

// Scope is a scope value of the installation's own, and what it means to a person who is asked to allow it.
type Scope struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	// Claims are the names of the claims of users that it covers.
	Claims []string `yaml:"claims"`
}

// DefaultIssuer is where a provider without configuration is.
const DefaultIssuer = "http://localhost:8080"

// The lifetimes of a session unless the configuration says otherwise: a working day.
const (
	defaultSessionIdle     = 2 * time.Hour
	defaultSessionAbsolute = 12 * time.Hour
)

// WithDefaults returns the configuration with what it leaves open filled in. Built-in users and clients are for a loopback
// issuer only.
func (c Config) WithDefaults() Config {
	c.Issuer = cmp.Or(c.Issuer, DefaultIssuer)
	c.Session.Absolute = cmp.Or(c.Session.Absolute, defaultSessionAbsolute)
	c.Session.Idle = cmp.Or(c.Session.Idle, min(defaultSessionIdle, c.Session.Absolute))
	if len(c.SigningKeys) == 0 {
		c.SigningKeys = []SigningKey{{Alg: string(jose.RS256)}}
	}
	c.Limits = c.Limits.WithDefaults(c.Loopback())
	if c.Loopback() {
		c = c.withBuiltIn()
	}
	c.Audience = cmp.Or(c.Audience, c.Issuer)
	c.Refresh = c.Refresh.withDefaults()
	c = c.withRequests()
	dev := c.Dev
	if dev == nil {
		loopback := c.Loopback()
		dev = &loopback
	}
	c.Dev = dev
	c.Registration = c.Registration.withDefaults(c.Development())
	c = c.withSalt()
	c.Fetch = c.Fetch.WithDefaults(c.Development())
	if c.Development() {
		c = c.withConsole()
	}
	c.Clients = slices.Clone(c.Clients)
	for i := range c.Clients {
		c.Clients[i].IDTokenSignedResponseAlg = cmp.Or(c.Clients[i].IDTokenSignedResponseAlg, c.defaultAlg())
		if c.Clients[i].TokenEndpointAuthMethod != oidc.AuthMethodSecretJWT {
			c.Clients[i].ClientSecret = c.Clients[i].ClientSecret.Hashed() // to compare is all that it is for
		}
	}
	return c
}

// defaultAlg is RS256 where there is such a key (Registration §2, id_token_signed_response_alg: "The default, if omitted, is
// RS256"), else the first configured.
func (c Config) defaultAlg() string {
	for _, key := range c.SigningKeys {
		if key.Alg == string(jose.RS256) {
			return key.Alg
		}
	}
	return c.SigningKeys[0].Alg
}

// Loopback tells whether the issuer is an address that only this machine can mean.
func (c Config) Loopback() bool {
	u, err := url.Parse(c.Issuer)
	return err == nil && oidc.IsLoopback(u.Hostname())
}

// Development tells whether development mode is on.
func (c Config) Development() bool { return c.Dev != nil && *c.Dev && c.Loopback() }

// KnownScope is all scope values that the provider knows.
func (c Config) KnownScope() oidc.Scope {
	scope := append(oidc.StandardScope(), oidc.ScopeOffline)
	for _, s := range c.Scopes {
		scope = append(scope, s.Name)
	}
	return scope
}

func (c Config) scopeTexts() map[string]string {
	texts := map[string]string{}
	for _, s := range c.Scopes {
		texts[s.Name] = s.Description
	}
	return texts
}

// KeySpecs are the SigningKeys as package keys takes them.
func (c Config) KeySpecs() []keys.Spec {
	specs := make([]keys.Spec, len(c.SigningKeys))
	for i, key := range c.SigningKeys {
		specs[i] = keys.Spec{Alg: jose.SignatureAlgorithm(key.Alg), File: key.File}
	}
	return specs
}

// KeptKeys is the ring whose keys live in store, encrypted with CookieKeys, which must be configured. propagation is how long
// other providers on the store may take to notice a new key; 0: there are none. Its errors are those of keys.NewShared.
func (c Config) KeptKeys(store storage.Store, now func() time.Time, propagation time.Duration) (*keys.Ring, error) {
	return c.ring(store, c.cookieKeys(nil), now, propagation)
}

// ring is KeptKeys with secrets of its own.
func (c Config) ring(store storage.Store, secrets [][]byte, now func() time.Time, propagation time.Duration) (*keys.Ring, error) {
	seal, err := keys.NewSeal(secrets)
	if err != nil {
		return nil, err
	}
	if c.RotateEvery > 0 { // nobody is there to see a client stumble: a new key is published before it signs
		propagation = max(propagation, keys.DefaultPropagation)
	}
	lifetime := c.Session.Absolute // so long an id_token_hint should be recognised
	for _, client := range c.Clients {
		lifetime = max(lifetime, client.AccessTokenLifetime, client.IDTokenLifetime)
	}
	return keys.NewShared(c.KeySpecs(), keys.Sharing{
		Records: storage.NewBucket[keys.Stored]("keys", store), Seal: seal, Now: now, Propagation: propagation, Lifetime: lifetime,
		RotateEvery: c.RotateEvery,
	})
}

// SessionsIn are the sessions in store, for who finds and ends them; to begin them takes Cookies and Random besides.
func (c Config) SessionsIn(store storage.Store, now func() time.Time) *session.Manager {
	return &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", store),
		Index:    storage.NewBucket[[]session.Entry]("session-index", store),
		Idle:     c.Session.Idle,
		Absolute: c.Session.Absolute,
		Now:      now,
	}
}
