package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"
)

// serve listens, says where, and serves until the process is told to stop. What a person reads goes to out, the log to errOut.
func serve(c config, out, errOut io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := newLog(c, errOut)
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

// newServer limits what one connection may cost. The header limit leaves room for the cookies of other programs on
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

// serveUntil serves until ctx ends, then lets running requests finish for up to three seconds. Browsers open connections ahead of
// need, which Shutdown waits for too, so it often takes that long.
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
	if err := server.Shutdown(ending); errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	} else if err != nil {
		return err
	}
	return nil
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
