package console

import (
	"net/http"
	"time"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/oidc"
)

// faults is GET /console/faults.
func (e *Endpoint) faults(http.ResponseWriter, *http.Request) (any, error) {
	return map[string]any{"faults": e.Lab.List(), "ended": e.Lab.Ended()}, nil
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
			"current ones", r.PathValue("id"))
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
	return map[string]any{"kinds": lab.Kinds(e.Served)}, nil
}

// clockAnswer is the provider's time, and how far it is ahead of the real one.
type clockAnswer struct {
	Now     time.Time `json:"now"`
	Offset  string    `json:"offset"` // as a duration, such as "10m0s"
	OffsetS float64   `json:"offset_s"`
}

// clock is GET /console/clock.
func (e *Endpoint) clock(http.ResponseWriter, *http.Request) (any, error) {
	offset := e.Lab.Clock.Offset()
	return clockAnswer{Now: e.Lab.Clock.Now(), Offset: offset.String(), OffsetS: offset.Seconds()}, nil
}

// moveClock is POST /console/clock: {"forward": "10m"}, or {"real": true} back to the real time.
func (e *Endpoint) moveClock(w http.ResponseWriter, r *http.Request) (any, error) {
	var asked struct {
		Forward lab.Duration `json:"forward"`
		Real    bool         `json:"real"`
	}
	if err := readJSON(r, &asked); err != nil {
		return nil, err
	}
	if asked.Real == (asked.Forward != lab.Duration{}) {
		return nil, oidc.InvalidRequest.Errorf(`send either {"forward": "10m"}, or {"real": true} for the real time`)
	}
	move := func() error { return e.Lab.Clock.Forward(asked.Forward.Duration) }
	if asked.Real {
		move = e.Lab.Clock.Real
	}
	if err := move(); err != nil {
		return nil, err
	}
	return e.clock(w, r)
}

// lab is GET /console/lab: what the failure lab does now.
func (e *Endpoint) lab(http.ResponseWriter, *http.Request) (any, error) {
	return map[string]any{"notices": e.Lab.Notices()}, nil
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
