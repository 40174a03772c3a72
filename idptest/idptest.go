// Package idptest runs the provider inside a Go test: real cookies, real signatures, real HTTP on a free loopback port,
// and a clock that the test moves.
//
//	provider := idptest.Start(t, nil)
//	browser := provider.Browser(t)
//	browser.SignIn("alice")
//	answer := browser.Authorize(idptest.Request("spa", "prompt", "none"))
//
// Token gives tokens without a sign-in, AddUser and AddClient add what a test needs, Walk leads a browser over
// redirects and consent to the application, and API sends any other request of docs/testing.md.
//
// Only time is simulated. An application can be tested against a provider that fails as a lab.Fault says. The trace
// shows the requests that the provider received and the reasons for its answers.
//
//	provider.Fail(t, lab.Fault{Fault: lab.SessionExpired, Client: "spa"})
//	… the application renews …
//	provider.LastFlow(t).Reasons // session.expired
//
// Clock is the time of a test. Lab().Clock is for a provider whose clock is wrong (clock.skew).
package idptest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// Provider is a running provider. It stops with the test.
type Provider struct {
	*idp.Provider
	*dev.Mode // its trace and its failure lab; nil without development mode
	Issuer    string
	Clock     *Clock
	Store     *storage.Memory
	Log       *Log // the log of the provider
}

// Start runs a provider with the built-in users and clients. change may edit the configuration; nil changes nothing.
// The issuer is http://127.0.0.1 and a free port unless change sets one, or adds a path to it. Tokens are signed with
// ES256, whose keys are made faster than those of RS256, the provider's default. wrap decorates the store, for a test
// that counts operations or makes them fail.
func Start(t testing.TB, change func(*idp.Config), wrap ...func(storage.Store) storage.Store) *Provider {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	config := idp.Config{
		Issuer:      "http://" + server.Listener.Addr().String(),
		SigningKeys: []idp.SigningKey{{Alg: "ES256"}},
	}
	if change != nil {
		change(&config)
	}
	p := &Provider{Clock: &Clock{}, Log: &Log{}}
	p.Store = storage.NewMemory(p.Clock.Now)
	var store storage.Store = p.Store
	for _, decorate := range wrap {
		store = decorate(store)
	}
	log := slog.New(slog.NewTextHandler(p.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	p.Provider, p.Mode, err = dev.Provider(config, idp.Dependencies{Store: store, Now: p.Clock.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	p.Issuer = config.Issuer
	server.Config.Handler = p.Provider
	server.Start()
	t.Cleanup(func() {
		server.Close()
		over, cancel := context.WithCancel(context.Background())
		cancel()
		p.Close(over)
	})
	return p
}

// Fail makes the provider fail on purpose, once unless the fault says more, and returns the fault as the lab lists it.
// The provider must be in development mode.
func (p *Provider) Fail(t testing.TB, fault lab.Fault) lab.Fault {
	t.Helper()
	if p.Mode == nil {
		t.Fatal("the provider has no failure lab: that is for development mode on a loopback issuer")
	}
	added, err := p.Lab().Add(fault)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// LastFlow returns the last flow of the trace, a renewal or sign-in: its requests, checks and reasons for errors.
func (p *Provider) LastFlow(t testing.TB) trace.Flow {
	t.Helper()
	if p.Mode == nil || len(p.Trace().Flows()) == 0 {
		t.Fatal("the trace has no flow: there was no request, or the provider is without development mode")
	}
	return p.Trace().Flows()[0]
}

// Clock is a time that a test moves. The zero value shows the real one.
type Clock struct{ offset atomic.Int64 }

// Now is the real time plus everything that Pass added.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// Pass moves the clock forward by d.
func (c *Clock) Pass(d time.Duration) { c.offset.Add(int64(d)) }

// Log stores everything that is written to it.
type Log struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

// String is all that was written.
func (l *Log) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}
