package idp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/trace"
)

// The application sees only "Failed to fetch", so the console has to say what the browser refused.
func TestTheTraceNamesWhatAPreflightRefused(t *testing.T) {
	const app, elsewhere = "http://localhost:9090", "https://elsewhere.test"
	for _, row := range []struct {
		name, path, origin, method, headers string
		reason, says                        string // no reason: no flow
	}{
		{"Fetch §3.2 an origin of no client", "/token", elsewhere, "POST", "dpop", "origin.not_allowed", elsewhere},
		{"Fetch §3.2 a method that the address does not have", "/token", app, "PUT", "", "cors.method", "PUT"},
		{"Fetch §3.2 a public document has GET only", "/jwks", elsewhere, "DELETE", "", "cors.method", "DELETE"},
		{"Fetch §3.2 a list of headers that is none", "/userinfo", app, "GET", "x(y)", "cors.header", "x(y)"},
		{"RFC 9700 §2.6 /authorize has no CORS", "/authorize", app, "GET", "x-any", "origin.not_allowed", app},
		{"Fetch §3.2 an allowed preflight is no flow of its own", "/token", app, "POST", "traceparent", "", ""},
		{"Fetch §3.2 a public document is open to every origin", "/jwks", elsewhere, "GET", "traceparent", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, nil)
			preflight(t, p, row.path, row.origin, row.method, row.headers)
			if row.reason == "" {
				if all := flows(p); len(all) != 0 {
					t.Errorf("the trace has %+v", all)
				}
				return
			}
			f := onlyFlow(t, p)
			last := f.Messages[len(f.Messages)-1]
			if codes(f) != row.reason || f.State != trace.FlowFailed || !strings.Contains(f.Reasons[0].Text, row.says) ||
				!strings.Contains(last.Text, "the browser does not send the request") {
				t.Errorf("the flow is %s with %+v, and ends with %q", f.State, f.Reasons, last.Text)
			}
		})
	}
}

// Any program can send preflights without end.
func TestRefusedPreflightsDoNotFillMemory(t *testing.T) {
	p := idptest.Start(t, nil)
	for i := range 1000 {
		origin := fmt.Sprintf("https://%d.test", i)
		preflight(t, p, "/token", origin+strings.Repeat("x", 20_000), "POST", strings.Repeat("y", 20_000))
	}
	text, err := json.Marshal(p.Trace().Flows())
	if err != nil || len(flows(p)) > 200 || len(text) > 200*20_000 {
		t.Errorf("%v: the trace has %d flows with %d bytes", err, len(flows(p)), len(text))
	}
}

func TestTheTraceSaysThatAScriptSentTheCookiesOfTheProvider(t *testing.T) { // Fetch §3.2.5
	const text = `credentials: "include"`
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	for _, with := range []bool{true, false} {
		code := b.Code(idptest.Request("spa", "prompt", "none"))
		p.Trace().Reset()
		r := get(t, http.MethodPost, p.Issuer+"/token", tokenForm(code), "Origin", "http://localhost:9090")
		if with {
			for _, cookie := range b.Cookies() {
				r.AddCookie(cookie)
			}
		}
		if w := serve(p, r); w.Code != http.StatusOK {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		if f := onlyFlow(t, p); f.State != trace.FlowDone || strings.Contains(f.Transcript(), text) != with {
			t.Errorf("cookies were sent: %t; the flow is %s:\n%s", with, f.State, f.Transcript())
		}
	}
}

func TestTheTraceDoesNotSayThatTheApplicationCalledItsAPI(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	p.Trace().Reset()
	b.Tokens("spa", b.Code(idptest.Request("spa", "prompt", "none")))
	for _, message := range onlyFlow(t, p).Messages {
		if message.To == trace.LaneAPI {
			t.Errorf("the provider cannot know that: %+v", message)
		}
	}
}
