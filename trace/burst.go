package trace

import (
	"maps"
	"strconv"
	"time"
)

const (
	loopWindow = 5 * time.Second
	loopCount  = 4   // silent requests of one client and user agent within loopWindow
	maxBurst   = 64  // are counted exactly
	maxBursts  = 256 // clients and user agents are counted at once
)

// burst is when one client sent silent requests: the last maxBurst times, the oldest overwritten first.
type burst struct {
	times [maxBurst]time.Time
	next  int
}

// looping counts the silent requests of the record's client and browser.
func (h *Hub) looping(_ *flow, r *Record) string {
	if !r.fresh() || !r.Silent {
		return ""
	}
	b := h.burstOf(sumOf(r.ClientID + "\x00" + r.UserAgent))
	b.times[b.next%maxBurst] = r.At
	b.next++
	if n := b.within(r.At); n >= loopCount {
		return strconv.Itoa(n) + " silent requests of this client and browser within " + loopWindow.String()
	}
	return ""
}

func (h *Hub) burstOf(sum uint64) *burst {
	if b := h.bursts[sum]; b != nil {
		return b
	}
	if len(h.bursts) >= maxBursts {
		now := h.now()
		maps.DeleteFunc(h.bursts, func(_ uint64, b *burst) bool { return b.within(now) == 0 })
	}
	if len(h.bursts) >= maxBursts {
		clear(h.bursts)
	}
	b := &burst{}
	h.bursts[sum] = b
	return b
}

// within counts the times that lie less than loopWindow before now.
func (b *burst) within(now time.Time) (n int) {
	for i := range min(b.next, maxBurst) {
		if now.Sub(b.times[(b.next-1-i)%maxBurst]) >= loopWindow {
			break // those before are older still
		}
		n++
	}
	return n
}
