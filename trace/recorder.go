package trace

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	maxSteps = 64 // of one record
	maxJoins = 8  // of one record
)

// Key is what a record can be recognised by as part of a flow.
type Key uint8

// The keys in the order in which they are asked: the first that names a flow decides.
const (
	Code        Key = iota // an authorization code
	JTI                    // of an access token
	Interaction            // a sealed request that waits for a person
	State                  // of the authorization request
)

// join is one key with its value, as a sum.
type join struct {
	key Key
	sum uint64
}

// Recorder writes the record of one request. All its methods may be called at once, and do nothing on nil.
type Recorder struct {
	hub *Hub

	mu     sync.Mutex // guards what follows until the record has ended; from then on Hub.mu does
	ended  bool
	record Record
	joins  []join

	keys [4]join // where joins begins to grow
}

type contextKey struct{}

// From returns the recorder of the request that ctx belongs to, or nil without a Hub.
func From(ctx context.Context) *Recorder {
	r, _ := ctx.Value(contextKey{}).(*Recorder)
	return r
}

// Begin starts the record of a request, which is visible after its Recorder's End. A nil Hub records nothing: ctx
// comes back as it was, and a nil Recorder.
func (h *Hub) Begin(ctx context.Context, record Record) (context.Context, *Recorder) {
	if h == nil {
		return ctx, nil
	}
	r := &Recorder{hub: h, record: record}
	if r.record.At.IsZero() {
		r.record.At = h.now().Add(-record.Took) // a report comes afterwards, and says how long it took
	}
	r.record.taken = make([]moment, 0, usualSteps(record.Endpoint))
	for i := range record.Steps {
		r.record.taken = append(r.record.taken, moment{record.Steps[i].At.Sub(r.record.At), &record.Steps[i]})
	}
	r.record.Steps = nil
	r.joins = r.keys[:0]
	return context.WithValue(ctx, contextKey{}, r), r
}

// usualSteps is the number of steps of a successful request, so that its slice seldom grows.
func usualSteps(endpoint string) int {
	switch endpoint {
	case "authorize":
		return 32
	case "token":
		return 16
	}
	return 4
}

// moment is a step and its time. It is short because the hub holds thousands of moments, most of them with steps of
// tables, which exist once.
type moment struct {
	after time.Duration // after the record's At
	step  *Step
}

// steps returns the steps of the record with their times and values.
func (r *Record) steps() []Step {
	if len(r.taken) == 0 {
		return nil
	}
	steps := make([]Step, len(r.taken))
	for i, m := range r.taken {
		steps[i] = *m.step
		steps[i].At = r.At.Add(m.after)
		steps[i].Values = m.step.judged(r.Params)
	}
	return steps
}

// whole is a copy of the record to be shown: with its steps.
func (r *Record) whole() Record {
	w := *r
	w.Steps = r.steps()
	return w
}

// Emit adds a step with the current time. A record holds 64 steps; later ones are dropped.
func (r *Recorder) Emit(step Step) {
	if r == nil {
		return
	}
	own := step // the parameter itself would then be on the heap without a Hub, too
	own.Text = cut(own.Text)
	r.add(&own)
}

// add adds a step that does not change any more.
func (r *Recorder) add(step *Step) {
	if r == nil {
		return
	}
	now := r.hub.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended && len(r.record.taken) < maxSteps {
		r.record.taken = append(r.record.taken, moment{now.Sub(r.record.At), step})
	}
}

// Join says that the record belongs to the flow that knows the value by this key, and that the flow shall know it from
// now on. The value itself is not stored. An empty value joins nothing.
func (r *Recorder) Join(key Key, value string) {
	if r == nil || value == "" {
		return
	}
	j := join{key, sumOf(value)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.join(j)
	}
}

// join adds a key that is new. Recorder.mu is held.
func (r *Recorder) join(j join) {
	if len(r.joins) < maxJoins && !slices.Contains(r.joins, j) {
		r.joins = append(r.joins, j)
	}
}

// Set edits the record: its client, its parameters, its status. edit must not call the Recorder.
func (r *Recorder) Set(edit func(*Record)) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		edit(&r.record)
	}
}

// End finishes the record: it becomes part of a flow, is diagnosed, and watchers are told. A second End does
// nothing, and so do Emit, Join and Set after it.
func (r *Recorder) End() {
	if r == nil || !r.end() {
		return
	}
	r.hub.file(r)
}

// end reports whether this was the first call. From then on only the hub writes to the record.
func (r *Recorder) end() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	for i := range r.record.Params {
		r.recognise(&r.record.Params[i])
	}
	for i := range r.record.Answer {
		r.recognise(&r.record.Answer[i])
	}
	r.ended = true
	if r.record.Took == 0 {
		r.record.Took = r.hub.now().Sub(r.record.At)
	}
	r.record.bound()
	return true
}

// recognise joins by a parameter that stands for the flow, so that a request that never reached its endpoint is joined
// too. Recorder.mu is held.
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

// Rule is the step of a rule that was judged. params are the names of the request parameters that the rule is about;
// their values are put to the step when somebody looks.
func Rule(spec, text string, params []string, holds bool) Step {
	if holds {
		return Step{Kind: KindRule, Spec: spec, Text: text, Outcome: OK, params: params}
	}
	return Step{Kind: KindRule, Spec: spec, Text: text, Outcome: Failed, params: params}
}

// judged are the step's values: its own, and of the record's parameters those that it is about.
func (s *Step) judged(params []Value) []Value {
	values := s.Values
	for _, name := range s.params {
		for _, param := range params {
			if param.Name == name {
				values = append(values[:len(values):len(values)], param)
			}
		}
	}
	return values
}
