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

	"github.com/hush-idp/hush/cmd/idp/observe"
	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/endpoint"
)

// The limits of one connection, and of what happens at the end.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	shutdownTimeout   = 10 * time.Second
	flushTimeout      = 2 * time.Second
	tellTimeout       = 5 * time.Second
)

// serve runs the provider until SIGINT or SIGTERM and then lets the requests in flight finish.
func serve(s settings) error {
	if err := s.checkFiles(); err != nil {
		return err
	}
	log := s.logger()
	store, err := openStore(context.Background(), s.Store)
	if err != nil {
		return fmt.Errorf("%sstore: %w", s.source.place("store", s.flags), err)
	}
	defer func() { _ = store.close() }()
	if err := s.useStoredSecret(); err != nil {
		return err
	}
	numbers := observe.NewMetrics(time.Now)
	observers := []idp.Observer{numbers}
	tracer, err := observe.TracerFromEnvironment(context.Background(), log)
	if err != nil {
		return err
	}
	if tracer != nil {
		observers = append(observers, tracer)
		defer flush(tracer)
	}
	if err := serveMetrics(s.MetricsListen, numbers); err != nil {
		return fmt.Errorf("%smetrics_listen: %w; choose another address", s.source.place("metrics_listen", s.flags), err)
	}
	var endpoints []endpoint.Endpoint
	if s.Loopback() { // elsewhere the numbers are served by a listener of their own
		endpoints = append(endpoints, numbers.Endpoint())
	}
	ending := make(chan struct{})
	deps := idp.Dependencies{
		Store: store, Durable: store.durable, Propagation: store.propagation, Usable: store.ping, Now: time.Now, Log: log,
		Ending:    ending,
		Observers: observers, Endpoints: endpoints,
	}
	provider, _, err := dev.Provider(s.Config, deps)
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
	defer finish(provider)
	return run(server, listener, provider, log)
}

// finish sends the logout tokens that are still waiting.
func finish(provider *idp.Provider) {
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	provider.Close(ctx)
}

// serveMetrics serves /metrics at an address of its own, apart from what browsers reach, until the process ends.
func serveMetrics(address string, numbers *observe.Metrics) error {
	if address == "" {
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", numbers.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout}
	go func() { _ = server.Serve(listener) }() // it ends with the process
	return nil
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

// flush sends the spans that are left.
func flush(tracer *observe.Tracer) {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	_ = tracer.Close(ctx) // the log says it if the collector is away
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
			": anybody on the network can sign in as any user, by one click or with the plain passwords; listen at 127.0.0.1")
	}
	return warnings
}
