package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/idp/replica"
	"github.com/hush-idp/hush/trace"
)

// wire is a bus whose messages the test sees, and which can be stuck or gone.
type wire struct {
	mutex       sync.Mutex
	subscribers []func([]byte)
	carried     [][]byte
	broken      func(error)   // of who subscribed last
	held        chan struct{} // nothing is published before this is closed; nil: nothing waits
	stuck, gone atomic.Bool
}

func (w *wire) Publish(ctx context.Context, _ string, message []byte) error {
	if w.held != nil {
		<-w.held
	}
	if w.stuck.Load() {
		<-ctx.Done()
	}
	if w.gone.Load() {
		return errors.New("the wire is cut")
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.carried = append(w.carried, message)
	for _, got := range w.subscribers {
		got(message)
	}
	return nil
}

func (w *wire) Subscribe(ctx context.Context, _ string, got func([]byte), broken func(error)) error {
	w.mutex.Lock()
	w.broken = broken
	w.subscribers = append(w.subscribers, got)
	w.mutex.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

// listener is a replica, and what it heard.
type listener struct {
	*replica.Link
	flows   []string // ids of records
	changed int
	states  []string
}

func secrets(names ...string) (all [][]byte) {
	for _, name := range names {
		all = append(all, []byte(strings.Repeat(name, 40)))
	}
	return all
}

func join(t *testing.T, w *wire, own string, secrets [][]byte) *listener {
	t.Helper()
	link, err := replica.New(w, secrets, own)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{Link: link}
	go link.Run(t.Context(), replica.Ears{
		Flow:    func(s trace.Shared) { l.flows = append(l.flows, s.Record.ID) },
		Changed: func() { l.changed++ },
		State:   func(direction string, err error) { l.states = append(l.states, fmt.Sprint(direction, " ", err)) },
	})
	synctest.Wait()
	return l
}

func shared(id string) trace.Shared {
	return trace.Shared{Record: &trace.Record{ID: id, ClientID: "spa"}}
}

func TestOthersHearAndTheSpeakerDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		a, b, c := join(t, w, "a", secrets("k")), join(t, w, "b", secrets("k")), join(t, w, "c", secrets("k"))
		a.Tell(shared("one"))
		b.Changed()
		a.Tell(shared("two"))
		synctest.Wait()
		for _, heard := range []struct {
			who     *listener
			flows   []string
			changed int
		}{{a, nil, 1}, {b, []string{"one", "two"}, 0}, {c, []string{"one", "two"}, 1}} {
			if !slices.Equal(heard.who.flows, heard.flows) || heard.who.changed != heard.changed {
				t.Errorf("heard are %v and %d changes; want %v and %d", heard.who.flows, heard.who.changed, heard.flows, heard.changed)
			}
		}
	})
}

func TestWhoeverReadsTheBusLearnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		a := join(t, w, "a", secrets("k"))
		a.Tell(shared("one"))
		synctest.Wait()
		a.Tell(shared("one"))
		synctest.Wait()
		if len(w.carried) != 2 || bytes.Equal(w.carried[0], w.carried[1]) {
			t.Fatal("two messages should travel, each sealed anew")
		}
		for _, message := range w.carried {
			if bytes.Contains(message, []byte("spa")) || bytes.Contains(message, []byte("record")) {
				t.Errorf("the bus carries %q", message)
			}
		}
	})
}

func TestOnlyWhoHasTheSecretIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		heard := join(t, w, "a", secrets("k"))
		join(t, w, "b", secrets("x")).Tell(shared("foreign"))
		synctest.Wait()
		changed := slices.Clone(w.carried[0])
		join(t, w, "c", secrets("k")).Tell(shared("good"))
		synctest.Wait()
		changed = append(changed, w.carried[1]...)
		forged := slices.Clone(w.carried[1])
		forged[len(forged)/2] ^= 1
		for _, message := range [][]byte{nil, []byte("{}"), changed, forged, w.carried[1][:20]} {
			if err := w.Publish(t.Context(), "", message); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(heard.flows, []string{"good"}) || heard.changed > 0 {
			t.Errorf("heard are %v and %d changes", heard.flows, heard.changed)
		}
	})
}

// So cookie keys can be changed one replica after the other.
func TestTheFirstSecretSealsAndAllOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		old, between := join(t, w, "old", secrets("1")), join(t, w, "between", secrets("2", "1"))
		old.Tell(shared("of the old"))
		between.Tell(shared("of the new"))
		synctest.Wait()
		if !slices.Equal(between.flows, []string{"of the old"}) || len(old.flows) > 0 {
			t.Errorf("who has both hears %v, who has the old one %v", between.flows, old.flows)
		}
	})
}

func TestAFullQueueDropsAndNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		a, b := join(t, w, "a", secrets("k")), join(t, w, "b", secrets("k"))
		w.gone.Store(true)
		a.Tell(shared("lost"))
		synctest.Wait()
		w.gone.Store(false)
		w.stuck.Store(true)
		for range 10_000 {
			a.Tell(shared("x")) // in synctest a Tell that waited would be a deadlock
			a.Changed()
		}
		synctest.Wait()
		if len(b.flows) > 0 {
			t.Errorf("%d messages came over a stuck wire", len(b.flows))
		}
	})
}

func TestAfterAnOutageItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		a, b := join(t, w, "a", secrets("k")), join(t, w, "b", secrets("k"))
		w.gone.Store(true)
		for range 1000 {
			a.Tell(shared("lost"))
		}
		time.Sleep(time.Second)
		w.gone.Store(false)
		a.Tell(shared("heard"))
		synctest.Wait()
		if !slices.Equal(b.flows, []string{"heard"}) {
			t.Errorf("heard are %v", b.flows)
		}
	})
}

// What waits while a message is under way is the next one; of more than the queue holds the oldest is lost.
func TestWhatWaitsTravelsTogether(t *testing.T) {
	for _, row := range []struct {
		name                   string
		words, letters         int
		heard, messages, bytes int
	}{
		{"a few", 3, 10, 1 + 3, 1 + 1, 10_000},
		{"more than the queue holds", 300, 10, 1 + 256, 1 + 1, 200_000},
		{"more than one message takes", 10, 200_000, 1 + 10, 1 + 4, 1 << 20},
		{"what nobody needs to read", 3, 1 << 20, 1, 1, 10_000},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{held: make(chan struct{})}
				a, b := join(t, w, "a", secrets("k")), join(t, w, "b", secrets("k"))
				a.Tell(shared("first"))
				synctest.Wait()
				for i := range row.words {
					s := shared(strconv.Itoa(i))
					s.Record.Description = strings.Repeat("x", row.letters)
					a.Tell(s)
				}
				close(w.held)
				synctest.Wait()
				last := b.flows[len(b.flows)-1]
				if len(b.flows) != row.heard || len(w.carried) != row.messages || row.heard > 1 && last != strconv.Itoa(row.words-1) {
					t.Errorf("heard are %d in %d messages, at last %s; want %d in %d", len(b.flows), len(w.carried), last, row.heard, row.messages)
				}
				for _, m := range w.carried {
					if len(m) > row.bytes {
						t.Errorf("a message has %d bytes; want %d at the most", len(m), row.bytes)
					}
				}
			})
		})
	}
}

func TestAChangeOfTheLinksStateIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		a := join(t, w, "a", secrets("k"))
		for _, gone := range []bool{false, true, true, false, false} {
			w.gone.Store(gone)
			a.Changed()
			synctest.Wait()
		}
		w.broken(errors.New("nobody is heard"))
		w.broken(errors.New("nobody is heard"))
		a.Changed()
		synctest.Wait()
		want := []string{"telling the wire is cut", "telling <nil>", "hearing nobody is heard", "hearing <nil>"}
		if !slices.Equal(a.states, want) {
			t.Errorf("told are %q; want %q", a.states, want)
		}
	})
}

func TestNoLinkTellsNothing(t *testing.T) {
	var none *replica.Link
	none.Tell(shared("x"))
	none.Changed()
	if _, err := replica.New(&wire{}, nil, "a"); err == nil {
		t.Error("a link without a secret is no error")
	}
}
