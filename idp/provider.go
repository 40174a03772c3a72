package idp

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/device"
	"github.com/hush-idp/hush/idp/discovery"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/login"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/userinfo"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
	"github.com/hush-idp/hush/storage"
)

// interactionKept is how long a person may take between the application and the last page.
const interactionKept = 24 * time.Hour

// Dependencies are supplied by the caller: store, clock, randomness, logger, observers. Tests replace them.
type Dependencies struct {
	Store storage.Store // where state lives
	// Durable says that the store outlives the process: then signing keys live in it too, encrypted with the configured
	// cookie_keys, and the process that comes after signs with them.
	Durable bool
	// Propagation is how long other providers on the same store may take to notice something; 0: there are none.
	Propagation time.Duration
	// Usable tells why the store cannot be used now, for /readyz. nil: it always can.
	Usable func(context.Context) error
	Now    func() time.Time // the clock that everything is judged by
	Random func() string    // identifiers: 128 bits or more, without a dot; nil: crypto/rand.Text
	Log    *slog.Logger
	// Observers measure. None is needed.
	Observers []Observer
	// Endpoints are served besides the provider's own.
	Endpoints []endpoint.Endpoint
	// Development adds development mode; see package dev. nil: there is none.
	Development Development
	Ending      <-chan struct{} // closed when the server ends, so that the console's streams do; nil: they end with their requests
}

// Provider is the identity provider, an http.Handler for the whole of its host.
type Provider struct {
	*shared
	first *site
	sites map[string]*site // by host: the same provider at its other issuers
}

// site is the provider at one issuer.
type site struct {
	*shared
	config   Config // Issuer is that of the site
	sessions *session.Manager
	access   *access.Tokens

	clientAuth *clientauth.Authenticator // for each endpoint where clients authenticate

	authorize     *authorize.Endpoint
	token         *token.Endpoint
	revocation    *access.Revocation
	introspection *access.Introspection
	userinfo      *userinfo.Endpoint
	dpop          *dpop.Checker
	login         *login.Endpoint
	devices       *device.Authorization
	devicePage    *device.Page
	waiting       *device.Devices
	registration  *registration.Endpoint
	logout        *logout.Endpoint
	account       *logout.Account
	checkSession  *logout.CheckSession
	development   DevelopmentSite // nil without development mode
	description   *oidc.Metadata  // complete when the endpoints are mounted

	handler http.Handler
}

// shared is what the sites have in common: everything that does not depend on the issuer.
type shared struct {
	deps        Dependencies
	keys        *keys.KeySet
	pages       *pages.Pages
	clients     *clients.Register
	users       *users.Directory
	grants      *grant.Grants
	consents    *grant.Consents
	subjects    *clients.Subjects
	limits      *limit.Limits
	fetch       *fetch.Client
	clientKeys  *clients.Keys
	nonces      dpop.Nonces
	backchannel *logout.Sender
	cookieKeys  [][]byte
	seals       []securecookie.Codec
}

// New builds the provider that config describes. It returns Problems for a configuration that cannot be, and an error
// that names the file for a signing key that cannot be read. Keys without a file are made in the background: New does
// not wait for them, the first request that needs one does.
func New(config Config, around Dependencies) (*Provider, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if around.Random == nil {
		around.Random = rand.Text
	}
	h, err := newShared(config, around)
	if err != nil {
		return nil, err
	}
	p := &Provider{shared: h, first: h.at(config, config.Issuer), sites: map[string]*site{}}
	for _, issuer := range config.Layouts {
		other := h.at(config, issuer)
		p.sites[other.issuer().Host] = other
	}
	return p, nil
}

// ServeHTTP implements http.Handler. A request for the host of another layout's issuer goes there; every other is
// for the first. HEAD is answered as GET, whose body the server leaves out (RFC 9110 §9.3.2).
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := p.first
	if other, ok := p.sites[r.Host]; ok {
		at = other
	}
	if r.Method == http.MethodHead {
		asGET := *r // a copy: the server looks at the method of its own
		asGET.Method = http.MethodGet
		r = &asGET
	}
	at.handler.ServeHTTP(w, r)
}

// newShared builds what the sites have in common.
func newShared(config Config, deps Dependencies) (h *shared, err error) {
	for _, observer := range deps.Observers {
		deps.Store = observer.Store(deps.Store)
	}
	place := storage.Alone()
	if deps.Development != nil {
		place = deps.Development.Place()
	}
	h = &shared{deps: deps, clients: clients.On(place, config.Clients), cookieKeys: cookieKeys(config.CookieKeys, deps.Random)}
	if h.keys, err = h.newKeys(config); err != nil {
		return nil, err
	}
	if err = h.openFetch(config); err != nil {
		return nil, err
	}
	if h.nonces, err = dpop.NewNonces(h.cookieKeys, deps.Now); err != nil {
		return nil, err
	}
	if err = h.openRegister(config); err != nil {
		return nil, err
	}
	h.limits, err = limit.New(config.Limits, deps.Now, deps.Log, clientauth.Confidential(h.clients))
	if err != nil {
		return nil, err
	}
	if h.pages, err = pages.New(static.IDP()); err != nil {
		return nil, err
	}
	if h.users, err = users.New(config.Users); err != nil {
		return nil, err
	}
	h.subjects = clients.NewSubjects(config.PairwiseSalt, h.users)
	h.openBackchannel(config)
	h.seals = session.Codecs(h.cookieKeys, interactionKept)
	h.grants = grant.New(deps.Store, deps.Now, deps.Random)
	h.grants.Grace = *config.Refresh.Grace
	h.consents = &grant.Consents{
		Records: storage.NewBucket[map[string]grant.Consent]("consent", deps.Store),
		Grants:  h.grants,
		Now:     h.deps.Now,
	}
	return h, nil
}

// newKeys are keys of this process, or those of the store where it outlives the process and somebody configured the
// secret.
func (h *shared) newKeys(config Config) (*keys.KeySet, error) {
	isKept := h.deps.Durable && len(config.CookieKeys) > 0
	switch {
	case !isKept && config.RotateEvery > 0: // only keys in a store have a schedule
		return storedKeys(config, storage.NewMemory(h.deps.Now), h.cookieKeys, h.deps.Now, 0)
	case !isKept:
		return keys.New(config.SigningKeys)
	}
	return StoredKeys(config, h.deps.Store, h.deps.Now, h.deps.Propagation)
}

// at builds the provider at one issuer.
func (h *shared) at(config Config, issuer string) *site {
	config.Issuer = issuer
	p := &site{shared: h, config: config, description: &oidc.Metadata{}}
	p.sessions = StoredSessions(config, h.deps.Store, h.deps.Now)
	p.sessions.Cookies = session.NewCookies(p.issuer(), h.cookieKeys, config.Session.Absolute)
	p.sessions.Issuer, p.sessions.Random = issuer, h.deps.Random
	parts := Parts{
		Clients: p.clients, Sessions: p.sessions, Recognise: p.sessions, Consents: p.consents, Grants: p.grants, Signer: p.keys,
	}
	if h.deps.Development != nil {
		p.development = h.deps.Development.At(Site{
			Config: config, Pages: p.pages, Users: p.users, Keys: p.keys, Clients: p.clients, Sessions: p.sessions,
			Consents: p.consents, Grants: p.grants, SignedOut: p.signedOut, Signer: p.keys,
		})
		parts = p.development.Parts()
	}
	p.waiting = device.New(p.deps.Store, p.deps.Now, p.deps.Random)
	p.openEndpoints(parts)
	p.openDevices()
	p.handler = p.serve()
	return p
}

// serve mounts all endpoints.
func (p *site) serve() http.Handler {
	s := &server{
		issuer: p.issuer(), loopback: p.config.Loopback(), log: p.deps.Log, now: p.deps.Now, random: p.deps.Random,
		errors: p.errors(), pages: p.pages, observers: p.deps.Observers, allows: p.clients.AllowsOrigin,
		csrfName: p.sessions.Cookies.Names()[0] + "-csrf", site: p.development, endpoints: map[string]endpoint.Endpoint{},
	}
	all := p.endpoints()
	home := &discovery.Home{
		Issuer: p.config.Issuer, Development: p.config.Development(), Pages: p.pages, Users: p.users, Clients: p.clients,
		Sessions: p.sessions, Consents: p.consents, Served: all,
	}
	all = slices.Concat(all, home.Endpoints(), aliases(p.config.Aliases, all))
	if p.development != nil {
		s.observers = append(slices.Clone(s.observers), p.development)
		all = append(all, p.development.Endpoints(all)...)
	}
	*p.description = p.metadata()
	return s.mount(all)
}

func (p *site) openEndpoints(s Parts) {
	p.clientAuth = &clientauth.Authenticator{
		Issuer: p.config.Issuer, TokenEndpoint: p.config.Issuer + token.Path, Clients: s.Clients, Keys: p.clientKeys,
		Assertions: storage.NewBucket[time.Time]("assertion", p.deps.Store), Now: p.deps.Now,
	}
	p.access = &access.Tokens{
		Issuer: p.config.Issuer, Subjects: p.subjects, Signer: s.Signer, Keys: p.keys, Grants: p.grants, Now: p.deps.Now,
		Random: p.deps.Random, Records: storage.NewBucket[access.Token]("access", p.deps.Store),
	}
	p.dpop = &dpop.Checker{
		Issuer: p.config.Issuer, Nonces: p.nonces, RequireNonce: p.config.DPoP.RequireNonce,
		Used: storage.NewBucket[time.Time]("dpop", p.deps.Store), Now: p.deps.Now,
	}
	p.registration = &registration.Endpoint{
		Issuer: p.config.Issuer, Config: p.config.Registration, Tickets: ticketSeal(p.seals), Clients: p.clients.Registered,
		Fetch: p.fetch, Metadata: p.metadata, SigningAlg: keys.DefaultAlg(p.config.SigningKeys),
		Development: p.config.Loopback(), Random: p.deps.Random, Limit: p.limits.Registration, Errors: p.errors(),
	}
	p.userinfo = &userinfo.Endpoint{
		Issuer: p.config.Issuer, Tokens: p.access, Clients: p.clients, ClientKeys: p.clientKeys, Users: p.users, Keys: p.keys,
		DPoP: p.dpop, Release: release(p.config.Scopes), Errors: p.errors(),
	}
	p.revocation = &access.Revocation{
		Issuer: p.config.Issuer, Auth: p.clientAuth, Grants: p.grants, Tokens: p.access, Limit: p.limits.Guesses,
	}
	p.introspection = &access.Introspection{
		Issuer: p.config.Issuer, Auth: p.clientAuth, Clients: p.clients, Users: p.users, Grants: p.grants, Tokens: p.access,
		Signer: s.Signer, Algs: p.algs(), DefaultAlg: keys.DefaultAlg(p.config.SigningKeys), Now: p.deps.Now, Limit: p.limits.Guesses,
	}
	interactions := session.Seal[session.Interaction]{Purpose: session.ForAuthorize, Codecs: p.seals}
	p.authorize = p.newAuthorize(s, interactions)
	issuer := &token.Issuer{
		Issuer: p.config.Issuer, Audience: p.config.Audience, Access: p.access, Signer: s.Signer, Keys: p.clientKeys,
		Users: p.users, Release: release(p.config.Scopes), Now: p.deps.Now, Random: p.deps.Random,
	}
	lifetimes := token.Refresh{Idle: p.config.Refresh.Idle, Absolute: p.config.Refresh.Absolute}
	p.token = &token.Endpoint{
		Issuer: p.config.Issuer, Auth: p.clientAuth, Proofs: p.dpop, Limit: p.limits.Token,
		Grants: token.GrantTypes{
			oidc.GrantAuthorizationCode: &token.AuthorizationCode{Grants: s.Grants, Issuer: issuer, Refresh: lifetimes},
			oidc.GrantRefreshToken: &token.RefreshToken{
				Grants: s.Grants, Issuer: issuer, Users: p.users, Refresh: lifetimes,
			},
			oidc.GrantClientCredentials: &token.ClientCredentials{
				Issuer: issuer, Scopes: p.config.KnownScope(), Resources: knownResources(p.config),
			},
			oidc.GrantDeviceCode: &token.DeviceCode{Devices: p.waiting, Grants: s.Grants, Issuer: issuer, Refresh: lifetimes},
		},
	}
	p.login = &login.Endpoint{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: s.Sessions,
		Consents: p.consents, Interactions: interactions, ScopeTexts: scopeTexts(p.config.Scopes), OneClick: p.config.Development(),
		Limit: p.limits.Login, Addresses: p.limits.Addresses, Passwords: p.limits.Passwords,
	}
	p.logout = &logout.Endpoint{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: s.Sessions,
		Seal: session.Seal[url.Values]{Purpose: session.ForLogout, Codecs: p.seals}, Hints: p.authorize.Hints,
		Sender: p.backchannel,
	}
	p.account = &logout.Account{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: p.sessions, Consents: p.consents,
		Grants: p.grants, ScopeTexts: scopeTexts(p.config.Scopes), Sender: p.backchannel,
	}
	p.checkSession = &logout.CheckSession{Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Sessions: p.sessions}
}

// errors gives errors the form that a client sees.
func (p *site) errors() endpoint.Errors {
	if p.deps.Development == nil {
		return endpoint.Errors{}
	}
	return endpoint.Errors{ReasonPages: p.config.Issuer + PathReasons}
}

// issuer is the issuer as a URL; Validate has read it before.
func (p *site) issuer() *url.URL {
	u, err := url.Parse(p.config.Issuer)
	if err != nil {
		panic(err)
	}
	return u
}

// metadata describes the provider: what it says here works, and what works is said here.
func (p *site) metadata() oidc.Metadata {
	m := oidc.Metadata{
		Issuer: p.config.Issuer,

		ScopesSupported:                     p.config.KnownScope(),
		ResponseTypesSupported:              []string{"code"},
		SubjectTypesSupported:               p.subjects.Types(),
		IDTokenEncryptionAlgValuesSupported: oidc.EncryptionAlgs(),
		IDTokenEncryptionEncValuesSupported: oidc.EncryptionEncs(),
		IDTokenSigningAlgValuesSupported:    p.algs(),
		CodeChallengeMethodsSupported:       []string{"S256"},
		PromptValuesSupported:               oidc.KnownPrompts(),
		DisplayValuesSupported:              []string{"page", "popup"},
		ClaimTypesSupported:                 []string{"normal"},
		ClaimsSupported:                     p.claimsSupported(),
		UILocalesSupported:                  p.pages.Languages(),

		AuthorizationSigningAlgValuesSupported:     p.algs(),
		ClaimsParameterSupported:                   true,
		RequestParameterSupported:                  true,
		RequestURIParameterSupported:               true,
		RequireRequestURIRegistration:              true,
		AuthorizationResponseIssParameterSupported: true,
	}
	for _, e := range p.endpoints() {
		if e.Describe != nil {
			e.Describe(&m)
		}
	}
	return m
}

func (p *site) algs() []string {
	var algs []string
	for _, alg := range p.keys.Algs() {
		algs = append(algs, string(alg))
	}
	return algs
}

func (p *site) claimsSupported() []string {
	always := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr"}
	return append(always, p.authorize.Release.Names(p.config.KnownScope())...)
}

// Ready waits for the signing keys and returns why one cannot be used.
func (p *Provider) Ready() error {
	return (&discovery.Health{Keys: p.keys}).Ready(context.Background())
}
