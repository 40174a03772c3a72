package trace

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

func fill(h *Hub, endpoint string, form url.Values, jti string) {
	_, r := h.Begin(context.Background(), Record{Endpoint: endpoint, Method: "GET", Status: 303, Params: Params(form)})
	r.Join(JTI, jti)
	r.End()
}

func TestOnlyTheYoungestFlowsAreKept(t *testing.T) {
	h := NewHub(Options{Keep: 10, Now: time.Now})
	for i := range 1000 {
		fill(h, "authorize", url.Values{"client_id": {"spa"}, "state": {fmt.Sprint(i)}}, fmt.Sprint("jti ", i))
	}
	if flows := h.Flows(); len(flows) != 10 || flows[0].Records[0].Params[1].Text != "999" || len(h.index) != 20 {
		t.Errorf("%d flows with %d keys; expected 10 with 20", len(flows), len(h.index))
	}
	h.Reset()
	if len(h.index) != 0 || len(h.flows) != 0 {
		t.Error("something is left after Reset")
	}
}

func TestAStateThatWasTakenOverIsNotForgottenWithItsFirstFlow(t *testing.T) {
	h := NewHub(Options{Keep: 2, Now: time.Now})
	for range 3 {
		fill(h, "authorize", url.Values{"client_id": {"spa"}, "state": {"the same"}}, "")
	}
	fill(h, "callback", url.Values{"state": {"the same"}}, "")
	if flows := h.Flows(); len(flows) != 2 || len(flows[0].Records) != 2 {
		t.Errorf("the callback did not find the youngest flow of its state: %+v", flows)
	}
}

func TestAFlowKeepsItsFirstRecordAndTheLastOnes(t *testing.T) {
	h := NewHub(Options{Now: time.Now})
	fill(h, "authorize", url.Values{"client_id": {"spa"}, "state": {"s"}}, "")
	for i := range 500 {
		fill(h, "userinfo", url.Values{"state": {"s"}}, fmt.Sprint(i))
	}
	f := h.flows[0]
	if len(f.records) != maxRecords || f.records[0].Endpoint != "authorize" || len(f.keys) != maxKeys ||
		len(h.index) != maxKeys {
		t.Errorf("%d records, the first of %s, %d keys; expected %d, authorize, %d", len(f.records), f.records[0].Endpoint,
			len(f.keys), maxRecords, maxKeys)
	}
	if h.find([]join{{JTI, sumOf("499")}}) != f || h.find([]join{{JTI, sumOf("0")}}) != nil {
		t.Error("the youngest keys are those to keep")
	}
}

func TestARecordIsNotEndless(t *testing.T) {
	h := NewHub(Options{Now: time.Now})
	_, r := h.Begin(context.Background(),
		Record{Endpoint: "login", Status: 200, Method: strings.Repeat("X", 1<<20), UserAgent: strings.Repeat("x", 1<<20)})
	for range 1000 {
		r.Emit(Step{Text: strings.Repeat("é", 5000)})
		r.Join(State, fmt.Sprint(time.Now().UnixNano()))
	}
	r.Set(func(r *Record) {
		r.Params, r.Cookies = make([]Value, 1000), make([]Cookie, 1000)
	})
	r.End()
	got := h.Flows()[0].Records[0]
	if len(got.Steps) != maxSteps || len(got.Params) != maxValues || len(got.Cookies) != maxCookies ||
		len(h.index) > maxJoins {
		t.Errorf("%d steps, %d parameters, %d cookies, %d keys", len(got.Steps), len(got.Params), len(got.Cookies),
			len(h.index))
	}
	if len([]rune(got.UserAgent)) != maxLine+1 || len([]rune(got.Method)) != maxLine+1 ||
		len([]rune(got.Steps[0].Text)) != maxLine+1 {
		t.Errorf("texts have %d and %d characters", len([]rune(got.UserAgent)), len([]rune(got.Steps[0].Text)))
	}
}
