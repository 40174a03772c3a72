package session

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hush-idp/hush/storage"
)

// Roster is the list of the users who may have a session in the store: the configured users, and users who were removed
// from the configuration since the longest session began. The index of sessions has a record for each user, and no
// store can list its records, so without the roster nobody would find the sessions of a removed user.
type Roster struct {
	Records  storage.Bucket[map[string]time.Time] // one record: by sub, when the user was removed; zero: not removed
	Absolute time.Duration                        // the lifetime of a session
	Now      func() time.Time
	written  atomic.Bool
}

const (
	rosterKey       = "all"                    // of the only record
	rosterRetention = 5 * 365 * 24 * time.Hour // longer than a process runs
)

// write records the users of the configuration. Only the first sign-in of a process costs a store operation. A nil
// Roster records nothing.
func (o *Roster) write(ctx context.Context, configured map[string]bool) error {
	if o == nil || configured == nil || o.written.Load() {
		return nil
	}
	type times = map[string]time.Time
	err := o.Records.Update(ctx, rosterKey, rosterRetention, func(old *times) (*times, error) {
		all, now := times{}, o.Now()
		if old != nil {
			for sub, removedAt := range *old {
				if removedAt.IsZero() {
					removedAt = now
				}
				all[sub] = removedAt
			}
		}
		for sub := range configured {
			all[sub] = time.Time{}
		}
		maps.DeleteFunc(all, func(_ string, removedAt time.Time) bool {
			return !removedAt.IsZero() && now.Sub(removedAt) > o.Absolute+endedRetention
		})
		return &all, nil
	})
	o.written.Store(err == nil)
	return err
}

// Subs lists the recorded users by sub. A nil Roster has none.
func (o *Roster) Subs(ctx context.Context) ([]string, error) {
	if o == nil {
		return nil, nil
	}
	all, err := o.Records.Get(ctx, rosterKey)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(all)), err
}
