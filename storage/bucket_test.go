package storage_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

type note struct{ Text string }

func TestBucketRoundTrip(t *testing.T) {
	b := storage.NewBucket[note]("note", storage.NewMemory(time.Now))
	if err := b.Put(t.Context(), "k", note{"hello"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	err := b.Update(t.Context(), "k", storage.KeepTTL, func(old *note) (*note, error) {
		old.Text += ", world"
		return old, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Get(t.Context(), "k"); err != nil || got.Text != "hello, world" {
		t.Errorf("Get = %+v, %v", got, err)
	}
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after Delete Get = %v; want ErrNotFound", err)
	}
}

func TestBucketsWithDifferentNamesDoNotMeet(t *testing.T) {
	m := storage.NewMemory(time.Now)
	if err := storage.NewBucket[note]("a", m).Put(t.Context(), "k", note{"a"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.NewBucket[note]("b", m).Get(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("bucket b sees a record of bucket a: %v", err)
	}
}

func TestTheEngineNeverSeesAKey(t *testing.T) {
	spy := &storagetest.Spy{Store: storage.NewMemory(time.Now)}
	b := storage.NewBucket[note]("code", spy)
	if err := b.Put(t.Context(), "secret-code", note{"x"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(spy.Keys(), "secret-code") {
		t.Errorf("the engine was shown the key: %s", spy.Keys())
	}
}

func TestARecordThatCannotBeReadSaysWhichKind(t *testing.T) {
	m := storage.NewMemory(time.Now)
	if err := storage.NewBucket[string]("note", m).Put(t.Context(), "k", "no object", time.Minute); err != nil {
		t.Fatal(err)
	}
	_, err := storage.NewBucket[note]("note", m).Get(t.Context(), "k")
	if err == nil || !strings.Contains(err.Error(), "note record") {
		t.Errorf("Get = %v; want an error that names the bucket", err)
	}
}

func TestRecordsOfAGroupShareASlot(t *testing.T) {
	tag := regexp.MustCompile(`^(code|revoked):\{([^{}]+)\}[^{}]+$`)
	tagOf := func(bucket, key string) string {
		t.Helper()
		spy := &storagetest.Spy{Store: storage.NewMemory(time.Now)}
		if err := storage.NewBucket[note](bucket, spy).Put(t.Context(), key, note{"x"}, time.Minute); err != nil {
			t.Fatal(err)
		}
		match := tag.FindStringSubmatch(strings.TrimSpace(spy.Keys()))
		if match == nil {
			t.Fatalf("the engine's key is %q; want one hash tag in it", spy.Keys())
		}
		return match[2]
	}
	a := tagOf("code", storage.GroupKey("a", "1"))
	if got := tagOf("revoked", storage.GroupKey("a", "")); got != a {
		t.Errorf("two records of group a have the tags %s and %s", a, got)
	}
	if got := tagOf("code", storage.GroupKey("b", "1")); got == a {
		t.Errorf("groups a and b have one tag")
	}
}

func TestRecordsOfAGroupAreNotOneRecord(t *testing.T) {
	b := storage.NewBucket[note]("note", storage.NewMemory(time.Now))
	for _, key := range []string{storage.GroupKey("a", "1"), storage.GroupKey("a", "2"), storage.GroupKey("a1", ""),
		"a1", "a"} {
		if _, err := b.Get(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%q is the key of another record", key)
		}
		if err := b.Put(t.Context(), key, note{key}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}
