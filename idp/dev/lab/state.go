package lab

import (
	"context"
	"slices"
	"time"
)

// state is the record of a lab in the store.
type state struct {
	Faults []Fault       `json:"faults,omitempty"` // in the order in which they were added
	Ended  []Fault       `json:"ended,omitempty"`  // the last one first
	Ahead  time.Duration `json:"ahead,omitempty"`  // of the Clock, in nanoseconds; negative: it is behind
	Frozen time.Time     `json:"frozen,omitzero"`  // the time at which the Clock stands still; zero: it goes
}

// state is the last view of the record, without the faults that have run out since. The caller must not change its
// lists.
func (l *Lab) state() state {
	s := l.cell.View()
	if s == nil {
		return state{}
	}
	seen, now := *s, l.now()
	if slices.ContainsFunc(seen.Faults, func(f Fault) bool { return f.hasRunOut(now) }) {
		seen.Ended = slices.Clone(seen.Ended)
		seen.sweep(now)
	}
	return seen
}

// change edits the record, once or more often; an error of edit leaves it unchanged.
func (l *Lab) change(ctx context.Context, edit func(*state) error) error {
	return l.cell.Change(ctx, func(s state) (state, error) {
		s.sweep(l.now())
		err := edit(&s)
		return s, err
	})
}

func (f Fault) hasRunOut(now time.Time) bool { return !f.Until.IsZero() && !now.Before(f.Until) }

// sweep ends the faults that have run out by now, the real time.
func (s *state) sweep(now time.Time) {
	s.remove(RanOut, now, func(f Fault) bool { return f.hasRunOut(now) })
}

func (s *state) remove(how Ending, now time.Time, which func(Fault) bool) (removed int) {
	all := s.Faults
	s.Faults = nil
	for _, f := range all {
		if !which(f) {
			s.Faults = append(s.Faults, f)
			continue
		}
		f.Ended, f.EndedAt = how, now
		if how == RanOut {
			f.EndedAt = f.Until
		}
		s.Ended = slices.Insert(s.Ended, 0, f)
		removed++
	}
	s.Ended = s.Ended[:min(len(s.Ended), endedFaults)]
	return removed
}
