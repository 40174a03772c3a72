package storage_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
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

func TestMemoryAgreesWithAMap(t *testing.T) {
	type record struct {
		value   string
		expires time.Time
	}
	c, random := storagetest.NewClock(), rand.New(rand.NewPCG(1, 2))
	m, model := storage.NewMemory(c.Now), map[string]record{}
	for range 50_000 {
		c.Pass(time.Duration(random.IntN(20)) * time.Millisecond)
		key, ttl := strconv.Itoa(random.IntN(2000)), time.Duration(1+random.IntN(60))*time.Second
		old, ok := model[key]
		if ok = ok && c.Now().Before(old.expires); !ok {
			old = record{}
		}
		err := m.Update(t.Context(), key, ttl, func(value []byte) ([]byte, error) {
			if string(value) != old.value || (value != nil) != ok {
				t.Fatalf("%s is %q; want %v", key, value, old)
			}
			if random.IntN(4) == 0 {
				delete(model, key)
				return nil, nil
			}
			model[key] = record{strings.Repeat("v", random.IntN(40)), c.Now().Add(ttl)}
			return []byte(model[key].value), nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func mustPut(t *testing.T, s storage.Store, key string, ttl time.Duration) {
	t.Helper()
	if err := s.Put(t.Context(), key, []byte("v"), ttl); err != nil {
		t.Fatal(err)
	}
}

// The marks of spent codes are most of what a busy provider remembers.
func TestAShortRecordTakesFewBytes(t *testing.T) {
	const records, most = 200_000, 80 // bytes of a record
	m := storage.NewMemory(time.Now)
	before := heap()
	for i := range records {
		key := "code:{a hash of twenty-two characters}" + strconv.Itoa(i)
		if err := m.Put(t.Context(), key, []byte(`{"spent":300}`), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	each := float64(heap()-before) / records
	t.Logf("%.1f bytes each", each)
	if m.Len() != records || each > most {
		t.Errorf("each of %d records takes %.1f bytes; want %d at most", m.Len(), each, most)
	}
}

func TestARestoreTakesNotMuchLongerThanTheWrites(t *testing.T) {
	const records = 200_000
	m, began := storage.NewMemory(time.Now), time.Now()
	for i := range records {
		mustPut(t, m, "code:"+strconv.Itoa(i), time.Hour)
	}
	writes, snapshot := time.Since(began), m.Snapshot()
	began = time.Now()
	m, err := storage.Restore(snapshot, time.Now)
	if err != nil || m.Len() != records {
		t.Fatalf("%d records, %v", m.Len(), err)
	}
	if took := time.Since(began); took > 5*writes {
		t.Errorf("the restore took %s, and the writes %s", took, writes)
	}
}

// Codes come, are spent, and expire, at a tenth of the rate of `make bench-million`.
func TestMemoryLevelsOffUnderSteadyRenewals(t *testing.T) {
	const renewals, rate, lifetime, most = 100_000, 160, 305 * time.Second, 70 // bytes of a live mark
	c := storagetest.NewClock()
	m, code := storage.NewMemory(c.Now), bytes.Repeat([]byte("c"), 500)
	before, middle := heap(), uint64(0)
	for i := range renewals {
		c.Pass(time.Second / rate)
		key := "code:" + strconv.Itoa(i)
		if err := m.Put(t.Context(), key, code, 5*time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := m.Update(t.Context(), key, lifetime, func([]byte) ([]byte, error) {
			return []byte(`{"spent":300}`), nil
		}); err != nil {
			t.Fatal(err)
		}
		if i == renewals/2 { // later than lifetime
			middle = heap() - before
		}
	}
	end, live := heap()-before, uint64(rate*lifetime/time.Second)
	t.Logf("%d bytes after the half, %d at the end, %d for each of %d marks", middle, end, end/live, live)
	if m.Len() == 0 || end > middle+middle/4 || end > most*live {
		t.Errorf("the memory does not level off at %d bytes for each mark", most)
	}
}

// heap is how much memory is in use after a collection.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestASnapshotHasWhatLives(t *testing.T) {
	c := storagetest.NewClock()
	m := storage.NewMemory(c.Now)
	for i := range 1000 {
		mustPut(t, m, "dead"+strconv.Itoa(i), time.Second)
		mustPut(t, m, "alive"+strconv.Itoa(i), time.Minute)
	}
	long := strings.Repeat("v", 1000)
	if err := m.Put(t.Context(), "long", []byte(long), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := m.Put(t.Context(), "empty", nil, time.Minute); err != nil {
		t.Fatal(err)
	}
	c.Pass(2 * time.Second)
	m, err := storage.Restore(m.Snapshot(), c.Now)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"alive0": "v", "alive999": "v", "long": long, "empty": ""} {
		if got, err := m.Get(t.Context(), key); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v; want %q", key, got, err, want)
		}
	}
	if m.Len() != 1002 {
		t.Errorf("%d records; want the 1002 live ones", m.Len())
	}
	c.Pass(time.Minute)
	if got := m.Snapshot(); got != nil {
		t.Errorf("after their ttl a snapshot has %d bytes; want none", len(got))
	}
}
