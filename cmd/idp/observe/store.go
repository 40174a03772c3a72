package observe

import (
	"context"
	"strings"
	"time"

	"github.com/hush-idp/hush/storage"
)

// operations is a storage.Store that calls begin before each operation. The bucket is the part of the key before the
// hash.
type operations struct {
	next storage.Store
	// begin returns the context of the operation, and done, which gets the result. refused means that the change
	// returned an error, such as the error about a redeemed code: then the engine did not fail.
	begin func(ctx context.Context, method, bucket string) (_ context.Context, done func(err error, refused bool))
}

// Get implements storage.Store.
func (o *operations) Get(ctx context.Context, key string) ([]byte, error) {
	ctx, done := o.begin(ctx, "get", bucketOf(key))
	value, err := o.next.Get(ctx, key)
	done(err, false)
	return value, err
}

// Put implements storage.Store.
func (o *operations) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	ctx, done := o.begin(ctx, "put", bucketOf(key))
	err := o.next.Put(ctx, key, value, ttl)
	done(err, false)
	return err
}

// Update implements storage.Store.
func (o *operations) Update(ctx context.Context, key string, ttl time.Duration,
	change func([]byte) ([]byte, error)) error {
	ctx, done := o.begin(ctx, "update", bucketOf(key))
	refused := false
	err := o.next.Update(ctx, key, ttl, func(old []byte) ([]byte, error) {
		value, err := change(old)
		refused = err != nil
		return value, err
	})
	done(err, refused)
	return err
}

func bucketOf(key string) string {
	if name, _, ok := strings.Cut(key, ":"); ok {
		return name
	}
	return "other"
}
