package observe_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/hush-idp/hush/cmd/idp/observe"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// recording is a Tracer, and what it has recorded.
func recording(t *testing.T) (*observe.Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	return observe.NewTracer(sdk.WithSpanProcessor(recorder)), recorder
}

func request(t *testing.T, target string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
}

func attributes(span sdk.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range span.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func TestARequestIsASpanThatKnowsItsID(t *testing.T) {
	tracer, recorder := recording(t)
	_, end := tracer.Request(endpoint.Endpoint{Path: "/authorize"}, "the-id", request(t, "/authorize?code=secret"))
	end(endpoint.Outcome{Status: 303, Refused: &oidc.Error{Code: "login_required", Reason: "session.none"}})
	ended := recorder.Ended()
	if len(ended) != 1 || ended[0].Name() != "GET /authorize" || ended[0].SpanKind() != trace.SpanKindServer {
		t.Fatalf("%+v", ended)
	}
	for key, want := range map[string]string{
		"hush.request_id": "the-id", "http.route": "/authorize", "url.path": "/authorize", "http.response.status_code": "303",
		"error.type": "login_required", "hush.reason": "session.none",
	} {
		if got := attributes(ended[0])[key]; got != want {
			t.Errorf("%s = %q; want %q", key, got, want)
		}
	}
	if status := ended[0].Status(); status.Code != codes.Unset {
		t.Errorf("what the client lacks is counted as a failure of the server: %+v", status)
	}
}

func TestAFailureOfTheServerIsOne(t *testing.T) {
	for _, status := range []int{500, 503, 0} {
		tracer, recorder := recording(t)
		_, end := tracer.Request(endpoint.Endpoint{Path: "/token"}, "id", request(t, "/token"))
		end(endpoint.Outcome{Status: status})
		if got := recorder.Ended()[0].Status().Code; got != codes.Error {
			t.Errorf("%d is %v", status, got)
		}
	}
}

// https://www.w3.org/TR/trace-context/
func TestATraceThatBeganElsewhereGoesOn(t *testing.T) {
	tracer, recorder := recording(t)
	r := request(t, "/token")
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	_, end := tracer.Request(endpoint.Endpoint{Path: "/token"}, "id", r)
	end(endpoint.Outcome{Status: 200})
	ended := recorder.Ended()[0]
	if ended.SpanContext().TraceID().String() != "0af7651916cd43dd8448eb211c80319c" ||
		ended.Parent().SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("the trace is %s, the parent %s", ended.SpanContext().TraceID(), ended.Parent().SpanID())
	}
}

func TestStoreCallsAreChildrenOfTheirRequest(t *testing.T) {
	tracer, recorder := recording(t)
	sessions := storage.NewBucket[string]("session", tracer.Store(storage.NewMemory(time.Now)))
	r, end := tracer.Request(endpoint.Endpoint{Path: "/authorize"}, "id", request(t, "/authorize"))
	ctx, refused := r.Context(), errors.New("spent")
	_ = sessions.Put(ctx, "secret", "v", time.Minute)
	_, _ = sessions.Get(ctx, "nobody")
	_ = sessions.Update(ctx, "secret", time.Minute, func(*string) (*string, error) { return nil, refused })
	end(endpoint.Outcome{Status: 200})
	ended := recorder.Ended()
	if len(ended) != 4 {
		t.Fatalf("%d spans; want 4", len(ended))
	}
	for i, name := range []string{"store put session", "store get session", "store update session"} {
		child := ended[i]
		if child.Name() != name || child.Parent().SpanID() != ended[3].SpanContext().SpanID() ||
			child.Status().Code != codes.Unset {
			t.Errorf("%s is %s, a child of %s, %v", name, child.Name(), child.Parent().SpanID(), child.Status())
		}
		for _, a := range child.Attributes() {
			if a.Value.Type() == attribute.STRING && len(a.Value.AsString()) > len("session") {
				t.Errorf("%s shows %s", name, a.Value.AsString())
			}
		}
	}
}

func TestAnEngineThatFailsIsSeen(t *testing.T) {
	tracer, recorder := recording(t)
	spy := &storagetest.Spy{Store: storage.NewMemory(time.Now)}
	spy.Gone(true)
	r, end := tracer.Request(endpoint.Endpoint{Path: "/authorize"}, "id", request(t, "/authorize"))
	if _, err := tracer.Store(spy).Get(r.Context(), "session:x"); !errors.Is(err, storagetest.ErrEngine) {
		t.Error(err)
	}
	end(endpoint.Outcome{Status: 503, Refused: &oidc.Error{Code: "temporarily_unavailable", Reason: "server.failed"}})
	if status := recorder.Ended()[0].Status(); status.Code != codes.Error ||
		status.Description != storagetest.ErrEngine.Error() {
		t.Errorf("%+v", status)
	}
}

func TestOutsideOfRequestsNothingIsTraced(t *testing.T) {
	tracer, recorder := recording(t)
	store := tracer.Store(storage.NewMemory(time.Now))
	_ = store.Put(t.Context(), "keys:x", nil, time.Minute)
	if n := len(recorder.Started()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

func TestTheTracedStoreIsAStore(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storagetest.Engine {
		tracer, _ := recording(t)
		clock := storagetest.NewClock()
		return storagetest.Engine{Store: tracer.Store(storage.NewMemory(clock.Now)), Pass: clock.Pass}
	})
}
