package storage

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Within returns next with a limit for each operation: one that takes longer ends with ErrUnavailable, so that no request
// waits for an engine that is stuck. Whether a write that was given up happened all the same is not known.
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
	err := operation(bounded)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%w: no answer within %v (%w)", ErrUnavailable, b.limit, err)
	}
	return err
}
