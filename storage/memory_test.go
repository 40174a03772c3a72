package storage_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storagetest.Engine {
		c := storagetest.NewClock()
		return storagetest.Engine{Store: storage.NewMemory(c.Now), Pass: c.Pass}
	})
}

func TestMemorySweepsWhatExpiredAndKeepsWhatLives(t *testing.T) {
	c := storagetest.NewClock()
	m := storage.NewMemory(c.Now)
	const dead, alive = 5000, 500
	for i := range dead {
		mustPut(t, m, "dead"+strconv.Itoa(i), time.Second)
	}
	for i := range alive {
		mustPut(t, m, "alive"+strconv.Itoa(i), time.Hour)
	}
	c.Pass(time.Minute)
	for i := range 1000 { // enough writes to reach every shard
		mustPut(t, m, "later"+strconv.Itoa(i), time.Hour)
	}
	if got := m.Len(); got != alive+1000 {
		t.Errorf("%d records are held; want the %d live ones", got, alive+1000)
	}
	for i := range alive {
		if _, err := m.Get(t.Context(), "alive"+strconv.Itoa(i)); err != nil {
			t.Fatalf("live record %d was evicted: %v", i, err)
		}
	}
}

func mustPut(t *testing.T, s storage.Store, key string, ttl time.Duration) {
	t.Helper()
	if err := s.Put(t.Context(), key, []byte("v"), ttl); err != nil {
		t.Fatal(err)
	}
}
