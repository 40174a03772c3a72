// Package dev is development mode: it watches each request (trace), makes the provider fail on purpose (lab), serves
// the console, and explains reasons.
//
//	Mode ─► Dependencies ─► idp.New
//	  │                       │ At(site), once for each issuer
//	  └─ hub, lab, console ◄──┴─ Site: Request (watch.go), Parts (parts.go), Fail, Help (help.go), Endpoints
//
// The protocol does not depend on it: no endpoint imports this package, and the provider compiles without this folder.
// It works on a loopback issuer only.
package dev

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/idp/dev/console"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// viewAge is the longest time until a replica notices a change by the console of another replica.
const viewAge = time.Second

// Mode is development mode of one provider, at all its issuers. It implements idp.Development.
type Mode struct {
	deps    idp.Dependencies
	place   storage.Place
	hub     *trace.Hub
	lab     *lab.Lab
	token   string // the CSRF token of the console
	any     *anyClients
	issuers []string
	waits   *semaphore.Weighted // the requests that wait for a flow, at all issuers
	fetcher *check.Fetcher
}

// New builds development mode for a provider with this configuration. The provider is then built with
// the Dependencies of the Mode. Clients that the console adds, faults and the clock live in the store.
func New(config idp.Config, deps idp.Dependencies) *Mode {
	config = config.WithDefaults()
	if deps.Random == nil {
		deps.Random = rand.Text
	}
	place := storage.Place{Store: deps.Store, Now: deps.Now}
	if deps.Propagation > 0 {
		place.Age = viewAge
	}
	var anyone *anyClients
	if config.AnyClient {
		anyone = newAnyClients(keys.DefaultAlg(config.SigningKeys), config.Machine(), deps.Log)
	}
	roots, _ := config.Fetch.Roots() // idp.New returns the error
	return &Mode{
		deps: deps, place: place,
		hub:     trace.NewHub(trace.Options{Now: deps.Now}),
		lab:     lab.New(place, deps.Now, deps.Random),
		token:   consoleToken(config, deps.Random),
		any:     anyone,
		issuers: append([]string{config.Issuer}, config.Layouts...),
		waits:   console.NewWaits(),
		fetcher: check.NewFetcher(config.Fetch.Timeout, roots, deps.Now),
	}
}

// Provider builds the provider that config describes, with development mode if the configuration turns it on; else the
// Mode is nil. Its errors are those of idp.New.
func Provider(config idp.Config, deps idp.Dependencies) (*idp.Provider, *Mode, error) {
	if !config.WithDefaults().Development() {
		provider, err := idp.New(config, deps)
		return provider, nil, err
	}
	mode := New(config, deps)
	provider, err := idp.New(config, mode.Dependencies())
	return provider, mode, err
}

// Dependencies are the dependencies of New with this Mode and its clock. The trace uses the real clock, as the browser
// does.
func (m *Mode) Dependencies() idp.Dependencies {
	deps := m.deps
	deps.Now, deps.Development = m.lab.Clock.Now, m
	return deps
}

// Trace has the records of the requests.
func (m *Mode) Trace() *trace.Hub { return m.hub }

// Lab makes the provider fail on purpose.
func (m *Mode) Lab() *lab.Lab { return m.lab }

// Remark implements idp.Development.
func (m *Mode) Remark(ctx context.Context) string { return lab.Remark(ctx) }

// Place implements idp.Development.
func (m *Mode) Place() storage.Place { return m.place }

// Unregistered implements idp.Development.
func (m *Mode) Unregistered() clients.Unregistered {
	if m.any == nil {
		return nil
	}
	return m.any
}

// LogoutSent implements idp.Development. A repeated attempt has a flow of its own; the flow of the sign-out shows the
// first.
func (m *Mode) LogoutSent(sent logout.Sent) {
	if sent.Try == 1 {
		return
	}
	ctx, recorder := m.hub.Begin(context.Background(), trace.Record{
		ID: m.deps.Random(), Endpoint: "backchannel_logout", Method: http.MethodPost, Path: sent.Client.BackchannelLogoutURI,
		ClientID: sent.Client.ClientID,
	})
	trace.Emit(ctx, sent.Step())
	recorder.End()
}

// At implements idp.Development.
func (m *Mode) At(of idp.Site) idp.DevelopmentSite {
	return &site{
		Mode: m, Site: of, history: session.NewCookieHistory(of.Sessions),
		demo: &demo{origins: of.Config.ConsoleOrigins, now: m.deps.Now},
	}
}

// site is development mode at one issuer. It implements idp.DevelopmentSite.
type site struct {
	*Mode
	idp.Site
	history *session.CookieHistory
	demo    *demo
}

// Store implements idp.Observer.
func (s *site) Store(next storage.Store) storage.Store { return next }

// Endpoints implements idp.DevelopmentSite.
func (s *site) Endpoints(served []endpoint.Endpoint) []endpoint.Endpoint {
	page := &console.Endpoint{
		Issuer: s.Config.Issuer, Issuers: s.issuers,
		BackChannel: s.Config.BackChannel(), Origins: s.Config.ConsoleOrigins, Token: s.token,
		Pages: s.Pages, Hub: s.hub, Lab: s.lab, Clients: s.Clients, Users: s.Users, Keys: s.Keys, Sessions: s.Sessions,
		Consents: s.Consents, Tokens: s.Tokens, Waits: s.waits, Fetcher: s.fetcher,
		FetchPrivate: *s.Config.Fetch.AllowPrivate,
		Provided:     s.Config.Provided(), Ending: s.deps.Ending, Sender: s.Sender, Served: served,
	}
	return append(s.reasonEndpoints(), page.Endpoints()...)
}

// Fail implements idp.DevelopmentSite: the failure lab may answer in place of the endpoint.
func (s *site) Fail(e endpoint.Endpoint, next endpoint.Handler) endpoint.Handler {
	if e.Untraced {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		s.any.admit(r, e, s.Clients)
		failing, handled, err := s.lab.Intercept(w, r, e.Name)
		if handled || err != nil {
			return err
		}
		err = next(w, failing)
		r.Form, r.PostForm = failing.Form, failing.PostForm // for the observers of r
		return err
	}
}

// consoleToken is the console's CSRF token: the same at every replica with the same cookie key, and after a restart.
func consoleToken(config idp.Config, random func() string) string {
	if len(config.CookieKeys) == 0 {
		return random()
	}
	mac := hmac.New(sha256.New, []byte(config.CookieKeys[0]))
	mac.Write([]byte("the console's CSRF token"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
