package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

const (
	worthwhile = 1 << 20 // bytes: no smaller file is compacted
	portion    = 8 << 20 // bytes that are copied in one transaction
)

// isWasteful tells whether more than half of the file is free, or would be without what has expired.
func (f file) isWasteful(now time.Time) bool {
	size, free := 0, f.db.Stats().FreePageN*f.db.Info().PageSize
	due, live := 0, 0
	err := guard(func() error {
		return f.db.View(func(tx *bbolt.Tx) error {
			if size = int(tx.Size()); size >= worthwhile {
				due, live = tableOf(tx).count(now)
			}
			return nil
		})
	})
	used := size - free
	return err == nil && size >= worthwhile && 2*(free+used*due/max(due+live, 1)) > size
}

// count tells how many records have expired and how many have not.
func (t *table) count(now time.Time) (due, live int) {
	for c, k := first(t.expiry); k != nil; k, _ = c.Next() {
		if isDue(k[:momentSize], now) {
			due++
		} else {
			live++
		}
	}
	return due, live
}

// compact puts a copy without waste in the place of the file at path, and opens it. If that does not work, because the disk
// is full or the directory may not be written, the file is used as it is.
func (f file) compact(path string, now time.Time) (file, error) {
	copied := path + ".compacting"
	_ = os.Remove(copied) // of a process that died here
	err := f.copyTo(copied, now)
	if err == nil {
		err = os.Rename(copied, path) // f's lock keeps others out until here
	}
	if err != nil {
		_ = os.Remove(copied)
		return f, nil
	}
	_ = f.db.Close()
	syncDirectory(filepath.Dir(path))
	return openFile(path)
}

// copyTo writes a new file with what is live in f. It is on the disk when copyTo returns.
func (f file) copyTo(path string, now time.Time) error {
	options := &bbolt.Options{Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType, NoSync: true}
	db, err := bbolt.Open(path, f.info.Mode().Perm(), options)
	if err != nil {
		return err
	}
	err = guard(func() error {
		if err := db.Update(furnish); err != nil {
			return err
		}
		if err := f.db.View(func(tx *bbolt.Tx) error { return copyLive(db, tx, now) }); err != nil {
			return err
		}
		return db.Sync()
	})
	return errors.Join(err, db.Close())
}

func copyLive(to *bbolt.DB, from *bbolt.Tx, now time.Time) error {
	err := copyTree(to, from, recordsBucket, func(_, v []byte) bool { return !isDue(v[:momentSize], now) })
	if err != nil {
		return err
	}
	return copyTree(to, from, expiryBucket, func(k, _ []byte) bool { return !isDue(k[:momentSize], now) })
}

// copyTree copies what keep wants of a tree, in the order of the keys, so that the copy's pages are full.
func copyTree(to *bbolt.DB, from *bbolt.Tx, name []byte, keep func(k, v []byte) bool) error {
	c := from.Bucket(name).Cursor()
	for k, v := c.First(); k != nil; {
		err := to.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(name)
			b.FillPercent = 0.9
			for size := 0; k != nil && size < portion; k, v = c.Next() {
				if !keep(k, v) {
					continue
				}
				size += len(k) + len(v)
				if err := b.Put(k, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// syncDirectory makes a rename last. Some systems have no such call; there it lasts as they see fit.
func syncDirectory(path string) {
	if dir, err := os.Open(path); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
}
