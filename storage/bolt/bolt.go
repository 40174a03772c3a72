package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hush-idp/hush/storage"
)

const (
	maxKeySize = bbolt.MaxKeySize - momentSize
	maxSize    = bbolt.MaxValueSize - momentSize // of a value, in bytes

	// pingKey ends the key of the record of Ping. It ends no key of a storage.Bucket, which contains no zero byte.
	pingKey = "\x00ping"

	// pingSize is the least size of the record of Ping in bytes, more than a session.
	pingSize = 16 << 10
)

var (
	errBadKey   = fmt.Errorf("storage/bolt: a key must have 1 to %d bytes", maxKeySize)
	errTooLarge = fmt.Errorf("storage/bolt: a value must have at most %d bytes", maxSize)
)

// Store is an open file. It implements storage.Store.
type Store struct {
	path string
	now  func() time.Time
	db   *bbolt.DB
	file fs.FileInfo // the open file, to notice when another one takes its place

	marks marks

	once     sync.Once
	closing  chan struct{}
	closed   chan struct{} // closed after closeErr is set
	closeErr error

	mutex sync.Mutex
	fault fault
}

// fault is the error of the last transaction that failed, until Ping has written. Another write that succeeds proves
// nothing: on a full disk the change of one page may fit, and that of another not.
type fault struct {
	err     error
	isFinal bool // nothing may be written before a restart
	// key and size are those of the record that was not written.
	key  string
	size int
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(key, marksPrefix) {
		return s.getMark(ctx, key)
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
		return storage.ErrBadTTL
	}
	value = append([]byte{}, value...) // not nil, which would remove
	return s.Update(ctx, key, ttl, func([]byte) ([]byte, error) { return value, nil })
}

// Update implements storage.Store. change must not call the Store, because other writers wait for it. change never runs
// after Update has returned.
func (s *Store) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case ttl < 0:
		return storage.ErrBadTTL
	case key == "" || len(key) > maxKeySize:
		return errBadKey
	case strings.HasPrefix(key, marksPrefix):
		return s.withMarks(func(m *storage.Memory) error { return m.Update(ctx, key, ttl, change) })
	}
	limited, end := storage.Spend(context.WithoutCancel(ctx))
	defer end()
	w, done := &write{key: []byte(key), ttl: ttl, change: change}, make(chan error, 1)
	go func() { done <- s.write(w) }()
	select {
	case err := <-done:
		return w.outcome(err)
	case <-ctx.Done():
		if !w.abandon() {
			break
		}
		return ctx.Err()
	case <-limited.Done():
		if w.abandon() {
			return s.unavailable("the disk under %s is busy with earlier writes; nothing was changed", s.path)
		}
	}
	select { // the change has run, and the disk may have it
	case err := <-done:
		return w.outcome(err)
	case <-limited.Done():
		return s.unavailable("the disk under %s has not finished a write in time; it may still take effect", s.path)
	}
}

// write writes w to the disk, and remembers a failed write for Ping.
func (s *Store) write(w *write) error {
	err := s.transact(w.apply)
	if err != nil {
		s.setFault(fault{err: err, key: strings.TrimSuffix(string(w.key), pingKey), size: w.size})
	}
	return err
}

// write is one change that is not on the disk yet.
type write struct {
	key    []byte
	ttl    time.Duration
	size   int // of the new value
	change func([]byte) ([]byte, error)

	mutex     sync.Mutex // guards the fields below
	hasRun    bool
	abandoned bool // Update has returned: change must not run
	err       error
	panicked  any
}

// abandon cancels the write and returns true, if its change has not run yet.
func (w *write) abandon() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.abandoned = true
	return !w.hasRun
}

// outcome is the result of Update after a transaction with the error err.
func (w *write) outcome(err error) error {
	if w.panicked != nil {
		panic(w.panicked) // in the caller's goroutine
	}
	if err != nil {
		return err
	}
	return w.err
}

// apply changes the table. It returns the table's error; w.err is the error of the change.
func (w *write) apply(t *table, now time.Time) error {
	expires, old := t.live(w.key, now)
	value, until, ok := w.run(old, expires, now)
	if !ok {
		return nil
	}
	if err := t.replace(w.key, value, until); err != nil {
		return err
	}
	_, err := t.sweep(now, 2) // more than one write adds
	return err
}

// run calls change. ok is false if it failed or the write was cancelled.
func (w *write) run(old, expires []byte, now time.Time) (value, until []byte, ok bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.abandoned {
		return nil, nil, false
	}
	defer func() {
		w.panicked = recover()
		ok = ok && w.panicked == nil
	}()
	w.hasRun = true
	value, w.err = w.change(bytes.Clone(old))
	w.size = len(value)
	switch {
	case w.err != nil || value == nil:
	case len(value) > maxSize:
		w.err = errTooLarge
	case w.ttl != storage.KeepTTL:
		until = expiryOf(now, w.ttl)
	case expires == nil:
		w.err = storage.ErrNoTTL
	default:
		until = expires
	}
	return value, until, w.err == nil
}

// Ping returns the reason why the Store cannot be used, or nil. After a failed write it writes a record beside the one
// that failed, at least as large.
func (s *Store) Ping(ctx context.Context) error {
	if f := s.lastFault(); f.err != nil {
		err := s.Put(ctx, f.key+pingKey, make([]byte, max(f.size, pingSize)), time.Second)
		if err == nil {
			s.setFault(fault{})
		}
		return err
	}
	if _, err := s.Get(ctx, pingKey); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return s.inPlace()
}

// Close finishes the writes that have begun, saves the marks, and closes the file. Later calls fail with
// storage.ErrUnavailable, except for Close itself.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closing)
		go func() {
			s.closeErr = errors.Join(s.saveMarks(), s.db.Close())
			close(s.closed)
		}()
	})
	select {
	case <-s.closed:
		return s.closeErr
	case <-time.After(storage.Budget):
		return s.unavailable("the disk has not finished the last write to %s: see whether it works", s.path)
	}
}

// usable returns the reason why nothing may be written.
func (s *Store) usable() error {
	if f := s.lastFault(); f.isFinal {
		return f.err
	}
	return s.inPlace()
}

// inPlace returns an error if the open file is not at its path.
func (s *Store) inPlace() error {
	there, err := os.Stat(s.path)
	if err != nil || !os.SameFile(there, s.file) {
		return s.unavailable("%s was moved, removed or replaced while it was in use: "+
			"put it back, or restart to begin with what is there now", s.path)
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
	if !s.fault.isFinal {
		s.fault = f
	}
}

func (s *Store) unavailable(format string, values ...any) error {
	return fmt.Errorf("%w: %w", storage.ErrUnavailable, fmt.Errorf(format, values...))
}
