// Command sessions measures the cost of live sessions in a storage engine: memory, disk, and the time until a provider
// is ready.
//
//	go run -C bench ./sessions --store memory
//	go run -C bench ./sessions --store file:/tmp/hush.db --idp ../bin/idp
//	go run -C bench ./sessions --store redis://127.0.0.1:6379 --idp ../bin/idp
//
// It writes sessions and the index of their users as the provider does (main.go), measures this process, the file or
// the server, and starts a real provider on the store (measure.go). The records are of users that do not exist. They
// stay in the file or the server, so use new ones.
//
// Where teaching ends: server and disk are on the same machine. A network adds its round trip to each write.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hush-idp/hush/idp/session"
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
	before, err := measure(o.store)
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
	after, err := measure(o.store)
	if err != nil {
		return err
	}
	runtime.KeepAlive(store)
	fmt.Fprintf(out, "sessions  %d, written in %.1f s: %.0f a second\n", o.sessions, took.Seconds(),
		float64(o.sessions)/took.Seconds())
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
	flags.IntVar(&o.sessions, "sessions", 1_000_000, "number of live sessions")
	flags.StringVar(&o.idp, "idp", "", "the provider's binary, whose start on the store is measured")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.sessions < 1 {
		return o, fmt.Errorf("--sessions is %d; it must be 1 or more", o.sessions)
	}
	return o, nil
}

// open opens the engine called name, as the provider does, and returns its close function.
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

const (
	writers   = 500            // concurrent; each waits until its write is acknowledged
	retention = 13 * time.Hour // of a session, with the provider's default lifetimes
)

// fill signs n users in, each in another browser.
func fill(ctx context.Context, store storage.Store, n int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	manager := &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", store),
		Index:    storage.NewBucket[[]session.Entry]("session-index", store),
		Absolute: 12 * time.Hour, Now: time.Now,
	}
	var (
		taken atomic.Int64
		all   sync.WaitGroup
	)
	for range writers {
		all.Go(func() {
			for i := taken.Add(1); i <= int64(n) && ctx.Err() == nil; i = taken.Add(1) {
				if err := signIn(ctx, manager, signedIn(i)); err != nil {
					cancel(fmt.Errorf("session %d: %w", i, err))
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// signIn writes the records of a sign-in: the entry in the index of the user, then the session.
func signIn(ctx context.Context, manager *session.Manager, s session.Session) error {
	if err := manager.AddToIndex(ctx, s.Accounts[0].Sub, s); err != nil {
		return err
	}
	return manager.Sessions.Put(ctx, s.ID, s, retention)
}

// signedIn is a session as it is after a sign-in by password.
func signedIn(i int64) session.Session {
	now, id, secret := time.Now(), rand.Text(), sha256.Sum256([]byte(rand.Text()))
	return session.Session{ID: id, SecretHash: secret[:], StartedAt: now, LastSeen: now, Browser: "Firefox on Linux",
		Accounts: []session.Account{{
			Sub: fmt.Sprintf("user-%d", i), SID: id + "." + rand.Text(), AuthTime: now, SelectedAt: now, ACR: "1",
			AMR: []string{"pwd"},
		}}}
}
