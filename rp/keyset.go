package rp

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
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

var (
	errNoKey = errors.New("no key of the provider verifies the signature")
	errNoKid = errors.New("the token names no kid, and the provider publishes several keys (Core section 10.1)")
)

// keySet caches the provider's public keys. (go-oidc has such a cache too. It asks the provider again for each bad signature, which
// logout tokens and access tokens of strangers could abuse, and tries all keys on a token that names none.)
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
// fresh, they are fetched again (Core §10.1.1: a rotated key is recognised by its unknown kid). The error is errNoKey,
// errNoKid, or an *oidc.Error when the provider cannot be asked.
func (k *keySet) verify(ctx context.Context, token *jwt.JSONWebToken) (json.RawMessage, error) {
	if claims := k.tryAll(token); claims != nil && k.fresh() {
		return claims, nil
	}
	err := k.refresh(ctx)
	if claims := k.tryAll(token); claims != nil { // by old keys, while the provider cannot be asked
		return claims, nil
	}
	switch {
	case err != nil:
		return nil, err
	case token.Headers[0].KeyID == "" && k.several():
		return nil, errNoKid
	}
	return nil, errNoKey
}

// VerifySignature implements go-oidc's KeySet. Which algorithms are good for the token has been checked before.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return nil, err
	}
	return k.verify(ctx, token)
}

// several tells whether a token must say which key signed it. Core §10.1: "If there are multiple keys in the referenced
// JWK Set document, a kid value MUST be provided in the JOSE Header".
func (k *keySet) several() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.keys) > 1
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
	if token.Headers[0].KeyID == "" && len(keys) > 1 {
		return nil
	}
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
		return k.provider.noKeys(err)
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
		if json.Unmarshal(raw, &key) == nil && key.IsPublic() && verifies(raw) && strong(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// verifies tells whether a key is published for signatures: RFC 7517 §4.2 (use), §4.3 (key_ops). One that says nothing is.
func verifies(raw json.RawMessage) bool {
	var key struct {
		Use    string   `json:"use"`
		KeyOps []string `json:"key_ops"`
	}
	return json.Unmarshal(raw, &key) == nil && (key.Use == "" || key.Use == "sig") &&
		(key.KeyOps == nil || slices.Contains(key.KeyOps, "verify"))
}

// strong: RFC 7518 §3.3, "A key of size 2048 bits or larger MUST be used with these algorithms". The curves of RFC 7518 §3.4 are all strong.
func strong(key jose.JSONWebKey) bool {
	public, isRSA := key.Key.(*rsa.PublicKey)
	return !isRSA || public.N.BitLen() >= 2048
}
