package console_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/trace"
)

// renew lets the hub see a silent authorization request with this state.
func (h *fixture) renew(t *testing.T, state string) {
	t.Helper()
	_, recorder := h.Hub.Begin(t.Context(), trace.Record{
		ID: "authorize-" + state, Issuer: h.Issuer, Endpoint: "authorize", Method: "GET", Path: "/authorize", ClientID: "spa",
		Silent: true, Status: 303,
		Params: []trace.Value{{Name: "client_id", Text: "spa"}}, Answer: []trace.Value{{Name: "code", Text: "…"}},
	})
	recorder.Join(trace.State, state)
	recorder.End()
}

// watching opens the stream and waits until it watches.
func (h *fixture) watching(t *testing.T) (*http.Response, *bufio.Scanner) {
	t.Helper()
	response := h.ask(t, "GET", "/console/events", "", "Accept", "text/event-stream", "X-Hush-CSRF", "")
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() || lines.Text() != ": watching" {
		t.Fatalf("the stream begins with %q", lines.Text())
	}
	return response, lines
}

// https://html.spec.whatwg.org/multipage/server-sent-events.html
func TestEvents(t *testing.T) {
	h := newFixture(t)
	response, lines := h.watching(t)
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %s; want text/event-stream", got)
	}
	h.renew(t, "one")
	var event struct {
		Flow   trace.Flow
		Record trace.Record
	}
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
		if text := lines.Text(); text != "" && text != "event: flow" {
			t.Errorf("the stream has the line %q", text)
		}
	}
	must(t, json.Unmarshal([]byte(strings.TrimPrefix(lines.Text(), "data: ")), &event))
	if event.Flow.ClientID != "spa" || len(event.Flow.Messages) == 0 || event.Record.ID != "authorize-one" ||
		len(event.Flow.Records) > 0 {
		t.Errorf("the event is %+v", event)
	}
}

func TestAStreamOutlivesTheServersTimeLimits(t *testing.T) {
	h := newFixture(t, func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond })
	_, lines := h.watching(t)
	pass := time.NewTimer(200 * time.Millisecond) // four times the limit
	<-pass.C
	h.renew(t, "late")
	for lines.Scan() {
		if lines.Text() == "event: flow" {
			return
		}
	}
	t.Errorf("the stream ended: %v", lines.Err())
}

func TestStreamsEndWithTheProvider(t *testing.T) {
	h := newFixture(t)
	_, lines := h.watching(t)
	h.end()
	for lines.Scan() {
		if lines.Text() != "" {
			t.Errorf("the stream goes on: %s", lines.Text())
		}
	}
}

func TestFlows(t *testing.T) {
	h := newFixture(t)
	if got := h.json(t, 200, "GET", "/console/flows", "")["flows"]; len(got.([]any)) != 0 {
		t.Errorf("before anything happened there are the flows %v", got)
	}
	h.renew(t, "one")
	h.renew(t, "two")
	flows := h.json(t, 200, "GET", "/console/flows", "")["flows"].([]any)
	if len(flows) != 2 {
		t.Fatalf("there are %d flows; want 2", len(flows))
	}
	newest := flows[0].(map[string]any)
	path := "/console/flows/" + newest["id"].(string)
	one := h.json(t, 200, "GET", path, "")
	if records := one["records"].([]any); records[0].(map[string]any)["id"] != "authorize-two" {
		t.Errorf("the first flow is not the newest: %v", records)
	}
	delete(one, "messages")
	delete(one, "records")
	if diff := cmp.Diff(one, newest); diff != "" {
		t.Errorf("the summary is not the flow without its messages and records: %s", diff)
	}
	for format, want := range map[string]string{"mermaid": "sequenceDiagram", "transcript": "/authorize"} {
		response := h.ask(t, "GET", path+"?format="+format, "")
		if text := read(t, response); !strings.Contains(text, want) ||
			response.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s as %s: %s %s", path, format, response.Header.Get("Content-Type"), text)
		}
	}
	h.json(t, 400, "GET", path+"?format=pdf", "")
	h.json(t, 204, "DELETE", "/console/flows", "")
	h.json(t, 404, "GET", path, "")
}

func TestAListOf200FlowsIsSmall(t *testing.T) {
	h := newFixture(t)
	for i := range 200 {
		h.renew(t, fmt.Sprint(i))
	}
	list := read(t, h.ask(t, "GET", "/console/flows", ""))
	one := read(t, h.ask(t, "GET", "/console/flows/"+h.Hub.Flows()[0].ID, ""))
	if n := strings.Count(list, `"begins":"authorize"`); n != 200 || len(list) > 200*400 {
		t.Errorf("%d flows are %d bytes, and one of them whole %d; want 400 bytes each at most", n, len(list), len(one))
	}
}

func TestCookies(t *testing.T) {
	h := newFixture(t)
	for i := range 120 {
		_, recorder := h.Hub.Begin(t.Context(), trace.Record{
			ID: fmt.Sprint(i), Endpoint: "authorize", Method: "GET", Path: "/authorize", ClientID: "spa", Status: 303,
			Params: []trace.Value{{Name: "client_id", Text: "spa"}}, Fetch: trace.Fetch{Dest: "iframe"},
			Cookies: []trace.Cookie{{Name: "hush_session", Direction: "sent"}},
		})
		recorder.End()
	}
	h.renew(t, "without")
	records := h.json(t, 200, "GET", "/console/cookies", "")["records"].([]any)
	if len(records) != 100 {
		t.Fatalf("there are %d records; want the newest 100", len(records))
	}
	newest := records[0].(map[string]any)
	if newest["id"] != "119" || newest["path"] != "/authorize" || newest["client_id"] != "spa" ||
		newest["fetch"].(map[string]any)["dest"] != "iframe" || len(newest["cookies"].([]any)) != 1 ||
		newest["params"] != nil {
		t.Errorf("the newest record is %v", newest)
	}
}

// A report joins the flow of the request that it is about.
func TestReports(t *testing.T) {
	h := newFixture(t)
	h.renew(t, "one")
	h.json(t, 204, "POST", "/console/reports", `{"kind":"callback","state":"one","ago_ms":2000}`)
	h.json(t, 204, "POST", "/console/reports",
		`{"kind":"api","state":"one","status":401,"url":"http://localhost:9090/api/me?token=secret","took_ms":20}`)
	flows := h.Hub.Flows()
	if len(flows) != 1 || len(flows[0].Records) != 3 {
		t.Fatalf("the flows are %+v; want one of three records", flows)
	}
	records := map[string]trace.Record{}
	for _, record := range flows[0].Records {
		records[record.Endpoint] = record
	}
	callback, api := records["callback"], records["api"]
	if callback.ID == "" || callback.ID == api.ID || callback.Took > 10*time.Millisecond ||
		callback.Steps[0].Kind != trace.KindReport {
		t.Errorf("the callback's report is %+v", callback)
	}
	if ago := api.At.Sub(callback.At); ago < time.Second || ago > 3*time.Second {
		t.Errorf("the callback is %v older than the API call; want about the two seconds that were reported", ago)
	}
	if api.Path != "http://localhost:9090/api/me" || api.Status != 401 || api.Took != 20*time.Millisecond ||
		api.Steps[0].Outcome != trace.Failed {
		t.Errorf("the API's report is %+v", api)
	}
}

func TestAReportOfTwoClocks(t *testing.T) {
	h := newFixture(t)
	h.json(t, 204, "POST", "/console/reports", `{"kind":"clock","state":"s","skew_s":-600}`)
	if record := h.Hub.Flows()[0].Records[0]; record.ClockOffset != -10*time.Minute || record.Reason != "clock.skew" {
		t.Errorf("the report is %+v; want clock.skew by ten minutes", record)
	}
}

func TestReportsThatSayNothing(t *testing.T) {
	h := newFixture(t)
	for _, body := range []string{"", "[]", "{}", `{"kind":"callback"}`, `{"kind":"weather","state":"s"}`,
		`{"kind":"api","jti":"j","status":9}`, `{"kind":"api","jti":"j","sattus":200}`} {
		h.json(t, 400, "POST", "/console/reports", body)
	}
	if flows := h.Hub.Flows(); len(flows) != 0 {
		t.Errorf("they made the flows %+v", flows)
	}
}
