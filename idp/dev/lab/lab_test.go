package lab_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// met tells whether a fault answers the request.
func (h *fixture) met(t *testing.T, r *http.Request, endpoint string) bool {
	t.Helper()
	_, handled, err := h.Intercept(httptest.NewRecorder(), r, endpoint)
	return handled || err != nil
}

func TestAFaultIsForOneClient(t *testing.T) {
	basic := func(r *http.Request) {
		r.Body = http.NoBody
		r.SetBasicAuth("web%3A1", "secret")
	}
	bearer := func(r *http.Request) {
		r.Body = http.NoBody
		r.Header.Set("Authorization",
			"Bearer e30."+base64.RawURLEncoding.EncodeToString([]byte(`{"client_id":"spa"}`))+".c2ln")
	}
	for _, row := range []struct {
		name, fault, endpoint string
		change                func(*http.Request)
		met                   bool
	}{
		{"its own request", `"client":"spa"`, "token", nil, true},
		{"any client's", ``, "token", nil, true},
		{"another client's", `"client":"web"`, "token", nil, false},
		{"a client that authenticates by header, RFC 6749 §2.3.1", `"client":"web:1"`, "token", basic, true},
		{"a client that nobody named", `"client":"spa"`, "token", func(r *http.Request) { r.Body = http.NoBody }, false},
		{"the client of the access token", `"client":"spa","endpoint":"userinfo"`, "userinfo", bearer, true},
		{"another endpoint", `"client":"spa"`, "userinfo", nil, false},
		{"the client of the query, beside a raw semicolon", `"client":"spa","endpoint":"authorize"`, "authorize",
			func(r *http.Request) {
				r.Method, r.URL.RawQuery = http.MethodGet, "state=a;b&client_id=spa"
			}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newFixture(t)
			h.cause(t, strings.TrimSuffix(`{"fault":"status","status":500,`+row.fault, ",")+"}")
			r := tokenRequest(t, "spa", "")
			if row.change != nil {
				row.change(r)
			}
			if met := h.met(t, r, row.endpoint); met != row.met {
				t.Errorf("the fault met the request: %v; want %v", met, row.met)
			}
		})
	}
}

func TestCookiesAreIgnoredInAnIframeOnly(t *testing.T) {
	for _, row := range []struct {
		name string
		dest []string
		want error
	}{
		{"an iframe", []string{"iframe"}, session.Withheld},
		{"a page", []string{"document"}, nil},
		{"a client without Fetch Metadata that renews silently", nil, session.Withheld},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newFixture(t)
			h.cause(t, `{"fault":"third_party_cookie_ignored"}`)
			r := h.silent(t, "spa")
			r.Header["Sec-Fetch-Dest"] = row.dest
			if _, err := h.parts.Recognise.Current(h.enter(t, r, "authorize")); err != row.want {
				t.Errorf("Current: %v; want %v", err, row.want)
			}
			if r.Header.Get("Cookie") == "" {
				t.Error("the request itself lost its cookies; want a copy to be judged")
			}
		})
	}
}

func TestAFaultOfSessionsWaitsForASession(t *testing.T) {
	h := newFixture(t)
	h.cause(t, `{"fault":"session_expired"}`)
	signedIn := h.cookies
	h.cookies = nil
	if _, err := h.current(t, "spa"); err != session.NoCookie {
		t.Errorf("without a cookie: %v; want NoCookie", err)
	}
	h.cookies = signedIn
	if _, err := h.current(t, "spa"); err != session.Expired {
		t.Errorf("with a session: %v; want Expired", err)
	}
}

func TestTheOtherUserIsOneOfTheProviders(t *testing.T) {
	for want, users := range map[string][]string{"bob": {"alice", "bob"}, "somebody-else": {"alice"}} {
		h := newFixture(t, users...)
		h.cause(t, `{"fault":"session_other_user"}`)
		sessionIsOf(want)(t, h)
		if s, err := h.current(t, "spa"); err != nil || s.Accounts[0].Sub != "alice" {
			t.Errorf("afterwards the session is %v, %v; want alice's", s, err)
		}
	}
}

func TestAFaultIsThereSoOften(t *testing.T) {
	for _, row := range []struct {
		more string
		want int
	}{{``, 1}, {`,"times":3`, 3}, {`,"for":"1h"`, 5}, {`,"times":2,"for":"1h"`, 2}} {
		h, met := newFixture(t), 0
		h.cause(t, `{"fault":"status","status":500`+row.more+`}`)
		for range 5 {
			if h.met(t, tokenRequest(t, "spa", ""), "token") {
				met++
			}
		}
		if met != row.want {
			t.Errorf("of 5 requests the fault %q met %d; want %d", row.more, met, row.want)
		}
	}
}

func TestOfRequestsAtOnceAFaultMeetsAsManyAsItIsFor(t *testing.T) {
	h := newFixture(t)
	h.cause(t, `{"fault":"status","status":500,"times":30}`)
	var met atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if h.met(t, tokenRequest(t, "spa", ""), "token") {
				met.Add(1)
			}
			h.List()
			h.parts.Clients.ByID(t.Context(), "spa")
		})
	}
	all.Wait()
	if got := met.Load(); got != 30 {
		t.Errorf("of 100 requests at once the fault met %d; want 30", got)
	}
}

func TestAFaultRunsOutByTheRealTime(t *testing.T) {
	h := newFixture(t)
	f := h.cause(t, fmt.Sprintf(`{"fault":"status","status":500,"until":%q}`,
		h.clock.Now().Add(time.Minute).Format(time.RFC3339)))
	if err := h.Clock.Forward(time.Hour); err != nil {
		t.Fatal(err)
	}
	if !h.met(t, tokenRequest(t, "spa", ""), "token") {
		t.Error("the moved clock ended the fault")
	}
	h.clock.Pass(time.Minute)
	if h.met(t, tokenRequest(t, "spa", ""), "token") || len(h.List()) > 0 {
		t.Error("the fault goes on after its end")
	}
	f.Used, f.Ended, f.EndedAt = 1, lab.RanOut, h.clock.Now()
	if diff := cmp.Diff([]lab.Fault{f}, h.Ended()); diff != "" {
		t.Errorf("Ended (-want +got):\n%s", diff)
	}
}

func TestACancelledFaultIsOver(t *testing.T) {
	h := newFixture(t)
	first, second := h.cause(t, `{"fault":"drop"}`), h.cause(t, `{"fault":"alg_none"}`)
	for i, id := range []string{first.ID, first.ID, "nothing"} {
		if found, err := h.Cancel(id); found != (i == 0) || err != nil {
			t.Errorf("Cancel(%q) = %t, %v; want it to tell whether there was such a fault", id, found, err)
		}
	}
	if left := h.List(); len(left) != 1 || left[0].ID != second.ID {
		t.Errorf("left is %+v; want the other fault", left)
	}
	if err := h.Clear(); err != nil {
		t.Fatal(err)
	}
	if len(h.List()) > 0 || h.met(t, tokenRequest(t, "spa", ""), "token") {
		t.Error("after Clear there are faults")
	}
	if ended := h.Ended(); len(ended) != 2 || ended[0].ID != second.ID || ended[1].Ended != lab.Cancelled {
		t.Errorf("Ended = %+v; want both, the last one first", ended)
	}
}

func TestTheLabIsBounded(t *testing.T) {
	h := newFixture(t)
	for range 100 {
		h.cause(t, `{"fault":"drop"}`)
	}
	if _, err := h.Add(lab.Fault{Fault: lab.Drop}); oidc.AsError(err).Code != oidc.InvalidRequest {
		t.Errorf("the fault after 100 others: %v; want invalid_request", err)
	}
	if err := h.Clear(); err != nil {
		t.Fatal(err)
	}
	if got := len(h.Ended()); got != 20 {
		t.Errorf("%d faults that are over are remembered; want 20", got)
	}
}

func TestSeveralFaultsOfOneToken(t *testing.T) {
	h := newFixture(t)
	for _, kind := range []string{"wrong_iss", "wrong_aud", "missing_kid"} {
		h.cause(t, fmt.Sprintf(`{"fault":%q}`, kind))
	}
	token := h.idToken(t)
	got := part[claims](t, token, 1)
	if got.Issuer == "http://localhost:8080" || got.Audience == "spa" || part[header](t, token, 0).KID != nil {
		t.Errorf("the ID token is %+v; want all three faults in it", got)
	}
	h.wantUsed(t)
}

func TestTheEndpointReadsTheWholeBody(t *testing.T) {
	h := newFixture(t)
	h.cause(t, `{"fault":"alg_none"}`)
	r := tokenRequest(t, "spa", "&pad="+strings.Repeat("x", 100<<10))
	body, err := io.ReadAll(h.enter(t, r, "token").Body)
	if want := "grant_type=authorization_code&client_id=spa&pad=" + strings.Repeat("x", 100<<10); err != nil ||
		string(body) != want {
		t.Errorf("after Intercept the body has %d bytes, %v; want all %d", len(body), err, len(want))
	}
}

func TestADelayEndsWithTheConnection(t *testing.T) {
	h := newFixture(t)
	h.cause(t, `{"fault":"delay","delay":"1m"}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if !h.met(t, tokenRequest(t, "spa", "").WithContext(ctx), "token") {
		t.Error("a request that nobody waits for went on")
	}
}

func TestADelayOutlivesTheServersTimeLimit(t *testing.T) {
	h := newFixture(t)
	h.cause(t, `{"fault":"delay","delay":"300ms"}`)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, handled, err := h.Intercept(w, r, "token"); handled || err != nil {
			t.Errorf("Intercept: %v, %v; want the endpoint to answer", handled, err)
		}
	}))
	server.Config.WriteTimeout = 100 * time.Millisecond
	server.Start()
	defer server.Close()
	response, err := http.PostForm(server.URL, nil)
	if err != nil {
		t.Fatalf("the late answer never came: %v", err)
	}
	defer response.Body.Close()
}

func TestWithoutAFaultTheRequestStays(t *testing.T) {
	h := newFixture(t)
	if _, err := h.parts.Signer.Sign(t.Context(), "", "JWT", h.rightClaims()); err != nil {
		t.Errorf("Sign without Intercept: %v", err)
	}
	if r := h.silent(t, "spa"); h.enter(t, r, "authorize") != r {
		t.Error("without a fault Intercept changes the request")
	}
}

func TestTheTraceNamesTheFault(t *testing.T) {
	for _, row := range []struct {
		fault           string
		outcome         trace.Outcome
		reason          oidc.Reason
		text, usage, is string
	}{
		{`{"fault":"no_cors","times":2}`, trace.Failed, oidc.OriginNotAllowed, "without CORS headers", "1 of 2", "no_cors"},
		{`{"fault":"delay","delay":"1ms","for":"1m"}`, trace.Noted, "", "answers late", "1", "delay"},
	} {
		h := newFixture(t)
		f := h.cause(t, row.fault)
		r := tokenRequest(t, "spa", "")
		ctx, recorder := h.hub.Begin(r.Context(), trace.Record{Endpoint: "token", Status: 200})
		h.enter(t, r.WithContext(ctx), "token")
		recorder.End()
		record := h.hub.Flows()[0].Records[0]
		step := record.Steps[0]
		if step.Kind != trace.KindFault || step.Outcome != row.outcome || !strings.Contains(step.Text, row.text) {
			t.Errorf("the step is %+v; want %s: … %s …", step, row.outcome, row.text)
		}
		if step.Reason != string(row.reason) || record.Reason != string(row.reason) {
			t.Errorf("the reason of the step is %q, of the record %q; want %q", step.Reason, record.Reason, row.reason)
		}
		values := map[string]string{}
		for _, value := range step.Values {
			values[value.Name] = value.Text
		}
		if diff := cmp.Diff(map[string]string{"fault": row.is, "id": f.ID, "used": row.usage}, values); diff != "" {
			t.Errorf("the values of the step (-want +got):\n%s", diff)
		}
	}
}

func TestTheTraceKnowsWhoseRequestAFaultEnded(t *testing.T) {
	h := newFixture(t)
	h.cause(t, `{"fault":"status","status":503}`)
	_, before := h.hub.Begin(t.Context(), trace.Record{Endpoint: "authorize"})
	before.Join(trace.Code, "the code")
	before.End()
	r := tokenRequest(t, "spa", "&code=the+code")
	ctx, recorder := h.hub.Begin(r.Context(), trace.Record{Endpoint: "token", Status: 503})
	r = r.WithContext(ctx)
	if !h.met(t, r, "token") || r.PostForm.Get("client_id") != "spa" {
		t.Errorf("the form of the request is %v; want it to be read, for the endpoint will not", r.PostForm)
	}
	recorder.End()
	if flows := h.hub.Flows(); len(flows) != 1 || len(flows[0].Records) != 2 {
		t.Errorf("there are %d flows; want one, of both requests", len(flows))
	}
}

func TestTheTraceKnowsTheStateOfARequestThatAFaultEnded(t *testing.T) {
	h := newFixture(t)
	h.cause(t, `{"fault":"html_page"}`)
	r := h.silent(t, "spa")
	r.URL.RawQuery += "&state=id;url_state" // as oidc-client-ts writes it
	if !h.met(t, r, "authorize") || r.Form.Get("state") != "id;url_state" {
		t.Errorf("the state of the request is %q", r.Form.Get("state"))
	}
}

func TestTheClockMovesForwardAndBackToReal(t *testing.T) {
	h := newFixture(t)
	for range 2 {
		if err := h.Clock.Forward(10 * time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.Pass(time.Second)
	if got := h.Clock.Now().Sub(h.clock.Now()); got != 20*time.Minute || h.Clock.Offset() != got {
		t.Errorf("the clock is %v ahead and says %v; want 20m", got, h.Clock.Offset())
	}
	for _, wrong := range []time.Duration{0, -time.Minute, 1<<63 - 1} {
		if err := h.Clock.Forward(wrong); oidc.AsError(err).Code != oidc.InvalidRequest ||
			h.Clock.Offset() != 20*time.Minute {
			t.Errorf("Forward(%v): %v, the offset is %v; want invalid_request and no move", wrong, err, h.Clock.Offset())
		}
	}
	if err := h.Clock.Real(); err != nil || !h.Clock.Now().Equal(h.clock.Now()) {
		t.Errorf("the clock says %v; want the real %v", h.Clock.Now(), h.clock.Now())
	}
}
