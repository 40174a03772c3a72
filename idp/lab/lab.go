package lab

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

const (
	maxFaults   = 100
	endedFaults = 20 // how many are remembered
)

// Lab holds the faults. It is safe for concurrent use; a nil *Lab decorates nothing.
type Lab struct {
	// Clock is the time that the provider is to go by.
	Clock *Clock
	// Users are subs of the provider: session_other_user chooses among them. Set it before the first request.
	Users []string

	now    func() time.Time // the real time
	random func() string
	alien  alien

	count  atomic.Int32 // of faults, so that a request without any takes no lock
	mu     sync.Mutex
	faults []Fault // in the order in which they were added
	ended  []Fault // the last one first
}

// New returns a lab without faults. now is the real time, random makes the ids of faults.
func New(now func() time.Time, random func() string) *Lab {
	return &Lab{Clock: &Clock{real: now}, now: now, random: random}
}

// Add begins the fault and returns it as it is listed, with its ID and its defaults. What is wrong with it is told by an
// invalid_request error.
func (l *Lab) Add(f Fault) (Fault, error) {
	f, err := f.prepared(l.random(), l.now())
	if err != nil {
		return Fault{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	if len(l.faults) >= maxFaults {
		return Fault{}, oidc.InvalidRequest.Errorf("there are %d faults already: cancel some", len(l.faults))
	}
	l.faults = append(l.faults, f)
	l.counted()
	return f, nil
}

// List returns the faults that can still happen, the oldest first. It is never nil, so that its JSON is a list.
func (l *Lab) List() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	return append([]Fault{}, l.faults...)
}

// Ended returns the last twenty faults that are over, the last one first. Their Used says how often they happened.
func (l *Lab) Ended() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	return append([]Fault{}, l.ended...)
}

// Cancel ends the fault with this id, and tells whether there was one.
func (l *Lab) Cancel(id string) bool {
	return l.end(Cancelled, func(f Fault) bool { return f.ID == id }) > 0
}

// Clear ends all faults.
func (l *Lab) Clear() { l.end(Cancelled, func(Fault) bool { return true }) }

func (l *Lab) end(how Ending, which func(Fault) bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	return l.remove(how, which)
}

// take finds the first fault of one of the kinds that is meant for the request, and counts it as used.
func (l *Lab) take(v visit, among ...Kind) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	i := slices.IndexFunc(l.faults, func(f Fault) bool { return slices.Contains(among, f.Fault) && f.isFor(v) })
	if i < 0 {
		return Fault{}, false
	}
	l.faults[i].Used++
	used := l.faults[i]
	if used.Used == used.Times {
		l.remove(UsedUp, func(f Fault) bool { return f.ID == used.ID })
	}
	return used, true
}

// peek finds like take, and counts nothing.
func (l *Lab) peek(clientID string, kind Kind) (Fault, bool) {
	if l.count.Load() == 0 {
		return Fault{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	i := slices.IndexFunc(l.faults, func(f Fault) bool { return f.Fault == kind && f.isOf(clientID) })
	if i < 0 {
		return Fault{}, false
	}
	return l.faults[i], true
}

// sweep ends what has run out; the lock is held, as for the two below.
func (l *Lab) sweep() {
	now := l.now()
	l.remove(RanOut, func(f Fault) bool { return !f.Until.IsZero() && !now.Before(f.Until) })
}

func (l *Lab) remove(how Ending, which func(Fault) bool) (removed int) {
	var left []Fault
	for _, f := range l.faults {
		if !which(f) {
			left = append(left, f)
			continue
		}
		f.Ended, f.EndedAt = how, l.now()
		l.ended = slices.Insert(l.ended, 0, f)
		removed++
	}
	l.ended = l.ended[:min(len(l.ended), endedFaults)]
	l.faults = left
	l.counted()
	return removed
}

func (l *Lab) counted() { l.count.Store(int32(len(l.faults))) }

// use takes a fault for the request that ctx belongs to and tells the trace of it. Without Intercept around the request
// there is none.
func (l *Lab) use(ctx context.Context, among ...Kind) (Fault, bool) {
	v, ok := ctx.Value(visitKey{}).(visit)
	if !ok {
		return Fault{}, false
	}
	f, ok := l.take(v, among...)
	if ok {
		f.tell(ctx)
	}
	return f, ok
}

// tell adds the fault to the trace of the request.
func (f Fault) tell(ctx context.Context) {
	info, _ := f.Fault.info()
	step := trace.Step{
		Kind: trace.KindFault, Spec: info.Spec, Text: "failure lab: the provider " + info.Text, Outcome: trace.Noted,
		Values: []trace.Value{trace.Plain("fault", string(f.Fault)), trace.Plain("id", f.ID), trace.Plain("used", f.usage())},
	}
	if reason := string(reasons[f.Fault]); reason != "" {
		step.Outcome, step.Reason = trace.Failed, reason
		trace.From(ctx).Set(func(record *trace.Record) { record.Reason = reason })
	}
	trace.Emit(ctx, step)
}

// usage says how often the fault has happened, and of how often it may.
func (f Fault) usage() string {
	if f.Times > 0 {
		return fmt.Sprintf("%d of %d", f.Used, f.Times)
	}
	return fmt.Sprint(f.Used)
}

func (f Fault) isOf(clientID string) bool { return f.Client == "" || f.Client == clientID }

func (f Fault) isFor(v visit) bool {
	info, _ := f.Fault.info()
	return f.isOf(v.clientID) && f.Endpoint == v.endpoint && (info.meets == nil || info.meets(v))
}
