package storage

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
)

// cellTTL is how long a record lives after its last change.
const cellTTL = 10 * 365 * 24 * time.Hour

// Place is the store of the cells of a process.
type Place struct {
	Store Store
	Now   func() time.Time
	// Age is how old a view may become before CatchUp reads again; 0: no other process writes, so one read is enough.
	Age time.Duration
}

// Alone returns a place for one process. Its records are lost when the process ends.
func Alone() Place {
	still := func() time.Time { return time.Time{} } // nothing there expires
	return Place{Store: NewMemory(still), Now: still}
}

// Cell is one record that many requests read, and any process on the store changes rarely. The view is the record as
// this process last read it, so that a request needs no engine.
type Cell[T any] struct {
	place  Place
	bucket Bucket[T]
	key    string

	view   atomic.Pointer[T]
	last   atomic.Pointer[look] // at the store
	stale  atomic.Bool
	shared singleflight.Group
	turn   *semaphore.Weighted // for one call of the store at a time, so that no older view replaces a newer one
}

// look is the time and the error of a read, and the pause after the error.
type look struct {
	at    time.Time
	err   error
	pause time.Duration // after an error, until the next read
}

// shortPause is the pause after an error that came at once. After a read that had no answer in time the pause is
// Budget, so that not every request waits for an engine that hangs.
const shortPause = 200 * time.Millisecond

// NewCell returns the cell with this key in the bucket called name. It has no view before the first CatchUp, Change or
// Make.
func NewCell[T any](place Place, name, key string) *Cell[T] {
	return &Cell[T]{place: place, bucket: NewBucket[T](name, place.Store), key: key, turn: semaphore.NewWeighted(1)}
}

// View is the record as it was last read, nil for none. It must not be changed.
func (c *Cell[T]) View() *T { return c.view.Load() }

// Expire makes the next CatchUp read the record at any age of the view.
func (c *Cell[T]) Expire() { c.stale.Store(true) }

// CatchUp reads the record again if the view is too old. After an error the view stays as it is. CatchUp returns the
// same error without a read for shortPause, or for Budget if the engine did not answer in time.
func (c *Cell[T]) CatchUp(ctx context.Context) error {
	for range 2 { // the second time if Expire was called while a read was on its way
		if last := c.last.Load(); last != nil && !c.isDue(last) {
			return last.err
		}
		if _, err := c.share(ctx, "read", c.read); err != nil {
			return err
		}
	}
	return nil
}

// share calls do once for all requests that wait at the same time. do has a Budget of its own and does not end with a
// request. So its error says something of the engine, and a request that goes away makes no other fail.
func (c *Cell[T]) share(ctx context.Context, name string, do func(context.Context) (*T, error)) (*T, error) {
	limited, end := Spend(ctx)
	defer end()
	own := WithBudget(context.WithoutCancel(ctx))
	done := c.shared.DoChan(name, func() (any, error) { return do(own) })
	select {
	case result := <-done:
		return result.Val.(*T), result.Err
	case <-limited.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: no answer in time: %w", ErrUnavailable, limited.Err())
	}
}

func (c *Cell[T]) read(ctx context.Context) (*T, error) {
	ctx, end := Spend(ctx)
	defer end()
	if err := c.take(ctx); err != nil {
		return c.note(ctx, err)
	}
	defer c.turn.Release(1)
	if last := c.last.Load(); last != nil && !c.isDue(last) {
		return c.view.Load(), last.err // another request has read it meanwhile
	}
	c.stale.Store(false)
	record, err := c.bucket.Get(ctx, c.key)
	switch {
	case err == nil:
		c.view.Store(&record)
	case errors.Is(err, ErrNotFound):
		c.view.Store(nil)
		err = nil
	}
	return c.note(ctx, err)
}

// note remembers the result of an operation with this ctx, and returns it.
func (c *Cell[T]) note(ctx context.Context, err error) (*T, error) {
	pause := shortPause
	if timeLeft(ctx) <= 0 {
		pause = Budget
	}
	c.last.Store(&look{c.place.Now(), err, pause})
	return c.view.Load(), err
}

func (c *Cell[T]) isDue(last *look) bool {
	age := c.place.Now().Sub(last.at)
	if last.err != nil {
		return age >= last.pause || age < 0
	}
	return c.stale.Load() || c.place.Age > 0 && (age >= c.place.Age || age < 0) // below 0 the clock was set back
}

// Change replaces the record and the view by the result of change, atomically among all processes. change gets the zero
// T without a record, and may run again. Change returns an error of change unchanged and then changes nothing.
func (c *Cell[T]) Change(ctx context.Context, change func(old T) (T, error)) error {
	ctx, end := Spend(ctx) // the wait for others included
	defer end()
	if err := c.take(ctx); err != nil {
		return err
	}
	defer c.turn.Release(1)
	return c.replace(ctx, func(record *T) (T, error) {
		if record == nil {
			record = new(T)
		}
		return change(*record)
	})
}

// Make is CatchUp, and returns the view. If there is no record, it stores the result of first, or takes the record that
// another process has stored meanwhile. first may run again. Make returns the error of the store if this fails.
func (c *Cell[T]) Make(ctx context.Context, first func() T) (*T, error) {
	if err := c.CatchUp(ctx); err != nil {
		return nil, err
	}
	if view := c.view.Load(); view != nil {
		return view, nil
	}
	return c.share(ctx, "make", func(ctx context.Context) (*T, error) { return c.makeOnce(ctx, first) })
}

// makeOnce writes if no other request of this process has written since the view was read.
func (c *Cell[T]) makeOnce(ctx context.Context, first func() T) (*T, error) {
	ctx, end := Spend(ctx)
	defer end()
	if err := c.take(ctx); err != nil {
		return c.note(ctx, err)
	}
	defer c.turn.Release(1)
	if view := c.view.Load(); view != nil {
		return view, nil
	}
	err := c.replace(ctx, func(record *T) (T, error) {
		if record != nil {
			return *record, nil
		}
		return first(), nil
	})
	if err != nil {
		return c.note(ctx, err)
	}
	return c.view.Load(), nil
}

func (c *Cell[T]) replace(ctx context.Context, change func(record *T) (T, error)) error {
	var changed T
	err := c.bucket.Update(ctx, c.key, cellTTL, func(record *T) (_ *T, err error) {
		changed, err = change(record)
		return &changed, err
	})
	if err != nil {
		return err
	}
	c.view.Store(&changed)
	c.last.Store(&look{at: c.place.Now()})
	return nil
}

func (c *Cell[T]) take(ctx context.Context) error {
	if err := c.turn.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("%w: others wait for it already: %w", ErrUnavailable, err)
	}
	return nil
}
