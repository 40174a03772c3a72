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

// report is an observation of an application. It belongs to the flow that State or JTI names.
type report struct {
	Kind   string  `json:"kind"` // callback, api or clock
	State  string  `json:"state"`
	JTI    string  `json:"jti"` // of the access token that the API was called with
	Status int     `json:"status"`
	URL    string  `json:"url"`
	TookMS float64 `json:"took_ms"` // of the API call, in milliseconds
	AgoMS  float64 `json:"ago_ms"`  // from the message of the callback page to the report, in milliseconds
	Error  string  `json:"error"`
	SkewS  float64 `json:"skew_s"` // how far the application's clock is ahead of the provider's, in seconds
}

// longestAgo limits AgoMS, because the provider keeps flows for some minutes only.
const longestAgo = time.Minute

var reportTexts = map[string]string{
	"callback": "the callback page reported to the application",
	"api":      "the application called the API",
	"clock":    "the application compared its clock with the provider's",
}

// report is POST /console/reports.
func (e *Endpoint) report(w http.ResponseWriter, r *http.Request) (any, error) {
	var sent report
	if err := readJSON(r, &sent); err != nil {
		return nil, err
	}
	if err := sent.problem(); err != nil {
		return nil, err
	}
	record := sent.record(r, e.Hub.Now())
	record.ID, record.Issuer = e.Sessions.Random(), e.Issuer
	_, recorder := e.Hub.Begin(r.Context(), record)
	recorder.Join(trace.State, sent.State)
	recorder.Join(trace.JTI, sent.JTI)
	recorder.Emit(sent.step())
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

func (t report) record(r *http.Request, now time.Time) trace.Record {
	record := trace.Record{
		Endpoint: t.Kind, Method: http.MethodGet, Status: t.Status, Error: t.Error, Origin: r.Header.Get("Origin"),
		UserAgent: r.UserAgent(), ClockOffset: time.Duration(t.SkewS * float64(time.Second)),
	}
	switch t.Kind {
	case "api":
		record.Took = milliseconds(t.TookMS)
	case "callback":
		record.At = now.Add(-min(milliseconds(t.AgoMS), longestAgo))
		record.Took = time.Nanosecond // with 0, the record would last until now
	}
	if u, err := url.Parse(t.URL); err == nil {
		u.RawQuery, u.Fragment, u.User = "", "", nil // a query may have a code
		record.Path = u.String()
	}
	return record
}

func milliseconds(ms float64) time.Duration {
	return max(0, time.Duration(ms*float64(time.Millisecond)))
}

func (t report) step() trace.Step {
	step := trace.Step{Kind: trace.KindReport, Text: reportTexts[t.Kind], Outcome: trace.OK}
	if t.Error != "" || t.Status >= http.StatusBadRequest {
		step.Outcome = trace.Failed
		step.Text += fmt.Sprintf(", which failed: %.200s", cmp.Or(t.Error, http.StatusText(t.Status)))
	}
	return step
}
