package observe_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/cmd/idp/observe"
	"github.com/hush-idp/hush/idp/endpoint"
)

// environment is what the process has, and the variables given as names and values; none of OpenTelemetry's own.
func environment(t *testing.T, variables ...string) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	for i := 0; i < len(variables); i += 2 {
		t.Setenv(variables[i], variables[i+1])
	}
}

// collector takes spans by OTLP over HTTP, when it is not away.
type collector struct {
	away atomic.Bool

	mu    sync.Mutex
	paths []string
	got   bytes.Buffer
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.away.Load() {
		w.WriteHeader(http.StatusBadRequest) // which the exporter does not try again
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths = append(c.paths, r.URL.Path)
	_, _ = io.Copy(&c.got, body)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// says tells whether spans with this text have come.
func (c *collector) says(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.got.Bytes(), []byte(text))
}

func TestSpansReachTheCollector(t *testing.T) {
	c := &collector{}
	server := httptest.NewServer(c)
	defer server.Close()
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT", server.URL, "OTEL_RESOURCE_ATTRIBUTES",
		"deployment.environment.name=test")
	tracer, err := observe.TracerFromEnvironment(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil || tracer == nil {
		t.Fatal(tracer, err)
	}
	_, end := tracer.Request(endpoint.Endpoint{Path: "/token"}, "the-request-id", request(t, "/token"))
	end(endpoint.Outcome{Status: 200})
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"GET /token", "the-request-id", "hush", "deployment.environment.name"} {
		if !c.says(text) {
			t.Errorf("the collector did not get %q", text)
		}
	}
	if len(c.paths) != 1 || c.paths[0] != "/v1/traces" {
		t.Errorf("asked at %v", c.paths)
	}
}

func TestTracingIsOffUnlessACollectorIsNamed(t *testing.T) {
	for name, variables := range map[string][]string{
		"nothing is set":      nil,
		"OTEL_SDK_DISABLED":   {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", "OTEL_SDK_DISABLED", "true"},
		"another signal only": {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost:4318"},
		"no exporter":         {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", "OTEL_TRACES_EXPORTER", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, variables...)
			if tracer, err := observe.TracerFromEnvironment(t.Context(), slog.Default()); tracer != nil || err != nil {
				t.Errorf("%v, %v", tracer, err)
			}
		})
	}
}

func TestAnUnsupportedVariableIsAnError(t *testing.T) {
	for _, row := range []struct{ name, value string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://collector:4317"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
		{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"},
		{"OTEL_TRACES_EXPORTER", "zipkin"},
	} {
		t.Run(row.name, func(t *testing.T) {
			environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", row.name, row.value)
			if _, err := observe.TracerFromEnvironment(t.Context(), slog.Default()); err == nil ||
				!strings.Contains(err.Error(), row.name) {
				t.Errorf("%v; want an error that names the variable", err)
			}
		})
	}
}

// safe is a buffer that a log and a test may use at once.
type safe struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestTheLogIsToldOnceThatTheCollectorIsAway(t *testing.T) {
	c := &collector{}
	server := httptest.NewServer(c)
	defer server.Close()
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT", server.URL, "OTEL_BSP_SCHEDULE_DELAY", "5")
	log := &safe{}
	tracer, err := observe.TracerFromEnvironment(t.Context(), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tracer.Close(context.Background()) }()
	for _, step := range []struct {
		away bool
		want string
	}{{true, "cannot be sent"}, {false, "sent again"}, {true, "cannot be sent"}} {
		c.away.Store(step.away)
		before := len(log.String())
		for deadline := time.Now().Add(10 * time.Second); !strings.Contains(log.String()[before:],
			step.want); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("away: %v; the log says:\n%s", step.away, log)
			}
			_, end := tracer.Request(endpoint.Endpoint{Path: "/token"}, "id", request(t, "/token"))
			end(endpoint.Outcome{Status: 200})
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 3 {
		t.Errorf("the log has %d lines; want 3:\n%s", n, log)
	}
}
