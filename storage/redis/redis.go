package redis

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"golang.org/x/sync/semaphore"

	"github.com/hush-idp/hush/storage"
)

const (
	// CacheFor is the longest time that a copy of a session is used without a report of the server.
	CacheFor = time.Minute
	// DeadAfter is the time after which a connection without answers is dropped.
	DeadAfter = 2*pingEvery + pingLimit

	dialLimit = time.Second
	pingEvery = 500 * time.Millisecond
	pingLimit = 2 * time.Second
	// answersFor is how long after an answer the connection counts as working. The client drops it only after DeadAfter.
	answersFor = 100 * time.Millisecond

	prefix     = "hush:"
	pingKey    = prefix + "ping"
	cached     = prefix + "session:"
	cacheBytes = 64 << 20 // for each server
	ringScale  = 12       // 4096 commands on their way to each server; later commands wait
)

// Store is a storage.Store with its records in Redis. Open makes one. Many goroutines and processes may use it.
type Store struct {
	client rueidis.Client
	turns  [64]*semaphore.Weighted // by a hash of the key; see Update
	began  time.Time
	// answered is when the server answered last, as a time.Duration since began; see inTime.
	answered  atomic.Int64
	isCluster bool
	seed      maphash.Seed
	closed    atomic.Bool
}

func newStore(client rueidis.Client) *Store {
	s := &Store{client: client, seed: maphash.MakeSeed(), began: time.Now()}
	for i := range s.turns {
		s.turns[i] = semaphore.NewWeighted(1)
	}
	return s
}

// record is the value of a key, if it has one.
type record struct {
	value string
	found bool
}

// bytes is a copy of the value, nil without one.
func (r record) bytes() []byte {
	if !r.found {
		return nil
	}
	return []byte(r.value)
}

// Get implements storage.Store. A session may come from this process's cache; see the package comment for its age.
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

// read tries the cache first if the key is cached.
func (s *Store) read(ctx context.Context, key string) (record, error) {
	if strings.HasPrefix(key, cached) {
		found, err := recordIn(s.inTime(ctx, func() rueidis.RedisResult {
			return s.client.DoCache(ctx, s.client.B().Get().Key(key).Cache(), CacheFor)
		}))
		if err == nil {
			return found, nil
		}
		// Callers of the same copy share one command: another caller's ctx may have ended it.
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) &&
			!errors.Is(err, rueidis.ErrDoCacheAborted) {
			return record{}, err
		}
	}
	return s.readThrough(ctx, key)
}

// readThrough reads from the server.
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
	copied := string(value) // the command may be sent after ctx has ended the call
	set := s.client.B().Set().Key(key).Value(copied).PxMilliseconds(milliseconds(ttl)).Build()
	return s.fail(ctx, s.write(limited, key, set).Error())
}

// write sends a command that changes key. After the change of a cached key it sends a second command on the same
// connection: the server reports the changed copy before it answers, so that the cache has dropped the copy when write
// returns.
func (s *Store) write(ctx context.Context, key string, command rueidis.Completed) rueidis.RedisResult {
	if !strings.HasPrefix(key, cached) {
		return s.do(ctx, command)
	}
	return s.inTime(ctx, func() rueidis.RedisResult {
		return s.client.DoMulti(ctx, command, s.client.B().Exists().Key(key).Build())[0]
	})
}

// do sends a command.
func (s *Store) do(ctx context.Context, command rueidis.Completed) rueidis.RedisResult {
	return s.inTime(ctx, func() rueidis.RedisResult { return s.client.Do(ctx, command) })
}

// inTime makes a call of the client end with ctx. The client does so itself, except while it makes a new connection to
// a server that hangs, or while the ring is full. So a call needs a goroutine of its own only if the server did not
// answer within the last answersFor. In a Cluster each call has one, because one server may hang while another answers.
func (s *Store) inTime(ctx context.Context, call func() rueidis.RedisResult) rueidis.RedisResult {
	if ctx.Err() != nil {
		return rueidis.NewErrorResult(ctx.Err())
	}
	if !s.isCluster && time.Since(s.began)-time.Duration(s.answered.Load()) < answersFor {
		return s.note(call())
	}
	answered := make(chan rueidis.RedisResult, 1)
	go func() { answered <- s.note(call()) }()
	select {
	case result := <-answered:
		return result
	case <-ctx.Done():
		return rueidis.NewErrorResult(ctx.Err())
	}
}

// note records the time if the result is an answer of the server.
func (s *Store) note(result rueidis.RedisResult) rueidis.RedisResult {
	if result.NonRedisError() == nil && !result.IsCacheHit() {
		s.answered.Store(int64(time.Since(s.began)))
	}
	return result
}

// milliseconds are rounded up: a record must not end before its ttl.
func milliseconds(ttl time.Duration) int64 {
	return int64((ttl + time.Millisecond - 1) / time.Millisecond)
}

// Ping writes a record. The error says why that fails, and what to do.
func (s *Store) Ping(ctx context.Context) error {
	limited, end := storage.Spend(ctx)
	defer end()
	err := s.do(limited, s.client.B().Set().Key(pingKey).Value("").PxMilliseconds(60_000).Build()).Error()
	return s.fail(ctx, err)
}

// Close closes the connections after the calls in progress, within storage.Budget. Later calls fail.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.client.Close()
	}()
	select {
	case <-done:
	case <-time.After(storage.Budget): // a server that does not answer keeps its connection until DeadAfter
	}
	return nil
}
