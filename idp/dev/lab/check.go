package lab

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

const maxDelay = time.Minute // longer than any client waits

var defaultLifetime = Duration{30 * time.Second}

// isErrorCode tells whether the text has the form of OAuth's error codes; RFC 6749 §4.1.2.1 would allow more.
func isErrorCode(text string) bool {
	return len(text) <= 64 && oidc.IsMadeOf(text, "abcdefghijklmnopqrstuvwxyz0123456789_")
}

// prepared returns the fault as it begins at now, with its defaults, or an invalid_request error.
func (f Fault) prepared(id string, now time.Time) (Fault, error) {
	info, ok := f.Fault.info()
	if !ok {
		return f, oidc.InvalidRequest.Errorf("fault %.50q is not known; the faults are %s", f.Fault, kindNames())
	}
	f.ID, f.AddedAt, f.Used, f.EndedAt, f.Ended = id, now, 0, time.Time{}, ""
	f.Endpoint = cmp.Or(f.Endpoint, info.Endpoints[0])
	if f.Fault == ShortLifetime {
		f.Lifetime = cmp.Or(f.Lifetime, defaultLifetime)
	}
	if info.Further == "" && !slices.Contains(info.Endpoints, f.Endpoint) { // CheckPlace judges the other kinds
		return f, f.misplaced(info)
	}
	if err := f.checkNeeds(info); err != nil {
		return f, err
	}
	return f.limited(now)
}

// limited sets how often or until when the fault happens.
func (f Fault) limited(now time.Time) (Fault, error) {
	switch {
	case f.Times < 0:
		return f, oidc.InvalidRequest.Errorf("times is %d: write how many requests the fault is for, or until when it lasts",
			f.Times)
	case f.For.Duration < 0:
		return f, oidc.InvalidRequest.Errorf("for is %v: write how long the fault lasts, such as 30s", f.For)
	case f.For.Duration > 0 && !f.Until.IsZero():
		return f, oidc.InvalidRequest.Errorf("for and until both say when the fault ends: send one")
	case f.For.Duration > 0:
		f.Until, f.For = now.Add(f.For.Duration), Duration{}
	case !f.Until.IsZero() && !f.Until.After(now):
		return f, oidc.InvalidRequest.Errorf("until is %s, which is over: it is %s now", f.Until.Format(time.RFC3339),
			now.Format(time.RFC3339))
	case f.Until.IsZero() && f.Times == 0:
		f.Times = 1
	}
	return f, nil
}

// CheckPlace returns an invalid_request error for a fault that no request to the served endpoints can meet.
func (f Fault) CheckPlace(served []endpoint.Endpoint) error {
	for _, kind := range Kinds(served) {
		if kind.Kind == f.Fault && f.Endpoint != "" && !slices.Contains(kind.Endpoints, f.Endpoint) {
			return f.misplaced(kind)
		}
	}
	for _, e := range served {
		if e.Name == f.Endpoint && e.Audience == endpoint.Files && f.Client != "" {
			return oidc.InvalidRequest.Errorf("a request to %s does not name a client: leave client out", f.Endpoint)
		}
	}
	return nil
}

func (f Fault) misplaced(kind KindInfo) error {
	return oidc.InvalidRequest.Errorf("fault %s cannot happen at endpoint %.50q; it can at %s",
		f.Fault, f.Endpoint, strings.Join(kind.Endpoints, ", "))
}

// checkNeeds returns an error if the fault lacks a field that its kind needs, or has a field that its kind does not
// use.
func (f Fault) checkNeeds(info KindInfo) error {
	for _, field := range []struct {
		name, example string
		given         bool
	}{
		{"error", "an OAuth error code such as login_required", f.Error != ""},
		{"status", "an HTTP status such as 503", f.Status != 0},
		{"delay", "a duration such as 2s", f.Delay != Duration{}},
		{"lifetime", "a duration such as 30s", f.Lifetime != Duration{}},
		{"user", "a sub", f.User != "" || f.Fault == SessionOtherUser},
	} {
		switch needed := slices.Contains(info.Needs, field.name); {
		case field.given && !needed:
			return oidc.InvalidRequest.Errorf("fault %s does not take %s: leave it out", f.Fault, field.name)
		case needed && !field.given:
			return oidc.InvalidRequest.Errorf("fault %s needs %s: %s", f.Fault, field.name, field.example)
		}
	}
	return f.checkValues()
}

func (f Fault) checkValues() error {
	switch {
	case f.Error != "" && !isErrorCode(string(f.Error)):
		return oidc.InvalidRequest.Errorf("error %.50q is no OAuth error code: write one such as login_required", f.Error)
	case f.Status != 0 && (f.Status < http.StatusBadRequest || f.Status > 599):
		return oidc.InvalidRequest.Errorf("status %d is no failure: write one from 400 to 599, such as 503", f.Status)
	case f.Delay.Duration < 0 || f.Delay.Duration > maxDelay:
		return oidc.InvalidRequest.Errorf("delay is %v: write a duration up to %v, such as 2s", f.Delay, maxDelay)
	case f.Lifetime != Duration{} && f.Lifetime.Duration < time.Second:
		return oidc.InvalidRequest.Errorf("lifetime is %v: write a duration of a second or more, such as 30s", f.Lifetime)
	}
	return nil
}

func kindNames() string {
	list := make([]string, len(kinds()))
	for i, info := range kinds() {
		list[i] = string(info.Kind)
	}
	return strings.Join(list, ", ")
}
