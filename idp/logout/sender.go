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

	"golang.org/x/sync/semaphore"

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

// Event is the member of events that makes a JWT a logout token.
const Event = "http://schemas.openid.net/event/backchannel-logout"

// tokenLifetime follows Back-Channel Logout §2.4: "it is RECOMMENDED that Logout Tokens use short expiration times in
// the exp Claim, preferably at most two minutes in the future".
const tokenLifetime = 2 * time.Minute

var (
	errClosed   = errors.New("the provider is shutting down")
	errNoAnswer = errors.New("it has not answered yet")
)

// Pauses returns the time before each repetition of a failed request.
func Pauses() []time.Duration { return []time.Duration{time.Second, 5 * time.Second, 30 * time.Second} }

// Sender sends logout tokens in the background to the clients that registered a backchannel_logout_uri (Back-Channel
// Logout §2.5), and repeats failed requests after the Pauses.
type Sender struct {
	SenderConfig
	requests *semaphore.Weighted // one unit for each running request
	ctx      context.Context     // of all requests
	cancel   func()
	closing  context.Context // ended by Close
	close    func()
	running  sync.WaitGroup

	mutex   sync.Mutex // guards running against Close, and the fields below
	waiting int
	queues  map[string]*queue // by client_id
}

// SenderConfig contains the dependencies of a Sender.
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

// Observer is called after each attempt to send a logout token.
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
		Text:   "client " + s.Client.ClientID + " confirmed the logout token",
		Values: []trace.Value{trace.Plain("backchannel_logout_uri", s.Client.BackchannelLogoutURI)},
	}
	if s.Err != nil {
		step.Outcome = trace.Failed
		step.Text = "client " + s.Client.ClientID + " did not confirm the logout token: " + s.Err.Error()
	}
	if s.Again {
		step.Text += "; the provider will send another one"
	}
	return step
}

// NewSender returns a sender that works until Close.
func NewSender(c SenderConfig) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	closing, stop := context.WithCancel(ctx)
	return &Sender{
		SenderConfig: c, requests: semaphore.NewWeighted(maxAtOnce), ctx: ctx, cancel: cancel, closing: closing, close: stop,
		queues: map[string]*queue{},
	}
}

// queue counts the deliveries to one client. It exists while there are some.
type queue struct {
	waiting  int
	requests *semaphore.Weighted // one unit for each running request
}

// delivery tells one client that the sign-in of one account ended.
type delivery struct {
	client oidc.Client
	ended  session.Ended
	queue  *queue
	tried  chan struct{} // closed after the first attempt, when first is set
	first  Sent
}

// Round lists the deliveries that one sign-out started.
type Round []*delivery

// Send starts to send logout tokens to the clients of all sign-ins that ended, in the background and to all clients at
// the same time. issuer stands for the Issuer of an Ended that has none.
func (s *Sender) Send(ctx context.Context, issuer string, ended []session.Ended) (round Round) {
	for _, e := range ended {
		e.Issuer = cmp.Or(e.Issuer, issuer)
		for _, id := range e.Clients {
			client, err := s.Clients.ByID(ctx, id)
			if errors.Is(err, clients.ErrUnknown) || err == nil && client.BackchannelLogoutURI == "" {
				continue
			}
			d := &delivery{client: *client, ended: e, tried: make(chan struct{})}
			d.client.ClientID = id
			round = append(round, d)
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

// start runs a delivery in the background. Its error names the limit that forbids it.
func (s *Sender) start(d *delivery) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	q := s.queues[d.client.ClientID]
	switch {
	case s.closing.Err() != nil:
		return errClosed
	case s.waiting >= maxWaiting:
		return fmt.Errorf("%d logout tokens already wait to be sent, the maximum", maxWaiting)
	case q == nil:
		q = &queue{requests: semaphore.NewWeighted(maxAtOnceEach)}
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

// deliver repeats the request until the client confirms it or the Pauses are used up. After Close the next attempt is
// the last.
func (s *Sender) deliver(d *delivery) {
	for try := 1; ; try++ {
		err := s.try(d)
		again := err != nil && try <= len(s.Pauses) && s.closing.Err() == nil
		s.report(d, try, err, again)
		if !again {
			return
		}
		s.pause(s.Pauses[try-1])
	}
}

// pause waits for d, or until the sender closes.
func (s *Sender) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing.Done():
	}
}

// try sends one logout request. §2.5: "The OP uses an HTTP POST to the registered back-channel logout URI". Each
// attempt has a token of its own: a second token with the same jti would look like a replay.
// https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest
func (s *Sender) try(d *delivery) error {
	for _, requests := range []*semaphore.Weighted{d.queue.requests, s.requests} {
		if requests.Acquire(s.ctx, 1) != nil {
			return errClosed
		}
		defer requests.Release(1)
	}
	token, err := s.token(s.ctx, d)
	if err != nil {
		return err
	}
	status, err := s.Fetch.Post(s.ctx, d.client.BackchannelLogoutURI, url.Values{"logout_token": {token}})
	// §2.8: "If the logout succeeded, the RP MUST respond with HTTP 200 OK. However, note that some Web frameworks will
	// substitute an HTTP 204 No Content response".
	if err == nil && status != http.StatusOK && status != http.StatusNoContent {
		err = fmt.Errorf("%s answers with status %d, expected 200 (Back-Channel Logout §2.8)",
			d.client.BackchannelLogoutURI, status)
	}
	return err
}

// token makes the logout token of one attempt (§2.4). "A Logout Token MUST be signed and MAY also be encrypted. The
// same keys are used to sign and encrypt Logout Tokens as are used for ID Tokens." There is no nonce: "A nonce Claim
// MUST NOT be present. Its use is prohibited to make a Logout Token syntactically invalid if used in a forged
// Authentication Response in place of an ID Token."
// https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
func (s *Sender) token(ctx context.Context, d *delivery) (string, error) {
	sub, err := s.Subjects.Of(&d.client, d.ended.Sub)
	if err != nil {
		return "", err
	}
	alg := cmp.Or(d.client.IDTokenSignedResponseAlg, s.DefaultAlg)
	signed, err := s.Keys.Sign(ctx, alg, keys.TypeLogoutToken, map[string]any{
		"iss": d.ended.Issuer, "sub": sub, "aud": d.client.ClientID, "sid": d.ended.SID, "jti": s.Random(),
		"iat": s.Now().Unix(), "exp": s.Now().Add(tokenLifetime).Unix(), "events": map[string]any{Event: struct{}{}},
	})
	if err != nil {
		return "", err
	}
	return s.ClientKeys.EncryptIDToken(ctx, &d.client, signed)
}

func (s *Sender) report(d *delivery, try int, err error, again bool) {
	sent := Sent{Client: d.client, SID: d.ended.SID, Try: try, Err: err, Again: again}
	if try == 1 {
		d.first = sent
		close(d.tried)
	}
	log := s.Log.With("client_id", d.client.ClientID, "try", try)
	if err != nil {
		log.Warn("a client did not confirm a logout token", "error", err.Error(), "again", again)
	} else {
		log.Info("a client confirmed a logout token")
	}
	if s.Observer != nil {
		s.Observer.LogoutSent(sent)
	}
}

// Wait waits until each delivery was tried once or ctx ends, and reports the first attempts.
func (r Round) Wait(ctx context.Context) []Sent {
	reports := make([]Sent, len(r))
	for i, d := range r {
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

// Close ends all pauses, so that each delivery is tried a last time. It waits for these attempts until ctx ends, then
// cancels them. Send starts nothing afterwards.
func (s *Sender) Close(ctx context.Context) {
	s.mutex.Lock()
	s.close()
	s.mutex.Unlock()
	defer s.cancel()
	defer context.AfterFunc(ctx, s.cancel)()
	s.running.Wait()
}
