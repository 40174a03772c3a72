package bolt

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// What stands in the file. The format is raised when an older program could not read what a newer one wrote.
const format = "1"

var (
	aboutBucket   = []byte("hush")    // formatKey -> format
	recordsBucket = []byte("records") // key -> moment of its expiry, value
	expiryBucket  = []byte("expiry")  // moment of its expiry, key -> nothing

	formatKey = []byte("format")
)

// A moment is a time as eight bytes that sort as times do. It counts microseconds, which reach further than any ttl.
const momentSize = 8

func moment(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())^1<<63)
}

// expiryOf rounds up: a record may be collected too late, and never too early.
func expiryOf(now time.Time, ttl time.Duration) []byte {
	return moment(now.Add(ttl).Add(time.Microsecond - 1))
}

// isDue tells whether what expires at the moment has expired now.
func isDue(expires []byte, now time.Time) bool { return bytes.Compare(expires, moment(now)) <= 0 }

// table is the two trees within one transaction. What it returns is valid as long as the transaction.
type table struct {
	records, expiry *bbolt.Bucket
}

func tableOf(tx *bbolt.Tx) *table {
	t := &table{records: tx.Bucket(recordsBucket), expiry: tx.Bucket(expiryBucket)}
	t.expiry.FillPercent = 0.9 // most records expire after the existing ones: pages fill from one side
	return t
}

// find returns what is stored under key, expired or not: nil, nil for nothing.
func (t *table) find(key []byte) (expires, value []byte) {
	stored := t.records.Get(key)
	if stored == nil {
		return nil, nil
	}
	return stored[:momentSize:momentSize], stored[momentSize:]
}

// live returns a copy of the value under key, nil for none, and when it expires.
func (t *table) live(key []byte, now time.Time) (expires, value []byte) {
	expires, value = t.find(key)
	if expires == nil || isDue(expires, now) {
		return nil, nil
	}
	return bytes.Clone(expires), append([]byte{}, value...) // never nil, which would be no record
}

// replace puts value in the place of whatever is under key; nil leaves nothing there.
func (t *table) replace(key, value, expires []byte) error {
	if err := t.remove(key); err != nil || value == nil {
		return err
	}
	if err := t.expiry.Put(join(expires, key), nil); err != nil {
		return err
	}
	return t.records.Put(key, join(expires, value))
}

func (t *table) remove(key []byte) error {
	expires, _ := t.find(key)
	if expires == nil {
		return nil
	}
	if err := t.expiry.Delete(join(expires, key)); err != nil {
		return err
	}
	return t.records.Delete(key)
}

// sweep removes at most so many expired records, and returns how many it removed.
func (t *table) sweep(now time.Time, most int) (int, error) {
	due, limit := [][]byte{}, moment(now)
	for c, k := t.first(); k != nil && len(due) < most && bytes.Compare(k[:momentSize], limit) <= 0; k, _ = c.Next() {
		due = append(due, bytes.Clone(k[momentSize:]))
	}
	for _, key := range due {
		if err := t.remove(key); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// first returns the entry of the record that expires first, nil for none.
func (t *table) first() (*bbolt.Cursor, []byte) {
	c := t.expiry.Cursor()
	k, _ := c.First()
	return c, k
}

func join(a, b []byte) []byte { return append(append(make([]byte, 0, len(a)+len(b)), a...), b...) }
