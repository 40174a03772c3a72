package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// results collects the outcome of all renewals. add may be called by several goroutines at once.
type results struct {
	took      time.Duration
	processor time.Duration // of the measured process
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
	if r.errors[kind]++; r.first[kind] == nil {
		r.first[kind] = err
	}
}

// maxGrowth is the accepted growth of memory. The provider remembers spent codes while their tokens live, so memory
// grows during the first minutes of a run.
const maxGrowth = 2

// verdict is nil when all cycles were done and right.
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
	if ratio := flatness(r.memory); ratio > maxGrowth {
		return fmt.Errorf("memory grew: the last quarter of the run has %.2f times that of the second, expected at most %v",
			ratio, maxGrowth)
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
		perCycle := (r.processor / time.Duration(good)).Round(time.Microsecond)
		fmt.Fprintf(out, "cpu      %s of the provider a cycle\n", perCycle)
	}
	if m := r.memory; len(m) > 0 {
		fmt.Fprintf(out, "memory   start %s, most %s, end %s, last quarter / second quarter %.3f\n",
			mebibytes(m[0]), mebibytes(slices.Max(m)), mebibytes(m[len(m)-1]), flatness(m))
	}
	if len(r.errors) == 0 {
		fmt.Fprintln(out, "errors   0")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.errors)) {
		fmt.Fprintf(out, "errors   %d of kind %q, the first: %v\n", r.errors[kind], kind, r.first[kind])
	}
}

// percentile is the smallest latency that p percent of the renewals did not exceed; the latencies are sorted. It is 0
// without renewals.
func (r *results) percentile(p int) time.Duration {
	if len(r.latency) == 0 {
		return 0
	}
	rank := (len(r.latency)*p + 99) / 100 // rounded up
	return r.latency[max(rank, 1)-1].Round(10 * time.Microsecond)
}

func mebibytes(kib int) string { return fmt.Sprintf("%.1f MiB", float64(kib)/1024) }

// sampleMemory samples the resident memory of process pid, in KiB, until stop is called; with pid 0 it samples nothing.
func sampleMemory(pid int) (stop func() []int, err error) {
	if pid == 0 {
		return func() []int { return nil }, nil
	}
	first, err := residentKiB(pid)
	if err != nil {
		return nil, err
	}
	quit, samples := make(chan struct{}), make(chan []int, 1)
	go func() {
		all, tick := []int{first}, time.NewTicker(100*time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				samples <- all
				return
			case <-tick.C:
				if kib, err := residentKiB(pid); err == nil { // a process that ended shows as errors of kind "no answer"
					all = append(all, kib)
				}
			}
		}
	}()
	return func() []int { close(quit); return <-samples }, nil
}

// residentKiB reads VmRSS of a process.
func residentKiB(pid int) (kib int, err error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("memory is read from /proc of Linux, for a running process; check --pid or leave it out: %w",
			err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "VmRSS:"); found {
			_, err := fmt.Sscanf(value, "%d kB", &kib)
			return kib, err
		}
	}
	return 0, fmt.Errorf("process %d has no resident memory; it has ended", pid)
}

// flatness is the mean of the last quarter of the samples over the mean of the second quarter: about 1 when memory is
// flat. The first quarter is the warm-up. It is 1 with fewer than four samples.
func flatness(samples []int) float64 {
	quarter := len(samples) / 4
	if quarter == 0 {
		return 1
	}
	return mean(samples[3*quarter:]) / mean(samples[quarter:2*quarter])
}

func mean(samples []int) float64 {
	var sum int
	for _, s := range samples {
		sum += s
	}
	return float64(sum) / float64(len(samples))
}

// processorTime is the processor time of process pid so far, in user and system mode; 0 for pid 0.
func processorTime(pid int) (time.Duration, error) {
	const tick = 10 * time.Millisecond // the unit of times in /proc on Linux
	if pid == 0 {
		return 0, nil
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name before it may hold blanks
	fields := strings.Fields(after)
	var user, system int64
	if len(fields) > 12 {
		_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	}
	return time.Duration(user+system) * tick, err
}
