package redis_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
	"github.com/hush-idp/hush/storage/storagetest"
)

func open(t testing.TB, url string) *redis.Store {
	t.Helper()
	store, err := redis.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestOneServerKeepsTheContract(t *testing.T) {
	server := redistest.Start(t)
	keepsContract(t, open(t, server.URL), server)
}

func TestClusterKeepsTheContract(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	keepsContract(t, open(t, cluster.URL), cluster.Nodes...)
}

func TestSentinelsServerKeepsTheContract(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t)
	keepsContract(t, open(t, sentinel.URL), sentinel.Primary)
}

// keepsContract holds the store against the contract twice, as sessions are cached and other records are not.
func keepsContract(t *testing.T, store storage.Store, servers ...*redistest.Server) {
	var fresh atomic.Int64
	for _, kind := range []string{"session:", "code:"} {
		t.Run(kind, func(t *testing.T) {
			storagetest.Run(t, func(t *testing.T) storagetest.Engine {
				part := part{store, kind + strconv.FormatInt(fresh.Add(1), 10) + ":"}
				return storagetest.Engine{Store: part, Pass: func(d time.Duration) { part.pass(t, d, servers) }}
			})
		})
	}
}

// part is a store of its own inside another: its keys begin with something that no other's do.
type part struct {
	storage.Store
	prefix string
}

func (p part) Get(ctx context.Context, key string) ([]byte, error) {
	return p.Store.Get(ctx, p.prefix+key)
}

func (p part) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return p.Store.Put(ctx, p.prefix+key, value, ttl)
}

func (p part) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	return p.Store.Update(ctx, p.prefix+key, ttl, change)
}

// sooner lets keys expire that much earlier.
const sooner = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[2])
end`

// pass takes the time that passes from each ttl, because nobody can move the servers' clock and waiting would be long.
func (p part) pass(t *testing.T, d time.Duration, servers []*redistest.Server) {
	t.Helper()
	for _, server := range servers {
		server.Command("EVAL", sooner, "0", "hush:"+p.prefix+"*", strconv.FormatInt(d.Milliseconds(), 10))
	}
	for i := range 64 { // the news of changed copies come before these answers, from whichever server
		_, _ = p.Store.Get(t.Context(), "nothing"+strconv.Itoa(i))
	}
}

func TestRecordsExpireInRealTimeInTheCacheToo(t *testing.T) {
	store := open(t, redistest.Start(t).URL)
	for _, key := range []string{"session:a", "code:a"} {
		if err := store.Put(t.Context(), key, []byte("v"), 300*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		wantValue(t, store, key, "v")
		wantValue(t, store, key, "v")
	}
	time.Sleep(350 * time.Millisecond)
	wantMissing(t, store, "session:a")
	wantMissing(t, store, "code:a")
	err := store.Update(t.Context(), "code:a", storage.KeepTTL, func(old []byte) ([]byte, error) {
		if old != nil {
			t.Errorf("Update sees the expired record %q", old)
		}
		return nil, nil
	})
	if err != nil {
		t.Error(err)
	}
}
