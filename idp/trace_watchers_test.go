package idp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage"
)

// audience is a number of watchers of one provider's console, over real connections.
type audience struct {
	leave context.CancelFunc
	gone  sync.WaitGroup
}

// watchedBy lets watchers come, of whom some stalled ones open the stream and never read it.
func watchedBy(tb testing.TB, url string, watchers, stalled int) *audience {
	tb.Helper()
	ctx, leave := context.WithCancel(tb.Context())
	a := &audience{leave: leave}
	for i := range watchers {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/console/events", nil)
		if err != nil {
			tb.Fatal(err)
		}
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusOK {
			tb.Fatalf("watching gave %v, %v", response, err)
		}
		a.gone.Go(func() {
			defer response.Body.Close()
			if i < stalled {
				<-ctx.Done()
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
		})
	}
	return a
}

// end sends the audience home and waits until all have left.
func (a *audience) end() {
	a.leave()
	a.gone.Wait()
}

// BenchmarkWatchers is a silent cycle before an audience, a tenth of which has stalled. What a cycle costs more than
// without watchers is two events, each encoded once and written to each watcher.
func BenchmarkWatchers(b *testing.B) {
	for name, watchers := range map[string]int{"watchers=0": 0, "watchers=1": 1, "watchers=100": 100} {
		b.Run(name, func(b *testing.B) {
			provider, server := onANetwork(b)
			a := watchedBy(b, server.URL, watchers, watchers/10)
			cookies, query := signedIn(provider), idptest.Request("spa", "prompt", "none").Encode()
			for b.Loop() {
				silentCycle(b, provider, cookies, query)
			}
			b.StopTimer()
			a.end()
			b.ReportMetric(float64(heap())/(1<<20), "MiB-after")
		})
	}
}

// onANetwork is a provider of issuer http://localhost:8080, and a server at which its console can be watched.
func onANetwork(tb testing.TB) (*idp.Provider, *httptest.Server) {
	tb.Helper()
	provider := forBenchmark(tb, true, storage.NewMemory(time.Now))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "localhost:8080"
		provider.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	return provider, server
}

// heap is what is in use after a collection, in bytes.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse
}

func TestWatchersLeaveNoGoroutineAndNoMemory(t *testing.T) {
	provider, server := onANetwork(t)
	cookies, query := signedIn(provider), idptest.Request("spa", "prompt", "none").Encode()
	for range 210 { // until the history of flows is full
		silentCycle(t, provider, cookies, query)
	}
	goroutines, before := runtime.NumGoroutine(), heap()
	a := watchedBy(t, server.URL, 100, 10)
	for range 150 {
		silentCycle(t, provider, cookies, query)
	}
	a.end()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for range 1000 { // until the server has noticed, however slow the machine is
		if runtime.NumGoroutine() <= goroutines {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if now := runtime.NumGoroutine(); now > goroutines {
		t.Errorf("%d goroutines are left of %d before", now, goroutines)
	}
	if after := heap(); after > before+8<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}
