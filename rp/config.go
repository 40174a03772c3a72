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

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

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
	// ClientSecret is empty for a public client, which PKCE alone protects, and for one with a ClientKey.
	ClientSecret string
	// ClientKey is a private key with kid and alg. With it the client authenticates by private_key_jwt (RFC 7523), and signs
	// its request objects. The provider knows the public half, which JWKS can publish.
	ClientKey *jose.JSONWebKey
	// TokenEndpointAuthMethod is one of oidc.AuthMethod…, as the client is registered. Empty: private_key_jwt with a
	// ClientKey, client_secret_basic (or _post, where the provider takes nothing else) with a ClientSecret, none without.
	TokenEndpointAuthMethod string

	// RedirectURI is where Callback is mounted.
	RedirectURI string
	// SilentRedirectURI is the page that POSTs its query to FinishSilent; same origin as RedirectURI. Empty: no silent login.
	SilentRedirectURI string
	// PostLogoutRedirectURI is where the provider sends the browser after Logout. Empty: the provider shows its own page.
	PostLogoutRedirectURI string

	// Scopes must contain openid; nil means openid alone. With offline_access, and the user's consent (Login with
	// prompt=consent asks for it, Core §11), sessions are renewed by refresh tokens as well: see Refresh.
	Scopes []string

	// PushedAuthorizationRequests sends the request to the provider directly, and the browser with a reference to it (RFC 9126). It
	// happens anyway where the provider demands it of everybody.
	PushedAuthorizationRequests bool
	// RequestObjects signs the request with ClientKey (RFC 9101).
	RequestObjects bool
	// ResponseMode of a sign-in: empty or query, or form_post, which keeps the code out of addresses. Silent login uses
	// query always.
	ResponseMode string

	// DPoP binds the tokens to a key (RFC 9449), so that a stolen one is worth nothing.
	DPoP bool
	// DPoPKey is a private key with an alg. nil: one is made, and the tokens of sessions that outlive the process are worth
	// nothing to the next; several replicas share one.
	DPoPKey *jose.JSONWebKey

	// IDTokenSignedResponseAlg is the only algorithm in which ID Tokens and logout tokens may be signed. Empty: any asymmetric
	// one that the provider lists.
	IDTokenSignedResponseAlg string
	// UserinfoSignedResponseAlg makes a signature on userinfo a must, by this algorithm. Empty: a signed answer is verified,
	// a plain one is fine.
	UserinfoSignedResponseAlg string
	// DecryptionKeys are private keys with kid and alg, to which the provider may encrypt ID Tokens and userinfo (Core §10.2).
	DecryptionKeys []jose.JSONWebKey
	// TrustedAudiences are the others that may stand in the aud of an ID Token beside ClientID.
	TrustedAudiences []string

	// Claims asks for single claims (Core §5.5). nil: what the scopes stand for.
	Claims *oidc.ClaimsRequest
	// Resources are the APIs that access tokens are for (RFC 8707).
	Resources []string

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
	keys       *keySet
	prover     *prover // nil: bearer tokens
	cookies    cookies
	sessions   storage.Bucket[Session]
	spent      storage.Bucket[bool]    // the states whose answer has been taken, the logout tokens that have been obeyed
	signedOut  storage.Bucket[signOut] // what the provider has signed out: see signedout.go
	refreshing *singleflight.Group
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
	provider := newProvider(config.Issuer, config.BackChannel)
	return &RP{
		config:     config,
		provider:   provider,
		keys:       newKeySet(provider, config.Now),
		prover:     newProver(config),
		cookies:    cookies,
		sessions:   storage.NewBucket[Session]("rp-session", config.Store),
		spent:      storage.NewBucket[bool]("rp-spent-state", config.Store),
		signedOut:  storage.NewBucket[signOut]("rp-signed-out", config.Store),
		refreshing: &singleflight.Group{},
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
	if c.DPoP && c.DPoPKey == nil {
		c.DPoPKey = newDPoPKey()
	}
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
		issuerURL(c.Issuer),
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
	return errors.Join(append(errs, c.keyProblems()...)...)
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

// issuerURL: Discovery §3, "using the https scheme with no query or fragment components".
func issuerURL(value string) error {
	if err := webURL("Issuer", value, true); err != nil {
		return err
	}
	if strings.Contains(value, "?") {
		return fmt.Errorf("rp: Issuer %q has a query: remove the ? and what follows (Discovery §3)", value)
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
