package metrics

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
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

// Request implements idp.Observer: it counts the request by endpoint, status, OAuth error code and reason code, and measures
// how long it took.
func (m *Metrics) Request(e endpoint.Endpoint, _ string, r *http.Request) (*http.Request, func(endpoint.Outcome)) {
	if m == nil || e.Streams {
		return r, func(endpoint.Outcome) {}
	}
	start := m.now()
	return r, func(outcome endpoint.Outcome) {
		refused := cmp.Or(outcome.Refused, &oidc.Error{})
		m.requests.WithLabelValues(e.Name, class(outcome.Status), string(refused.Code), string(refused.Reason)).Inc()
		m.requestTook.WithLabelValues(e.Name).Observe(m.now().Sub(start).Seconds())
	}
}

// Endpoint serves the numbers to Prometheus.
func (m *Metrics) Endpoint() endpoint.Endpoint {
	handler := m.Handler()
	return endpoint.Endpoint{
		Name: "metrics", Path: "/metrics", Methods: []string{http.MethodGet}, Audience: endpoint.Visitors, Untraced: true,
		Serve: func(w http.ResponseWriter, r *http.Request) error {
			handler.ServeHTTP(w, r)
			return nil
		},
	}
}

// class is 2xx, 4xx …, or dropped.
func class(status int) string {
	if status == 0 {
		return "dropped"
	}
	return strconv.Itoa(status/100) + "xx"
}
