package idp

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/config"
	"github.com/hush-idp/hush/idp/device"
	"github.com/hush-idp/hush/idp/discovery"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
	"github.com/hush-idp/hush/storage"
)

// The configuration and its parts are defined in package config.
type (
	Config     = config.Config
	Scope      = config.Scope
	SigningKey = config.SigningKey
	Problem    = config.Problem
	Problems   = config.Problems
)

// DefaultIssuer is the issuer of a provider without configuration.
const DefaultIssuer = config.DefaultIssuer

// interactionLifetime limits the time between the application's request and the user's answer on the last page.
const interactionLifetime = 24 * time.Hour

// Dependencies are supplied by the caller: store, clock, randomness, logger, observers. Tests replace them.
type Dependencies struct {
	Store storage.Store // holds all state
	// Durable says that the store outlives the process. Then, if cookie_keys are configured, the signing keys are in
	// the store, encrypted with cookie_keys, and the next process signs with the same keys.
	Durable bool
	// Propagation is how long other providers on the same store may take to see a change; 0: there are none.
	Propagation time.Duration
	// Usable returns the reason why the store cannot be used now, for /readyz. nil: it can always be used.
	Usable func(context.Context) error
	Now    func() time.Time // the clock of all protocol decisions
	Random func() string    // identifiers: 128 bits or more, without a dot; nil: crypto/rand.Text
	Log    *slog.Logger
	// Observers measure requests and store operations; may be empty.
	Observers []Observer
	// Endpoints are served in addition to the provider's own.
	Endpoints []endpoint.Endpoint
	// Development adds development mode; see package dev. nil: there is none.
	Development Development
	// Ending is closed when the server ends; then the console ends its streams. nil: they end with their requests.
	Ending <-chan struct{}
}

// Provider is the OpenID provider, an http.Handler for all paths of its host.
type Provider struct {
	*common
	sites atomic.Pointer[sites] // of the latest configuration
	turn  sync.Mutex            // for one Reload at a time
}

// common has the parts that all sites of a provider share. There is one site for each issuer.
type common struct {
	config     Config
	deps       Dependencies
	keys       *keys.KeySet
	pages      *pages.Pages
	clients    *clients.Register
	users      *users.Directory
	typed      *users.Typed
	grants     *grant.Grants
	consents   *grant.Consents
	subjects   *clients.Subjects
	limits     *limit.Limits
	fetch      *fetch.Client
	documents  *fetch.Cache
	clientKeys *clients.Keys
	nonces     dpop.Nonces
	sender     *logout.Sender
	cookieKeys [][]byte
	sealTerms  session.SealTerms
}

// New builds the provider that config describes. It returns Problems for an invalid configuration. For an unreadable
// signing key it returns an error that names the file. Keys without a file are made in the background: New does not
// wait for them; the first request that needs a key waits.
func New(config Config, deps Dependencies) (*Provider, error) {
	config = config.WithDefaults()
	if err := Validate(config); err != nil {
		return nil, err
	}
	if deps.Random == nil {
		deps.Random = rand.Text
	}
	for _, observer := range deps.Observers {
		deps.Store = observer.Store(deps.Store)
	}
	c, err := newCommon(config, deps)
	if err != nil {
		return nil, err
	}
	p := &Provider{common: c}
	p.sites.Store(c.sites())
	return p, nil
}

// Ready waits for the signing keys, and returns an error if one cannot be used.
func (p *Provider) Ready() error {
	return (&discovery.Health{Keys: p.keys}).Ready(context.Background())
}

// Close ends the provider's background work. Logout tokens that wait for another attempt are sent once more; Close
// waits until they are sent or ctx ends.
func (p *Provider) Close(ctx context.Context) { p.sender.Close(ctx) }

// SignedOut sends logout tokens to the clients of sign-ins that ended. It returns after one attempt for each client, or
// when ctx ends.
func (p *Provider) SignedOut(ctx context.Context, ended []session.Ended) []logout.Sent {
	return p.sender.SendAndWait(ctx, p.config.Issuer, ended)
}

// newCommon builds the parts that do not depend on the issuer, dependencies first.
func newCommon(config Config, deps Dependencies) (*common, error) {
	secrets := cookieKeys(config.CookieKeys, deps.Random)
	register, err := newRegister(config, deps, secrets)
	if err != nil {
		return nil, err
	}
	directory, err := users.New(config.Users)
	if err != nil {
		return nil, err
	}
	client, err := fetch.New(config.Fetch)
	if err != nil {
		return nil, err
	}
	nonces, err := dpop.NewNonces(secrets, deps.Now)
	if err != nil {
		return nil, err
	}
	rates, err := limit.New(config.Limits, deps.Now, deps.Log, register)
	if err != nil {
		return nil, err
	}
	html, err := pages.New(static.IDP())
	if err != nil {
		return nil, err
	}
	keySet, err := newKeys(config, deps, secrets)
	if err != nil {
		return nil, err
	}
	clientKeys := clients.NewKeys(client, deps.Now)
	subjects := clients.NewSubjects(config.PairwiseSalt, directory)
	grants := grant.New(config.Refresh, config.CodeLifetime, deps.Store, secrets, deps.Now, deps.Random)
	return &common{
		config: config, deps: deps, keys: keySet, pages: html, clients: register, users: directory,
		typed: &users.Typed{Directory: directory}, grants: grants,
		consents: &grant.Consents{
			Records: storage.NewBucket[map[string]grant.Consent]("consent", deps.Store), Grants: grants, Now: deps.Now,
		},
		subjects: subjects, limits: rates, fetch: client, documents: fetch.NewCache(client, deps.Now),
		clientKeys: clientKeys, nonces: nonces,
		sender: logout.NewSender(logout.SenderConfig{
			Clients: register, Subjects: subjects, ClientKeys: clientKeys, Keys: keySet,
			DefaultAlg: keys.DefaultAlg(config.SigningKeys), Fetch: client, Log: deps.Log, Observer: deps.Development,
			Pauses: logout.Pauses(), Now: deps.Now, Random: deps.Random,
		}),
		cookieKeys: secrets, sealTerms: session.SealTerms{Secrets: secrets, Lifetime: interactionLifetime, Now: deps.Now},
	}, nil
}

// newRegister makes the register of clients: clients of the configuration, clients that the console added, and, if
// registration is enabled, clients that registered themselves.
func newRegister(config Config, deps Dependencies, secrets [][]byte) (*clients.Register, error) {
	place, unregistered := storage.Alone(), clients.Unregistered(nil)
	if deps.Development != nil {
		place, unregistered = deps.Development.Place(), deps.Development.Unregistered()
	}
	if !config.Registration.Enabled() {
		return clients.On(place, config.Clients, nil, unregistered), nil
	}
	seal, err := keys.NewSealFor("hush: client secrets", secrets)
	if err != nil {
		return nil, err
	}
	registered := clients.NewRegistered(deps.Store, seal, deps.Now)
	return clients.On(place, config.Clients, registered, unregistered), nil
}

// newKeys makes keys in memory or in the store. They are in the store if it outlives the process and cookie_keys are
// configured.
func newKeys(config Config, deps Dependencies, secrets [][]byte) (*keys.KeySet, error) {
	stored := deps.Durable && len(config.CookieKeys) > 0
	switch {
	case !stored && config.RotateEvery > 0: // only a key set in a store has a schedule
		return storedKeys(config, storage.NewMemory(deps.Now), secrets, deps.Now, 0)
	case !stored:
		return keys.New(config.SigningKeys, deps.Now)
	}
	return StoredKeys(config, deps.Store, deps.Now, deps.Propagation)
}

// at builds the provider at one issuer.
func (c *common) at(issuer string) http.Handler {
	config := c.config
	config.Issuer = issuer
	cookies := session.NewCookies(parseIssuer(issuer), c.cookieKeys, config.Session.Absolute)
	sessions := sessionsIn(config, c.deps.Store, c.deps.Now, cookies, c.deps.Random, &c.users.Known)
	sessions.Gone = func(ctx context.Context, ended []session.Ended) { c.sender.Send(ctx, issuer, ended) }
	devices := device.New(issuer, c.deps.Store, c.deps.Now, c.deps.Random)
	parts := Parts{
		Clients: c.clients, Sessions: sessions, Recognise: sessions, Consents: c.consents, Grants: c.grants, Signer: c.keys,
		Devices: devices,
	}
	observers := c.deps.Observers
	var site DevelopmentSite
	if c.deps.Development != nil {
		site = c.deps.Development.At(Site{
			Config: config, Pages: c.pages, Users: c.users, Keys: c.keys, Clients: c.clients, Sessions: sessions,
			Consents: c.consents, Grants: c.grants, Signer: c.keys, Sender: c.sender, Devices: devices,
			Tokens: c.direct(config),
		})
		parts, observers = site.Parts(), append(slices.Clone(observers), site)
	}
	metadata, byHost := &oidc.Metadata{}, map[string]*oidc.Metadata{}
	all := c.endpoints(config, sessions, parts, devices, metadata, byHost)
	*metadata = describe(config, c.subjects.Types(), c.pages.Languages(), all)
	maps.Copy(byHost, config.BackChannel().Metadata(*metadata, issuer, all))
	if site != nil {
		all = append(all, site.Endpoints(all)...)
	}
	all = endpoint.AtIssuer{Issuer: issuer, Host: c.limits.Addresses.Host, Redirects: site != nil}.Keep(all)
	return (&server{
		issuer: parseIssuer(issuer), base: endpoint.BaseOf(issuer), loopback: config.Loopback(), log: c.deps.Log,
		now:    c.deps.Now,
		errors: errorsOf(issuer, c.deps.Development), pages: c.pages, observers: observers,
		clients: c.clients, site: site,
		csrfName: cookies.Names()[0] + "-csrf", methods: map[string][]string{},
	}).mount(all)
}

// sealTermsAt are the terms of values that one issuer seals for itself.
func (c *common) sealTermsAt(issuer string) session.SealTerms {
	terms := c.sealTerms
	terms.Issuer = issuer
	return terms
}

// errorsOf gives errors the form that a client sees.
func errorsOf(issuer string, development Development) endpoint.Errors {
	if development == nil {
		return endpoint.Errors{}
	}
	return endpoint.Errors{ReasonPages: issuer + PathReasons, Remark: development.Remark}
}

// parseIssuer returns the issuer as a URL. Validate has already parsed it, so there is no error.
func parseIssuer(issuer string) *url.URL {
	u, err := url.Parse(issuer)
	if err != nil {
		panic(err)
	}
	return u
}

// cookieKeys returns the configured keys, or a random one.
func cookieKeys(configured []string, random func() string) [][]byte {
	if len(configured) == 0 {
		return [][]byte{[]byte(random() + random())}
	}
	keys := make([][]byte, len(configured))
	for i, key := range configured {
		keys[i] = []byte(key)
	}
	return keys
}

// StoredKeys returns the signing keys in store. They are encrypted with CookieKeys, which must be configured.
// propagation is how long other providers on the store may take to see a new key; 0: there are none. Its errors are
// those of keys.NewShared.
func StoredKeys(c Config, store storage.Store, now func() time.Time, propagation time.Duration) (*keys.KeySet, error) {
	return storedKeys(c, store, cookieKeys(c.CookieKeys, nil), now, propagation)
}

// storedKeys is StoredKeys with explicit secrets instead of the configured CookieKeys.
func storedKeys(
	c Config, store storage.Store, secrets [][]byte, now func() time.Time, propagation time.Duration,
) (*keys.KeySet, error) {
	seal, err := keys.NewSeal(secrets)
	if err != nil {
		return nil, err
	}
	if c.RotateEvery > 0 { // a scheduled rotation publishes a key before the key signs
		propagation = max(propagation, keys.DefaultPropagation)
	}
	lifetime := c.Session.Absolute // an id_token_hint should be valid for as long
	for _, client := range c.Clients {
		lifetime = max(lifetime, client.AccessTokenLifetime, client.IDTokenLifetime)
	}
	return keys.NewShared(c.SigningKeys, keys.Sharing{
		Store: store, Seal: seal, Now: now, Propagation: propagation, Lifetime: lifetime, RotateEvery: c.RotateEvery,
	})
}

// StoredSessions returns a manager that finds and ends the sessions in store. It cannot begin any.
func StoredSessions(c Config, store storage.Store, now func() time.Time) *session.Manager {
	return sessionsIn(c, store, now, session.Cookies{}, nil, nil)
}

func sessionsIn(
	c Config, store storage.Store, now func() time.Time, cookies session.Cookies, random func() string,
	subs *atomic.Pointer[map[string]bool],
) *session.Manager {
	return &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", store),
		Index:    storage.NewBucket[[]session.Entry]("session-index", store),
		Cookies:  cookies, Issuer: c.Issuer, Idle: c.Session.Idle, Absolute: c.Session.Absolute, Now: now, Random: random,
		Users: subs, UserList: &session.UserList{
			Records: storage.NewBucket[map[string]time.Time]("users", store), Absolute: c.Session.Absolute, Now: now,
		},
	}
}

// InitialAccessToken makes a token for registering clients. Every provider that has the first of CookieKeys accepts it
// for one day, at each of its issuers: they share the registered clients, so a token of one issuer would protect
// nothing.
func InitialAccessToken(c Config, now func() time.Time) (string, error) {
	switch {
	case len(c.CookieKeys) == 0:
		return "", errors.New("cookie_keys are missing: the token is sealed with the first of them, " +
			"and keys that the provider makes at start are known to that process only")
	case c.Registration.Mode == registration.ModeOff:
		return "", errors.New("registration.mode is off: set it to token, and the provider accepts these tokens")
	}
	terms := session.SealTerms{Secrets: cookieKeys(c.CookieKeys, nil), Lifetime: interactionLifetime, Now: now}
	return registration.InitialAccessToken(ticketSeal(terms))
}

// ticketSeal seals initial access tokens, for all issuers of a provider.
func ticketSeal(terms session.SealTerms) session.Seal[registration.Ticket] {
	return session.Seal[registration.Ticket]{Purpose: registration.SealPurpose, SealTerms: terms}
}
