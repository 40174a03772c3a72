package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hush-idp/hush/storage"
)

const (
	maxKeySize = bbolt.MaxKeySize - momentSize
	maxSize    = bbolt.MaxValueSize - momentSize // of a value, in bytes
)

var (
	errNoTTL    = errors.New("storage/bolt: Update with KeepTTL cannot create a record, because it knows no ttl for it")
	errBadTTL   = errors.New("storage/bolt: ttl must be positive")
	errBadKey   = fmt.Errorf("storage/bolt: a key must have 1 to %d bytes", maxKeySize)
	errTooLarge = fmt.Errorf("storage/bolt: a value must have at most %d bytes", maxSize)
)

// Store is an open file. It implements storage.Store.
type Store struct {
	path string
	now  func() time.Time
	db   *bbolt.DB
	file fs.FileInfo // the file that is open, to notice that another one took its place

	writes   chan *write   // to the writer, which takes them when the disk is free
	closing  chan struct{} // closed to end the writer
	closed   chan struct{} // closed when the writer has ended and the file is closed
	once     sync.Once
	closeErr error

	mutex sync.Mutex
	fault fault
}

// fault is what keeps writes from succeeding, as far as is known from the last of them.
type fault struct {
	err     error
	isFinal bool // only a restart can help
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var value []byte
	err := s.db.View(func(tx *bbolt.Tx) error {
		return guard(func() error {
			_, value = tableOf(tx).live([]byte(key), s.now())
			return nil
		})
	})
	if err != nil {
		return nil, s.explain(err)
	}
	if value == nil {
		return nil, storage.ErrNotFound
	}
	return value, nil
}

// Put implements storage.Store.
func (s *Store) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 {
		return errBadTTL
	}
	if value == nil {
		value = []byte{} // nil would remove
	}
	return s.Update(ctx, key, ttl, func([]byte) ([]byte, error) { return value, nil })
}

// Update implements storage.Store. change runs at most once, in the goroutine of the writer, which others wait for: it must
// not call the Store. It never runs after Update has returned.
func (s *Store) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ttl < 0 {
		return errBadTTL
	}
	if key == "" || len(key) > maxKeySize {
		return errBadKey
	}
	return s.submit(ctx, &write{key: []byte(key), ttl: ttl, change: change, done: make(chan struct{})})
}

// pingKey is no key of a storage.Bucket: those begin with the bucket's name.
const pingKey = "\x00ping"

// Ping tells why the Store cannot be used, or nil. It reads, and after a write that failed it also writes, to see whether
// that is possible again.
func (s *Store) Ping(ctx context.Context) error {
	if s.lastFault().err != nil {
		return s.Put(ctx, pingKey, nil, time.Second)
	}
	if _, err := s.Get(ctx, pingKey); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return s.inPlace()
}

// Close finishes what was given to the writer and closes the file. Calls that come later fail with storage.ErrUnavailable,
// except for Close itself.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closing) })
	timer := time.NewTimer(storage.Budget)
	defer timer.Stop()
	select {
	case <-s.closed:
		return s.closeErr
	case <-timer.C:
		return s.unavailable("the disk has not finished the last write to %s for %s: see whether it works", s.path, storage.Budget)
	}
}

// usable tells why nothing may be written.
func (s *Store) usable() error {
	if f := s.lastFault(); f.isFinal {
		return f.err
	}
	return s.inPlace()
}

// inPlace is an error when the file that is open is not the one that the next start would find.
func (s *Store) inPlace() error {
	there, err := os.Stat(s.path)
	if err != nil || !os.SameFile(there, s.file) {
		return s.unavailable("%s was moved, removed or replaced while it was in use: put it back, or restart to begin with what is there now", s.path)
	}
	return nil
}

func (s *Store) lastFault() fault {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.fault
}

func (s *Store) setFault(f fault) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.fault = f
}

func (s *Store) unavailable(format string, values ...any) error {
	return fmt.Errorf("%w: %w", storage.ErrUnavailable, fmt.Errorf(format, values...))
}

// valueOf is what becomes of the value old, which expires then, when w is applied now.
func (w *write) valueOf(old, expires []byte, now time.Time) (value, until []byte, err error) {
	value, err = w.change(old)
	switch {
	case err != nil || value == nil:
		return nil, nil, err
	case len(value) > maxSize:
		return nil, nil, errTooLarge
	case w.ttl != storage.KeepTTL:
		return value, expiryOf(now, w.ttl), nil
	case expires == nil:
		return nil, nil, errNoTTL
	}
	return value, expires, nil
}
