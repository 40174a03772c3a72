package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hush-idp/hush/storage"
)

const (
	// maxListed is the maximum number of sessions in a user's index. A full index first drops ended sessions, then the
	// sessions that would end first; these continue, but are not listed.
	maxListed = 100
	// minListed entries stay although their time has passed, because a clock that was moved forward may go back.
	minListed = 20
)

// Entry names a session in the index of a user. The session may be over, so readers check.
type Entry struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"` // from then on the session is not listed
}

// Of lists the sessions of sub: first the current sessions, newest first, then the sessions that ended within the last
// hour. It costs one store read, and one for each session, partly in parallel.
func (m *Manager) Of(ctx context.Context, sub string) ([]Session, error) {
	entries, err := m.Index.Get(ctx, sub)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	now := m.Now()
	found, err := m.read(ctx, slices.DeleteFunc(entries, func(e Entry) bool { return !now.Before(e.Until) }))
	if err != nil {
		return nil, err
	}
	var last, ended []Session
	for _, s := range found {
		if s == nil {
			continue
		}
		switch _, ok := s.Account(sub); {
		case !ok && s.EndedAt.IsZero(): // the user was signed out of it
		case m.Lasts(*s):
			last = append(last, *s)
		case now.Before(m.endOf(*s).Add(endedRetention)):
			ended = append(ended, *s)
		}
	}
	return append(last, ended...), nil
}

// endOf returns the time when the session ended, or will end if it is not used.
func (m *Manager) endOf(s Session) time.Time {
	if !s.EndedAt.IsZero() {
		return s.EndedAt
	}
	end, idle := s.StartedAt.Add(m.Absolute), s.LastSeen.Add(m.Idle)
	if idle.Before(end) {
		return idle
	}
	return end
}

// read returns the sessions of the entries, nil for each missing one.
func (m *Manager) read(ctx context.Context, entries []Entry) ([]*Session, error) {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return m.Sessions.GetAll(ctx, ids)
}

// AddToIndex adds the session to the index of sub. SignIn calls it before it writes the session, so that no session is
// unlisted. A full index costs a read of all its sessions and one more write.
func (m *Manager) AddToIndex(ctx context.Context, sub string, s Session) error {
	var all []Entry
	err := m.Index.Update(ctx, sub, m.Absolute+endedRetention, func(old *[]Entry) (*[]Entry, error) {
		if old == nil {
			old = new([]Entry)
		}
		others := slices.DeleteFunc(*old, func(e Entry) bool { return e.ID == s.ID })
		all = m.tidy(slices.Insert(others, 0, Entry{s.ID, m.retainUntil(s)}))
		return &all, nil
	})
	if err != nil || len(all) <= maxListed {
		return err
	}
	return m.cut(ctx, sub, s.ID, slices.Clone(all))
}

// cut shortens an index that is too long. It does not remove noted (the new entry), nor a session that SignIn has not
// written yet.
func (m *Manager) cut(ctx context.Context, sub, noted string, entries []Entry) error {
	found, err := m.read(ctx, entries)
	if err != nil {
		return err
	}
	over := map[string]bool{}
	for i, s := range found {
		over[entries[i].ID] = s != nil && s.ID != noted && !m.Lasts(*s)
	}
	return m.Index.Update(ctx, sub, storage.KeepTTL, func(entries *[]Entry) (*[]Entry, error) {
		if entries == nil {
			return nil, nil
		}
		left := slices.DeleteFunc(*entries, func(e Entry) bool { return over[e.ID] })
		left = left[:min(len(left), maxListed)]
		return &left, nil
	})
}

// RemoveFromIndex moves a session to the end of the index of each sub, after the sub was signed out of it. It ignores
// errors, because readers of an index check each session. It adds a sub again that has signed in again meanwhile.
func (m *Manager) RemoveFromIndex(ctx context.Context, id string, subs ...string) {
	if len(subs) == 0 {
		return
	}
	until := m.Now().Add(endedRetention)
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
			*entries = m.tidy(*entries)
			return entries, nil
		})
	}
	s, err := m.Sessions.Get(ctx, id)
	for _, sub := range subs {
		if _, again := s.Account(sub); again && err == nil {
			_ = m.AddToIndex(ctx, sub, s)
		}
	}
}

// tidy sorts the entries by Until, the latest first, and drops those whose time has passed from the end.
func (m *Manager) tidy(entries []Entry) []Entry {
	now := m.Now()
	slices.SortStableFunc(entries, func(a, b Entry) int { return b.Until.Compare(a.Until) })
	for last := len(entries) - 1; last >= minListed && !now.Before(entries[last].Until); last-- {
		entries = entries[:last]
	}
	return entries
}
