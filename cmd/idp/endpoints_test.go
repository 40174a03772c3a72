package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// madeUp are endpoints that the provider has never heard of: one for programs, one for people.
var madeUp = []endpoint.Endpoint{
	{
		Name: "barter", Path: "/barter", Methods: []string{http.MethodPost}, Audience: endpoint.Programs,
		Serve: func(w http.ResponseWriter, _ *http.Request) error {
			return oidc.WriteJSON(w, http.StatusOK, map[string]string{"made": "up"})
		},
		Describe: func(m *oidc.Metadata) { m.CheckSessionIframe = "https://barter.example" },
	},
	{
		Name: "garden", Path: "/garden", Methods: []string{http.MethodGet, http.MethodPost}, Audience: endpoint.People,
		Serve: func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		},
	},
}

// A new endpoint is one literal: everything that loops over endpoints finds it.
func TestAMadeUpEndpointIsFoundEverywhere(t *testing.T) {
	p, recorder := observed(t, madeUp...)
	b := p.Browser(t)

	if page := b.Post("/barter", url.Values{}); page.Status != http.StatusOK {
		t.Fatalf("routing: %d %s", page.Status, page.Body)
	}
	if flow := p.LastFlow(t); flow.Records[0].Endpoint != "barter" {
		t.Errorf("the trace calls it %q", flow.Records[0].Endpoint)
	}
	wantCounted(t, b, `hush_requests_total{endpoint="barter",error="",reason="",status="2xx"} 1`)
	if spans := recorder.Ended(); !slices.ContainsFunc(spans,
		func(s sdk.ReadOnlySpan) bool { return s.Name() == "POST /barter" }) {
		t.Error("it has no span")
	}
	preflight := send(t, p, http.MethodOptions, "/barter", "Origin", "http://localhost:9090",
		"Access-Control-Request-Method", "POST")
	if got := preflight.Header.Get("Access-Control-Allow-Origin"); got != "http://localhost:9090" {
		t.Errorf("CORS: Access-Control-Allow-Origin is %q", got)
	}
	if page := b.Post("/garden", url.Values{}); page.Status != http.StatusForbidden {
		t.Errorf("CSRF: a form without a token gives %d", page.Status)
	}
	var kinds struct{ Kinds []lab.KindInfo }
	decode(t, b.Get("/console/faults/kinds").Body, &kinds)
	if i := slices.IndexFunc(kinds.Kinds, func(k lab.KindInfo) bool { return k.Kind == lab.Drop }); i < 0 ||
		!slices.Contains(kinds.Kinds[i].Endpoints, "barter") {
		t.Errorf("the failure lab does not offer it: %+v", kinds)
	}
	p.Fail(t, lab.Fault{Fault: lab.Status, Endpoint: "barter", Status: http.StatusTeapot})
	if page := b.Post("/barter", url.Values{}); page.Status != http.StatusTeapot {
		t.Errorf("a fault did not meet it: %d", page.Status)
	}
	var metadata oidc.Metadata
	decode(t, b.Get("/.well-known/openid-configuration").Body, &metadata)
	if metadata.CheckSessionIframe != "https://barter.example" {
		t.Errorf("discovery does not say what it describes: %+v", metadata)
	}
	if home := b.Get("/"); !strings.Contains(home.Body, "/barter") {
		t.Error("the home page does not list it")
	}
}

// The endpoints that were missing in one list or another: metrics, spans, trace and lab know each by its name.
func TestEveryEndpointHasItsNameEverywhere(t *testing.T) {
	for name, request := range map[string]struct{ method, path string }{
		"device":               {http.MethodGet, "/device"},
		"device_authorization": {http.MethodPost, "/device_authorization"},
		"register":             {http.MethodPost, "/register"},
		"account":              {http.MethodGet, "/account"},
		"par":                  {http.MethodPost, "/par"},
		"revoke":               {http.MethodPost, "/revoke"},
		"introspect":           {http.MethodPost, "/introspect"},
		"logout":               {http.MethodGet, "/logout"},
	} {
		t.Run(name, func(t *testing.T) {
			p, recorder := observed(t)
			send(t, p, request.method, request.path)
			if flow := p.LastFlow(t); flow.Records[0].Endpoint != name {
				t.Errorf("the trace calls it %q", flow.Records[0].Endpoint)
			}
			if body := p.Browser(t).Get("/metrics").Body; !strings.Contains(body, `hush_requests_total{endpoint="`+name+`"`) {
				t.Error("metrics do not name it")
			}
			if ended := recorder.Ended(); len(ended) == 0 || ended[0].Name() != request.method+" "+request.path {
				t.Error("spans do not name it")
			}
			p.Fail(t, lab.Fault{Fault: lab.Status, Endpoint: name, Status: http.StatusTeapot})
			if got := send(t, p, request.method, request.path).StatusCode; got != http.StatusTeapot {
				t.Errorf("a fault did not meet it: %d", got)
			}
		})
	}
}

// send sends one request with headers, given as names and values, and without a body.
func send(t *testing.T, p *idptest.Provider, method, path string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.Issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
}
