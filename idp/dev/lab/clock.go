package lab

import (
	"context"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// farthest is the largest offset of the clock: more than any lifetime.
const farthest = 10 * 365 * 24 * time.Hour

// Clock is the provider's time: the real one, or ahead of it, so that tokens, sessions and codes expire at once. All
// replicas share it. It survives a restart, because the store then has records with future times.
type Clock struct {
	real func() time.Time
	cell *storage.Cell[state]
}

// Now is the provider's time.
func (c *Clock) Now() time.Time { return c.real().Add(c.Offset()) }

// Offset is how far the clock is ahead of the real one.
func (c *Clock) Offset() time.Duration {
	if s := c.cell.View(); s != nil {
		return s.Ahead
	}
	return 0
}

// Forward moves the clock forward by d, from where it is. It returns an invalid_request error for a d that is not
// positive, and when the clock would be more than ten years ahead.
func (c *Clock) Forward(d time.Duration) error {
	if d <= 0 {
		return oidc.InvalidRequest.Errorf("the clock cannot move by %v: move it forward, such as 10m, or to the real time", d)
	}
	return c.cell.Change(context.Background(), func(s state) (state, error) {
		if s.Ahead > farthest-min(d, farthest) {
			return s, oidc.InvalidRequest.Errorf(
				"the clock is %v ahead and cannot move by %v: its limit is ten years", s.Ahead, d)
		}
		s.Ahead += d
		return s, nil
	})
}

// Real brings the clock back to the real time.
func (c *Clock) Real() error {
	return c.cell.Change(context.Background(), func(s state) (state, error) {
		s.Ahead = 0
		return s, nil
	})
}
