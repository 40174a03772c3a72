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
	maxSets = 1000             // in the cache
	fresh   = 5 * time.Minute  // a set is used without a fetch for so long
	stale   = time.Hour        // a set is used for so long if it cannot be fetched
	pause   = 10 * time.Second // after a fetch that failed

	// eager is how many fetches unknown kids may cause at once; then they may cause one in each pause.
	eager = 5
)

// set is the key set of a jwks_uri.
type set struct {
	mutex    sync.Mutex // one fetch at a time; the others wait for its result
	keys     []jose.JSONWebKey
	at       time.Time // when keys were fetched; zero: never
	failedAt time.Time
	failure  error
	unknown  *rate.Limiter // fetches because of an unknown kid

	used time.Time // guarded by Keys.mutex
}

// remote returns the wanted key of a jwks_uri.
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

// fetch fetches the set, unless that failed a moment ago.
func (k *Keys) fetch(ctx context.Context, uri string, s *set) error {
	if s.failure != nil && k.now().Sub(s.failedAt) < pause {
		return s.failure
	}
	text, err := k.get(context.WithoutCancel(ctx), uri) // other requests wait for it too; get has its own timeout
	why := ""
	if err != nil {
		why = k.why(err)
	} else if s.keys, err = parseOr(s.keys, text); err != nil {
		why = err.Error()
	}
	if err != nil {
		s.failedAt, s.failure = k.now(), fmt.Errorf("the client's jwks_uri gives no keys: %s", why)
		return s.failure
	}
	s.at, s.failure = k.now(), nil
	return nil
}

// parseOr returns the key set in text, or the keys from before if text is no key set.
func parseOr(before []jose.JSONWebKey, text []byte) ([]jose.JSONWebKey, error) {
	keys, err := parse(text)
	if err != nil {
		return before, err
	}
	return keys, nil
}

// set returns the cached set of a jwks_uri.
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
