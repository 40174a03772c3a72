package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hush-idp/hush/storage"
)

// maxListed is how many sessions of one user are written down. More go on, unlisted: those that would end first.
const maxListed = 100

// Entry names a session in the list of a user's sessions. It may name one that is over: whoever reads the list looks.
type Entry struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"` // from then on it is of no interest to anybody
}

// Of lists the sessions of sub, newest first: those that last, and after them those that ended within the last hour. It costs
// a store read for each, and one more.
func (m *Manager) Of(ctx context.Context, sub string) ([]Session, error) {
	entries, err := m.Index.Get(ctx, sub)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	var list []Session
	for _, entry := range m.current(entries) {
		s, err := m.Sessions.Get(ctx, entry.ID)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if _, ok := s.Account(sub); ok || !s.EndedAt.IsZero() {
			list = append(list, s)
		}
	}
	return list, err
}

// Note writes the session down among those of sub. SignIn does it before it writes the session, so that none is unlisted.
func (m *Manager) Note(ctx context.Context, sub string, s Session) error {
	return m.Index.Update(ctx, sub, m.Absolute+keptExpired, func(old *[]Entry) (*[]Entry, error) {
		if old == nil {
			old = new([]Entry)
		}
		others := slices.DeleteFunc(*old, func(e Entry) bool { return e.ID == s.ID })
		entries := m.current(slices.Insert(others, 0, Entry{s.ID, m.keptUntil(s)}))
		return &entries, nil
	})
}

// strike moves a session that ended for subs to the end of their lists. Where that fails they are as true as before, and the
// session has ended all the same: so it is no failure.
func (m *Manager) strike(ctx context.Context, id string, subs []string) {
	until := m.Now().Add(keptExpired)
	for _, sub := range subs {
		_ = m.Index.Update(ctx, sub, storage.KeepTTL, func(entries *[]Entry) (*[]Entry, error) {
			if entries == nil {
				return nil, nil
			}
			for i, e := range *entries {
				if e.ID == id && until.Before(e.Until) {
					(*entries)[i].Until = until
				}
			}
			*entries = m.current(*entries)
			return entries, nil
		})
	}
}

// current are the entries that are of interest still, in their order: the one that lasts longest first.
func (m *Manager) current(entries []Entry) []Entry {
	now := m.Now()
	entries = slices.DeleteFunc(entries, func(e Entry) bool { return !now.Before(e.Until) })
	slices.SortStableFunc(entries, func(a, b Entry) int { return b.Until.Compare(a.Until) })
	return entries[:min(len(entries), maxListed)]
}
