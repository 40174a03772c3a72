package storage

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrNotFound is what Get answers for a key that holds nothing: never written, removed, or past its ttl.
var ErrNotFound = errors.New("storage: no such record")

// ErrUnavailable is what every method of an engine may answer: it cannot be used now. What the engine says is wrapped.
var ErrUnavailable = errors.New("storage: the engine does not answer")

// Store is the interface between the provider and an engine that stores its records. All methods may be called by many
// goroutines at once. A cancelled ctx ends a call with ctx.Err() and without a change.
type Store interface {
	// Get returns a copy of the value stored under key, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)

	// Put stores a copy of value under key, in place of what was there. The record may be collected once ttl has passed,
	// never before; ttl must be positive.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Update replaces the value under key by what change returns, atomically: no other write to key happens between the
	// moment old is read and the moment the new value is there. old is nil when there is no record; a nil result removes
	// the record. ttl is the new value's, counted from now; KeepTTL leaves the old one's and so cannot create a record.
	// An error from change is returned as it is and changes nothing. An engine may run change again when another
	// writer came first, so change must have no effect of its own beyond its result.
	Update(ctx context.Context, key string, ttl time.Duration, change func(old []byte) ([]byte, error)) error
}

// KeepTTL, given to Update, lets a changed record expire when the old one would have.
const KeepTTL time.Duration = 0

// The errors of an engine for a wrong ttl.
var (
	ErrNoTTL  = errors.New("storage: Update with KeepTTL cannot create a record, because it knows no ttl for it")
	ErrBadTTL = errors.New("storage: ttl must be positive")
)

// Budget is how long all operations of one request on the store may take together; an operation outside of a request
// may take as long by itself. It is measured in real time, as the deadlines of contexts are.
const Budget = 2 * time.Second

// budget is what a request has left of Budget. Operations at the same time count once.
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
// after Budget where ctx has none. The caller must call end when the operation is over, and return ErrUnavailable when
// the returned ctx has ended and ctx has not.
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

// count notes that operations began or ended, and returns what is left.
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
