package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// row is an app, and what a check says of it.
type row struct {
	check, name string
	app         func(s *scene)
	want        check.Outcome
	says        string // a part of what was seen, of what is inferred, or of what to do
	reason      oidc.Reason
}

func silentWith(changes ...values) func(*scene) {
	return func(s *scene) { s.renews(nil, changes...) }
}

func asked(edits ...edit) func(*scene) { return func(s *scene) { s.renews(edits) } }

func right(s *scene) { s.right() }

func nothing(*scene) {}

func crossSite(r *trace.Record) { r.Fetch.Site = "cross-site" }

// overlooked is an answer of the provider after a cookie did not come.
func without(reason oidc.Reason) edit {
	return func(r *trace.Record) {
		r.Cookies[0].Direction = "withheld"
		r.Reason, r.Error, r.Answer = string(reason), "login_required", shown(values{"error": "login_required"})
	}
}

var rows = []row{
	{"request.iframe", "right", right, check.Holds, "from an iframe", ""},
	{"request.iframe", "nothing was done", nothing, check.NotSeen, "let it renew", ""},
	{"request.iframe", "prompt=none in the whole page", asked(func(r *trace.Record) { r.Fetch.Dest = "document" }),
		check.NotSeen, "top-level page", ""},
	{"request.iframe", "a refresh token", func(s *scene) {
		s.send(trace.Record{Endpoint: "token", Method: "POST", Status: 200, ClientID: "app",
			Fetch: trace.Fetch{Mode: "cors"}},
			values{"grant_type": "refresh_token"}, nil, nil)
	}, check.NotSeen, "offline_access", ""},

	{"redirect.registered", "right", right, check.Holds, callback, ""},
	{"redirect.registered", "another path", silentWith(values{"redirect_uri": app + "/silent"}), check.Fails,
		"path: /silent instead of /callback", oidc.RedirectUnregistered},
	{"redirect.registered", "a client without addresses", func(s *scene) { s.seen.Client.RedirectURIs = nil; s.right() },
		check.Fails, callback + " is not registered ", oidc.RedirectUnregistered},
	{"redirect.registered", "none", silentWith(values{"redirect_uri": ""}), check.Fails, "no redirect_uri",
		oidc.RequestMalformed},
	{"redirect.registered", "too long for the trace", silentWith(values{"redirect_uri": app + strings.Repeat("/x",
		200)}),
		check.CannotSee, "300", ""},

	{"request.openid", "right", right, check.Holds, "openid", ""},
	{"request.openid", "without openid", silentWith(values{"scope": "profile"}), check.Fails, "scope=profile",
		oidc.RequestMalformed},
	{"request.pkce", "right", right, check.Holds, "S256", ""},
	{"request.pkce", "without", silentWith(values{"code_challenge": ""}), check.Fails, "no code_challenge",
		oidc.PKCEMissing},
	{"request.pkce", "plain", silentWith(values{"code_challenge_method": "plain"}), check.Fails, "plain",
		oidc.RequestMalformed},
	{"request.state", "right", right, check.Holds, "cannot see", ""},
	{"request.state", "without", silentWith(values{"state": ""}), check.Fails, "no state", ""},
	{"request.nonce", "right", right, check.Holds, "code_challenge", ""},
	{"request.nonce", "with a nonce", silentWith(values{"nonce": "n"}), check.Holds, "nonce", ""},
	{"request.nonce", "neither", silentWith(values{"code_challenge": ""}), check.Fails, "neither", ""},
	{"request.hint", "right", right, check.Holds, "id_token_hint", ""},
	{"request.hint", "login_hint", silentWith(values{"id_token_hint": "", "login_hint": "alice"}), check.Holds,
		"alice", ""},
	{"request.hint", "without", silentWith(values{"id_token_hint": ""}), check.Fails, "account_selection_required", ""},
	{"request.response_mode", "right", right, check.Holds, "query", ""},
	{"request.response_mode", "form_post", silentWith(values{"response_mode": "form_post"}), check.Fails, "posted", ""},

	{"cookie.came", "right", right, check.Holds, "hush-1 came (Sec-Fetch-Site: same-site)", ""},
	{"cookie.came", "withheld", asked(crossSite, without(oidc.CookieWithheldOrAbsent)), check.Fails, "cross-site",
		oidc.CookieWithheldOrAbsent},
	{"cookie.came", "nobody is signed in", asked(without(oidc.SessionNone)), check.NotSeen, "nobody was signed in", ""},
	{"cookie.site", "right", right, check.Holds, "nothing about production", ""},
	{"cookie.site", "two hosts", asked(crossSite, func(r *trace.Record) { r.Referer = "http://127.0.0.1:5173/" }),
		check.Fails,
		"the names 127.0.0.1 and localhost are two sites", ""},
	{"cookie.site", "two schemes", asked(crossSite, func(r *trace.Record) { r.Referer = "https://localhost:5173/" }),
		check.Fails, "https and http of one host are two sites", ""},
	{"cookie.site", "two domains", asked(crossSite, func(r *trace.Record) { r.Referer = "https://app.example/" }),
		check.Fails,
		"app.example and localhost have different registered domains", ""},
	{"cookie.site", "an old browser", asked(func(r *trace.Record) { r.Fetch.Site = "" }), check.CannotSee, "", ""},

	{"callback.nested", "right", right, check.Holds, "no request came from the redirect URI", ""},
	{"callback.nested", "from the redirect URI", asked(func(r *trace.Record) { r.Nested, r.Referer = true, callback }),
		check.Fails, "started inside the iframe", oidc.CallbackNested},
	{"code.redeemed", "right", right, check.Holds, "POST /token came 1s after the code", ""},
	{"code.redeemed", "never", func(s *scene) {
		s.hub = trace.NewHub(trace.Options{Now: func() time.Time { return s.now }, Quiet: time.Nanosecond})
		s.renews(nil)
		for s.hub.Flows()[0].State != trace.FlowFailed {
			time.Sleep(time.Millisecond)
		}
	}, check.Fails, "not redeemed within", oidc.CallbackSilent},
	{"code.redeemed", "not yet", asked(), check.NotSeen, "no token request", ""},
	{"code.redeemed", "refused", func(s *scene) {
		s.renews(nil)
		s.redeems(0, fails("invalid_grant", "pkce.mismatch"))
	}, check.Fails, "invalid_grant", oidc.PKCEMismatch},

	{"cors.origin", "right", right, check.Holds, "of origin " + app, ""},
	{"cors.origin", "another origin", func(s *scene) {
		s.renews(nil)
		s.redeems(300, func(r *trace.Record) { r.Reason = "origin.not_allowed" })
	}, check.Fails, "no Access-Control-Allow-Origin", oidc.OriginNotAllowed},
	{"cors.origin", "a server", func(s *scene) {
		s.seen.Client.TokenEndpointAuthMethod = oidc.AuthMethodBasic
		s.renews(nil)
		s.redeems(300, func(r *trace.Record) { r.Origin = "" })
	}, check.CannotSee, "no script sent it", ""},
	{"cors.preflight", "right", right, check.Holds, "after its preflight", ""},
	{"cors.preflight", "refused", func(s *scene) {
		s.right()
		s.send(trace.Record{Endpoint: "token", Method: "OPTIONS", Path: "/token", Origin: app, Status: 204}, nil, nil,
			[]edit{func(r *trace.Record) { r.Reason = "cors.header" }}, trace.Step{Kind: trace.KindCORS,
				Outcome: trace.Failed,
				Text:    "the list of header names is too long"})
	}, check.Fails, "too long", oidc.CORSHeader},

	{"flow.sign_in", "right", right, check.Holds, "tokens were sent", ""},
	{"flow.sign_in", "open", func(s *scene) { s.signsIn() }, check.NotSeen, "the next message", ""},
	{"flow.sign_in", "refused", func(s *scene) {
		s.signsIn()
		s.redeems(0, fails("invalid_grant", "code.expired"))
	}, check.Fails, "invalid_grant", oidc.CodeExpired},
	{"flow.renewal", "right", right, check.Holds, "tokens were sent", ""},
	{"flow.renewal", "expired", asked(func(r *trace.Record) {
		r.Reason, r.Error, r.Answer = "session.expired", "login_required", shown(values{"error": "login_required"})
	}), check.Fails, "error=login_required", oidc.SessionExpired},
	{"flow.renewal", "nobody is signed in", asked(without(oidc.SessionNone)), check.NotSeen, "nobody was signed in",
		""},

	{"lifetime.offset", "right", right, check.Holds, "300 s", ""},
	{"lifetime.offset", "as long as the offset", func(s *scene) {
		s.renews(nil)
		s.redeems(60)
	}, check.Fails, "accessTokenExpiringNotificationTimeInSeconds", oidc.TokenShortLived},
	{"lifetime.pace", "right", right, check.Holds, "4m2s apart; expires_in is 300 s", ""},
	{"lifetime.pace", "one", asked(), check.NotSeen, "one renewal", ""},
	{"lifetime.pace", "one in each of two browsers", func(s *scene) {
		s.renews(nil)
		s.renews([]edit{func(r *trace.Record) { r.Referer = "https://other.example/" }})
	}, check.NotSeen, "one renewal", ""},
	{"lifetime.pace", "a loop", func(s *scene) { s.repeats(90, 0) }, check.Fails, "tokens live 90 s", oidc.RenewalLooping},
	{"lifetime.pace", "earlier than the default", func(s *scene) { s.repeats(90, 0) }, check.Fails,
		"By default oidc-client-ts renews 60 s", oidc.RenewalLooping},
	{"lifetime.pace", "as early as the default", func(s *scene) { s.repeats(61, time.Second) }, check.Fails,
		"The default of oidc-client-ts is to renew 60 s", oidc.RenewalLooping},
	{"lifetime.pace", "an unknown library", func(s *scene) {
		s.seen.Library, _ = check.LibraryByName(check.Other)
		s.repeats(300, 10*time.Second)
	}, check.Fails, "MSAL 300 s", oidc.RenewalLooping},
	{"lifetime.pace", "keycloak-js at each load", func(s *scene) {
		s.seen.Library, _ = check.LibraryByName("keycloak-js")
		s.repeats(300, 10*time.Second)
	}, check.CannotSee, "The default of keycloak-js is no fixed time before the end", ""},
	{"lifetime.pace", "keycloak-js in a loop", func(s *scene) {
		s.seen.Library, _ = check.LibraryByName("keycloak-js")
		for range 5 {
			s.renews(nil)
		}
	}, check.Fails, "within 5s", oidc.RenewalLooping},

	{"clock.app", "no report", right, check.NotSeen, "fetch the pages", ""},
	{"clock.app", "a report", func(s *scene) { s.reportsClock(time.Second) }, check.Holds, "1s", ""},
	{"clock.app", "a wrong clock", func(s *scene) { s.reportsClock(-10 * time.Minute) }, check.Fails, "10m0s behind",
		oidc.ClockSkew},

	{"logout.address", "right", right, check.Holds, app, ""},
	{"logout.address", "another path", func(s *scene) { s.signsOut(values{"post_logout_redirect_uri": app + "/bye"}) },
		check.Fails, "path: /bye instead of /", oidc.RedirectUnregistered},
	{"logout.address", "none", func(s *scene) { s.signsOut(values{"post_logout_redirect_uri": ""}) }, check.CannotSee,
		"", ""},
	{"logout.hint", "right", right, check.Holds, "id_token_hint", ""},
	{"logout.hint", "without", func(s *scene) { s.signsOut(values{"id_token_hint": "", "client_id": "app"}) },
		check.Fails,
		"asks the user", ""},
}

// repeats are four renewals, with a pause after each token.
func (s *scene) repeats(lifetime int, pause time.Duration) {
	for range 4 {
		s.renews(nil)
		s.redeems(lifetime)
		s.now = s.now.Add(pause)
	}
}

// reportsClock is a report of the app about its last renewal.
func (s *scene) reportsClock(ahead time.Duration) {
	s.renews(nil)
	s.redeems(300)
	s.send(trace.Record{Endpoint: "clock", ClientID: "app", ClockOffset: ahead}, nil, nil, nil)
}

func TestChecks(t *testing.T) { testRows(t, rows) }

func testRows(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.check+"/"+r.name, func(t *testing.T) {
			s := newScene(t)
			r.app(s)
			got := s.finding(t, r.check)
			text := strings.Join([]string{got.Seen, got.Inferred, got.Do}, " ")
			if got.Outcome != r.want || !strings.Contains(text, r.says) || got.Reason != string(r.reason) {
				t.Errorf("got %+v; want %s, %q, reason %q", got, r.want, r.says, r.reason)
			}
			if (got.Remedy != "") != (r.want == check.Fails) || (got.Do != "") != (r.want == check.NotSeen) {
				t.Errorf("a remedy is for what fails, and something to do for what was not seen; got %+v", got)
			}
		})
	}
}

// Each check can hold and can fail; the first only holds, because a silent request that is not there cannot be wrong.
func TestEachCheckHasARowThatHoldsAndOneThatFails(t *testing.T) {
	for _, c := range check.Checks() {
		for _, want := range []check.Outcome{check.Holds, check.Fails} {
			has := slices.ContainsFunc(rows, func(r row) bool { return r.check == c.Name && r.want == want })
			for _, r := range pageRows {
				has = has || r.check == c.Name && r.want == want
			}
			if !has && !(c.Name == "request.iframe" && want == check.Fails) {
				t.Errorf("no row shows that %s %s", c.Name, want)
			}
		}
	}
}

func TestARightAppFailsNoCheck(t *testing.T) {
	s := newScene(t)
	s.right()
	s.seen.Flows = s.hub.Flows()
	for _, f := range check.Judge(s.seen) {
		if f.Outcome == check.Fails {
			t.Errorf("%+v", f)
		}
	}
}

// tried are the rows about a client with which the tab Try it of the console sent requests.
var tried = []row{
	{"code.redeemed", "a refused code of the console", func(s *scene) {
		s.triesIt([]edit{fails("invalid_grant", "pkce.mismatch")})
	}, check.NotSeen, "", ""},
	{"flow.renewal", "the console after the app", func(s *scene) {
		s.right()
		s.triesIt([]edit{fails("invalid_grant", "pkce.mismatch")})
	}, check.Holds, "", ""},
	{"cookie.site", "only the console", func(s *scene) { s.triesIt(nil) }, check.NotSeen, "", ""},
	{"request.hint", "the redirect URI of the app in a request of the console", func(s *scene) {
		s.right()
		s.triesIt(nil, values{"redirect_uri": callback, "id_token_hint": ""})
	}, check.Holds, "", ""},
	{"redirect.registered", "a redirect URI of nobody in a request of the console", func(s *scene) {
		s.triesIt(nil, values{"redirect_uri": "http://localhost:1/elsewhere"})
	}, check.NotSeen, "", ""},
	{"request.iframe", "an app with the provider's origin in a request of the console", func(s *scene) {
		s.seen.Client.RedirectURIs = []string{issuer + "/app/callback"}
		s.triesIt(nil, values{"redirect_uri": issuer + "/app/callback"})
	}, check.NotSeen, "", ""},
	{"cookie.site", "the console's redirect URI in a request of a program", func(s *scene) {
		s.renews([]edit{func(r *trace.Record) { r.Referer = "" }}, values{"redirect_uri": consoleCallback})
	}, check.NotSeen, "", ""},
	{"lifetime.offset", "a refresh token of the console", func(s *scene) {
		s.send(trace.Record{Endpoint: "token", Method: "POST", ClientID: "app", Status: 200, Origin: issuer,
			Referer: consolePage}, values{"grant_type": "refresh_token"}, values{"expires_in": "60"}, nil)
	}, check.NotSeen, "", ""},
	{"lifetime.offset", "an app with the provider's origin", func(s *scene) {
		s.seen.Client.RedirectURIs = []string{issuer + "/app/callback"}
		s.signsIn(values{"redirect_uri": issuer + "/app/callback"})
		s.redeems(300, func(r *trace.Record) { r.Origin = issuer })
	}, check.Holds, "300 s", ""},
	{"redirect.registered", "the same path at another origin", silentWith(values{
		"redirect_uri": app + "/console/callback"}), check.Fails, "", oidc.RedirectUnregistered},
}

func TestTheRequestsOfTheConsoleAreNotJudged(t *testing.T) { testRows(t, tried) }

// The newest request counts, so that a mended app is right at once.
func TestTheNewestRequestIsJudged(t *testing.T) {
	s := newScene(t)
	s.renews(nil, values{"id_token_hint": ""})
	s.renews(nil)
	if got := s.finding(t, "request.hint"); got.Outcome != check.Holds {
		t.Errorf("got %+v", got)
	}
}

func TestTheFlowsOfAnotherClientAreNotJudged(t *testing.T) {
	s := newScene(t)
	s.seen.Client.ClientID = "another"
	s.right()
	s.seen.Flows = s.hub.Flows()
	for _, f := range check.Judge(s.seen) {
		if f.Outcome != check.NotSeen && f.Outcome != check.CannotSee {
			t.Errorf("%+v", f)
		}
	}
}

func TestTheFailureLabIsNamed(t *testing.T) {
	s := newScene(t)
	s.send(trace.Record{Endpoint: "authorize", Method: "GET", Path: "/authorize", ClientID: "app", Silent: true,
		Status: 303, Fetch: trace.Fetch{Dest: "iframe"}}, ofRequest, values{"error": "login_required"}, []edit{
		func(r *trace.Record) { r.Reason, r.Error = "session.expired", "login_required" },
	}, trace.Step{Kind: trace.KindFault, Text: "session_expired"})
	if got := s.finding(t, "flow.renewal"); !strings.Contains(got.Seen, "the failure lab") {
		t.Errorf("got %+v", got)
	}
}
