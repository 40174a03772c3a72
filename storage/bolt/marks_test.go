package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
	"github.com/hush-idp/hush/storage/storagetest"
)

// ofMarks is a Store whose keys are all those of marks.
type ofMarks struct{ *bolt.Store }

func (c ofMarks) Get(ctx context.Context, key string) ([]byte, error) {
	return c.Store.Get(ctx, "code:"+key)
}

func (c ofMarks) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return c.Store.Put(ctx, "code:"+key, value, ttl)
}

func (c ofMarks) Update(
	ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error),
) error {
	return c.Store.Update(ctx, "code:"+key, ttl, change)
}

func TestMarksKeepTheContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storagetest.Engine {
		c := storagetest.NewClock()
		return storagetest.Engine{Store: ofMarks{open(t, newPath(t), c.Now)}, Pass: c.Pass}
	})
}

// spend makes the mark of a code, and fails if there is one.
func spend(s storage.Store, code string) error {
	return s.Update(context.Background(), code, time.Hour, func(old []byte) ([]byte, error) {
		if old != nil {
			return nil, errors.New("the code is spent")
		}
		return []byte("spent"), nil
	})
}

func TestMarksAndTheirIDSurviveAStop(t *testing.T) {
	c, path := storagetest.NewClock(), newPath(t)
	s := open(t, path, c.Now)
	mustPut(t, s, "code:id", "the ID", time.Hour)
	mustPut(t, s, "code:mark", "spent", time.Minute)
	for range 2 {
		closeStore(t, s)
		s = open(t, path, c.Now)
		want(t, s, "code:id", "the ID")
		want(t, s, "code:mark", "spent")
	}
	c.Pass(time.Minute)
	wantError(t, get(s, "code:mark"), storage.ErrNotFound)
	want(t, s, "code:id", "the ID")
}

// After a crash the marks are lost, so the ID that was in the file before must be lost too.
func TestAfterACrashTheMarksAndTheirIDAreUnknown(t *testing.T) {
	path, crashed := newPath(t), newPath(t)
	s := open(t, path, time.Now)
	mustPut(t, s, "code:id", "the ID", time.Hour)
	closeStore(t, s)
	s = open(t, path, time.Now)
	mustPut(t, s, "code:mark", "spent", time.Hour)
	mustPut(t, s, "other", "v", time.Hour)
	copyFile(t, path, crashed)

	s = open(t, crashed, time.Now)
	want(t, s, "other", "v")
	wantError(t, get(s, "code:id"), storage.ErrNotFound)
	wantError(t, get(s, "code:mark"), storage.ErrNotFound)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
}

func TestAMarkCostsNoTransaction(t *testing.T) {
	s := open(t, newPath(t), time.Now)
	before := transactions(s)
	for i := range 100 {
		if err := spend(s, "code:"+strconv.Itoa(i)); err != nil {
			t.Error(err)
		}
	}
	if did := transactions(s) - before; did != 0 {
		t.Errorf("100 marks took %d transactions; want none", did)
	}
}

func TestNoCodeIsSpentTwiceAroundAStop(t *testing.T) {
	const codes = 20_000
	path := newPath(t)
	s := open(t, path, time.Now)
	var spent [codes]bool
	var next atomic.Int64
	inParallel(8, func(int) {
		for next.Load() < codes {
			n := next.Add(1) - 1
			if n == codes/2 {
				closeStore(t, s)
			}
			if n < codes {
				spent[n] = spend(s, "code:"+strconv.Itoa(int(n))) == nil
			}
		}
	})
	s = open(t, path, time.Now)
	for i, was := range spent {
		if again := spend(s, "code:"+strconv.Itoa(i)) == nil; again == was {
			t.Fatalf("code %d was spent before the stop: %t; after it: %t", i, was, again)
		}
	}
}

func TestAClosedStoreHasNoMarks(t *testing.T) {
	s := open(t, newPath(t), time.Now)
	mustPut(t, s, "code:a", "spent", time.Hour)
	closeStore(t, s)
	wantError(t, get(s, "code:a"), storage.ErrUnavailable)
	wantError(t, spend(s, "code:a"), storage.ErrUnavailable)
}

func TestMarksThatCannotBeReadRefuseTheFile(t *testing.T) {
	path := newPath(t)
	s := open(t, path, time.Now)
	mustPut(t, s, "code:a", "spent", time.Hour)
	closeStore(t, s)
	damageMarks(t, path)
	_, err := bolt.Open(path, time.Now)
	if err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("Open = %v; want what to do about a damaged file", err)
	}
}

func damageMarks(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		about, key := tx.Bucket([]byte("hush")), []byte("codes")
		return about.Put(key, bytes.Clone(about.Get(key)[1:]))
	})
	if err != nil {
		t.Fatal(err)
	}
}
