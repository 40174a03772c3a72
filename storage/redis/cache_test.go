package redis_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

// Each sees its own writes at once, while others read the same sessions and so fill the same cache all the time.
func TestOwnWritesAreSeenAtOnce(t *testing.T) {
	for name, url := range map[string]string{"server": redistest.Start(t).URL, "cluster": redistest.StartCluster(t).URL} {
		t.Run(name, func(t *testing.T) {
			store := open(t, url)
			var done atomic.Bool
			var readers, writers sync.WaitGroup
			for i := range 4 {
				key := "session:" + strconv.Itoa(i)
				readers.Go(func() {
					for !done.Load() {
						if _, err := store.Get(t.Context(), key); err != nil && !errors.Is(err, storage.ErrNotFound) {
							t.Error(err)
							return
						}
						time.Sleep(20 * time.Microsecond) // the writers need the processor too
					}
				})
				writers.Go(func() { writeAndRead(t, store, key, 150) })
			}
			writers.Wait()
			done.Store(true)
			readers.Wait()
		})
	}
}

// writeAndRead writes in each way there is, and reads after each.
func writeAndRead(t *testing.T, store storage.Store, key string, rounds int) {
	check := func(value string) bool {
		got, err := store.Get(t.Context(), key)
		if value == "" && errors.Is(err, storage.ErrNotFound) || err == nil && string(got) == value {
			return true
		}
		t.Errorf("Get(%q) = %q, %v after %q was written", key, got, err, value)
		return false
	}
	for round := range rounds {
		first, second := strconv.Itoa(round), strconv.Itoa(round)+"+"
		err := store.Put(t.Context(), key, []byte(first), time.Minute)
		if err != nil || !check(first) {
			t.Error(err)
			return
		}
		err = store.Update(t.Context(), key, storage.KeepTTL,
			func(old []byte) ([]byte, error) { return append(old, '+'), nil })
		if err != nil || !check(second) {
			t.Error(err)
			return
		}
		err = store.Update(t.Context(), key, storage.KeepTTL, func([]byte) ([]byte, error) { return nil, nil })
		if err != nil || !check("") {
			t.Error(err)
			return
		}
	}
}

func TestWritesOfAnotherProcessReachTheCache(t *testing.T) {
	server := redistest.Start(t)
	reader, writer := open(t, server.URL), open(t, server.URL)
	var longest time.Duration
	for round := range 300 {
		value := strconv.Itoa(round)
		if _, err := reader.Get(t.Context(), "session:k"); err != nil && round > 0 {
			t.Fatal(err)
		}
		put(t, writer, "session:k", value)
		written := time.Now()
		for got := ""; got != value; {
			read, err := reader.Get(t.Context(), "session:k")
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				t.Fatal(err)
			}
			if got = string(read); time.Since(written) > time.Second {
				t.Fatalf("a second after it was replaced by %q the copy %q answers", value, got)
			}
		}
		longest = max(longest, time.Since(written))
	}
	t.Logf("an old copy answered for %v at the most", longest)
}

func TestSessionThatEndsElsewhereIsGoneHere(t *testing.T) {
	server := redistest.Start(t)
	reader, writer := open(t, server.URL), open(t, server.URL)
	put(t, writer, "session:k", "v")
	wantValue(t, reader, "session:k", "v")
	err := writer.Update(t.Context(), "session:k", storage.KeepTTL, func([]byte) ([]byte, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	if !redistest.Eventually(func() bool {
		_, err := reader.Get(t.Context(), "session:k")
		return errors.Is(err, storage.ErrNotFound)
	}) {
		t.Error("the copy answers still")
	}
	wantValueSoon(t, reader, writer, "session:k") // that there is nothing is cached too
}

func wantValueSoon(t *testing.T, reader, writer storage.Store, key string) {
	t.Helper()
	put(t, writer, key, "anew")
	if !redistest.Eventually(func() bool {
		got, err := reader.Get(t.Context(), key)
		return err == nil && string(got) == "anew"
	}) {
		t.Error("the new session is not seen")
	}
}

// The window that the package comment gives for a network that breaks without a word.
func TestCopiesGoWithTheirDeadConnection(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	link := redistest.Connect(t, server)
	reader, writer := open(t, link.URL), open(t, server.URL)
	put(t, writer, "session:k", "v")
	wantValue(t, reader, "session:k", "v")
	link.Cut()
	cut, answered := time.Now(), time.Duration(0)
	put(t, writer, "session:k", "w")
	for answered < redis.DeadAfter+500*time.Millisecond {
		if _, err := reader.Get(t.Context(), "session:k"); err != nil {
			break // nothing is answered any more
		}
		answered = time.Since(cut)
		time.Sleep(10 * time.Millisecond)
	}
	if t.Logf("the copy answered for %v", answered); answered > redis.DeadAfter+500*time.Millisecond {
		t.Error("it still does")
	}
	link.Mend()
	if !redistest.Eventually(func() bool {
		got, err := reader.Get(t.Context(), "session:k")
		return err == nil && string(got) == "w"
	}) {
		t.Error("the reader does not come back")
	}
}

func TestCallerThatGivesUpDisturbsNoOther(t *testing.T) {
	server := redistest.Start(t)
	link := redistest.Connect(t, server)
	store := open(t, link.URL)
	put(t, store, "session:k", "v")
	link.Delay(100 * time.Millisecond)
	canceled, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := store.Get(canceled, "session:k"); !errors.Is(err, context.Canceled) {
			t.Errorf("the canceled caller gets %v", err)
		}
	})
	time.Sleep(20 * time.Millisecond) // its command is on the way
	for range 4 {
		group.Go(func() {
			if got, err := store.Get(t.Context(), "session:k"); err != nil || string(got) != "v" {
				t.Errorf("another caller gets %q, %v", got, err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	cancel()
	group.Wait()
}
