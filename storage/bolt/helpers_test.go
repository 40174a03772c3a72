package bolt_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
)

func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "hush.db")
}

// open opens the file, and closes it with the test if that did not.
func open(t testing.TB, path string, now func() time.Time) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func closeStore(t testing.TB, s *bolt.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustPut(t testing.TB, s storage.Store, key, value string, ttl time.Duration) {
	t.Helper()
	if err := s.Put(t.Context(), key, []byte(value), ttl); err != nil {
		t.Fatalf("Put(%q) = %v", key, err)
	}
}

func mustUpdate(t testing.TB, s storage.Store, key string, change func([]byte) ([]byte, error)) {
	t.Helper()
	if err := s.Update(t.Context(), key, storage.KeepTTL, change); err != nil {
		t.Fatalf("Update(%q) = %v", key, err)
	}
}

func get(s storage.Store, key string) error {
	_, err := s.Get(context.Background(), key)
	return err
}

func want(t testing.TB, s storage.Store, key, value string) {
	t.Helper()
	if got, err := s.Get(context.Background(), key); err != nil || string(got) != value {
		t.Errorf("Get(%q) = %q, %v; want %q", key, got, err, value)
	}
}

func wantError(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got the error %v; want one that is: %v", got, want)
	}
}

// count opens the file with other means and counts what it holds.
func count(t testing.TB, path string) (records, expiry int) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return countIn(db)
}

func countOpen(s *bolt.Store) (records, expiry int) { return countIn(s.Database()) }

func countIn(db *bbolt.DB) (records, expiry int) {
	_ = db.View(func(tx *bbolt.Tx) error {
		records, expiry = tx.Bucket([]byte("records")).Stats().KeyN, tx.Bucket([]byte("expiry")).Stats().KeyN
		return nil
	})
	return records, expiry
}

// transactions is how many have been committed to the file.
func transactions(s *bolt.Store) (n int) {
	_ = s.Database().View(func(tx *bbolt.Tx) error {
		n = tx.ID()
		return nil
	})
	return n
}

func inParallel(n int, work func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { work(i) })
	}
	group.Wait()
}
