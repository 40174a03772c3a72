package check

import (
	"cmp"
	"strings"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

var answerChecks = []Check{
	{"callback.nested", "The callback page", "The page in the iframe handles the answer, and begins no sign-in",
		"Referrer Policy §3", Renew, aboutRenewal, (*view).nested},
	{"code.redeemed", "The callback page", "The callback page passes the answer on, and the app redeems the code",
		"RFC 6749 §4.1.3", Renew, aboutApp, (*view).redeemed},
	{"cors.origin", "Scripts of the app", "Scripts of the app may read the answers of the provider",
		"Fetch §3.2", SignIn, aboutApp, (*view).origin},
	{"cors.preflight", "Scripts of the app", "No preflight of the app was refused",
		"Fetch §3.2.2", SignIn, aboutApp, (*view).preflight},
	{"flow.sign_in", "Whole flows", "The last sign-in reached its end", "Core §3.1.1", SignIn, aboutApp, (*view).signIn},
	{"flow.renewal", "Whole flows", "The last silent renewal reached its end",
		"Core §3.1.2.6", Renew, aboutRenewal, (*view).renewal},
}

// answered is the newest authorization request with a code for the app: a silent one if there is one.
func (v *view) answered() *event {
	coded := func(r *trace.Record) bool {
		return r.Answered() && (&event{record: r}).answerHas("code")
	}
	if e := v.newest(func(r *trace.Record) bool { return r.Silent && coded(r) }); e != nil {
		return e
	}
	return v.newest(coded)
}

func (e *event) answerHas(name string) bool {
	for _, p := range e.record.Answer {
		if p.Name == name {
			return true
		}
	}
	return false
}

func (v *view) redeemed() verdict {
	e := v.answered()
	if e == nil {
		return notSeen("")
	}
	if text, ok := e.told(oidc.CallbackSilent); ok {
		return fails(e, "%s", text).because(oidc.CallbackSilent)
	}
	redeemed := lastIn(e.flow, func(r *trace.Record) bool { return r.Endpoint == "token" && !r.Preflight() })
	switch {
	case redeemed == nil:
		return notSeen("a code was sent, and no token request has come yet")
	case redeemed.record.Error != "":
		return fails(redeemed, "the token endpoint answered %s: %s", redeemed.record.Error, redeemed.record.Description).
			because(oidc.Reason(redeemed.record.Reason))
	}
	after := rounded(redeemed.record.At.Sub(e.record.At))
	return holds(redeemed, "POST %s came %s after the code", redeemed.record.Path, after)
}

// origin judges requests of scripts: they have an Origin.
func (v *view) origin() verdict {
	e := v.newest(func(r *trace.Record) bool { return r.Origin != "" && isForScripts(r) })
	if e == nil {
		return v.withoutScript()
	}
	if e.record.Reason == string(oidc.OriginNotAllowed) {
		return fails(e, "%s %s of origin %s: the answer has no Access-Control-Allow-Origin", e.record.Method,
			e.record.Path,
			e.record.Origin).because(oidc.OriginNotAllowed)
	}
	return holds(e, "%s %s of origin %s was answered", e.record.Method, e.record.Path, e.record.Origin)
}

// withoutScript is the verdict about CORS while no script sent a request.
func (v *view) withoutScript() verdict {
	if e := v.granted(); e != nil && !isOfScript(e.record) {
		return cannotSee("the token request had no Origin: no script sent it, and CORS does not apply to it")
	}
	return notSeen("")
}

// isForScripts reports whether a script of the app sends such a request.
func isForScripts(r *trace.Record) bool {
	switch r.Endpoint {
	case "token", "userinfo", "revoke", "discovery", "jwks", "par":
		return true
	}
	return false
}

func (v *view) preflight() verdict {
	refused := v.newest(func(r *trace.Record) bool { return r.Preflight() && r.Withheld() })
	sent := v.newest(func(r *trace.Record) bool {
		return r.Origin != "" && isForScripts(r) && !r.Preflight() && !r.Withheld()
	})
	switch {
	case refused != nil && (sent == nil || sent.record.At.Before(refused.record.At)):
		return fails(refused, "%s", cmp.Or(lastFailed(refused.record), "a preflight was refused")).
			because(oidc.Reason(refused.record.Reason))
	case sent == nil:
		return v.withoutScript()
	}
	return holds(sent, "%s %s of origin %s came after its preflight, or without one", sent.record.Method,
		sent.record.Path,
		sent.record.Origin)
}

// lastFailed is the text of the last failed step.
func lastFailed(r *trace.Record) (text string) {
	for _, step := range r.Steps {
		if step.Outcome == trace.Failed {
			text = step.Text
		}
	}
	return text
}

func (v *view) signIn() verdict {
	for _, f := range v.flows {
		if f.Begins == "authorize" && !f.Silent {
			return ended(f)
		}
	}
	return notSeen("")
}

func (v *view) renewal() verdict {
	for _, f := range v.flows {
		if f.Begins == "authorize" && f.Silent {
			return ended(f)
		}
	}
	return notSeen("")
}

// ended says how far the flow came, and where it stopped.
func ended(f *trace.Flow) verdict {
	e := &event{f, &f.Records[len(f.Records)-1]}
	switch f.State {
	case trace.FlowDone:
		return holds(e, "tokens were sent %s after the first request", rounded(f.Took))
	case trace.FlowOpen:
		return notSeen("the flow is open: %s", nextOf(f))
	}
	reason := oidc.Reason(e.record.Reason)
	for _, m := range f.Messages {
		if m.State == trace.MessageFailed {
			reason = cmp.Or(oidc.Reason(m.Reason), reason)
			break
		}
	}
	if reason == oidc.SessionNone {
		return notSeen("the answer was login_required, because nobody was signed in")
	}
	return fails(e, "the flow stopped at: %s", strings.Join(failedTexts(f), "; ")).because(reason)
}

func nextOf(f *trace.Flow) string {
	for _, m := range f.Messages {
		if m.State == trace.MessageWaiting {
			return "the next message is: " + m.Text
		}
	}
	return "the provider waits for the next request"
}

func failedTexts(f *trace.Flow) (texts []string) {
	for _, m := range f.Messages {
		if m.State == trace.MessageFailed {
			texts = append(texts, m.Text)
		}
	}
	return texts
}
