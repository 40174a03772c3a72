package idp

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/interaction"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/login"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/static"
	"github.com/hush-idp/hush/storage"
)

// interactionKept is how long a person may take between the application and the last page.
const interactionKept = 24 * time.Hour

// Surroundings are what a provider takes from outside: they are fields so that tests and the console can replace them.
type Surroundings struct {
	Store  storage.Store    // where state lives
	Now    func() time.Time // the clock that everything is judged by
	Random func() string    // identifiers: 128 bits or more, without a dot; nil: crypto/rand.Text
	Log    *slog.Logger
}

// Provider is the identity provider, an http.Handler for the whole of its host.
type Provider struct {
	config   Config
	around   Surroundings
	keys     *keys.Ring
	pages    *pages.Pages
	clients  *clients.Register
	users    *users.Directory
	sessions *session.Manager
	grants   *grant.Grants
	consents *grant.Consents
	seals    []securecookie.Codec

	authorize *authorize.Endpoint
	token     *token.Endpoint
	login     *login.Endpoint
	logout    *logout.Endpoint

	router *echo.Echo
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
	p := &Provider{config: config, around: around, clients: clients.New(config.Clients)}
	if err := p.furnish(); err != nil {
		return nil, err
	}
	p.openEndpoints()
	p.router = p.routes()
	return p, nil
}

// ServeHTTP implements http.Handler. HEAD is answered as GET, whose body the server leaves out (RFC 9110 §9.3.2).
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		asGET := *r // a copy: the server looks at the method of its own
		asGET.Method = http.MethodGet
		r = &asGET
	}
	p.router.ServeHTTP(w, r)
}

// furnish builds what the endpoints share.
func (p *Provider) furnish() (err error) {
	if p.keys, err = keys.New(p.config.keySpecs()); err != nil {
		return err
	}
	if p.pages, err = pages.New(static.IDP()); err != nil {
		return err
	}
	if p.users, err = users.New(p.config.Users); err != nil {
		return err
	}
	cookieKeys := p.config.cookieKeys(p.around.Random)
	p.seals = session.Codecs(cookieKeys, interactionKept)
	p.sessions = p.newSessions(cookieKeys)
	p.grants = &grant.Grants{
		Codes:   storage.NewBucket[grant.Code]("code", p.around.Store),
		Revoked: storage.NewBucket[time.Time]("revoked", p.around.Store),
		Now:     p.around.Now,
		Random:  p.around.Random,
	}
	p.consents = &grant.Consents{
		Records: storage.NewBucket[map[string]grant.Consent]("consent", p.around.Store),
		Now:     p.around.Now,
	}
	return nil
}

func (p *Provider) newSessions(cookieKeys [][]byte) *session.Manager {
	return &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", p.around.Store),
		Cookies:  session.NewCookies(p.issuer(), cookieKeys, p.config.Session.Absolute),
		Idle:     p.config.Session.Idle,
		Absolute: p.config.Session.Absolute,
		Now:      p.around.Now,
		Random:   p.around.Random,
	}
}

func (p *Provider) openEndpoints() {
	interactions := interaction.Seal[interaction.Interaction]{Purpose: interaction.ForAuthorize, Codecs: p.seals}
	p.authorize = &authorize.Endpoint{
		Issuer: p.config.Issuer, Scopes: p.config.scope(), Clients: p.clients, Users: p.users, Sessions: p.sessions,
		Grants: p.grants, Consents: p.consents, Interactions: interactions, Now: p.around.Now,
		Hints: func(idToken string) (string, error) {
			hint, err := p.hint(idToken)
			return hint.Subject, err
		},
	}
	p.token = &token.Endpoint{
		Issuer: p.config.Issuer, Audience: p.config.Audience, Clients: p.clients, Grants: p.grants,
		Sign: p.keys.Sign, Now: p.around.Now, Random: p.around.Random,
	}
	p.login = &login.Endpoint{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: p.sessions,
		Consents: p.consents, Interactions: interactions, ScopeTexts: p.config.scopeTexts(), OneClick: p.config.Development(),
	}
	p.logout = &logout.Endpoint{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: p.sessions,
		Seal: interaction.Seal[url.Values]{Purpose: interaction.ForLogout, Codecs: p.seals}, Hints: p.hint,
	}
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
