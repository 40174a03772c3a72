// Package idptest runs the provider inside a Go test: real cookies, real signatures, real HTTP on a free loopback port,
// and a clock that the test moves.
//
//	provider := idptest.Start(t, nil)
//	browser := provider.Browser(t)
//	browser.SignIn("alice")
//	answer := browser.Authorize(idptest.Request("spa", "prompt", "none"))
//
// Nothing in it is simulated except time. An application can be tested against a provider that fails: a Fault of package lab says
// how, and the trace says what the provider saw and why it answered so.
//
//	provider.Fail(t, lab.Fault{Fault: lab.SessionExpired, Client: "spa"})
//	… the application renews …
//	provider.LastFlow(t).Reasons // session.expired
//
// Two clocks can be moved. Clock is the real time as the provider sees it; Lab().Clock is the provider's own, which it takes for
// wrong when it is ahead (clock.skew).
package idptest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/lab"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// Provider is a running provider. It ends with the test.
type Provider struct {
	*idp.Provider
	Mode   *dev.Mode // nil without development mode
	Issuer string
	Clock  *Clock
	Store  *storage.Memory
	Log    *Log // what the provider logged
}

// Start runs a provider with the built-in users and clients, as change wants it different; nil changes nothing. The issuer
// is http://127.0.0.1 and a free port unless change sets one. Tokens are signed with ES256, whose keys are made faster than
// those of RS256, the provider's own default. wrap puts decorators around the store, for a test that counts or fails.
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
	p := &Provider{Clock: NewClock(), Log: &Log{}}
	p.Store = storage.NewMemory(p.Clock.Now)
	var store storage.Store = p.Store
	for _, decorate := range wrap {
		store = decorate(store)
	}
	deps := idp.Dependencies{
		Store: store, Now: p.Clock.Now, Log: slog.New(slog.NewTextHandler(p.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	var err error
	p.Provider, p.Mode, err = dev.Provider(config, deps)
	if err != nil {
		t.Fatal(err)
	}
	p.Issuer = config.Issuer
	server.Config.Handler = http.HandlerFunc(p.Provider.ServeHTTP)
	server.Start()
	t.Cleanup(func() {
		server.Close()
		over, cancel := context.WithCancel(context.Background())
		cancel()
		p.Close(over)
	})
	return p
}

// Trace is what the provider saw; nil without development mode.
func (p *Provider) Trace() *trace.Hub {
	if p.Mode == nil {
		return nil
	}
	return p.Mode.Trace()
}

// Lab makes the provider fail on purpose; nil without development mode.
func (p *Provider) Lab() *lab.Lab {
	if p.Mode == nil {
		return nil
	}
	return p.Mode.Lab()
}

// Fail makes the provider fail on purpose, as often as the fault says: once, unless it says more. It returns the fault as it is
// listed. A provider without development mode has no failure lab.
func (p *Provider) Fail(t testing.TB, fault lab.Fault) lab.Fault {
	t.Helper()
	if p.Lab() == nil {
		t.Fatal("the provider has no failure lab: that is for development mode on a loopback issuer")
	}
	added, err := p.Lab().Add(fault)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// LastFlow is the youngest flow of the trace: the last renewal or sign-in, with each request, each check and the reasons for
// what went wrong.
func (p *Provider) LastFlow(t testing.TB) trace.Flow {
	t.Helper()
	flows := p.Trace().Flows()
	if len(flows) == 0 {
		t.Fatal("the trace has no flow: nobody asked anything, or the provider is without development mode")
	}
	return flows[0]
}

// Clock is a time that a test moves. It starts at the real one.
type Clock struct {
	mutex  sync.Mutex
	offset time.Duration
}

// NewClock returns a clock that shows the real time.
func NewClock() *Clock { return &Clock{} }

// Now is the real time, and whatever Pass added.
func (c *Clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return time.Now().Add(c.offset)
}

// Pass lets d go by at once.
func (c *Clock) Pass(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.offset += d
}

// Log keeps what was written to it.
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
