package trace

import "encoding/json"

const buffer = 64 // events that a watcher may be behind

// Watcher receives events until it is closed or too slow.
type Watcher struct {
	hub    *Hub
	events chan []byte
}

// event is the current flow without its records, and the record that changed it.
type event struct {
	Flow   Flow   `json:"flow"`
	Record Record `json:"record"`
}

// Watch returns a new Watcher. The caller must Close it.
func (h *Hub) Watch() *Watcher {
	w := &Watcher{hub: h, events: make(chan []byte, buffer)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers[w] = true
	return w
}

// Events gives each event as JSON: {"flow": a Flow without records, "record": a Record}. The bytes are shared by all
// watchers and must not be changed. A watcher that is 64 events behind is dropped: its channel is closed.
func (w *Watcher) Events() <-chan []byte { return w.events }

// Close ends watching. It may be called twice, and after the watcher was dropped.
func (w *Watcher) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	w.hub.leave(w)
}

// leave closes the watcher's channel, once. Hub.mu is locked.
func (h *Hub) leave(w *Watcher) {
	if h.watchers[w] {
		delete(h.watchers, w)
		close(w.events)
	}
}

// notice queues an event if there are watchers. Hub.mu is locked; send must be called after it, without Hub.mu.
func (h *Hub) notice(f *flow, record *Record) {
	if len(h.watchers) > 0 {
		h.queue = append(h.queue, event{Flow: f.snapshot(), Record: record.whole()})
	}
}

// send sends the queued events in order. It encodes each event once, without Hub.mu. The queue is never longer than
// the number of requests that end at the same moment.
func (h *Hub) send() {
	h.sending.Lock()
	defer h.sending.Unlock()
	for next, ok := h.next(); ok; next, ok = h.next() {
		next.Flow = next.Flow.drawn()
		next.Flow.Records = nil
		if data, err := json.Marshal(next); err == nil { // each event has JSON
			h.broadcast(data)
		}
	}
}

func (h *Hub) next() (event, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.queue) == 0 {
		h.queue = nil
		return event{}, false
	}
	next := h.queue[0]
	h.queue = h.queue[1:]
	return next, true
}

func (h *Hub) broadcast(data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		select {
		case w.events <- data:
		default:
			h.leave(w)
		}
	}
}
