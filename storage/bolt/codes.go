package bolt

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hush-idp/hush/storage"
)

// codesPrefix begins the keys of the marks of spent codes and of their ID, which are in memory while the Store is open;
// see the package comment.
const codesPrefix = "code:"

// codesKey is the key of the codes in aboutBucket. It exists only while the Store is closed.
var codesKey = []byte("codes")

// codes are the records in memory.
type codes struct {
	mutex  sync.RWMutex    // locked for reading in each operation
	memory *storage.Memory // nil after Close
}

// withCodes calls do, unless the Store is closed.
func (s *Store) withCodes(do func(*storage.Memory) error) error {
	s.codes.mutex.RLock()
	defer s.codes.mutex.RUnlock()
	if s.codes.memory == nil {
		return s.unavailable("%s is closed, the process is ending", s.path)
	}
	return do(s.codes.memory)
}

func (s *Store) getCode(ctx context.Context, key string) (value []byte, err error) {
	err = s.withCodes(func(m *storage.Memory) (err error) {
		value, err = m.Get(ctx, key)
		return err
	})
	return value, err
}

// saveCodes ends the use of the codes and writes them to the file.
func (s *Store) saveCodes() error {
	s.codes.mutex.Lock()
	snapshot := s.codes.memory.Snapshot()
	s.codes.memory = nil
	s.codes.mutex.Unlock()
	if snapshot == nil {
		return nil
	}
	return s.transact(func(t *table, _ time.Time) error {
		return t.records.Tx().Bucket(aboutBucket).Put(codesKey, snapshot)
	})
}

// takeCodes removes the codes from the file and returns them. If they stayed, a start after a crash would find codes
// that were spent meanwhile.
func (f file) takeCodes(now func() time.Time) (*storage.Memory, error) {
	var snapshot []byte
	err := guard(func() error {
		return f.db.View(func(tx *bbolt.Tx) error {
			snapshot = bytes.Clone(tx.Bucket(aboutBucket).Get(codesKey))
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	memory, err := storage.Restore(snapshot, now)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFault, err)
	}
	if snapshot == nil {
		return memory, nil
	}
	return memory, guard(func() error {
		return f.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(aboutBucket).Delete(codesKey) })
	})
}
