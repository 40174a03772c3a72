package storage

import (
	"bytes"
	"container/heap"
	"context"
	"hash/maphash"
	"sync"
	"time"
)

const shardCount = 32 // so that parallel requests rarely wait for the same lock

// Memory is the engine for one process: a map in memory. Writes remove expired records; no other record is evicted.
type Memory struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [shardCount]shard
}

// NewMemory returns an empty engine that judges ttls by now.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{now: now, seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].records = map[string]*record{}
	}
	return m
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := m.shard(key)
	s.Lock()
	defer s.Unlock()
	r := s.records[key]
	if r == nil || !m.now().Before(r.expires) {
		return nil, ErrNotFound
	}
	return bytes.Clone(r.value), nil
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ttl <= 0 {
		return ErrBadTTL
	}
	s, now := m.shard(key), m.now()
	s.Lock()
	defer s.Unlock()
	s.sweep(now)
	return s.replace(key, append([]byte{}, value...), now.Add(ttl)) // never nil, which would remove
}

// Update implements Store. It calls change once, with the lock of the key's shard: change must not call the Memory.
func (m *Memory) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ttl < 0 {
		return ErrBadTTL
	}
	s, now := m.shard(key), m.now()
	s.Lock()
	defer s.Unlock()
	s.sweep(now)
	var old []byte        // nil without a record
	var expires time.Time // zero with KeepTTL and without a record
	if r := s.records[key]; r != nil {
		old, expires = bytes.Clone(r.value), r.expires
	}
	if ttl != KeepTTL {
		expires = now.Add(ttl)
	}
	value, err := change(old)
	if err != nil {
		return err
	}
	return s.replace(key, bytes.Clone(value), expires)
}

// Len returns the number of records, including expired records that are not removed yet.
func (m *Memory) Len() int {
	n := 0
	for i := range m.shards {
		m.shards[i].Lock()
		n += len(m.shards[i].records)
		m.shards[i].Unlock()
	}
	return n
}

func (m *Memory) shard(key string) *shard {
	return &m.shards[maphash.String(m.seed, key)%shardCount]
}

type record struct {
	key     string
	value   []byte
	expires time.Time
	index   int // its place in the heap
}

// shard is a part of the records under one lock, by key and in order of expiry.
type shard struct {
	sync.Mutex
	records map[string]*record
	expiry  expiryHeap
}

// replace replaces the record under key and keeps value; a nil value removes the record.
func (s *shard) replace(key string, value []byte, expires time.Time) error {
	if value != nil && expires.IsZero() {
		return ErrNoTTL
	}
	s.remove(key)
	if value == nil {
		return nil
	}
	r := &record{key: key, value: value, expires: expires}
	s.records[key] = r
	heap.Push(&s.expiry, r)
	return nil
}

func (s *shard) remove(key string) {
	if r, ok := s.records[key]; ok {
		heap.Remove(&s.expiry, r.index)
		delete(s.records, key)
	}
}

// sweep removes expired records: on average one for each write.
func (s *shard) sweep(now time.Time) {
	for len(s.expiry) > 0 && !now.Before(s.expiry[0].expires) {
		s.remove(s.expiry[0].key)
	}
}

// expiryHeap is a heap.Interface with the record that expires first on top.
type expiryHeap []*record

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *expiryHeap) Push(x any) {
	r := x.(*record)
	r.index = len(*h)
	*h = append(*h, r)
}

func (h *expiryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
