package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
	"github.com/hush-idp/hush/storage/redis"
)

// options are the flags of the command.
type options struct {
	store    string
	sessions int
	idp      string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sessions:", err)
		os.Exit(1)
	}
}

// run does one measurement and writes its report to out.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	before, err := weigh(o.store)
	if err != nil {
		return err
	}
	store, end, err := open(ctx, o.store)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := fill(ctx, store, o.sessions); err != nil {
		return err
	}
	took := time.Since(started)
	after, err := weigh(o.store)
	if err != nil {
		return err
	}
	runtime.KeepAlive(store)
	fmt.Fprintf(out, "sessions  %d, written in %.1f s: %.0f a second\n", o.sessions, took.Seconds(), float64(o.sessions)/took.Seconds())
	after.less(before).print(out, o.sessions)
	if err := end(); err != nil || o.idp == "" {
		return err
	}
	return start(ctx, o, out)
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("sessions", flag.ContinueOnError)
	flags.StringVar(&o.store, "store", "memory", "memory, file:PATH or redis://HOST:PORT, without sessions")
	flags.IntVar(&o.sessions, "sessions", 1_000_000, "how many live sessions")
	flags.StringVar(&o.idp, "idp", "", "the provider's binary: started on the store afterwards, to see how long that takes")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.sessions < 1 {
		return o, fmt.Errorf("--sessions is %d; it must be 1 or more", o.sessions)
	}
	return o, nil
}

// open opens the engine that name says, as the provider does, and returns what closes it.
func open(ctx context.Context, name string) (storage.Store, func() error, error) {
	if path, isFile := strings.CutPrefix(name, "file:"); isFile {
		s, err := bolt.Open(path, time.Now)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, nil
	}
	if name == "memory" {
		return storage.NewMemory(time.Now), func() error { return nil }, nil
	}
	s, err := redis.Open(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}
