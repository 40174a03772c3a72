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

const (
	// A token that no key verifies makes the key set ask the provider for its keys. At most maxFetches such requests are
	// made in one fetchWindow, so that bad tokens sent to an API do not flood the provider.
	fetchWindow = 10 * time.Second
	maxFetches  = 5
	// Keys are fetched again after freshFor, so that a key that the provider withdrew is not trusted any longer.
	freshFor = 5 * time.Minute
)

var (
	errNoKey = errors.New("no key of the provider verifies the signature")
	errNoKid = errors.New("the token names no kid, and the provider publishes several keys (Core section 10.1)")
)

// keySet caches the provider's public keys. go-oidc's cache asks the provider again for each bad signature, which
// anybody could abuse by sending bad logout tokens or access tokens, and it tries all keys on a token without kid.
type keySet struct {
	provider *provider
	now      func() time.Time
	fetching singleflight.Group

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // of keys
	window  time.Time // the beginning of the current fetchWindow
	fetches int       // successful ones in the window
}

func newKeySet(p *provider, now func() time.Time) *keySet { return &keySet{provider: p, now: now} }

// verify checks the token's signature and returns its claims, a JSON object. When no cached key fits, or the cache is
// not fresh, it fetches the keys (Core §10.1.1: the kid of a rotated key is unknown at first). While the provider
// cannot be asked, old keys still verify. The error is errNoKey, errNoKid, or an *oidc.Error when the provider cannot
// be asked.
func (k *keySet) verify(ctx context.Context, token *jwt.JSONWebToken) (json.RawMessage, error) {
	claims, fresh, err := k.verifyCached(token)
	if err == nil && fresh {
		return claims, nil
	}
	_, down := shareCall(ctx, k.provider, &k.fetching, "", k.fetch)
	if claims, _, err = k.verifyCached(token); err != nil && down != nil {
		return nil, down
	}
	return claims, err
}

// verifyCached tries the cached keys. Core §10.1: "If there are multiple keys in the referenced JWK Set document, a kid
// value MUST be provided in the JOSE Header".
func (k *keySet) verifyCached(token *jwt.JSONWebToken) (claims json.RawMessage, fresh bool, err error) {
	k.mu.Lock()
	keys, fresh := k.keys, k.now().Sub(k.fetched) < freshFor
	k.mu.Unlock()
	header := token.Headers[0]
	if header.KeyID == "" && len(keys) > 1 {
		return nil, fresh, errNoKid
	}
	for _, key := range keys {
		// RFC 7515 §4.1.4 for kid; RFC 8725 §3.1: a key serves the algorithm that it names and no other.
		fits := (header.KeyID == "" || key.KeyID == header.KeyID) &&
			(key.Algorithm == "" || key.Algorithm == header.Algorithm)
		if fits && token.Claims(key.Key, &claims) == nil {
			return claims, fresh, nil
		}
	}
	return nil, fresh, errNoKey
}

// fetch replaces the cached keys, unless the window has had maxFetches requests.
func (k *keySet) fetch(ctx context.Context) (struct{}, error) {
	k.mu.Lock()
	if now := k.now(); now.Sub(k.window) >= fetchWindow {
		k.window, k.fetches = now, 0
	}
	exhausted := k.fetches >= maxFetches
	k.mu.Unlock()
	if exhausted {
		return struct{}{}, nil // the cached keys are at most fetchWindow old
	}
	keys, err := k.provider.fetchKeys(ctx)
	if err != nil {
		return struct{}{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.fetched = publicKeys(keys), k.now()
	k.fetches++
	return struct{}{}, nil
}

// publicKeys reads the signing keys of a set. RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that
// use "kty" (key type) values that are not understood by them". §4.2, §4.3: use and key_ops are optional.
func publicKeys(set []json.RawMessage) (keys []jose.JSONWebKey) {
	for _, raw := range set {
		var key jose.JSONWebKey
		var purpose struct {
			Use    string   `json:"use"`
			KeyOps []string `json:"key_ops"`
		}
		if json.Unmarshal(raw, &key) != nil || json.Unmarshal(raw, &purpose) != nil || !key.IsPublic() {
			continue
		}
		verifies := (purpose.Use == "" || purpose.Use == "sig") &&
			(purpose.KeyOps == nil || slices.Contains(purpose.KeyOps, "verify"))
		rsaKey, isRSA := key.Key.(*rsa.PublicKey)
		strong := !isRSA || rsaKey.N.BitLen() >= 2048 // RFC 7518 §3.3
		if verifies && strong {
			keys = append(keys, key)
		}
	}
	return keys
}
