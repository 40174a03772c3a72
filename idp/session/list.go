package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hush-idp/hush/storage"
)

const (
	// maxListed is how many sessions of one user the index holds. Beyond it, ended sessions are dropped, then those that
	// would end first, which continue unlisted.
	maxListed = 100
	// minListed entries stay although their time has passed: a clock that was moved may go back.
	minListed = 20
)

// Entry names a session in the index of a user. The session may be over, so readers check.
type Entry struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"` // from then on it is of no interest to anybody
}

// Of lists the sessions of sub: those that last, newest first, and after them those that ended within the last hour. It
// costs a store read for each, some of them at the same time, and one more.
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
		case !ok && s.EndedAt.IsZero(): // it is another's now
		case m.Lasts(*s):
			last = append(last, *s)
		case now.Before(m.endOf(*s).Add(endedRetention)):
			ended = append(ended, *s)
		}
	}
	return append(last, ended...), nil
}

// endOf is when the session ended, or will at the latest.
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

// read returns what the entries name, nil for what is not there.
func (m *Manager) read(ctx context.Context, entries []Entry) ([]*Session, error) {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return m.Sessions.GetAll(ctx, ids)
}

// AddToIndex writes the session down among those of sub. SignIn does it before it writes the session, so that none is
// unlisted. Where the list is full it costs a read for each of the others, and one write more.
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

// cut makes a list that is too long short enough; noted is its new entry. What is not there yet is about to be: SignIn
// writes it next.
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

// RemoveFromIndex moves a session to the end of the lists of subs, who were signed out of it. Where that fails they are
// as true as before, and the session has ended all the same: so it is no failure. Who signed in again meanwhile is
// noted again.
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

// tidy puts the entry that lasts longest first, and drops from the end what is of no interest any more.
func (m *Manager) tidy(entries []Entry) []Entry {
	now := m.Now()
	slices.SortStableFunc(entries, func(a, b Entry) int { return b.Until.Compare(a.Until) })
	for last := len(entries) - 1; last >= minListed && !now.Before(entries[last].Until); last-- {
		entries = entries[:last]
	}
	return entries
}
