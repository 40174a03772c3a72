package keys

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// maxPublished is the maximum number of shared keys of one alg. Each stays until the last token that it signed has
// expired, so this limits the number of rotations in that time.
const maxPublished = 16

// Stored is the one record that holds all shared keys.
type Stored struct {
	Keys      []StoredKey `json:"keys"` // the newest first
	RotatedAt time.Time   `json:"rotated_at,omitzero"`
}

// StoredKey is a key and the times of its life.
type StoredKey struct {
	KeyID     string                  `json:"kid"`
	Alg       jose.SignatureAlgorithm `json:"alg"`
	PKCS8     []byte                  `json:"pkcs8"` // encrypted, see Seal
	CreatedAt time.Time               `json:"created_at"`
	SignsAt   time.Time               `json:"signs_at"`
	RetireAt  time.Time               `json:"retire_at,omitzero"` // zero until the key is replaced
}

// retired tells whether no valid token is signed by the key any more.
func (k StoredKey) retired(now time.Time) bool {
	return !k.RetireAt.IsZero() && !now.Before(k.RetireAt)
}

// label binds the encrypted private half to the kid and the alg.
func (k StoredKey) label() string { return string(k.Alg) + " " + k.KeyID }

// signing returns the key that signs by alg: the newest key whose SignsAt has passed, or else the oldest key. In that
// case the oldest is the first key of its alg, and a process whose clock is ahead made it.
func (s Stored) signing(alg jose.SignatureAlgorithm, now time.Time) (signing StoredKey, ok bool) {
	for _, k := range s.Keys {
		if k.Alg != alg || k.retired(now) {
			continue
		}
		signing, ok = k, true
		if !now.Before(k.SignsAt) {
			break
		}
	}
	return signing, ok
}

// missing lists the algs that have no key, or only replaced keys. A nil record has no keys.
func (s *Stored) missing(algs []jose.SignatureAlgorithm) []jose.SignatureAlgorithm {
	return slices.DeleteFunc(slices.Clone(algs), func(alg jose.SignatureAlgorithm) bool {
		return s != nil && slices.ContainsFunc(s.Keys, func(k StoredKey) bool { return k.Alg == alg && k.RetireAt.IsZero() })
	})
}

// with returns s with the minted keys whose alg is missing in s. They sign at once, because no other key signs.
func (s Stored) with(minted []StoredKey) Stored {
	for _, k := range minted {
		if len(s.missing([]jose.SignatureAlgorithm{k.Alg})) > 0 {
			s.Keys = append([]StoredKey{k}, s.Keys...)
		}
	}
	return s
}

// rotated returns s with the minted keys first, which sign from signsAt on. All other keys retire at retireAt, also
// keys of algs that are no longer configured. Keys that are retired now are dropped; the others are sealed with the
// first secret.
func (s Stored) rotated(minted []StoredKey, seal Seal, now, signsAt, retireAt time.Time) (Stored, error) {
	next := Stored{RotatedAt: now}
	for _, k := range minted {
		k.SignsAt = signsAt
		next.Keys = append(next.Keys, k)
	}
	for _, k := range s.Keys {
		if k.retired(now) {
			continue
		}
		if k.RetireAt.IsZero() {
			k.RetireAt = retireAt
		}
		text, err := seal.Open(k.PKCS8, k.label())
		if err != nil {
			return s, unusable(k, err)
		}
		k.PKCS8 = seal.Close(text, k.label())
		next.Keys = append(next.Keys, k)
	}
	return next, nil
}

// crowded returns an error if there are too many keys of one alg.
func (s Stored) crowded() error {
	count, first := map[jose.SignatureAlgorithm]int{}, time.Time{}
	for _, k := range s.Keys {
		count[k.Alg]++
		if !k.RetireAt.IsZero() && (first.IsZero() || k.RetireAt.Before(first)) {
			first = k.RetireAt
		}
	}
	for alg, n := range count {
		if n > maxPublished {
			return oidc.InvalidRequest.Errorf("%d %s keys are published already, as tokens signed by them may be in use: "+
				"rotate again after %s, when the first of them retires", n-1, alg, first.Format(time.RFC3339))
		}
	}
	return nil
}

// isDue tells whether the time since the last rotation is every or more. Before the first rotation it counts from the
// oldest key.
func (s Stored) isDue(now time.Time, every time.Duration) bool {
	last := s.RotatedAt
	for _, k := range s.Keys {
		if s.RotatedAt.IsZero() && (last.IsZero() || k.CreatedAt.Before(last)) {
			last = k.CreatedAt
		}
	}
	return !last.IsZero() && now.Sub(last) >= every
}

// mint makes a key for the store.
func (s Seal) mint(alg jose.SignatureAlgorithm, now time.Time) (StoredKey, error) {
	made, err := newKey(Spec{Alg: alg})
	if err != nil {
		return StoredKey{}, err
	}
	text, err := x509.MarshalPKCS8PrivateKey(made.private)
	if err != nil {
		return StoredKey{}, err
	}
	k := StoredKey{KeyID: made.public.KeyID, Alg: alg, CreatedAt: now, SignsAt: now}
	k.PKCS8 = s.Close(text, k.label())
	return k, nil
}

// key makes a stored key ready to sign.
func (s Seal) key(k StoredKey) (*key, error) {
	text, err := s.Open(k.PKCS8, k.label())
	if err != nil {
		return nil, unusable(k, err)
	}
	private, err := parse(text)
	if err != nil {
		return nil, unusable(k, err)
	}
	if err := fits(private, k.Alg); err != nil {
		return nil, unusable(k, err)
	}
	return ready(k.Alg, private)
}

func unusable(k StoredKey, err error) error {
	return fmt.Errorf("keys: the %s signing key %s in the store cannot be used: %w", k.Alg, k.KeyID, err)
}
