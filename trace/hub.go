package trace

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	maxFlows   = 200
	usualQuiet = 10 * time.Second
	maxRecords = 50  // of one flow
	maxKeys    = 100 // of one flow
)

// Options of a Hub. Zero values mean the defaults.
type Options struct {
	Keep  int              // flows; 200
	Now   func() time.Time // the real time, even if the provider's clock was moved
	Quiet time.Duration    // a code that was not redeemed after this time is callback.silent; 10 s
}

// Hub holds the recent flows and sends them to watchers. A nil Hub records nothing.
type Hub struct {
	now   func() time.Time
	limit int // of flows
	quiet time.Duration

	mu       sync.Mutex // guards the fields below
	flows    []*flow    // oldest first
	index    map[join]*flow
	watchers map[*Watcher]bool
	queue    []event

	sending sync.Mutex // locked while events are sent, in order; locked before mu
}

// NewHub makes a Hub.
func NewHub(o Options) *Hub {
	return &Hub{
		now:      o.Now,
		limit:    cmp.Or(o.Keep, maxFlows),
		quiet:    cmp.Or(o.Quiet, usualQuiet),
		index:    map[join]*flow{},
		watchers: map[*Watcher]bool{},
	}
}

// Now returns the time by the clock of the records.
func (h *Hub) Now() time.Time { return h.now() }

// Flows returns the flows, newest first.
func (h *Hub) Flows() []Flow {
	all := h.snapshots()
	slices.Reverse(all) // flows are listed as their first request ended
	slices.SortStableFunc(all, func(a, b Flow) int { return b.At.Compare(a.At) })
	for i, f := range all {
		all[i] = f.drawn()
	}
	return all
}

func (h *Hub) snapshots() []Flow {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Flow, 0, len(h.flows))
	for _, f := range h.flows {
		all = append(all, f.snapshot())
	}
	return all
}

// Flow returns the flow with this id, unless it was dropped.
func (h *Hub) Flow(id string) (Flow, bool) {
	found, ok := h.snapshotOf(id)
	if !ok {
		return Flow{}, false
	}
	return found.drawn(), true
}

func (h *Hub) snapshotOf(id string) (Flow, bool) {
	if h == nil {
		return Flow{}, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.flows {
		if f.ID == id {
			return f.snapshot(), true
		}
	}
	return Flow{}, false
}

// Reset drops all flows. Watchers stay.
func (h *Hub) Reset() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.flows) > 0 {
		h.drop(len(h.flows) - 1)
	}
}

// file adds an ended record to its flow, and notifies the watchers.
func (h *Hub) file(r *Recorder) {
	r.record.blame()
	if r.record.isAside() {
		return
	}
	h.mu.Lock()
	f := h.flowOf(&r.record, r.joins)
	h.learn(f, r.joins)
	f.add(&r.record)
	h.diagnose(f, &r.record)
	h.await(f, &r.record)
	h.notice(f, &r.record)
	h.mu.Unlock()
	h.send()
}

// flowOf finds the record's flow, or begins one. A fresh authorization request begins one, and takes over its state
// from an older one, unless the older one waits for the browser to send it again. A logout begins one too, because it
// ends a whole session and not only the flow that used it last.
func (h *Hub) flowOf(record *Record, joins []join) *flow {
	if f := h.find(joins); f != nil && (!record.Fresh() || f.retries()) && record.Endpoint != "logout" {
		return f
	}
	f := &flow{Flow: Flow{Summary: Summary{ID: newID(), At: record.At, State: FlowOpen}}}
	h.flows = append(h.flows, f)
	if len(h.flows) > h.limit {
		h.drop(0)
	}
	return f
}

// find returns the flow that knows the first of the joins, in the order of Key.
func (h *Hub) find(joins []join) *flow {
	var found *flow
	best := State + 1
	for _, j := range joins {
		if f := h.index[j]; f != nil && j.key < best {
			found, best = f, j.key
		}
	}
	return found
}

// learn makes the flow known by the keys.
func (h *Hub) learn(f *flow, joins []join) {
	for _, j := range joins {
		if h.index[j] == f {
			continue
		}
		if len(f.keys) == maxKeys {
			h.unlearn(f, f.keys[0])
			f.keys = slices.Delete(f.keys, 0, 1)
		}
		f.keys = append(f.keys, j)
		h.index[j] = f
	}
}

// unlearn removes a key, unless a younger flow took it over.
func (h *Hub) unlearn(f *flow, j join) {
	if h.index[j] == f {
		delete(h.index, j)
	}
}

// drop forgets a flow with its keys and its timer.
func (h *Hub) drop(at int) {
	f := h.flows[at]
	h.flows = slices.Delete(h.flows, at, at+1)
	for _, j := range f.keys {
		h.unlearn(f, j)
	}
	f.stopTimer()
}

// newID is eight letters and digits. It is no secret.
func newID() string {
	const least = 1 << 35 // of seven digits in base 36 and more
	return strconv.FormatUint(least+rand.Uint64N(1<<41), 36)
}
