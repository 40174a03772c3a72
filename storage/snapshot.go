package storage

import (
	"encoding/binary"
	"errors"
	"time"
)

var errSnapshot = errors.New("storage: the snapshot of a Memory is damaged")

// headSize is the size of a record in a snapshot without its value: shard, digest, time of expiry, size of the value.
const headSize = 1 + digestSize + 8 + 4

// Snapshot returns the live records as bytes for Restore, or nil if there are none. It may contain a write that happens
// at the same time, or not.
func (m *Memory) Snapshot() []byte {
	now := moment(m.now().UnixMicro())
	snapshot := append(make([]byte, 0, m.Len()*(headSize+shortSize)), m.salt[:]...)
	for i := range m.shards {
		s := &m.shards[i]
		s.Lock()
		for _, r := range s.short.slots {
			if now < r.expires {
				snapshot = appendRecord(snapshot, i, r.digest, r.expires, r.value.text[:r.value.size])
			}
		}
		for _, r := range s.long.slots {
			if now < r.expires {
				snapshot = appendRecord(snapshot, i, r.digest, r.expires, r.value)
			}
		}
		s.Unlock()
	}
	if len(snapshot) == digestSize {
		return nil
	}
	return snapshot
}

func appendRecord(snapshot []byte, shard int, d digest, expires moment, value []byte) []byte {
	snapshot = append(append(snapshot, byte(shard)), d[:]...)
	snapshot = binary.BigEndian.AppendUint64(snapshot, uint64(expires))
	return append(binary.BigEndian.AppendUint32(snapshot, uint32(len(value))), value...)
}

// Restore returns an engine with the records of the snapshot, which judges ttls by now. From nil it makes an empty one.
// It fails if the snapshot is damaged.
func Restore(snapshot []byte, now func() time.Time) (*Memory, error) {
	m := NewMemory(now)
	if snapshot == nil {
		return m, nil
	}
	if len(snapshot) < digestSize {
		return nil, errSnapshot
	}
	records := snapshot[copy(m.salt[:], snapshot):]
	// The records come in the order of their slots. In a table that grows meanwhile they would all be at its beginning,
	// and each search would pass most of them.
	var shorts, longs [shardCount]int
	err := eachRecord(records, func(shard int, _ digest, _ moment, value []byte) {
		if len(value) > shortSize {
			longs[shard]++
		} else {
			shorts[shard]++
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range m.shards {
		m.shards[i].short.slots = make([]slot[short], slotsFor(shorts[i]))
		m.shards[i].long.slots = make([]slot[[]byte], slotsFor(longs[i]))
	}
	return m, eachRecord(records, func(shard int, d digest, expires moment, value []byte) {
		m.shards[shard].replace(d, value, expires, moment(now().UnixMicro()))
	})
}

// eachRecord calls do with each record of a snapshot after its salt.
func eachRecord(records []byte, do func(shard int, d digest, expires moment, value []byte)) error {
	for len(records) > 0 {
		if len(records) < headSize || records[0] >= shardCount {
			return errSnapshot
		}
		head, rest := records[:headSize], records[headSize:]
		d, expires := digest(head[1:]), moment(binary.BigEndian.Uint64(head[1+digestSize:]))
		size := uint64(binary.BigEndian.Uint32(head[headSize-4:]))
		if size > uint64(len(rest)) || d == (digest{}) {
			return errSnapshot
		}
		do(int(head[0]), d, expires, rest[:size])
		records = rest[size:]
	}
	return nil
}
