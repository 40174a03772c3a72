package storagetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hush-idp/hush/storage"
)

// Clock is a time that only the test moves.
type Clock struct {
	mutex sync.Mutex
	now   time.Time
}

// NewClock returns a clock that shows some day in 2027.
func NewClock() *Clock { return &Clock{now: time.Unix(1_800_000_000, 0)} }

// Now is the time the clock shows.
func (c *Clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

// Pass moves the clock forward by d.
func (c *Clock) Pass(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}

// ErrEngine is the error of a Spy while its engine fails.
var ErrEngine = errors.New("storagetest: the engine is gone")

// Spy is a decorator that records the calls of an engine. A test can make it call a function before a write, and make
// all its operations fail.
type Spy struct {
	Store storage.Store

	mutex        sync.Mutex // guards the fields below
	operations   []string
	keys, values strings.Builder
	gone         bool
	beforeWrite  func()
}

// locked calls do with the mutex locked.
func (s *Spy) locked(do func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	do()
}

// Operations are the names of the methods that were called since the last Reset, in order.
func (s *Spy) Operations() (names []string) {
	s.locked(func() { names = slices.Clone(s.operations) })
	return names
}

// Keys is every key that the engine was given, a line each.
func (s *Spy) Keys() (lines string) {
	s.locked(func() { lines = s.keys.String() })
	return lines
}

// Values is every value that the engine was given, a line each.
func (s *Spy) Values() (lines string) {
	s.locked(func() { lines = s.values.String() })
	return lines
}

// Reset forgets the operations.
func (s *Spy) Reset() { s.locked(func() { s.operations = nil }) }

// Gone sets whether every call fails with ErrEngine.
func (s *Spy) Gone(gone bool) { s.locked(func() { s.gone = gone }) }

// BeforeWrite makes the Spy call happens once, just before the next Put or Update reaches the engine; nil is no call.
// It replaces the function that was set before, and reports whether that one still waited.
func (s *Spy) BeforeWrite(happens func()) (waiting bool) {
	s.locked(func() { waiting, s.beforeWrite = s.beforeWrite != nil, happens })
	return waiting
}

// Get implements storage.Store.
func (s *Spy) Get(ctx context.Context, key string) ([]byte, error) {
	if err := s.note("Get", key); err != nil {
		return nil, err
	}
	return s.Store.Get(ctx, key)
}

// Put implements storage.Store.
func (s *Spy) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := s.noteWrite("Put", key); err != nil {
		return err
	}
	s.noteValue(value)
	return s.Store.Put(ctx, key, value, ttl)
}

// Update implements storage.Store.
func (s *Spy) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	if err := s.noteWrite("Update", key); err != nil {
		return err
	}
	return s.Store.Update(ctx, key, ttl, func(old []byte) ([]byte, error) {
		value, err := change(old)
		s.noteValue(value)
		return value, err
	})
}

func (s *Spy) note(operation, key string) (err error) {
	s.locked(func() {
		s.operations = append(s.operations, operation)
		s.keys.WriteString(key + "\n")
		if s.gone {
			err = ErrEngine
		}
	})
	return err
}

func (s *Spy) noteWrite(operation, key string) error {
	var happens func()
	s.locked(func() { happens, s.beforeWrite = s.beforeWrite, nil })
	if happens != nil {
		happens()
	}
	return s.note(operation, key)
}

func (s *Spy) noteValue(value []byte) {
	s.locked(func() { s.values.WriteString(string(value) + "\n") })
}

// Holding returns an engine that answers value for every key and ignores writes, as a damaged engine might.
func Holding(value []byte) storage.Store { return holding(value) }

type holding []byte

// Get implements storage.Store.
func (h holding) Get(context.Context, string) ([]byte, error) { return bytes.Clone(h), nil }

// Put implements storage.Store.
func (holding) Put(context.Context, string, []byte, time.Duration) error { return nil }

// Update implements storage.Store.
func (h holding) Update(_ context.Context, _ string, _ time.Duration, change func([]byte) ([]byte, error)) error {
	_, err := change(bytes.Clone(h))
	return err
}
