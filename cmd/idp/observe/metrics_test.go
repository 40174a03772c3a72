package observe_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/cmd/idp/observe"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// fetch is what Prometheus reads.
func fetch(t *testing.T, m *observe.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	return w.Body.String()
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if t.Failed() {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "hush_") {
				t.Log(strings.TrimSpace(line))
			}
		}
	}
}

func TestRequestsAreCountedByEndpointStatusErrorAndReason(t *testing.T) {
	m := observe.NewMetrics(time.Now)
	answer := func(name string, took time.Duration, status int, code oidc.ErrorCode, reason oidc.Reason) {
		_, end := m.Request(endpoint.Endpoint{Name: name}, "id", nil)
		outcome := endpoint.Outcome{Status: status, Took: took}
		if code != "" {
			outcome.Refused = &oidc.Error{Code: code, Reason: reason}
		}
		end(outcome)
	}
	answer("token", 3*time.Millisecond, 200, "", "")
	answer("token", 3*time.Millisecond, 201, "", "")
	answer("token", 40*time.Millisecond, 400, "invalid_grant", "code.replayed")
	answer("authorize", time.Millisecond, 303, "login_required", "session.none")
	answer("userinfo", time.Minute, 0, "", "")
	wantLines(t, fetch(t, m),
		`hush_requests_total{endpoint="token",error="",reason="",status="2xx"} 2`,
		`hush_requests_total{endpoint="token",error="invalid_grant",reason="code.replayed",status="4xx"} 1`,
		`hush_requests_total{endpoint="authorize",error="login_required",reason="session.none",status="3xx"} 1`,
		`hush_requests_total{endpoint="userinfo",error="",reason="",status="dropped"} 1`,
		`hush_request_duration_seconds_bucket{endpoint="token",le="0.0025"} 0`,
		`hush_request_duration_seconds_bucket{endpoint="token",le="0.005"} 2`,
		`hush_request_duration_seconds_bucket{endpoint="token",le="0.05"} 3`,
		`hush_request_duration_seconds_count{endpoint="token"} 3`,
		`hush_request_duration_seconds_bucket{endpoint="userinfo",le="5"} 0`,
	)
}

func TestTheRuntimeIsMeasuredToo(t *testing.T) {
	text := fetch(t, observe.NewMetrics(time.Now))
	for _, name := range []string{"go_goroutines ", "go_memstats_heap_alloc_bytes ", "process_cpu_seconds_total ",
		"process_open_fds "} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("%s is missing", name)
		}
	}
}

// broken is an engine that answers with an error.
type broken struct{ err error }

func (b broken) Get(context.Context, string) ([]byte, error)              { return nil, b.err }
func (b broken) Put(context.Context, string, []byte, time.Duration) error { return b.err }
func (b broken) Update(context.Context, string, time.Duration, func([]byte) ([]byte, error)) error {
	return b.err
}

func TestStoreOperationsAreCountedByBucketMethodAndOutcome(t *testing.T) {
	clock := storagetest.NewClock()
	m := observe.NewMetrics(clock.Now)
	codes := storage.NewBucket[string]("code", m.Store(storage.NewMemory(clock.Now)))
	spent := errors.New("spent")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_ = codes.Put(t.Context(), "c", "fresh", time.Minute)
	_, _ = codes.Get(t.Context(), "c")
	_, _ = codes.Get(t.Context(), "d")
	_, _ = codes.Get(cancelled, "c")
	_ = codes.Update(t.Context(), "c", storage.KeepTTL, func(old *string) (*string, error) { return old, nil })
	if err := codes.Update(t.Context(), "c", storage.KeepTTL,
		func(*string) (*string, error) { return nil, spent }); !errors.Is(err, spent) {
		t.Errorf("Update = %v", err)
	}
	for _, err := range []error{errors.New("?"), fmt.Errorf("%w: %w", storage.ErrUnavailable, context.DeadlineExceeded),
		context.DeadlineExceeded} {
		_ = storage.NewBucket[string]("session", m.Store(broken{err})).Put(t.Context(), "c", "", time.Minute)
	}
	text := fetch(t, m)
	wantLines(t, text,
		`hush_store_operation_duration_seconds_count{bucket="code",method="put",outcome="ok"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="code",method="get",outcome="ok"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="code",method="get",outcome="not_found"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="code",method="get",outcome="cancelled"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="code",method="update",outcome="ok"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="code",method="update",outcome="refused"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="session",method="put",outcome="failed"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="session",method="put",outcome="unavailable"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="session",method="put",outcome="cancelled"} 1`,
	)
}

// A label made of keys would have endless values, and show hashes to every reader.
func TestKeysAreNoLabels(t *testing.T) {
	m := observe.NewMetrics(time.Now)
	store := m.Store(storage.NewMemory(time.Now))
	for i := range 100 {
		_ = store.Put(t.Context(), fmt.Sprintf("session:secret-%d", i), nil, time.Minute)
		_ = store.Put(t.Context(), fmt.Sprintf("secret-%d", i), nil, time.Minute)
	}
	text := fetch(t, m)
	if strings.Contains(text, "secret") {
		t.Error("a key is shown")
	}
	wantLines(t, text, `hush_store_operation_duration_seconds_count{bucket="other",method="put",outcome="ok"} 100`)
}

func TestTheCountedStoreIsAStore(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storagetest.Engine {
		clock := storagetest.NewClock()
		return storagetest.Engine{Store: observe.NewMetrics(clock.Now).Store(storage.NewMemory(clock.Now)), Pass: clock.Pass}
	})
}

func TestTwoInOneProcessDoNotMeet(t *testing.T) {
	one, other := observe.NewMetrics(time.Now), observe.NewMetrics(time.Now)
	_, end := one.Request(endpoint.Endpoint{Name: "token"}, "id", nil)
	end(endpoint.Outcome{Status: 200})
	if strings.Contains(fetch(t, other), `endpoint="token"`) {
		t.Error("one counts for the other")
	}
}
