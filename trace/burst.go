package trace

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

const (
	loopWindow = 5 * time.Second
	loopCount  = 4   // silent requests of one client and user agent within loopWindow
	maxBurst   = 64  // are counted exactly
	maxBursts  = 256 // clients and user agents are counted at once
)

// burst is when one client sent silent requests: the last maxBurst times, the oldest first.
type burst struct{ times []time.Time }

// looping counts the silent requests of the record's client and browser.
func (h *Hub) looping(_ *flow, r *Record) string {
	if !r.fresh() || !r.Silent {
		return ""
	}
	b := h.burstOf(sumOf(r.ClientID + "\x00" + r.UserAgent))
	if b.add(r.At) {
		h.recount(b, r)
	}
	return b.account(r.At)
}

// recount tells those flows anew that began after r, of which another hub told late.
func (h *Hub) recount(b *burst, r *Record) {
	for _, f := range h.flows {
		first := f.records[0]
		same := first.fresh() && first.Silent && first.ClientID == r.ClientID && first.UserAgent == r.UserAgent
		if !same || !first.At.After(r.At) {
			continue
		}
		if found := b.account(first.At); found != "" {
			f.note(first, renewalLooping, found, first.end())
			h.notice(f, first)
		}
	}
}

// add notes a time, and tells whether a later one is known already.
func (b *burst) add(at time.Time) (late bool) {
	if len(b.times) == maxBurst {
		b.times = slices.Delete(b.times, 0, 1)
	}
	i, _ := slices.BinarySearchFunc(b.times, at, time.Time.Compare)
	b.times = slices.Insert(b.times, i, at)
	return i < len(b.times)-1
}

// account says of a request at this time that it was one of many; "" if it was not.
func (b *burst) account(at time.Time) string {
	n := b.within(at)
	if n < loopCount {
		return ""
	}
	return strconv.Itoa(n) + " silent requests of this client and browser within " + loopWindow.String()
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
	for _, at := range slices.Backward(b.times) {
		switch {
		case at.After(now):
		case now.Sub(at) >= loopWindow:
			return n // those before are older still
		default:
			n++
		}
	}
	return n
}
