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
	"github.com/hush-idp/hush/idp/account"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/backchannel"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clientkeys"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/console"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/interaction"
	"github.com/hush-idp/hush/idp/introspect"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/login"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/revoke"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/subject"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/static"
	"github.com/hush-idp/hush/storage"
)

// interactionKept is how long a person may take between the application and the last page.
const interactionKept = 24 * time.Hour

// Surroundings are what a provider takes from outside: they are fields so that tests and the console can replace them.
type Surroundings struct {
	Store storage.Store // where state lives
	// Durable says that the store outlives the process: then signing keys live in it too, encrypted with the configured
	// cookie_keys, and the process that comes after signs with them.
	Durable bool
	// Propagation is how long other providers on the same store may take to notice something; 0: there are none.
	Propagation time.Duration
	// Bus carries what the consoles of several providers on the store tell each other, in development mode and with configured
	// cookie_keys only. nil: nothing.
	Bus storage.Bus
	// Usable tells why the store cannot be used now, for /readyz. nil: it always can.
	Usable func(context.Context) error
	Now    func() time.Time // the clock that everything is judged by
	Random func() string    // identifiers: 128 bits or more, without a dot; nil: crypto/rand.Text
	Log    *slog.Logger
	// Observers measure. None is needed.
	Observers []Observer
	// Endpoints are served besides the provider's own.
	Endpoints []endpoint.Endpoint
	Ending    <-chan struct{} // closed when the server ends, so that the console's streams do; nil: they end with their requests
}

// Provider is the identity provider, an http.Handler for the whole of its host.
type Provider struct {
	*house
	config   Config // Issuer is that of this layout
	sessions *session.Manager
	access   *access.Tokens

	clientAuth *clientauth.Authenticator // for each endpoint where clients authenticate

	authorize  *authorize.Endpoint
	token      *token.Endpoint
	revoke     *revoke.Endpoint
	introspect *introspect.Endpoint
	login      *login.Endpoint
	devices    devices
	// registration is nil where nobody may register.
	registration *registration.Endpoint
	logout       *logout.Endpoint
	account      *account.Endpoint
	console      *console.Endpoint // nil without development mode

	handler http.Handler
	layouts map[string]*Provider // by host: the same house at the other issuers
}

// house is what the layouts share: everything that does not depend on the issuer.
type house struct {
	around     Surroundings
	keys       *keys.Ring
	pages      *pages.Pages
	clients    *clients.Register
	users      *users.Directory
	grants     *grant.Grants
	consents   *grant.Consents
	subjects   *subject.Subjects
	limits     *limits
	fetch      *fetch.Client
	clientKeys *clientkeys.Keys
	dpop       *dpop.Checker
	// backchannel tells clients of sign-outs.
	backchannel *backchannel.Sender
	cookieKeys  [][]byte
	seals       []securecookie.Codec

	*development // nil without development mode
}

// New builds the provider that config describes. It returns Problems for a configuration that cannot be, and an error
// that names the file for a signing key that cannot be read. Keys without a file are made in the background: New does
// not wait for them, the first request that needs one does.
func New(config Config, around Surroundings) (*Provider, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if around.Random == nil {
		around.Random = rand.Text
	}
	h, err := furnish(config, around)
	if err != nil {
		return nil, err
	}
	p := h.at(config, config.Issuer)
	p.layouts = map[string]*Provider{}
	for _, issuer := range config.Layouts {
		layout := h.at(config, issuer)
		p.layouts[layout.issuer().Host] = layout
	}
	return p, nil
}

// ServeHTTP implements http.Handler. A request for the host of another layout's issuer goes there; every other is for the first.
// HEAD is answered as GET, whose body the server leaves out (RFC 9110 §9.3.2).
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if layout, ok := p.layouts[r.Host]; ok {
		p = layout
	}
	if r.Method == http.MethodHead {
		asGET := *r // a copy: the server looks at the method of its own
		asGET.Method = http.MethodGet
		r = &asGET
	}
	p.handler.ServeHTTP(w, r)
}

// furnish builds what the endpoints share.
func furnish(config Config, around Surroundings) (h *house, err error) {
	for _, observer := range around.Observers {
		around.Store = observer.Store(around.Store)
	}
	h = &house{around: around, clients: clients.New(config.Clients)}
	h.cookieKeys = config.cookieKeys(around.Random)
	if config.Development() {
		if h.development, err = h.develop(config); err != nil {
			return nil, err
		}
	}
	if h.keys, err = h.newKeys(config); err != nil {
		return nil, err
	}
	if err = h.openFetch(config); err != nil {
		return nil, err
	}
	if err = h.openDPoP(); err != nil {
		return nil, err
	}
	if err = h.openRegister(config); err != nil {
		return nil, err
	}
	h.openSubjects(config)
	h.openBackchannel(config)
	if h.limits, err = newLimits(config.Limits, around, h.clients); err != nil {
		return nil, err
	}
	if h.pages, err = pages.New(static.IDP()); err != nil {
		return nil, err
	}
	if h.users, err = users.New(config.Users); err != nil {
		return nil, err
	}
	if h.development != nil {
		for _, user := range h.users.All() {
			h.lab.Users = append(h.lab.Users, user.Sub)
		}
	}
	h.seals = session.Codecs(h.cookieKeys, interactionKept)
	h.grants = newGrants(config, around, h.around.Now)
	h.consents = &grant.Consents{
		Records: storage.NewBucket[map[string]grant.Consent]("consent", around.Store),
		Grants:  h.grants,
		Now:     h.around.Now,
	}
	return h, nil
}

// newKeys are keys of this process, or those of the store where it outlives the process and somebody configured the secret.
func (h *house) newKeys(config Config) (*keys.Ring, error) {
	isKept := h.around.Durable && len(config.CookieKeys) > 0
	switch {
	case !isKept && config.RotateEvery > 0: // only a ring on a store has a schedule
		return config.ring(storage.NewMemory(h.around.Now), h.cookieKeys, h.around.Now, 0)
	case !isKept:
		return keys.New(config.KeySpecs())
	}
	return config.KeptKeys(h.around.Store, h.around.Now, h.around.Propagation)
}

// at opens the house at one issuer.
func (h *house) at(config Config, issuer string) *Provider {
	config.Issuer = issuer
	p := &Provider{house: h, config: config}
	p.sessions = config.SessionsIn(h.around.Store, h.around.Now)
	p.sessions.Cookies = session.NewCookies(p.issuer(), h.cookieKeys, config.Session.Absolute)
	p.sessions.Issuer, p.sessions.Random = issuer, h.around.Random
	if h.development != nil {
		p.openConsole()
	}
	s := p.seams()
	p.openEndpoints(s)
	p.openRequests()
	p.openRevocation(s)
	p.openRegistration()
	p.openDevices()
	p.openSessions()
	p.handler = p.serve()
	return p
}

// serve mounts all endpoints.
func (p *Provider) serve() http.Handler {
	s := &server{
		issuer: p.issuer(), loopback: p.config.Loopback(), log: p.around.Log, now: p.around.Now, random: p.around.Random,
		errors: p.errors(), pages: p.pages, observers: p.around.Observers, allows: p.clients.AllowsOrigin,
		csrfName: p.sessions.Cookies.Names()[0] + "-csrf", endpoints: map[string]endpoint.Endpoint{},
	}
	all := p.endpoints()
	all = append(all, aliases(p.config.Aliases, all)...)
	if p.development != nil {
		s.site, s.observers = p, append(slices.Clone(s.observers), p)
		all = append(all, p.developmentEndpoints()...)
	}
	return s.mount(all)
}

// seams are where the endpoints touch the rooms around them, as the endpoints see them.
type seams struct {
	clients  authorize.Clients
	sessions interface {
		login.Sessions
		logout.Sessions
	}
	recognise authorize.Sessions // the sessions, as /authorize sees them
	consents  authorize.Consents
	grants    interface {
		authorize.Grants
		token.Grants
		Revoke(ctx context.Context, id string) error
	}
	sign access.Sign
}

func (p *Provider) openEndpoints(s seams) {
	p.openClientAuth(s.clients)
	p.access = &access.Tokens{Issuer: p.config.Issuer, Subject: p.subjectOf, Sign: s.sign, Verify: p.keys.Verify, Grants: p.grants, Now: p.around.Now,
		Random: p.around.Random, Kept: storage.NewBucket[access.Token]("access", p.around.Store)}
	interactions := interaction.Seal[interaction.Interaction]{Purpose: interaction.ForAuthorize, Codecs: p.seals}
	p.authorize = &authorize.Endpoint{
		Issuer: p.config.Issuer, Scopes: p.config.KnownScope(), Clients: s.clients, Users: p.users, Sessions: s.recognise,
		Grants: s.grants, Consents: s.consents, Interactions: interactions, Now: p.around.Now, Explain: p.errors().Explain,
		Hints: func(idToken string) (string, error) {
			hint, err := p.hint(idToken)
			return hint.Subject, err
		},
	}
	p.token = &token.Endpoint{
		Issuer: p.config.Issuer, Audience: p.config.Audience, Clients: p.clientAuth, Grants: s.grants,
		Tokens: p.access, Sign: s.sign, Now: p.around.Now, Random: p.around.Random,
		Scopes: p.config.KnownScope(), Resources: p.config.KnownResources(), Refresh: p.config.refresh(), Knows: p.knows,
		Proof: p.tokenProof, Encrypt: p.encrypter().IDToken,
	}
	p.login = &login.Endpoint{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: s.sessions,
		Consents: p.consents, Interactions: interactions, ScopeTexts: p.config.scopeTexts(), OneClick: p.config.Development(),
		Attempt: p.limits.attempt,
	}
	p.logout = &logout.Endpoint{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: s.sessions,
		Seal: interaction.Seal[url.Values]{Purpose: interaction.ForLogout, Codecs: p.seals}, Hints: p.hint,
	}
}

// errors gives errors the form that a client sees.
func (p *Provider) errors() endpoint.Errors {
	if p.development == nil {
		return endpoint.Errors{}
	}
	return endpoint.Errors{ReasonPages: p.config.Issuer + pathReasons}
}

// issuer is the issuer as a URL; Validate has read it before.
func (p *Provider) issuer() *url.URL {
	u, err := url.Parse(p.config.Issuer)
	if err != nil {
		panic(err)
	}
	return u
}

// cookieKeys are the configured keys, or a random one.
func (c Config) cookieKeys(random func() string) [][]byte {
	if len(c.CookieKeys) == 0 {
		return [][]byte{[]byte(random() + random())}
	}
	keys := make([][]byte, len(c.CookieKeys))
	for i, key := range c.CookieKeys {
		keys[i] = []byte(key)
	}
	return keys
}
