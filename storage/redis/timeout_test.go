package redis_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

// After the client drops its connection, each call waits for the attempt to make a new one. A server that hangs makes
// that attempt long.
func TestACallThatWaitsForAConnectionEndsInTime(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server.URL)
	put(t, store, "session:k", "v")
	server.Pause()
	defer server.Resume()
	over := time.Now().Add(redis.DeadAfter + 3*time.Second)
	var group sync.WaitGroup
	for i := range 20 {
		limit := storage.Budget
		if i%2 == 0 {
			limit = 500 * time.Millisecond
		}
		group.Go(func() {
			for n := 0; time.Now().Before(over); n++ {
				checkEndsIn(t, limit, store, []string{"code:", "session:"}[n%2]+strconv.Itoa(i))
			}
		})
	}
	group.Wait()
}

func checkEndsIn(t *testing.T, limit time.Duration, store *redis.Store, key string) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	begin := time.Now()
	_, err := store.Get(ctx, key)
	if took := time.Since(begin); took > limit+500*time.Millisecond || !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("a call that may take %v took %v: %v", limit, took, err)
	}
}
