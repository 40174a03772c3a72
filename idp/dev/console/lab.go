package console

import (
	"net/http"
	"time"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/oidc"
)

// faultList is the answer of GET /console/faults.
type faultList struct {
	Faults []lab.Fault `json:"faults"`
	Ended  []lab.Fault `json:"ended"` // the last twenty, the last one first
}

// kindList is the answer of GET /console/faults/kinds.
type kindList struct {
	Kinds []lab.KindInfo `json:"kinds"`
}

// faults is GET /console/faults.
func (e *Endpoint) faults(http.ResponseWriter, *http.Request) (any, error) {
	return faultList{e.Lab.List(), e.Lab.Ended()}, nil
}

// addFault is POST /console/faults.
func (e *Endpoint) addFault(_ http.ResponseWriter, r *http.Request) (any, error) {
	var fault lab.Fault
	if err := readJSON(r, &fault); err != nil {
		return nil, err
	}
	if _, err := e.Clients.ByID(r.Context(), fault.Client); fault.Client != "" && err != nil {
		return nil, oidc.InvalidRequest.Errorf("client %.50q is not registered, so no request would meet the fault: "+
			"name one that is, or none for any client", fault.Client)
	}
	if err := fault.CheckPlace(e.Served); err != nil {
		return nil, err
	}
	return e.Lab.Add(fault)
}

// cancelFault is DELETE /console/faults/{id}.
func (e *Endpoint) cancelFault(w http.ResponseWriter, r *http.Request) (any, error) {
	found, err := e.Lab.Cancel(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, oidc.InvalidRequest.Errorf("fault %.50q does not exist or is over: GET /console/faults lists the "+
			"current ones", r.PathValue("id")).
			Because(errAbsent)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

// clearFaults is DELETE /console/faults.
func (e *Endpoint) clearFaults(w http.ResponseWriter, _ *http.Request) (any, error) {
	if err := e.Lab.Clear(); err != nil {
		return nil, err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

// faultKinds is GET /console/faults/kinds.
func (e *Endpoint) faultKinds(http.ResponseWriter, *http.Request) (any, error) {
	return kindList{lab.Kinds(e.Served)}, nil
}

// clockAnswer is the provider's time, and how far it is ahead of the real one.
type clockAnswer struct {
	Now time.Time `json:"now"`
	// Offset is a duration, such as 10m0s; negative: the clock is behind the real time.
	Offset  string  `json:"offset"`
	OffsetS float64 `json:"offset_s"` // in seconds
	Frozen  bool    `json:"frozen"`   // the clock stands still
}

// clock is GET /console/clock.
func (e *Endpoint) clock(http.ResponseWriter, *http.Request) (any, error) {
	clock := e.Lab.Clock
	offset := clock.Offset()
	return clockAnswer{Now: clock.Now(), Offset: offset.String(), OffsetS: offset.Seconds(), Frozen: clock.IsFrozen()}, nil
}

// moveClock is POST /console/clock.
func (e *Endpoint) moveClock(w http.ResponseWriter, r *http.Request) (any, error) {
	var move lab.Move
	if err := readJSON(r, &move); err != nil {
		return nil, err
	}
	if err := e.Lab.Clock.Move(move); err != nil {
		return nil, err
	}
	return e.clock(w, r)
}

// labAnswer is what the failure lab does now.
type labAnswer struct {
	Notices []lab.Notice `json:"notices"`
}

// lab is GET /console/lab: what the failure lab does now.
func (e *Endpoint) lab(http.ResponseWriter, *http.Request) (any, error) {
	return labAnswer{e.Lab.Notices()}, nil
}

// turnOff is POST /console/lab/off: no faults, and the real time. The answer to a form is a redirect to return_to.
func (e *Endpoint) turnOff(w http.ResponseWriter, r *http.Request) (any, error) {
	if err := e.Lab.TurnOff(); err != nil {
		return nil, err
	}
	if oidc.ParseForm(r) == nil && r.PostForm.Has("return_to") {
		http.Redirect(w, r, pathOfOurs(r.PostForm.Get("return_to")), http.StatusSeeOther)
		return nil, nil
	}
	return e.lab(w, r)
}

// orEmpty is a list that JSON writes as [], never as null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
