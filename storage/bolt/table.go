package bolt

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// format changes when older programs cannot read the file any more. In firstFormat all records were JSON: Open reads
// that, and writes the present format into the file.
const (
	format      = "2"
	firstFormat = "1"
)

var (
	aboutBucket   = []byte("hush")    // formatKey -> format
	recordsBucket = []byte("records") // key -> moment of its expiry, value
	expiryBucket  = []byte("expiry")  // moment of its expiry, key -> nothing

	formatKey = []byte("format")
)

// A moment is a time as eight bytes in the order of time. It counts microseconds.
const momentSize = 8

func moment(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())^1<<63)
}

// expiryOf rounds up: a record must not be removed too early.
func expiryOf(now time.Time, ttl time.Duration) []byte {
	return moment(now.Add(ttl).Add(time.Microsecond - 1))
}

// isDue reports whether a record that expires at the moment has expired.
func isDue(expires []byte, now time.Time) bool { return bytes.Compare(expires, moment(now)) <= 0 }

// table is the two trees in one transaction. Its results are valid during the transaction, unless they are copies.
type table struct {
	records, expiry *bbolt.Bucket
}

func tableOf(tx *bbolt.Tx) *table {
	t := &table{records: tx.Bucket(recordsBucket), expiry: tx.Bucket(expiryBucket)}
	t.expiry.FillPercent = 0.9 // most records expire after the existing ones: pages fill from one side
	return t
}

// find returns the record under key, expired or not, or nil, nil.
func (t *table) find(key []byte) (expires, value []byte) {
	stored := t.records.Get(key)
	if stored == nil {
		return nil, nil
	}
	return stored[:momentSize:momentSize], stored[momentSize:]
}

// live returns copies of the value under key and of its expiry, or nil, nil.
func (t *table) live(key []byte, now time.Time) (expires, value []byte) {
	expires, value = t.find(key)
	if expires == nil || isDue(expires, now) {
		return nil, nil
	}
	return bytes.Clone(expires), append([]byte{}, value...) // never nil, which would be no record
}

// replace replaces the record under key; a nil value removes it.
func (t *table) replace(key, value, expires []byte) error {
	if err := t.remove(key); err != nil || value == nil {
		return err
	}
	if err := t.expiry.Put(slices.Concat(expires, key), nil); err != nil {
		return err
	}
	return t.records.Put(key, slices.Concat(expires, value))
}

func (t *table) remove(key []byte) error {
	expires, _ := t.find(key)
	if expires == nil {
		return nil
	}
	if err := t.expiry.Delete(slices.Concat(expires, key)); err != nil {
		return err
	}
	return t.records.Delete(key)
}

// sweep removes at most this many expired records, and returns how many it removed.
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

// first returns the entry of the record with the earliest expiry, nil for none.
func (t *table) first() (*bbolt.Cursor, []byte) {
	c := t.expiry.Cursor()
	k, _ := c.First()
	return c, k
}
