package redis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestOneServersBusKeepsTheContract(t *testing.T) {
	server := redistest.Start(t)
	storagetest.RunBus(t, open(t, server.URL), open(t, server.URL))
}

func TestAClustersBusKeepsTheContract(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	storagetest.RunBus(t, open(t, cluster.URL), open(t, cluster.URL))
}

// subscriber hears topic "t" until it is ended.
func subscriber(t *testing.T, store *redis.Store) (heard chan string, ended chan error, end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	heard, ended = make(chan string, 10_000), make(chan error, 1)
	go func() { ended <- store.Subscribe(ctx, "t", func(m []byte) { heard <- string(m) }, func(error) {}) }()
	return heard, ended, cancel
}

// comesThrough publishes text until it is heard.
func comesThrough(t *testing.T, from *redis.Store, heard chan string, text string) {
	t.Helper()
	if !redistest.Eventually(func() bool {
		_ = from.Publish(t.Context(), "t", []byte(text)) // it may fail as long as the server is not back
		for len(heard) > 0 {
			if <-heard == text {
				return true
			}
		}
		return false
	}) {
		t.Fatalf("%q is not heard", text)
	}
}

func TestASubscriberOutlivesAnOutage(t *testing.T) {
	for _, row := range []struct {
		name          string
		away, returns func(*redistest.Server, *redistest.Link)
	}{
		{"the server is killed", func(s *redistest.Server, _ *redistest.Link) { s.Stop() }, func(s *redistest.Server, _ *redistest.Link) { s.Restart() }},
		{"the server hangs", func(s *redistest.Server, _ *redistest.Link) { s.Pause() }, func(s *redistest.Server, _ *redistest.Link) { s.Resume() }},
		{"the network drops packets", func(_ *redistest.Server, l *redistest.Link) { l.Cut() }, func(_ *redistest.Server, l *redistest.Link) { l.Mend() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			link := redistest.Connect(t, server)
			from, to := open(t, link.URL), open(t, link.URL)
			heard, ended, end := subscriber(t, to)
			comesThrough(t, from, heard, "before")
			row.away(server, link)
			begin := time.Now()
			if err := from.Publish(t.Context(), "t", []byte("meanwhile")); !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("while the server is away Publish = %v; want ErrUnavailable", err)
			}
			if took := time.Since(begin); took > answerWithin {
				t.Errorf("and took %v; want %v at the most", took, answerWithin)
			}
			row.returns(server, link)
			comesThrough(t, from, heard, "after")
			end()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("Subscribe ended with %v", err)
			}
		})
	}
}

func TestSubscribeEndsWithTheStore(t *testing.T) {
	store := open(t, redistest.Start(t).URL)
	heard, ended, _ := subscriber(t, store)
	comesThrough(t, store, heard, "before")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Subscribe ended with %v; want ErrUnavailable", err)
	}
}

// Channels of Redis are those of all its databases.
func TestAnotherDatabaseIsAnotherBus(t *testing.T) {
	server := redistest.Start(t)
	first, second := open(t, server.URL+"/0"), open(t, server.URL+"/1")
	heard, _, _ := subscriber(t, first)
	comesThrough(t, first, heard, "before")
	if err := second.Publish(t.Context(), "t", []byte("foreign")); err != nil {
		t.Fatal(err)
	}
	if err := first.Publish(t.Context(), "t", []byte("own")); err != nil {
		t.Fatal(err)
	}
	for text := range heard {
		if text == "foreign" {
			t.Error("a message of another database is heard")
		}
		if text == "own" {
			return
		}
	}
}

// What an error says about rights is enough, and no less would be.
func TestAUserNeedsTheRightToPublish(t *testing.T) {
	server := redistest.Start(t)
	rights := []string{"~hush:*", "+@read", "+@write", "+@scripting", "+@connection", "+@transaction", "+role", "+cluster"}
	server.Command(append([]string{"ACL", "SETUSER", "silent", "on", ">p", "resetchannels"}, rights...)...)
	server.Command(append([]string{"ACL", "SETUSER", "hush", "on", ">p", "resetchannels", "+@pubsub", "&hush:*"}, rights...)...)
	silent, allowed := open(t, "redis://silent:p@"+server.Addr), open(t, "redis://hush:p@"+server.Addr)
	if err := silent.Publish(t.Context(), "t", nil); !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "+@pubsub") {
		t.Errorf("without the right Publish = %v; want it to say what to do", err)
	}
	broken := make(chan error, 100)
	go func() { _ = silent.Subscribe(t.Context(), "t", nil, func(err error) { broken <- err }) }() // it ends with the test
	if err := <-broken; !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "+@pubsub") {
		t.Errorf("without the right Subscribe is broken by %v; want it to say what to do", err)
	}
	put(t, silent, "session:k", "v") // the rest works all the same
	heard, _, _ := subscriber(t, allowed)
	comesThrough(t, allowed, heard, "hello")
}
