package lab

import (
	"sync/atomic"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// farthest is as far as the clock may be ahead: farther than anything that expires.
const farthest = 10 * 365 * 24 * time.Hour

// Clock is the provider's time: the real one, or ahead of it. So tokens, sessions and codes expire at once.
type Clock struct {
	real   func() time.Time
	offset atomic.Int64 // nanoseconds
}

// Now is the time that the provider goes by.
func (c *Clock) Now() time.Time { return c.real().Add(c.Offset()) }

// Offset is how far the clock is ahead of the real one.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Forward moves the clock forward by d, from where it is. It returns an invalid_request error for a d that is not
// positive, and when the clock would be more than ten years ahead.
func (c *Clock) Forward(d time.Duration) error {
	if d <= 0 {
		return oidc.InvalidRequest.Errorf("the clock cannot be moved by %v: it moves forward, by a duration such as 10m, or back to the real time", d)
	}
	for {
		before := c.offset.Load()
		if time.Duration(before) > farthest-min(d, farthest) {
			return oidc.InvalidRequest.Errorf("the clock is %v ahead and cannot be moved by %v more: it stays within ten years of the real time", time.Duration(before), d)
		}
		if c.offset.CompareAndSwap(before, before+int64(d)) {
			return nil
		}
	}
}

// Real brings the clock back to the real time.
func (c *Clock) Real() { c.offset.Store(0) }
