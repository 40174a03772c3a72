package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// DefaultPropagation is enough for rings whose clocks agree to within some seconds. A client fetches the key set again when it
// sees an unknown kid (Core §10.1.1), so no cache on its way to the jwks_uri should keep the set for longer.
const DefaultPropagation = 10 * time.Second

// answerWithin is how long the store may take for one operation.
const answerWithin = 2 * time.Second

// The record: its key in the bucket, and its ttl, which each change renews. It is not to expire.
const (
	recordKey = "ring"
	kept      = 10 * 365 * 24 * time.Hour
)

// Sharing says how rings on one record behave as one. All of them have the same.
type Sharing struct {
	Records storage.Bucket[Stored]
	Seal    Seal
	Now     func() time.Time

	// Propagation is the time from the moment a new key is published to the moment it signs: DefaultPropagation, or 0 where
	// there is only one ring.
	Propagation time.Duration
	// Lifetime is how long a token must be recognised after it was signed: that of the longest-lived token, or longer where
	// expired ones come back as id_token_hint. 0: oidc.DefaultTokenLifetime. A replaced key stays published so long, and
	// Propagation more, after its successor began to sign.
	Lifetime time.Duration
	// RotateEvery is how long after a rotation the next one comes by itself, with whoever needs a key first after that. 0: none
	// does.
	RotateEvery time.Duration
	// Together is the time within which rotations are one. 0: Propagation.
	Together time.Duration
}

// shared is a ring's share of the record: the last view of it, and the look that brings the next.
type shared struct {
	Sharing
	algs []jose.SignatureAlgorithm
	view atomic.Pointer[view] // nil before the first look

	record sync.Mutex // one look or change at a time, so that no older view comes after a newer one

	mutex    sync.Mutex
	looking  *look     // nil: nobody looks
	failure  error     // of the last look; nil: it saw the keys
	failedAt time.Time // when it ended
	againAt  time.Time // the last look because of an unknown kid
	triedAt  time.Time // the last rotation that was due
}

func share(algs []jose.SignatureAlgorithm, sharing Sharing) (*shared, error) {
	if len(sharing.Seal.secrets) == 0 {
		_, err := NewSeal(nil)
		return nil, err
	}
	sharing.Lifetime = cmp.Or(sharing.Lifetime, oidc.DefaultTokenLifetime)
	sharing.Together = cmp.Or(sharing.Together, sharing.Propagation)
	s := &shared{Sharing: sharing, algs: algs}
	s.look()
	return s, nil
}

// now is the time as it can be stored: without the machine's count of time since it started, which means nothing elsewhere.
func (s *shared) now() time.Time { return s.Now().UTC().Round(0) }

// load brings the view up to date. Keys that are not there are made.
func (s *shared) load() error {
	s.record.Lock()
	defer s.record.Unlock()
	at := s.now()
	stored, err := s.read()
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("keys: the signing keys cannot be read from the store: %w", err)
	}
	if missing := stored.missing(s.algs); len(missing) > 0 {
		if stored, err = s.create(missing, at); err != nil {
			return err
		}
	}
	return s.show(stored, at)
}

func (s *shared) read() (Stored, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	stored, err := s.Records.Get(ctx, recordKey)
	return stored, unavailable(err)
}

func (s *shared) create(missing []jose.SignatureAlgorithm, at time.Time) (Stored, error) {
	minted, err := s.mint(missing, at)
	if err != nil {
		return Stored{}, err
	}
	return s.update(context.Background(), func(stored Stored) (Stored, error) { return stored.with(minted), nil })
}

func (s *shared) mint(algs []jose.SignatureAlgorithm, at time.Time) ([]StoredKey, error) {
	minted := make([]StoredKey, len(algs))
	for i, alg := range algs {
		var err error
		if minted[i], err = s.Seal.mint(alg, at); err != nil {
			return nil, err
		}
	}
	return minted, nil
}

// update changes the record and returns what it then is.
func (s *shared) update(ctx context.Context, change func(Stored) (Stored, error)) (Stored, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var next Stored
	err := s.Records.Update(ctx, recordKey, kept, func(before *Stored) (_ *Stored, err error) {
		if before == nil {
			known := s.known()
			before = &known
		}
		next, err = change(*before)
		return &next, err
	})
	if err != nil {
		return Stored{}, fmt.Errorf("keys: the signing keys cannot be written to the store: %w", unavailable(err))
	}
	return next, nil
}

// known is what the view holds. It is what a store that lost the record gets back, so that tokens stay good.
func (s *shared) known() Stored {
	if v := s.view.Load(); v != nil {
		return v.stored
	}
	return Stored{}
}

// unavailable says of an operation that took too long what an engine would say.
func unavailable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, storage.ErrUnavailable) {
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	}
	return err
}

// rotate replaces all keys, unless somebody just did.
func (s *shared) rotate(ctx context.Context) error {
	return s.rotateUnless(ctx, func(stored Stored, now time.Time) bool { return now.Sub(stored.RotatedAt).Abs() < s.Together })
}

// rotateUnless replaces all keys if the record, as it is at that moment, is still one to replace: so of many rings one does.
func (s *shared) rotateUnless(ctx context.Context, isDone func(stored Stored, now time.Time) bool) error {
	if _, err := s.current(); err != nil {
		return err
	}
	minted, err := s.mint(s.algs, s.now())
	if err != nil {
		return err
	}
	s.record.Lock()
	defer s.record.Unlock()
	now := s.now()
	signsAt := now.Add(s.Propagation)
	retireAt := signsAt.Add(s.Propagation).Add(s.Lifetime)
	stored, err := s.update(ctx, func(stored Stored) (Stored, error) {
		if isDone(stored, now) {
			return stored, nil
		}
		return stored.rotated(minted, s.Seal, now, signsAt, retireAt)
	})
	if err != nil {
		return err
	}
	return s.show(stored, now)
}

// signing is the key that signs by alg now.
func (s *shared) signing(alg jose.SignatureAlgorithm) (*key, error) {
	v, err := s.current()
	if err != nil {
		return nil, err
	}
	k, ok := v.stored.signing(alg, s.now())
	if opened := v.opened[k.KeyID]; ok && opened != nil {
		return opened, nil
	}
	return nil, errNoKey(alg)
}

// errNoKey is what a ring answers whose last key was taken out of use by a ring with other algs, while the store is gone.
func errNoKey(alg jose.SignatureAlgorithm) error {
	return fmt.Errorf("keys: the %s signing key has retired, and the store did not yet give another", alg)
}

// list returns the published keys: those that sign by algs, in that order, and the others. An alg whose key is not shared has
// a zero value.
func (s *shared) list(algs []jose.SignatureAlgorithm) (signing, others []Published, err error) {
	v, err := s.current()
	if err != nil {
		return nil, nil, err
	}
	now, kids := s.now(), map[string]int{}
	for _, alg := range s.algs {
		k, ok := v.stored.signing(alg, now)
		if !ok || v.opened[k.KeyID] == nil {
			return nil, nil, errNoKey(alg)
		}
		kids[k.KeyID] = slices.Index(algs, alg)
	}
	signing = make([]Published, len(algs))
	for _, k := range v.stored.Keys {
		if k.retired(now) || v.opened[k.KeyID] == nil {
			continue
		}
		p := Published{JWK: v.opened[k.KeyID].public, CreatedAt: k.CreatedAt, SignsAt: k.SignsAt, RetireAt: k.RetireAt}
		if i, signs := kids[k.KeyID]; signs {
			p.Signs = true
			signing[i] = p
		} else {
			others = append(others, p)
		}
	}
	return signing, others, nil
}
