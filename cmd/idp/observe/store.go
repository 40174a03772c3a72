package observe

import (
	"context"
	"strings"
	"time"

	"github.com/hush-idp/hush/storage"
)

// operations is a storage.Store that tells begin about each operation. The bucket is what a storage.Bucket puts before
// the hash of a key; the hash is left out.
type operations struct {
	next storage.Store
	// begin returns the context of the operation, and done, which is told the result. refused says that the owner of the
	// record did not want the change, such as a code that was redeemed before: then the engine did not fail.
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
	name, _, ok := strings.Cut(key, ":")
	if !ok {
		return "other"
	}
	return name
}
