package check

import (
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Seen has everything that Judge reads.
type Seen struct {
	Client  oidc.Client
	Issuer  string // that the app uses
	Library Library
	Flows   []trace.Flow // newest first, without those of the console (OfApps); flows of other clients are ignored
	Pages   []Page       // of the app; nil: none was fetched
}

// view is Seen with the events that the checks judge.
type view struct {
	Seen
	flows   []*trace.Flow // of the client
	origins []string      // of the app: seen, or registered without a wildcard for the port
	asked   *event        // the newest authorization request of the app
	silent  *event        // the newest with prompt=none in an iframe
	answer  *event        // the last authorization request of the flow of silent, which has the answer
	tokens  *event        // the newest answer with tokens
}

func newView(seen Seen) *view {
	v := &view{Seen: seen, origins: seen.Client.Origins()}
	for i, f := range seen.Flows {
		if f.ClientID == seen.Client.ClientID {
			v.flows = append(v.flows, &seen.Flows[i])
		}
	}
	for _, f := range v.flows {
		for _, r := range f.Records {
			if origin := originOf(r); origin != "" && origin != oidc.Origin(r.Issuer) {
				v.origins = append(v.origins, origin)
			}
		}
	}
	for i, f := range seen.Flows { // of no client: a preflight, a request for metadata, a sign-out without a hint
		if f.ClientID == "" && slices.ContainsFunc(f.Records, v.isOfApp) {
			v.flows = append(v.flows, &seen.Flows[i])
		}
	}
	slices.SortStableFunc(v.flows, func(a, b *trace.Flow) int { return b.At.Compare(a.At) })
	v.asked = v.newest(func(r *trace.Record) bool { return r.Fresh() })
	v.silent = v.newest(isInFrame)
	if v.silent != nil {
		v.answer = lastIn(v.silent.flow, func(r *trace.Record) bool { return r.Endpoint == "authorize" })
	}
	v.tokens = v.newest(func(r *trace.Record) bool { return r.Lifetime() > 0 })
	return v
}

// isInFrame reports whether an app made this silent request in an iframe.
func isInFrame(r *trace.Record) bool { return r.Fresh() && r.Silent && r.Fetch.Dest != "document" }

func (v *view) isOfApp(r trace.Record) bool { return slices.Contains(v.origins, originOf(r)) }

// originOf is the origin of the page that sent the request, as the browser tells it.
func originOf(r trace.Record) string {
	if origin := oidc.Origin(r.Origin); origin != "" {
		return origin
	}
	return oidc.Origin(r.Referer)
}

// newest returns the newest record that fits, or nil.
func (v *view) newest(fits func(*trace.Record) bool) *event {
	for _, f := range v.flows {
		if e := lastIn(f, fits); e != nil {
			return e
		}
	}
	return nil
}

func lastIn(f *trace.Flow, fits func(*trace.Record) bool) *event {
	for i := range slices.Backward(f.Records) {
		if r := &f.Records[i]; fits(r) {
			return &event{f, r}
		}
	}
	return nil
}

// request is the request whose parameters are judged: the silent one if there is one.
func (v *view) request() *event {
	if v.silent != nil {
		return v.silent
	}
	return v.asked
}

// param returns a parameter of an authorization request, also if it was pushed or came in a request object.
func (e *event) param(name string) string {
	for _, p := range e.record.Params {
		if p.Name == name {
			return p.Text
		}
	}
	for _, step := range e.record.Steps {
		for _, p := range step.Values {
			if p.Name == name {
				return p.Text
			}
		}
	}
	return ""
}

// told returns the text of a reason of the flow. ok is false if the flow does not have the reason.
func (e *event) told(reason oidc.Reason) (text string, ok bool) {
	i := slices.IndexFunc(e.flow.Reasons, func(k trace.Reasoned) bool { return k.Code == string(reason) })
	if i < 0 {
		return "", false
	}
	return e.flow.Reasons[i].Text, true
}

// whole separates a finding of the trace into what was seen and what is inferred.
func whole(text string) (seen, inferred string) {
	seen, inferred, _ = strings.Cut(text, "Inferred: ")
	return strings.TrimRight(seen, " .;"), inferred
}

// callback is the redirect URI that the app uses: of the newest request, or the only registered one of the app.
func (v *view) callback() string {
	if e := v.request(); e != nil && e.param("redirect_uri") != "" {
		return e.param("redirect_uri")
	}
	if own := ofApp(&v.Client, v.Issuer); len(own) == 1 {
		return own[0]
	}
	return ""
}

// used is the newest registered redirect URI that fits, with the port that the app has now (RFC 8252 §7.3): one of a
// silent request in an iframe, or of another request. If only the other kind was seen, it is of that kind.
func (v *view) used(inFrame bool, fits func(uri string) bool) string {
	for _, either := range []bool{false, true} {
		e := v.newest(func(r *trace.Record) bool {
			uri := (&event{record: r}).param("redirect_uri")
			return r.Fresh() && (either || isInFrame(r) == inFrame) &&
				oidc.MatchRedirectURI(v.Client.RedirectURIs, uri) && fits(uri)
		})
		if e != nil {
			return e.param("redirect_uri")
		}
	}
	return ""
}

// RedirectURIs are the registered redirect URIs that the app of the client used last, in a sign-in and in a hidden
// iframe; both are "" if no request was seen.
func RedirectURIs(client oidc.Client, ofApps []trace.Flow) (signIn, silent string) {
	v := newView(Seen{Client: client, Flows: ofApps})
	isAny := func(string) bool { return true }
	return v.used(false, isAny), v.used(true, isAny)
}

// app is the origin of the app's page: as the browser told it with the newest request, or of the redirect URI.
func (v *view) app() string {
	if e := v.request(); e != nil {
		if origin := originOf(*e.record); origin != "" && origin != oidc.Origin(v.Issuer) {
			return origin
		}
	}
	return oidc.Origin(v.callback())
}

// filled replaces the placeholders of a remedy.
func (v *view) filled(text string) string {
	return strings.NewReplacer(
		"{issuer}", v.Issuer, "{provider}", oidc.Origin(v.Issuer), "{client_id}", v.Client.ClientID,
		"{redirect_uri}", v.callback(), "{app}", v.app(),
	).Replace(text)
}
