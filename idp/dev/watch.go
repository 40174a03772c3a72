package dev

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/dev/console"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Request implements idp.Observer: it begins the record of a request, and done ends it with the answer.
func (s *site) Request(e endpoint.Endpoint, requestID string, r *http.Request) (*http.Request, func(endpoint.Outcome)) {
	// changes by consoles of other replicas; without the store the last view stays
	_, _ = s.Clients.CatchUp(r.Context()), s.lab.CatchUp(r.Context())
	s.demo.notice(e, r)
	if !e.IsForPrograms() {
		r = pages.WithDevelopment(r, pages.Development{Demo: s.demo.url()})
	}
	if s.lab.Active() {
		r = s.announced(r)
	}
	if !s.isWatched(e, r) {
		return r, func(endpoint.Outcome) {}
	}
	ctx, recorder := s.hub.Begin(r.Context(), s.beginning(e, requestID, r))
	r = r.WithContext(oidc.ObserveRules(ctx, func(j oidc.Judgment) { observeRule(recorder, j) }))
	return r, func(outcome endpoint.Outcome) {
		if outcome.Refused != nil {
			watchError(recorder, outcome.Refused)
		}
		s.complete(recorder, e, outcome)
		recorder.End()
	}
}

// announced is the request for pages that tell what the failure lab does. The lab collects what it does to the request.
func (s *site) announced(r *http.Request) *http.Request {
	notices := s.lab.Notices()
	if len(notices) == 0 {
		return r
	}
	shown := &pages.Lab{ReturnTo: r.URL.RequestURI()}
	for _, notice := range notices {
		shown.Notices = append(shown.Notices, notice.At(s.deps.Now()))
	}
	if r.Method == http.MethodGet && s.isOurHost(r) {
		shown.Token = s.token
	}
	return pages.WithLab(r.WithContext(s.lab.Observe(r.Context())), shown)
}

// observeRule records the result of a rule of a protocol package.
func observeRule(recorder *trace.Recorder, j oidc.Judgment) {
	kind := trace.KindRule
	var values []trace.Value // besides the parameters that the rule names
	switch subject := j.Subject.(type) {
	case *authorize.Situation:
		kind = trace.KindNeed
	case clientauth.Attempt:
		kind = trace.KindClient
	case authorize.Address:
		kind, values = describeAddress(subject, j)
	case authorize.Posted:
		recorder.Set(func(record *trace.Record) { record.Answer = trace.Params(url.Values(subject)) })
		return
	case authorize.Unpacked:
		params := url.Values(subject)
		values = trace.Params(params)
		recorder.Join(trace.State, params.Get("state"))
		recorder.Set(func(record *trace.Record) { record.Silent = isSilent(params) })
	}
	recorder.Judge(kind, j.Rule, j.Holds, values...)
}

// describeAddress adds, for a redirect_uri that is not registered, the most similar registered one and the difference,
// if the client has any.
func describeAddress(address authorize.Address, j oidc.Judgment) (trace.Kind, []trace.Value) {
	switch {
	case j.Rule.Requirement().Reason == oidc.ClientUnknown:
		return trace.KindClient, nil
	case j.Holds:
		return trace.KindRedirectURI, nil
	}
	nearest, difference := oidc.Nearest(address.Registered, address.RedirectURI)
	if nearest == "" {
		return trace.KindRedirectURI, nil
	}
	return trace.KindRedirectURI, []trace.Value{trace.Plain("nearest", nearest), trace.Plain("difference", difference)}
}

func isSilent(params url.Values) bool {
	return slices.Contains(strings.Fields(params.Get("prompt")), string(oidc.PromptNone))
}

// isWatched is false for requests outside of a flow: pages, assets, and documents that the requesting script may read.
func (s *site) isWatched(e endpoint.Endpoint, r *http.Request) bool {
	switch {
	case e.Untraced:
		return false
	case e.Name == "check_session": // the browser may send no session cookies from an iframe
		return s.Sessions.Cookies.Withheld(r)
	case e.Audience == endpoint.Files, r.Method == http.MethodOptions:
		return s.isForeign(r)
	}
	return true
}

// isForeign reports whether a script of another origin sent the request, so that the browser demands CORS headers.
func (s *site) isForeign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin != "" && origin != oidc.Origin(s.Config.Issuer)
}

// beginning is the record of a request before its answer.
func (s *site) beginning(e endpoint.Endpoint, requestID string, r *http.Request) trace.Record {
	h := r.Header
	referer, _, _ := strings.Cut(h.Get("Referer"), "?")
	return trace.Record{
		ID: requestID, Issuer: s.Config.Issuer, Endpoint: e.Name,
		Method: r.Method, Path: r.URL.Path, Origin: h.Get("Origin"), Referer: referer, UserAgent: r.UserAgent(),
		Fetch:       console.FetchOf(h),
		ClockOffset: s.lab.Clock.Offset(),
	}
}

// complete adds the result of the request to the record.
func (s *site) complete(recorder *trace.Recorder, e endpoint.Endpoint, outcome endpoint.Outcome) {
	r := outcome.Request
	params := paramsOf(r)
	recorder.Join(trace.State, params.Get("state"))
	recorder.Join(trace.Interaction, params.Get(session.InteractionParam))
	s.watchAudience(r.Context(), clientOf(r, params), params.Get("audience"))
	recorder.Set(func(record *trace.Record) {
		record.ClientID = cmp.Or(record.ClientID, clientOf(r, params))
		record.Silent = record.Silent || isSilent(params)
		record.Nested = record.Fetch.Dest == "iframe" && s.isCallback(r.Context(), record.ClientID, record.Referer)
		record.Params = trace.Params(params)
		if !e.IsForPrograms() {
			record.Cookies = s.cookiesOf(r, outcome.Header, record.Overlooked)
		}
		record.Status = cmp.Or(outcome.Status, record.Status)
	})
	if isPreflight := r.Method == http.MethodOptions; (e.IsForPrograms() || isPreflight) && s.isForeign(r) {
		s.watchCORS(recorder, r, outcome.Header)
	}
	if location := outcome.Header.Get("Location"); location != "" {
		follow(recorder, location)
	}
}

// watchAudience records that audience, a parameter of Auth0, was ignored.
func (s *site) watchAudience(ctx context.Context, clientID, audience string) {
	if audience == "" {
		return
	}
	if client, err := s.Clients.ByID(ctx, clientID); err != nil || !client.AudienceAsResource {
		trace.Narrow(ctx, "RFC 8707 §2", "the parameter audience was ignored: name the API by resource, or give the client "+
			"audience_as_resource: true in the configuration")
	}
}

// follow records the target of a redirect, and joins the request that will come back from there.
func follow(recorder *trace.Recorder, location string) {
	address, fragment, _ := strings.Cut(location, "#")
	address, query, _ := strings.Cut(address, "?")
	answer, _ := oidc.ParseQuery(cmp.Or(fragment, query))
	recorder.Join(trace.Interaction, answer.Get(session.InteractionParam))
	recorder.Set(func(record *trace.Record) {
		record.Location = strings.Clone(address) // without the memory of the query
		record.Answer = trace.Params(answer)
	})
}

// watchCORS records why the browser keeps the answer from the script, or does not send the request that a preflight
// announces; and whether the script sent this provider's cookies along.
func (s *site) watchCORS(recorder *trace.Recorder, r *http.Request, answer http.Header) {
	step := trace.Step{Kind: trace.KindCORS, Outcome: trace.Noted, Spec: "Fetch §3.2.5",
		Text: `the script sent the cookies of this provider along (credentials: "include"); they change no answer`}
	if reason, text := refusedByCORS(r, answer); reason != "" {
		step = trace.Step{Kind: trace.KindCORS, Outcome: trace.Failed, Spec: "Fetch §3.2", Reason: string(reason), Text: text}
		recorder.Set(func(record *trace.Record) { record.Reason = step.Reason })
	} else if len(s.Sessions.Cookies.Arrived(r)) == 0 {
		return
	}
	recorder.Emit(step)
}

// refusedByCORS returns why a browser refuses the answer (https://fetch.spec.whatwg.org/#cors-check), or the request
// after the preflight (https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.5 to 7.7). "": it does not.
func refusedByCORS(r *http.Request, answer http.Header) (oidc.Reason, string) {
	origin, method := r.Header.Get("Origin"), r.Header.Get("Access-Control-Request-Method")
	headers, methods := r.Header.Get("Access-Control-Request-Headers"), answer.Get("Access-Control-Allow-Methods")
	isSimple := method == http.MethodGet || method == http.MethodHead || method == http.MethodPost
	switch {
	case answer.Get("Access-Control-Allow-Origin") == "" && r.Method == http.MethodOptions:
		return oidc.OriginNotAllowed,
			"the browser does not send the request that this preflight announces: no Access-Control-Allow-Origin for " + origin
	case answer.Get("Access-Control-Allow-Origin") == "":
		return oidc.OriginNotAllowed,
			"the browser keeps this answer from the script that asked: no Access-Control-Allow-Origin for " + origin
	case r.Method != http.MethodOptions:
		return "", ""
	case !isSimple && !slices.Contains(strings.Split(methods, ","), method):
		return oidc.CORSMethod, method + " is not among the methods of " + r.URL.Path + ": " + methods
	case headers != "" && answer.Get("Access-Control-Allow-Headers") != headers:
		return oidc.CORSHeader, fmt.Sprintf("the list of header names is too long, or is no list of header names; it has "+
			"%d characters and begins with %.100s", len(headers), headers)
	}
	return "", ""
}

// isCallback reports whether the address, a Referer, is one of the client's redirect URIs: then the whole application
// runs in the frame. A bare origin proves nothing: by default browsers shorten every address to it
// (https://www.w3.org/TR/referrer-policy/#referrer-policy-strict-origin-when-cross-origin).
func (s *site) isCallback(ctx context.Context, clientID, address string) bool {
	client, err := s.Clients.ByID(ctx, clientID)
	return err == nil && address != oidc.Origin(address)+"/" && oidc.MatchRedirectURI(client.RedirectURIs, address)
}

// paramsOf returns the parameters of the body if it is a form, else of the query.
func paramsOf(r *http.Request) url.Values {
	switch {
	case r.Method == http.MethodPost && r.PostForm != nil:
		return r.PostForm
	case r.Form != nil:
		return r.Form
	}
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	return query
}

func clientOf(r *http.Request, params url.Values) string {
	if id, _, ok := oidc.BasicAuth(r.Header); ok {
		return id
	}
	return params.Get("client_id")
}

// cookiesOf are the session cookies, sent or withheld, and all cookies that the answer sets.
func (s *site) cookiesOf(r *http.Request, answer http.Header, overlooked bool) []trace.Cookie {
	set := answer.Values("Set-Cookie")
	cookies := make([]trace.Cookie, 0, 2+len(set))
	for i, name := range s.Sessions.Cookies.Names() {
		cookie := trace.Cookie{Name: name, Direction: "withheld", SameSite: [...]string{"None", "Lax"}[i], Secure: i == 0,
			HTTPOnly: true, Session: true}
		if came := r.CookiesNamed(name); len(came) > 0 {
			cookie.Direction, cookie.Text = "sent", trace.Secret(name, came[0].Value).Text
			if overlooked {
				cookie.Direction = "overlooked"
			}
		}
		cookies = append(cookies, cookie)
	}
	for _, line := range set {
		if set, err := http.ParseSetCookie(line); err == nil {
			cookies = append(cookies, s.cookieSet(set))
		}
	}
	return cookies
}

func (s *site) cookieSet(set *http.Cookie) trace.Cookie {
	cookie := trace.Cookie{
		Name: set.Name, Text: trace.Secret(set.Name, set.Value).Text, Direction: "set", Secure: set.Secure,
		HTTPOnly: set.HttpOnly,
		SameSite: console.SameSiteOf(set),
		Session:  slices.Contains(s.Sessions.Cookies.Names(), set.Name),
	}
	if set.MaxAge < 0 {
		cookie.Direction, cookie.Text = "removed", ""
	}
	return cookie
}

// watchError records the error of the answer.
func watchError(recorder *trace.Recorder, e *oidc.Error) {
	description := strings.TrimSuffix(e.Description, " ["+string(e.Reason)+"]")
	recorder.Emit(trace.Step{
		Kind: trace.KindError, Text: description, Outcome: trace.Failed, Reason: string(e.Reason),
		Values: []trace.Value{trace.Plain("error", string(e.Code))},
	})
	recorder.Set(func(record *trace.Record) {
		record.Error, record.Description, record.Reason = string(e.Code), description, string(e.Reason)
	})
}
