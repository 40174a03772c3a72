package spans

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/hush-idp/hush/storage"
)

// Store returns a decorator around next that makes a child span of each operation within a request. On nil it is next
// itself.
func (t *Tracer) Store(next storage.Store) storage.Store {
	if t == nil {
		return next
	}
	return &spanned{next, t.tracer}
}

type spanned struct {
	next   storage.Store
	tracer trace.Tracer
}

// Get implements storage.Store.
func (s *spanned) Get(ctx context.Context, key string) ([]byte, error) {
	ctx, span := s.begin(ctx, "get", key)
	value, err := s.next.Get(ctx, key)
	end(span, err, false)
	return value, err
}

// Put implements storage.Store.
func (s *spanned) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	ctx, span := s.begin(ctx, "put", key)
	err := s.next.Put(ctx, key, value, ttl)
	end(span, err, false)
	return err
}

// Update implements storage.Store.
func (s *spanned) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	ctx, span := s.begin(ctx, "update", key)
	refused := false
	err := s.next.Update(ctx, key, ttl, func(old []byte) ([]byte, error) {
		value, err := change(old)
		refused = err != nil
		return value, err
	})
	end(span, err, refused)
	return err
}

// begin begins a span named by the method and the bucket. What happens outside a request, such as a look at the signing keys
// now and then, would be a trace of its own each time: it gets the span that does nothing.
func (s *spanned) begin(ctx context.Context, method, key string) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, trace.SpanFromContext(ctx)
	}
	bucket, _, _ := strings.Cut(key, ":")
	return s.tracer.Start(ctx, "store "+method+" "+bucket, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.operation.name", method), attribute.String("db.collection.name", bucket)))
}

// end ends it. That there is no record, or that its owner refused the change, is an answer and no failure.
func end(span trace.Span, err error, refused bool) {
	if err != nil && !refused && !errors.Is(err, storage.ErrNotFound) {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
