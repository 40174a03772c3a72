package trace

import (
	"slices"
	"time"
)

// Shared is what one hub tells others, as JSON: a record that ended there, or that all flows are to be forgotten.
type Shared struct {
	Record *Record   `json:"record,omitempty"` // FlowID is that of the flow that it is part of there
	Joins  []Joint   `json:"joins,omitempty"`
	Sums   []Sum     `json:"sums,omitempty"` // of the secrets among Record.Params
	Reset  time.Time `json:"reset,omitzero"` // when; what began later stays
}

// Joint is a key with the sum of its value.
type Joint struct {
	Key Key `json:"key"`
	Sum Sum `json:"sum"`
}

// Sum tells whether two secrets are the same, and not what they are.
type Sum uint64

// shared is the record as others hear of it. It has ended, and nobody writes to it but the hub, later.
func (r *Recorder) shared() Shared {
	whole := r.record.whole()
	s := Shared{Record: &whole, Joins: make([]Joint, len(r.joins)), Sums: make([]Sum, len(whole.Params))}
	for i, j := range r.joins {
		s.Joins[i] = Joint{j.key, Sum(j.sum)}
	}
	for i, param := range whole.Params {
		s.Sums[i] = Sum(param.sum)
	}
	return s
}

// Hear takes over what another hub told. It keeps s.
func (h *Hub) Hear(s Shared) {
	switch {
	case h == nil:
	case !s.Reset.IsZero():
		h.clear(s.Reset, func(f *flow) bool { return f.At.Before(s.Reset) })
	case s.Record != nil:
		h.enter(s.recorder(h), s.Record.FlowID)
	}
}

// skips tells whether what was heard is not for the flows: it began before the last Reset, or was heard before.
func (h *Hub) skips(record *Record, joins []join, id string) bool {
	if record.At.Before(h.resetAt) {
		return true
	}
	for _, f := range []*flow{h.find(joins), h.named(id)} {
		if f != nil && slices.ContainsFunc(f.records, func(k *Record) bool { return k.ID == record.ID && k.At.Equal(record.At) }) {
			return true
		}
	}
	return false
}

// recorder is the one that the record would have ended with here.
func (s Shared) recorder(h *Hub) *Recorder {
	r := &Recorder{hub: h, ended: true, record: *s.Record}
	for i := range min(len(r.record.Params), len(s.Sums)) {
		r.record.Params[i].sum = uint64(s.Sums[i])
	}
	r.record.bound()
	for i := range r.record.Steps[:min(len(r.record.Steps), maxSteps)] {
		step := &r.record.Steps[i]
		r.record.taken = append(r.record.taken, moment{step.At.Sub(r.record.At), step})
	}
	r.record.Steps = nil
	for _, j := range s.Joins[:min(len(s.Joins), maxJoins)] {
		r.joins = append(r.joins, join{j.Key, uint64(j.Sum)})
	}
	return r
}
