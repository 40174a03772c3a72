package storage_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// FuzzBucket: a record that cannot be read is an error that names its kind, for every method, and one that can be is
// written as it was read.
func FuzzBucket(f *testing.F) {
	for _, record := range []string{`{"Text":"hello"}`, `{}`, `null`, `"no object"`, `[]`, `{"Text":1}`,
		`{"Text":"\ud800"}`, "", "{", "\x00", `{"Text":"a"}{}`} {
		f.Add([]byte(record), "key")
	}
	f.Fuzz(func(t *testing.T, record []byte, key string) {
		b := storage.NewBucket[note]("note", storagetest.Holding(record))
		got, err := b.Get(t.Context(), key)
		if err != nil && !strings.Contains(err.Error(), "note record") {
			t.Errorf("%q: Get = %v; want an error that names the bucket", record, err)
		}
		var seen *note
		updated := b.Update(t.Context(), key, storage.KeepTTL, func(old *note) (*note, error) {
			seen = old
			return old, nil
		})
		if present := len(record) > 0; present && (err == nil) != (updated == nil) ||
			err == nil && (seen == nil || *seen != got) {
			t.Errorf("%q: Get = %v, %v; Update sees %v, %v", record, got, err, seen, updated)
		}
		if err == nil {
			checkKept(t, key, got)
		}
	})
}

func checkKept(t *testing.T, key string, record note) {
	t.Helper()
	b := storage.NewBucket[note]("note", storage.NewMemory(time.Now))
	if err := b.Put(t.Context(), key, record, time.Minute); err != nil {
		t.Fatal(err)
	}
	if again, err := b.Get(t.Context(), key); err != nil || again != record {
		t.Errorf("%q was kept as %v, %v", record, again, err)
	}
	if _, err := b.Get(t.Context(), key+"x"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the record of %q is under %q, too: %v", key, key+"x", err)
	}
}
