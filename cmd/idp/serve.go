package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/hush-idp/hush/cmd/idp/observe"
	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

// The limits of one connection, and of the shutdown.
const (
	readTimeout     = 10 * time.Second // of the headers and the body together
	writeTimeout    = 30 * time.Second
	idleTimeout     = 2 * time.Minute
	maxHeaderBytes  = 64 << 10
	shutdownTimeout = 10 * time.Second
	flushTimeout    = 2 * time.Second
	logoutTimeout   = 5 * time.Second
)

// serve runs the provider until SIGINT or SIGTERM and then lets the requests in flight finish.
func (s *settings) serve([]string) error {
	if err := errors.Join(s.checkFiles(), s.choosePort(), s.removeReadyFile()); err != nil {
		return err
	}
	log := s.logger()
	store, err := s.openStore(context.Background())
	if err != nil {
		return fmt.Errorf("%sstore: %w", s.source.place("store", s.flags), err)
	}
	defer func() { _ = store.close() }()
	if err := s.makeSecret(); err != nil {
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
		defer within(flushTimeout, func(ctx context.Context) { _ = tracer.Close(ctx) }) // the log has its error
	}
	var endpoints []endpoint.Endpoint
	if s.Loopback() { // elsewhere the numbers are served by a listener of their own
		endpoints = append(endpoints, numbers.Endpoint())
	}
	if err := s.serveMetrics(numbers, log); err != nil {
		return err
	}
	ending := make(chan struct{})
	provider, _, err := dev.Provider(s.Config, idp.Dependencies{
		Store: store, Durable: store.durable, Propagation: store.propagation, Usable: store.ping, Now: time.Now, Log: log,
		Ending: ending, Observers: observers, Endpoints: endpoints,
	})
	if err != nil {
		return err
	}
	listener, err := s.listen()
	if err != nil {
		return err
	}
	watching, stopWatching := context.WithCancel(context.Background())
	defer stopWatching()
	s.watchFile(watching, lookEvery, provider.Reload, log)
	server := newServer(provider, log)
	server.RegisterOnShutdown(func() { close(ending) })
	removeReadyFile, err := s.announce(listener.Addr(), log)
	if err != nil {
		return err
	}
	defer removeReadyFile()
	defer within(logoutTimeout, provider.Close) // sends the logout tokens that still wait
	return run(server, listener, provider, log)
}

// announce says where the provider listens: in the ready file, on stdout and in the log. The caller removes the ready
// file when the provider ends.
func (s *settings) announce(own net.Addr, log *slog.Logger) (removeReadyFile func(), err error) {
	if removeReadyFile, err = s.writeReadyFile(); err != nil {
		return nil, err
	}
	if err := hello(os.Stdout, *s); err != nil {
		removeReadyFile()
		return nil, err
	}
	for _, warning := range append(s.warnings(), s.otherListeners(own)...) {
		log.Warn(warning)
	}
	if path := s.certificateFile(); s.TLSSelfSigned && path != "" {
		log.Info("the self-signed certificate is kept in a file: open the issuer in the browser and accept it once; "+
			"give the file to each other program that should trust it", "file", path, "curl", "curl --cacert "+path+" "+s.Issuer,
			"node", "NODE_EXTRA_CA_CERTS="+path+" node app.js")
	}
	return removeReadyFile, nil
}

// spareHeap returns 24 MiB that are never used, so that the garbage collector runs less often. The collector runs when
// the heap has doubled since its last run. A provider with few sessions has a heap of some 5 MiB: the collector would
// run once in a hundred renewals, and take an eighth of their processor time. The bytes are never written, so they take
// no memory of the machine, but the collector counts them. With GOGC or GOMEMLIMIT in the environment the result is
// nil. https://go.dev/doc/gc-guide#GOGC
func spareHeap() []byte {
	if cmp.Or(os.Getenv("GOGC"), os.Getenv("GOMEMLIMIT")) != "" {
		return nil
	}
	return make([]byte, 24<<20)
}

// keepSpareHeap keeps the spare heap until ctx ends. Its allocation causes a collection, so it waits until the first
// requests are answered.
func keepSpareHeap(ctx context.Context) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return
	}
	spare := spareHeap()
	<-ctx.Done()
	runtime.KeepAlive(spare)
}

// within calls do with a context that ends after the timeout.
func within(timeout time.Duration, do func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	do(ctx)
}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// serveMetrics serves /metrics at metrics_listen, an address that is not for browsers, until the process ends.
func (s *settings) serveMetrics(numbers *observe.Metrics, log *slog.Logger) error {
	if s.MetricsListen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", s.MetricsListen)
	if err != nil {
		return fmt.Errorf("%smetrics_listen: %w; choose another address", s.source.place("metrics_listen", s.flags), err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+endpoint.PathMetrics, numbers.Handler())
	go func() { _ = newServer(mux, log).Serve(listener) }() // it ends with the process
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
	go keepSpareHeap(ctx)
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

// choosePort lets the system choose a port, if listen has the port 0: everything that follows from the port is known
// then, such as the issuer.
func (s *settings) choosePort() error {
	if !s.hasFreePort() {
		return nil
	}
	bound, err := s.bind()
	if err != nil {
		return err
	}
	*s, err = s.at(bound.Addr().String())
	s.bound = bound
	return err
}

// listen listens at s.Listen, with TLS if it is set.
func (s *settings) listen() (net.Listener, error) {
	config, err := s.tlsConfig()
	if err != nil {
		return nil, err
	}
	listener := s.bound
	if listener == nil {
		listener, err = s.bind()
	}
	if err != nil || config == nil {
		return listener, err
	}
	return tls.NewListener(listener, config), nil
}

// bind listens at s.Listen.
func (s *settings) bind() (net.Listener, error) {
	listener, err := net.Listen("tcp", s.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program: end that one, or choose another port with --listen", s.Listen)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("this user may not listen at %s: choose a port from 1024 on, as in --issuer "+
			"http://localhost:8080, or allow the port to this user", s.Listen)
	}
	return listener, err
}

// otherListeners describes the programs that listen at other addresses of the issuer's name: localhost is 127.0.0.1
// and ::1.
func (s *settings) otherListeners(own net.Addr) (warnings []string) {
	u, err := url.Parse(s.Issuer)
	listening, ok := own.(*net.TCPAddr)
	if err != nil || !ok || !oidc.IsLoopback(u.Hostname()) || net.ParseIP(u.Hostname()) != nil || !s.isOwnPort() {
		return nil
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		if listening.IP.IsUnspecified() || listening.IP.Equal(net.ParseIP(host)) {
			continue
		}
		address := net.JoinHostPort(host, portOf(u))
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			continue // no program listens there
		}
		_ = connection.Close() // nothing was sent
		warnings = append(warnings, "another program listens at "+address+", and this provider at "+s.Listen+": "+
			u.Hostname()+" means both, so browsers may reach the other program; end it, or choose another port")
	}
	return warnings
}

// warnings describes the settings that suit development only, and the variables that set nothing.
func (s *settings) warnings() []string {
	warnings := append(s.flags.unread(s.source), s.Warnings()...)
	for _, problem := range s.Unreleased() {
		warnings = append(warnings, s.source.place(problem.Path, s.flags)+problem.Path+": "+problem.Text)
	}
	forgets := !s.Loopback() && s.Store == "memory" // other stores keep the keys that the configuration lacks
	if forgets && len(s.CookieKeys) == 0 {
		warnings = append(warnings, "cookie_keys is not set, and the store is memory: all users are signed out when the "+
			"process ends, and a second process cannot serve them; choose another store (docs/operations.md)")
	}
	if forgets && slices.ContainsFunc(s.SigningKeys, func(k keys.Spec) bool { return k.File == "" }) {
		warnings = append(warnings, "a signing key has no file, and the store is memory: the key is new at each start, and "+
			"tokens from before can no longer be verified; give it a file, or choose another store (docs/operations.md)")
	}
	host, _, _ := net.SplitHostPort(s.Listen) // problems has checked it
	if s.Loopback() && !oidc.IsLoopback(host) {
		warnings = append(warnings, "a provider for this machine listens at "+s.Listen+
			": anybody on the network can sign in as any user, by one click or with the plain passwords; listen at 127.0.0.1")
	}
	return warnings
}
