package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// names are the provider's built-in users; each password is the name.
var names = []string{"alice", "bob", "carol"}

// options are the flags of the command.
type options struct {
	issuer string
	app    app
	users  int
	cycles int
	pid    int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// run does one load run and writes its report to out. Its error says that the
// run could not start, or that it ended with wrong answers.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	users, err := signInAll(ctx, o)
	if err != nil {
		return err
	}
	memory, err := watchMemory(o.pid)
	if err != nil {
		return err
	}
	used, err := processorTime(o.pid)
	if err != nil {
		return err
	}
	started := time.Now()
	results := renewAll(ctx, users, o.cycles)
	results.took = time.Since(started)
	results.memory = memory.stop()
	if results.processor, err = processorTime(o.pid); err != nil {
		return err
	}
	results.processor -= used
	results.print(out, len(users))
	return results.verdict(o.cycles)
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.issuer, "issuer", "http://localhost:8080", "issuer of the provider")
	flags.StringVar(&o.app.clientID, "client-id", "spa", "public client that renews")
	flags.StringVar(&o.app.redirectURI, "redirect-uri", "http://localhost:9090/spa/callback.html", "a registered redirect_uri of the client; nothing listens there")
	flags.StringVar(&o.app.scope, "scope", "openid profile api.read", "scope of every request")
	flags.IntVar(&o.users, "users", 8, "concurrent users, each with cookies of its own")
	flags.IntVar(&o.cycles, "cycles", 10000, "silent renewals in all, shared by the users")
	flags.IntVar(&o.pid, "pid", 0, "process whose memory and processor time are watched (Linux); 0: none")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.users < 1 || o.cycles < 1 {
		return o, fmt.Errorf("--users is %d and --cycles is %d; both must be 1 or more", o.users, o.cycles)
	}
	return o, nil
}

// signInAll makes the users and signs each one in through the login form.
func signInAll(ctx context.Context, o options) ([]*user, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = o.users
	p, err := discover(ctx, &http.Client{Transport: transport, Timeout: timeout}, o.issuer)
	if err != nil {
		return nil, err
	}
	users := make([]*user, o.users)
	for i := range users {
		users[i] = newUser(names[i%len(names)], o.app, p, transport)
		if err := users[i].signIn(ctx); err != nil {
			return nil, fmt.Errorf("sign-in of %s: %w", users[i].name, err)
		}
	}
	return users, nil
}

// renewAll lets all users renew at once until cycles renewals were tried or ctx
// ends.
func renewAll(ctx context.Context, users []*user, cycles int) *results {
	var (
		all   results
		taken atomic.Int64
		wg    sync.WaitGroup
	)
	for _, u := range users {
		wg.Go(func() {
			for ctx.Err() == nil && taken.Add(1) <= int64(cycles) {
				started := time.Now()
				err := u.renew(ctx)
				all.add(time.Since(started), err)
			}
		})
	}
	wg.Wait()
	return &all
}
