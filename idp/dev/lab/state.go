package lab

import (
	"context"
	"slices"
	"time"
)

// state is all that a lab knows, as one record of the store.
type state struct {
	Faults []Fault       `json:"faults,omitempty"` // in the order in which they were added
	Ended  []Fault       `json:"ended,omitempty"`  // the last one first
	Ahead  time.Duration `json:"ahead,omitempty"`  // of the Clock, in nanoseconds
}

// isQuiet tells whether there are no faults, in one atomic load.
func (l *Lab) isQuiet() bool {
	s := l.cell.View()
	return s == nil || len(s.Faults) == 0
}

// state is what was last seen, without the faults that have run out since. Its lists are not to be changed.
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

// change edits what the store has, once or more often; an error of edit leaves it.
func (l *Lab) change(ctx context.Context, edit func(*state) error) error {
	return l.cell.Change(ctx, func(s state) (state, error) {
		s.sweep(l.now())
		err := edit(&s)
		return s, err
	})
}

// hasRunOut judges by the real time.
func (f Fault) hasRunOut(now time.Time) bool { return !f.Until.IsZero() && !now.Before(f.Until) }

// sweep ends what has run out.
func (s *state) sweep(now time.Time) {
	s.remove(RanOut, now, func(f Fault) bool { return f.hasRunOut(now) })
}

func (s *state) remove(how Ending, now time.Time, which func(Fault) bool) (removed int) {
	var left []Fault
	for _, f := range s.Faults {
		if !which(f) {
			left = append(left, f)
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
	s.Faults = left
	return removed
}
