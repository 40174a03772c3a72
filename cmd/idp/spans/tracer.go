package spans

import (
	"cmp"
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/hush-idp/hush/idp/endpoint"
)

// Tracer makes spans. All its methods may be called by many goroutines, and do nothing on nil.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// New returns a Tracer that hands its spans to what the options name; nothing in it is global.
func New(options ...sdk.TracerProviderOption) *Tracer {
	provider := sdk.NewTracerProvider(options...)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/hush-idp/hush")}
}

// Close sends what is left, for as long as ctx allows. There are no spans after it.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Request implements idp.Observer: a span for the request, with the path of its endpoint and the request's id. The request
// that comes back carries it: what happens in its context are child spans.
func (t *Tracer) Request(e endpoint.Endpoint, requestID string, r *http.Request) (*http.Request, func(endpoint.Outcome)) {
	if t == nil || e.Streams {
		return r, func(endpoint.Outcome) {}
	}
	route := cmp.Or(e.Path, e.Name)
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", route),
		attribute.String("url.path", r.URL.Path), attribute.String("hush.request_id", requestID)))
	return r.WithContext(ctx), func(outcome endpoint.Outcome) { finish(span, outcome) }
}

// finish ends the span with how the request was answered.
func finish(span trace.Span, outcome endpoint.Outcome) {
	if outcome.Status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", outcome.Status))
	}
	if e := outcome.Refused; e != nil {
		span.SetAttributes(attribute.String("error.type", string(e.Code)), attribute.String("hush.reason", string(e.Reason)))
	}
	if outcome.Status == 0 || outcome.Status >= http.StatusInternalServerError { // what a client did wrong is no failure of the server
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
