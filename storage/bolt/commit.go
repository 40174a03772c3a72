package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	berrors "go.etcd.io/bbolt/errors"

	"github.com/hush-idp/hush/storage"
)

const (
	maxBatch = 1000 // changes in one transaction

	bite       = 256                   // expired records that one sweep removes
	sweepEvery = time.Second           // while little has expired
	sweepSoon  = 20 * time.Millisecond // while more has expired than one sweep removes
)

// write is one change on its way to the disk.
type write struct {
	key    []byte
	ttl    time.Duration
	change func([]byte) ([]byte, error)

	done     chan struct{} // closed when err and panicked are set
	err      error
	panicked any

	mutex     sync.Mutex // held while change runs
	abandoned bool       // nobody waits any more: do not run change
}

// submit hands w to the writer and waits for the outcome. Until the writer takes it, w can be withdrawn.
func (s *Store) submit(ctx context.Context, w *write) error {
	limited, end := storage.Spend(context.WithoutCancel(ctx)) // once the writer has w, ctx cannot take it back
	defer end()
	select {
	case s.writes <- w:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return s.explain(berrors.ErrDatabaseNotOpen)
	case <-limited.Done():
		return s.unavailable("the disk under %s is busy with earlier writes; nothing was changed", s.path)
	}
	select {
	case <-w.done:
		return w.outcome()
	case <-limited.Done():
		w.abandon()
		return s.unavailable("the disk under %s has not finished a write in time; it may still take effect", s.path)
	}
}

func (w *write) outcome() error {
	if w.panicked != nil {
		panic(w.panicked) // where it would have been without a writer in between
	}
	return w.err
}

func (w *write) abandon() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.abandoned = true
}

// work is the writer: the one goroutine that changes the file.
func (s *Store) work() {
	sweep := time.NewTimer(0)
	defer sweep.Stop()
	for {
		select {
		case w := <-s.writes:
			s.commit(s.gather(w))
		case <-sweep.C:
			sweep.Reset(s.sweep())
		case <-s.closing:
			s.closeErr = s.db.Close()
			close(s.closed)
			return
		}
	}
}

// gather returns w and those who wait, or come as soon as they are let: who was answered just now may have more to write.
func (s *Store) gather(w *write) []*write {
	batch := []*write{w}
	for before := 0; len(batch) < maxBatch; {
		select {
		case w := <-s.writes:
			batch = append(batch, w)
		default:
			if len(batch) == before {
				return batch
			}
			before = len(batch)
			runtime.Gosched()
		}
	}
	return batch
}

// commit applies the batch in one transaction. When that fails, none of it holds, and so nor does what a change concluded
// from the one before it.
func (s *Store) commit(batch []*write) {
	err := s.transact(func(t *table, now time.Time) error {
		for _, w := range batch {
			if err := w.apply(t, now); err != nil {
				return err
			}
		}
		_, err := t.sweep(now, min(bite, 2*len(batch))) // faster than they can add
		return err
	})
	for _, w := range batch {
		if err != nil {
			w.err = err
		}
		close(w.done)
	}
}

// sweep removes a bite of what has expired, if anything has, and tells when to come again.
func (s *Store) sweep() time.Duration {
	swept := 0
	err := s.transact(func(t *table, now time.Time) (err error) {
		swept, err = t.sweep(now, bite)
		return err
	})
	if err == nil && swept == bite {
		return sweepSoon
	}
	return sweepEvery
}

// transact runs do in a transaction and writes it to the disk, unless do changed nothing.
func (s *Store) transact(do func(*table, time.Time) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	err := s.inTransaction(do)
	if err != nil {
		explained := s.explain(err)
		s.setFault(fault{explained, isFinal(err)})
		return explained
	}
	return nil
}

func (s *Store) inTransaction(do func(*table, time.Time) error) error {
	tx, err := s.db.Begin(true)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing once committed
	return guard(func() error {
		t := tableOf(tx)
		if err := do(t, s.now()); err != nil || !t.isChanged {
			return err
		}
		err := tx.Commit()
		if err == nil {
			s.setFault(fault{})
		}
		return err
	})
}

// apply runs w's change on the table. Its error is the table's; that of the change is kept for who waits for it.
func (w *write) apply(t *table, now time.Time) error {
	expires, old := t.live(w.key, now)
	value, until, ok := w.run(old, expires, now)
	if !ok {
		return nil
	}
	return t.replace(w.key, value, until)
}

// run runs the change. It is not ok when the change was refused, or nobody waits for it any more.
func (w *write) run(old, expires []byte, now time.Time) (value, until []byte, ok bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.abandoned {
		return nil, nil, false
	}
	defer func() {
		if w.panicked = recover(); w.panicked != nil {
			ok = false
		}
	}()
	value, until, w.err = w.valueOf(old, expires, now)
	return value, until, w.err == nil
}

// errFault is a file that could not be read: the disk failed, somebody cut the file short, or its trees make no sense.
var errFault = errors.New("the file is damaged or cannot be read")

// guard turns a page that cannot be read into an error. Without it, a failing disk under mapped memory ends the process, and
// that is better than to go on with a lock that nobody opens again: around what locks something it must not be used.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w (%v)", errFault, p)
		}
	}()
	return do()
}

// isFinal tells whether later writes must not be tried. A write that failed left everything as it was, but after an fsync
// that failed nobody knows what the disk holds: a later one may succeed without what this one lost.
func isFinal(err error) bool {
	_, isErrno := err.(syscall.Errno) // as bbolt returns that of fdatasync, and no other
	var pathError *fs.PathError
	return isErrno || errors.Is(err, errFault) || errors.As(err, &pathError) && pathError.Op == "sync"
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// explain says what an error of bbolt or of the disk means, and what to do.
func (s *Store) explain(err error) error {
	switch {
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return s.unavailable("%s is closed, the process is ending", s.path)
	case errors.Is(err, errFault):
		return s.unavailable("%s: check its disk; restart, with a backup of the file if it stays so: %w", s.path, err)
	case isFinal(err):
		return s.unavailable("the disk under %s failed and nothing is written to it any more: check the disk, then restart: %w", s.path, err)
	case isFull(err):
		return s.unavailable("no room for %s: free some space on its disk: %w", s.path, err)
	}
	return s.unavailable("%s cannot be used: check its disk: %w", s.path, err)
}
