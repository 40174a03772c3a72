// Command load is an OpenID client without a browser. It renews tokens silently for many users at once and checks every
// answer.
//
//	discover   metadata and keys
//	sign in    each user posts the login form, once
//	renew      prompt=none, then the token request, N times
//	check      every answer against its request
//	report     errors by kind, latency, processor, memory
//
// It runs against any provider with the built-in users and the public client spa:
//
//	go run -C bench ./load --issuer http://127.0.0.1:18080 --users 8 --cycles 10000 --pid P
//
// It exits with status 1 when a single answer was wrong.
//
// Where teaching ends: client and provider share the processors of one machine, which lowers the rates.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hush-idp/hush/bench/process"
	"github.com/hush-idp/hush/bench/renewal"
)

// names are the provider's built-in users; each password is the name.
var names = []string{"alice", "bob", "carol"}

// options are the flags of the command.
type options struct {
	issuer, clientID, redirectURI string
	users, cycles, rate, pid      int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// run writes the report of one load run to out. Its error is about the start of the run, or about wrong answers.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	users, err := signInAll(ctx, o)
	if err != nil {
		return err
	}
	stopSampling, err := sampleMemory(o.pid)
	if err != nil {
		return err
	}
	before, errBefore := processorTime(o.pid)
	started := time.Now()
	results := renewAll(ctx, users, o.cycles, o.rate)
	results.took = time.Since(started)
	results.memory = stopSampling()
	after, errAfter := processorTime(o.pid)
	results.processor = after - before
	results.print(out, len(users))
	return errors.Join(errBefore, errAfter, results.verdict(o.cycles))
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.issuer, "issuer", "http://localhost:8080", "issuer of the provider")
	flags.StringVar(&o.clientID, "client-id", "spa", "public client that renews")
	flags.StringVar(&o.redirectURI, "redirect-uri", "http://localhost:9090/spa/callback.html", "its redirect_uri")
	flags.IntVar(&o.users, "users", 8, "concurrent users, each with cookies of its own")
	flags.IntVar(&o.cycles, "cycles", 10000, "silent renewals in all, shared by the users")
	flags.IntVar(&o.rate, "rate", 0, "most renewals a second; 0: as many as the users can")
	flags.IntVar(&o.pid, "pid", 0, "process whose memory and processor time are measured (Linux); 0: none")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.users < 1 || o.cycles < 1 {
		return o, fmt.Errorf("--users is %d and --cycles is %d; both must be 1 or more", o.users, o.cycles)
	}
	if o.rate < 0 {
		return o, fmt.Errorf("--rate is %d; it must be 1 or more, or 0 for no limit", o.rate)
	}
	return o, nil
}

// signInAll makes the users and signs each one in through the login form.
func signInAll(ctx context.Context, o options) ([]*renewal.User, error) {
	client, err := renewal.New(ctx, renewal.Options{
		Issuer: o.issuer, ClientID: o.clientID, RedirectURI: o.redirectURI, Scopes: []string{"openid", "profile", "api.read"},
		Hint: true, AccessJWT: true, AuthTime: true, Connections: o.users,
	})
	if err != nil {
		return nil, err
	}
	users := make([]*renewal.User, o.users)
	for i := range users {
		name := names[i%len(names)]
		users[i] = client.User(name, name)
		if err := users[i].SignIn(ctx); err != nil {
			return nil, fmt.Errorf("sign-in of %s: %w", name, err)
		}
	}
	return users, nil
}

// renewAll lets all users renew at once until cycles renewals were tried or ctx ends. With a rate above 0, in renewals
// a second, renewal n begins n/rate seconds after the call or later.
func renewAll(ctx context.Context, users []*renewal.User, cycles, rate int) *results {
	all := results{errors: map[string]int{}, first: map[string]error{}}
	began := time.Now()
	var taken atomic.Int64
	var wg sync.WaitGroup
	for _, u := range users {
		wg.Go(func() {
			for n := taken.Add(1); ctx.Err() == nil && n <= int64(cycles); n = taken.Add(1) {
				if rate > 0 {
					time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(rate))))
				}
				all.add(u.Renew(ctx))
			}
		})
	}
	wg.Wait()
	return &all
}

// results are the outcomes of all renewals. Several goroutines may call add at once.
type results struct {
	took      time.Duration
	processor time.Duration // of the measured process
	memory    []int64       // samples in bytes, in order

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
	kind := renewal.Kind(err)
	if r.errors[kind]++; r.first[kind] == nil {
		r.first[kind] = err
	}
}

// maxGrowth is the accepted growth of memory: the provider stores spent codes while their tokens live.
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
		fmt.Fprintf(out, "cpu      %s of the provider a cycle\n", (r.processor / time.Duration(good)).Round(time.Microsecond))
	}
	if m := r.memory; len(m) > 0 {
		fmt.Fprintf(out, "memory   start %s, most %s, end %s, last quarter / second quarter %.3f\n",
			mebibytes(m[0]), mebibytes(slices.Max(m)), mebibytes(m[len(m)-1]), flatness(m))
	}
	if curve := r.curve(); len(curve) > 1 {
		fmt.Fprintf(out, "curve    %s MiB, each %s\n", strings.Join(curve, ", "), curveEvery)
	}
	if len(r.errors) == 0 {
		fmt.Fprintln(out, "errors   0")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.errors)) {
		fmt.Fprintf(out, "errors   %d of kind %q, the first: %v\n", r.errors[kind], kind, r.first[kind])
	}
}

// curveEvery is the time between two numbers of the report's curve of memory.
const curveEvery = 30 * time.Second

// curve is the resident memory in MiB at the start and after each curveEvery.
func (r *results) curve() (curve []string) {
	for i := 0; i < len(r.memory); i += int(curveEvery / sampleEvery) {
		curve = append(curve, fmt.Sprintf("%.0f", float64(r.memory[i])/(1<<20)))
	}
	return curve
}

// percentile is the latency that p percent of the renewals did not exceed, 0 without any; the latencies are sorted.
func (r *results) percentile(p int) time.Duration {
	if len(r.latency) == 0 {
		return 0
	}
	rank := (len(r.latency)*p + 99) / 100 // rounded up
	return r.latency[max(rank, 1)-1].Round(10 * time.Microsecond)
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

// sampleEvery is the time between two samples of the memory.
const sampleEvery = 100 * time.Millisecond

// sampleMemory samples the resident memory of process pid, in bytes, until the call of stop; with pid 0 nothing.
func sampleMemory(pid int) (stop func() []int64, err error) {
	if pid == 0 {
		return func() []int64 { return nil }, nil
	}
	first, err := process.Memory(pid, "VmRSS")
	if err != nil {
		return nil, err
	}
	quit, samples := make(chan struct{}), make(chan []int64, 1)
	go func() {
		all, tick := []int64{first}, time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				samples <- all
				return
			case <-tick.C:
				// A process that ended shows as errors of kind "no answer".
				if now, err := process.Memory(pid, "VmRSS"); err == nil {
					all = append(all, now)
				}
			}
		}
	}()
	return func() []int64 { close(quit); return <-samples }, nil
}

// flatness is the mean of the last quarter of the samples over the mean of the second quarter: about 1 when memory is
// flat. The first quarter is the warm-up. It is 1 with fewer than four samples.
func flatness(samples []int64) float64 {
	quarter := len(samples) / 4
	if quarter == 0 {
		return 1
	}
	return mean(samples[3*quarter:]) / mean(samples[quarter:2*quarter])
}

func mean(samples []int64) (mean float64) {
	for _, s := range samples {
		mean += float64(s) / float64(len(samples))
	}
	return mean
}

// processorTime is the processor time of process pid so far; 0 for pid 0.
func processorTime(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	return process.CPU(pid)
}
