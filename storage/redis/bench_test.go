package redis_test

import (
	"bytes"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

// What an operation costs, one at a time and many at once: go test -bench . ./storage/redis
func BenchmarkOperations(b *testing.B) {
	store := open(b, redistest.Start(b).URL)
	value := bytes.Repeat([]byte("v"), 500)
	for i := range 1000 {
		put(b, store, "session:"+strconv.Itoa(i), string(value))
		put(b, store, "code:"+strconv.Itoa(i), string(value))
	}
	var fresh atomic.Int64
	for _, row := range []struct {
		name string
		do   func(i int) error
	}{
		{"Get of a cached session", func(i int) error {
			_, err := store.Get(b.Context(),
				"session:"+strconv.Itoa(i%1000))
			return err
		}},
		{"Get", func(i int) error { _, err := store.Get(b.Context(), "code:"+strconv.Itoa(i%1000)); return err }},
		{"Put", func(i int) error { return store.Put(b.Context(), "code:"+strconv.Itoa(i%1000), value, time.Minute) }},
		{"Put of a session", func(i int) error {
			return store.Put(b.Context(), "session:"+strconv.Itoa(i%1000), value,
				time.Minute)
		}},
		{"Put and Update", func(int) error {
			key := "mark:" + strconv.FormatInt(fresh.Add(1), 10)
			if err := store.Put(b.Context(), key, value, time.Minute); err != nil {
				return err
			}
			return store.Update(b.Context(), key, storage.KeepTTL, func([]byte) ([]byte, error) { return []byte("spent"), nil })
		}},
		{"Update that reads first", func(i int) error {
			return store.Update(b.Context(), "code:"+strconv.Itoa(i%1000), storage.KeepTTL, func(old []byte) ([]byte,
				error) {
				return old, nil
			})
		}},
	} {
		b.Run(row.name+", one at a time", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := row.do(i); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(row.name+", many at once", func(b *testing.B) {
			b.SetParallelism(32)
			var next atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := row.do(int(next.Add(1))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
