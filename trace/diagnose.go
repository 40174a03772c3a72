package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The reasons that need several requests, and the reasons with a special text.
const (
	tokenShortLived  = "token.short_lived"
	renewalLooping   = "renewal.looping"
	callbackNested   = "callback.nested"
	callbackSilent   = "callback.silent"
	pageInIframe     = "page.in_iframe"
	clockSkew        = "clock.skew"
	codeReplayed     = "code.replayed"
	originNotAllowed = "origin.not_allowed"
	corsMethod       = "cors.method"
	corsHeader       = "cors.header"
	faultInjected    = "fault.injected"
	requestNarrowed  = "request.narrowed"
	claimsUnasked    = "claims.unasked"
)

// warnings are the reasons that are concluded from requests which were answered as they should be.
var warnings = []string{renewalLooping, tokenShortLived, clockSkew, requestNarrowed, claimsUnasked}

const maxSkew = time.Minute

// finding is the text of a reason. It is called when the flow is read, and says what was true when it was made.
type finding func() string

// found is a finding with a text that is made at once.
func found(text string) finding { return func() string { return text } }

// diagnoses are the checks of each record. finds returns the text of the reason, or nil.
var diagnoses = []struct {
	reason string
	finds  func(h *Hub, f *flow, r *Record) finding
}{
	{pageInIframe, (*Hub).page},
	{callbackNested, (*Hub).nested},
	{renewalLooping, (*Hub).looping},
	{tokenShortLived, (*Hub).shortLived},
	{clockSkew, (*Hub).skewed},
	{requestNarrowed, (*Hub).narrowed},
	{claimsUnasked, (*Hub).unasked},
}

// diagnose adds the reasons that the record and its flow show to the reason of the endpoint.
func (h *Hub) diagnose(f *flow, r *Record) {
	if r.Reason == faultInjected && h.page(f, r) != nil {
		r.Reason = pageInIframe // the effect of the fault
	}
	if r.Reason != "" && r.Reason != pageInIframe {
		f.note(r, r.Reason, found(f.account(r)), r.end())
	}
	for _, d := range diagnoses {
		if why := d.finds(h, f, r); why != nil {
			f.note(r, d.reason, why, r.end())
		}
	}
	if r.Endpoint == "token" && r.Reason != codeReplayed {
		f.overtaken()
	}
}

// overtaken updates the text of a replay if the first redemption ended after it: of two simultaneous redemptions, the
// refused one may be answered first. The tokens of the other are revoked, so the flow has failed.
func (f *flow) overtaken() {
	for _, k := range f.records {
		if k.Reason == codeReplayed {
			f.note(k, codeReplayed, found(f.replayed(k)), k.end())
			f.State = FlowFailed
		}
	}
}

// note adds a reason to the flow, and to the record if that has none. It replaces a reason with the same code.
func (f *flow) note(r *Record, code string, why finding, at time.Time) {
	r.Reason = cmp.Or(r.Reason, code)
	noted := note{code, why, at}
	if known := slices.IndexFunc(f.notes, func(k note) bool { return k.code == code }); known >= 0 {
		f.notes[known] = noted
		return
	}
	f.notes = append(f.notes, noted)
}

// withdraw removes a reason that later records disprove.
func (f *flow) withdraw(code string) {
	f.notes = slices.DeleteFunc(f.notes, func(k note) bool { return k.code == code })
	for _, r := range f.records {
		if r.Reason == code {
			r.Reason = ""
		}
	}
}

// account is the text of the record's own reason.
func (f *flow) account(r *Record) string {
	if r.Reason == codeReplayed {
		return f.replayed(r)
	}
	for _, m := range r.taken {
		if m.reason() == r.Reason && r.Description == "" {
			return m.told(nil).Text
		}
	}
	return cmp.Or(r.Description, r.Reason)
}

// replayed says how long after the code's redemption the record came, and whether from the same client instance: the
// same code_verifier means a callback that ran twice, another one may mean a thief.
func (f *flow) replayed(r *Record) string {
	first := slices.IndexFunc(f.records, func(k *Record) bool {
		return k != r && k.Endpoint == "token" && !k.Preflight() && k.Reason != codeReplayed && has(k.Params, "code")
	})
	if first < 0 {
		return "the code was spent before, by a request that the trace does not have"
	}
	whose := "without a code_verifier to compare"
	then, now := valueOf(f.records[first].Params, "code_verifier"), valueOf(r.Params, "code_verifier")
	if then.sum != 0 && now.sum != 0 {
		whose = "with another code_verifier: somebody else has the code"
		if then.sum == now.sum {
			whose = "with the same code_verifier: the callback ran twice"
		}
	}
	return fmt.Sprintf("the code was redeemed again %s after the first time, %s",
		max(0, r.At.Sub(f.records[first].At)).Round(time.Millisecond), whose)
}

func (h *Hub) page(_ *flow, r *Record) finding {
	if !r.lost() || r.Fetch.Dest != "iframe" {
		return nil
	}
	return found(fmt.Sprintf("prompt=none was answered with a page (status %d) in a hidden iframe; nobody sees it, "+
		"and the app waits until its timer runs out", r.Status))
}

// narrowed returns what the flow did not get, if the record is about some of it. The request that goes on after a
// sign-in no longer has the parameters that were ignored before.
func (h *Hub) narrowed(f *flow, r *Record) finding {
	isNarrowed := func(m moment) bool { return m.rule == nil && m.step.Reason == requestNarrowed }
	if !slices.ContainsFunc(r.taken, isNarrowed) {
		return nil
	}
	var texts []string
	for _, k := range f.records {
		for _, m := range k.taken {
			if isNarrowed(m) && !slices.Contains(texts, m.step.Text) {
				texts = append(texts, m.step.Text)
			}
		}
	}
	return found(strings.Join(texts, "; "))
}

func (h *Hub) nested(_ *flow, r *Record) finding {
	if !r.Nested {
		return nil
	}
	return found(fmt.Sprintf("the request came from %s, which is a redirect_uri of the client: "+
		"the whole app started inside the iframe", r.Referer))
}

func (h *Hub) skewed(_ *flow, r *Record) finding {
	if r.ClockOffset.Abs() <= maxSkew {
		return nil
	}
	whose, than := "the provider's", "the real time"
	if r.isReport() {
		whose, than = "the application's", "the provider's"
	}
	direction := "ahead of"
	if r.ClockOffset < 0 {
		direction = "behind"
	}
	return found(fmt.Sprintf("%s clock is %s %s %s", whose, r.ClockOffset.Abs(), direction, than))
}

// silence is the text for a code that was not redeemed.
func (f *flow) silence(quiet time.Duration) string {
	what := "the callback page did not tell the app, or the app did not listen"
	if slices.ContainsFunc(f.records, func(r *Record) bool { return r.Endpoint == "callback" }) {
		what = "the callback page told the app, which did nothing with it"
	}
	return fmt.Sprintf("a code was sent to the redirect_uri and not redeemed within %s: %s", quiet, what)
}
