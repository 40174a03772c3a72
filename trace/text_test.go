package trace_test

import (
	"flag"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/hush-idp/hush/trace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	same(t, path, got, string(want))
}

func TestASilentRenewalInText(t *testing.T) {
	h := newHub(t)
	authorize(h)
	callback(h)
	token(h)
	userinfo(h)
	golden(t, "silent.mmd", only(t, h).Mermaid())
	golden(t, "silent.txt", only(t, h).Transcript())
}

func TestAFailureInText(t *testing.T) {
	h := newHub(t)
	authorize(h, refused("login_required", "session.none"), withoutCookie)
	golden(t, "failed.mmd", only(t, h).Mermaid())
	golden(t, "failed.txt", only(t, h).Transcript())
}

func TestWhatAClientWritesDoesNotBecomeADiagram(t *testing.T) {
	h := newHub(t)
	authorize(h, refused("x;\n    App->>API: <b>#", "session.none"))
	got := only(t, h).Mermaid()
	if strings.Contains(got, "\n    App->>API") || strings.Contains(got, "<b>") ||
		!strings.Contains(got, "error=x#59;     App-#gt;#gt;API: #lt;b#gt;#35;") {
		t.Error(got)
	}
	if got := only(t, h).Transcript(); strings.Contains(got, "\n    App->>API") {
		t.Error(got)
	}
}

func TestAFaultIsNamedAtTheAnswerThatItChanged(t *testing.T) {
	h := newHub(t)
	authorize(h)
	send(h, trace.Record{ID: "t", Endpoint: "token", Method: "POST", Path: "/token", Status: 200,
		Params: trace.Params(url.Values{"code": {code}})}, "", nil, trace.Step{Kind: trace.KindFault, Outcome: trace.Noted,
		Values: []trace.Value{trace.Plain("fault", "bad_signature"), trace.Plain("used", "1 of 1")}})
	flow := only(t, h)
	same(t, "the state", flow.State, trace.FlowDone)
	same(t, "the faults of the flow", strings.Join(flow.Faults, " "), "bad_signature")
	for _, m := range flow.Messages {
		isAnswer := m.Record == "t" && m.From == trace.LaneProvider
		if got := strings.Join(m.Faults, " "); (got == "bad_signature") != isAnswer {
			t.Errorf("%s > %s has the faults %q", m.From, m.To, got)
		}
	}
	if want := "Note over App,Provider: failure lab: bad_signature\n"; !strings.HasSuffix(flow.Mermaid(), want) {
		t.Errorf("the diagram does not end with %q:\n%s", want, flow.Mermaid())
	}
}

func TestTwoFlowsThatWentTheSameWayHaveTheSameTranscript(t *testing.T) {
	first, second := newHub(t), newHub(t)
	for _, h := range []*trace.Hub{first, second} {
		authorize(h)
	}
	token(first)
	token(second, params("grant_type", "authorization_code", "code", code, "code_verifier", strings.Repeat("v", 43)))
	same(t, "the transcripts", only(t, second).Transcript(), only(t, first).Transcript())
}
