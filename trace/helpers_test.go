package trace_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/trace"
)

const (
	state    = "st-4711"
	code     = "SplxlOBeZQQYbYS6WxSbIA"
	jti      = "jti-1"
	sealed   = "sealed-request-of-a-sign-in"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	// idToken has the header {"alg":"ES256","typ":"JWT"}, the claims {"iss":"https://idp.example","sub":"alice"}, and no
	// signature that would verify.
	idToken = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2l" +
		"kcC5leGFtcGxlIiwic3ViIjoiYWxpY2UifQ.c2lnbmF0dXJlLW5vdC1zaG93bg"
)

const maxSkew = time.Minute

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// change makes a record differ from an ordinary one.
type change func(*trace.Record)

// send records one request as the provider's edge does. The hub knows it by jti, if that is not empty.
func send(h *trace.Hub, record trace.Record, jti string, changes []change, steps ...trace.Step) {
	_, recorder := h.Begin(context.Background(), record)
	for _, step := range steps {
		recorder.Emit(step)
	}
	recorder.Join(trace.JTI, jti)
	session := ""
	recorder.Set(func(r *trace.Record) {
		for _, edit := range changes {
			edit(r)
		}
		if len(r.Cookies) > 0 {
			session = r.Cookies[0].Text
		}
	})
	recorder.InSession(session)
	recorder.End()
}

// authorize is a silent request from a hidden iframe, answered with a code.
func authorize(h *trace.Hub, changes ...change) {
	send(h, trace.Record{
		ID: "a", Issuer: "https://idp.example", Endpoint: "authorize", Method: "GET", Path: "/authorize", ClientID: "spa",
		Silent: true,
		Fetch:  trace.Fetch{Site: "cross-site", Mode: "navigate", Dest: "iframe"}, Took: 2 * time.Millisecond,
		Params:  trace.Params(url.Values{"client_id": {"spa"}, "prompt": {"none"}, "state": {state}}),
		Cookies: []trace.Cookie{{Name: "__Host-hush", Direction: "sent", Session: true}},
		Status:  303, Location: "https://app.example/callback", Answer: trace.Params(url.Values{"code": {code},
			"state": {state}, "iss": {"https://idp.example"}}),
	}, "", changes, trace.Step{Kind: trace.KindSession, Spec: "Core §3.1.2.3",
		Text: "the session cookie opens a session", Outcome: trace.OK})
}

// token redeems the code.
func token(h *trace.Hub, changes ...change) {
	send(h, trace.Record{
		ID: "t", Issuer: "https://idp.example", Endpoint: "token", Method: "POST", Path: "/token", ClientID: "spa",
		Took: time.Millisecond, Status: 200,
		Params: trace.Params(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}}),
		Answer: []trace.Value{trace.Plain("expires_in", "300")},
	}, jti, changes, trace.Step{
		Kind: trace.KindToken, Spec: "Core §3.1.3.3", Text: "the ID token is signed", Outcome: trace.OK,
		Values: []trace.Value{trace.JWT("id_token", idToken)},
	})
}

// userinfo calls the provider's own API with the access token.
func userinfo(h *trace.Hub, changes ...change) {
	send(h, trace.Record{ID: "u", Endpoint: "userinfo", Method: "GET", Path: "/userinfo", Status: 200}, jti, changes)
}

// api is the application's report of a call of its own API.
func api(h *trace.Hub, changes ...change) {
	send(h, trace.Record{ID: "r", Endpoint: "api", Method: "GET", Path: "https://api.example/me", Status: 200}, jti,
		changes)
}

// callback is the application's report that the callback page told it of the answer.
func callback(h *trace.Hub, changes ...change) {
	send(h, trace.Record{ID: "c", Endpoint: "callback", Params: trace.Params(url.Values{"state": {state}})}, "", changes)
}

// visit is a request to a page of the provider, during a sign-in unless sealed is empty.
func visit(h *trace.Hub, endpoint, sealed string, changes ...change) {
	record := trace.Record{
		Endpoint: endpoint,
		Method:   "GET",
		Path:     "/" + endpoint,
		Status:   200,
		Fetch:    trace.Fetch{Dest: "document"},
	}
	if sealed != "" {
		record.Params = trace.Params(url.Values{"interaction": {sealed}})
	}
	send(h, record, "", changes)
}

// The changes that several tests make.

func refused(code, reason string) change {
	return func(r *trace.Record) {
		r.Answer = trace.Params(url.Values{"error": {code}, "state": {state}})
		r.Error, r.Reason, r.Description = code, reason, "because of "+reason
	}
}

// failed is an answer that goes to no redirect_uri.
func failed(status int, code, reason string) change {
	return func(r *trace.Record) {
		r.Status, r.Error, r.Reason, r.Location, r.Answer = status, code, reason, "", nil
	}
}

func page(status int) change { return failed(status, "", "") }

func params(names ...string) change {
	return func(r *trace.Record) {
		form := url.Values{}
		for i := 0; i < len(names); i += 2 {
			form.Set(names[i], names[i+1])
		}
		r.Params = trace.Params(form)
	}
}

func withoutCookie(r *trace.Record) { r.Cookies[0].Direction = "withheld" }

func withCookie(r *trace.Record) { r.Cookies[0].Direction = "sent" }

// in is a request that belongs to the session with this id.
func in(session string) change {
	return func(r *trace.Record) { r.Cookies = []trace.Cookie{{Text: session, Direction: "sent", Session: true}} }
}

// from is a request of a page at this origin.
func from(origin string) change { return func(r *trace.Record) { r.Referer = origin + "/" } }

func post(r *trace.Record) { r.Method = "POST" }

// visible is a request that a person sees, of somebody who is not signed in.
func visible(r *trace.Record) {
	r.Silent, r.Fetch.Dest = false, "document"
	withoutCookie(r)
}

// toPage is a redirect to a page of the provider, which gets the sealed request.
func toPage(path, sealed string) change {
	return func(r *trace.Record) {
		r.Status, r.Location = 303, path
		r.Answer = trace.Params(url.Values{"interaction": {sealed}})
	}
}

// foreign is a request of a script that may not read the answer.
func foreign(origin string) change {
	return func(r *trace.Record) { r.Origin, r.Reason = origin, "origin.not_allowed" }
}

// newHub is one whose clock goes on by ten milliseconds each time it is asked, and which forgets everything when the
// test is over.
func newHub(t *testing.T) *trace.Hub {
	now := start
	h := trace.NewHub(trace.Options{Now: func() time.Time {
		now = now.Add(10 * time.Millisecond)
		return now
	}})
	t.Cleanup(h.Reset)
	return h
}

// only is the one flow there is.
func only(t *testing.T, h *trace.Hub) trace.Flow {
	t.Helper()
	flows := h.Flows()
	if len(flows) != 1 {
		t.Fatalf("there are %d flows, not one", len(flows))
	}
	return flows[0]
}

// reasons are the codes of the flow.
func reasons(f trace.Flow) []string {
	var codes []string
	for _, r := range f.Reasons {
		codes = append(codes, r.Code)
	}
	return codes
}

// arrows are the messages in short.
func arrows(f trace.Flow) string {
	var b strings.Builder
	for _, m := range f.Messages {
		line := fmt.Sprintf("%d %s>%s %s: %s", m.Step, m.From, m.To, m.State, m.Text)
		if m.Reason != "" {
			line += " [" + m.Reason + "]"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
