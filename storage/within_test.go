package storage_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestWithinKeepsTheContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storagetest.Engine {
		c := storagetest.NewClock()
		return storagetest.Engine{Store: storage.Within(time.Minute, time.Now, storage.NewMemory(c.Now)), Pass: c.Pass}
	})
}

// stuck is an engine that answers nobody.
type stuck struct{ storage.Store }

func (stuck) Get(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAnEngineThatIsStuckIsUnavailable(t *testing.T) {
	_, err := storage.Within(time.Millisecond, time.Now, stuck{}).Get(t.Context(), "k")
	if !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want ErrUnavailable", err)
	}
}

func TestWhoGivesUpIsToldSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := storage.Within(time.Minute, time.Now, stuck{}).Get(ctx, "k")
	if !errors.Is(err, context.Canceled) || errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want context.Canceled alone", err)
	}
}

// late is an engine that answers each read just before the limit of an operation.
type late struct{ storage.Store }

func (l late) Get(ctx context.Context, key string) ([]byte, error) {
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return l.Store.Get(context.Background(), key)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestTheOperationsOfARequestShareItsPatience(t *testing.T) {
	slow := storage.Within(time.Minute, time.Now, late{storage.NewMemory(time.Now)})
	ctx := storage.Patience(t.Context(), 120*time.Millisecond)
	for n := range 10 {
		if _, err := slow.Get(ctx, "k"); errors.Is(err, storage.ErrUnavailable) {
			return
		} else if !errors.Is(err, storage.ErrNotFound) {
			t.Fatalf("operation %d: %v", n, err)
		}
	}
	t.Error("ten operations of 50 ms were waited for with a patience of 120 ms")
}

func TestOperationsAtTheSameTimeCountOnce(t *testing.T) {
	slow := storage.NewBucket[string]("b", storage.Within(time.Minute, time.Now, late{storage.NewMemory(time.Now)}))
	ctx := storage.Patience(t.Context(), 500*time.Millisecond)
	if err := slow.Put(ctx, "7", "there", time.Hour); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for i := range 40 { // two seconds, one after the other
		keys = append(keys, strconv.Itoa(i))
	}
	records, err := slow.GetAll(ctx, keys)
	if err != nil || len(records) != 40 || records[0] != nil || records[7] == nil || *records[7] != "there" {
		t.Errorf("GetAll = %v, %v; want only the record of 7, in its place", records, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := slow.GetAll(cancelled, keys); !errors.Is(err, context.Canceled) {
		t.Errorf("GetAll = %v; want context.Canceled", err)
	}
}

func TestPatienceCountsWhatTheStoreTakesAndNothingElse(t *testing.T) {
	clock := storagetest.NewClock()
	store := storage.Within(time.Minute, clock.Now, storage.NewMemory(clock.Now))
	ctx := storage.Patience(t.Context(), time.Second)
	for range 3 {
		if _, err := store.Get(ctx, "k"); !errors.Is(err, storage.ErrNotFound) {
			t.Fatalf("Get = %v; want ErrNotFound", err)
		}
		clock.Pass(time.Hour) // between the operations
	}
}
