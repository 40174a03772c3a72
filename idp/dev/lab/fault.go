package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Fault is one failure on purpose. Its JSON form is the body of POST /console/faults.
type Fault struct {
	ID       string `json:"id"`
	Client   string `json:"client,omitempty"` // client_id; empty: any
	Endpoint string `json:"endpoint"`         // by the names of trace.Record; empty: the first of the kind's
	Fault    Kind   `json:"fault"`

	// Times is the number of requests that the fault affects. 0: any number, until Until. Without both: once.
	Times int `json:"times"`
	// Until is the time when the fault ends by itself, by the real time and not by the Clock.
	Until time.Time `json:"until,omitzero"`
	// For is the time from the addition of the fault to Until, instead of Until.
	For Duration `json:"for,omitzero"`

	Error       oidc.ErrorCode `json:"error,omitempty"`
	Description string         `json:"error_description,omitempty"`
	Status      int            `json:"status,omitempty"`
	Delay       Duration       `json:"delay,omitzero"`
	Lifetime    Duration       `json:"lifetime,omitzero"` // of access tokens; 30 s unless given
	User        string         `json:"user,omitempty"`    // a sub; empty: any user other than the signed-in one

	Used    int       `json:"used"`
	AddedAt time.Time `json:"added_at,omitzero"`
	EndedAt time.Time `json:"ended_at,omitzero"`
	Ended   Ending    `json:"ended,omitempty"`
}

// Ending is the reason why a fault is over.
type Ending string

// The endings of a fault.
const (
	UsedUp    Ending = "used_up"
	RanOut    Ending = "expired"
	Cancelled Ending = "cancelled"
)

// Duration is a time.Duration that JSON has as text, such as "2s".
type Duration struct{ time.Duration }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. An empty text changes nothing.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		return nil
	}
	if d.Duration, err = time.ParseDuration(string(text)); err != nil {
		return oidc.InvalidRequest.Errorf("%.50q is no duration: write one such as 2s, 500ms or 10m", text)
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler. An unknown field is an invalid_request error: otherwise a typing error
// would make another fault.
func (f *Fault) UnmarshalJSON(text []byte) error {
	type plain Fault // without this method
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode((*plain)(f))
	if err == nil {
		return nil
	}
	if ours, ok := errors.AsType[*oidc.Error](err); ok {
		return ours
	}
	return oidc.InvalidRequest.Errorf("the fault cannot be read: %s", oidc.JSONFault(err)).Because(err)
}
