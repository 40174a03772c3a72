package redis

import (
	"context"
	"sync"
)

// turns let one Update of this process after the other try a key again that many change at once. Against each other they would
// mostly lose, and the more of them there are, the longer each would take.
type turns struct {
	mutex sync.Mutex
	keys  map[string]*turn
}

type turn struct {
	taken   chan struct{} // holds one
	wanting int           // who has it, and who waits
}

// take waits until nobody else has the key's turn, which the caller gives back.
func (t *turns) take(ctx context.Context, key string) (giveBack func(), err error) {
	own := t.want(key)
	select {
	case own.taken <- struct{}{}:
		return func() { <-own.taken; t.leave(key) }, nil
	case <-ctx.Done():
		t.leave(key)
		return nil, ctx.Err()
	}
}

func (t *turns) want(key string) *turn {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.keys == nil {
		t.keys = map[string]*turn{}
	}
	if t.keys[key] == nil {
		t.keys[key] = &turn{taken: make(chan struct{}, 1)}
	}
	t.keys[key].wanting++
	return t.keys[key]
}

func (t *turns) leave(key string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.keys[key].wanting--
	if t.keys[key].wanting == 0 {
		delete(t.keys, key)
	}
}
