package authorize

import "github.com/hush-idp/hush/trace"

// What the endpoint tells the trace: one step for each rule and need, made of the words of the tables.
var (
	clientFound = trace.Step{Kind: trace.KindClient, Spec: "RFC 6749 §4.1.1", Text: "client_id names a registered client", Outcome: trace.OK}

	addressVerified = trace.Step{
		Kind: trace.KindRedirectURI, Spec: "Core §3.1.2.1", Text: "redirect_uri is registered for the client: answers may go there", Outcome: trace.OK,
	}

	ruleSteps = trace.Pairs(trace.KindRule, rules, func(r Rule) (spec, text string) { return r.Spec, r.Text })
	needSteps = trace.Pairs(trace.KindNeed, needs, func(n Need) (spec, text string) { return n.Spec, n.Text })
)
