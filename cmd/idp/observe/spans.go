package observe

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/storage"
)

// Tracer makes spans. Its methods may be called by many goroutines.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// NewTracer returns a Tracer that sends spans as the options say; it changes nothing global.
func NewTracer(options ...sdk.TracerProviderOption) *Tracer {
	provider := sdk.NewTracerProvider(options...)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/hush-idp/hush")}
}

// Close sends the remaining spans, for as long as ctx allows. Later spans are dropped.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// Request implements idp.Observer: it makes a span for the request. The request that it returns carries the span: store
// operations in its context are child spans.
func (t *Tracer) Request(e endpoint.Endpoint, requestID string, r *http.Request) (*http.Request,
	func(endpoint.Outcome)) {
	if e.Streams {
		return r, func(endpoint.Outcome) {}
	}
	route := cmp.Or(e.Path, e.Name)
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", route),
		attribute.String("url.path", r.URL.Path), attribute.String("hush.request_id", requestID)))
	return r.WithContext(ctx), func(outcome endpoint.Outcome) {
		if outcome.Status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", outcome.Status))
		}
		if e := outcome.Refused; e != nil {
			span.SetAttributes(attribute.String("error.type", string(e.Code)), attribute.String("hush.reason", string(e.Reason)))
		}
		if outcome.Status == 0 || outcome.Status >= http.StatusInternalServerError { // a client's mistake is no failure
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Store implements idp.Observer: it makes a child span of each operation within a request. An operation outside of a
// request, such as a read of the signing keys, would be a trace of its own: it gets no span.
func (t *Tracer) Store(next storage.Store) storage.Store {
	return &operations{next, func(ctx context.Context, method, bucket string) (context.Context, func(error, bool)) {
		if !trace.SpanContextFromContext(ctx).IsValid() {
			return ctx, func(error, bool) {}
		}
		ctx, span := t.tracer.Start(ctx, "store "+method+" "+bucket, trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(
				attribute.String("db.operation.name", method), attribute.String("db.collection.name", bucket)))
		return ctx, func(err error, refused bool) {
			if err != nil && !refused && !errors.Is(err, storage.ErrNotFound) {
				span.SetStatus(codes.Error, err.Error())
			}
			span.End()
		}
	}}
}
