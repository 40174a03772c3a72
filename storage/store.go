package storage

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrNotFound is the error of Get for a key without a record: never written, removed, or past its ttl.
var ErrNotFound = errors.New("storage: no such record")

// ErrUnavailable is the error of each method while the engine cannot be used. It wraps the engine's error.
var ErrUnavailable = errors.New("storage: the engine does not answer")

// Store is an engine that stores records. Many goroutines may call its methods. A cancelled ctx ends a call with
// ctx.Err() and without a change.
type Store interface {
	// Get returns a copy of the value stored under key, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)

	// Put stores a copy of value under key and replaces a record there. The engine may delete the record once ttl has
	// passed, never before; ttl must be positive.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Update replaces the value under key by the result of change, atomically: no other write to key happens between the
	// read of old and the write. old is nil when there is no record; a nil result removes the record. The new ttl counts
	// from now; KeepTTL leaves the old one and so cannot create a record. Update returns an error of change unchanged and
	// changes nothing. An engine may call change again when another writer came first, so change must have no other
	// effect than its result: it must not write to old, or keep it.
	Update(ctx context.Context, key string, ttl time.Duration, change func(old []byte) ([]byte, error)) error
}

// KeepTTL in a call of Update leaves the time of the record's expiry as it is.
const KeepTTL time.Duration = 0

// The errors of an engine for a wrong ttl.
var (
	ErrNoTTL  = errors.New("storage: Update with KeepTTL cannot create a record, because it knows no ttl for it")
	ErrBadTTL = errors.New("storage: ttl must be positive")
)

// Budget is the real time that all operations of one request on the store may take in total, and the time of one
// operation outside of a request.
const Budget = 2 * time.Second

// budget is the rest of a request's Budget. Operations at the same time count once.
type budget struct {
	mutex   sync.Mutex
	left    time.Duration
	running int
	counted time.Time // until then, running operations are subtracted from left
}

type budgetKey struct{}

// WithBudget returns a ctx for one request: its operations on a store share one Budget. Other waits of the request,
// such as for its body, do not count.
func WithBudget(ctx context.Context) context.Context {
	return context.WithValue(ctx, budgetKey{}, &budget{left: Budget})
}

// Spend begins an operation of an engine that may be slow. The returned ctx ends when the budget of ctx is spent, or
// after Budget if ctx has none. The caller must call end after the operation, and return ErrUnavailable if the returned
// ctx has ended and ctx has not.
func Spend(ctx context.Context) (limited context.Context, end func()) {
	left := Budget
	b, shared := ctx.Value(budgetKey{}).(*budget)
	if shared {
		left = b.count(1)
	}
	limited, cancel := context.WithTimeout(ctx, left)
	return limited, func() {
		cancel()
		if shared {
			b.count(-1)
		}
	}
}

// timeLeft is the time until the end of a ctx that Spend returned.
func timeLeft(limited context.Context) time.Duration {
	end, _ := limited.Deadline()
	return time.Until(end)
}

// count records that operations began or ended, and returns the remaining time.
func (b *budget) count(begun int) (left time.Duration) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	now := time.Now()
	if b.running > 0 {
		b.left -= now.Sub(b.counted)
	}
	b.running, b.counted = b.running+begun, now
	return b.left
}
