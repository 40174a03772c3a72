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

// Engine is a fresh, empty Store, and the way to let time pass for it: Pass returns once the store's clock is at least
// d further, by moving a clock where the engine takes one and by waiting where it does not.
type Engine struct {
	Store storage.Store
	Pass  func(d time.Duration)
}

// Run holds the engines that open makes against the contract of storage.Store, each sentence with a fresh one.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	for _, row := range []struct {
		name string
		test func(*testing.T, Engine)
	}{
		{"Get of a key never written is ErrNotFound", getMissing},
		{"Get returns what Put stored", putGet},
		{"an empty value is a value", putEmpty},
		{"Put replaces value and ttl", putReplaces},
		{"Put refuses a ttl that is not positive", putBadTTL},
		{"values are copies: changing a slice changes no record", copies},
		{"a large value comes back whole", largeValue},
		{"a record is there before its ttl and gone after it", expiry},
		{"Update sees the old value and replaces it", updateReplaces},
		{"Update with KeepTTL keeps the ttl", updateKeepsTTL},
		{"Update with a ttl counts it from now", updateNewTTL},
		{"Update to nil removes the record", updateRemoves},
		{"Update of a missing key sees nil and may leave it missing", updateMissing},
		{"Update with a ttl creates a record", updateCreates},
		{"Update with KeepTTL cannot create a record", updateCannotCreate},
		{"of racing creators exactly one finds nothing", createRace},
		{"Update returns the error of change and changes nothing", updateError},
		{"Update of an expired record sees nil", updateExpired},
		{"of racing Updates each sees the one before it", updateRace},
		{"of racing spenders exactly one wins", spendRace},
		{"writers of different keys do not disturb each other", manyKeys},
		{"a cancelled context ends a call and changes nothing", cancelled},
	} {
		t.Run(row.name, func(t *testing.T) { row.test(t, open(t)) })
	}
}

func getMissing(t *testing.T, e Engine) {
	if v, err := e.Store.Get(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Get = %q, %v; want ErrNotFound", v, err)
	}
}

func putGet(t *testing.T, e Engine) {
	put(t, e, "k", "v")
	want(t, e, "k", "v")
}

func putEmpty(t *testing.T, e Engine) {
	for _, value := range [][]byte{nil, {}} {
		if err := e.Store.Put(t.Context(), "k", value, time.Minute); err != nil {
			t.Fatal(err)
		}
		want(t, e, "k", "")
	}
}

func putReplaces(t *testing.T, e Engine) {
	if err := e.Store.Put(t.Context(), "k", []byte("old"), time.Second); err != nil {
		t.Fatal(err)
	}
	put(t, e, "k", "new")
	e.Pass(2 * time.Second)
	want(t, e, "k", "new")
}

func putBadTTL(t *testing.T, e Engine) {
	for _, ttl := range []time.Duration{0, -time.Second} {
		if err := e.Store.Put(t.Context(), "k", []byte("v"), ttl); err == nil {
			t.Errorf("Put with ttl %v gave no error", ttl)
		}
	}
	wantMissing(t, e, "k")
}

func copies(t *testing.T, e Engine) {
	value := []byte("v")
	if err := e.Store.Put(t.Context(), "k", value, time.Minute); err != nil {
		t.Fatal(err)
	}
	value[0] = 'x'
	want(t, e, "k", "v")
	got, err := e.Store.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	got[0] = 'y'
	want(t, e, "k", "v")
}

func largeValue(t *testing.T, e Engine) {
	value := make([]byte, 1<<20)
	_, _ = rand.Read(value) // never fails (Go 1.24)
	if err := e.Store.Put(t.Context(), "k", value, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, err := e.Store.Get(t.Context(), "k"); err != nil || !bytes.Equal(got, value) {
		t.Errorf("Get gave %d bytes, %v; want the %d stored", len(got), err, len(value))
	}
}

func expiry(t *testing.T, e Engine) {
	if err := e.Store.Put(t.Context(), "short", []byte("v"), time.Second); err != nil {
		t.Fatal(err)
	}
	put(t, e, "long", "v")
	want(t, e, "short", "v")
	e.Pass(2 * time.Second)
	wantMissing(t, e, "short")
	want(t, e, "long", "v")
}

func updateReplaces(t *testing.T, e Engine) {
	put(t, e, "k", "v")
	update(t, e, "k", func(old []byte) ([]byte, error) { return append(old, '+'), nil })
	want(t, e, "k", "v+")
}

func updateKeepsTTL(t *testing.T, e Engine) {
	if err := e.Store.Put(t.Context(), "k", []byte("v"), time.Second); err != nil {
		t.Fatal(err)
	}
	update(t, e, "k", func([]byte) ([]byte, error) { return []byte("w"), nil })
	e.Pass(2 * time.Second)
	wantMissing(t, e, "k")
}

func updateNewTTL(t *testing.T, e Engine) {
	if err := e.Store.Put(t.Context(), "k", []byte("v"), time.Second); err != nil {
		t.Fatal(err)
	}
	create(t, e, "k", "w")
	e.Pass(2 * time.Second)
	want(t, e, "k", "w")
}

func updateCreates(t *testing.T, e Engine) {
	create(t, e, "k", "v")
	want(t, e, "k", "v")
}

func updateRemoves(t *testing.T, e Engine) {
	put(t, e, "k", "v")
	update(t, e, "k", func([]byte) ([]byte, error) { return nil, nil })
	wantMissing(t, e, "k")
}

func updateMissing(t *testing.T, e Engine) {
	update(t, e, "k", func(old []byte) ([]byte, error) {
		if old != nil {
			t.Errorf("old = %q; want nil", old)
		}
		return nil, nil
	})
	wantMissing(t, e, "k")
}

func updateCannotCreate(t *testing.T, e Engine) {
	err := e.Store.Update(t.Context(), "k", storage.KeepTTL, func([]byte) ([]byte, error) { return []byte("v"), nil })
	if err == nil {
		t.Error("Update created a record that has no ttl")
	}
	wantMissing(t, e, "k")
}

func updateError(t *testing.T, e Engine) {
	put(t, e, "k", "v")
	refused := errors.New("refused")
	err := e.Store.Update(t.Context(), "k", storage.KeepTTL, func([]byte) ([]byte, error) { return []byte("w"), refused })
	if !errors.Is(err, refused) {
		t.Errorf("Update = %v; want the error of change", err)
	}
	want(t, e, "k", "v")
}

func updateExpired(t *testing.T, e Engine) {
	if err := e.Store.Put(t.Context(), "k", []byte("v"), time.Second); err != nil {
		t.Fatal(err)
	}
	e.Pass(2 * time.Second)
	updateMissing(t, e)
}

func updateRace(t *testing.T, e Engine) {
	const goroutines, rounds = 8, 25
	put(t, e, "k", "0")
	inParallel(goroutines, func(int) {
		for range rounds {
			update(t, e, "k", increment)
		}
	})
	want(t, e, "k", strconv.Itoa(goroutines*rounds))
}

func createRace(t *testing.T, e Engine) {
	for round := range 20 {
		first := make(chan int, 8)
		inParallel(8, func(i int) {
			seen := false
			err := e.Store.Update(t.Context(), "mark"+strconv.Itoa(round), time.Minute, func(old []byte) ([]byte, error) {
				seen = old != nil
				return []byte("seen"), nil
			})
			if err != nil {
				t.Error(err)
			}
			if !seen {
				first <- i
			}
		})
		if len(first) != 1 {
			t.Fatalf("%d goroutines were the first to leave the same mark; want 1", len(first))
		}
	}
}

func increment(old []byte) ([]byte, error) {
	n, err := strconv.Atoi(string(old))
	return []byte(strconv.Itoa(n + 1)), err
}

func spendRace(t *testing.T, e Engine) {
	errSpent := errors.New("spent")
	for round := range 20 {
		key := "code" + strconv.Itoa(round)
		put(t, e, key, "fresh")
		wins := make(chan int, 8)
		inParallel(8, func(i int) {
			err := e.Store.Update(t.Context(), key, storage.KeepTTL, func(old []byte) ([]byte, error) {
				if string(old) != "fresh" {
					return nil, errSpent
				}
				return []byte("spent"), nil
			})
			if err == nil {
				wins <- i
			} else if !errors.Is(err, errSpent) {
				t.Error(err)
			}
		})
		if len(wins) != 1 {
			t.Fatalf("%d goroutines spent the same code; want 1", len(wins))
		}
	}
}

func manyKeys(t *testing.T, e Engine) {
	inParallel(8, func(i int) {
		for j := range 50 {
			key := strconv.Itoa(i) + "/" + strconv.Itoa(j)
			put(t, e, key, key)
			want(t, e, key, key)
		}
	})
}

func cancelled(t *testing.T, e Engine) {
	put(t, e, "k", "v")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Store.Get(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v; want context.Canceled", err)
	}
	if err := e.Store.Put(ctx, "k", []byte("w"), time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v; want context.Canceled", err)
	}
	err := e.Store.Update(ctx, "k", storage.KeepTTL, func([]byte) ([]byte, error) { return []byte("w"), nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update = %v; want context.Canceled", err)
	}
	want(t, e, "k", "v")
}

func put(t *testing.T, e Engine, key, value string) {
	t.Helper()
	if err := e.Store.Put(t.Context(), key, []byte(value), time.Minute); err != nil {
		t.Errorf("Put(%q) = %v", key, err)
	}
}

func create(t *testing.T, e Engine, key, value string) {
	t.Helper()
	change := func([]byte) ([]byte, error) { return []byte(value), nil }
	if err := e.Store.Update(t.Context(), key, time.Minute, change); err != nil {
		t.Errorf("Update(%q) = %v", key, err)
	}
}

func update(t *testing.T, e Engine, key string, change func([]byte) ([]byte, error)) {
	t.Helper()
	if err := e.Store.Update(t.Context(), key, storage.KeepTTL, change); err != nil {
		t.Errorf("Update(%q) = %v", key, err)
	}
}

func want(t *testing.T, e Engine, key, value string) {
	t.Helper()
	if got, err := e.Store.Get(t.Context(), key); err != nil || string(got) != value {
		t.Errorf("Get(%q) = %q, %v; want %q", key, got, err, value)
	}
}

func wantMissing(t *testing.T, e Engine, key string) {
	t.Helper()
	if got, err := e.Store.Get(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Get(%q) = %q, %v; want ErrNotFound", key, got, err)
	}
}

func inParallel(n int, work func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { work(i) })
	}
	group.Wait()
}
