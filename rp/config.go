package rp

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Config is what an application tells about itself and its provider. Issuer, ClientID and RedirectURI are required.
type Config struct {
	// Issuer is the provider as the browser sees it. It is compared byte for byte with the provider's own issuer, with the
	// iss of every answer and of every token.
	Issuer string
	// BackChannel is the address at which this process reaches the provider, such as http://idp:8080 in a container network.
	// Only scheme, host and port are replaced; the Host header and all that the browser sees stay the issuer's. Empty: the
	// issuer's own address, where a host under localhost is dialled at 127.0.0.1 (RFC 6761 §6.3).
	BackChannel string

	ClientID string
	// ClientSecret is empty for a public client, which PKCE alone protects.
	ClientSecret string

	// RedirectURI is where Callback is mounted.
	RedirectURI string
	// SilentRedirectURI is the page that POSTs its query to FinishSilent; same origin as RedirectURI. Empty: no silent login.
	SilentRedirectURI string
	// PostLogoutRedirectURI is where the provider sends the browser after Logout. Empty: the provider shows its own page.
	PostLogoutRedirectURI string

	// Scopes must contain openid; nil means openid alone.
	Scopes []string

	// CookieKeys are secrets of 32 bytes or more. The first seals new cookies, all of them open old ones, so a key can be
	// replaced without signing anybody out. nil: one random key, good until the process ends.
	CookieKeys [][]byte
	// Store keeps the sessions. nil: in memory.
	Store storage.Store

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: slog.Default()
}

// RP is a relying party. Its methods may be called by many goroutines at once.
type RP struct {
	config     Config
	provider   *provider
	cookies    cookies
	sessions   storage.Bucket[Session]
	spent      storage.Bucket[bool] // the states whose answer has been taken
	sameOrigin *http.CrossOriginProtection
	home       string // the local path to go to when no return_to is known
}

// New checks the configuration and returns the relying party. It makes no network call: the provider is discovered when it
// is first needed, and asked again until it answers, so the two may start in any order.
func New(config Config) (*RP, error) {
	config = config.withDefaults()
	if err := config.problems(); err != nil {
		return nil, err
	}
	cookies, err := newCookies(config)
	if err != nil {
		return nil, err
	}
	sameOrigin := http.NewCrossOriginProtection()
	// Behind a proxy the Host header may differ from the origin that the browser knows.
	if err := sameOrigin.AddTrustedOrigin(oidc.Origin(config.RedirectURI)); err != nil {
		return nil, fmt.Errorf("rp: RedirectURI: %w", err)
	}
	return &RP{
		config:     config,
		provider:   newProvider(config.Issuer, config.BackChannel),
		cookies:    cookies,
		sessions:   storage.NewBucket[Session]("rp-session", config.Store),
		spent:      storage.NewBucket[bool]("rp-spent-state", config.Store),
		sameOrigin: sameOrigin,
		home:       directory(config.RedirectURI),
	}, nil
}

func (c Config) withDefaults() Config {
	if c.Scopes == nil {
		c.Scopes = []string{oidc.ScopeOpenID}
	}
	if c.CookieKeys == nil {
		key := make([]byte, minCookieKey)
		rand.Read(key) // never fails: see crypto/rand
		c.CookieKeys = [][]byte{key}
	}
	c.Now = clock(c.Now)
	if c.Store == nil {
		c.Store = storage.NewMemory(c.Now)
	}
	c.Log = logger(c.Log)
	return c
}

func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

func logger(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.Default()
	}
	return log
}

// problems returns everything that is wrong with the configuration at once.
func (c Config) problems() error {
	errs := []error{
		webURL("Issuer", c.Issuer, true),
		originOnly("BackChannel", c.BackChannel),
		webURL("RedirectURI", c.RedirectURI, true),
		webURL("SilentRedirectURI", c.SilentRedirectURI, false),
		webURL("PostLogoutRedirectURI", c.PostLogoutRedirectURI, false),
	}
	if c.ClientID == "" {
		errs = append(errs, errors.New("rp: ClientID is empty: give the client_id under which the provider knows this application"))
	}
	if c.SilentRedirectURI != "" && oidc.Origin(c.SilentRedirectURI) != oidc.Origin(c.RedirectURI) {
		errs = append(errs, fmt.Errorf("rp: SilentRedirectURI %q and RedirectURI %q have different origins: cookies of one do not reach the other",
			c.SilentRedirectURI, c.RedirectURI))
	}
	if !slices.Contains(c.Scopes, oidc.ScopeOpenID) {
		errs = append(errs, fmt.Errorf("rp: Scopes %q lack openid: without it the provider gives no ID Token (Core §3.1.2.1)", c.Scopes))
	}
	for i, key := range c.CookieKeys {
		if len(key) < minCookieKey {
			errs = append(errs, fmt.Errorf("rp: CookieKeys[%d] has %d bytes: give at least %d random ones", i, len(key), minCookieKey))
		}
	}
	if len(c.CookieKeys) == 0 {
		errs = append(errs, errors.New("rp: CookieKeys is empty: give at least one key, or nil for a random one"))
	}
	return errors.Join(errs...)
}

// webURL wants an absolute https URL without fragment; http only on a loopback host. RFC 9700 §2.6: codes
// and tokens never cross a network in the clear.
func webURL(field, value string, required bool) error {
	if value == "" && !required {
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || oidc.Origin(value) == "" || u.User != nil:
		return fmt.Errorf("rp: %s %q is not an absolute http(s) URL, such as https://app.example.com/callback", field, value)
	case strings.Contains(value, "#"):
		return fmt.Errorf("rp: %s %q has a fragment: remove the # and what follows", field, value)
	case u.Scheme == "http" && !oidc.IsLoopback(u.Hostname()):
		return fmt.Errorf("rp: %s %q is plain http to another machine: use https", field, value)
	}
	return nil
}

// originOnly wants scheme, host and port. Plain http is allowed: the back channel may be a network of its own.
func originOnly(field, value string) error {
	if value == "" || strings.TrimSuffix(strings.ToLower(value), "/") == oidc.Origin(value) {
		return nil
	}
	return fmt.Errorf("rp: %s %q is not of the form http://host:port: give the address only, the paths are the provider's", field, value)
}

// directory is the local path of the folder that holds uri's page: /web/ for https://app.example.com/web/callback.
func directory(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return "/"
	}
	folder, _ := path.Split(u.EscapedPath())
	return cmp.Or(folder, "/")
}
