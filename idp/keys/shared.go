package keys

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

const (
	// DefaultPropagation is enough for processes whose clocks agree to within some seconds. A client fetches the JWKS
	// again when it sees an unknown kid (Core §10.1.1), so a cache in front of the jwks_uri should not hold the JWKS
	// for longer.
	DefaultPropagation = 10 * time.Second
	// maxAge is how old the view of the record may be when a key is needed.
	maxAge = time.Second
	// retryRotation is the time between two tries of a scheduled rotation that fails.
	retryRotation = time.Minute
	// aloneLifetime is the Lifetime of keys without a shared record; maxReplaced limits their number instead.
	aloneLifetime = 10 * 365 * 24 * time.Hour
	// maxReplaced is how many replaced keys of this process alone stay published.
	maxReplaced = 8
)

// Sharing configures key sets that share one record. All key sets on a record have the same Sharing.
type Sharing struct {
	Store storage.Store
	Seal  Seal
	Now   func() time.Time

	// Propagation is the time from the publication of a new key to its first signature: DefaultPropagation, or 0 where
	// only one process uses the record.
	Propagation time.Duration
	// Lifetime is how long a token must be verifiable after it was signed: the longest lifetime of a token, or more if
	// expired ID tokens come back as id_token_hint. 0: oidc.DefaultTokenLifetime. A replaced key stays published for
	// Lifetime and Propagation after its successor began to sign.
	Lifetime time.Duration
	// RotateEvery is the time from one rotation to the next scheduled one. 0: none is scheduled.
	RotateEvery time.Duration
	// MergeWithin is the time within which several rotations count as one. 0: Propagation.
	MergeWithin time.Duration

	alone bool // the record ends with this process: the newest maxReplaced of the replaced keys stay, and have no times
}

// shared holds the keys in the store: one record, and this process's view of it.
type shared struct {
	Sharing
	algs []jose.SignatureAlgorithm
	cell *storage.Cell[Stored]
	view atomic.Pointer[view] // nil before the first successful read of the record

	opening  sync.Mutex // one goroutine makes missing keys and opens new ones
	failure  error      // of the last attempt to make missing keys
	failedAt time.Time

	again   chan struct{} // of length 1: full while the record is read because of an unknown kid
	againAt time.Time     // when this was last done

	triedAt atomic.Pointer[time.Time] // the last scheduled rotation that this process tried
}

// view is a record whose keys are ready to sign.
type view struct {
	stored *Stored
	opened map[string]*key // by kid, without the keys that were retired already
}

// share returns nil if there is no alg to make keys for.
func share(algs []jose.SignatureAlgorithm, sharing Sharing) (*shared, error) {
	if len(algs) == 0 {
		return nil, nil
	}
	if len(sharing.Seal.secrets) == 0 {
		_, err := NewSeal(nil)
		return nil, err
	}
	sharing.Lifetime = cmp.Or(sharing.Lifetime, oidc.DefaultTokenLifetime)
	sharing.MergeWithin = cmp.Or(sharing.MergeWithin, sharing.Propagation)
	place := storage.Place{Store: sharing.Store, Now: sharing.Now, Age: maxAge}
	cell := storage.NewCell[Stored](place, "keys", "ring") // a new name would lose the keys that are stored
	return &shared{Sharing: sharing, algs: algs, cell: cell, again: make(chan struct{}, 1)}, nil
}

// now is the time without Go's monotonic part, which is not stored.
func (s *shared) now() time.Time { return s.Now().UTC().Round(0) }

// current returns a view that is at most maxAge old, or the last view if the record cannot be read. If a rotation is
// due, it starts the rotation.
func (s *shared) current(ctx context.Context) (*view, error) {
	v, err := s.refresh(ctx)
	if err != nil {
		if last := s.view.Load(); last != nil {
			return last, nil
		}
		return nil, err
	}
	if s.RotateEvery > 0 && v.stored.isDue(s.Now(), s.RotateEvery) && s.isTurn() {
		done := func(stored Stored, now time.Time) bool { return !stored.isDue(now, s.RotateEvery) }
		go func() { _ = s.rotateUnless(context.WithoutCancel(ctx), done) }() // the old keys sign meanwhile, as before
	}
	return v, nil
}

// refresh reads the record if the view is too old, and makes the keys that the record lacks.
func (s *shared) refresh(ctx context.Context) (*view, error) {
	if err := s.cell.CatchUp(ctx); err != nil {
		return nil, fmt.Errorf("keys: the signing keys cannot be read from the store: %w", err)
	}
	if v := s.view.Load(); v != nil && v.stored == s.cell.View() {
		return v, nil
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	if missing := s.cell.View().missing(s.algs); len(missing) > 0 {
		if err := s.create(ctx, missing); err != nil {
			return nil, err
		}
	}
	return s.open(s.cell.View())
}

// readAgain reads the record for a kid that the view does not have, at most once in maxAge, because anybody may send
// any kid.
func (s *shared) readAgain(ctx context.Context) {
	select {
	case s.again <- struct{}{}:
		defer func() { <-s.again }()
	case <-ctx.Done():
		return
	}
	if now := s.now(); now.Sub(s.againAt).Abs() >= maxAge {
		s.againAt = now
		s.cell.Expire()
		_, _ = s.current(ctx)
	}
}

// create makes missing keys and stores them. After an error it waits for maxAge before it makes keys again.
func (s *shared) create(ctx context.Context, missing []jose.SignatureAlgorithm) error {
	now := s.now()
	if s.failure != nil && now.Sub(s.failedAt).Abs() < maxAge {
		return s.failure
	}
	minted, err := s.mint(missing, now)
	if err == nil {
		err = s.change(ctx, func(stored Stored) (Stored, error) { return stored.with(minted), nil })
	}
	s.failure, s.failedAt = err, now
	return err
}

func (s *shared) mint(algs []jose.SignatureAlgorithm, now time.Time) ([]StoredKey, error) {
	minted := make([]StoredKey, len(algs))
	for i, alg := range algs {
		var err error
		if minted[i], err = s.Seal.mint(alg, now); err != nil {
			return nil, err
		}
	}
	return minted, nil
}

// change changes the record. If the store lost the record, the view replaces it, so that tokens stay valid.
func (s *shared) change(ctx context.Context, change func(Stored) (Stored, error)) error {
	err := s.cell.Change(ctx, func(stored Stored) (Stored, error) {
		if v := s.view.Load(); v != nil && len(stored.Keys) == 0 {
			stored = *v.stored
		}
		return change(stored)
	})
	if err != nil {
		return fmt.Errorf("keys: the signing keys cannot be written to the store: %w", err)
	}
	return nil
}

// open makes stored the view. Keys that were opened before are not opened again.
func (s *shared) open(stored *Stored) (*view, error) {
	next := &view{stored: stored, opened: map[string]*key{}}
	before := s.view.Load()
	for _, k := range stored.Keys {
		if k.retired(s.now()) {
			continue
		}
		if before != nil && before.opened[k.KeyID] != nil {
			next.opened[k.KeyID] = before.opened[k.KeyID]
			continue
		}
		opened, err := s.Seal.key(k)
		if err != nil {
			return nil, err
		}
		next.opened[k.KeyID] = opened
	}
	s.view.Store(next)
	return next, nil
}

// rotate replaces all keys, unless they were replaced within MergeWithin.
func (s *shared) rotate(ctx context.Context) error {
	return s.rotateUnless(ctx, func(stored Stored, now time.Time) bool {
		return now.Sub(stored.RotatedAt).Abs() < s.MergeWithin
	})
}

// rotateUnless replaces all keys unless isDone returns true for the record in the atomic change.
func (s *shared) rotateUnless(ctx context.Context, isDone func(stored Stored, now time.Time) bool) error {
	if _, err := s.current(ctx); err != nil {
		return err
	}
	minted, err := s.mint(s.algs, s.now())
	if err != nil {
		return err
	}
	return s.change(ctx, func(stored Stored) (Stored, error) {
		now := s.now()
		if isDone(stored, now) {
			return stored, nil
		}
		signsAt := now.Add(s.Propagation)
		next, err := stored.rotated(minted, s.Seal, now, signsAt, signsAt.Add(s.Propagation).Add(s.Lifetime))
		if err == nil && s.alone {
			next.Keys = next.Keys[:min(len(next.Keys), len(minted)+maxReplaced)]
		}
		return next, cmp.Or(err, next.crowded())
	})
}

// isTurn tells whether this process may try a scheduled rotation, and records the try.
func (s *shared) isTurn() bool {
	now, last := s.now(), s.triedAt.Load()
	if last != nil && now.Sub(*last).Abs() < retryRotation {
		return false
	}
	return s.triedAt.CompareAndSwap(last, &now)
}

// signing returns the key that signs by alg now.
func (s *shared) signing(ctx context.Context, alg jose.SignatureAlgorithm) (*key, error) {
	v, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	k, ok := v.stored.signing(alg, s.Now())
	if opened := v.opened[k.KeyID]; ok && opened != nil {
		return opened, nil
	}
	return nil, errNoKey(alg)
}

// errNoKey is the error when a process with other algs retired the last key of alg and the store is gone.
func errNoKey(alg jose.SignatureAlgorithm) error {
	return fmt.Errorf("keys: the %s signing key has retired, and the store did not yet give another", alg)
}

// list returns the published keys: the signing keys in the order of algs, and the other keys. An alg whose key is not
// shared has a zero value.
func (s *shared) list(ctx context.Context, algs []jose.SignatureAlgorithm) (signing, others []Published, err error) {
	v, err := s.current(ctx)
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
		p := Published{JWK: v.opened[k.KeyID].public}
		if !s.alone {
			p.CreatedAt, p.SignsAt, p.RetireAt = k.CreatedAt, k.SignsAt, k.RetireAt
		}
		if i, signs := kids[k.KeyID]; signs {
			p.Signs = true
			signing[i] = p
		} else {
			others = append(others, p)
		}
	}
	return signing, others, nil
}
