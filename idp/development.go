package idp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/console"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/lab"
	"github.com/hush-idp/hush/idp/replica"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// viewAge is how old may be what is known of another replica's console.
const viewAge = time.Second

// catchUpLimit is how long a request waits to learn of them.
const catchUpLimit = 500 * time.Millisecond

// development is what only development mode has: who watches, and who meddles. Both stand outside the protocol, as decorators
// at the seams; without development mode they are not there at all.
type development struct {
	hub          *trace.Hub
	lab          *lab.Lab
	consoleToken string   // what requests that change something at the console must bring
	issuers      []string // of all layouts
}

// Trace is what the provider saw; nil without development mode.
func (p *Provider) Trace() *trace.Hub {
	if p.development == nil {
		return nil
	}
	return p.hub
}

// Lab makes the provider fail on purpose; nil without development mode.
func (p *Provider) Lab() *lab.Lab {
	if p.development == nil {
		return nil
	}
	return p.lab
}

// develop gives the house its window and its failure lab. From here on the house lives by the lab's clock, and the trace by
// the real one, which it shares with the browser. Clients that the console adds, faults and the clock live in the store, so that
// replicas share them and they survive with it.
func (h *house) develop(config Config) (*development, error) {
	link, err := h.newLink(config)
	if err != nil {
		return nil, err
	}
	place := storage.Place{Store: h.around.Store, Now: h.around.Now, Changed: link.Changed}
	if h.around.Propagation > 0 {
		place.Age = viewAge
	}
	h.clients = clients.On(place, config.Clients)
	options := trace.Options{Now: h.around.Now}
	if link != nil {
		options.Tell = link.Tell
	}
	d := &development{
		hub:          trace.NewHub(options),
		lab:          lab.On(place, h.around.Now, h.around.Random),
		consoleToken: consoleToken(h.cookieKeys[0]),
		issuers:      append([]string{config.Issuer}, config.Layouts...),
	}
	if link != nil {
		h.join(link, d)
	}
	h.around.Now = d.lab.Clock.Now
	return d, nil
}

// newLink is the link to the consoles of other replicas, nil where there are none, or where they have no key in common.
func (h *house) newLink(config Config) (*replica.Link, error) {
	if h.around.Bus == nil || len(config.CookieKeys) == 0 {
		return nil, nil
	}
	return replica.New(h.around.Bus, h.cookieKeys, h.around.Random())
}

// join lets the link run until the server ends. Records of other replicas go into the hub's flows; changes are read with the next
// request, instead of within viewAge.
func (h *house) join(link *replica.Link, d *development) {
	ctx, cancel := context.WithCancel(context.Background())
	if ending := h.around.Ending; ending != nil {
		go func() {
			<-ending
			cancel()
		}()
	}
	registered := h.clients
	go func() {
		defer cancel()
		link.Run(ctx, replica.Ears{Flow: d.hub.Hear, Changed: func() { registered.Expire(); d.lab.Expire() }, State: h.linkState})
	}()
}

// linkState says once that the link fails, and once that it works again.
func (h *house) linkState(direction string, err error) {
	if err != nil {
		h.around.Log.Warn("the consoles of replicas do not show each other's requests", "direction", direction, "error", err.Error())
		return
	}
	h.around.Log.Info("the consoles of replicas show each other's requests again", "direction", direction)
}

// consoleToken is the console's CSRF token: the same at every replica with the same cookie key, and after a restart.
func consoleToken(cookieKey []byte) string {
	mac := hmac.New(sha256.New, cookieKey)
	mac.Write([]byte("the console's CSRF token"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// openConsole gives this issuer its console. What it shows is the whole house's.
func (p *Provider) openConsole() {
	p.console = &console.Endpoint{
		Issuer: p.config.Issuer, Issuers: p.issuers, Origins: p.config.ConsoleOrigins, Token: p.consoleToken,
		Pages: p.pages, Hub: p.hub, Lab: p.lab, Clients: p.clients, Users: p.users, Keys: p.keys, Sessions: p.sessions,
		Scopes: p.config.KnownScope(), Ending: p.around.Ending,
	}
}

// seams are the rooms themselves; in development mode the failure lab stands before them, and before it the trace, which
// so sees what the protocol sees.
func (p *Provider) seams() seams {
	s := seams{
		clients: p.clients, sessions: p.sessions, recognise: p.sessions, consents: p.consents, grants: p.grants,
		sign: func(_ context.Context, alg, typ string, claims any) (string, error) {
			return p.keys.Sign(alg, typ, claims)
		},
	}
	if p.development == nil {
		return s
	}
	s.clients = p.lab.Clients(s.clients)
	s.consents = watchedConsents{p.lab.Consents(s.consents)}
	ledger := session.NewLedger(p.sessions)
	s.recognise = watchedSession{p.lab.Sessions(ledger), p.sessions.Cookies}
	s.sessions = watchedSignIn{ledger}
	s.grants = watchedGrants{p.lab.Grants(s.grants)}
	s.sign = watchedSign(p.lab.Sign(s.sign, p.keys))
	return s
}

// Fail implements DevelopmentSite: the failure lab may answer in place of the endpoint.
func (p *Provider) Fail(e endpoint.Endpoint, next endpoint.Handler) endpoint.Handler {
	if e.Untraced {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		failing, handled, err := p.lab.Intercept(w, r, e.Name)
		if handled || err != nil {
			return err
		}
		err = next(w, failing)
		r.Form, r.PostForm = failing.Form, failing.PostForm // for the observers of r
		return err
	}
}

// catchUp lets the console's changes of other replicas count. While the store is away, what was known goes on.
// Both looks together may take catchUpLimit: the request waits, and has to be answered within three seconds.
func (p *Provider) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, catchUpLimit)
	defer cancel()
	_ = p.clients.CatchUp(ctx)
	_ = p.lab.CatchUp(ctx)
}
