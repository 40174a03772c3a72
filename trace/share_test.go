package trace_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/trace"
)

// overheard is what a hub tells others, as it arrives there.
func overheard(t *testing.T, happen func(h *trace.Hub)) []trace.Shared {
	t.Helper()
	var all []trace.Shared
	now := start
	h := trace.NewHub(trace.Options{
		Now:  func() time.Time { now = now.Add(10 * time.Millisecond); return now },
		Tell: func(s trace.Shared) { all = append(all, travel(t, s)) },
	})
	happen(h)
	return all
}

// travel is what comes out at the other end.
func travel(t *testing.T, s trace.Shared) trace.Shared {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back trace.Shared
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// looks is a hub's flows as its console shows them.
func looks(t *testing.T, h *trace.Hub) string {
	t.Helper()
	text, err := json.MarshalIndent(h.Flows(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A console shows the same, whether it saw or heard, and in whichever order.
func TestWhatIsHeardLooksLikeWhatWasSeen(t *testing.T) {
	for _, row := range []struct {
		text   string
		happen func(h *trace.Hub)
	}{
		{"a renewal", func(h *trace.Hub) { authorize(h); callback(h); token(h); userinfo(h); api(h) }},
		{"a renewal that failed", func(h *trace.Hub) {
			authorize(h, withoutCookie, refused("login_required", "session.none"))
			callback(h)
		}},
		{"a sign-in", func(h *trace.Hub) {
			authorize(h, visible, toPage("/login", sealed))
			visit(h, "login", sealed)
			visit(h, "login", sealed, post, toPage("/authorize", "another-sealed-request"))
			authorize(h, visible, params("interaction", "another-sealed-request"))
			token(h)
		}},
		{"a code redeemed twice by the same", func(h *trace.Hub) { authorize(h); token(h); token(h, failed(400, "invalid_grant", "code.replayed")) }},
		{"a code redeemed by somebody else", func(h *trace.Hub) {
			authorize(h)
			token(h)
			token(h, params("code", code, "code_verifier", "another-verifier-of-43-characters-or-more-xx"), failed(400, "invalid_grant", "code.replayed"))
		}},
		{"short-lived tokens", func(h *trace.Hub) {
			authorize(h)
			token(h, func(r *trace.Record) { r.Answer = []trace.Value{trace.Plain("expires_in", "30")} })
		}},
		{"four renewals at once", func(h *trace.Hub) {
			for i := range 4 {
				authorize(h, params("client_id", "spa", "state", fmt.Sprint(i)), func(r *trace.Record) {
					r.ID, r.Answer = fmt.Sprint(i), trace.Params(url.Values{"code": {"the-code-of-renewal-" + fmt.Sprint(i)}})
				})
			}
		}},
		{"a logout", func(h *trace.Hub) { visit(h, "logout", "") }},
		{"an origin that is not allowed", func(h *trace.Hub) { visit(h, "jwks", "", foreign("https://other.example")) }},
	} {
		t.Run(row.text, func(t *testing.T) {
			var seen string
			told := overheard(t, func(h *trace.Hub) {
				t.Cleanup(h.Reset)
				row.happen(h)
				seen = looks(t, h)
			})
			for order := range permutations(told) {
				h := newHub(t)
				watcher := h.Watch()
				for _, s := range order {
					h.Hear(travel(t, s))
				}
				same(t, "what is heard", looks(t, h), seen)
				same(t, "the flows of who watches", watched(t, watcher), ids(h))
				for _, s := range order {
					h.Hear(travel(t, s))
				}
				same(t, "what is heard twice", looks(t, h), seen)
			}
		})
	}
}

// watched are the ids of the flows that a watcher, told of all so far, knows of, in order.
func watched(t *testing.T, w *trace.Watcher) []string {
	t.Helper()
	w.Close()
	known := map[string]bool{}
	for data := range w.Events() {
		var event struct {
			Flow struct{ ID string }
			Gone []string
		}
		if err := json.Unmarshal(data, &event); err != nil {
			t.Fatal(err)
		}
		known[event.Flow.ID] = true
		for _, id := range event.Gone {
			delete(known, id)
		}
	}
	return slices.Sorted(maps.Keys(known))
}

func ids(h *trace.Hub) (all []string) {
	for _, f := range h.Flows() {
		all = append(all, f.ID)
	}
	slices.Sort(all)
	return all
}

// permutations are all orders of a few.
func permutations[T any](all []T) func(yield func([]T) bool) {
	var from func(i int, yield func([]T) bool) bool
	from = func(i int, yield func([]T) bool) bool {
		if i == len(all) {
			return yield(slices.Clone(all))
		}
		for k := i; k < len(all); k++ {
			all[i], all[k] = all[k], all[i]
			more := from(i+1, yield)
			all[i], all[k] = all[k], all[i]
			if !more {
				return false
			}
		}
		return true
	}
	return func(yield func([]T) bool) { from(0, yield) }
}

func TestFlowsOfTwoReplicasComeTogether(t *testing.T) {
	var a, b *trace.Hub
	now := start
	clock := func() time.Time { now = now.Add(10 * time.Millisecond); return now }
	var toA, toB []trace.Shared
	a = trace.NewHub(trace.Options{Now: clock, Tell: func(s trace.Shared) { toB = append(toB, s) }})
	b = trace.NewHub(trace.Options{Now: clock, Tell: func(s trace.Shared) { toA = append(toA, s) }})
	authorize(a)
	token(b) // before b has heard of the authorization
	userinfo(a)
	watcher := b.Watch()
	defer watcher.Close()
	for _, s := range toB {
		b.Hear(travel(t, s))
	}
	for _, s := range toA {
		a.Hear(travel(t, s))
	}
	same(t, "the flows", looks(t, b), looks(t, a))
	if f := only(t, a); f.State != trace.FlowDone || len(f.Records) != 3 || len(f.Reasons) > 0 {
		t.Errorf("the flow is %s with %d records and reasons %v", f.State, len(f.Records), reasons(f))
	}
	var event struct {
		Flow trace.Flow
		Gone []string
	}
	if err := json.Unmarshal(<-watcher.Events(), &event); err != nil {
		t.Fatal(err)
	}
	if event.Flow.ID != only(t, a).ID || len(event.Gone) != 1 || event.Gone[0] == event.Flow.ID {
		t.Errorf("who watches is told of flow %s in place of %v", event.Flow.ID, event.Gone)
	}
	a.Reset()
	visit(b, "logout", "")
	b.Hear(travel(t, toB[len(toB)-1]))
	if f := only(t, b); len(a.Flows()) > 0 || f.Records[0].Endpoint != "logout" {
		t.Errorf("after Reset there are %d flows, and at the other replica %s besides what came later", len(a.Flows()), f.Records[0].Endpoint)
	}
}

// A message that was under way during a Reset comes too late.
func TestAResetIsFinal(t *testing.T) {
	all := overheard(t, func(h *trace.Hub) { t.Cleanup(h.Reset); authorize(h); token(h) })
	for name, forget := range map[string]func(h *trace.Hub){
		"here":      (*trace.Hub).Reset,
		"elsewhere": func(h *trace.Hub) { h.Hear(trace.Shared{Reset: all[1].Record.At}) },
	} {
		h := trace.NewHub(trace.Options{Now: func() time.Time { return all[1].Record.At }})
		h.Hear(travel(t, all[0]))
		forget(h)
		h.Hear(travel(t, all[0]))
		h.Hear(travel(t, all[1]))
		if f := only(t, h); len(f.Records) != 1 || f.Records[0].Endpoint != "token" {
			t.Errorf("after a Reset %s there is a flow of %d records, first %s; want the token request of later", name, len(f.Records), f.Records[0].Endpoint)
		}
	}
}

// What was heard is not told again, or it would never end.
func TestWhatWasHeardIsNotTold(t *testing.T) {
	all := overheard(t, func(h *trace.Hub) { authorize(h) })
	again := overheard(t, func(h *trace.Hub) {
		t.Cleanup(h.Reset)
		h.Hear(all[0])
		h.Hear(trace.Shared{})
		h.Hear(trace.Shared{Reset: start.Add(time.Hour)})
		if n := len(h.Flows()); n > 0 {
			t.Errorf("after a Reset elsewhere there are %d flows", n)
		}
	})
	if len(again) > 0 {
		t.Errorf("%d records are told again", len(again))
	}
	var none *trace.Hub
	none.Hear(all[0])
}

func TestACodeRedeemedElsewhereIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []trace.Shared
		elsewhere := trace.NewHub(trace.Options{Now: time.Now, Tell: func(s trace.Shared) { told = append(told, s) }})
		authorize(elsewhere)
		token(elsewhere)
		for _, order := range [][]int{{0, 1}, {1, 0}} {
			h := trace.NewHub(trace.Options{Now: time.Now})
			for _, i := range order {
				h.Hear(travel(t, told[i]))
			}
			time.Sleep(time.Minute)
			if f := only(t, h); f.State != trace.FlowDone || len(f.Reasons) > 0 {
				t.Errorf("heard in the order %v the flow is %s, %v", order, f.State, reasons(f))
			}
		}
		h := trace.NewHub(trace.Options{Now: time.Now})
		h.Hear(travel(t, told[0]))
		time.Sleep(time.Minute)
		same(t, "without the redemption the reasons", fmt.Sprint(reasons(only(t, h))), "[callback.silent]")
	})
}

// An application that uses its state again does not draw what went before into its new flow.
func TestAnOldReportStaysWhereItIs(t *testing.T) {
	h := newHub(t)
	callback(h)
	authorize(h)
	if n := len(h.Flows()); n != 2 {
		t.Errorf("there are %d flows; want the report of before, and the new request", n)
	}
}

// What comes from another process is bounded like what is our own.
func TestWhatIsHeardIsBounded(t *testing.T) {
	all := overheard(t, func(h *trace.Hub) { t.Cleanup(h.Reset); authorize(h) })
	s := all[0]
	s.Record.Steps = slices.Repeat(s.Record.Steps, 100)
	s.Record.Params = slices.Repeat(s.Record.Params, 100)
	s.Joins = slices.Repeat(s.Joins, 100)
	s.Sums = nil
	h := newHub(t)
	h.Hear(s)
	r := only(t, h).Records[0]
	if len(r.Steps) > 64 || len(r.Params) > 50 {
		t.Errorf("%d steps and %d parameters are kept", len(r.Steps), len(r.Params))
	}
}

func BenchmarkSilentCycleTold(b *testing.B) {
	h := trace.NewHub(trace.Options{Now: time.Now, Tell: func(trace.Shared) {}})
	defer h.Reset()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		cycle(h, fmt.Sprint(i))
	}
}
