package authorize

import (
	"context"
	"errors"
	"net/url"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// What the endpoint tells the trace: one step for each rule and need, made of the words of the tables.
var (
	clientFound   = trace.Step{Kind: trace.KindClient, Spec: "RFC 6749 §4.1.1", Text: "client_id names a registered client", Outcome: trace.OK}
	clientUnknown = trace.Step{
		Kind: trace.KindClient, Spec: "RFC 6749 §4.1.1", Text: "client_id names no registered client",
		Outcome: trace.Failed, Reason: string(oidc.ClientUnknown),
	}

	fromObject = trace.Step{Kind: trace.KindRule, Spec: "RFC 9101 §6", Text: "the parameters come out of the request object", Outcome: trace.OK}
	fromPush   = trace.Step{Kind: trace.KindRule, Spec: "RFC 9126 §4", Text: "the parameters are those that were pushed", Outcome: trace.OK}

	addressVerified = trace.Step{
		Kind: trace.KindRedirectURI, Spec: "Core §3.1.2.1", Text: "redirect_uri is registered for the client: answers may go there", Outcome: trace.OK,
	}

	ruleSteps = trace.Pairs(trace.KindRule, rules, func(r Rule) (spec, text string, params []string) { return r.Spec, r.Text, r.Params })
	needSteps = trace.Pairs(trace.KindNeed, needs, func(n Need) (spec, text string, params []string) { return n.Spec, n.Text, n.Params })
)

// tellUnpacked tells which parameters came otherwise than in the URL. By their state and prompt the flow is known.
func tellUnpacked(ctx context.Context, how trace.Step, params url.Values) {
	recorder := trace.From(ctx)
	if recorder == nil {
		return
	}
	how.Values = trace.Params(params)
	recorder.Emit(how)
	if state := params.Get("state"); state != "" {
		recorder.Join(trace.State, state)
	}
	recorder.Set(func(record *trace.Record) { record.Silent = wantsNoPage(params) })
}

// tellAddress tells what became of the two checks that make a ReturnAddress: err is returnAddress's. Of a redirect_uri that is
// not registered it shows the registered one that is most like it, and the difference.
func tellAddress(ctx context.Context, redirectURI string, err error) {
	if trace.From(ctx) == nil {
		return
	}
	refused, isUnregistered := errors.AsType[unregistered](err)
	switch {
	case err == nil:
		trace.Take(ctx, &clientFound)
		trace.Take(ctx, &addressVerified)
	case isUnregistered:
		trace.Take(ctx, &clientFound)
		nearest, difference := oidc.Nearest(refused.Registered(), redirectURI)
		trace.Emit(ctx, trace.Step{
			Kind: trace.KindRedirectURI, Spec: "Core §3.1.2.1", Text: "redirect_uri is not registered for the client: no answer may go there",
			Outcome: trace.Failed, Reason: string(oidc.RedirectUnregistered),
			Values: []trace.Value{trace.Plain("nearest", nearest), trace.Plain("difference", difference)},
		})
	case oidc.AsError(err).Reason == oidc.ClientUnknown:
		trace.Take(ctx, &clientUnknown)
	}
}
