package oidc

import (
	"cmp"
	"context"
	"fmt"
)

// Rule is one requirement of a specification for a subject of type S: a request, a token, a proof.
type Rule[S any] struct {
	Spec, Text string         // "RFC 7636 §4.3", "code_challenge_method is S256"
	Holds      func(S) bool   // true when the subject satisfies the rule
	Got        func(S) string // describes the received value; nil: the error does not repeat it
	Help       string         // what the developer can do; may be empty
	Else       ErrorCode      // the OAuth error code of a breach; empty: InvalidRequest
	Reason     Reason         // the stable reason code of a breach; empty: that of Else (idp/endpoint)
	Params     []string       // the request parameters that the rule is about, for the trace
}

// Table is a list of rules in the order in which they are judged.
type Table[S any] []Rule[S]

// Judge returns nil when the subject satisfies all rules, else the *Error of the first broken rule. The observer of ctx
// (see ObserveRules) gets the result of each rule up to that one.
func (t Table[S]) Judge(ctx context.Context, subject S) error {
	if broken := t.Broken(ctx, subject); broken != nil {
		return broken.Breach(subject)
	}
	return nil
}

// Broken is Judge for a caller that needs the rule: it returns the first broken rule, or nil.
func (t Table[S]) Broken(ctx context.Context, subject S) *Rule[S] {
	observe, _ := ctx.Value(observerKey{}).(func(Judgment))
	for i := range t {
		rule := &t[i]
		holds := rule.Holds(subject)
		if observe != nil {
			observe(Judgment{Rule: rule, Holds: holds, Subject: subject})
		}
		if !holds {
			return rule
		}
	}
	return nil
}

// Breach returns the error for a subject that breaks the rule: the expectation, the received value, the help.
func (r Rule[S]) Breach(subject S) *Error {
	text := fmt.Sprintf("expected: %s (%s)", r.Text, r.Spec)
	if r.Got != nil {
		text += "; got " + r.Got(subject)
	}
	if r.Help != "" {
		text += "; " + r.Help
	}
	return cmp.Or(r.Else, InvalidRequest).Errorf("%s", text).Blame(r.Reason)
}

// Requirement is what a rule says, without the type of its subject.
type Requirement struct {
	Spec, Text string
	Params     []string
	Reason     Reason
}

// Requirement returns what the rule says.
func (r *Rule[S]) Requirement() Requirement { return Requirement{r.Spec, r.Text, r.Params, r.Reason} }

// Required is a rule for subjects of any type: a *Rule.
type Required interface{ Requirement() Requirement }

// Judgment is the result of one rule for one subject. An observer may keep the Rule, but not the Subject, which may
// change.
type Judgment struct {
	Rule    Required
	Holds   bool
	Subject any // what was judged, an S
}

type observerKey struct{}

// ObserveRules returns a context in which Judge calls observe for each rule, in order. A context has one observer.
func ObserveRules(ctx context.Context, observe func(Judgment)) context.Context {
	return context.WithValue(ctx, observerKey{}, observe)
}
