package trace

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hush-idp/hush/oidc"
)

const (
	maxSteps = 64 // of one record
	maxJoins = 8  // of one record
)

// Key is the kind of a value that two records of a flow have in common.
type Key uint8

// The keys in the order of their use: the first that is known to a flow decides.
const (
	Code        Key = iota // an authorization code
	JTI                    // of an access token
	Interaction            // a sealed request that waits for a user
	State                  // of the authorization request
)

// join is one key with its value, as a sum.
type join struct {
	key Key
	sum uint64
}

// Recorder writes the record of one request. Its methods may be called concurrently, and do nothing on nil.
type Recorder struct {
	hub *Hub

	mu     sync.Mutex // guards the fields below until the record has ended; Hub.mu guards them from then on
	ended  bool
	record Record
	joins  []join

	keys [4]join // the first array of joins
}

type contextKey struct{}

// From returns the recorder of the request that ctx belongs to, or nil without a Hub.
func From(ctx context.Context) *Recorder {
	r, _ := ctx.Value(contextKey{}).(*Recorder)
	return r
}

// Begin starts the record of a request. Readers of the Hub see it after End. A nil Hub returns ctx and a nil Recorder.
func (h *Hub) Begin(ctx context.Context, record Record) (context.Context, *Recorder) {
	if h == nil {
		return ctx, nil
	}
	r := &Recorder{hub: h, record: record}
	if r.record.At.IsZero() {
		r.record.At = h.now().Add(-record.Took) // a report is sent afterwards, with its duration
	}
	r.record.taken = make([]moment, 0, max(4, usualSteps[record.Endpoint]))
	for i := range record.Steps {
		r.record.taken = append(r.record.taken, moment{after: record.Steps[i].At.Sub(r.record.At), step: &record.Steps[i],
			kind: record.Steps[i].Kind})
	}
	r.record.Steps = nil
	r.joins = r.keys[:0]
	return context.WithValue(ctx, contextKey{}, r), r
}

// usualSteps is the number of steps of a successful request, so that its slice seldom grows.
var usualSteps = map[string]int{"authorize": 40, "token": 14}

// moment is a step and its time. Most steps are rules that were checked: of them the hub keeps no text, only the rule.
type moment struct {
	after time.Duration // after the record's At
	step  *Step         // of a rule, only its further values, or nil
	rule  oidc.Required // nil: the step
	kind  Kind
	holds bool
}

// reason is that of a failed or noted step; "" for others.
func (m moment) reason() string {
	switch {
	case m.rule == nil:
		return m.step.Reason
	case m.holds:
		return ""
	}
	return string(m.rule.Requirement().Reason)
}

func (m moment) failed() bool {
	if m.rule == nil {
		return m.step.Outcome == Failed
	}
	return !m.holds
}

// told is the step, except its time. A rule's step has the values of the request parameters that the rule is about.
func (m moment) told(params []Value) Step {
	if m.rule == nil {
		return *m.step
	}
	rule, outcome := m.rule.Requirement(), Failed
	if m.holds {
		outcome = OK
	}
	step := Step{Kind: m.kind, Spec: rule.Spec, Text: rule.Text, Outcome: outcome, Reason: m.reason()}
	if m.step != nil {
		step.Values = slices.Clip(m.step.Values)
	}
	for _, name := range rule.Params {
		for _, param := range params {
			if param.Name == name {
				step.Values = append(step.Values, param)
			}
		}
	}
	return step
}

// whole is a copy of the record with its steps, their times and values.
func (r *Record) whole() Record {
	w := *r
	for _, m := range r.taken {
		step := m.told(r.Params)
		step.At = r.At.Add(m.after)
		w.Steps = append(w.Steps, step)
	}
	return w
}

// Emit adds a step with the current time. A record has 64 steps at most; later ones are dropped.
func (r *Recorder) Emit(step Step) {
	if r == nil {
		return
	}
	own := step // a pointer to the parameter would allocate without a Hub, too
	own.Text = clip(own.Text, maxLine)
	r.take(moment{step: &own, kind: own.Kind})
}

// Judge adds the step of a rule that was checked. Its texts, and the values of the parameters that it is about, are
// looked up when the record is read. further are other values to show.
func (r *Recorder) Judge(kind Kind, rule oidc.Required, holds bool, further ...Value) {
	if r == nil {
		return
	}
	m := moment{rule: rule, kind: kind, holds: holds}
	if len(further) > 0 {
		m.step = &Step{Values: further}
	}
	r.take(m)
}

// take adds the moment, now.
func (r *Recorder) take(m moment) {
	now := r.hub.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended && len(r.record.taken) < maxSteps {
		m.after = now.Sub(r.record.At)
		r.record.taken = append(r.record.taken, m)
	}
}

// unlessEnded calls do with Recorder.mu locked, while the record has not ended.
func (r *Recorder) unlessEnded(do func()) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		do()
	}
}

// Join makes the record part of the flow that knows the value by this key; the flow knows the value from then on. Only
// a sum of the value is stored. An empty value joins nothing.
func (r *Recorder) Join(key Key, value string) {
	if value != "" {
		r.unlessEnded(func() { r.join(join{key, sumOf(value)}) })
	}
}

// InSession tells the id of the session that the request belongs to. Only a sum of it is stored. An empty id is none.
func (r *Recorder) InSession(id string) {
	if id != "" {
		r.unlessEnded(func() { r.record.session = sumOf(id) })
	}
}

// join adds a key that is new. Recorder.mu is locked.
func (r *Recorder) join(j join) {
	if len(r.joins) < maxJoins && !slices.Contains(r.joins, j) {
		r.joins = append(r.joins, j)
	}
}

// Set edits the record: its client, its parameters, its status. edit must not call the Recorder.
func (r *Recorder) Set(edit func(*Record)) { r.unlessEnded(func() { edit(&r.record) }) }

// End finishes the record: the Hub adds it to a flow, diagnoses it, and notifies watchers. After it, all methods do
// nothing.
func (r *Recorder) End() {
	first := false
	r.unlessEnded(func() {
		first, r.ended = true, true
		for i := range r.record.Params {
			r.recognise(&r.record.Params[i])
		}
		for i := range r.record.Answer {
			r.recognise(&r.record.Answer[i])
		}
		if r.record.ClientID == "" {
			r.record.ClientID = r.record.hinted()
		}
		r.record.Took = cmp.Or(r.record.Took, r.hub.now().Sub(r.record.At))
		r.record.bound()
		r.record.renewer = r.record.renewerOf()
	})
	if first {
		r.hub.file(r)
	}
}

// recognise joins by a parameter, so that a request that never reached its endpoint is joined too. Recorder.mu is
// locked.
func (r *Recorder) recognise(v *Value) {
	switch {
	case v.Name == "code" && v.sum != 0:
		r.join(join{Code, v.sum})
	case v.Name == "interaction" && v.sum != 0:
		r.join(join{Interaction, v.sum})
	case v.Name == "state" && v.Text != "" && len(v.Text) <= maxText:
		r.join(join{State, sumOf(v.Text)})
	}
}
