package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/hush-idp/hush/cmd/idp/observe"
	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage"
)

// observed starts a provider that is measured.
func observed(t *testing.T, more ...endpoint.Endpoint) (*idptest.Provider, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	numbers := observe.NewMetrics(time.Now)
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	provider, mode, err := dev.Provider(idp.Config{Issuer: issuer, SigningKeys: []idp.SigningKey{{Alg: "ES256"}}},
		idp.Dependencies{
			Store: storage.NewMemory(time.Now), Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Observers: []idp.Observer{numbers, observe.NewTracer(sdk.WithSpanProcessor(recorder))},
			Endpoints: append([]endpoint.Endpoint{numbers.Endpoint()}, more...),
		})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = provider
	server.Start()
	t.Cleanup(server.Close)
	return &idptest.Provider{Provider: provider, Mode: mode, Issuer: issuer}, recorder
}

// wantCounted says which lines GET /metrics has.
func wantCounted(t *testing.T, b *idptest.Browser, lines ...string) {
	t.Helper()
	page := b.Get("/metrics")
	for _, line := range lines {
		if !strings.Contains(page.Body, "\n"+line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if t.Failed() {
		for line := range strings.Lines(page.Body) {
			if strings.HasPrefix(line, "hush_") && !strings.Contains(line, "_bucket") {
				t.Log(strings.TrimSpace(line))
			}
		}
	}
}

func TestWhatARenewalCostsIsCounted(t *testing.T) {
	p, _ := observed(t)
	b := p.Browser(t)
	b.Authorize(idptest.Request("spa", "prompt", "none"))
	b.SignIn("alice")
	code := b.Code(idptest.Request("spa", "prompt", "none"))
	b.Tokens("spa", code)
	b.Post("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"spa"}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
	})
	b.GetWithToken("/userinfo", "x.y.z")
	b.Get("/nowhere/" + code)
	wantCounted(t, b,
		`hush_requests_total{endpoint="authorize",error="login_required",reason="session.none",status="3xx"} 1`,
		`hush_requests_total{endpoint="authorize",error="",reason="",status="3xx"} 1`,
		`hush_requests_total{endpoint="login",error="",reason="",status="2xx"} 1`,
		`hush_requests_total{endpoint="login",error="",reason="",status="3xx"} 1`,
		`hush_requests_total{endpoint="token",error="",reason="",status="2xx"} 1`,
		`hush_requests_total{endpoint="token",error="invalid_grant",reason="code.replayed",status="4xx"} 1`,
		`hush_requests_total{endpoint="userinfo",error="invalid_token",reason="token.invalid",status="4xx"} 1`,
		`hush_requests_total{endpoint="other",error="invalid_request",reason="",status="4xx"} 1`,
		`hush_request_duration_seconds_count{endpoint="token"} 2`,
		`hush_store_operation_duration_seconds_count{bucket="session",method="get",outcome="ok"} 1`,
		`hush_store_operation_duration_seconds_count{bucket="code",method="update",outcome="ok"} 2`, // the marks' ID, a mark
		`hush_store_operation_duration_seconds_count{bucket="code",method="update",outcome="refused"} 1`,
	)
	if strings.Contains(b.Get("/metrics").Body, code) {
		t.Error("the code is in it")
	}
}

func TestAConnectionThatIsDroppedIsCounted(t *testing.T) {
	p, recorder := observed(t)
	p.Fail(t, lab.Fault{Fault: lab.Drop, Endpoint: "jwks"})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Issuer+"/jwks", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultTransport.RoundTrip(r); err == nil {
		t.Fatal("the connection was not dropped")
	}
	wantCounted(t, p.Browser(t), `hush_requests_total{endpoint="jwks",error="",reason="",status="dropped"} 1`)
	if n := len(recorder.Ended()); n == 0 {
		t.Error("there is no span of it")
	}
}

func TestTheSpanOfARequestHasItsIDAndItsStoreCalls(t *testing.T) {
	p, recorder := observed(t)
	b := p.Browser(t)
	b.SignIn("alice")
	b.Code(idptest.Request("spa", "prompt", "none"))
	recorder.Reset()
	page := b.Authorize(idptest.Request("spa", "prompt", "none"))
	ended := slices.DeleteFunc(recorder.Ended(), func(span sdk.ReadOnlySpan) bool {
		return span.Name() == "store get code" // the ID of the marks, once in a second
	})
	names := make([]string, len(ended))
	for i, span := range ended {
		names[i] = span.Name()
	}
	if got, want := strings.Join(names, ", "), "store get session, GET /authorize"; got != want {
		t.Fatalf("the spans are %s; want %s", got, want)
	}
	request := ended[1]
	for _, child := range ended[:1] {
		if child.Parent().SpanID() != request.SpanContext().SpanID() {
			t.Errorf("%s is no child of the request", child.Name())
		}
	}
	id := ""
	for _, a := range request.Attributes() {
		if a.Key == "hush.request_id" {
			id = a.Value.AsString()
		}
		if strings.Contains(a.Value.String(), "code_challenge") {
			t.Errorf("%s has the query", a.Key)
		}
	}
	if id == "" || id != page.Header.Get("X-Request-Id") {
		t.Errorf("the span's request id is %q; the answer's %q", id, page.Header.Get("X-Request-Id"))
	}
}
