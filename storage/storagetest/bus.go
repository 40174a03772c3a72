package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
)

// RunBus holds an engine's bus against the contract of storage.Bus, as two processes see it: here and there are of one engine.
func RunBus(t *testing.T, here, there storage.Bus) {
	for _, row := range []struct {
		name string
		test func(t *testing.T, here, there storage.Bus)
	}{
		{"a message reaches every subscriber, the sender too", everybodyHears},
		{"messages of several processes arrive each once", eachOnce},
		{"a message is any bytes, few or many, and belongs to who got it", anyBytes},
		{"another topic is another matter", ownTopic},
		{"who subscribes no longer hears nothing", unsubscribed},
		{"nobody has to listen", nobodyListens},
		{"a slow subscriber keeps nobody waiting", slowSubscriber},
		{"a cancelled context ends a call", cancelledBus},
	} {
		t.Run(row.name, func(t *testing.T) { row.test(t, here, there) })
	}
}

// ear is a subscriber.
type ear struct {
	heard  chan []byte
	cancel context.CancelFunc
	ended  chan error
}

// listen subscribes, and returns once messages arrive.
func listen(t *testing.T, bus storage.Bus, topic string) *ear {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	e := &ear{heard: make(chan []byte, 10_000), cancel: cancel, ended: make(chan error, 1)}
	go func() { e.ended <- bus.Subscribe(ctx, topic, func(m []byte) { e.heard <- m }, func(error) {}) }()
	t.Cleanup(cancel)
	e.awake(t, bus, topic)
	return e
}

var question = []byte("are you there?")

// awake publishes until the ear hears.
func (e *ear) awake(t *testing.T, bus storage.Bus, topic string) {
	t.Helper()
	deadline, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		publish(t, bus, topic, question)
		select {
		case <-e.heard:
			return
		case <-deadline.Done():
			t.Fatal("nothing is heard")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

const patience = 20 * time.Second

// next is the next message that is more than a question.
func (e *ear) next(t *testing.T) []byte {
	t.Helper()
	for {
		select {
		case m := <-e.heard:
			if !bytes.Equal(m, question) {
				return m
			}
		case <-time.After(patience):
			t.Fatal("nothing more is heard")
		}
	}
}

func publish(t *testing.T, bus storage.Bus, topic string, message []byte) {
	t.Helper()
	if err := bus.Publish(t.Context(), topic, message); err != nil {
		t.Fatal(err)
	}
}

func wantHeard(t *testing.T, e *ear, want string) {
	t.Helper()
	if got := e.next(t); string(got) != want {
		t.Errorf("%.50q is heard; want %.50q", got, want)
	}
}

func everybodyHears(t *testing.T, here, there storage.Bus) {
	a, b := listen(t, here, "all"), listen(t, there, "all")
	publish(t, here, "all", []byte("hello"))
	wantHeard(t, a, "hello")
	wantHeard(t, b, "hello")
}

func eachOnce(t *testing.T, here, there storage.Bus) {
	const each = 200
	e := listen(t, there, "once")
	var group sync.WaitGroup
	for who, bus := range []storage.Bus{here, there} {
		group.Go(func() {
			for i := range each {
				if err := bus.Publish(t.Context(), "once", fmt.Appendf(nil, "%d %d", who, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	heard := map[string]bool{}
	for range 2 * each {
		m := string(e.next(t))
		if heard[m] {
			t.Errorf("message %s comes twice", m)
		}
		heard[m] = true
	}
}

func anyBytes(t *testing.T, here, there storage.Bus) {
	e := listen(t, there, "bytes")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	large := bytes.Repeat(every, 2048) // half a megabyte
	for _, want := range [][]byte{{}, every, large} {
		sent := slices.Clone(want)
		publish(t, here, "bytes", sent)
		clear(sent)
		got := e.next(t)
		if !bytes.Equal(got, want) {
			t.Errorf("of %d bytes came %d, or others", len(want), len(got))
		}
		clear(got)
	}
}

func ownTopic(t *testing.T, here, there storage.Bus) {
	e := listen(t, there, "mine")
	publish(t, here, "min", []byte("of another"))
	publish(t, here, "mine:", []byte("of a third"))
	publish(t, here, "mine", []byte("of this"))
	wantHeard(t, e, "of this")
}

func unsubscribed(t *testing.T, here, there storage.Bus) {
	left, stays := listen(t, there, "leave"), listen(t, there, "leave")
	left.cancel()
	if err := <-left.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Subscribe ends with %v; want ctx.Err()", err)
	}
	publish(t, here, "leave", []byte("bye"))
	wantHeard(t, stays, "bye")
	for range len(left.heard) {
		if m := <-left.heard; !bytes.Equal(m, question) {
			t.Errorf("who left hears %q", m)
		}
	}
}

func nobodyListens(t *testing.T, here, _ storage.Bus) {
	publish(t, here, "nobody", []byte("hello?"))
}

func slowSubscriber(t *testing.T, here, there storage.Bus) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stuck := make(chan struct{}, 1000)
	go func() {
		_ = there.Subscribe(ctx, "slow", func([]byte) { stuck <- struct{}{}; <-ctx.Done() }, func(error) {}) // it ends with ctx
	}()
	for len(stuck) == 0 {
		publish(t, here, "slow", question)
	}
	e := listen(t, there, "slow")
	for i := range 200 {
		publish(t, here, "slow", fmt.Append(nil, i))
		wantHeard(t, e, fmt.Sprint(i))
	}
}

func cancelledBus(t *testing.T, here, _ storage.Bus) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := here.Publish(ctx, "cancelled", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Publish = %v; want ctx.Err()", err)
	}
	if err := here.Subscribe(ctx, "cancelled", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Subscribe = %v; want ctx.Err()", err)
	}
}
