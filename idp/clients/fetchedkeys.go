package clients

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"
)

const (
	maxSets = 1000             // fetched sets that are kept
	fresh   = 5 * time.Minute  // so long a set is used without a look
	stale   = time.Hour        // so long a set is used when it cannot be fetched
	pause   = 10 * time.Second // after a fetch that failed

	// An unknown kid may cause so many fetches at once, and then one in each pause.
	eager = 5
)

// set is what a jwks_uri gave.
type set struct {
	mutex    sync.Mutex // one fetch at a time; the others wait for its result
	keys     []jose.JSONWebKey
	at       time.Time // when they came; zero: never
	failedAt time.Time
	failure  error
	unknown  *rate.Limiter // fetches because of an unknown kid

	used time.Time // guarded by Keys.mutex
}

// remote finds the wanted key behind a jwks_uri.
func (k *Keys) remote(ctx context.Context, uri string, wanted wanted) (jose.JSONWebKey, error) {
	s := k.set(uri)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if k.now().Sub(s.at) >= fresh {
		if err := k.fetch(ctx, uri, s); err != nil && k.now().Sub(s.at) >= stale {
			return jose.JSONWebKey{}, err
		}
	}
	key, err := wanted.choose(s.keys)
	if err == nil || !s.unknown.AllowN(k.now(), 1) {
		return key, err
	}
	if err := k.fetch(ctx, uri, s); err != nil {
		return jose.JSONWebKey{}, err
	}
	return wanted.choose(s.keys)
}

// fetch brings the set up to date, unless that failed a moment ago.
func (k *Keys) fetch(ctx context.Context, uri string, s *set) error {
	if s.failure != nil && k.now().Sub(s.failedAt) < pause {
		return s.failure
	}
	text, err := k.get(context.WithoutCancel(ctx), uri) // others wait for it, too; get has a limit of its own
	why := ""
	if err != nil {
		why = k.why(err)
	} else if s.keys, err = keep(s.keys, text); err != nil {
		why = err.Error()
	}
	if err != nil {
		s.failedAt, s.failure = k.now(), fmt.Errorf("the client's jwks_uri gives no keys: %s", why)
		return s.failure
	}
	s.at, s.failure = k.now(), nil
	return nil
}

// keep is the set in text, or the keys from before if it is none.
func keep(before []jose.JSONWebKey, text []byte) ([]jose.JSONWebKey, error) {
	keys, err := parse(text)
	if err != nil {
		return before, err
	}
	return keys, nil
}

// set is the place of a jwks_uri in the cache.
func (k *Keys) set(uri string) *set {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	s := k.sets[uri]
	if s == nil {
		if len(k.sets) >= maxSets {
			delete(k.sets, k.leastUsed())
		}
		s = &set{unknown: rate.NewLimiter(rate.Every(pause), eager)}
		k.sets[uri] = s
	}
	s.used = k.now()
	return s
}

func (k *Keys) leastUsed() (oldest string) {
	for uri, s := range k.sets {
		if oldest == "" || s.used.Before(k.sets[oldest].used) {
			oldest = uri
		}
	}
	return oldest
}
