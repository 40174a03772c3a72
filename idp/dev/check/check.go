package check

import (
	"fmt"
	"slices"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Outcome is the result of a Check.
type Outcome string

// The outcomes. NotSeen: the app has not yet sent the request that the check judges. CannotSee: the provider cannot
// see it.
const (
	Holds     Outcome = "holds"
	Fails     Outcome = "fails"
	NotSeen   Outcome = "not_seen"
	CannotSee Outcome = "cannot_see"
)

// Finding is the result of one check, for a developer.
type Finding struct {
	Check    string  `json:"check"` // its name, which never changes: redirect.registered
	Topic    string  `json:"topic"`
	Text     string  `json:"text"` // the sentence that holds or fails
	Outcome  Outcome `json:"outcome"`
	Seen     string  `json:"seen,omitempty"`     // what the provider saw
	Inferred string  `json:"inferred,omitempty"` // what the provider concludes from it and did not see
	Spec     string  `json:"spec"`               // "Core §3.1.2.1"
	Reason   string  `json:"reason,omitempty"`   // of docs/reasons.md, when the check fails
	Do       string  `json:"do,omitempty"`       // what to do in the app, when it was not seen yet
	Call     string  `json:"call,omitempty"`     // the code of the library that does it
	Remedy   string  `json:"remedy,omitempty"`   // how to correct it with the library, when the check fails
	Flow     string  `json:"flow,omitempty"`     // the id of the flow that was judged
}

// Check is one condition of a silent renewal that works.
type Check struct {
	Name, Topic, Text, Spec string
	Do                      Action // makes the check visible
	about                   subject
	judge                   func(*view) verdict
}

// subject is what a check is about. An app that has no browser renews without an iframe, and has neither of the pages:
// see concerning.
type subject int

const (
	aboutApp     subject = iota // the app, also one without a browser
	aboutRenewal                // a silent renewal in a browser
	aboutPage                   // the page with the iframe, or the page in it
)

// Action is a step of the developer that makes a check visible to the provider.
type Action string

// The actions. A library has its own code for the first three.
const (
	SignIn  Action = "sign_in"
	Renew   Action = "renew"
	SignOut Action = "sign_out"
	Fetch   Action = "fetch"
)

var actions = map[Action]string{
	SignIn:  "Sign in with your app.",
	Renew:   "Sign in with your app, and let it renew silently.",
	SignOut: "Sign out with your app.",
	Fetch:   "Let the provider fetch the pages of your app.",
}

// Checks returns all checks, in the order in which they are shown.
func Checks() []Check { return checks }

var checks = slices.Concat(requestChecks, cookieChecks, pageChecks, answerChecks, tokenChecks, logoutChecks)

// Judge returns a finding for each check.
func Judge(seen Seen) []Finding {
	v := newView(seen)
	findings := make([]Finding, len(checks))
	for i, c := range checks {
		findings[i] = c.finding(v)
	}
	return findings
}

func (c Check) finding(v *view) Finding {
	got := v.concerning(c, c.judge(v))
	f := Finding{Check: c.Name, Topic: c.Topic, Text: c.Text, Spec: c.Spec, Outcome: got.outcome, Seen: got.seen,
		Inferred: got.inferred, Reason: string(got.reason), Flow: got.flow}
	switch got.outcome {
	case Fails:
		f.Remedy = v.filled(v.Library.remedy(c.Name))
	case NotSeen:
		f.Do, f.Call = actions[c.Do], v.Library.Calls[c.Do]
	}
	return f
}

// verdict is the result of a check about one event.
type verdict struct {
	outcome        Outcome
	seen, inferred string
	reason         oidc.Reason
	flow           string
}

// holds is the verdict about an event that is right.
func holds(e *event, format string, values ...any) verdict { return e.verdict(Holds, format, values) }

// fails is the verdict about an event that is wrong.
func fails(e *event, format string, values ...any) verdict { return e.verdict(Fails, format, values) }

// notSeen is the verdict while the app has not sent the request. Without values the format may be empty.
func notSeen(format string, values ...any) verdict {
	return (*event)(nil).verdict(NotSeen, format, values)
}

// cannotSee is the verdict about something that does not reach the provider.
func cannotSee(format string, values ...any) verdict {
	return (*event)(nil).verdict(CannotSee, format, values)
}

func (v verdict) inferring(text string) verdict {
	v.inferred = text
	return v
}

func (v verdict) because(reason oidc.Reason) verdict {
	v.reason = reason
	return v
}

// event is a record of a flow of the app.
type event struct {
	flow   *trace.Flow
	record *trace.Record
}

// verdict is about the event; nil: about no event.
func (e *event) verdict(outcome Outcome, format string, values []any) verdict {
	v := verdict{outcome: outcome, seen: fmt.Sprintf(format, values...)}
	if e == nil {
		return v
	}
	v.flow = e.flow.ID
	for _, step := range e.record.Steps {
		if step.Kind == trace.KindFault {
			v.seen += "; the failure lab changed this answer"
			break
		}
	}
	return v
}
