package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
)

// About the size of a session's record.
var sessionRecord = make([]byte, 600)

func key(i int64) string {
	return "session:" + strconv.FormatUint(uint64(i)*0x9E3779B97F4A7C15, 36) + "-as-long-as-a-hash-of-32-bytes"
}

// filled opens a store with n records, and tells its path.
func filled(b *testing.B, n int) (*bolt.Store, string) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "hush.db")
	s, err := bolt.Open(path, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	inParallel(500, func(worker int) {
		for i := worker; i < n; i += 500 {
			if err := s.Put(b.Context(), key(int64(i)), sessionRecord, time.Hour); err != nil {
				b.Error(err)
			}
		}
	})
	return s, path
}

// What a write costs, by the number of writers at work at once, among 100,000 records.
func BenchmarkWrite(b *testing.B) {
	s, _ := filled(b, 100_000)
	defer s.Close()
	for _, writers := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprintf("%d-writers", writers), func(b *testing.B) {
			b.SetParallelism((writers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			var next atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					err := s.Update(b.Context(), key(next.Add(1)%100_000), storage.KeepTTL, func(old []byte) ([]byte, error) {
						old[0]++
						return old, nil
					})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkGet(b *testing.B) {
	s, _ := filled(b, 100_000)
	defer s.Close()
	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Get(b.Context(), key(next.Add(1)%100_000)); err != nil {
				b.Error(err)
			}
		}
	})
}

// What 100,000 records cost on the disk and in memory, and how long the start takes.
func BenchmarkOpen(b *testing.B) {
	s, path := filled(b, 100_000)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	before := heap()
	var after uint64
	for b.Loop() {
		s, err := bolt.Open(path, time.Now)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		after = heap()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(info.Size())/100_000, "file-B/record")
	b.ReportMetric((float64(after)-float64(before))/100_000, "heap-B/record")
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
