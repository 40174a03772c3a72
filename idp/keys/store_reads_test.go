package keys_test

import (
	"context"
	"errors"
	"fmt"
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
func use(t *testing.T, set *keys.KeySet) {
	t.Helper()
	token := mustSign(t, set, "", keys.TypeAccessToken)
	if err := set.Verify(t.Context(), token, keys.TypeAccessToken, &claims{}); err != nil {
		t.Fatal(err)
	}
	mustPublic(t, set)
}

func TestAKeySetInUseLooksOnceASecondAndOneAtRestNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		set := h.keySet(t)
		use(t, set)
		h.store.Reset()
		for range 100 { // at one moment
			use(t, set)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := h.store.Operations(); len(got) > 0 {
			t.Errorf("a steady set did %v; want nothing", got)
		}
		use(t, set)
		h.store.Reset()
		for range 200 { // 10 seconds
			time.Sleep(50 * time.Millisecond)
			use(t, set)
			synctest.Wait()
		}
		if got := h.store.Operations(); len(got) != 10 || slices.Contains(got, "Update") {
			t.Errorf("ten seconds of use did %v; want ten times Get", got)
		}
	})
}

func TestAKeySetThatRestedLooksBeforeItSigns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		one, rests := h.keySet(t), h.keySet(t)
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
		h := newFixture(t)
		set := h.keySet(t)
		use(t, set)
		newer := mustSign(t, h.keySet(t, jose.EdDSA), "", keys.TypeIDToken) // signs at once, being the first of its alg
		if err := set.Verify(t.Context(), newer, keys.TypeIDToken, &claims{}); err != nil {
			t.Errorf("a token with a kid newer than the view: %v", err)
		}
		foreign := mustSign(t, mustNew(t, keys.Spec{Alg: jose.ES256}), "", keys.TypeIDToken)
		time.Sleep(time.Second)
		use(t, set)
		synctest.Wait()
		h.store.Reset()
		for range 100 {
			if err := set.Verify(t.Context(), foreign, keys.TypeIDToken, &claims{}); err == nil {
				t.Fatal("a foreign token is good")
			}
		}
		if got := h.store.Operations(); len(got) != 1 {
			t.Errorf("a hundred foreign tokens caused %v; want one look", got)
		}
	})
}

func TestTheStoreIsGoneAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		set := h.keySet(t)
		use(t, set)
		h.store.Gone(true)
		h.store.Reset()
		for range 300 { // half a minute
			time.Sleep(100 * time.Millisecond)
			use(t, set)
		}
		synctest.Wait()
		if got := len(h.store.Operations()); got < 100 || got > 160 {
			t.Errorf("in half a minute the key set asked %d times; want five times a second", got)
		}
		if err := set.Ready(t.Context()); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("Ready = %v; want what the engine says", err)
		}
		if err := set.Rotate(t.Context()); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("Rotate = %v; want what the engine says", err)
		}
		h.store.Gone(false)
		time.Sleep(storage.Budget)
		if err := set.Ready(t.Context()); err != nil {
			t.Errorf("soon after the engine came back Ready = %v", err)
		}
	})
}

func TestAKeySetThatNeverSawTheStoreHasNoKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		h.store.Gone(true)
		set := h.keySet(t)
		_, errSign := set.Sign(t.Context(), "", keys.TypeIDToken, claims{"alice"})
		_, errPublic := set.Public(t.Context())
		for _, err := range []error{errSign, errPublic, set.Ready(t.Context()), set.Rotate(t.Context())} {
			if !errors.Is(err, storagetest.ErrEngine) {
				t.Errorf("got %v; want what the engine says", err)
			}
		}
		h.store.Gone(false)
		time.Sleep(storage.Budget)
		use(t, set)
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
		return nil, fmt.Errorf("%w: %w", storage.ErrUnavailable, ctx.Err())
	}
}

func newSlowFixture(t *testing.T) (*fixture, *slow) {
	t.Helper()
	h := newFixture(t)
	store := &slow{Store: h.store}
	h.sharing.Store = store
	return h, store
}

func TestACallDuringAReadOfTheStoreWaitsForThatRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, store := newSlowFixture(t)
		set := h.keySet(t)
		use(t, set)
		newer := mustSign(t, h.keySet(t, jose.EdDSA), "", keys.TypeIDToken)
		store.takes.Store(int64(300 * time.Millisecond))
		h.store.Reset()
		var requests sync.WaitGroup
		for range 3 {
			time.Sleep(50 * time.Millisecond)
			requests.Go(func() {
				if err := set.Verify(t.Context(), newer, keys.TypeIDToken, &claims{}); err != nil {
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

func TestAStoreThatHangsIsWaitedForUntilTheRequestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, store := newSlowFixture(t)
		set := h.keySet(t)
		use(t, set)
		store.takes.Store(int64(time.Minute))
		time.Sleep(time.Hour)
		const budget = 300 * time.Millisecond
		sign := func(set *keys.KeySet) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(t.Context(), budget)
			defer cancel()
			start := time.Now()
			_, err := set.Sign(ctx, "", keys.TypeIDToken, claims{"alice"})
			return time.Since(start), err
		}
		if took, err := sign(set); err != nil || took != budget {
			t.Errorf("with a view Sign gives %v after %v; want a token after %v", err, took, budget)
		}
		newcomer := h.keySet(t)
		if took, err := sign(newcomer); took != budget || !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("without a view Sign gives %v after %v; want storage.ErrUnavailable after %v", err, took, budget)
		}
		store.takes.Store(0)
		time.Sleep(2 * storage.Budget) // the read in the background fails, and is repeated
		use(t, newcomer)
	})
}

func TestAStoreThatLostTheRecordGetsItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		set := h.keySet(t)
		use(t, set)
		rotate(t, set)
		before := kids(t, set)
		if err := records(h.sharing).Delete(t.Context(), "ring"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(seen)
		use(t, set)
		if got := kids(t, h.keySet(t)); !slices.Equal(got, before) {
			t.Errorf("afterwards %v are published; want %v as before", got, before)
		}
	})
}

// In development mode the clock can be moved; a machine's may be set.
func TestAClockThatIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		var ahead atomic.Int64
		h.sharing.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		ahead.Store(int64(time.Hour))
		set := h.keySet(t)
		use(t, set)
		rotate(t, set)
		ahead.Store(0)
		use(t, set)
		use(t, h.keySet(t))
		before := kids(t, set)
		rotate(t, set)
		time.Sleep(propagation)
		if got := kids(t, set); len(got) != 3 || slices.Contains(before, signer(t, set)) {
			t.Errorf("after a rotation at the real time %v are published; want three, of which the last made signs", got)
		}
	})
}

func TestAKeySetWhoseClockWasSetBackLooksBeforeItSigns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		one := h.keySet(t)
		var ahead atomic.Int64
		h.sharing.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		ahead.Store(int64(time.Hour))
		other := h.keySet(t)
		use(t, other)
		ahead.Store(0)
		rotate(t, one)
		time.Sleep(propagation)
		if got, want := signer(t, other), signer(t, one); got != want {
			t.Errorf("it signs with %s; want %s, which replaced it", got, want)
		}
	})
}
