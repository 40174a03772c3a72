package trace

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	keepFlows  = 200
	keepQuiet  = 10 * time.Second
	maxRecords = 50  // of one flow
	maxKeys    = 100 // of one flow
)

// Options of a Hub. Zero values mean the defaults.
type Options struct {
	Keep  int              // flows; 200
	Now   func() time.Time // the real time, however the provider's clock was moved
	Quiet time.Duration    // a code that was not redeemed after so long is callback.silent; 10 s
}

// Hub holds the recent flows and sends them to watchers. A nil Hub records nothing.
type Hub struct {
	now   func() time.Time
	keep  int
	quiet time.Duration

	mu       sync.Mutex // guards what follows
	flows    []*flow    // oldest first
	index    map[join]*flow
	bursts   map[uint64]*burst
	watchers map[*Watcher]struct{}
	queue    []event

	telling sync.Mutex // held while events go out, so that they do in order; taken before mu
}

// NewHub makes a Hub.
func NewHub(o Options) *Hub {
	h := &Hub{
		now:      o.Now,
		keep:     o.Keep,
		quiet:    o.Quiet,
		index:    map[join]*flow{},
		bursts:   map[uint64]*burst{},
		watchers: map[*Watcher]struct{}{},
	}
	if h.keep <= 0 {
		h.keep = keepFlows
	}
	if h.quiet <= 0 {
		h.quiet = keepQuiet
	}
	return h
}

// Flows returns the flows, newest first.
func (h *Hub) Flows() []Flow {
	if h == nil {
		return nil
	}
	all := h.snapshots()
	slices.Reverse(all)
	slices.SortStableFunc(all,
		func(a, b Flow) int { return b.At.Compare(a.At) }) // flows are listed as their first request ended
	for i, f := range all {
		all[i] = f.drawn()
	}
	return all
}

func (h *Hub) snapshots() []Flow {
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
	if h == nil {
		return Flow{}, false
	}
	all := h.snapshots()
	at := slices.IndexFunc(all, func(f Flow) bool { return f.ID == id })
	if at < 0 {
		return Flow{}, false
	}
	return all[at].drawn(), true
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
	clear(h.bursts)
}

// file puts an ended record into its flow, and tells the watchers.
func (h *Hub) file(r *Recorder) {
	r.record.blame()
	if r.record.dull() {
		return
	}
	h.mu.Lock()
	f := h.flowOf(&r.record, r.joins)
	h.learn(f, r.joins)
	f.add(&r.record)
	h.diagnose(f, &r.record)
	h.await(f, &r.record)
	watched := h.notice(f, &r.record)
	h.mu.Unlock()
	if watched {
		h.tell()
	}
}

// flowOf finds the record's flow, or begins one. A fresh authorization request always begins one, and takes over its
// state from an older one. A logout ends a session, which is more than the flow that last used it.
func (h *Hub) flowOf(record *Record, joins []join) *flow {
	if f := h.find(joins); f != nil && !record.fresh() && record.Endpoint != "logout" {
		return f
	}
	f := &flow{Flow: Flow{ID: newID(), At: record.At, State: FlowOpen}}
	h.flows = append(h.flows, f)
	if len(h.flows) > h.keep {
		h.forget()
	}
	return f
}

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

// forget drops the oldest flow with its keys and its timer.
func (h *Hub) forget() { h.drop(0) }

func (h *Hub) drop(at int) {
	f := h.flows[at]
	h.flows = slices.Delete(h.flows, at, at+1)
	for _, j := range f.keys {
		h.unlearn(f, j)
	}
	f.rest()
}

// newID is eight letters and digits, to tell flows apart; it guards nothing.
func newID() string {
	const least = 1 << 35 // of seven digits in base 36 and more
	return strconv.FormatUint(least+rand.Uint64N(1<<41), 36)
}
