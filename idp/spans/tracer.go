package spans

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
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

// Span is a request that is being answered.
type Span struct{ span trace.Span }

// Begin begins the span of a request, with the route that answers it and the request's id. The request that comes back
// carries it: what happens in its context are child spans.
func (t *Tracer) Begin(r *http.Request, route, requestID string) (*http.Request, *Span) {
	if t == nil {
		return r, nil
	}
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", route),
		attribute.String("url.path", r.URL.Path), attribute.String("hush.request_id", requestID)))
	return r.WithContext(ctx), &Span{span}
}

// End ends the span with how the request was answered: the status, 0 for a connection that was dropped, and the OAuth
// error code and reason code, both empty for none.
func (s *Span) End(status int, errorCode, reason string) {
	if s == nil {
		return
	}
	if status != 0 {
		s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if errorCode != "" {
		s.span.SetAttributes(attribute.String("error.type", errorCode), attribute.String("hush.reason", reason))
	}
	if status == 0 || status >= http.StatusInternalServerError { // what a client did wrong is no failure of the server
		s.span.SetStatus(codes.Error, reason)
	}
	s.span.End()
}
