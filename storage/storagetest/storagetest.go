// Package storagetest holds the contract that every storage engine has to pass. An engine's own test is one line:
//
//	func TestContract(t *testing.T) { storagetest.Run(t, func(t *testing.T) storagetest.Engine { … }) }
package storagetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
)

// Engine is an empty Store and its clock. Pass returns when the clock is at least d later: it moves the clock if the
// engine takes one, else it waits.
type Engine struct {
	Store storage.Store
	Pass  func(d time.Duration)
}

// Run tests the engines that open makes: each sentence of the contract with a new engine.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	for sentence, test := range contract {
		t.Run(sentence, func(t *testing.T) { test(engine{t, open(t)}) })
	}
}

// contract has a test for each sentence that storage.Store promises.
var contract = map[string]func(e engine){
	"Get of a key never written is ErrNotFound": func(e engine) { e.wantMissing("k") },
	"Get returns what Put stored": func(e engine) {
		e.put("k", "v", time.Minute)
		e.want("k", "v")
	},
	"an empty value is a value": func(e engine) {
		for _, value := range [][]byte{nil, {}} {
			if err := e.Store.Put(e.Context(), "k", value, time.Minute); err != nil {
				e.Fatal(err)
			}
			e.want("k", "")
		}
	},
	"Put replaces value and ttl": func(e engine) {
		e.put("k", "old", time.Second)
		e.put("k", "new", time.Minute)
		e.Pass(2 * time.Second)
		e.want("k", "new")
	},
	"Put refuses a ttl that is not positive": func(e engine) {
		for _, ttl := range []time.Duration{0, -time.Second} {
			if err := e.Store.Put(e.Context(), "k", []byte("v"), ttl); err == nil {
				e.Errorf("Put with ttl %v gave no error", ttl)
			}
		}
		e.wantMissing("k")
	},
	"values are copies: changing a slice changes no record": func(e engine) {
		value := []byte("v")
		if err := e.Store.Put(e.Context(), "k", value, time.Minute); err != nil {
			e.Fatal(err)
		}
		value[0] = 'x'
		e.want("k", "v")
		got, err := e.Store.Get(e.Context(), "k")
		if err != nil {
			e.Fatal(err)
		}
		got[0] = 'y'
		e.want("k", "v")
	},
	"a large value comes back whole": func(e engine) {
		value := make([]byte, 1<<20)
		_, _ = rand.Read(value) // never fails (Go 1.24)
		e.put("k", string(value), time.Minute)
		if got, err := e.Store.Get(e.Context(), "k"); err != nil || !bytes.Equal(got, value) {
			e.Errorf("Get gave %d bytes, %v; want the %d stored", len(got), err, len(value))
		}
	},
	"a record is there before its ttl and gone after it": func(e engine) {
		e.put("short", "v", time.Second)
		e.put("long", "v", time.Minute)
		e.want("short", "v")
		e.Pass(2 * time.Second)
		e.wantMissing("short")
		e.want("long", "v")
	},
	"Update sees the old value and replaces it": func(e engine) {
		e.put("k", "v", time.Minute)
		e.update("k", storage.KeepTTL, func(old []byte) ([]byte, error) { return append(old, '+'), nil })
		e.want("k", "v+")
	},
	"Update with KeepTTL keeps the ttl": func(e engine) {
		e.put("k", "v", time.Second)
		e.update("k", storage.KeepTTL, to("w"))
		e.Pass(2 * time.Second)
		e.wantMissing("k")
	},
	"Update with a ttl counts it from now": func(e engine) {
		e.put("k", "v", time.Second)
		e.update("k", time.Minute, to("w"))
		e.Pass(2 * time.Second)
		e.want("k", "w")
	},
	"Update to nil removes the record": func(e engine) {
		e.put("k", "v", time.Minute)
		e.update("k", storage.KeepTTL, func([]byte) ([]byte, error) { return nil, nil })
		e.wantMissing("k")
	},
	"Update of a missing key sees nil and may leave it missing": engine.updateMissing,
	"Update with a ttl creates a record": func(e engine) {
		e.update("k", time.Minute, to("v"))
		e.want("k", "v")
	},
	"Update with KeepTTL cannot create a record": func(e engine) {
		if err := e.Store.Update(e.Context(), "k", storage.KeepTTL, to("v")); err == nil {
			e.Error("Update created a record that has no ttl")
		}
		e.wantMissing("k")
	},
	"Update returns the error of change and changes nothing": func(e engine) {
		e.put("k", "v", time.Minute)
		refused := errors.New("refused")
		change := func([]byte) ([]byte, error) { return []byte("w"), refused }
		if err := e.Store.Update(e.Context(), "k", storage.KeepTTL, change); !errors.Is(err, refused) {
			e.Errorf("Update = %v; want the error of change", err)
		}
		e.want("k", "v")
	},
	"Update of an expired record sees nil": func(e engine) {
		e.put("k", "v", time.Second)
		e.Pass(2 * time.Second)
		e.updateMissing()
	},
	"of racing creators exactly one finds nothing": func(e engine) {
		for round := range 20 {
			e.wantOneWinner("mark"+strconv.Itoa(round), time.Minute, "")
		}
	},
	"of racing Updates exactly one finds the first value": func(e engine) {
		for round := range 20 {
			key := "code" + strconv.Itoa(round)
			e.put(key, "fresh", time.Minute)
			e.wantOneWinner(key, storage.KeepTTL, "fresh")
		}
	},
	"of racing Updates each sees the one before it": func(e engine) {
		const goroutines, rounds = 8, 25
		e.put("k", "0", time.Minute)
		inParallel(goroutines, func(int) {
			for range rounds {
				e.update("k", storage.KeepTTL, increment)
			}
		})
		e.want("k", strconv.Itoa(goroutines*rounds))
	},
	"writers of different keys do not disturb each other": func(e engine) {
		inParallel(8, func(i int) {
			for j := range 50 {
				key := strconv.Itoa(i) + "/" + strconv.Itoa(j)
				e.put(key, key, time.Minute)
				e.want(key, key)
			}
		})
	},
	"a cancelled context ends a call and changes nothing": func(e engine) {
		e.put("k", "v", time.Minute)
		ctx, cancel := context.WithCancel(e.Context())
		cancel()
		_, got := e.Store.Get(ctx, "k")
		for call, err := range map[string]error{
			"Get":    got,
			"Put":    e.Store.Put(ctx, "k", []byte("w"), time.Minute),
			"Update": e.Store.Update(ctx, "k", storage.KeepTTL, to("w")),
		} {
			if !errors.Is(err, context.Canceled) {
				e.Errorf("%s = %v; want context.Canceled", call, err)
			}
		}
		e.want("k", "v")
	},
}

// engine is an Engine in its test.
type engine struct {
	*testing.T
	Engine
}

func (e engine) put(key, value string, ttl time.Duration) {
	e.Helper()
	if err := e.Store.Put(e.Context(), key, []byte(value), ttl); err != nil {
		e.Errorf("Put(%q) = %v", key, err)
	}
}

func (e engine) update(key string, ttl time.Duration, change func([]byte) ([]byte, error)) {
	e.Helper()
	if err := e.Store.Update(e.Context(), key, ttl, change); err != nil {
		e.Errorf("Update(%q) = %v", key, err)
	}
}

func (e engine) updateMissing() {
	e.Helper()
	e.update("k", storage.KeepTTL, func(old []byte) ([]byte, error) {
		if old != nil {
			e.Errorf("old = %q; want nil", old)
		}
		return nil, nil
	})
	e.wantMissing("k")
}

func (e engine) want(key, value string) {
	e.Helper()
	if got, err := e.Store.Get(e.Context(), key); err != nil || string(got) != value {
		e.Errorf("Get(%q) = %q, %v; want %q", key, got, err, value)
	}
}

func (e engine) wantMissing(key string) {
	e.Helper()
	if got, err := e.Store.Get(e.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		e.Errorf("Get(%q) = %q, %v; want ErrNotFound", key, got, err)
	}
}

// wantOneWinner changes the record under key in several goroutines: one of them must find the value first.
func (e engine) wantOneWinner(key string, ttl time.Duration, first string) {
	e.Helper()
	errLost := errors.New("another goroutine came first")
	winners := make(chan int, 8)
	inParallel(8, func(i int) {
		err := e.Store.Update(e.Context(), key, ttl, func(old []byte) ([]byte, error) {
			if string(old) != first {
				return nil, errLost
			}
			return []byte("changed"), nil
		})
		if err == nil {
			winners <- i
		} else if !errors.Is(err, errLost) {
			e.Error(err)
		}
	})
	if len(winners) != 1 {
		e.Fatalf("%d goroutines found %q under %s; want 1", len(winners), first, key)
	}
}

// to returns a change that replaces any old value by value.
func to(value string) func([]byte) ([]byte, error) {
	return func([]byte) ([]byte, error) { return []byte(value), nil }
}

func increment(old []byte) ([]byte, error) {
	n, err := strconv.Atoi(string(old))
	return []byte(strconv.Itoa(n + 1)), err
}

func inParallel(n int, work func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { work(i) })
	}
	group.Wait()
}
