package rp

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/sync/singleflight"
)

// A token of a stranger that no key verifies makes us ask the provider for its keys. It may do so this often only, so
// that garbage sent to the API does not become a flood at the provider.
const (
	fetchWindow = 10 * time.Second
	maxFetches  = 5 // in one window
)

// freshFor is how long keys are used before they are fetched again: a key that the provider withdrew is trusted no longer.
const freshFor = 5 * time.Minute

var errNoKey = errors.New("no key of the provider verifies the signature")

// keySet caches the provider's public keys. (go-oidc has such a cache too, for ID Tokens; it asks the provider again for
// each bad signature, which is no danger there, as those tokens come from the provider itself.)
type keySet struct {
	provider *provider
	now      func() time.Time
	fetch    singleflight.Group

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // when
	window  time.Time // the beginning of the current fetchWindow
	fetches int       // that succeeded in it
}

func newKeySet(p *provider, now func() time.Time) *keySet { return &keySet{provider: p, now: now} }

// verify checks the token's signature and returns its claims, a JSON object. When no known key fits, or the keys are not
// fresh, they are fetched again (Core §10.1.1: a rotated key is recognised by its unknown kid). The error is errNoKey, or an *oidc.Error when the
// provider cannot be asked.
func (k *keySet) verify(ctx context.Context, token *jwt.JSONWebToken) (json.RawMessage, error) {
	if claims := k.tryAll(token); claims != nil && k.fresh() {
		return claims, nil
	}
	err := k.refresh(ctx)
	if claims := k.tryAll(token); claims != nil { // by old keys, while the provider cannot be asked
		return claims, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, errNoKey
}

func (k *keySet) fresh() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now().Sub(k.fetched) < freshFor
}

func (k *keySet) tryAll(token *jwt.JSONWebToken) (claims json.RawMessage) {
	k.mu.Lock()
	keys := k.keys
	k.mu.Unlock()
	for _, key := range keys {
		if fits(key, token.Headers[0]) && token.Claims(key.Key, &claims) == nil {
			return claims
		}
	}
	return nil
}

// fits: RFC 7515 §4.1.4 for kid; RFC 8725 §3.1, a key serves the algorithm that it names and no other.
func fits(key jose.JSONWebKey, header jose.Header) bool {
	return (header.KeyID == "" || key.KeyID == header.KeyID) && (key.Algorithm == "" || key.Algorithm == header.Algorithm)
}

// refresh fetches the keys, once for all callers that wait at the same time.
func (k *keySet) refresh(ctx context.Context) error {
	shared := context.WithoutCancel(ctx)
	result := k.fetch.DoChan("", func() (any, error) { return nil, k.fetchNow(shared) })
	select {
	case <-ctx.Done():
		return k.provider.down(ctx.Err())
	case r := <-result:
		return r.Err
	}
}

func (k *keySet) fetchNow(ctx context.Context) error {
	if !k.mayFetch() {
		return nil // the keys we have are at most fetchWindow old
	}
	d, err := k.provider.discover(ctx)
	if err != nil {
		return err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.provider.getJSON(ctx, d.metadata.JWKSURI, &set); err != nil {
		return k.provider.down(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.fetched = publicKeys(set.Keys), k.now()
	k.fetches++
	return nil
}

func (k *keySet) mayFetch() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.now(); now.Sub(k.window) >= fetchWindow {
		k.window, k.fetches = now, 0
	}
	return k.fetches < maxFetches
}

// publicKeys reads the signing keys of a set. RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that use
// "kty" (key type) values that are not understood by them".
func publicKeys(set []json.RawMessage) []jose.JSONWebKey {
	var keys []jose.JSONWebKey
	for _, raw := range set {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && key.IsPublic() && key.Use != "enc" {
			keys = append(keys, key)
		}
	}
	return keys
}
