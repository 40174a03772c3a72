package trace

import "slices"

// Shared is what one hub tells others, as JSON: a record that ended there, or that all flows are to be forgotten.
type Shared struct {
	Record *Record `json:"record,omitempty"`
	Joins  []Joint `json:"joins,omitempty"`
	Sums   []Sum   `json:"sums,omitempty"` // of the secrets among Record.Params
	Reset  bool    `json:"reset,omitempty"`
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
	s := Shared{Record: &whole}
	for _, j := range r.joins {
		s.Joins = append(s.Joins, Joint{j.key, Sum(j.sum)})
	}
	for _, param := range whole.Params {
		s.Sums = append(s.Sums, Sum(param.sum))
	}
	return s
}

// Hear takes over what another hub told.
func (h *Hub) Hear(s Shared) {
	switch {
	case h == nil:
	case s.Reset:
		h.clear()
	case s.Record != nil:
		h.enter(s.recorder(h))
	}
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

// headless tells whether the flow lacks the authorization request that these keys are of: it redeemed the code that the request was
// answered with, and none is in it.
func (h *Hub) headless(f *flow, joins []join) bool {
	redeemed := slices.ContainsFunc(joins, func(j join) bool { return j.key == Code && h.index[j] == f })
	return redeemed && !slices.ContainsFunc(f.records, (*Record).fresh)
}

// begin puts the authorization request before what is there already.
func (f *flow) begin(record *Record) {
	f.ID, f.At, f.Took = idFrom(record.ID), record.At, 0
	f.authorize, f.Silent = true, record.Silent
	f.ClientID, f.Issuer = record.ClientID, record.Issuer
	for _, r := range f.records {
		r.FlowID = f.ID
		f.Took = max(f.Took, r.end().Sub(f.At))
	}
}
