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

func put(t testing.TB, store storage.Store, key, value string) {
	t.Helper()
	if err := store.Put(t.Context(), key, []byte(value), time.Minute); err != nil {
		t.Fatal(err)
	}
}

func update(t testing.TB, store storage.Store, key, value string) {
	t.Helper()
	err := store.Update(t.Context(), key, storage.KeepTTL, func([]byte) ([]byte, error) { return []byte(value), nil })
	if err != nil {
		t.Fatal(err)
	}
}

func wantValue(t testing.TB, store storage.Store, key, want string) {
	t.Helper()
	if got, err := store.Get(t.Context(), key); err != nil || string(got) != want {
		t.Fatalf("Get(%q) = %q, %v; want %q", key, got, err, want)
	}
}

func wantMissing(t testing.TB, store storage.Store, key string) {
	t.Helper()
	if got, err := store.Get(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		t.Fatalf("Get(%q) = %q, %v; want ErrNotFound", key, got, err)
	}
}

// The trips that the package comment promises, counted by the server.
func TestTripsToTheServer(t *testing.T) {
	server := redistest.Start(t)
	store, other := open(t, server.URL), open(t, server.URL)
	create := func(key string) func() {
		return func() {
			err := store.Update(t.Context(), key, time.Minute, func([]byte) ([]byte, error) { return []byte("v"), nil })
			if err != nil {
				t.Error(err)
			}
		}
	}
	put(t, store, "session:s", "v")
	put(t, other, "code:other", "v")
	put(t, other, "mark:other", "v")
	wantValue(t, store, "session:s", "v")
	put(t, store, "code:warm", "v")
	update(t, store, "code:warm", "w") // the server learns the script
	for _, row := range []struct {
		name string
		do   func()
		want map[string]int // commands that arrive, apart from those that the script runs
	}{
		{"Get of a session in the cache", func() { wantValue(t, store, "session:s", "v") }, nil},
		{"Get of something else", func() { wantValue(t, store, "code:other", "v") }, map[string]int{"get": 1}},
		{"Put", func() { put(t, store, "code:new", "v") }, map[string]int{"set": 1}},
		{"Update of a value", func() { update(t, store, "code:other", "w") }, map[string]int{"get": 1, "evalsha": 1}},
		{"Update of a cached session", func() { update(t, store, "session:s", "w") }, map[string]int{"evalsha": 1,
			"exists": 1}},
		{"Update that creates", create("mark:new"), map[string]int{"set": 1}},
		{"Update that could have created", create("mark:other"), map[string]int{"set": 1, "get": 1, "evalsha": 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server.ForgetCalls()
			row.do()
			calls := server.Calls()
			if scripts := calls["evalsha"]; scripts > 0 { // each reads; the last writes
				calls["get"] -= scripts
				calls["set"]--
			}
			for _, command := range []string{"get", "set", "evalsha", "eval", "exists", "exec"} {
				if calls[command] != row.want[command] {
					t.Errorf("%d × %s; want %d", calls[command], command, row.want[command])
				}
			}
		})
	}
}

func TestErrorThatChangeGivesForAGuessCountsOnlyAfterARead(t *testing.T) {
	server := redistest.Start(t)
	store, other := open(t, server.URL), open(t, server.URL)
	put(t, store, "code:k", "fresh")
	update(t, other, "code:k", "spent")
	refused := errors.New("it was fresh")
	var seen []string
	err := store.Update(t.Context(), "code:k", time.Minute, func(old []byte) ([]byte, error) {
		seen = append(seen, string(old))
		if string(old) == "fresh" {
			return nil, refused
		}
		return []byte("again"), nil
	})
	if err != nil {
		t.Errorf("Update = %v; the old value was %q", err, seen)
	}
	wantValue(t, other, "code:k", "again")
}

func TestUpdateWorksOnAServerThatForgotTheScript(t *testing.T) {
	server := redistest.Start(t)
	store := open(t, server.URL)
	for _, key := range []string{"session:k", "code:k"} {
		put(t, store, key, "v")
		server.Command("SCRIPT", "FLUSH")
		update(t, store, key, "w")
		wantValue(t, store, key, "w")
	}
}

func TestTwoProcessesNeverBothSpend(t *testing.T) {
	server := redistest.Start(t)
	stores := []storage.Store{open(t, server.URL), open(t, server.URL)}
	errSpent := errors.New("spent")
	for round := range 200 {
		key := "code:" + strconv.Itoa(round)
		put(t, stores[round%2], key, "fresh")
		wins := make(chan int, 8)
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				err := stores[i%2].Update(t.Context(), key, time.Minute, func(old []byte) ([]byte, error) {
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
		}
		if group.Wait(); len(wins) != 1 {
			t.Fatalf("%d of 8 spent %s; want 1", len(wins), key)
		}
	}
}

// A user whose scripts sign in five hundred times at once is still one list of sessions.
func TestManyChangesOfOneKeyAtOnceAllHappen(t *testing.T) {
	server := redistest.Start(t)
	stores := []storage.Store{open(t, server.URL), open(t, server.URL)}
	const many = 500
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			err := stores[i%2].Update(t.Context(), "counter", time.Minute, func(old []byte) ([]byte, error) {
				count, _ := strconv.Atoi(string(old)) // 0 for none
				return []byte(strconv.Itoa(count + 1)), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	wantValue(t, stores[0], "counter", strconv.Itoa(many))
}

func TestAnUpdateThatWaitsForOtherUpdatesEndsInTime(t *testing.T) {
	server := redistest.Start(t)
	store, other := open(t, server.URL), open(t, server.URL)
	put(t, store, "k", "v")
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	err := store.Update(ctx, "k", time.Minute, func([]byte) ([]byte, error) {
		if runs++; runs == 5 {
			cancel()
		}
		put(t, other, "k", strconv.Itoa(runs)) // always first
		return []byte("mine"), nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after %d tries: %v; want context.Canceled", runs, err)
	}
	update(t, store, "k", "after") // nobody holds the key's turn
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	store := open(t, redistest.Start(t).URL)
	put(t, store, "session:k", "v")
	wantValue(t, store, "session:k", "v")
	if err := errors.Join(store.Close(), store.Close()); err != nil {
		t.Error(err)
	}
	for name, err := range everyCall(t.Context(), store) {
		if !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%s = %v; want ErrUnavailable", name, err)
		}
	}
}

// everyCall makes one of each, at the same time, and returns their errors.
func everyCall(ctx context.Context, store *redis.Store) map[string]error {
	errs := map[string]error{}
	var mutex sync.Mutex
	var group sync.WaitGroup
	for name, call := range map[string]func() error{
		"Get of a session": func() error { _, err := store.Get(ctx, "session:other"); return err },
		"Get":              func() error { _, err := store.Get(ctx, "code:k"); return err },
		"Put of a session": func() error { return store.Put(ctx, "session:new", []byte("v"), time.Minute) },
		"Put":              func() error { return store.Put(ctx, "code:new", []byte("v"), time.Minute) },
		"Update": func() error {
			return store.Update(ctx, "code:k", storage.KeepTTL, func([]byte) ([]byte, error) { return []byte("w"), nil })
		},
		"Update that creates": func() error {
			return store.Update(ctx, "mark:k", time.Minute, func([]byte) ([]byte, error) { return []byte("w"), nil })
		},
		"Ping": func() error { return store.Ping(ctx) },
	} {
		group.Go(func() {
			err := call()
			mutex.Lock()
			defer mutex.Unlock()
			errs[name] = err
		})
	}
	group.Wait()
	return errs
}
