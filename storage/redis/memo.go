package redis

import (
	"sync"
	"time"
)

const (
	memoRecords = 4096
	memoBytes   = 4096 // a larger value is not noted
)

// memo notes what this process put under a key, for the Update that follows soon: a code is mostly redeemed where it was
// issued, a moment later. What it tells is a guess, told once and not after the record's ttl; the oldest note makes room for
// the newest.
type memo struct {
	mutex sync.Mutex
	notes map[string]note
	keys  []string // a ring, oldest at next
	next  int
}

type note struct {
	value string
	until time.Time
}

func newMemo() *memo {
	return &memo{notes: map[string]note{}, keys: make([]string, memoRecords)}
}

func (m *memo) note(key, value string, ttl time.Duration) {
	if len(value) > memoBytes {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if _, noted := m.notes[key]; !noted {
		delete(m.notes, m.keys[m.next])
		m.keys[m.next], m.next = key, (m.next+1)%len(m.keys)
	}
	m.notes[key] = note{value, time.Now().Add(ttl)}
}

func (m *memo) take(key string) (value string, known bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	n, known := m.notes[key]
	delete(m.notes, key)
	return n.value, known && time.Now().Before(n.until)
}
