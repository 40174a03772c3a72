package metrics

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hush-idp/hush/storage"
)

// Store returns a decorator around next that counts and times its operations. On nil it is next itself.
func (m *Metrics) Store(next storage.Store) storage.Store {
	if m == nil {
		return next
	}
	return &counted{next, m}
}

type counted struct {
	next    storage.Store
	metrics *Metrics
}

// Get implements storage.Store.
func (c *counted) Get(ctx context.Context, key string) ([]byte, error) {
	began := c.metrics.now()
	value, err := c.next.Get(ctx, key)
	c.count("get", key, began, err, false)
	return value, err
}

// Put implements storage.Store.
func (c *counted) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	began := c.metrics.now()
	err := c.next.Put(ctx, key, value, ttl)
	c.count("put", key, began, err, false)
	return err
}

// Update implements storage.Store.
func (c *counted) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	refused, began := false, c.metrics.now()
	err := c.next.Update(ctx, key, ttl, func(old []byte) ([]byte, error) {
		value, err := change(old)
		refused = err != nil
		return value, err
	})
	c.count("update", key, began, err, refused)
	return err
}

func (c *counted) count(method, key string, began time.Time, err error, refused bool) {
	took, bucket := c.metrics.now().Sub(began), bucketOf(key)
	c.metrics.operations.WithLabelValues(bucket, method, outcome(err, refused)).Inc()
	c.metrics.operationsTook.WithLabelValues(bucket, method).Observe(took.Seconds())
}

// bucketOf is what a storage.Bucket puts before the hash. The hash itself is nobody's business.
func bucketOf(key string) string {
	name, _, ok := strings.Cut(key, ":")
	if !ok {
		return "other"
	}
	return name
}

// outcome is what became of an operation. refused says that it was not the engine that failed: the owner of the record
// did not want the change, as when a code was spent before.
func outcome(err error, refused bool) string {
	switch {
	case err == nil:
		return "ok"
	case refused:
		return "refused"
	case errors.Is(err, storage.ErrNotFound):
		return "not_found"
	case errors.Is(err, storage.ErrUnavailable): // which may say that it was its time that ran out, and not the request's
		return "unavailable"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled"
	}
	return "failed"
}
