// Command sessions measures the cost of live sessions in a storage engine: memory, disk, and the time until a provider
// is ready.
//
//	go run -C bench ./sessions --store memory
//	go run -C bench ./sessions --store file:/tmp/hush.db --idp ../bin/idp
//	go run -C bench ./sessions --store redis://127.0.0.1:6379 --idp ../bin/idp
//	go run -C bench ./sessions --store memory --listen 127.0.0.1:18080
//
// It writes sessions and the index of their users as the provider does, measures this process, the file or the server,
// and starts a real provider on the store. With --listen it becomes the provider: the only way to start one on a memory
// that is full. The records are of users that do not exist. They stay in the file or the
// server, so use new ones.
//
// Where teaching ends: server and disk are on the same machine. A network adds its round trip to each write.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hush-idp/hush/bench/process"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
	"github.com/hush-idp/hush/storage/redis"
)

// options are the flags of the command.
type options struct {
	store, idp, listen, profile string
	sessions                    int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sessions:", err)
		os.Exit(1)
	}
}

// run writes the report of one measurement to out.
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
	if o.listen != "" {
		err = serve(ctx, o, store)
	}
	if err := errors.Join(err, end()); err != nil || o.idp == "" {
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
	flags.StringVar(&o.listen, "listen", "", "serve a provider on the store at this address, until SIGTERM")
	flags.StringVar(&o.profile, "profile", "", "file for the profile of the processor time while it serves")
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

// fill signs n users in.
func fill(ctx context.Context, store storage.Store, n int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	manager := &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", store),
		Index:    storage.NewBucket[[]session.Entry]("session-index", store),
		Absolute: 12 * time.Hour, Now: time.Now,
	}
	var taken atomic.Int64
	var all sync.WaitGroup
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
	account := session.Account{Sub: fmt.Sprintf("user-%d", i), SID: id + "." + rand.Text(), AuthTime: now,
		SelectedAt: now, ACR: "1", AMR: []string{"pwd"}}
	return session.Session{ID: id, SecretHash: secret[:], StartedAt: now, LastSeen: now, Browser: "Firefox on Linux",
		Accounts: []session.Account{account}}
}

// usage is memory and disk space, in bytes.
type usage struct {
	process int64 // anonymous memory of this process, without pages of files
	file    int64 // on the disk
	server  int64 // memory of the Redis server, as it reports it
}

// measure measures this process and the store called name.
func measure(name string) (w usage, err error) {
	debug.FreeOSMemory()
	if w.process, err = process.Memory(os.Getpid(), "RssAnon"); err != nil {
		return w, err
	}
	if path, isFile := strings.CutPrefix(name, "file:"); isFile {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return w, nil
		}
		if err == nil {
			w.file = info.Size()
		}
		return w, err
	}
	if address, isRedis := strings.CutPrefix(name, "redis://"); isRedis {
		w.server, err = serverMemory(address)
	}
	return w, err
}

func (w usage) less(before usage) usage {
	return usage{w.process - before.process, w.file - before.file, w.server - before.server}
}

func (w usage) print(out io.Writer, sessions int) {
	bytes := map[string]int64{"process": w.process, "file": w.file, "server": w.server}
	for _, name := range []string{"process", "file", "server"} {
		if n := bytes[name]; n != 0 {
			fmt.Fprintf(out, "%-9s %.0f MiB: %d bytes a session\n", name, mebibytes(n), n/int64(sessions))
		}
	}
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// serverMemory is the used memory of the Redis server at address, HOST:PORT without a password.
func serverMemory(address string) (int64, error) {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return 0, fmt.Errorf("the server's memory is asked for at redis://HOST:PORT only: %w", err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(connection, "INFO memory\r\n"); err != nil {
		return 0, err
	}
	return process.Number(connection, "used_memory:", 1)
}

// secret encrypts the keys of a new store.
const secret = "a-secret-of-this-measurement-of-32-characters-or-more"

// start starts a provider on the store twice and reports the second time: the first may make the signing keys.
func start(ctx context.Context, o options, out io.Writer) error {
	if _, _, err := startOnce(ctx, o); err != nil {
		return err
	}
	took, memory, err := startOnce(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "start     ready after %s, with %.0f MiB\n", took.Round(time.Millisecond), mebibytes(memory))
	return nil
}

// startOnce is the time from the provider's start until it is ready, and its own memory then.
func startOnce(ctx context.Context, o options) (took time.Duration, memory int64, err error) {
	address, err := process.FreeAddress()
	if err != nil {
		return 0, 0, err
	}
	command := exec.Command(o.idp, "--listen", address, "--store", o.store, "--dev=false", "--cookie-keys", secret,
		"--log-level", "error")
	command.Stderr = os.Stderr
	provider, err := process.Start(ctx, "http://"+address+"/readyz", command)
	if err != nil {
		return 0, 0, err
	}
	defer provider.End()
	memory, err = process.Memory(provider.PID, "RssAnon")
	return provider.Ready, memory, err
}
