package keys

import (
	"context"
	"time"
)

// retryRotation is how long after a rotation that was due and failed the next one is tried.
const retryRotation = time.Minute

// keepSchedule rotates if that is due. Nobody waits for it: the keys of before sign on, and the new ones only later.
func (s *shared) keepSchedule() {
	if s.RotateEvery <= 0 || !s.isTurn() {
		return
	}
	_ = s.rotateUnless(context.Background(), func(stored Stored, now time.Time) bool { return !stored.isDue(now, s.RotateEvery) })
}

// isTurn tells whether a rotation is due that nobody here tried a moment ago.
func (s *shared) isTurn() bool {
	now := s.now()
	if v := s.view.Load(); v == nil || !v.stored.isDue(now, s.RotateEvery) {
		return false
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if now.Sub(s.triedAt).Abs() < retryRotation {
		return false
	}
	s.triedAt = now
	return true
}

// isDue tells whether the last rotation was so long ago; before the first it goes by the oldest key.
func (s Stored) isDue(now time.Time, every time.Duration) bool {
	last := s.RotatedAt
	for _, k := range s.Keys {
		if s.RotatedAt.IsZero() && (last.IsZero() || k.CreatedAt.Before(last)) {
			last = k.CreatedAt
		}
	}
	return !last.IsZero() && now.Sub(last) >= every
}
