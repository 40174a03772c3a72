package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	batchDelay = time.Millisecond // how long a write waits for others to share its transaction

	sweepSize  = 256                   // expired records that one transaction removes
	sweepEvery = time.Second           // while little has expired
	sweepSoon  = 20 * time.Millisecond // while more has expired than one transaction removes
)

// transact calls do in a transaction, which other writes may share, and writes it to the disk. do may run twice.
func (s *Store) transact(do func(*table, time.Time) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	err := s.db.Batch(func(tx *bbolt.Tx) error {
		return guard(func() error { return do(tableOf(tx), s.now()) })
	})
	if err != nil {
		explained := s.explain(err)
		s.setFault(fault{err: explained, isFinal: isFinal(err)})
		return explained
	}
	return nil
}

// sweepLoop removes expired records until the Store is closed.
func (s *Store) sweepLoop() {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
			pause.Reset(s.sweep())
		case <-s.closing:
			return
		}
	}
}

// sweep removes some expired records, if there are any, and returns the time until the next sweep.
func (s *Store) sweep() time.Duration {
	swept := 0
	if s.hasExpired() {
		_ = s.transact(func(t *table, now time.Time) (err error) { // transact stores its error as the fault
			swept, err = t.sweep(now, sweepSize)
			return err
		})
	}
	if swept == sweepSize {
		return sweepSoon
	}
	return sweepEvery
}

func (s *Store) hasExpired() (has bool) {
	_ = s.db.View(func(tx *bbolt.Tx) error { // the next call of the Store returns its error
		return guard(func() error {
			_, first := tableOf(tx).first()
			has = first != nil && isDue(first[:momentSize], s.now())
			return nil
		})
	})
	return has
}

// errFault is a page that cannot be read: the disk failed, or the file was cut or damaged.
var errFault = errors.New("the file is damaged or cannot be read")

// guard turns a fault of mapped memory, and a panic of bbolt about a damaged page, into an error. A fault during a
// commit ends the process, because bbolt's lock would stay locked.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w (%v)", errFault, p)
		}
	}()
	return do()
}

// isFinal reports whether later writes must not be tried. A failed write changes nothing; but after a failed fsync the
// contents of the disk are unknown, and a later fsync may succeed without the lost pages.
func isFinal(err error) bool {
	_, isErrno := err.(syscall.Errno) // bbolt returns only the one of fdatasync
	var pathError *fs.PathError
	return isErrno || errors.Is(err, errFault) || errors.As(err, &pathError) && pathError.Op == "sync"
}

// isFull compares texts too, because bbolt does not wrap the error of a file that cannot grow.
func isFull(err error) bool {
	all := []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}
	return slices.ContainsFunc(all, func(full syscall.Errno) bool {
		return errors.Is(err, full) || err != nil && strings.HasSuffix(err.Error(), full.Error())
	})
}

// explain says what an error of bbolt or of the disk means, and what to do.
func (s *Store) explain(err error) error {
	switch {
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return s.unavailable("%s is closed, the process is ending", s.path)
	case errors.Is(err, errFault):
		return s.unavailable("%s: check its disk; restart, with a backup of the file if it stays so: %w", s.path, err)
	case isFinal(err):
		return s.unavailable("the disk under %s failed and nothing is written to it any more: "+
			"check the disk, then restart: %w", s.path, err)
	case isFull(err):
		return s.unavailable("no room for %s: free some space on its disk: %w", s.path, err)
	}
	return s.unavailable("%s cannot be used: check its disk: %w", s.path, err)
}
