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
	keepFlows  = 200
	keepQuiet  = 10 * time.Second
	maxRecords = 50  // of one flow
	maxKeys    = 100 // of one flow
)

// Options of a Hub. Zero values mean the defaults.
type Options struct {
	Keep  int              // flows; 200
	Now   func() time.Time // the real time, however the provider's clock was moved
	Quiet time.Duration    // a code that nobody redeemed after so long is callback.silent; 10 s
	// Tell is given what other hubs are to Hear. It must not wait for anything. nil: there are none.
	Tell func(Shared)
}

// Hub keeps the recent flows and tells watchers of them. A nil Hub records nothing.
type Hub struct {
	now   func() time.Time
	keep  int
	quiet time.Duration
	share func(Shared)

	mu       sync.Mutex // guards what follows
	flows    []*flow    // oldest first
	index    map[join]*flow
	bursts   map[uint64]*burst
	watchers map[*Watcher]struct{}
	queue    []event
	resetAt  time.Time // the last Reset, here or elsewhere

	telling sync.Mutex // held while events go out, so that they do in order; taken before mu
}

// NewHub makes a Hub.
func NewHub(o Options) *Hub {
	h := &Hub{now: o.Now, keep: o.Keep, quiet: o.Quiet, share: o.Tell, index: map[join]*flow{}, bursts: map[uint64]*burst{}, watchers: map[*Watcher]struct{}{}}
	if h.keep <= 0 {
		h.keep = keepFlows
	}
	if h.quiet <= 0 {
		h.quiet = keepQuiet
	}
	return h
}

// Flows returns the flows that are kept, newest first.
func (h *Hub) Flows() []Flow {
	if h == nil {
		return nil
	}
	all := h.snapshots()
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b Flow) int { return b.At.Compare(a.At) }) // what other hubs told came later than it happened
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

// Flow returns the flow with this id, if it is still kept.
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

// Reset forgets all flows, here and wherever what happens here is heard. Those who watch go on watching.
func (h *Hub) Reset() {
	if h == nil {
		return
	}
	now := h.now()
	h.clear(now, func(*flow) bool { return true })
	if h.share != nil {
		h.share(Shared{Reset: now})
	}
}

// clear forgets these flows, at a Reset.
func (h *Hub) clear(resetAt time.Time, these func(*flow) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if resetAt.After(h.resetAt) {
		h.resetAt = resetAt
	}
	for i, f := range slices.Backward(h.flows) {
		if these(f) {
			h.drop(i)
		}
	}
	clear(h.bursts)
}

// file puts an ended record into its flow, and tells those who watch, and other hubs.
func (h *Hub) file(r *Recorder) {
	r.record.blame()
	if r.record.dull() {
		return
	}
	if h.share == nil {
		h.enter(r, "")
		return
	}
	shared := r.shared() // before the flow changes the record: other hubs judge by themselves
	shared.Record.FlowID = h.enter(r, "")
	h.share(shared)
}

// enter puts a record into its flow, and returns that flow's id. If it begins one, id is its id, as another hub told; "" for a new one.
func (h *Hub) enter(r *Recorder, id string) string {
	h.mu.Lock()
	if id != "" && h.skips(&r.record, r.joins, id) {
		h.mu.Unlock()
		return id
	}
	f := h.flowOf(&r.record, r.joins, id)
	gone := h.reunite(f, &r.record, r.joins, id)
	h.learn(f, r.joins)
	f.add(&r.record)
	h.diagnose(f, &r.record)
	h.await(f, &r.record)
	if gone != nil {
		h.retell(f)
	}
	gone = slices.DeleteFunc(gone, func(part string) bool { return part == f.ID }) // a part may have had the id that f now has
	watched := h.notice(f, &r.record, gone...)
	id = f.ID
	h.mu.Unlock()
	if watched {
		h.tell()
	}
	return id
}

// flowOf finds the record's flow, or begins one. A fresh authorization request always begins one, and takes over its state
// from an older one. A logout ends a session, which is more than the flow that last used it.
func (h *Hub) flowOf(record *Record, joins []join, id string) *flow {
	if f := cmp.Or(h.find(joins), h.named(id)); f != nil && !record.fresh() && record.Endpoint != "logout" {
		return f
	}
	f := &flow{Flow: Flow{ID: cmp.Or(id, newID()), At: record.At, State: FlowOpen}}
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

// named is the flow with this id, or nil. Few ask: who hears of another hub's flow.
func (h *Hub) named(id string) *flow {
	at := slices.IndexFunc(h.flows, func(f *flow) bool { return f.ID == id })
	if at < 0 {
		return nil
	}
	return h.flows[at]
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
