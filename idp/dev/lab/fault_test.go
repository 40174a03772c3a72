package lab_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

func TestWhatCannotBeAFault(t *testing.T) {
	for _, row := range []struct{ name, json, want string }{
		{"no kind", `{}`, "is not known; the faults are error, status"},
		{"a kind that is not known", `{"fault":"slow"}`, "fault 'slow' is not known"},
		{"an endpoint that the kind is not for", `{"fault":"html_page","endpoint":"token"}`,
			"cannot happen at endpoint 'token'; it can at authorize"},
		{"a client where no request names one", `{"fault":"drop","endpoint":"jwks","client":"spa"}`, "leave client out"},
		{"error without a code", `{"fault":"error"}`, "needs error: an OAuth error code"},
		{"a code that is none", `{"fault":"error","error":"a b"}`, "is no OAuth error code"},
		{"status without a status", `{"fault":"status"}`, "needs status"},
		{"a status that is no failure", `{"fault":"status","status":200}`, "write one from 400 to 599"},
		{"a status of another kind", `{"fault":"drop","status":500}`, "does not take status"},
		{"delay without one", `{"fault":"delay"}`, "needs delay"},
		{"a delay in numbers", `{"fault":"delay","delay":2}`, "delay is of the JSON type number"},
		{"a delay that is no duration", `{"fault":"delay","delay":"2 seconds"}`, "'2 seconds' is no duration"},
		{"a delay beyond all timers", `{"fault":"delay","delay":"1h"}`, "up to 1m0s"},
		{"a delay into the past", `{"fault":"delay","delay":"-1s"}`, "delay is -1s"},
		{"a lifetime below a second", `{"fault":"short_lifetime","lifetime":"1ms"}`, "a second or more"},
		{"a user of another kind", `{"fault":"drop","user":"bob"}`, "does not take user"},
		{"times below zero", `{"fault":"drop","times":-1}`, "times is -1"},
		{"times as text", `{"fault":"drop","times":"1"}`, "times is of the JSON type string"},
		{"until in the past", `{"fault":"drop","until":"2001-01-01T00:00:00Z"}`, "which is over"},
		{"until that is no time", `{"fault":"drop","until":"tomorrow"}`, "cannot be read"},
		{"for and until", `{"fault":"drop","for":"1s","until":"2101-01-01T00:00:00Z"}`, "send one"},
		{"for below zero", `{"fault":"drop","for":"-1s"}`, "for is -1s"},
		{"a typing error", `{"fault":"drop","tmies":3}`, "the member 'tmies' is not known"},
		{"no JSON object", `[]`, "JSON type array"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var f lab.Fault
			err := json.Unmarshal([]byte(row.json), &f)
			if err == nil {
				err = f.CheckPlace([]endpoint.Endpoint{{Name: "jwks", Audience: endpoint.Files}})
			}
			if err == nil {
				_, err = newFixture(t).Add(f)
			}
			if e := oidc.AsError(err); err == nil || e.Code != oidc.InvalidRequest ||
				!strings.Contains(e.Description, row.want) {
				t.Errorf("error = %v; want invalid_request: … %s …", err, row.want)
			}
		})
	}
}

func TestAFaultInJSON(t *testing.T) {
	h := newFixture(t)
	f := h.cause(t, `{"client":"spa","fault":"short_lifetime","for":"1m","id":"mine","used":7}`)
	if f.Lifetime.Duration != 30*time.Second || f.Endpoint != "token" || f.Used != 0 || f.ID == "mine" || f.ID == "" {
		t.Errorf("the fault is %+v; want the defaults, and an id and a count of its own", f)
	}
	f.ID = "1"
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": "1", "client": "spa", "endpoint": "token", "fault": "short_lifetime", "lifetime": "30s", "times": 0.0,
		"used":     0.0,
		"added_at": h.clock.Now().Format(time.RFC3339), "until": h.clock.Now().Add(time.Minute).Format(time.RFC3339),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	var back lab.Fault
	if err := json.Unmarshal(text, &back); err != nil || !back.Until.Equal(f.Until) || back.Lifetime != f.Lifetime {
		t.Errorf("read again it is %+v, %v; want %+v", back, err, f)
	}
}
