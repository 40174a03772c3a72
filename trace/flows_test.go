package trace_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/trace"
)

func TestWhereNobodyWatchesNothingHappens(t *testing.T) {
	var h *trace.Hub
	ctx, recorder := h.Begin(t.Context(), trace.Record{})
	if ctx != t.Context() || recorder != nil || trace.From(ctx) != nil {
		t.Error("a nil hub began a record")
	}
	recorder.Emit(trace.Step{})
	recorder.Join(trace.State, state)
	recorder.Set(func(*trace.Record) { t.Error("there is no record to set") })
	recorder.End()
	trace.Emit(ctx, trace.Step{})
	h.Reset()
	if _, ok := h.Flow("x"); ok || len(h.Flows()) > 0 {
		t.Error("a nil hub has flows")
	}
}

func TestStepsAreFoundByTheContextOfTheRequest(t *testing.T) {
	h := newHub(t)
	ctx, recorder := h.Begin(t.Context(), trace.Record{Endpoint: "logout", Status: 200})
	trace.Emit(context.WithoutCancel(ctx), trace.Step{Kind: trace.KindLogout, Text: "signed out"})
	recorder.End()
	steps := only(t, h).Records[0].Steps
	if len(steps) != 1 || steps[0].Text != "signed out" || !steps[0].At.After(start) {
		t.Errorf("the steps are %+v", steps)
	}
}

func TestAfterTheEndNothingChanges(t *testing.T) {
	h := newHub(t)
	_, recorder := h.Begin(t.Context(), trace.Record{Endpoint: "logout", Status: 200})
	recorder.End()
	before := only(t, h)
	recorder.Emit(trace.Step{Text: "late"})
	recorder.Join(trace.State, state)
	recorder.Set(func(r *trace.Record) { r.Status = 500 })
	recorder.End()
	same(t, "the flow", fmt.Sprint(only(t, h)), fmt.Sprint(before))
}

func TestAFlowNamesTheGrantTypeWithWhichItBegins(t *testing.T) {
	h := newHub(t)
	authorize(h)
	token(h)
	same(t, "after an authorization request", only(t, h).GrantType, "")
	h.Reset()
	byToken(h, 0, "300", "")
	same(t, "alone", only(t, h).GrantType, "refresh_token")
}

func TestTheHintOfASignOutNamesTheClient(t *testing.T) {
	for aud, client := range map[string]string{`"spa"`: "spa", `["spa","api"]`: "", `5`: ""} {
		h := newHub(t)
		claims := base64.RawURLEncoding.EncodeToString([]byte(`{"aud":` + aud + `}`))
		visit(h, "logout", "", params("id_token_hint", "e30."+claims+".c2ln"))
		same(t, aud, only(t, h).ClientID, client)
	}
}

var rowsWhichRecordBelongsToWhichFlow = []struct {
	text   string
	happen func(h *trace.Hub)
	flows  string // the endpoints of each, newest first
}{
	{"a token request joins by its code", func(h *trace.Hub) { authorize(h); token(h) }, "authorize token"},
	{"userinfo joins by the jti of its token", func(h *trace.Hub) { authorize(h); token(h); userinfo(h) },
		"authorize token userinfo"},
	{"so does the report of an API call", func(h *trace.Hub) { authorize(h); token(h); api(h) }, "authorize token api"},
	{"the report of a callback joins by state", func(h *trace.Hub) { authorize(h); callback(h) }, "authorize callback"},
	{"a sign-in page joins by the sealed request", func(h *trace.Hub) {
		authorize(h, visible, toPage("/login",
			sealed))
		visit(h, "login", sealed)
	}, "authorize login"},
	{"a fresh authorization request begins a flow, though its state is known",
		func(h *trace.Hub) { authorize(h); authorize(h) }, "authorize | authorize"},
	{"and takes the state over", func(h *trace.Hub) { authorize(h); authorize(h); callback(h) },
		"authorize callback | authorize"},
	{"so does one that carries an old sealed request besides its client_id", func(h *trace.Hub) {
		authorize(h, visible, toPage("/login", sealed))
		authorize(h, params("client_id", "spa", "interaction", sealed))
	}, "authorize | authorize"},
	{"a token request with a code that nobody knows stands alone", func(h *trace.Hub) {
		authorize(h)
		token(h,
			params("code", "another-code-of-length"))
	}, "token | authorize"},
	{"a token request that a proxy answered joins by its parameters all the same",
		func(h *trace.Hub) { authorize(h); token(h, failed(503, "", "fault.injected")) }, "authorize token"},
	{"a sign-in without an application stands alone", func(h *trace.Hub) { authorize(h); visit(h, "login", "") },
		"login | authorize"},
	{"a logout stands alone, whosever session it ends", func(h *trace.Hub) {
		authorize(h)
		visit(h, "logout", "",
			params("state", state))
	}, "logout | authorize"},
	{"metadata that came as it should is not kept", func(h *trace.Hub) {
		visit(h, "discovery", "")
		visit(h, "jwks",
			"")
	}, ""},
	{"metadata that failed is", func(h *trace.Hub) { visit(h, "jwks", "", page(500)) }, "jwks"},
}

func TestWhichRecordBelongsToWhichFlow(t *testing.T) {
	for _, row := range rowsWhichRecordBelongsToWhichFlow {
		t.Run(row.text, func(t *testing.T) {
			h := newHub(t)
			row.happen(h)
			var flows []string
			for _, f := range h.Flows() {
				var endpoints []string
				for _, r := range f.Records {
					endpoints = append(endpoints, r.Endpoint)
					if r.FlowID != f.ID {
						t.Errorf("the record says flow %s, and is in %s", r.FlowID, f.ID)
					}
				}
				flows = append(flows, strings.Join(endpoints, " "))
			}
			same(t, "the flows", strings.Join(flows, " | "), row.flows)
		})
	}
}

func TestAJoinByAnEmptyValueJoinsNothing(t *testing.T) {
	h := newHub(t)
	for range 2 {
		_, recorder := h.Begin(t.Context(), trace.Record{Endpoint: "login", Status: 200})
		recorder.Join(trace.State, "")
		recorder.End()
	}
	if got := len(h.Flows()); got != 2 {
		t.Errorf("there are %d flows; two requests without state have nothing in common", got)
	}
}

func TestTheStrongestKeyDecides(t *testing.T) {
	h := newHub(t)
	authorize(h)
	authorize(h, params("client_id", "spa", "state", "another"), func(r *trace.Record) {
		r.Answer = trace.Params(url.Values{"code": {"another-code-of-length"}})
	})
	token(h, params("state", "another", "code", code))
	flows := h.Flows()
	if len(flows) != 2 || len(flows[1].Records) != 2 {
		t.Error("a token request with one flow's state and another's code belongs to the code's")
	}
}

func TestFlowsAreFoundByID(t *testing.T) {
	h := newHub(t)
	authorize(h)
	token(h)
	want := only(t, h)
	got, ok := h.Flow(want.ID)
	if !ok || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Flow(%q) is %v", want.ID, got)
	}
	if _, ok := h.Flow("unknown"); ok {
		t.Error("there is a flow that nobody began")
	}
	h.Reset()
	if _, ok := h.Flow(want.ID); ok || len(h.Flows()) > 0 {
		t.Error("a flow is still there after Reset")
	}
}

func TestAFlowLastsFromTheFirstRequestToTheLastAnswer(t *testing.T) {
	h := newHub(t)
	authorize(h, func(r *trace.Record) { r.At = start })
	token(h, func(r *trace.Record) { r.At, r.Took = start.Add(time.Second), time.Second })
	if f := only(t, h); !f.At.Equal(start) || f.Took != 2*time.Second || f.ClientID != "spa" ||
		f.Issuer != "https://idp.example" ||
		!f.Silent {
		t.Errorf("the flow is %+v", f)
	}
}

func TestARecorderMayBeUsedByManyAtOnce(t *testing.T) {
	h := trace.NewHub(trace.Options{Now: time.Now})
	t.Cleanup(h.Reset)
	watcher := h.Watch()
	defer watcher.Close()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				authorize(h, params("client_id", fmt.Sprint(i), "state", fmt.Sprint(i)))
				callback(h)
				token(h)
				h.Flows()
			}
		})
	}
	_, recorder := h.Begin(t.Context(), trace.Record{Endpoint: "login"})
	for range 8 {
		all.Go(func() {
			recorder.Emit(trace.Step{Text: "step"})
			recorder.Join(trace.State, "sid")
			recorder.Set(func(r *trace.Record) { r.Status++ })
			recorder.End()
		})
	}
	all.Wait()
}
func TestAnOldReportStaysWhereItIs(t *testing.T) {
	h := newHub(t)
	callback(h)
	authorize(h)
	if n := len(h.Flows()); n != 2 {
		t.Errorf("there are %d flows; want the report of before, and the new request", n)
	}
}

var rowsHowFarTheStepsCame = []struct {
	text   string
	happen func(h *trace.Hub)
	want   [4]trace.MessageState
}{
	{"a renewal under way waits for its code to be redeemed", func(h *trace.Hub) { authorize(h) },
		[4]trace.MessageState{"done", "done", "waiting", "waiting"}},
	{"tokens end the third step, and nothing was seen of the fourth", func(h *trace.Hub) { authorize(h); token(h) },
		[4]trace.MessageState{"done", "done", "done", ""}},
	{"after a failed step nothing counts", func(h *trace.Hub) { authorize(h, refused("login_required", "session.none")) },
		[4]trace.MessageState{"done", "failed", "", ""}},
}

func TestHowFarTheStepsCame(t *testing.T) {
	for _, row := range rowsHowFarTheStepsCame {
		t.Run(row.text, func(t *testing.T) {
			h := newHub(t)
			row.happen(h)
			if f := only(t, h); f.Steps != row.want || f.Begins != "authorize" {
				t.Errorf("%q, begun at %s; want %q, begun at authorize", f.Steps, f.Begins, row.want)
			}
		})
	}
}
