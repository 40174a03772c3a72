package fetch

import (
	"context"
	"net/netip"
	"net/url"
	"sync"

	"golang.org/x/net/publicsuffix"
	"golang.org/x/sync/semaphore"
)

// turns bounds the requests that run at the same time: in total, and to the hosts of one owner, so that the slow hosts
// of one client do not stop the requests to others.
type turns struct {
	total *semaphore.Weighted
	mutex sync.Mutex
	hosts map[string]*host // with requests that run or wait
}

type host struct {
	running *semaphore.Weighted
	users   int
}

func newTurns() *turns {
	return &turns{total: semaphore.NewWeighted(maxAtOnce), hosts: map[string]*host{}}
}

// begin waits for a turn, and returns the error of ctx if that ends first. The caller must call end after the request.
func (t *turns) begin(ctx context.Context, owner string) (end func(), err error) {
	h := t.enter(owner)
	if err := h.running.Acquire(ctx, 1); err != nil {
		t.leave(owner, h)
		return nil, err
	}
	leave := func() {
		h.running.Release(1)
		t.leave(owner, h)
	}
	if err := t.total.Acquire(ctx, 1); err != nil { // only now: while it waits for its host it must not use up the total
		leave()
		return nil, err
	}
	return func() { t.total.Release(1); leave() }, nil
}

func (t *turns) enter(owner string) *host {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	h, ok := t.hosts[owner]
	if !ok {
		h = &host{running: semaphore.NewWeighted(maxPerHost)}
		t.hosts[owner] = h
	}
	h.users++
	return h
}

func (t *turns) leave(owner string, h *host) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if h.users--; h.users == 0 {
		delete(t.hosts, owner)
	}
}

// ownerOf returns what the hosts of one owner have in common: the registered domain, because everybody can make more
// names below their own. Hosts without one, such as localhost, are told apart by their ports too.
func ownerOf(u *url.URL) string {
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && public.SafeAddr(address) == nil {
		return u.Hostname()
	} else if err == nil {
		return u.Host
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname()); err == nil {
		return domain
	}
	return u.Host
}
