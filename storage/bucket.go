package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tinylib/msgp/msgp"
	"golang.org/x/sync/errgroup"
)

// Bucket stores records of one kind in a Store. The records of a silent renewal are MessagePack, by methods that
// go generate writes, because JSON costs six times as much (BenchmarkEncoding of idp/grant). All other records are
// JSON. The Store gets the SHA-256 of the bucket's name and the key, so a stolen store contains no usable cookie,
// session id or token.
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

// atOnce is how many records GetAll reads at a time.
const atOnce = 16

// GetAll returns the records under keys, in that order, and nil for a missing record. It reads several at once.
func (b Bucket[T]) GetAll(ctx context.Context, keys []string) ([]*T, error) {
	records := make([]*T, len(keys))
	reads, ctx := errgroup.WithContext(ctx)
	reads.SetLimit(atOnce)
	for i, key := range keys {
		reads.Go(func() error {
			record, err := b.Get(ctx, key)
			if err == nil {
				records[i] = &record
			}
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			return err
		})
	}
	return records, reads.Wait()
}

// Put stores record under key until ttl has passed; see Store.Put.
func (b Bucket[T]) Put(ctx context.Context, key string, record T, ttl time.Duration) error {
	value, err := b.encode(&record)
	if err != nil {
		return err
	}
	return b.store.Put(ctx, b.hash(key), value, ttl)
}

// Update changes the record under key atomically; see Store.Update. change gets nil when there is no record, returns
// nil to remove it, may change the record in place, and may run more than once.
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
		return b.encode(changed)
	})
}

// Delete removes the record under key. A missing record is no error.
func (b Bucket[T]) Delete(ctx context.Context, key string) error {
	return b.store.Update(ctx, b.hash(key), KeepTTL, func([]byte) ([]byte, error) { return nil, nil })
}

func (b Bucket[T]) encode(record *T) (value []byte, err error) {
	if packed, ok := any(record).(msgp.Marshaler); ok {
		value, err = packed.MarshalMsg(nil)
	} else {
		value, err = json.Marshal(record)
	}
	if err != nil {
		return nil, fmt.Errorf("storage: cannot encode a %s record: %w", b.name, err)
	}
	return value, nil
}

// decode also reads records that an earlier version stored as JSON. No record in MessagePack begins with a brace.
//
// Skip finds a list or a map that is not whole. Without it UnmarshalMsg would allocate the size that the list claims to
// have: 64 GiB for a damaged record of 17 bytes.
func (b Bucket[T]) decode(value []byte, record *T) (err error) {
	if packed, ok := any(record).(msgp.Unmarshaler); ok && !bytes.HasPrefix(value, []byte("{")) {
		if _, err = msgp.Skip(value); err == nil {
			_, err = packed.UnmarshalMsg(value)
		}
	} else {
		err = json.Unmarshal(value, record)
	}
	if err != nil {
		return fmt.Errorf("storage: a %s record cannot be read: %w", b.name, err)
	}
	return nil
}

// GroupKey is the key of a record in a group, such as all records of one grant. An engine of many servers stores the
// records of a group on the same server, also from different buckets.
func GroupKey(group, key string) string { return group + groupEnd + key }

// groupEnd is a byte that neither a group nor a bucket's name contains.
const groupEnd = "\x00"

// hash is the name, the slot, and the hash of name and key. The slot is the hash of the key's group as the hash tag of
// a Redis Cluster, "" without a group:
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
func (b Bucket[T]) hash(key string) string {
	var place, text [128]byte // on the stack: usual names and keys fit
	hashed := append(append(place[:0], b.name...), ':')
	if group, _, grouped := strings.Cut(key, groupEnd); grouped {
		sum := sha256.Sum256(append(append(text[:0], "group"+groupEnd...), group...))
		hashed = append(base64.RawURLEncoding.AppendEncode(append(hashed, '{'), sum[:16]), '}')
	}
	sum := sha256.Sum256(append(append(append(text[:0], b.name...), 0), key...))
	return string(base64.RawURLEncoding.AppendEncode(hashed, sum[:]))
}
