package storage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// Bucket keeps records of one kind in a Store, encoded as JSON. It never shows the engine a key: what reaches the Store is
// the SHA-256 of the bucket's name and the key, so a stolen store yields no code, cookie or session id that works.
type Bucket[T any] struct {
	name  string
	store Store
}

// NewBucket returns the bucket called name in store. Two buckets with one name share their records.
func NewBucket[T any](name string, store Store) Bucket[T] {
	return Bucket[T]{name: name, store: store}
}

// Get returns the record under key, or ErrNotFound.
func (b Bucket[T]) Get(ctx context.Context, key string) (T, error) {
	var record T
	value, err := b.store.Get(ctx, b.hash(key))
	if err != nil {
		return record, err
	}
	return record, b.decode(value, &record)
}

// Put stores record under key until ttl has passed; see Store.Put.
func (b Bucket[T]) Put(ctx context.Context, key string, record T, ttl time.Duration) error {
	value, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("storage: cannot encode a %s record: %w", b.name, err)
	}
	return b.store.Put(ctx, b.hash(key), value, ttl)
}

// Update changes the record under key atomically; see Store.Update. change gets nil when there is no record, returns nil
// to remove it, may change the record in place, and may run more than once.
func (b Bucket[T]) Update(ctx context.Context, key string, ttl time.Duration, change func(old *T) (*T, error)) error {
	return b.store.Update(ctx, b.hash(key), ttl, func(value []byte) ([]byte, error) {
		var old *T
		if value != nil {
			old = new(T)
			if err := b.decode(value, old); err != nil {
				return nil, err
			}
		}
		changed, err := change(old)
		if err != nil || changed == nil {
			return nil, err
		}
		return json.Marshal(changed)
	})
}

// Delete removes the record under key. Removing what is not there is no error.
func (b Bucket[T]) Delete(ctx context.Context, key string) error {
	return b.store.Update(ctx, b.hash(key), KeepTTL, func([]byte) ([]byte, error) { return nil, nil })
}

func (b Bucket[T]) decode(value []byte, record *T) error {
	if err := json.Unmarshal(value, record); err != nil {
		return fmt.Errorf("storage: a %s record cannot be read: %w", b.name, err)
	}
	return nil
}

// hash separates name and key by a byte that no bucket name contains.
func (b Bucket[T]) hash(key string) string {
	sum := sha256.Sum256([]byte(b.name + "\x00" + key))
	return b.name + ":" + base64.RawURLEncoding.EncodeToString(sum[:])
}
