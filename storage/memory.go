package storage

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"
	"time"
)

const (
	shardCount = 32 // so that parallel requests rarely wait for the same lock
	digestSize = 16
	shortSize  = 15 // bytes
	leastSlots = 8
	sweepAfter = moment(time.Minute / time.Microsecond) // after this time a write removes expired records, full or not
)

// Memory is the engine for one process: tables in memory. Writes remove expired records; no other record is evicted.
type Memory struct {
	now    func() time.Time
	salt   [digestSize]byte // so that nobody can choose keys whose digests are alike
	shards [shardCount]shard
}

// shard is a part of the records, under one lock. A live record is in one of the two tables.
type shard struct {
	sync.Mutex
	long table[[]byte]
	// short has the values of few bytes. Most are the marks of spent codes, hundreds of thousands of them under load. So
	// a record there takes about 55 bytes and has no pointer, and the garbage collector does not have to read the table.
	short table[short]
}

// short is a value of shortSize bytes or less.
type short struct {
	size uint8
	text [shortSize]byte
}

// NewMemory returns an empty engine that judges ttls by now.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{now: now}
	_, _ = rand.Read(m.salt[:]) // never fails (Go 1.24)
	for i := range m.shards {
		m.shards[i].long.slots = make([]slot[[]byte], slotsFor(0))
		m.shards[i].short.slots = make([]slot[short], slotsFor(0))
	}
	return m
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, d := m.place(key)
	s.Lock()
	defer s.Unlock()
	value, _ := s.find(d, moment(m.now().UnixMicro()))
	if value == nil {
		return nil, ErrNotFound
	}
	return bytes.Clone(value), nil
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 {
		return ErrBadTTL
	}
	if value == nil {
		value = []byte{} // nil would remove the record
	}
	return m.Update(ctx, key, ttl, func([]byte) ([]byte, error) { return value, nil })
}

// Update implements Store. It calls change once, with the lock of the key's shard: change must not call the Memory.
func (m *Memory) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ttl < 0 {
		return ErrBadTTL
	}
	now := moment(m.now().UnixMicro())
	s, d := m.place(key)
	s.Lock()
	defer s.Unlock()
	old, expires := s.find(d, now)
	if ttl != KeepTTL {
		expires = now + moment((ttl+time.Microsecond-1)/time.Microsecond) // rounded up
	}
	value, err := change(old)
	if err == nil && value != nil && old == nil && ttl == KeepTTL {
		err = ErrNoTTL
	}
	if err == nil {
		s.replace(d, value, expires, now)
	}
	return err
}

// Len returns the number of records, including expired and removed records that still occupy a slot.
func (m *Memory) Len() int {
	n := 0
	for i := range m.shards {
		m.shards[i].Lock()
		n += m.shards[i].long.taken + m.shards[i].short.taken
		m.shards[i].Unlock()
	}
	return n
}

// place returns the shard of the key, and its digest there: half of the SHA-256 of salt and key. It is infeasible to
// find another key with the same digest.
func (m *Memory) place(key string) (*shard, digest) {
	var text [128]byte // on the stack: usual keys fit
	sum := sha256.Sum256(append(append(text[:0], m.salt[:]...), key...))
	return &m.shards[sum[digestSize]%shardCount], digest(sum[:digestSize])
}

// find returns the value of a live record and its time of expiry, or nil. The value is valid until the record changes.
func (s *shard) find(d digest, now moment) (value []byte, expires moment) {
	if r := s.short.at(d); now < r.expires {
		return r.value.text[:r.value.size:r.value.size], r.expires
	}
	if r := s.long.at(d); now < r.expires {
		return r.value, r.expires
	}
	return nil, 0
}

// replace replaces the record by one with a copy of value; a nil value removes it.
func (s *shard) replace(d digest, value []byte, expires, now moment) {
	inShort, inLong := slot[short]{digest: d}, slot[[]byte]{digest: d}
	switch {
	case value == nil:
	case len(value) > shortSize:
		inLong.expires, inLong.value = expires, bytes.Clone(value)
	default:
		inShort.expires, inShort.value.size = expires, uint8(len(value))
		copy(inShort.value.text[:], value)
	}
	s.short.put(inShort, now)
	s.long.put(inLong, now)
}

// digest identifies a key; see Memory.place. No key has the zero digest.
type digest [digestSize]byte

// moment is a time in microseconds since 1970. 0 is before every time. The number is unsigned, so a time before 1970
// counts as later than all others: the clock must not go from before 1970 to after it.
type moment uint64

// table is a hash table: one slice with linear probing. While records are added as fast as others expire, it has 1.33
// to 1.5 times as many slots as live records. A Go map has up to 2.3 times as many, depending on their number.
type table[V any] struct {
	slots   []slot[V]
	taken   int    // slots that are not free
	sweepAt moment // the next sweep if it does not become full before; 0: it never was full
}

// slot has a record, or it is free and has the zero digest. The record is live until expires. The slot of a removed
// record is not free, because the search for another record may pass it.
type slot[V any] struct {
	digest  digest
	expires moment
	value   V
}

// at returns the slot of the digest, or the free slot for it.
func (t *table[V]) at(d digest) *slot[V] {
	size := uint64(len(t.slots))
	i, _ := bits.Mul64(binary.LittleEndian.Uint64(d[:]), size) // from 0 to size-1, each equally often
	for t.slots[i].digest != d && t.slots[i].digest != (digest{}) {
		i = (i + 1) % size
	}
	return &t.slots[i]
}

// put writes r in place of the record with its digest; r without a time of expiry removes that record. At least one
// slot stays free.
func (t *table[V]) put(r slot[V], now moment) {
	s := t.at(r.digest)
	if isNew := s.digest != r.digest; isNew {
		if r.expires == 0 {
			return
		}
		if 8*t.taken >= 7*len(t.slots) || t.sweepAt > 0 && now >= t.sweepAt {
			t.sweep(now)
			s = t.at(r.digest)
		}
		t.taken++
	}
	*s = r
}

// slotsFor is how many slots a table with so many records gets when it is made.
func slotsFor(records int) int { return leastSlots + records*4/3 }

// sweep moves the live records to a new slice, and makes a third as many free slots. So a write moves about six records
// on average.
func (t *table[V]) sweep(now moment) {
	old, live := t.slots, 0
	for i := range old {
		if now < old[i].expires {
			live++
		}
	}
	t.slots, t.taken, t.sweepAt = make([]slot[V], slotsFor(live)), live, now+sweepAfter
	for i := range old {
		if now < old[i].expires {
			*t.at(old[i].digest) = old[i]
		}
	}
}
