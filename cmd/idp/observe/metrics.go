// Package observe measures the provider for Prometheus and for OpenTelemetry.
//
//	a request            Metrics.Request ─► hush_requests_total, hush_request_duration_seconds       ┐
//	a store operation    Metrics.Store   ─► hush_store_operation_duration_seconds                    ┴► GET /metrics
//
//	GET /authorize                Tracer.Request    http.route, status, request id, error, reason    ┐► a collector
//	   └─ store get session       Tracer.Store      the bucket                                       ┘
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
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Metrics counts requests and store operations in a set of its own. Its methods may be called by many goroutines.
type Metrics struct {
	now         func() time.Time
	set         *metrics.Set
	requests    *series[answer, *metrics.Counter]
	requestTook *series[string, *metrics.PrometheusHistogram]
	operations  *series[operation, *metrics.PrometheusHistogram]
}

// The labels of a request and of a store operation.
type (
	answer struct {
		endpoint, status string
		code             oidc.ErrorCode
		reason           oidc.Reason
	}
	operation struct{ bucket, method, outcome string }
)

// The upper bounds of the histograms, in seconds. A token costs two signatures, an operation of the memory engine a
// microsecond, one of another machine a fraction of a millisecond.
var (
	requestBounds   = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
	operationBounds = []float64{.00001, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 2.5}
)

// NewMetrics returns Metrics that measure durations by now.
func NewMetrics(now func() time.Time) *Metrics {
	metrics.ExposeMetadata(true) // the types, which Prometheus shows; the setting is the same for all sets of a process
	set := metrics.NewSet()
	histogram := func(name string, bounds []float64) *metrics.PrometheusHistogram {
		return set.NewPrometheusHistogramExt(name, bounds)
	}
	return &Metrics{
		now: now, set: set,
		requests: newSeries(func(a answer) *metrics.Counter {
			return set.NewCounter(fmt.Sprintf(`hush_requests_total{endpoint=%q,error=%q,reason=%q,status=%q}`,
				a.endpoint, a.code, a.reason, a.status))
		}),
		requestTook: newSeries(func(endpoint string) *metrics.PrometheusHistogram {
			return histogram(fmt.Sprintf(`hush_request_duration_seconds{endpoint=%q}`, endpoint), requestBounds)
		}),
		operations: newSeries(func(o operation) *metrics.PrometheusHistogram {
			return histogram(fmt.Sprintf(`hush_store_operation_duration_seconds{bucket=%q,method=%q,outcome=%q}`,
				o.bucket, o.method, o.outcome), operationBounds)
		}),
	}
}

// Handler serves the numbers of the provider, of Go and of the process in the text form that Prometheus reads.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		m.set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
		metrics.WriteFDMetrics(w)
	})
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
		m.requests.with(answer{e.Name, class, refused.Code, refused.Reason}).Inc()
		m.requestTook.with(e.Name).Update(outcome.Took.Seconds())
	}
}

// Store implements idp.Observer: it counts and times each operation.
func (m *Metrics) Store(next storage.Store) storage.Store {
	return &operations{next, func(ctx context.Context, method, bucket string) (context.Context, func(error, bool)) {
		start := m.now()
		return ctx, func(err error, refused bool) {
			took := m.now().Sub(start)
			m.operations.with(operation{bucket, method, outcome(err, refused)}).Update(took.Seconds())
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
