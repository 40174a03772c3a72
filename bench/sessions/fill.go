package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
)

const (
	// writers keep the engine busy: each waits for its write to be acknowledged.
	writers = 500
	// kept is how long the provider keeps a session with the default lifetimes.
	kept = 13 * time.Hour
)

// fill signs n users in, each in a browser of their own.
func fill(ctx context.Context, store storage.Store, n int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	manager := &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", store),
		Index:    storage.NewBucket[[]session.Entry]("session-index", store),
		Absolute: 12 * time.Hour, Now: time.Now,
	}
	var (
		taken atomic.Int64
		all   sync.WaitGroup
	)
	for range writers {
		all.Go(func() {
			for i := taken.Add(1); i <= int64(n) && ctx.Err() == nil; i = taken.Add(1) {
				if err := signIn(ctx, manager, signedIn(i)); err != nil {
					cancel(fmt.Errorf("session %d: %w", i, err))
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// signIn writes what a sign-in does: the session, and before it its entry in the list of its user.
func signIn(ctx context.Context, manager *session.Manager, s session.Session) error {
	if err := manager.Note(ctx, s.Accounts[0].Sub, s); err != nil {
		return err
	}
	return manager.Sessions.Put(ctx, s.ID, s, kept)
}

// signedIn is a session as it is after a sign-in by password.
func signedIn(i int64) session.Session {
	now, id, secret := time.Now(), rand.Text(), sha256.Sum256([]byte(rand.Text()))
	return session.Session{ID: id, SecretHash: secret[:], StartedAt: now, LastSeen: now, Browser: "Firefox on Linux", Accounts: []session.Account{{
		Sub: fmt.Sprintf("user-%d", i), SID: id + "." + rand.Text(), AuthTime: now, SelectedAt: now, ACR: "1", AMR: []string{"pwd"},
	}}}
}
