package limit

import (
	"container/list"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hush-idp/hush/oidc"
)

// kept is how many keys a Table remembers: 16 MB. Who wants to be forgotten early has to bring as many others.
const kept = 1 << 16

// Table counts events by key: each key has a bucket of tokens of its own. It may be used by many goroutines. A nil Table
// limits nothing.
type Table[K comparable] struct {
	perSecond rate.Limit
	atOnce    int
	what      string // "requests from this address"
	now       func() time.Time
	kept      int

	mu      sync.Mutex
	buckets map[K]*list.Element
	recent  *list.List // of *bucket[K], the one used last in front
}

type bucket[K comparable] struct {
	key    K
	tokens *rate.Limiter
}

// NewTable returns a table of buckets that r describes, judged by now; what says in the plural what is counted. For a Rate
// that is off it is nil.
func NewTable[K comparable](r Rate, what string, now func() time.Time) (*Table[K], error) {
	perSecond, atOnce, err := r.parse()
	if err != nil || r.isOff() {
		return nil, err
	}
	return &Table[K]{
		perSecond: perSecond, atOnce: atOnce, what: what, now: now, kept: kept,
		buckets: map[K]*list.Element{}, recent: list.New(),
	}, nil
}

// Take counts an event of key, or returns an *Exceeded and counts nothing. giveBack makes it not have happened.
func (t *Table[K]) Take(key K) (giveBack func(), err error) {
	if t == nil {
		return func() {}, nil
	}
	tokens, now := t.bucket(key), t.now()
	reserved := tokens.ReserveN(now, 1)
	if wait := reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
		return nil, t.exceeded(wait)
	}
	return func() { tokens.ReserveN(t.now(), -1) }, nil // a negative number is added, up to what fits
}

// Look returns an *Exceeded if Take would, and counts nothing.
func (t *Table[K]) Look(key K) error {
	if t == nil {
		return nil
	}
	missing := 1 - t.tokens(key)
	if missing <= 0 {
		return nil
	}
	return t.exceeded(time.Duration(missing / float64(t.perSecond) * float64(time.Second)))
}

// tokens are those that key has. Only Take begins a bucket: who merely asks is not remembered.
func (t *Table[K]) tokens(key K) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if found, ok := t.buckets[key]; ok {
		return found.Value.(*bucket[K]).tokens.TokensAt(t.now())
	}
	return float64(t.atOnce)
}

// Forget lets key begin anew.
func (t *Table[K]) Forget(key K) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if found, ok := t.buckets[key]; ok {
		t.recent.Remove(found)
		delete(t.buckets, key)
	}
}

// bucket is that of key, a full one for a key that is new.
func (t *Table[K]) bucket(key K) *rate.Limiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	if found, ok := t.buckets[key]; ok {
		t.recent.MoveToFront(found)
		return found.Value.(*bucket[K]).tokens
	}
	if len(t.buckets) >= t.kept {
		oldest := t.recent.Remove(t.recent.Back()).(*bucket[K])
		delete(t.buckets, oldest.key)
	}
	fresh := &bucket[K]{key: key, tokens: rate.NewLimiter(t.perSecond, t.atOnce)}
	t.buckets[key] = t.recent.PushFront(fresh)
	return fresh.tokens
}

func (t *Table[K]) exceeded(wait time.Duration) *Exceeded {
	return &Exceeded{Wait: wait, what: t.what}
}

// Exceeded is the error of something that happened too often. It unwraps to the *oidc.Error that a client is told; its
// HTTP status is 429.
type Exceeded struct {
	Wait time.Duration // until it may happen once more
	what string
}

// RetryAfter is the header of that name: whole seconds, one or more (RFC 9110 §10.2.3).
func (e *Exceeded) RetryAfter() int { return max(1, int(math.Ceil(e.Wait.Seconds()))) }

// Error implements error.
func (e *Exceeded) Error() string {
	return fmt.Sprintf("there were too many %s; try again in %s", e.what, inWords(e.RetryAfter()))
}

// inWords is a number of seconds as people say it.
func inWords(seconds int) string {
	switch {
	case seconds == 1:
		return "a second"
	case seconds < 120:
		return fmt.Sprintf("%d seconds", seconds)
	}
	return fmt.Sprintf("%d minutes", (seconds+59)/60)
}

// Unwrap returns what a client is told.
func (e *Exceeded) Unwrap() error {
	return oidc.TemporarilyUnavailable.Errorf("%s", e.Error()).Blame(oidc.RequestTooMany)
}
