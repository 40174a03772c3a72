package trace

import (
	"cmp"
	"slices"
)

// reunite puts into f the flows that its new record shows to be parts of it, and returns their ids: requests that another replica
// answered, and that were heard of before the authorization request that they follow. id is what another hub calls f.
func (h *Hub) reunite(f *flow, record *Record, joins []join, id string) (gone []string) {
	if record.Endpoint == "logout" {
		return nil
	}
	for _, j := range joins {
		again := j.key == State && record.fresh() // an application may use its state again: what follows is younger
		if part := h.index[j]; part.isPartOf(f) && !(again && part.At.Before(record.At)) {
			gone = append(gone, h.swallow(f, part))
		}
	}
	if part := h.named(id); id != "" && part.isPartOf(f) {
		gone = append(gone, h.swallow(f, part))
	}
	return gone
}

// isPartOf tells whether the flow can be a part of f: nobody asked for authorization in it.
func (part *flow) isPartOf(f *flow) bool {
	return part != nil && part != f && !part.authorize && part.records[0].Endpoint != "logout"
}

// swallow makes the records, keys and reasons of part those of f, and returns the id that is no more.
func (h *Hub) swallow(f, part *flow) string {
	keys := slices.Clone(part.keys)
	h.drop(slices.Index(h.flows, part))
	h.learn(f, keys)
	f.records = append(f.records, part.records...)
	for _, reason := range part.Reasons {
		if !slices.ContainsFunc(f.Reasons, func(k Reasoned) bool { return k.Code == reason.Code }) {
			f.Reasons = append(f.Reasons, reason)
		}
	}
	f.ClientID, f.Issuer = cmp.Or(f.ClientID, part.ClientID), cmp.Or(f.Issuer, part.Issuer)
	return part.ID
}

// retell judges a flow anew whose requests came in another order than they were made in.
func (h *Hub) retell(f *flow) {
	slices.SortStableFunc(f.records, func(a, b *Record) int { return cmp.Or(later(a, b), a.At.Compare(b.At)) })
	f.records = slices.Delete(f.records, 1, 1+max(0, len(f.records)-maxRecords))
	slices.SortStableFunc(f.Reasons, func(a, b Reasoned) int { return a.At.Compare(b.At) })
	first := f.records[0]
	f.At, f.Took, f.State, f.authorize, f.Silent = first.At, 0, FlowOpen, first.fresh(), first.Silent
	f.rest()
	for _, r := range f.records {
		r.FlowID = f.ID
		f.Took = max(f.Took, r.end().Sub(f.At))
		f.State = f.next(r)
		h.await(f, r)
	}
	f.overtaken()
}

// later puts the authorization request first, whatever the clocks of two replicas say.
func later(a, b *Record) int {
	switch {
	case a.fresh() == b.fresh():
		return 0
	case a.fresh():
		return -1
	}
	return 1
}
