package console

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// report is what an application saw where the provider cannot look. It belongs to the flow that State or JTI names.
type report struct {
	Kind   string  `json:"kind"` // callback, api or clock
	State  string  `json:"state"`
	JTI    string  `json:"jti"` // of the access token that the API was called with
	Status int     `json:"status"`
	URL    string  `json:"url"`
	TookMS float64 `json:"took_ms"` // of the API call, in milliseconds
	Error  string  `json:"error"`
	SkewS  float64 `json:"skew_s"` // how far the application's clock is ahead of the provider's, in seconds
}

var reportTexts = map[string]string{
	"callback": "the callback page told the application",
	"api":      "the application called the API",
	"clock":    "the application compared its clock with the provider's",
}

// report is POST /console/reports.
func (e *Endpoint) report(w http.ResponseWriter, r *http.Request) (any, error) {
	var told report
	if err := readJSON(r, &told); err != nil {
		return nil, err
	}
	if err := told.problem(); err != nil {
		return nil, err
	}
	record := told.record(r)
	record.ID, record.Issuer = e.Sessions.Random(), e.Issuer
	_, recorder := e.Hub.Begin(r.Context(), record)
	recorder.Join(trace.State, told.State)
	recorder.Join(trace.JTI, told.JTI)
	recorder.Emit(told.step())
	recorder.End()
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

func (t report) problem() error {
	if reportTexts[t.Kind] == "" {
		return oidc.InvalidRequest.Errorf("kind %.50q is not known: report a callback, an api call or a clock", t.Kind)
	}
	if t.State == "" && t.JTI == "" {
		return oidc.InvalidRequest.Errorf("the report names no flow: send the state of the request, or the jti of the " +
			"access token")
	}
	if t.Status != 0 && (t.Status < 100 || t.Status > 599) {
		return oidc.InvalidRequest.Errorf("status %d is no HTTP status", t.Status)
	}
	return nil
}

func (t report) record(r *http.Request) trace.Record {
	return trace.Record{
		Endpoint: t.Kind, Method: http.MethodGet, Path: pathOf(t.URL), Status: t.Status, Took: t.took(),
		Error: t.Error, Origin: r.Header.Get("Origin"), UserAgent: r.UserAgent(),
		ClockOffset: time.Duration(t.SkewS * float64(time.Second)),
	}
}

// took is how long the API call took. A callback and a comparison of clocks are moments.
func (t report) took() time.Duration {
	if t.Kind != "api" {
		return 0
	}
	return max(0, time.Duration(t.TookMS*float64(time.Millisecond)))
}

func (t report) step() trace.Step {
	step := trace.Step{Kind: trace.KindReport, Text: reportTexts[t.Kind], Outcome: trace.OK}
	if t.Error != "" || t.Status >= http.StatusBadRequest {
		step.Outcome = trace.Failed
		step.Text += fmt.Sprintf(", which failed: %.200s", cmp.Or(t.Error, http.StatusText(t.Status)))
	}
	return step
}

// pathOf leaves out the query, where codes travel.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}
