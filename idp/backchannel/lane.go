package backchannel

import "fmt"

// How many can be told at a time. A client whose server is slow has its own share only: it delays nobody else's sign-outs.
const (
	maxWaiting     = 1000           // clients that are to be told, all sign-outs together; who comes on top is not told
	maxWaitingEach = maxWaiting / 4 // of these, those of one client
	maxAtOnce      = 16             // requests
	maxAtOnceEach  = maxAtOnce / 4  // of these, those to one client
)

// lane is what one client has of the room; it is there while something waits.
type lane struct {
	waiting int
	turn    chan struct{}
}

// enter gives the delivery its place, if there is one. The caller holds the mutex.
func (s *Sender) enter(d *delivery) error {
	l := s.lanes[d.client.ClientID]
	switch {
	case s.closed:
		return errClosed
	case s.waiting >= maxWaiting:
		return fmt.Errorf("%d clients are waiting to be told already: this one is not", maxWaiting)
	case l == nil:
		l = &lane{turn: make(chan struct{}, maxAtOnceEach)}
		s.lanes[d.client.ClientID] = l
	case l.waiting >= maxWaitingEach:
		return fmt.Errorf("%d sign-outs are waiting already for this client to be told: this one is not", maxWaitingEach)
	}
	d.lane = l
	l.waiting++
	s.waiting++
	return nil
}

func (s *Sender) leave(d *delivery) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.waiting--
	if d.lane.waiting--; d.lane.waiting == 0 {
		delete(s.lanes, d.client.ClientID)
	}
}
