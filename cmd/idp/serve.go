package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/storage"
)

// The limits of one connection. A client that is slower than this is stuck or hostile.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	shutdownTimeout   = 10 * time.Second
)

// serve runs the provider until SIGINT or SIGTERM and then lets the requests in flight finish.
func serve(s settings) error {
	log := s.logger()
	ending := make(chan struct{})
	provider, err := idp.New(s.Config, idp.Surroundings{Store: storage.NewMemory(time.Now), Now: time.Now, Log: log, Ending: ending})
	if err != nil {
		return err
	}
	listener, err := s.open()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: provider, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(func() { close(ending) })
	hello(os.Stdout, s)
	for _, warning := range s.warnings() {
		log.Warn(warning)
	}
	return run(server, listener, provider, log)
}

// run serves until a signal comes, the server fails, or a signing key turns out to be unusable.
func run(server *http.Server, listener net.Listener, provider *idp.Provider, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	go func() {
		if err := provider.Ready(); err != nil {
			failed <- err
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("ending: requests in flight may finish", "at_most", shutdownTimeout)
	stop() // a second signal ends the process at once
	ending, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return fmt.Errorf("some requests did not finish within %v and were cut off: %w", shutdownTimeout, err)
	}
	return nil
}

// open listens, with TLS if it is set.
func (s *settings) open() (net.Listener, error) {
	config, err := s.tlsConfig()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", s.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program: end that one, or choose another port with --listen", s.Listen)
	}
	if err != nil || config == nil {
		return listener, err
	}
	return tls.NewListener(listener, config), nil
}

func (s *settings) warnings() []string {
	warnings := s.Warnings()
	if s.exposed() && s.Loopback() {
		warnings = append(warnings, "a provider for this machine listens at "+s.Listen+
			": whoever reaches this port can sign in as anybody, by one click or with the plain passwords; listen at 127.0.0.1")
	}
	return warnings
}
