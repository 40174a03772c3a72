package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// results collects what the users met. Its methods may be called by several
// goroutines at once.
type results struct {
	took      time.Duration
	processor time.Duration // of the process that was watched
	memory    []int         // samples in KiB, in order

	mu      sync.Mutex
	latency []time.Duration // of the renewals without error
	errors  map[string]int  // by kind
	first   map[string]error
}

func (r *results) add(latency time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.latency = append(r.latency, latency)
		return
	}
	kind := "other"
	if f, ok := errors.AsType[*failure](err); ok {
		kind = f.kind
	}
	if r.errors == nil {
		r.errors, r.first = map[string]int{}, map[string]error{}
	}
	if r.errors[kind]++; r.first[kind] == nil {
		r.first[kind] = err
	}
}

// mostGrowth allows for spent codes, which are remembered while their tokens live: a run of a minute or two sees them gather,
// a longer one sees memory settle.
const mostGrowth = 2

// verdict is nil when all cycles were done and none was wrong.
func (r *results) verdict(cycles int) error {
	var wrong int
	for _, n := range r.errors {
		wrong += n
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d cycles failed", wrong, len(r.latency)+wrong)
	}
	if len(r.latency) < cycles {
		return fmt.Errorf("stopped after %d of %d cycles", len(r.latency), cycles)
	}
	if ratio := flatness(r.memory); ratio > mostGrowth {
		return fmt.Errorf("memory grew: the last quarter of the run has %.2f times that of the second, expected at most %v", ratio, mostGrowth)
	}
	return nil
}

func (r *results) print(out io.Writer, users int) {
	good := len(r.latency)
	fmt.Fprintf(out, "cycles   %d right by %d users in %.1f s: %.0f a second\n",
		good, users, r.took.Seconds(), float64(good)/r.took.Seconds())
	slices.Sort(r.latency)
	fmt.Fprintf(out, "latency  p50 %s, p90 %s, p99 %s, most %s\n",
		r.percentile(50), r.percentile(90), r.percentile(99), r.percentile(100))
	if r.processor > 0 && good > 0 {
		fmt.Fprintf(out, "cpu      %s of the provider a cycle\n", (r.processor / time.Duration(good)).Round(time.Microsecond))
	}
	if len(r.memory) > 0 {
		fmt.Fprintf(out, "memory   start %s, most %s, end %s, last quarter / second quarter %.3f\n",
			mebibytes(r.memory[0]), mebibytes(slices.Max(r.memory)), mebibytes(r.memory[len(r.memory)-1]), flatness(r.memory))
	}
	if len(r.errors) == 0 {
		fmt.Fprintln(out, "errors   0")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.errors)) {
		fmt.Fprintf(out, "errors   %d of kind %q, the first: %v\n", r.errors[kind], kind, r.first[kind])
	}
}

// percentile is the smallest latency that p percent of the renewals did not
// exceed; the latencies are sorted. It is 0 without renewals.
func (r *results) percentile(p int) time.Duration {
	if len(r.latency) == 0 {
		return 0
	}
	rank := (len(r.latency)*p + 99) / 100 // rounded up
	return r.latency[max(rank, 1)-1].Round(10 * time.Microsecond)
}

func mebibytes(kib int) string { return fmt.Sprintf("%.1f MiB", float64(kib)/1024) }
