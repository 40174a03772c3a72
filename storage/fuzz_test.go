package storage_test

import (
	"errors"
	"strconv"
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

// FuzzRestore: whatever a snapshot holds, it is an error or an engine that takes records.
func FuzzRestore(f *testing.F) {
	clock := storagetest.NewClock()
	m := storage.NewMemory(clock.Now)
	for _, value := range []string{"", "short", strings.Repeat("long", 10)} {
		if err := m.Put(f.Context(), "key"+value, []byte(value), time.Hour); err != nil {
			f.Fatal(err)
		}
	}
	good := m.Snapshot()
	for _, snapshot := range [][]byte{nil, {}, good, good[:len(good)-1], good[:16], good[:17], append(good, 0)} {
		f.Add(snapshot)
	}
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		m, err := storage.Restore(snapshot, clock.Now)
		if err != nil {
			return
		}
		if _, err := storage.Restore(m.Snapshot(), clock.Now); err != nil {
			t.Errorf("%q can be restored once only: %v", snapshot, err)
		}
		checkWritable(t, m)
	})
}

func checkWritable(t *testing.T, m *storage.Memory) {
	t.Helper()
	for i := range 100 {
		mustPut(t, m, strconv.Itoa(i), time.Minute)
	}
	for i := range 100 {
		if _, err := m.Get(t.Context(), strconv.Itoa(i)); err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
}
