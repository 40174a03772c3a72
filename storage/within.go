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
// Operations with a ctx that Patience made share its limit as well; now measures how long they take.
func Within(limit time.Duration, now func() time.Time, next Store) Store {
	return bounded{next, limit, now}
}

type bounded struct {
	next  Store
	limit time.Duration
	now   func() time.Time
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
	limit := b.limit
	if p, ok := ctx.Value(patienceKey{}).(*patience); ok {
		limit = p.most(limit)
		begun := b.now()
		defer func() { p.spend(b.now().Sub(begun)) }()
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := operation(bounded)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%w: no answer in time (%w)", ErrUnavailable, err)
	}
	return err
}

type patienceKey struct{}

// patience is the time that several operations have together.
type patience struct {
	mu   sync.Mutex
	left time.Duration
}

// Patience returns a ctx for everything that one request asks of a store of Within: all operations together may take limit, then
// they end with ErrUnavailable. So an engine that is slow, and answers each just in time, cannot hold the request for the sum.
// What else the request waits for does not count.
func Patience(ctx context.Context, limit time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, &patience{left: limit})
}

// most is the shorter of limit and what is left.
func (p *patience) most(limit time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return min(limit, p.left)
}

func (p *patience) spend(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left -= took
}
