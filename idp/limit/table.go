package limit

import (
	"fmt"
	"math"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/hush-idp/hush/oidc"
)

// maxKeys is the maximum number of keys in a Table, which then uses about 16 MB.
const maxKeys = 1 << 16

// Table counts events by key: each key has a token bucket. It may be used by many goroutines. A nil Table limits
// nothing.
type Table[K comparable] struct {
	perSecond rate.Limit
	atOnce    int
	what      string // "requests from this address"
	now       func() time.Time
	buckets   *lru.Cache[K, *rate.Limiter]
}

// NewTable returns a table of buckets with rate r, or nil if r is off. what is the plural name of the counted events.
func NewTable[K comparable](r Rate, what string, now func() time.Time) (*Table[K], error) {
	perSecond, atOnce, err := r.parse()
	if err != nil || r.isOff() {
		return nil, err
	}
	buckets, err := lru.New[K, *rate.Limiter](maxKeys)
	return &Table[K]{perSecond: perSecond, atOnce: atOnce, what: what, now: now, buckets: buckets}, err
}

// Take counts an event of key, or returns an *Exceeded and counts nothing. giveBack reverts the count.
func (t *Table[K]) Take(key K) (giveBack func(), err error) {
	if t == nil {
		return func() {}, nil
	}
	tokens, now := t.bucket(key), t.now()
	reserved := tokens.ReserveN(now, 1)
	if wait := reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
		return nil, &Exceeded{Wait: wait, what: t.what}
	}
	return func() { tokens.ReserveN(t.now(), -1) }, nil // a negative number adds tokens, up to a full bucket
}

// Look returns an *Exceeded if Take would return one. It counts nothing and adds no bucket.
func (t *Table[K]) Look(key K) error {
	if t == nil {
		return nil
	}
	missing := 1 - float64(t.atOnce)
	if tokens, ok := t.buckets.Peek(key); ok {
		missing = 1 - tokens.TokensAt(t.now())
	}
	if missing <= 0 {
		return nil
	}
	wait := time.Duration(missing / float64(t.perSecond) * float64(time.Second))
	return &Exceeded{Wait: wait, what: t.what}
}

// Forget removes the bucket of key.
func (t *Table[K]) Forget(key K) {
	if t != nil {
		t.buckets.Remove(key)
	}
}

// bucket returns the token bucket of key; a new key starts with a full bucket.
func (t *Table[K]) bucket(key K) *rate.Limiter {
	if found, ok := t.buckets.Get(key); ok {
		return found
	}
	added := rate.NewLimiter(t.perSecond, t.atOnce)
	if found, ok, _ := t.buckets.PeekOrAdd(key, added); ok { // another goroutine added it meanwhile
		return found
	}
	return added
}

// Exceeded is the error of a request beyond a limit. It unwraps to the *oidc.Error for the client; its HTTP status is
// 429.
type Exceeded struct {
	Wait time.Duration // until the next event is allowed
	what string
}

// RetryAfter returns the value of the header Retry-After: whole seconds, at least 1 (RFC 9110 §10.2.3).
func (e *Exceeded) RetryAfter() int { return max(1, int(math.Ceil(e.Wait.Seconds()))) }

// Error implements error.
func (e *Exceeded) Error() string {
	return fmt.Sprintf("there were too many %s; try again in %s", e.what, inWords(e.RetryAfter()))
}

// inWords writes a number of seconds in words.
func inWords(seconds int) string {
	switch {
	case seconds == 1:
		return "a second"
	case seconds < 120:
		return fmt.Sprintf("%d seconds", seconds)
	}
	return fmt.Sprintf("%d minutes", (seconds+59)/60)
}

// Unwrap returns the error for the client.
func (e *Exceeded) Unwrap() error {
	return oidc.TemporarilyUnavailable.Errorf("%s", e.Error()).Blame(oidc.RequestTooMany)
}
