package trace_test

import (
	"encoding/json"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/trace"
)

// told is one event as a watcher reads it.
type told struct {
	Flow   trace.Flow   `json:"flow"`
	Record trace.Record `json:"record"`
}

func next(t *testing.T, w *trace.Watcher) told {
	t.Helper()
	var event told
	if err := json.Unmarshal(<-w.Events(), &event); err != nil {
		t.Fatal(err)
	}
	return event
}

func TestWatchersAreToldOfEachRecordWithItsFlow(t *testing.T) {
	h := newHub(t)
	authorize(h) // before anybody watches
	watcher := h.Watch()
	defer watcher.Close()
	token(h)
	event := next(t, watcher)
	want := only(t, h)
	same(t, "the record", event.Record.ID, "t")
	same(t, "the flow", event.Flow.ID, want.ID)
	same(t, "its state", event.Flow.State, trace.FlowDone)
	same(t, "its arrows", arrows(event.Flow), arrows(want))
	same(t, "its records, which come one by one", len(event.Flow.Records), 0)
}

func TestWatchersAreToldWhenNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := trace.NewHub(trace.Options{Now: time.Now})
		watcher := h.Watch()
		defer watcher.Close()
		authorize(h)
		next(t, watcher)
		event := next(t, watcher) // after ten seconds
		same(t, "the reason", event.Flow.Reasons[0].Code, "callback.silent")
		same(t, "the reason of the record", event.Record.Reason, "callback.silent")
	})
}

func TestListsInAnEventAreNeverNull(t *testing.T) {
	h := newHub(t)
	watcher := h.Watch()
	defer watcher.Close()
	visit(h, "logout", "")
	var event struct{ Flow map[string]json.RawMessage }
	if err := json.Unmarshal(<-watcher.Events(), &event); err != nil {
		t.Fatal(err)
	}
	same(t, "reasons", string(event.Flow["reasons"]), "[]")
	if string(event.Flow["messages"][:1]) != "[" {
		t.Errorf("messages are %s", event.Flow["messages"])
	}
}

func TestASlowWatcherIsDropped(t *testing.T) {
	h := newHub(t)
	stalled := h.Watch()
	for range 100 {
		visit(h, "logout", "")
	}
	n := 0
	for range stalled.Events() {
		n++
	}
	same(t, "events before the end", n, 64)
	stalled.Close() // each watcher closes in the end
	stalled.Close()
}

func TestAClosedWatcherGetsNoMoreEvents(t *testing.T) {
	h := newHub(t)
	watcher := h.Watch()
	watcher.Close()
	visit(h, "logout", "")
	if _, open := <-watcher.Events(); open {
		t.Error("an event came after Close")
	}
}

// A hundred watchers, ten of whom never read: the others miss nothing, nobody waits, and nothing stays behind.
func TestAHundredWatchersTenStalled(t *testing.T) {
	const healthy, rounds, each = 90, 40, 30
	h := newHub(t)
	before := runtime.NumGoroutine()
	for range 10 {
		defer h.Watch().Close()
	}
	var read atomic.Int64
	done := make(chan struct{})
	var watchers []*trace.Watcher
	for range healthy {
		w := h.Watch()
		watchers = append(watchers, w)
		go func() {
			for range w.Events() {
				read.Add(1)
			}
			done <- struct{}{}
		}()
	}
	for round := range int64(rounds) {
		for range each {
			authorize(h)
		}
		for read.Load() < (round+1)*each*healthy {
			runtime.Gosched() // until all readers have read: at most 30 of their 64 events wait
		}
	}
	for _, w := range watchers {
		w.Close()
		<-done
	}
	same(t, "events read", read.Load(), int64(healthy*rounds*each))
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
}
