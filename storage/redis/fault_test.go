package redis_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

const (
	answerWithin = storage.Budget + 800*time.Millisecond // the machine of the test may be slow
	returnWithin = 5 * time.Second
)

// wantOutage makes calls while the server is away, and wants each to fail in time.
func wantOutage(t *testing.T, store *redis.Store) {
	t.Helper()
	for range 2 { // when nobody knows yet, and when new connections are tried
		begin := time.Now()
		errs := everyCall(t.Context(), store)
		if took := time.Since(begin); took > answerWithin {
			t.Errorf("the calls took %v; want %v at the most", took, answerWithin)
		}
		for name, err := range errs {
			if !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("%s = %v; want ErrUnavailable", name, err)
			}
		}
	}
}

// wantReturn wants every call to be well soon.
func wantReturn(t *testing.T, store *redis.Store) {
	t.Helper()
	begin := time.Now()
	isWell := func() bool {
		if store.Ping(t.Context()) != nil || store.Put(t.Context(), "code:k", []byte("v"), time.Minute) != nil {
			return false
		}
		_, err := store.Get(t.Context(), "session:k")
		return err == nil || errors.Is(err, storage.ErrNotFound)
	}
	if !redistest.Eventually(isWell) {
		t.Fatal("the service does not return")
	}
	if took := time.Since(begin); took > returnWithin {
		t.Errorf("the service returned after %v; want %v", took, returnWithin)
	}
}

func TestOutage(t *testing.T) {
	for _, row := range []struct {
		name    string
		away    func(*redistest.Server, *redistest.Link)
		returns func(*redistest.Server, *redistest.Link)
	}{
		{name: "the server is killed", away: func(s *redistest.Server, _ *redistest.Link) { s.Stop() },
			returns: func(s *redistest.Server, _ *redistest.Link) { s.Restart() }},
		{name: "the server hangs", away: func(s *redistest.Server, _ *redistest.Link) { s.Pause() },
			returns: func(s *redistest.Server, _ *redistest.Link) { s.Resume() }},
		{name: "the network drops packets", away: func(_ *redistest.Server, l *redistest.Link) { l.Cut() },
			returns: func(_ *redistest.Server, l *redistest.Link) { l.Mend() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			link := redistest.Connect(t, server)
			store := open(t, link.URL)
			put(t, store, "session:k", "v")
			wantValue(t, store, "session:k", "v")
			row.away(server, link)
			wantOutage(t, store)
			row.returns(server, link)
			wantReturn(t, store)
		})
	}
}

func TestManyCallsInAnOutageEndInTimeAndLeaveNothing(t *testing.T) {
	server := redistest.Start(t)
	store := open(t, server.URL)
	put(t, store, "code:k", "v")
	before := runtime.NumGoroutine()
	server.Pause()
	var group sync.WaitGroup
	for i := range 3000 {
		group.Go(func() {
			begin := time.Now()
			_, err := store.Get(t.Context(), "code:"+strconv.Itoa(i))
			if took := time.Since(begin); took > answerWithin || !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
	group.Wait()
	server.Resume()
	wantReturn(t, store)
	if !redistest.Eventually(func() bool { return runtime.NumGoroutine() < before+20 }) {
		t.Errorf("%d goroutines are left; %d were there before", runtime.NumGoroutine(), before)
	}
}

func TestDeadlineOfTheCallerCounts(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server.URL)
	server.Pause()
	defer server.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	for name, err := range everyCall(ctx, store) {
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%s = %v; want the end of the deadline, and ErrUnavailable", name, err)
		}
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("the calls took %v", took)
	}
}

func TestSlowNetworkMakesEverythingSlowerAndNothingWrong(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	link := redistest.Connect(t, server)
	link.Delay(200 * time.Millisecond)
	store := open(t, link.URL)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			key := "session:" + strconv.Itoa(i)
			put(t, store, key, "v")
			wantValue(t, store, key, "v")
			update(t, store, key, "w")
			wantValue(t, store, key, "w")
		})
	}
	group.Wait()
}

func TestCloseEndsInTimeThoughTheServerHangs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server.URL)
	server.Pause()
	defer server.Resume()
	begin := time.Now()
	_ = store.Close()
	if took := time.Since(begin); took > answerWithin {
		t.Errorf("it took %v", took)
	}
}

func TestErrorOfAServerSaysWhatToDo(t *testing.T) {
	server := redistest.Start(t)
	store := open(t, server.URL)
	server.Command("CONFIG", "SET", "maxmemory", "1")
	wantText(t, store.Ping(t.Context()), "raise maxmemory")
	server.Command("CONFIG", "SET", "maxmemory", "0")
	if err := store.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	server.Command("REPLICAOF", "127.0.0.1", "1")
	wantText(t, store.Ping(t.Context()), "is a replica")
	server.Stop()
	wantText(t, store.Ping(t.Context()), "is the server running")
}

func TestSentinelPutsAnotherInThePlaceOfADeadServer(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t)
	store := open(t, sentinel.URL)
	put(t, store, "session:k", "v")
	put(t, store, "code:k", "v")
	if !redistest.Eventually(func() bool { return sentinel.Replica.Command("DBSIZE") == "3" }) { // and that of Ping
		t.Fatal("the replica does not follow")
	}
	_, err := redis.Open(t.Context(), strings.Replace(sentinel.URL, "/"+redistest.Name, "/other", 1))
	if err == nil || !strings.Contains(err.Error(), "does not know that name") {
		t.Errorf("Open with another name = %v", err)
	}
	sentinel.Primary.Stop()
	wantOutage(t, store)
	if !redistest.Eventually(func() bool { return store.Ping(t.Context()) == nil }) {
		t.Fatal("the service does not return")
	}
	wantValue(t, store, "session:k", "v")
	update(t, store, "code:k", "w")
}

func TestClusterServesWhenANodeReturns(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, redistest.Durable...)
	store := open(t, cluster.URL)
	for i := range 30 {
		put(t, store, "session:"+strconv.Itoa(i), "v")
	}
	cluster.Nodes[1].Stop()
	begin := time.Now()
	failed := 0
	for i := range 30 {
		if err := store.Put(t.Context(), "code:"+strconv.Itoa(i), []byte("v"), time.Minute); errors.Is(err,
			storage.ErrUnavailable) {
			failed++
		} else if err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(begin); failed == 0 || took > answerWithin {
		t.Errorf("%d of 30 writes failed in %v; want those of the dead node, at once", failed, took)
	}
	cluster.Nodes[1].Restart()
	if !redistest.Eventually(func() bool {
		for i := range 30 {
			if got, err := store.Get(t.Context(), "session:"+strconv.Itoa(i)); err != nil || string(got) != "v" {
				return false
			}
		}
		return true
	}) {
		t.Error("the service does not return whole")
	}
}

func wantText(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), text) {
		t.Errorf("%v; want ErrUnavailable with %q", err, text)
	}
}
