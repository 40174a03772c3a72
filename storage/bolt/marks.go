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

// marksPrefix begins the keys of the marks of spent codes and of their ID, which are in memory while the Store is open;
// see the package comment.
const marksPrefix = "code:"

// marksKey is the key of the marks in aboutBucket. It exists only while the Store is closed.
var marksKey = []byte("codes")

// marks are the records in memory.
type marks struct {
	mutex  sync.RWMutex    // locked for reading in each operation
	memory *storage.Memory // nil after Close
}

// withMarks calls do, unless the Store is closed.
func (s *Store) withMarks(do func(*storage.Memory) error) error {
	s.marks.mutex.RLock()
	defer s.marks.mutex.RUnlock()
	if s.marks.memory == nil {
		return s.unavailable("%s is closed, the process is ending", s.path)
	}
	return do(s.marks.memory)
}

func (s *Store) getMark(ctx context.Context, key string) (value []byte, err error) {
	err = s.withMarks(func(m *storage.Memory) (err error) {
		value, err = m.Get(ctx, key)
		return err
	})
	return value, err
}

// saveMarks ends the use of the marks and writes them to the file.
func (s *Store) saveMarks() error {
	s.marks.mutex.Lock()
	snapshot := s.marks.memory.Snapshot()
	s.marks.memory = nil
	s.marks.mutex.Unlock()
	if snapshot == nil {
		return nil
	}
	return s.transact(func(t *table, _ time.Time) error {
		return t.records.Tx().Bucket(aboutBucket).Put(marksKey, snapshot)
	})
}

// takeMarks removes the marks from the file and returns them. If they stayed, a start after a crash would find their ID
// without the marks that came later, and the codes that were spent meanwhile would open again.
func (f file) takeMarks(now func() time.Time) (*storage.Memory, error) {
	var snapshot []byte
	err := guard(func() error {
		return f.db.View(func(tx *bbolt.Tx) error {
			snapshot = bytes.Clone(tx.Bucket(aboutBucket).Get(marksKey))
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
		return f.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(aboutBucket).Delete(marksKey) })
	})
}
