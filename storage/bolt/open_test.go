package bolt_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestAFileThatCannotBeUsedIsRefusedWithWhatToDo(t *testing.T) {
	for _, row := range []struct {
		name    string
		prepare func(t *testing.T, dir string) (path string)
		says    string
	}{
		{"its directory does not exist", func(_ *testing.T, dir string) string { return filepath.Join(dir, "a", "b") },
			"create it, or give another path"},
		{"its directory is a file", func(t *testing.T, dir string) string {
			return filepath.Join(write(t, filepath.Join(dir, "a"), nil), "b")
		}, "give another path"},
		{"it is a directory", func(_ *testing.T, dir string) string { return dir }, "give the path of a file"},
		{"it is a short text", func(t *testing.T, dir string) string {
			return write(t, filepath.Join(dir, "a"), []byte("users: []\n"))
		}, "not a file that this program wrote: give another path"},
		{"it is a long text", func(t *testing.T, dir string) string {
			return write(t, filepath.Join(dir, "a"), bytes.Repeat([]byte("users: []\n"), 10_000))
		}, "not a file that this program wrote: give another path"},
		{"it is the database of another program", func(t *testing.T, dir string) string {
			return database(t, filepath.Join(dir, "a"), "records", "")
		}, "of another program: give another path"},
		{"a newer version wrote it", func(t *testing.T, dir string) string {
			return database(t, filepath.Join(dir, "a"), "hush", "3")
		}, "start that version"},
		{"it was cut within its data", func(t *testing.T, dir string) string { return cut(t, dir, 3) },
			"restore it from a backup"},
		{"it was cut at its end", func(t *testing.T, dir string) string { return cut(t, dir, 1) },
			"restore it from a backup"},
		{"its data was overwritten", func(t *testing.T, dir string) string {
			path := cut(t, dir, 0)
			return scribble(t, path)
		}, "restore it from a backup"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := row.prepare(t, t.TempDir())
			s, err := bolt.Open(path, time.Now)
			if err == nil {
				closeStore(t, s)
				t.Fatal("Open gave no error")
			}
			if !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), filepath.Dir(path)) {
				t.Errorf("Open = %v; want the path and %q", err, row.says)
			}
		})
	}
}

// Programs that know the first format cannot read all records that this one writes, and refuse another format.
func TestAFileOfTheFirstFormatGetsThePresentOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hush.db")
	s := open(t, path, time.Now)
	mustPut(t, s, "session", "{}", time.Hour)
	closeStore(t, s)
	inAbout(t, path, func(b *bbolt.Bucket) error { return b.Put([]byte("format"), []byte("1")) })
	s = open(t, path, time.Now)
	if value, err := s.Get(t.Context(), "session"); string(value) != "{}" || err != nil {
		t.Errorf("Get = %q, %v; want the record of the earlier program", value, err)
	}
	closeStore(t, s)
	inAbout(t, path, func(b *bbolt.Bucket) error {
		if got := string(b.Get([]byte("format"))); got != "2" {
			t.Errorf("the format is %q; want 2", got)
		}
		return nil
	})
}

// inAbout calls do with the bucket of the closed file that has its format.
func inAbout(t *testing.T, path string, do func(*bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return do(tx.Bucket([]byte("hush"))) })
	if err != nil || db.Close() != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// database makes a bbolt file that holds one bucket and in it one value.
func database(t *testing.T, path, bucket, value string) string {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte(bucket))
		if err != nil {
			return err
		}
		return b.Put([]byte("format"), []byte(value))
	})
	if err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	return path
}

// cut makes a store's file without its last quarters of the pages in use.
func cut(t *testing.T, dir string, quarters int64) string {
	t.Helper()
	path := filepath.Join(dir, "hush.db")
	s := open(t, path, time.Now)
	for i := range 200 {
		mustPut(t, s, strconv.Itoa(i), strings.Repeat("v", 5000), time.Hour)
	}
	var used int64
	_ = s.Database().View(func(tx *bbolt.Tx) error {
		used = tx.Size()
		return nil
	})
	closeStore(t, s)
	if err := os.Truncate(path, used*(4-quarters)/4); err != nil {
		t.Fatal(err)
	}
	return path
}

// scribble overwrites everything behind the two pages that say what the file is.
func scribble(t *testing.T, path string) string {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	header := int64(2 * os.Getpagesize())
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size()-header)), header); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheFileIsItsOwnersAlone(t *testing.T) {
	path := newPath(t)
	open(t, path, time.Now)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v; want mode 0600", info.Mode(), err)
	}
}

// grown makes a file of some megabytes in which only every twentieth record lives longer than an hour.
func grown(t *testing.T, path string, c *storagetest.Clock) {
	t.Helper()
	s := open(t, path, c.Now)
	inParallel(20, func(i int) {
		ttl := time.Hour
		if i == 0 {
			ttl = 3 * time.Hour
		}
		for j := range 200 {
			mustPut(t, s, strconv.Itoa(i)+"/"+strconv.Itoa(j), strings.Repeat("v", 1000), ttl)
		}
	})
	closeStore(t, s)
}

func wantLive(t *testing.T, s storage.Store) {
	t.Helper()
	for j := range 200 {
		want(t, s, "0/"+strconv.Itoa(j), strings.Repeat("v", 1000))
	}
	wantError(t, get(s, "1/0"), storage.ErrNotFound)
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !info.Mode().IsRegular() {
		t.Fatalf("%s is %v; want a file", path, info.Mode())
	}
	return info.Size()
}

func TestOpenDropsWhatExpired(t *testing.T) {
	c, path := storagetest.NewClock(), newPath(t)
	grown(t, path, c)
	before := size(t, path)
	write(t, path+".compacting", []byte("of a process that died"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	c.Pass(2 * time.Hour)

	s := open(t, link, c.Now)
	wantLive(t, s)
	if after := size(t, path); after > before/4 {
		t.Errorf("the file had %d bytes, and %d when most had expired", before, after)
	}
	if records, expiry := countOpen(s); records != 200 || expiry != 200 {
		t.Errorf("the file holds %d records and %d times of expiry; want the 200 live ones", records, expiry)
	}
	if _, err := os.Lstat(path + ".compacting"); err == nil {
		t.Error("the copy is still there")
	}
	mustUpdate(t, s, "0/0", func([]byte) ([]byte, error) { return []byte("w"), nil })
	c.Pass(time.Hour)
	wantError(t, get(s, "0/0"), storage.ErrNotFound) // at the time it was given first
}

func TestOpenDropsWhatIsFree(t *testing.T) {
	c, path := storagetest.NewClock(), newPath(t)
	grown(t, path, c)
	before := size(t, path)
	s := open(t, path, c.Now)
	inParallel(19, func(i int) {
		for j := range 200 {
			mustUpdate(t, s, strconv.Itoa(i+1)+"/"+strconv.Itoa(j), func([]byte) ([]byte, error) { return nil, nil })
		}
	})
	closeStore(t, s)
	wantLive(t, open(t, path, c.Now))
	if after := size(t, path); after > before/4 {
		t.Errorf("the file had %d bytes, and %d when most was free", before, after)
	}
}

func TestAFileInUseIsNotCopied(t *testing.T) {
	c, path := storagetest.NewClock(), newPath(t)
	grown(t, path, c)
	before, _ := os.Stat(path)
	closeStore(t, open(t, path, c.Now))
	if after, _ := os.Stat(path); !os.SameFile(before, after) {
		t.Error("a file that is mostly in use was copied")
	}
}

func TestAFileThatCannotBeCompactedIsUsedAsItIs(t *testing.T) {
	c, path := storagetest.NewClock(), newPath(t)
	grown(t, path, c)
	if err := os.MkdirAll(filepath.Join(path+".compacting", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.Pass(2 * time.Hour)
	wantLive(t, open(t, path, c.Now))
}

func TestAStoreThatWaitedForAReplacedFileOpensTheNewOne(t *testing.T) {
	path, other := newPath(t), newPath(t)
	closeStore(t, open(t, path, time.Now))
	s := open(t, other, time.Now)
	mustPut(t, s, "k", "new", time.Hour)
	closeStore(t, s)

	first, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan *bolt.Store)
	go func() {
		s, err := bolt.Open(path, time.Now)
		if err != nil {
			t.Error(err)
		}
		waited <- s
	}()
	time.Sleep(200 * time.Millisecond) // so that it has the old file open; if not yet, the test holds nothing
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if s := <-waited; s != nil {
		want(t, s, "k", "new")
		mustPut(t, s, "k", "newer", time.Hour)
		closeStore(t, s)
	}
}
