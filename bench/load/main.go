// Command load is an OpenID client without a browser. It renews tokens silently for many users at once and checks every
// answer.
//
//	discover   metadata and keys                          user.go
//	sign in    each user posts the login form, once       user.go
//	renew      prompt=none, then the token request, N x   user.go
//	check      every answer against its request           user.go
//	report     errors by kind, latency, processor, memory report.go
//
// It runs against any provider with the built-in users and the public client spa:
//
//	go run -C bench ./load --issuer http://127.0.0.1:18080 --users 8 --cycles 10000 --pid P
//
// It exits with status 1 when a single answer was wrong.
//
// Where teaching ends: client and provider share the processors of one machine, so the rates are lower than those of a
// provider on its own machine.
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

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// names are the provider's built-in users; each password is the name.
var names = []string{"alice", "bob", "carol"}

// timeout bounds one HTTP exchange. It is long: it detects requests that hang, not slow ones.
const timeout = 30 * time.Second

// options are the flags of the command.
type options struct {
	issuer, clientID, redirectURI string
	users, cycles, pid            int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// run does one load run and writes its report to out. The error says that the run could not start, or that answers were
// wrong.
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
	before, err := processorTime(o.pid)
	if err != nil {
		return err
	}
	started := time.Now()
	results := renewAll(ctx, users, o.cycles)
	results.took = time.Since(started)
	results.memory = stopSampling()
	after, err := processorTime(o.pid)
	if err != nil {
		return err
	}
	results.processor = after - before
	results.print(out, len(users))
	return results.verdict(o.cycles)
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.issuer, "issuer", "http://localhost:8080", "issuer of the provider")
	flags.StringVar(&o.clientID, "client-id", "spa", "public client that renews")
	flags.StringVar(&o.redirectURI, "redirect-uri", "http://localhost:9090/spa/callback.html",
		"a registered redirect_uri of the client; it is never requested")
	flags.IntVar(&o.users, "users", 8, "concurrent users, each with cookies of its own")
	flags.IntVar(&o.cycles, "cycles", 10000, "silent renewals in all, shared by the users")
	flags.IntVar(&o.pid, "pid", 0, "process whose memory and processor time are measured (Linux); 0: none")
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
	ctx = gooidc.ClientContext(ctx, &http.Client{Transport: transport, Timeout: timeout})
	provider, err := gooidc.NewProvider(ctx, o.issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery failed; does the provider run, and is --issuer its own spelling? %w", err)
	}
	client := &client{
		Config: oauth2.Config{
			ClientID: o.clientID, RedirectURL: o.redirectURI, Endpoint: provider.Endpoint(),
			Scopes: []string{"openid", "profile", "api.read"},
		},
		issuer:       o.issuer,
		idTokens:     provider.VerifierContext(ctx, &gooidc.Config{ClientID: o.clientID}),
		accessTokens: provider.VerifierContext(ctx, &gooidc.Config{SkipClientIDCheck: true}),
	}
	client.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	users := make([]*user, o.users)
	for i := range users {
		users[i] = newUser(names[i%len(names)], client, transport)
		if err := users[i].signIn(ctx); err != nil {
			return nil, fmt.Errorf("sign-in of %s: %w", users[i].name, err)
		}
	}
	return users, nil
}

// renewAll lets all users renew at once until cycles renewals were tried or ctx ends.
func renewAll(ctx context.Context, users []*user, cycles int) *results {
	all := results{errors: map[string]int{}, first: map[string]error{}}
	var (
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
