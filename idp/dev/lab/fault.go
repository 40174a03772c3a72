package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Fault is one thing that goes wrong on purpose. Its JSON form is the body of POST /console/faults; durations are text
// there, such as "2s", and "for" is another way to say until.
type Fault struct {
	ID       string `json:"id"`
	Client   string `json:"client,omitempty"` // client_id; empty: any
	Endpoint string `json:"endpoint"`         // by the names of trace.Record; empty: the first of the kind's
	Fault    Kind   `json:"fault"`

	// Times is how many requests it is for. 0: any number, until Until. Neither given: once.
	Times int `json:"times"`
	// Until is when it ends by itself, by the real time whatever the Clock says.
	Until time.Time `json:"until,omitzero"`
	// For is another way to say Until: so long from when the fault is added.
	For time.Duration `json:"-"`

	Error       oidc.ErrorCode `json:"error,omitempty"`
	Description string         `json:"error_description,omitempty"`
	Status      int            `json:"status,omitempty"`
	Delay       time.Duration  `json:"-"`
	Lifetime    time.Duration  `json:"-"`              // of access tokens; 30 s unless given
	User        string         `json:"user,omitempty"` // a sub; empty: somebody else than who is signed in

	Used    int       `json:"used"`
	AddedAt time.Time `json:"added_at,omitzero"`
	EndedAt time.Time `json:"ended_at,omitzero"`
	Ended   Ending    `json:"ended,omitempty"`
}

// Ending is why a fault is over.
type Ending string

// The endings of a fault.
const (
	UsedUp    Ending = "used_up"
	RanOut    Ending = "expired"
	Cancelled Ending = "cancelled"
)

// plain is a Fault without its methods.
type plain Fault

// wire is how a Fault travels.
type wire struct {
	*plain
	For      duration `json:"for,omitzero"`
	Delay    duration `json:"delay,omitzero"`
	Lifetime duration `json:"lifetime,omitzero"`
}

// duration is a time.Duration as text.
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return oidc.InvalidRequest.Errorf("%.50q is no duration: write one such as 2s, 500ms or 10m", text)
	}
	*d = duration(parsed)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{plain: (*plain)(&f), For: duration(f.For), Delay: duration(f.Delay),
		Lifetime: duration(f.Lifetime)})
}

// UnmarshalJSON implements json.Unmarshaler. A field that it does not know is an invalid_request: a typing error would
// otherwise make another fault than was meant.
func (f *Fault) UnmarshalJSON(text []byte) error {
	read := wire{plain: (*plain)(f)}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return unreadable(err)
	}
	f.For, f.Delay, f.Lifetime = time.Duration(read.For), time.Duration(read.Delay), time.Duration(read.Lifetime)
	return nil
}

// unreadable says what is wrong with a fault that came as JSON.
func unreadable(err error) error {
	if ours, ok := errors.AsType[*oidc.Error](err); ok {
		return ours
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return oidc.InvalidRequest.Errorf("%s cannot be a %s: numbers stand without quotes, names, times and "+
			"durations within", wrong.Field, wrong.Value).Because(err)
	}
	return oidc.InvalidRequest.Errorf("the fault cannot be read: %v", err).Because(err)
}
