package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts. All its methods may be called by many goroutines, and do nothing on nil.
type Metrics struct {
	now      func() time.Time
	registry *prometheus.Registry

	requests       *prometheus.CounterVec
	requestTook    *prometheus.HistogramVec
	operations     *prometheus.CounterVec
	operationsTook *prometheus.HistogramVec
}

// The upper bounds, in seconds, that durations are counted below. A token costs two signatures, an operation of the memory
// engine a microsecond, one of another machine a fraction of a millisecond.
var (
	requestBounds   = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
	operationBounds = []float64{.00001, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 2.5}
)

// New returns Metrics that measure durations by now and have counted nothing.
func New(now func() time.Time) *Metrics {
	m := &Metrics{
		now:      now,
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hush_requests_total",
			Help: "Requests by endpoint, status class, OAuth error code and reason code; without an error both are empty."}, []string{"endpoint", "status", "error", "reason"}),
		requestTook: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hush_request_duration_seconds", Buckets: requestBounds,
			Help: "Time from a request's arrival to the end of its answer."}, []string{"endpoint"}),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hush_store_operations_total",
			Help: "Calls of the storage engine by bucket, method (get, put, update) and outcome (ok, not_found, refused, cancelled, unavailable, failed)."}, []string{"bucket", "method", "outcome"}),
		operationsTook: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hush_store_operation_duration_seconds", Buckets: operationBounds,
			Help: "Time of a call of the storage engine."}, []string{"bucket", "method"}),
	}
	m.registry.MustRegister(m.requests, m.requestTook, m.operations, m.operationsTook,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with all that was counted, in the form that Prometheus reads.
func (m *Metrics) Handler() http.Handler {
	if m == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Request is one that is being answered.
type Request struct {
	metrics  *Metrics
	endpoint string
	began    time.Time
}

// Begin begins to measure a request to an endpoint: authorize, token …
func (m *Metrics) Begin(endpoint string) *Request {
	if m == nil {
		return nil
	}
	return &Request{m, endpoint, m.now()}
}

// End counts the request with how it was answered: the status, 0 for a connection that was dropped, and the OAuth error
// code and reason code, in the body or by redirect, both empty for none. The words must be the program's own.
func (r *Request) End(status int, errorCode, reason string) {
	if r == nil {
		return
	}
	r.metrics.requests.WithLabelValues(r.endpoint, class(status), errorCode, reason).Inc()
	r.metrics.requestTook.WithLabelValues(r.endpoint).Observe(r.metrics.now().Sub(r.began).Seconds())
}

// class is 2xx, 4xx …, or dropped.
func class(status int) string {
	if status == 0 {
		return "dropped"
	}
	return strconv.Itoa(status/100) + "xx"
}
