package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

const (
	maxWait  = time.Minute // of one request for a flow
	maxWaits = 100         // requests that wait at the same time
)

// NewWaits bounds the requests that wait for a flow.
func NewWaits() *semaphore.Weighted { return semaphore.NewWeighted(maxWaits) }

// flowList is the answer of GET /console/flows.
type flowList struct {
	Flows []trace.Summary `json:"flows"` // newest first
}

// flowQuery are the parameters of GET /console/flows, and what they mean.
var flowQuery = []Parameter{
	{"client", "only flows of this client_id"},
	{"outcome", "only flows that are open, done or failed"},
	{"reason", "only flows with this reason code"},
	{"after", "only flows that began after the flow with this id"},
	{"wait", "wait until a flow fits, at most for this duration, such as 10s, and one minute at the most; after it the " +
		"list is empty"},
}

// flows is GET /console/flows: summaries, newest first. With wait it answers when a flow fits the other parameters.
func (e *Endpoint) flows(w http.ResponseWriter, r *http.Request) (any, error) {
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	wait, err := durationOf(query)
	if err != nil {
		return nil, err
	}
	watcher := e.Hub.Watch() // before the first look, so that no flow is missed
	defer watcher.Close()
	found, err := e.fitting(query)
	if err != nil || wait == 0 || len(found) > 0 {
		return flowList{found}, err
	}
	if !e.Waits.TryAcquire(1) {
		return nil, oidc.TemporarilyUnavailable.Errorf("%d requests wait for flows already: end some", maxWaits)
	}
	defer e.Waits.Release(1)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // the wait may be longer; fails without deadlines only
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	return e.awaited(ctx, watcher, query)
}

// awaited looks again after each change, until a flow fits, ctx ends or the provider ends.
func (e *Endpoint) awaited(ctx context.Context, watcher *trace.Watcher, query url.Values) (any, error) {
	for {
		select {
		case _, ok := <-watcher.Events():
			if !ok { // there were more changes than this request could read
				watcher = e.Hub.Watch()
				defer watcher.Close()
			}
		case <-ctx.Done():
			return flowList{[]trace.Summary{}}, nil
		case <-e.Ending:
			return flowList{[]trace.Summary{}}, nil
		}
		if found, err := e.fitting(query); err != nil || len(found) > 0 {
			return flowList{found}, err
		}
	}
}

// fitting returns the flows that fit the query, newest first.
func (e *Endpoint) fitting(query url.Values) ([]trace.Summary, error) {
	all := e.Hub.Flows()
	if id := query.Get("after"); id != "" {
		i := slices.IndexFunc(all, func(f trace.Flow) bool { return f.ID == id })
		if i < 0 {
			return nil, oidc.InvalidRequest.Errorf("after=%.50q is no flow that is stored: leave it out for all flows", id)
		}
		all = all[:i]
	}
	found := []trace.Summary{}
	for _, f := range all {
		if fits(f.Summary, query) {
			found = append(found, f.Summary)
		}
	}
	return found, nil
}

func fits(f trace.Summary, query url.Values) bool {
	is := func(name, value string) bool { return query.Get(name) == "" || query.Get(name) == value }
	hasReason := func(r trace.Reasoned) bool { return r.Code == query.Get("reason") }
	return is("client", f.ClientID) && is("outcome", string(f.State)) &&
		(query.Get("reason") == "" || slices.ContainsFunc(f.Reasons, hasReason))
}

// durationOf is how long the request waits. It checks the other parameters too.
func durationOf(query url.Values) (wait time.Duration, err error) {
	for name := range query {
		if !slices.ContainsFunc(flowQuery, func(p Parameter) bool { return p.Name == name }) {
			return 0, oidc.InvalidRequest.Errorf("%.50q is no parameter: use client, outcome, reason, after and wait", name)
		}
	}
	states := []string{"", string(trace.FlowOpen), string(trace.FlowDone), string(trace.FlowFailed)}
	if outcome := query.Get("outcome"); !slices.Contains(states, outcome) {
		return 0, oidc.InvalidRequest.Errorf("outcome %.50q is not known: use open, done or failed", outcome)
	}
	text := query.Get("wait")
	if text == "" {
		return 0, nil
	}
	wait, err = time.ParseDuration(text)
	if err != nil || wait < 0 || wait > maxWait {
		return 0, oidc.InvalidRequest.Errorf("wait is %.50q: write a duration of at most %v, such as 10s", text, maxWait)
	}
	return wait, nil
}
