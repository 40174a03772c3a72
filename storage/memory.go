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

// Memory is the engine for one process: a map in memory, gone when the process ends. It is bounded by what is alive:
// records past their ttl are swept by the writes that follow, and a live record is never evicted to make room.
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
	r, ok := s.live(key, m.now())
	if !ok {
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

// Update implements Store. change runs once, under the lock of the key's shard: it must not call the Memory again.
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
	old, expires := s.forUpdate(key, now, ttl)
	value, err := change(old)
	if err != nil {
		return err
	}
	return s.replace(key, value, expires)
}

// Len returns the number of records held, expired ones that are not swept yet included.
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

// shard is a part of the records under one lock, findable by key and ordered by expiry.
type shard struct {
	sync.Mutex
	records map[string]*record
	expiry  expiryHeap
}

func (s *shard) live(key string, now time.Time) (*record, bool) {
	r, ok := s.records[key]
	return r, ok && now.Before(r.expires)
}

// forUpdate returns a copy of the live value under key, nil for none, and the time at which what replaces it will
// expire: zero when only KeepTTL is known and there is nothing to keep it from.
func (s *shard) forUpdate(key string, now time.Time, ttl time.Duration) (old []byte, expires time.Time) {
	s.sweep(now)
	r, ok := s.live(key, now)
	if ok {
		old, expires = bytes.Clone(r.value), r.expires
	}
	if ttl != KeepTTL {
		expires = now.Add(ttl)
	}
	return old, expires
}

// replace puts value in the place of whatever is under key; nil leaves nothing there.
func (s *shard) replace(key string, value []byte, expires time.Time) error {
	if value != nil && expires.IsZero() {
		return ErrNoTTL
	}
	s.remove(key)
	if value == nil {
		return nil
	}
	r := &record{key: key, value: bytes.Clone(value), expires: expires}
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

// sweep removes what has expired. Each record is swept once, so a write pays for about one other record.
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
