package lab

import (
	"context"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// farthest is the largest offset of the clock: more than any lifetime.
const farthest = 10 * 365 * 24 * time.Hour

// Clock is the provider's time: the real one, ahead of it or behind it, going or frozen, so that tokens, sessions and
// codes expire when a test says so. All replicas share it. It survives a restart, because the store then has records
// with such times.
type Clock struct {
	real func() time.Time
	cell *storage.Cell[state]
}

// Now is the provider's time.
func (c *Clock) Now() time.Time { return c.cell.View().now(c.real()) }

// Offset is how far the clock is ahead of the real one; behind it, it is negative.
func (c *Clock) Offset() time.Duration {
	real := c.real()
	return c.cell.View().now(real).Sub(real)
}

// IsFrozen tells whether the clock stands still.
func (c *Clock) IsFrozen() bool {
	s := c.cell.View()
	return s != nil && !s.Frozen.IsZero()
}

// sentence says how the clock differs from the real time; it is empty if it does not.
func (c *Clock) sentence() string {
	offset := c.Offset()
	switch {
	case c.IsFrozen():
		return "the provider's clock stands still at " + c.Now().UTC().Format(time.RFC3339)
	case offset > 0:
		return "the provider's clock is " + short(offset) + " ahead"
	case offset < 0:
		return "the provider's clock is " + short(-offset) + " behind"
	}
	return ""
}

// now is the provider's time at the real time. A nil state has the real time.
func (s *state) now(real time.Time) time.Time {
	switch {
	case s == nil:
		return real
	case !s.Frozen.IsZero():
		return s.Frozen
	}
	return real.Add(s.Ahead)
}

// Move changes the clock. It has one of Forward, Back, At and Real, or none of them with Frozen.
type Move struct {
	Forward Duration  `json:"forward,omitzero"` // from where the clock is
	Back    Duration  `json:"back,omitzero"`    // from where the clock is
	At      time.Time `json:"at,omitzero"`      // the provider's time from now on
	Real    bool      `json:"real,omitempty"`   // back to the real time, and going
	Frozen  *bool     `json:"frozen,omitempty"` // true: the clock stands still until false; it can still be moved
}

// Move changes the clock as m says. It returns an invalid_request error for a move that is not one, and when the clock
// would be more than ten years away from the real time.
func (c *Clock) Move(m Move) error {
	if err := m.check(); err != nil {
		return err
	}
	return c.cell.Change(context.Background(), func(s state) (state, error) {
		real := c.real()
		now := s.now(real).Add(m.Forward.Duration - m.Back.Duration)
		if !m.At.IsZero() {
			now = m.At
		}
		if m.Real {
			now = real
		}
		frozen := !s.Frozen.IsZero() && !m.Real
		if m.Frozen != nil {
			frozen = *m.Frozen
		}
		if away := now.Sub(real); away.Abs() > farthest {
			return s, oidc.InvalidRequest.Errorf("the clock would be %v away from the real time: its limit is ten years", away)
		}
		s.Ahead, s.Frozen = now.Sub(real), time.Time{}
		if frozen {
			s.Frozen = now
		}
		return s, nil
	})
}

func (m Move) check() error {
	if m.Forward.Duration < 0 || m.Back.Duration < 0 {
		return oidc.InvalidRequest.Errorf("the clock cannot move by a negative duration: write forward or back with a " +
			"positive one, such as 10m")
	}
	given := 0
	for _, is := range []bool{m.Forward != Duration{}, m.Back != Duration{}, !m.At.IsZero(), m.Real} {
		if is {
			given++
		}
	}
	if given > 1 || given == 0 && m.Frozen == nil || m.Real && m.Frozen != nil {
		return oidc.InvalidRequest.Errorf(`send one of {"forward": "10m"}, {"back": "10m"}, ` +
			`{"at": "2030-01-01T00:00:00Z"} and {"real": true}, or {"frozen": true}, alone or beside one of the first three`)
	}
	return nil
}

// Forward moves the clock forward by d, from where it is. Its errors are those of Move, and one for a d that is not
// positive.
func (c *Clock) Forward(d time.Duration) error {
	if d <= 0 {
		return oidc.InvalidRequest.Errorf("the clock cannot move forward by %v: write a positive duration, such as 10m", d)
	}
	return c.Move(Move{Forward: Duration{d}})
}

// Real brings the clock back to the real time.
func (c *Clock) Real() error { return c.Move(Move{Real: true}) }
