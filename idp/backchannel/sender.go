package backchannel

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Pauses are how long the sender waits after a try that failed, and so how many there are after the first.
func Pauses() []time.Duration { return []time.Duration{time.Second, 5 * time.Second, 30 * time.Second} }

// Sender tells clients. Make it by New.
type Sender struct {
	Config
	turn    chan struct{}
	closing chan struct{}
	ctx     context.Context // of all requests
	cancel  func()
	running sync.WaitGroup

	mutex   sync.Mutex // guards running against Close, and what follows
	closed  bool
	waiting int              // clients that are to be told
	lanes   map[string]*lane // by client_id
}

// Config is what a Sender needs from the rooms around it.
type Config struct {
	Clients interface {
		ByID(ctx context.Context, clientID string) (oidc.Client, error)
	}
	// Subject is what the client calls the user.
	Subject func(ctx context.Context, client oidc.Client, sub string) (string, error)
	Sign    func(alg, typ string, claims any) (string, error)
	Encrypt func(ctx context.Context, client oidc.Client, signed string) (string, error)
	// Post is that of a *fetch.Client: no redirect is followed, no private address asked unless that is allowed.
	Post   func(ctx context.Context, address string, form url.Values) (status int, err error)
	Report func(Telling) // is told of each try
	Pauses []time.Duration
	Now    func() time.Time
	Random func() string // jti: 128 bits or more
}

// New returns a sender that works until Close.
func New(c Config) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	return &Sender{
		Config: c, turn: make(chan struct{}, maxAtOnce), closing: make(chan struct{}), ctx: ctx, cancel: cancel, lanes: map[string]*lane{},
	}
}

// delivery is one client that is to be told of one account's end.
type delivery struct {
	client oidc.Client
	ended  session.Ended
	lane   *lane
	first  chan struct{} // closed after the first try, when telling is set
	result Telling
}

// Round is what one sign-out set going.
type Round struct{ deliveries []*delivery }

// Tell begins to tell the clients of all accounts that were signed out, those that registered a backchannel_logout_uri, and does not
// wait for them.
func (s *Sender) Tell(ctx context.Context, gone []session.Ended) (round Round) {
	for _, ended := range gone {
		for _, id := range ended.Clients {
			client, err := s.Clients.ByID(ctx, id)
			if errors.Is(err, clients.ErrUnknown) || err == nil && client.BackchannelLogoutURI == "" {
				continue
			}
			d := &delivery{client: client, ended: ended, first: make(chan struct{})}
			round.deliveries = append(round.deliveries, d)
			if err != nil { // nobody knows where it wants to be told
				d.client.ClientID = id
				s.report(d, 1, err, false)
				continue
			}
			s.begin(d)
		}
	}
	return round
}

// begin tells one client, in the background.
func (s *Sender) begin(d *delivery) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.enter(d); err != nil {
		s.report(d, 1, err, false)
		return
	}
	s.running.Go(func() {
		defer s.leave(d)
		s.deliver(d)
	})
}

var errClosed = errors.New("the provider is ending")

// deliver tries until the client was told, or there were enough tries.
func (s *Sender) deliver(d *delivery) {
	for try := 1; ; try++ {
		err := s.try(d)
		again := err != nil && try <= len(s.Pauses) && !s.ending()
		s.report(d, try, err, again)
		if !again {
			return
		}
		s.pause(s.Pauses[try-1])
	}
}

func (s *Sender) ending() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// pause ends early when the sender closes: then the next try is the last.
func (s *Sender) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
	}
}

// try sends one logout request. §2.5: "The OP uses an HTTP POST to the registered back-channel logout URI".
// https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest
func (s *Sender) try(d *delivery) error {
	for _, turn := range []chan struct{}{d.lane.turn, s.turn} {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-s.ctx.Done():
			return errClosed
		}
	}
	token, err := s.make(s.ctx, d)
	if err != nil {
		return err
	}
	status, err := s.Post(s.ctx, d.client.BackchannelLogoutURI, url.Values{"logout_token": {token}})
	if err == nil && !told(status) {
		err = fmt.Errorf("%s answers with status %d, expected 200 (Back-Channel Logout §2.8)", d.client.BackchannelLogoutURI, status)
	}
	return err
}

func (s *Sender) report(d *delivery, try int, err error, again bool) {
	telling := Telling{Client: d.client, SID: d.ended.SID, Try: try, Err: err, Again: again}
	if try == 1 {
		d.result = telling
		close(d.first)
	}
	s.Report(telling)
}

// errSlow stands for an answer that has not come yet.
var errSlow = errors.New("it has not answered yet")

// Wait waits until each client was tried once, or ctx ends, and returns what is known then.
func (r Round) Wait(ctx context.Context) []Telling {
	tellings := make([]Telling, len(r.deliveries))
	for i, d := range r.deliveries {
		select {
		case <-d.first:
		case <-ctx.Done():
		}
		tellings[i] = d.known()
	}
	return tellings
}

// known is what became of the first try so far.
func (d *delivery) known() Telling {
	select {
	case <-d.first:
		return d.result
	default:
		return Telling{Client: d.client, SID: d.ended.SID, Try: 1, Err: errSlow, Again: true}
	}
}

// Close lets whoever waits for another try have it now, as the last one, and waits for all until ctx ends; then it gives up. Nothing
// new is begun.
func (s *Sender) Close(ctx context.Context) {
	s.mutex.Lock()
	if s.closed {
		s.mutex.Unlock()
		return
	}
	s.closed = true
	close(s.closing)
	s.mutex.Unlock()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	s.cancel()
	<-done
}
