package lab

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

const (
	maxFaults   = 100
	endedFaults = 20 // the number of ended faults in the list
)

// Lab holds the faults. It is safe for concurrent use.
type Lab struct {
	Clock *Clock // the time of the provider

	now    func() time.Time // the real time
	random func() string
	cell   *storage.Cell[state]
}

// New returns a lab that stores its faults and its clock in the place, where all labs share them. now is the real time,
// random makes the ids of faults.
func New(place storage.Place, now func() time.Time, random func() string) *Lab {
	cell := storage.NewCell[state](place, "console", "lab")
	return &Lab{Clock: &Clock{real: now, cell: cell}, now: now, random: random, cell: cell}
}

// CatchUp reads changes of other replicas, unless it did so a moment ago. On an error the lab stays as it is.
func (l *Lab) CatchUp(ctx context.Context) error { return l.cell.CatchUp(ctx) }

// Add begins the fault and returns it with its ID and its defaults, or returns an invalid_request error.
func (l *Lab) Add(f Fault) (Fault, error) {
	f, err := f.prepared(l.random(), l.now())
	if err != nil {
		return Fault{}, err
	}
	return f, l.change(context.Background(), func(s *state) error {
		if len(s.Faults) >= maxFaults {
			return oidc.InvalidRequest.Errorf("there are %d faults already: cancel some", len(s.Faults))
		}
		s.Faults = append(s.Faults, f)
		return nil
	})
}

// List returns the faults that can still happen, the oldest first. Its JSON is always a list.
func (l *Lab) List() []Fault { return append([]Fault{}, l.state().Faults...) }

// Ended returns the last twenty faults that are over, the last one first.
func (l *Lab) Ended() []Fault { return append([]Fault{}, l.state().Ended...) }

// Cancel ends the fault with this id, and reports whether there was one.
func (l *Lab) Cancel(id string) (found bool, err error) {
	err = l.change(context.Background(), func(s *state) error {
		found = s.remove(Cancelled, l.now(), func(f Fault) bool { return f.ID == id }) > 0
		return nil
	})
	return found && err == nil, err
}

// Clear ends all faults.
func (l *Lab) Clear() error {
	return l.change(context.Background(), func(s *state) error {
		s.remove(Cancelled, l.now(), func(Fault) bool { return true })
		return nil
	})
}

// Reset ends all faults, forgets those that are over, and brings the clock back to the real time.
func (l *Lab) Reset() error {
	return l.change(context.Background(), func(s *state) error {
		*s = state{}
		return nil
	})
}

// Client returns the client, registered with the id, with the changes of the faults short_lifetime and
// consent_withdrawn. It counts no use: Sign counts short_lifetime, and the decorator of consents counts
// consent_withdrawn. So more than Times simultaneous requests may see the change.
func (l *Lab) Client(client *oidc.Client, id string) *oidc.Client {
	for _, f := range slices.Backward(l.state().Faults) { // the first fault prevails
		if !f.isOf(id) {
			continue
		}
		changed := *client
		switch f.Fault {
		case ShortLifetime:
			changed.AccessTokenLifetime = f.Lifetime.Duration
		case ConsentWithdrawn:
			changed.FirstParty = false
		}
		client = &changed
	}
	return client
}

// somebodyElse is the other user if the provider has only one user.
const somebodyElse = "somebody-else"

// OtherUser returns the session as if only sub were signed in; "" means the first other one of all users. No logout
// knows the sid of this account.
func OtherUser(s session.Session, sub string, all []users.User) *session.Session {
	if sub == "" {
		sub = somebodyElse
		isOther := func(user users.User) bool { return !slices.Contains(s.Subs(), user.Sub) }
		if i := slices.IndexFunc(all, isOther); i >= 0 {
			sub = all[i].Sub
		}
	}
	account := s.Accounts[0]
	account.Sub, account.SID = sub, s.ID+".lab"
	s.Accounts = []session.Account{account}
	return &s
}

// Use finds the first fault of one of the kinds for the request of ctx, counts its use and records it in the trace. The
// count is in the store, so that the limit of uses holds for all replicas. There is no fault while the store cannot be
// reached, and none without Intercept around the request.
func (l *Lab) Use(ctx context.Context, among ...Kind) (used Fault, ok bool) {
	if len(l.state().Faults) == 0 {
		return Fault{}, false
	}
	return l.use(ctx, among)
}

func (l *Lab) use(ctx context.Context, among []Kind) (used Fault, ok bool) {
	request, isIntercepted := ctx.Value(requestKey{}).(requestInfo)
	matches := func(f Fault) bool { return slices.Contains(among, f.Fault) && f.concerns(request) }
	if !isIntercepted || !slices.ContainsFunc(l.state().Faults, matches) {
		return Fault{}, false
	}
	err := l.change(context.WithoutCancel(ctx), func(s *state) error { // counts also if the client has gone
		i := slices.IndexFunc(s.Faults, matches)
		if i < 0 {
			return errOver
		}
		s.Faults[i].Used++
		used = s.Faults[i]
		if used.Used == used.Times {
			s.remove(UsedUp, l.now(), func(f Fault) bool { return f.ID == used.ID })
		}
		return nil
	})
	switch {
	case errors.Is(err, errOver):
		l.cell.Expire() // this view is an old one
	case err == nil:
		used.record(ctx)
		note(ctx, used.Fault)
	}
	return used, err == nil
}

var errOver = errors.New("lab: another request used the fault up")

// record adds the use of the fault to the trace of the request.
func (f Fault) record(ctx context.Context) {
	info, _ := f.Fault.info()
	usage := strconv.Itoa(f.Used)
	if f.Times > 0 {
		usage += " of " + strconv.Itoa(f.Times)
	}
	step := trace.Step{
		Kind: trace.KindFault, Spec: info.Spec, Text: "failure lab: the provider " + info.Text, Outcome: trace.Noted,
		Values: []trace.Value{trace.Plain("fault", string(f.Fault)), trace.Plain("id", f.ID), trace.Plain("used", usage)},
	}
	if reason := string(reasons[f.Fault]); reason != "" {
		step.Outcome, step.Reason = trace.Failed, reason
		trace.From(ctx).Set(func(record *trace.Record) { record.Reason = reason })
	}
	trace.Emit(ctx, step)
}

func (f Fault) isOf(clientID string) bool { return f.Client == "" || f.Client == clientID }

func (f Fault) concerns(r requestInfo) bool {
	info, _ := f.Fault.info()
	return f.isOf(r.clientID) && f.Endpoint == r.endpoint && info.concerns(r)
}
