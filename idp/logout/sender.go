package logout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Limits of the back channel. A slow client has a quarter of each, so it does not delay messages to other clients.
const (
	maxWaiting     = 1000           // deliveries that wait or run; more are refused
	maxWaitingEach = maxWaiting / 4 // of these, deliveries to one client
	maxAtOnce      = 16             // requests at a time
	maxAtOnceEach  = maxAtOnce / 4  // of these, requests to one client
)

// Pauses are the waits before each repetition of a failed request.
func Pauses() []time.Duration { return []time.Duration{time.Second, 5 * time.Second, 30 * time.Second} }

// Sender sends logout tokens to the clients that registered a backchannel_logout_uri (Back-Channel Logout §2.5).
// NewSender makes one.
type Sender struct {
	SenderConfig
	slots   chan struct{} // one for each running request
	closing chan struct{}
	ctx     context.Context // of all requests
	cancel  func()
	running sync.WaitGroup

	mutex   sync.Mutex // guards running against Close, and the fields below
	closed  bool
	waiting int
	queues  map[string]*queue // by client_id
}

// SenderConfig is what a Sender depends on.
type SenderConfig struct {
	Clients    clients.Lookup
	Subjects   *clients.Subjects
	ClientKeys *clients.Keys
	Keys       *keys.KeySet
	DefaultAlg string // signs for a client without id_token_signed_response_alg
	Fetch      *fetch.Client
	Log        *slog.Logger
	Observer   Observer // nil: none
	Pauses     []time.Duration
	Now        func() time.Time
	Random     func() string // jti: 128 bits or more
}

// Observer hears about each attempt to send a logout token.
type Observer interface{ LogoutSent(sent Sent) }

// Sent reports one attempt to send a logout token.
type Sent struct {
	Client oidc.Client
	SID    string
	Try    int   // 1 is the first
	Err    error // nil: the client confirmed it
	Again  bool  // another attempt will follow
}

// Step is the attempt as the trace shows it.
func (s Sent) Step() trace.Step {
	step := trace.Step{
		Kind: trace.KindLogout, Spec: "Back-Channel Logout §2.5", Outcome: trace.OK,
		Text:   "client " + s.Client.ClientID + " was told of the sign-out",
		Values: []trace.Value{trace.Plain("backchannel_logout_uri", s.Client.BackchannelLogoutURI)},
	}
	if s.Err != nil {
		step.Outcome = trace.Failed
		step.Text = "client " + s.Client.ClientID + " could not be told of the sign-out: " + s.Err.Error()
	}
	if s.Again {
		step.Text += "; it will be tried again"
	}
	return step
}

// NewSender returns a sender that works until Close.
func NewSender(c SenderConfig) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	return &Sender{
		SenderConfig: c, slots: make(chan struct{}, maxAtOnce), closing: make(chan struct{}), ctx: ctx, cancel: cancel,
		queues: map[string]*queue{},
	}
}

// queue counts the deliveries to one client. It exists while there are some.
type queue struct {
	waiting int
	slots   chan struct{} // one for each running request
}

// delivery brings the end of one account's sign-in to one client.
type delivery struct {
	client oidc.Client
	ended  session.Ended
	queue  *queue
	tried  chan struct{} // closed after the first attempt, when first is set
	first  Sent
}

// Round is the set of deliveries that one sign-out started.
type Round struct{ deliveries []*delivery }

// Send starts to send logout tokens to the clients of all sign-ins that ended, in the background and to all clients at
// a time. issuer stands for the Issuer of an Ended that has none.
func (s *Sender) Send(ctx context.Context, issuer string, ended []session.Ended) (round Round) {
	for _, e := range ended {
		e.Issuer = cmp.Or(e.Issuer, issuer)
		for _, id := range e.Clients {
			client, err := s.Clients.ByID(ctx, id)
			if errors.Is(err, clients.ErrUnknown) || err == nil && client.BackchannelLogoutURI == "" {
				continue
			}
			d := &delivery{client: client, ended: e, tried: make(chan struct{})}
			d.client.ClientID = id
			round.deliveries = append(round.deliveries, d)
			if err == nil {
				err = s.start(d)
			}
			if err != nil {
				s.report(d, 1, err, false)
			}
		}
	}
	return round
}

// SendAndWait is Send followed by Wait. The trace of ctx shows the first attempts.
func (s *Sender) SendAndWait(ctx context.Context, issuer string, ended []session.Ended) []Sent {
	first := s.Send(ctx, issuer, ended).Wait(ctx)
	for _, sent := range first {
		trace.Emit(ctx, sent.Step())
	}
	return first
}

// start runs a delivery in the background. Its error says why it cannot.
func (s *Sender) start(d *delivery) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	q := s.queues[d.client.ClientID]
	switch {
	case s.closed:
		return errClosed
	case s.waiting >= maxWaiting:
		return fmt.Errorf("%d logout tokens already wait to be sent, the maximum", maxWaiting)
	case q == nil:
		q = &queue{slots: make(chan struct{}, maxAtOnceEach)}
		s.queues[d.client.ClientID] = q
	case q.waiting >= maxWaitingEach:
		return fmt.Errorf("%d logout tokens already wait to be sent to this client, the maximum", maxWaitingEach)
	}
	d.queue = q
	q.waiting++
	s.waiting++
	s.running.Go(func() {
		defer s.finish(d)
		s.deliver(d)
	})
	return nil
}

func (s *Sender) finish(d *delivery) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.waiting--
	if d.queue.waiting--; d.queue.waiting == 0 {
		delete(s.queues, d.client.ClientID)
	}
}

var errClosed = errors.New("the provider is shutting down")

// deliver repeats the request until the client confirms it or the Pauses are used up. After Close the next attempt is
// the last.
func (s *Sender) deliver(d *delivery) {
	for try := 1; ; try++ {
		err := s.try(d)
		again := err != nil && try <= len(s.Pauses)
		select {
		case <-s.closing:
			again = false
		default:
		}
		s.report(d, try, err, again)
		if !again {
			return
		}
		timer := time.NewTimer(s.Pauses[try-1])
		select {
		case <-timer.C:
		case <-s.closing:
		}
		timer.Stop()
	}
}

// try sends one logout request. §2.5: "The OP uses an HTTP POST to the registered back-channel logout URI". Each
// attempt has a token of its own: a client would take a second one with the same jti for a replay.
// https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest
func (s *Sender) try(d *delivery) error {
	for _, slots := range []chan struct{}{d.queue.slots, s.slots} {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-s.ctx.Done():
			return errClosed
		}
	}
	token, err := s.token(s.ctx, d)
	if err != nil {
		return err
	}
	status, err := s.Fetch.Post(s.ctx, d.client.BackchannelLogoutURI, url.Values{"logout_token": {token}})
	// §2.8: "If the logout succeeded, the RP MUST respond with HTTP 200 OK. However, note that some Web frameworks will
	// substitute an HTTP 204 No Content response".
	if err == nil && status != http.StatusOK && status != http.StatusNoContent {
		err = fmt.Errorf("%s answers with status %d, expected 200 (Back-Channel Logout §2.8)", d.client.BackchannelLogoutURI,
			status)
	}
	return err
}

func (s *Sender) report(d *delivery, try int, err error, again bool) {
	sent := Sent{Client: d.client, SID: d.ended.SID, Try: try, Err: err, Again: again}
	if try == 1 {
		d.first = sent
		close(d.tried)
	}
	log := s.Log.With("client_id", d.client.ClientID, "try", try)
	if err != nil {
		log.Warn("a client could not be told of a sign-out", "error", err.Error(), "again", again)
	} else {
		log.Info("a client was told of a sign-out")
	}
	if s.Observer != nil {
		s.Observer.LogoutSent(sent)
	}
}

var errNoAnswer = errors.New("it has not answered yet")

// Wait waits until each delivery was tried once or ctx ends, and reports the first attempts.
func (r Round) Wait(ctx context.Context) []Sent {
	reports := make([]Sent, len(r.deliveries))
	for i, d := range r.deliveries {
		select {
		case <-d.tried:
		case <-ctx.Done():
		}
		select { // both channels may be ready
		case <-d.tried:
			reports[i] = d.first
		default:
			reports[i] = Sent{Client: d.client, SID: d.ended.SID, Try: 1, Err: errNoAnswer, Again: true}
		}
	}
	return reports
}

// Close ends all pauses, so that each delivery is tried a last time, and waits for that until ctx ends; then it cancels
// the requests. Send starts nothing afterwards.
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
