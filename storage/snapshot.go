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
	snapshot, now := m.salt[:], moment(m.now().UnixMicro())
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
	rest := snapshot[copy(m.salt[:], snapshot):]
	for len(rest) > 0 {
		if len(rest) < headSize || rest[0] >= shardCount {
			return nil, errSnapshot
		}
		s, d := &m.shards[rest[0]], digest(rest[1:headSize])
		expires, size := binary.BigEndian.Uint64(rest[1+digestSize:]), uint64(binary.BigEndian.Uint32(rest[headSize-4:]))
		if rest = rest[headSize:]; size > uint64(len(rest)) || d == (digest{}) {
			return nil, errSnapshot
		}
		s.replace(d, rest[:size], moment(expires), moment(now().UnixMicro()))
		rest = rest[size:]
	}
	return m, nil
}
