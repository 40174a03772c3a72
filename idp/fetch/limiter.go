package fetch

import (
	"context"
	"net/netip"
	"net/url"
	"sync"

	"golang.org/x/net/publicsuffix"
	"golang.org/x/sync/semaphore"
)

// limiter bounds the requests that run at the same time: in total, and to the hosts of one owner, so that the slow
// hosts of one client do not stop the requests to other hosts.
type limiter struct {
	total *semaphore.Weighted
	mutex sync.Mutex
	hosts map[string]*host // with requests that run or wait
}

type host struct {
	running  *semaphore.Weighted
	requests int // that run or wait
}

func newLimiter() *limiter {
	return &limiter{total: semaphore.NewWeighted(maxAtOnce), hosts: map[string]*host{}}
}

// begin waits until the request may run, and returns the error of ctx if that ends first. The caller must call end
// after the request.
func (l *limiter) begin(ctx context.Context, owner string) (end func(), err error) {
	h := l.enter(owner)
	if err := h.running.Acquire(ctx, 1); err != nil {
		l.leave(owner, h)
		return nil, err
	}
	leave := func() {
		h.running.Release(1)
		l.leave(owner, h)
	}
	if err := l.total.Acquire(ctx, 1); err != nil { // after the wait for its host, which must not use up the total
		leave()
		return nil, err
	}
	return func() { l.total.Release(1); leave() }, nil
}

func (l *limiter) enter(owner string) *host {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	h, ok := l.hosts[owner]
	if !ok {
		h = &host{running: semaphore.NewWeighted(maxPerHost)}
		l.hosts[owner] = h
	}
	h.requests++
	return h
}

func (l *limiter) leave(owner string, h *host) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if h.requests--; h.requests == 0 {
		delete(l.hosts, owner)
	}
}

// ownerOf returns what the hosts of one owner have in common: the registered domain, because the owner of a domain
// can make any number of names below it. Hosts without one, such as localhost, differ by their ports too.
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
