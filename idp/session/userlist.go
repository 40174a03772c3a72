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

// UserList lists the users that may have a session in the store: the configured users, and users that were removed from
// the configuration since the longest session began. The index of sessions has a record for each user, and no store can
// list its records, so without this list no program could find the sessions of a removed user.
type UserList struct {
	Records  storage.Bucket[map[string]time.Time] // one record: by sub, when the user was removed; zero: not removed
	Absolute time.Duration                        // the lifetime of a session
	Now      func() time.Time
	written  atomic.Pointer[map[string]bool] // the users that the store has
}

const (
	userListKey       = "all"                    // of the only record
	userListRetention = 5 * 365 * 24 * time.Hour // longer than a process runs
)

// write records the users. Only the first sign-in of a process, and the first after a change of the users, costs a
// store operation. A nil UserList records nothing, and nil users are not recorded.
func (l *UserList) write(ctx context.Context, users *atomic.Pointer[map[string]bool]) error {
	if l == nil || users == nil || l.written.Load() == users.Load() {
		return nil
	}
	known := users.Load()
	type times = map[string]time.Time
	err := l.Records.Update(ctx, userListKey, userListRetention, func(old *times) (*times, error) {
		all, now := times{}, l.Now()
		if old != nil {
			for sub, removedAt := range *old {
				if removedAt.IsZero() {
					removedAt = now
				}
				all[sub] = removedAt
			}
		}
		for sub := range *known {
			all[sub] = time.Time{}
		}
		maps.DeleteFunc(all, func(_ string, removedAt time.Time) bool {
			return !removedAt.IsZero() && now.Sub(removedAt) > l.Absolute+endedRetention
		})
		return &all, nil
	})
	if err == nil {
		l.written.Store(known)
	}
	return err
}

// Subs lists the recorded users by sub. A nil UserList has none.
func (l *UserList) Subs(ctx context.Context) ([]string, error) {
	if l == nil {
		return nil, nil
	}
	all, err := l.Records.Get(ctx, userListKey)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(all)), err
}
