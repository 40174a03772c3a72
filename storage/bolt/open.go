package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	lockTimeout = time.Second // long enough for another process that is ending
	opens       = 3           // tries, while other processes replace the file by its compacted copy
	worthwhile  = 1 << 20     // bytes: no smaller file is compacted
	portion     = 10_000      // expired records that one transaction removes
)

// Open opens the file at path, or makes it with mode 0600; now is the clock of ttls. It fails if the file's directory
// does not exist, or if the file cannot be written, is in use by another process, or is not a file of this package. The
// error says what to do. Open compacts the file if more than half of it is free.
func Open(path string, now func() time.Time) (*Store, error) {
	path, err := locate(path)
	if err != nil {
		return nil, err
	}
	f, err := openFile(path)
	if err != nil {
		return nil, refusal(path, err)
	}
	if err := f.judge(); err != nil {
		_ = f.db.Close()
		return nil, refusal(path, err)
	}
	memory, err := f.takeMarks(now)
	if err != nil {
		_ = f.db.Close()
		return nil, refusal(path, err)
	}
	if f.isWasteful(now()) {
		if f, err = f.compact(path); err != nil {
			return nil, refusal(path, err)
		}
	}
	f.db.MaxBatchDelay = batchDelay
	s := &Store{
		path: path, now: now, db: f.db, file: f.info, marks: marks{memory: memory},
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go s.sweepLoop()
	return s, nil
}

// locate returns the absolute path of the file; path may contain symbolic links.
func locate(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", refusal(path, err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir, err := os.Stat(filepath.Dir(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", refusal(path, fmt.Errorf("there is no directory %s: create it, or give another path", filepath.Dir(path)))
	case err == nil && !dir.IsDir():
		return "", refusal(path, fmt.Errorf("%s is no directory: give another path", filepath.Dir(path)))
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", refusal(path, errors.New("that is no file: give the path of a file, which is made if it does not exist"))
	}
	return path, nil
}

// file is an open database and its file.
type file struct {
	db   *bbolt.DB
	info fs.FileInfo
}

// openFile opens the file at path. It tries again if another process replaced the file by its compacted copy while this
// one waited for the lock.
func openFile(path string) (file, error) {
	for range opens {
		f, err := openOnce(path)
		if err != nil {
			return file{}, err
		}
		if there, err := os.Stat(path); err == nil && os.SameFile(there, f.info) {
			return f, nil
		}
		_ = f.db.Close()
	}
	return file{}, berrors.ErrTimeout
}

func openOnce(path string) (file, error) {
	var opened *os.File
	options := &bbolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
			opened, err = os.OpenFile(name, flag, mode)
			return opened, err
		},
	}
	f := file{}
	err := guard(func() (err error) {
		if f.db, err = bbolt.Open(path, 0o600, options); err != nil {
			return err
		}
		f.info, err = opened.Stat()
		return err
	})
	if err != nil && opened != nil {
		_ = opened.Close() // bbolt closes it, unless it panics
	}
	return f, err
}

var (
	errForeign = errors.New("it is the database of another program: give another path")
	errNewer   = errors.New("a newer version of this program wrote it: start that version, or give another path")
	errCut     = errors.New("it is shorter than it was, perhaps a copy that was not finished: " +
		"restore it from a backup, or move it away to begin anew")
)

// judge makes the trees in an empty file, and refuses a file with other contents.
func (f file) judge() error {
	return guard(func() error {
		isEmpty, isFirst := false, false
		err := f.db.View(func(tx *bbolt.Tx) error {
			if tx.Size() > f.info.Size() {
				return errCut
			}
			name, _ := tx.Cursor().First()
			isEmpty = name == nil
			return nil
		})
		if err == nil && isEmpty {
			err = f.db.Update(createTrees)
		}
		if err != nil {
			return err
		}
		err = f.db.View(func(tx *bbolt.Tx) (err error) {
			isFirst, err = judgeFormat(tx)
			return err
		})
		if err == nil && isFirst {
			err = f.db.Update(writeFormat)
		}
		return err
	})
}

func judgeFormat(tx *bbolt.Tx) (isFirst bool, err error) {
	about := tx.Bucket(aboutBucket)
	if about == nil {
		return false, errForeign
	}
	found := string(about.Get(formatKey))
	switch {
	case found != format && found != firstFormat:
		return false, errNewer
	case tx.Bucket(recordsBucket) == nil || tx.Bucket(expiryBucket) == nil:
		return false, errForeign
	}
	return found == firstFormat, nil
}

// createTrees makes the trees in an empty file.
func createTrees(tx *bbolt.Tx) error {
	for _, name := range [][]byte{aboutBucket, recordsBucket, expiryBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return writeFormat(tx)
}

func writeFormat(tx *bbolt.Tx) error { return tx.Bucket(aboutBucket).Put(formatKey, []byte(format)) }

// refusal returns the error of Open: the reason why the file is not opened, and a remedy.
func refusal(path string, err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		err = errors.New("another process uses it: stop that one, or give this one another path; " +
			"several providers that share what they know need Redis")
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("this user (uid %d) may not write it: change its owner or that of its directory, "+
			"or give another path: %w", os.Getuid(), err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch):
		err = fmt.Errorf("it is not a file that this program wrote: give another path: %w", err)
	case errors.Is(err, berrors.ErrChecksum), errors.Is(err, errFault):
		err = fmt.Errorf("restore it from a backup, or move it away to begin anew: %w", err)
	case errors.Is(err, syscall.EROFS):
		err = fmt.Errorf("its file system is mounted for reading only: give another path: %w", err)
	case isFull(err):
		err = fmt.Errorf("there is no room for it: free some space on its disk: %w", err)
	}
	return fmt.Errorf("storage/bolt: cannot use %s: %w", path, err)
}

// isWasteful removes expired records and reports whether more than half of the file is free.
func (f file) isWasteful(now time.Time) bool {
	size := 0
	err := guard(func() error {
		for swept := portion; swept == portion; {
			err := f.db.Update(func(tx *bbolt.Tx) (err error) {
				size = int(tx.Size())
				swept, err = tableOf(tx).sweep(now, portion)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	free := (f.db.Stats().FreePageN + f.db.Stats().PendingPageN) * f.db.Info().PageSize
	return err == nil && size >= worthwhile && 2*free > size
}

// compact replaces the file at path by a copy without free pages, and opens the copy. If the disk is full or the
// directory cannot be written, the file stays as it is.
func (f file) compact(path string) (file, error) {
	copied := path + ".compacting"
	_ = os.Remove(copied) // of a process that died here
	err := f.copyTo(copied)
	if err == nil {
		err = os.Rename(copied, path) // f's lock excludes other processes until here
	}
	if err != nil {
		_ = os.Remove(copied)
		return f, nil
	}
	_ = f.db.Close()
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // makes the rename last, on systems that have such a call
		_ = dir.Close()
	}
	return openFile(path)
}

// copyTo writes the copy, and returns after fsync.
func (f file) copyTo(path string) error {
	options := &bbolt.Options{Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType, NoSync: true}
	db, err := bbolt.Open(path, f.info.Mode().Perm(), options)
	if err != nil {
		return err
	}
	err = guard(func() error { return errors.Join(bbolt.Compact(db, f.db, 8<<20), db.Sync()) })
	return errors.Join(err, db.Close())
}
