package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hush-idp/hush/bench/process"
	"github.com/hush-idp/hush/bench/renewal"
)

// concurrency is the number of users that renew at the same time.
const concurrency = 4

// size is how much is measured.
type size struct {
	starts   int // of each provider
	warmUp   int // renewals before the first round
	rounds   int
	renewals int // of each provider in each round
}

// subject is a provider with one algorithm, and what was measured of it.
type subject struct {
	provider
	algorithm string
	starts    []start
	rounds    []round
	peak      int64 // the most memory that was resident, in bytes

	processes int // how many renew at the same time; 0: one
	store     int // the process of the store, whose processor time counts apart; 0: there is none

	running   []*process.Process
	addresses []string // of running
	users     []*renewal.User
}

// start is the start of a process.
type start struct {
	ready  time.Duration // from exec to the answer of discovery
	memory int64         // resident then, in bytes
}

// round is what a subject did between its turns.
type round struct {
	cpu       time.Duration // of the provider, or of all its processes
	store     time.Duration // processor time of the store's process
	took      time.Duration
	latencies []time.Duration
}

// measure starts the subjects, signs users in, and lets the subjects renew in turns, each time in another order. The
// first wrong answer ends it.
func measure(ctx context.Context, folder string, s size, subjects []*subject) error {
	defer func() {
		for _, one := range subjects {
			one.end()
		}
	}()
	for range s.starts {
		for _, one := range subjects {
			one.end()
			if err := one.start(ctx, folder); err != nil {
				return fmt.Errorf("%s, %s: %w", one.name, one.algorithm, err)
			}
		}
	}
	for _, one := range subjects {
		if err := one.signIn(ctx); err != nil {
			return fmt.Errorf("%s, %s: %w", one.name, one.algorithm, err)
		}
		if err := one.renew(ctx, s.warmUp); err != nil {
			return fmt.Errorf("%s, %s: %w", one.name, one.algorithm, err)
		}
		one.rounds = nil
	}
	for i := range s.rounds {
		for j := range subjects {
			one := subjects[(i+j)%len(subjects)]
			if err := one.renew(ctx, s.renewals); err != nil {
				return fmt.Errorf("%s, %s: %w", one.name, one.algorithm, err)
			}
		}
	}
	return nil
}

// start starts the provider, as many times as it has processes.
func (s *subject) start(ctx context.Context, folder string) error {
	for range max(1, s.processes) {
		if err := s.startOne(ctx, folder); err != nil {
			return err
		}
	}
	return nil
}

// startOne starts a process on a free port. Its output is in a file of folder.
func (s *subject) startOne(ctx context.Context, folder string) error {
	address, err := process.FreeAddress()
	if err != nil {
		return err
	}
	log, err := os.CreateTemp(folder, "output")
	if err != nil {
		return err
	}
	defer log.Close()
	line := s.command(address, s.algorithm)
	command := exec.Command(line[0], line[1:]...)
	command.Stdout, command.Stderr = log, log
	started, err := process.Start(ctx, "http://"+address+"/.well-known/openid-configuration", command)
	if err != nil {
		output, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w; it wrote: %s", err, output)
	}
	s.running, s.addresses = append(s.running, started), append(s.addresses, address)
	memory, err := process.Memory(started.PID, "VmRSS")
	s.starts = append(s.starts, start{started.Ready, memory})
	return err
}

func (s *subject) end() {
	for _, p := range s.running {
		p.End()
	}
	s.running, s.addresses = nil, nil
}

// signIn signs in the users: as many at each of several processes as at one.
func (s *subject) signIn(ctx context.Context) error {
	s.users = nil
	for _, address := range s.addresses {
		if err := s.signInAt(ctx, address, concurrency); err != nil {
			return err
		}
	}
	return nil
}

func (s *subject) signInAt(ctx context.Context, address string, users int) error {
	options := s.client
	options.Issuer, options.Connections = "http://"+address, users
	client, err := renewal.New(ctx, options)
	if err != nil {
		return err
	}
	for i := range users {
		user := client.User(fmt.Sprintf("u%d", i), "x")
		if len(s.names) > 0 {
			name := s.names[i%len(s.names)]
			user = client.User(name, name)
		}
		if err := user.SignIn(ctx); err != nil {
			return fmt.Errorf("sign-in: %w", err)
		}
		s.users = append(s.users, user)
	}
	return nil
}

// renew is a round of n renewals by all users at once.
func (s *subject) renew(ctx context.Context, n int) error {
	before, storeBefore, err := s.processorTime()
	if err != nil {
		return err
	}
	began := time.Now()
	latencies, err := renewals(ctx, s.users, n)
	took := time.Since(began)
	after, storeAfter, errAfter := s.processorTime()
	peak, errPeak := process.Memory(s.running[0].PID, "VmHWM")
	s.peak = peak
	s.rounds = append(s.rounds, round{after - before, storeAfter - storeBefore, took, latencies})
	return errors.Join(err, errAfter, errPeak)
}

// processorTime returns the processor time of the provider, or of all its processes, and that of the store's process.
func (s *subject) processorTime() (all, store time.Duration, err error) {
	for _, p := range s.running {
		one, err := process.CPU(p.PID)
		if err != nil {
			return 0, 0, err
		}
		all += one
	}
	if s.store != 0 {
		store, err = process.CPU(s.store)
	}
	return all, store, err
}

// renewals are n in all. Its error is the first wrong answer of each user.
func renewals(ctx context.Context, users []*renewal.User, n int) ([]time.Duration, error) {
	var taken atomic.Int64
	var all sync.WaitGroup
	latencies, failures := make([]time.Duration, n), make([]error, len(users))
	for worker, user := range users {
		all.Go(func() {
			for i := taken.Add(1); i <= int64(n); i = taken.Add(1) {
				took, err := user.Renew(ctx)
				if err != nil {
					failures[worker] = err
					return
				}
				latencies[i-1] = took
			}
		})
	}
	all.Wait()
	return latencies, errors.Join(failures...)
}
