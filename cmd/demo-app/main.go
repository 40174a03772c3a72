// Command demo-app is a relying party for trying the provider: two small apps that sign users in and renew their tokens
// silently, and the API that accepts those tokens.
//
//	/spa/         the single-page app: oidc-client-ts in the browser; its scripts are in static/demo/spa
//	/web/         the server-side app: package rp stores the tokens; its page's scripts are in static/demo/web
//	/both/        the two apps side by side; static/demo/both
//	/tokens/      refresh token or hidden iframe, DPoP, revocation, monitorSession; static/demo/tokens
//	/lessons/     eleven failures to cause and repair; static/demo/lessons
//	/api/me       the protected API: package rp verifies the access token
//	/config.json  the settings of the single-page app: issuer, client_id, redirect_uri, scope
//
// One process serves several pairs of host names, each a site of its own: see config.go.
//
// Where teaching ends and production begins: the server-side app's sessions are in memory and its cookie keys are made
// at start, so a restart signs all its users out; a product gives package rp a store and keys. The pages show decoded
// tokens, which a product has no reason to do. TLS is left to a proxy.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	if err := commandLine().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// commandLine returns the program's commands. Each flag is also an environment variable: HUSH_DEMO_LISTEN and so on.
func commandLine() *cobra.Command {
	var c config
	cobra.MousetrapHelpText = "" // a double click on Windows must start the program
	root := &cobra.Command{
		Use:          "demo-app",
		Long:         "A relying party to try the Hush provider with: a single-page app, a server-side app and an API.",
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error { return readEnvironment(command.Flags()) },
		PreRunE:           cobra.NoArgs, // without Args the library suggests commands, but lets an empty argument pass
		RunE:              func(*cobra.Command, []string) error { return serve(c, os.Stdout, os.Stderr) },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	c.flags(root.PersistentFlags())
	root.AddCommand(
		&cobra.Command{Use: "serve", Short: "Serve the demo until interrupted (the default).", Args: cobra.NoArgs,
			RunE: root.RunE},
		&cobra.Command{Use: "healthcheck", Short: "Exit with 0 when the demo at --listen is healthy.", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return healthcheck(c) }})
	return root
}

// healthcheck asks the running demo for /healthz.
func healthcheck(c config) error {
	client := http.Client{Timeout: 3 * time.Second}
	response, err := client.Get(selfURL(c.Listen) + "/healthz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/healthz answered %s, expected 200", response.Status)
	}
	return nil
}

// serve listens and serves until SIGINT or SIGTERM. The greeting goes to out, the log to errOut.
func serve(c config, out, errOut io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := newLog(c, errOut)
	for _, warning := range unreadVariables() {
		log.Warn(warning)
	}
	c, err := c.complete()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w: is another demo running there? choose another address with --listen", err)
	}
	defer listener.Close()
	handler, err := newApp(c, selfURL(listener.Addr().String()), log)
	if err != nil {
		return err
	}
	greet(out, c)
	return serveUntil(ctx, newServer(handler, log), listener)
}

// newServer limits the resources of one connection. The header limit allows for the cookies of other programs on
// localhost, because cookies ignore ports.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      40 * time.Second, // longer than the requests to the provider that a sign-in makes
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn), // panics among others,
	}
}

// serveUntil serves until ctx ends, then waits up to three seconds for running requests. It often waits that long,
// because Shutdown also waits for the connections that browsers open in advance.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	err := server.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}

func greet(out io.Writer, c config) {
	fmt.Fprintf(out, "Demo app   %s  (single-page app /spa/, server-side app /web/, API /api/me)\n", c.BaseURL)
	for _, other := range c.everywhere()[1:] {
		fmt.Fprintf(out, "           %s  (the same with the provider at %s)\n", other.BaseURL, other.Issuer)
	}
	fmt.Fprintf(out, "Provider   %s  (if it is not running yet: go run ./cmd/idp)\n", c.Issuer)
	if !haveLibrary() {
		fmt.Fprintln(out, "Missing    oidc-client-ts, for /spa/: run npm install, then start this again")
	}
}
