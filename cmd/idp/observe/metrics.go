// Package observe measures the provider for Prometheus and for OpenTelemetry.
//
//	a request            Metrics.Request ─► hush_requests_total, hush_request_duration_seconds       ┐
//	a store operation    Metrics.Store   ─► hush_store_operation_duration_seconds                    ┴► GET /metrics
//
//	GET /authorize                Tracer.Request    http.route, status, request id, error, reason    ┐
//	   ├─ store get session       Tracer.Store      the bucket                                        ├► a collector
//	   └─ store put code                                                                              ┘
//
// Every label is a word of this program: an endpoint, an OAuth error code, a reason code (docs/reasons.md), a bucket.
// No label comes from a request, so a client cannot make the number of series grow. Neither metrics nor spans contain a
// query, a body, a cookie or a key of the store, because codes and tokens travel there.
//
// Spans are sent if OTEL_EXPORTER_OTLP_ENDPOINT is set; the variables of OpenTelemetry say how many
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). A request with a traceparent
// header continues that trace (https://www.w3.org/TR/trace-context/). hush.request_id is the X-Request-Id of the answer
// and of the access log. The numbers describe one process; Prometheus adds up replicas.
package observe

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Metrics counts requests and store operations in a registry of its own. Its methods may be called by many goroutines.
type Metrics struct {
	now         func() time.Time
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	requestTook *prometheus.HistogramVec
	operations  *prometheus.HistogramVec
}

// The upper bounds of the histograms, in seconds. A token costs two signatures, an operation of the memory engine a
// microsecond, one of another machine a fraction of a millisecond.
var (
	requestBounds   = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
	operationBounds = []float64{.00001, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 2.5}
)

// NewMetrics returns Metrics that measure durations by now.
func NewMetrics(now func() time.Time) *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	with := promauto.With(registry)
	return &Metrics{
		now: now, registry: registry,
		requests: with.NewCounterVec(prometheus.CounterOpts{Name: "hush_requests_total",
			Help: "Requests by endpoint, status class, OAuth error code and reason code; without an error both are empty."},
			[]string{"endpoint", "status", "error", "reason"}),
		requestTook: with.NewHistogramVec(prometheus.HistogramOpts{Name: "hush_request_duration_seconds",
			Help: "Time from a request's arrival to the end of its answer.", Buckets: requestBounds}, []string{"endpoint"}),
		operations: with.NewHistogramVec(prometheus.HistogramOpts{Name: "hush_store_operation_duration_seconds",
			Help: "Time of a call of the storage engine, by bucket, method (get, put, update) " +
				"and outcome (ok, not_found, refused, cancelled, unavailable, failed).", Buckets: operationBounds},
			[]string{"bucket", "method", "outcome"}),
	}
}

// Handler serves the numbers in the form that Prometheus reads.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Endpoint serves the numbers at /metrics of the provider.
func (m *Metrics) Endpoint() endpoint.Endpoint {
	handler := m.Handler()
	return endpoint.Endpoint{
		Name: "metrics", Path: endpoint.PathMetrics, Methods: []string{http.MethodGet}, Audience: endpoint.Visitors,
		Untraced: true,
		Serve: func(w http.ResponseWriter, r *http.Request) error {
			handler.ServeHTTP(w, r)
			return nil
		},
	}
}

// Request implements idp.Observer: it counts the request by endpoint, status, OAuth error code and reason code, and
// measures how long it took.
func (m *Metrics) Request(e endpoint.Endpoint, _ string, r *http.Request) (*http.Request, func(endpoint.Outcome)) {
	if e.Streams {
		return r, func(endpoint.Outcome) {}
	}
	return r, func(outcome endpoint.Outcome) {
		var refused oidc.Error
		if outcome.Refused != nil {
			refused = *outcome.Refused
		}
		class := "dropped" // the connection ended without an answer
		if outcome.Status > 0 {
			class = strconv.Itoa(outcome.Status/100) + "xx"
		}
		m.requests.WithLabelValues(e.Name, class, string(refused.Code), string(refused.Reason)).Inc()
		m.requestTook.WithLabelValues(e.Name).Observe(outcome.Took.Seconds())
	}
}

// Store implements idp.Observer: it counts and times each operation.
func (m *Metrics) Store(next storage.Store) storage.Store {
	return &operations{next, func(ctx context.Context, method, bucket string) (context.Context, func(error, bool)) {
		start := m.now()
		return ctx, func(err error, refused bool) {
			took := m.now().Sub(start)
			m.operations.WithLabelValues(bucket, method, outcome(err, refused)).Observe(took.Seconds())
		}
	}}
}

// outcome is the label for the result of an operation.
func outcome(err error, refused bool) string {
	switch {
	case err == nil:
		return "ok"
	case refused:
		return "refused"
	case errors.Is(err, storage.ErrNotFound):
		return "not_found"
	case errors.Is(err, storage.ErrUnavailable): // may wrap the deadline of the engine, not of the request
		return "unavailable"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled"
	}
	return "failed"
}
