package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Within returns next with a limit for each operation: one that takes longer ends with ErrUnavailable, so that no request
// waits for an engine that is stuck. Whether a write that was given up happened all the same is not known.
//
// Operations with a ctx that Patience made share its limit as well.
func Within(limit time.Duration, next Store) Store { return bounded{next, limit} }

type bounded struct {
	next  Store
	limit time.Duration
}

// Get implements Store.
func (b bounded) Get(ctx context.Context, key string) (value []byte, err error) {
	err = b.run(ctx, func(ctx context.Context) (err error) {
		value, err = b.next.Get(ctx, key)
		return err
	})
	return value, err
}

// Put implements Store.
func (b bounded) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return b.run(ctx, func(ctx context.Context) error { return b.next.Put(ctx, key, value, ttl) })
}

// Update implements Store.
func (b bounded) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	return b.run(ctx, func(ctx context.Context) error { return b.next.Update(ctx, key, ttl, change) })
}

func (b bounded) run(ctx context.Context, operation func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	if p, ok := ctx.Value(patienceKey{}).(*patience); ok {
		bounded, cancel = context.WithDeadline(bounded, p.deadline())
		defer cancel()
	}
	err := operation(bounded)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%w: no answer in time (%w)", ErrUnavailable, err)
	}
	return err
}

type patienceKey struct{}

// patience is the time that several operations have together.
type patience struct {
	limit time.Duration
	begin sync.Once
	end   time.Time
}

// Patience returns a ctx for everything that one request asks of a store of Within: all operations together end, with
// ErrUnavailable, within limit after the first began. So an engine that is slow, and answers each just in time, cannot hold
// the request for the sum.
func Patience(ctx context.Context, limit time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, &patience{limit: limit})
}

// deadline is when the patience ends. It begins with the first call.
func (p *patience) deadline() time.Time {
	p.begin.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), p.limit)
		defer cancel()
		p.end, _ = ctx.Deadline()
	})
	return p.end
}
