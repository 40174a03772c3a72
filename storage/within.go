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
		limit = min(limit, p.begin(b.now()))
		defer func() { p.end(b.now()) }()
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

// patience is the time that several operations have together. That of operations at the same time counts once.
type patience struct {
	mu      sync.Mutex
	left    time.Duration
	running int
	counted time.Time // until then what ran is taken off left
}

// Patience returns a ctx for everything that one request asks of a store of Within: all operations together may take limit, then
// they end with ErrUnavailable. So an engine that is slow, and answers each just in time, cannot hold the request for the sum.
// What else the request waits for does not count.
func Patience(ctx context.Context, limit time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, &patience{left: limit})
}

// begin is what is left for one more operation.
func (p *patience) begin(now time.Time) time.Duration { return p.run(now, 1) }

func (p *patience) end(now time.Time) { p.run(now, -1) }

func (p *patience) run(now time.Time, more int) (left time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running > 0 {
		p.left -= now.Sub(p.counted)
	}
	p.running, p.counted = p.running+more, now
	return p.left
}
