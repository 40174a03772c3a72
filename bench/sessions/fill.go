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
	sessions := storage.NewBucket[session.Session]("session", store)
	var (
		taken atomic.Int64
		all   sync.WaitGroup
	)
	for range writers {
		all.Go(func() {
			for i := taken.Add(1); i <= int64(n) && ctx.Err() == nil; i = taken.Add(1) {
				s := signedIn(i)
				if err := sessions.Put(ctx, s.ID, s, kept); err != nil {
					cancel(fmt.Errorf("session %d: %w", i, err))
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// signedIn is a session as it is after a sign-in by password.
func signedIn(i int64) session.Session {
	now, id, secret := time.Now(), rand.Text(), sha256.Sum256([]byte(rand.Text()))
	return session.Session{ID: id, SecretHash: secret[:], StartedAt: now, LastSeen: now, Accounts: []session.Account{{
		Sub: fmt.Sprintf("user-%d", i), SID: id + "." + rand.Text(), AuthTime: now, SelectedAt: now, ACR: "1", AMR: []string{"pwd"},
	}}}
}
