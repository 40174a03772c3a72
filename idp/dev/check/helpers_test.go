package check_test

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

const (
	issuer   = "http://localhost:8080"
	app      = "http://localhost:5173"
	callback = app + "/callback"

	consolePage     = issuer + "/console"
	consoleCallback = issuer + "/console/callback"

	idToken = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJhcHAifQ.c2lnbmF0dXJl" // {"aud":"app"}
)

// scene is an app and the provider's trace of what it did. Each request comes a second after the one before.
type scene struct {
	hub    *trace.Hub
	now    time.Time
	number int
	seen   check.Seen
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	s.hub = trace.NewHub(trace.Options{Now: func() time.Time { return s.now }, Quiet: time.Hour})
	t.Cleanup(s.hub.Reset)
	s.seen = check.Seen{Issuer: issuer, Client: oidc.Client{
		ClientID: "app", TokenEndpointAuthMethod: oidc.AuthMethodNone, RedirectURIs: []string{callback},
		PostLogoutRedirectURIs: []string{app + "/"},
	}}
	s.use(t, "oidc-client-ts")
	return s
}

func (s *scene) use(t *testing.T, library string) {
	t.Helper()
	found, ok := check.LibraryByName(library)
	if !ok {
		t.Fatalf("there is no library %s", library)
	}
	s.seen.Library = found
}

// values are parameters, or changes of them: an empty value removes one.
type values map[string]string

// edit changes a record before it ends.
type edit func(*trace.Record)

func (s *scene) send(record trace.Record, params, answer values, edits []edit, steps ...trace.Step) {
	s.number++
	s.now = s.now.Add(time.Second)
	record.ID, record.Issuer, record.Took = strconv.Itoa(s.number), issuer, time.Millisecond
	record.Params, record.Answer = shown(params), shown(answer)
	_, recorder := s.hub.Begin(context.Background(), record)
	for _, step := range steps {
		recorder.Emit(step)
	}
	recorder.Set(func(r *trace.Record) {
		for _, change := range edits {
			change(r)
		}
	})
	recorder.End()
}

func shown(params values) []trace.Value {
	form := url.Values{}
	for name, value := range params {
		if value != "" {
			form.Set(name, value)
		}
	}
	return trace.Params(form)
}

func with(params values, changes []values) values {
	all := maps.Clone(params)
	for _, change := range changes {
		maps.Copy(all, change)
	}
	return all
}

var ofRequest = values{
	"client_id": "app", "redirect_uri": callback, "response_type": "code", "scope": "openid profile",
	"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
}

// state joins the requests of one flow: a new one with each authorization request.
func (s *scene) state() string { return "0123456789abcdef0123456789" + strconv.Itoa(100000+s.number) }

// code is that of the last authorization request.
func (s *scene) code() string { return "SplxlOBeZQQYbYS6WxSbIA" + strconv.Itoa(s.number) }

func (s *scene) renews(edits []edit, changes ...values) {
	hint := with(ofRequest, []values{{"prompt": "none", "id_token_hint": idToken, "state": s.state()}})
	s.send(trace.Record{
		Endpoint: "authorize", Method: "GET", Path: "/authorize", ClientID: "app", Silent: true, Status: 303,
		Fetch: trace.Fetch{Site: "same-site", Mode: "navigate", Dest: "iframe"}, Referer: app + "/",
		Cookies: []trace.Cookie{{Name: "hush-1", Direction: "sent", Session: true}},
	}, with(hint, changes), values{"code": s.code() + "x", "state": s.state()}, edits)
}

func (s *scene) signsIn(changes ...values) {
	s.send(trace.Record{
		Endpoint: "authorize", Method: "GET", Path: "/authorize", ClientID: "app", Status: 303,
		Fetch: trace.Fetch{Site: "same-site", Mode: "navigate", Dest: "document"},
	}, with(with(ofRequest, []values{{"state": s.state()}}), changes), values{"code": s.code() + "x",
		"state": s.state()}, nil)
}

// redeems is the token request for the last code.
func (s *scene) redeems(lifetime int, edits ...edit) {
	code := "SplxlOBeZQQYbYS6WxSbIA" + strconv.Itoa(s.number-1) + "x"
	s.send(trace.Record{Endpoint: "token", Method: "POST", Path: "/token", ClientID: "app", Status: 200, Origin: app},
		values{"grant_type": "authorization_code", "code": code, "code_verifier": "v"},
		values{"expires_in": strconv.Itoa(lifetime)}, edits)
}

// triesIt is a silent request of the console's tab Try it, with its token request. Without a change it has the redirect
// URI of the console.
func (s *scene) triesIt(edits []edit, changes ...values) {
	s.seen.Client.RedirectURIs = append(s.seen.Client.RedirectURIs, consoleCallback)
	params := with(values{"redirect_uri": consoleCallback, "state": "mine"}, changes)
	s.renews([]edit{func(r *trace.Record) { r.Fetch.Site, r.Referer = "same-origin", consolePage }}, params)
	s.redeems(60, append(edits, func(r *trace.Record) { r.Origin, r.Referer = issuer, consolePage })...)
}

func (s *scene) signsOut(changes ...values) {
	params := with(values{"id_token_hint": idToken, "post_logout_redirect_uri": app + "/"}, changes)
	s.send(trace.Record{Endpoint: "logout", Method: "GET", Path: "/logout", Status: 200, ClientID: params["client_id"]},
		params, nil, nil)
}

// right is an app in which every check holds, except those that need fetched pages.
func (s *scene) right() {
	s.signsIn()
	s.redeems(300)
	s.now = s.now.Add(4 * time.Minute)
	s.renews(nil)
	s.redeems(300)
	s.now = s.now.Add(4 * time.Minute)
	s.renews(nil)
	s.redeems(300)
	s.signsOut()
}

// finding judges what was seen, and returns one finding.
func (s *scene) finding(t *testing.T, name string) check.Finding {
	t.Helper()
	s.seen.Flows = check.OfApps(s.hub.Flows())
	return judged(t, s.seen, name)
}

func judged(t *testing.T, seen check.Seen, name string) check.Finding {
	t.Helper()
	all := check.Judge(seen)
	i := slices.IndexFunc(all, func(f check.Finding) bool { return f.Check == name })
	if i < 0 {
		t.Fatalf("there is no check %s", name)
	}
	return all[i]
}

func reasoned(code oidc.Reason) trace.Reasoned {
	return trace.Reasoned{Code: string(code), Text: "why"}
}

func fails(code, reason string) edit {
	return func(r *trace.Record) { r.Error, r.Description, r.Reason, r.Answer = code, "why", reason, nil }
}
