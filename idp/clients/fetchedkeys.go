package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/oidc"
)

const (
	maxSets = 1000             // in the cache
	maxKeys = 100              // of one set
	fresh   = 5 * time.Minute  // how long a set is used without a fetch
	stale   = time.Hour        // how long a set is used if it cannot be fetched
	pause   = 10 * time.Second // after a fetch that failed

	// eager is the number of fetches that unknown kids may cause at once. Afterwards they may cause one in each pause.
	eager = 5
)

// Keys finds keys of clients. Its methods may be called by many goroutines at once.
type Keys struct {
	fetch *fetch.Client
	now   func() time.Time
	sets  *lru.Cache[string, *set] // by jwks_uri
}

// NewKeys returns the keys of clients. fetch fetches from jwks_uri.
func NewKeys(fetch *fetch.Client, now func() time.Time) *Keys {
	return &Keys{fetch: fetch, now: now, sets: newCache[*set](maxSets)}
}

// set is the key set of a jwks_uri.
type set struct {
	mutex    sync.Mutex // one fetch at a time; the others wait for its result
	keys     oidc.KeySet
	at       time.Time // when keys were fetched; zero: never
	failedAt time.Time
	failure  error
	unknown  *rate.Limiter // fetches because of an unknown kid
}

// set returns the cached set of a jwks_uri.
func (k *Keys) set(uri string) *set {
	if s, ok := k.sets.Get(uri); ok {
		return s
	}
	s := &set{unknown: rate.NewLimiter(rate.Every(pause), eager)}
	if before, ok, _ := k.sets.PeekOrAdd(uri, s); ok {
		return before // another request was first
	}
	return s
}

// remote returns the keys of a jwks_uri that choose takes.
func (k *Keys) remote(ctx context.Context, uri string, choose choose) ([]jose.JSONWebKey, error) {
	s := k.set(uri)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if k.now().Sub(s.at).Abs() >= fresh {
		if err := k.refresh(ctx, uri, s); err != nil && k.now().Sub(s.at).Abs() >= stale {
			return nil, err
		}
	}
	keys, err := choose(s.keys)
	if err == nil || !s.unknown.AllowN(k.now(), 1) {
		return keys, err
	}
	if err := k.refresh(ctx, uri, s); err != nil {
		return nil, err
	}
	return choose(s.keys)
}

// refresh fetches the set, unless a fetch failed a moment ago. After an error the set still has its old keys.
func (k *Keys) refresh(ctx context.Context, uri string, s *set) error {
	if s.failure != nil && k.now().Sub(s.failedAt).Abs() < pause {
		return s.failure
	}
	// Other requests wait for the result too, so it does not end with this one. The fetch has a timeout.
	text, err := k.fetch.Get(context.WithoutCancel(ctx), uri)
	if err != nil {
		err = errors.New(fetch.Why(err))
	} else {
		var keys oidc.KeySet
		if keys, err = parse(text); err == nil {
			s.keys, s.at, s.failure = keys, k.now(), nil
			return nil
		}
	}
	s.failedAt, s.failure = k.now(), fmt.Errorf("the client's jwks_uri gives no keys: %w", err)
	return s.failure
}

// parse reads a JWK Set.
func parse(text []byte) (set oidc.KeySet, err error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &raw); err != nil || raw.Keys == nil {
		return set, errors.New("it is no JWK Set (RFC 7517 section 5)")
	}
	if len(raw.Keys) > maxKeys {
		return set, fmt.Errorf("it holds %d keys; %d are the most", len(raw.Keys), maxKeys)
	}
	return set, set.UnmarshalJSON(text)
}
