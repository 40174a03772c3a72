package redis

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/redis/rueidis"
	"golang.org/x/sync/semaphore"

	"github.com/hush-idp/hush/storage"
)

const (
	// CacheFor is how long a copy of a session may answer at the most, should the server never tell that it changed.
	CacheFor = time.Minute
	// DeadAfter is how long a connection may be silently dead before it is given up.
	DeadAfter = 2*pingEvery + pingLimit

	dialLimit = time.Second
	pingEvery = 500 * time.Millisecond
	pingLimit = 2 * time.Second

	prefix     = "hush:"
	pingKey    = prefix + "ping"
	cached     = prefix + "session:"
	cacheBytes = 64 << 20 // for each server
	ringScale  = 12       // 4096 commands on their way to each server; more wait for room

	wroteRecords = 4096
	wroteBytes   = 4096 // of a value; larger ones are not remembered
)

// Store is a storage.Store whose records live in Redis. Open makes one; many goroutines and processes may use it at
// once.
type Store struct {
	client rueidis.Client
	// wrote holds the values that this process wrote last, for an Update that follows soon: a code is mostly redeemed
	// where it was issued, a moment later. They are guesses, each used once.
	wrote  *lru.Cache[string, written]
	turns  [64]*semaphore.Weighted // by a hash of the key; see Update
	seed   maphash.Seed
	closed atomic.Bool
}

// written is a value and when it expires.
type written struct {
	value string
	until time.Time
}

func newStore(client rueidis.Client) *Store {
	wrote, err := lru.New[string, written](wroteRecords)
	if err != nil {
		panic(err) // which happens for a size below 1 only
	}
	s := &Store{client: client, wrote: wrote, seed: maphash.MakeSeed()}
	for i := range s.turns {
		s.turns[i] = semaphore.NewWeighted(1)
	}
	return s
}

// record is what a key holds, if it holds something.
type record struct {
	value string
	found bool
}

// bytes are a copy that the caller may change; nil where nothing was found.
func (r record) bytes() []byte {
	if !r.found {
		return nil
	}
	return []byte(r.value)
}

// Get implements storage.Store. A session may come from this process's cache; see the package comment for how old it
// can be.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	limited, end := storage.Spend(ctx)
	defer end()
	found, err := s.read(limited, prefix+key)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	if !found.found {
		return nil, storage.ErrNotFound
	}
	return found.bytes(), nil
}

// read asks the cache first where the key is one that is cached.
func (s *Store) read(ctx context.Context, key string) (record, error) {
	if strings.HasPrefix(key, cached) {
		found, err := recordIn(inTime(ctx, func() rueidis.RedisResult {
			return s.client.DoCache(ctx, s.client.B().Get().Key(key).Cache(), CacheFor)
		}))
		if err == nil {
			return found, nil
		}
		// Callers that ask for the same copy share one command, and its end: another caller's ctx may have ended it.
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) &&
			!errors.Is(err, rueidis.ErrDoCacheAborted) {
			return record{}, err
		}
	}
	return s.readThrough(ctx, key)
}

// readThrough asks the server.
func (s *Store) readThrough(ctx context.Context, key string) (record, error) {
	return recordIn(s.do(ctx, s.client.B().Get().Key(key).Build()))
}

func recordIn(reply rueidis.RedisResult) (record, error) {
	value, err := reply.ToString()
	if rueidis.IsRedisNil(err) {
		return record{}, nil
	}
	return record{value: value, found: err == nil}, err
}

// Put implements storage.Store.
func (s *Store) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 {
		return storage.ErrBadTTL
	}
	limited, end := storage.Spend(ctx)
	defer end()
	key = prefix + key
	stored := string(value) // a copy: the command may be on its way still when ctx ends the call
	set := s.client.B().Set().Key(key).Value(stored).PxMilliseconds(milliseconds(ttl)).Build()
	if err := s.write(limited, key, set).Error(); err != nil {
		return s.fail(ctx, err)
	}
	if len(value) <= wroteBytes {
		s.wrote.Add(key, written{stored, time.Now().Add(ttl)})
	}
	return nil
}

// write sends a command that changes key. Behind the change of a cached key goes a fence, a second command on the same
// connection: the server tells this connection that the copy is old before it answers the fence, so that the own cache
// has forgotten it when write returns.
func (s *Store) write(ctx context.Context, key string, command rueidis.Completed) rueidis.RedisResult {
	if !strings.HasPrefix(key, cached) {
		return s.do(ctx, command)
	}
	return inTime(ctx, func() rueidis.RedisResult {
		return s.client.DoMulti(ctx, command, s.client.B().Exists().Key(key).Build())[0]
	})
}

// do sends a command.
func (s *Store) do(ctx context.Context, command rueidis.Completed) rueidis.RedisResult {
	return inTime(ctx, func() rueidis.RedisResult { return s.client.Do(ctx, command) })
}

// inTime makes a call of the client end with ctx. Without it, a call that waits for a connection that another call
// makes also waits for that call's ctx; while a server hung, calls took half a second longer than their ctx.
func inTime(ctx context.Context, call func() rueidis.RedisResult) rueidis.RedisResult {
	if ctx.Err() != nil {
		return rueidis.NewErrorResult(ctx.Err())
	}
	answered := make(chan rueidis.RedisResult, 1)
	go func() { answered <- call() }()
	select {
	case result := <-answered:
		return result
	case <-ctx.Done():
		return rueidis.NewErrorResult(ctx.Err())
	}
}

// milliseconds are rounded up: a record is never collected before its ttl.
func milliseconds(ttl time.Duration) int64 {
	return int64((ttl + time.Millisecond - 1) / time.Millisecond)
}

// Ping tells whether records can be written now. The error says why not, and what to do.
func (s *Store) Ping(ctx context.Context) error {
	limited, end := storage.Spend(ctx)
	defer end()
	err := s.do(limited, s.client.B().Set().Key(pingKey).Value("").PxMilliseconds(60_000).Build()).Error()
	return s.fail(ctx, err)
}

// Close gives the connections back. Calls after it fail; calls in flight are waited for, storage.Budget at the most.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.client.Close()
	}()
	timer := time.NewTimer(storage.Budget)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C: // a server that does not answer keeps its connection until DeadAfter
	}
	return nil
}
