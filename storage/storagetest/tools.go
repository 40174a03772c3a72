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

// Clock is a time that a test moves. It stands still by itself.
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

// Pass lets d go by at once.
func (c *Clock) Pass(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}

// ErrEngine is what a Spy answers while its engine is gone.
var ErrEngine = errors.New("storagetest: the engine is gone")

// Spy is a decorator that notes what reaches an engine, can let something happen just before a write, and can let the
// engine be gone.
type Spy struct {
	Store storage.Store

	mutex       sync.Mutex
	operations  []string
	keys        strings.Builder
	values      strings.Builder
	gone        bool
	beforeWrite func()
}

// Operations are the names of the methods that were called since the last Reset, in order.
func (s *Spy) Operations() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.operations)
}

// Keys is every key that the engine was shown, a line each.
func (s *Spy) Keys() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.keys.String()
}

// Values is every value that the engine was given, a line each.
func (s *Spy) Values() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.values.String()
}

// Reset forgets the operations.
func (s *Spy) Reset() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.operations = nil
}

// Gone says whether the engine is gone: every call then fails with ErrEngine.
func (s *Spy) Gone(gone bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.gone = gone
}

// BeforeWrite lets something happen once, just before the next Put or Update reaches the engine. It tells whether what
// was set before is still waiting, and replaces it; nil waits for nothing.
func (s *Spy) BeforeWrite(happens func()) (waiting bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	waiting, s.beforeWrite = s.beforeWrite != nil, happens
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
	s.interrupt()
	if err := s.note("Put", key); err != nil {
		return err
	}
	s.keep(value)
	return s.Store.Put(ctx, key, value, ttl)
}

// Update implements storage.Store.
func (s *Spy) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	s.interrupt()
	if err := s.note("Update", key); err != nil {
		return err
	}
	return s.Store.Update(ctx, key, ttl, func(old []byte) ([]byte, error) {
		value, err := change(old)
		s.keep(value)
		return value, err
	})
}

func (s *Spy) keep(value []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.values.WriteString(string(value) + "\n")
}

func (s *Spy) note(operation, key string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.operations = append(s.operations, operation)
	s.keys.WriteString(key + "\n")
	if s.gone {
		return ErrEngine
	}
	return nil
}

func (s *Spy) interrupt() {
	s.mutex.Lock()
	happens := s.beforeWrite
	s.beforeWrite = nil
	s.mutex.Unlock()
	if happens != nil {
		happens()
	}
}

// Holding returns an engine that holds value under every key, whatever is written: what a damaged engine might answer.
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
