package keys

import "time"

// How old a view of the store may be when a key is needed.
const (
	fresh    = time.Second            // until then nobody looks; then one looks, and meanwhile the view is used
	old      = 3 * time.Second        // from then on who needs a key waits for the look …
	patience = 500 * time.Millisecond // … so long, and then works with the view there is
)

// view is what the record held at a moment.
type view struct {
	at     time.Time
	stored Stored
	opened map[string]*key // by kid; those that were not retired
}

// look is one look at the store.
type look struct {
	done chan struct{}
	err  error // after done
}

// current is the view to work with. Who has a fresh one waits for nothing.
func (s *shared) current() (*view, error) {
	v := s.view.Load()
	if v == nil {
		look := s.look()
		<-look.done
		return s.view.Load(), look.err
	}
	now := s.now()
	age := now.Sub(v.at)
	if 0 <= age && age < fresh || s.failedJustNow(now) {
		return v, nil
	}
	if look := s.look(); age < 0 || age >= old { // below 0 the clock was set back
		look.wait()
	}
	return s.view.Load(), nil
}

// look looks at the store, or joins who does.
func (s *shared) look() *look {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.looking == nil {
		s.looking = &look{done: make(chan struct{})}
		go s.finish(s.looking)
	}
	return s.looking
}

func (s *shared) finish(l *look) {
	l.err = s.load()
	s.mutex.Lock()
	s.looking, s.failure, s.failedAt = nil, l.err, s.now()
	s.mutex.Unlock()
	close(l.done)
	if l.err == nil {
		s.keepSchedule()
	}
}

func (l *look) wait() {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-l.done:
	case <-late.C:
	}
}

// lookAgain looks for a kid that the view does not know, and tells whether it did: strangers may send any kid, so one look a
// second is all that they can cause.
func (s *shared) lookAgain() bool {
	s.mutex.Lock()
	now := s.now()
	if s.looking == nil && now.Sub(s.againAt).Abs() < fresh {
		s.mutex.Unlock()
		return false
	}
	s.againAt = now
	s.mutex.Unlock()
	s.look().wait()
	return true
}

// failedJustNow tells whether it is too early to look again.
func (s *shared) failedJustNow(now time.Time) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.failure != nil && now.Sub(s.failedAt).Abs() < fresh
}

func (s *shared) lastError() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.failure
}

// show makes stored the view. Keys that were opened before are not opened again.
func (s *shared) show(stored Stored, at time.Time) error {
	next := &view{at: at, stored: stored, opened: map[string]*key{}}
	before := s.view.Load()
	for _, k := range stored.Keys {
		if k.retired(at) {
			continue
		}
		if before != nil {
			next.opened[k.KeyID] = before.opened[k.KeyID]
		}
		if next.opened[k.KeyID] != nil {
			continue
		}
		opened, err := s.Seal.key(k)
		if err != nil {
			return err
		}
		next.opened[k.KeyID] = opened
	}
	s.view.Store(next)
	return nil
}
