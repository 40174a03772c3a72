package keys_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/storage"
)

// pass lets a set look at the record, as somebody who needs a key does, and lets what comes of it end.
func pass(t *testing.T, sets ...*keys.KeySet) {
	t.Helper()
	for range 2 { // the first look may rotate, the second sees it
		for _, set := range sets {
			_ = signer(t, set)
		}
		time.Sleep(seen)
		synctest.Wait()
	}
}

// Core §10.1.1: keys rotate: the new one is published, signs later, and the old one stays until its last token has
// expired.
func TestKeysRotateByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		h.sharing.RotateEvery = 24 * time.Hour
		set := h.keySet(t)
		first := signer(t, set)
		time.Sleep(23 * time.Hour)
		pass(t, set)
		if got := kids(t, set); len(got) != 1 {
			t.Fatalf("an hour early %d keys are published", len(got))
		}
		time.Sleep(time.Hour)
		pass(t, set)
		if got := kids(t, set); len(got) != 2 || signer(t, set) != first {
			t.Fatalf("after a day %d keys are published; want the new one beside the one that signs", len(got))
		}
		time.Sleep(propagation)
		second := signer(t, set)
		if second == first {
			t.Error("the new key does not sign")
		}
		time.Sleep(propagation + lifetime)
		pass(t, set)
		if got := kids(t, set); len(got) != 1 || got[0] != second {
			t.Errorf("the old key is still published: %v", got)
		}
		time.Sleep(24 * time.Hour)
		pass(t, set)
		time.Sleep(propagation)
		if signer(t, set) == second {
			t.Error("the day after, no rotation came")
		}
	})
}

func TestOfManyReplicasOneRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		h.sharing.RotateEvery = 24 * time.Hour
		var sets []*keys.KeySet
		for range 8 {
			sets = append(sets, h.keySet(t))
		}
		pass(t, sets...)
		for day := range 3 {
			time.Sleep(24 * time.Hour)
			for range 3 {
				pass(t, sets...)
			}
			for _, set := range sets {
				if got := kids(t, set); len(got) != 2 {
					t.Fatalf("day %d: %d keys are published; want the new and the old one", day, len(got))
				}
			}
		}
	})
}

// A rotation on demand is one, too: the next comes a whole span after it.
func TestTheScheduleCountsFromTheLastRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		h.sharing.RotateEvery = 24 * time.Hour
		set := h.keySet(t)
		pass(t, set)
		time.Sleep(20 * time.Hour)
		rotate(t, set)
		time.Sleep(20 * time.Hour)
		pass(t, set)
		if got := kids(t, set); len(got) != 1 {
			t.Errorf("20 hours after a rotation %d keys are published", len(got))
		}
	})
}

// A store that fails when a rotation is due is asked for it once a minute.
func TestARotationThatFailsIsTriedAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		h.sharing.RotateEvery = 24 * time.Hour
		store := &readOnly{Store: h.store.Store}
		h.store.Store = store
		set := h.keySet(t)
		pass(t, set)
		time.Sleep(24 * time.Hour)
		store.on.Store(true)
		h.store.Reset()
		for range 10 {
			pass(t, set)
		}
		if n := count(h.store.Operations(), "Update"); n == 0 || n > 2 {
			t.Errorf("in a minute it was tried %d times", n)
		}
		store.on.Store(false)
		time.Sleep(time.Minute)
		pass(t, set)
		if got := kids(t, set); len(got) != 2 {
			t.Errorf("%d keys are published", len(got))
		}
	})
}

func count(operations []string, wanted string) (n int) {
	for _, operation := range operations {
		if operation == wanted {
			n++
		}
	}
	return n
}

// readOnly is a store that takes no writes while it is on.
type readOnly struct {
	storage.Store
	on atomic.Bool
}

func (r *readOnly) Update(
	ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error),
) error {
	if r.on.Load() {
		return storage.ErrUnavailable
	}
	return r.Store.Update(ctx, key, ttl, change)
}
