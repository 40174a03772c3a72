package keys_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// use signs, verifies and publishes.
func use(t *testing.T, ring *keys.Ring) {
	t.Helper()
	token := mustSign(t, ring, "", keys.TypeAccessToken)
	if err := ring.Verify(token, keys.TypeAccessToken, &claims{}); err != nil {
		t.Fatal(err)
	}
	mustPublic(t, ring)
}

func TestARingInUseLooksOnceASecondAndOneAtRestNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ring := h.ring(t)
		use(t, ring)
		h.store.Reset()
		for range 100 { // at one moment
			use(t, ring)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := h.store.Operations(); len(got) > 0 {
			t.Errorf("a steady ring did %v; want nothing", got)
		}
		use(t, ring)
		h.store.Reset()
		for range 200 { // 10 seconds
			time.Sleep(50 * time.Millisecond)
			use(t, ring)
			synctest.Wait()
		}
		if got := h.store.Operations(); len(got) != 10 || slices.Contains(got, "Update") {
			t.Errorf("ten seconds of use did %v; want ten times Get", got)
		}
	})
}

func TestARingThatRestedLooksBeforeItSigns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		one, rests := h.ring(t), h.ring(t)
		use(t, rests)
		rotate(t, one)
		time.Sleep(time.Hour)
		if got, want := signer(t, rests), signer(t, one); got != want {
			t.Errorf("after an hour of rest it signs with %s; want %s, which replaced it long ago", got, want)
		}
	})
}

func TestAKIDThatIsNotKnownIsLookedForOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ring := h.ring(t)
		use(t, ring)
		newer := mustSign(t, h.ring(t, jose.EdDSA), "", keys.TypeIDToken) // signs at once, being the first of its alg
		if err := ring.Verify(newer, keys.TypeIDToken, &claims{}); err != nil {
			t.Errorf("a token with a kid newer than the view: %v", err)
		}
		stranger := mustSign(t, mustRing(t, keys.Spec{Alg: jose.ES256}), "", keys.TypeIDToken)
		time.Sleep(time.Second)
		use(t, ring)
		synctest.Wait()
		h.store.Reset()
		for range 100 {
			if err := ring.Verify(stranger, keys.TypeIDToken, &claims{}); err == nil {
				t.Fatal("a stranger's token is good")
			}
		}
		if got := h.store.Operations(); len(got) != 1 {
			t.Errorf("a hundred tokens of strangers caused %v; want one look", got)
		}
	})
}

func TestTheStoreIsGoneAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ring := h.ring(t)
		use(t, ring)
		h.store.Gone(true)
		h.store.Reset()
		for range 300 { // half a minute
			time.Sleep(100 * time.Millisecond)
			use(t, ring)
		}
		synctest.Wait()
		if got := len(h.store.Operations()); got < 20 || got > 30 {
			t.Errorf("in half a minute the ring asked %d times; want about once a second", got)
		}
		if err := ring.Ready(); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("Ready = %v; want what the engine says", err)
		}
		if err := ring.Rotate(t.Context()); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("Rotate = %v; want what the engine says", err)
		}
		h.store.Gone(false)
		time.Sleep(time.Second)
		if err := ring.Ready(); err != nil {
			t.Errorf("a second after the engine came back Ready = %v", err)
		}
	})
}

func TestARingThatNeverSawTheStoreHasNoKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.store.Gone(true)
		ring := h.ring(t)
		_, errSign := ring.Sign("", keys.TypeIDToken, claims{"alice"})
		_, errPublic := ring.Public()
		for _, err := range []error{errSign, errPublic, ring.Ready(), ring.Rotate(t.Context())} {
			if !errors.Is(err, storagetest.ErrEngine) {
				t.Errorf("got %v; want what the engine says", err)
			}
		}
		h.store.Gone(false)
		use(t, ring)
	})
}

// slow is a store that takes its time for each Get, which ctx may end.
type slow struct {
	storage.Store
	takes atomic.Int64
}

func (s *slow) Get(ctx context.Context, key string) ([]byte, error) {
	done := time.NewTimer(time.Duration(s.takes.Load()))
	defer done.Stop()
	select {
	case <-done.C:
		return s.Store.Get(ctx, key)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func newSlowHouse(t *testing.T) (*house, *slow) {
	t.Helper()
	h := newHouse(t)
	store := &slow{Store: h.store}
	h.sharing.Records = storage.NewBucket[keys.Stored]("keys", store)
	return h, store
}

func TestWhoComesWhileSomebodyLooksWaitsForThatLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, store := newSlowHouse(t)
		ring := h.ring(t)
		use(t, ring)
		newer := mustSign(t, h.ring(t, jose.EdDSA), "", keys.TypeIDToken)
		store.takes.Store(int64(300 * time.Millisecond))
		h.store.Reset()
		var requests sync.WaitGroup
		for range 3 {
			time.Sleep(50 * time.Millisecond)
			requests.Go(func() {
				if err := ring.Verify(newer, keys.TypeIDToken, &claims{}); err != nil {
					t.Errorf("a token with a kid newer than the view: %v", err)
				}
			})
		}
		requests.Wait()
		if got := h.store.Operations(); len(got) != 1 {
			t.Errorf("three requests did %v; want one look", got)
		}
	})
}

func TestAStoreThatHangsIsWaitedForButNotLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, store := newSlowHouse(t)
		ring := h.ring(t)
		use(t, ring)
		store.takes.Store(int64(time.Minute))
		time.Sleep(time.Hour)
		start := time.Now()
		mustSign(t, ring, "", keys.TypeIDToken)
		if took := time.Since(start); took != 500*time.Millisecond {
			t.Errorf("Sign waited %v for a look; want half a second", took)
		}
		newcomer := h.ring(t)
		start = time.Now()
		_, err := newcomer.Sign("", keys.TypeIDToken, claims{"alice"})
		if took := time.Since(start); took != 2*time.Second || !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("without a view Sign gives %v after %v; want storage.ErrUnavailable after two seconds", err, took)
		}
		store.takes.Store(0)
		time.Sleep(time.Second)
		use(t, newcomer)
	})
}

func TestAStoreThatLostTheRecordGetsItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ring := h.ring(t)
		use(t, ring)
		rotate(t, ring)
		before := kids(t, ring)
		if err := h.sharing.Records.Delete(t.Context(), "ring"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(seen)
		use(t, ring)
		if got := kids(t, h.ring(t)); !slices.Equal(got, before) {
			t.Errorf("afterwards %v are published; want %v as before", got, before)
		}
	})
}

// In development mode the clock can be moved; a machine's may be set.
func TestAClockThatIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var ahead atomic.Int64
		h.sharing.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		ahead.Store(int64(time.Hour))
		ring := h.ring(t)
		use(t, ring)
		rotate(t, ring)
		ahead.Store(0)
		use(t, ring)
		use(t, h.ring(t))
		before := kids(t, ring)
		rotate(t, ring)
		time.Sleep(propagation)
		if got := kids(t, ring); len(got) != 3 || slices.Contains(before, signer(t, ring)) {
			t.Errorf("after a rotation at the real time %v are published; want three, of which the last made signs", got)
		}
	})
}

func TestARingWhoseClockWasSetBackLooksBeforeItSigns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		one := h.ring(t)
		var ahead atomic.Int64
		h.sharing.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		ahead.Store(int64(time.Hour))
		other := h.ring(t)
		use(t, other)
		ahead.Store(0)
		rotate(t, one)
		time.Sleep(propagation)
		if got, want := signer(t, other), signer(t, one); got != want {
			t.Errorf("it signs with %s; want %s, which replaced it", got, want)
		}
	})
}
