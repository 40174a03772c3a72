package trace_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/trace"
)

// why is the text of the reason in the only flow.
func why(t *testing.T, h *trace.Hub, code string) string {
	t.Helper()
	for _, reason := range only(t, h).Reasons {
		if reason.Code == code {
			return reason.Text
		}
	}
	return ""
}

// replayed is the answer to the second token request with a code.
var replayed = failed(400, "invalid_grant", "code.replayed")

func first(r *trace.Record) { r.At = start }

func later(r *trace.Record) { r.ID, r.At = "t2", start.Add(1500*time.Millisecond) }

// diagnosed are flows with what the trace says of them.
var diagnosed = []struct {
	text   string
	happen func(h *trace.Hub)
	code   string
	want   string // the text; empty: not diagnosed
}{
	{"a token for a minute is short-lived", func(h *trace.Hub) { authorize(h); token(h, expiresIn("60")) },
		"token.short_lived",
		"expires_in is 60 s; a client that renews that long before the end, or longer, renews at once, again and " +
			"again. Defaults: oidc-client-ts 60 s (accessTokenExpiringNotificationTimeInSeconds), @axa-fr/oidc-client 120 s " +
			"(refresh_time_before_tokens_expiration_in_second), MSAL 300 s (tokenRenewalOffsetSeconds)"},
	{"one for longer is not: 90 s suit oidc-client-ts", func(h *trace.Hub) { authorize(h); token(h, expiresIn("61")) },
		"token.short_lived", ""},
	{
		"a callback that runs twice has the same verifier",
		func(h *trace.Hub) { authorize(h); token(h, first); token(h, replayed, later) },
		"code.replayed",
		"the code was redeemed again 1.5s after the first time, with the same code_verifier: the callback ran twice",
	},
	{"a thief has another, though it begins alike", func(h *trace.Hub) {
		authorize(h)
		token(h, first)
		token(h, replayed, later, params("code", code, "code_verifier", verifier[:42]+"x"))
	}, "code.replayed", "the code was redeemed again 1.5s after the first time, with another code_verifier: somebody " +
		"else has the code"},
	{
		"a confidential client may have none",
		func(h *trace.Hub) { authorize(h); token(h, first, params("code", code)); token(h, replayed, later) },
		"code.replayed",
		"the code was redeemed again 1.5s after the first time, without a code_verifier to compare",
	},
	{"a code may have been spent where nobody looked", func(h *trace.Hub) { authorize(h); token(h, replayed) },
		"code.replayed", "the code was spent before, by a request that the trace does not have"},
	{"the whole app started inside the iframe", func(h *trace.Hub) {
		authorize(h, func(r *trace.Record) { r.Nested, r.Referer = true, "https://app.example/" })
	}, "callback.nested", "the request came from https://app.example/, which is a redirect_uri of the client: the whole " +
		"app started inside the iframe"},
	{"a page for prompt=none in an iframe", func(h *trace.Hub) { authorize(h, page(500)) },
		"page.in_iframe", "prompt=none was answered with a page (status 500) in a hidden iframe; nobody sees it, and the " +
			"app waits until its timer runs out"},
	{
		"says more than that a fault was injected",
		func(h *trace.Hub) { authorize(h, page(200), func(r *trace.Record) { r.Reason = "fault.injected" }) },
		"fault.injected",
		"",
	},
	{
		"a page in a window is seen",
		func(h *trace.Hub) { authorize(h, page(500), func(r *trace.Record) { r.Fetch.Dest = "document" }) },
		"page.in_iframe",
		"",
	},
	{
		"so is a page for a request that allows it",
		func(h *trace.Hub) { authorize(h, page(200), func(r *trace.Record) { r.Silent = false }) },
		"page.in_iframe",
		"",
	},
	{
		"the provider's clock was moved",
		func(h *trace.Hub) { authorize(h, func(r *trace.Record) { r.ClockOffset = 10 * time.Minute }) },
		"clock.skew",
		"the provider's clock is 10m0s ahead of the real time",
	},
	{
		"a minute is no skew",
		func(h *trace.Hub) { authorize(h, func(r *trace.Record) { r.ClockOffset = maxSkew }) },
		"clock.skew",
		"",
	},
	{"the application's clock is behind", func(h *trace.Hub) {
		send(h, trace.Record{Endpoint: "clock", ClockOffset: -90 * time.Second}, "", nil)
	}, "clock.skew", "the application's clock is 1m30s behind the provider's"},
	{"what the provider said itself", func(h *trace.Hub) { authorize(h, refused("login_required", "session.idle")) },
		"session.idle", "because of session.idle"},
	{"what only a step said", func(h *trace.Hub) {
		send(h, trace.Record{Endpoint: "userinfo", Status: 401}, "", nil,
			trace.Step{Kind: trace.KindUserinfo, Outcome: trace.Failed, Reason: "token.invalid", Text: "the token has expired"})
	}, "token.invalid", "the token has expired"},
	{"a step that failed on the way to a sign-in page is none", func(h *trace.Hub) {
		send(h, trace.Record{Endpoint: "authorize", Status: 303}, "", nil,
			trace.Step{Kind: trace.KindSession, Outcome: trace.Failed, Reason: "session.none"})
	}, "session.none", ""},
	{"a refusal by CORS is one, though all went well at the provider", func(h *trace.Hub) {
		authorize(h)
		send(
			h,
			trace.Record{Endpoint: "token", Status: 200, Params: trace.Params(url.Values{"code": {code}})},
			"",
			nil,
			trace.Step{
				Kind:    trace.KindCORS,
				Outcome: trace.Failed,
				Reason:  "origin.not_allowed",
				Text:    "no Access-Control-Allow-Origin",
			},
		)
	}, "origin.not_allowed", "no Access-Control-Allow-Origin"},
}

func TestWhatTheTraceDiagnoses(t *testing.T) {
	for _, row := range diagnosed {
		t.Run(row.text, func(t *testing.T) {
			h := newHub(t)
			row.happen(h)
			same(t, row.code, why(t, h, row.code), row.want)
			inRecord := slices.ContainsFunc(only(t, h).Records, func(r trace.Record) bool { return r.Reason == row.code })
			if inRecord != (row.want != "") {
				t.Errorf("a record has the reason %s: %v", row.code, inRecord)
			}
		})
	}
}

func expiresIn(seconds string) change {
	return func(r *trace.Record) { r.Answer = []trace.Value{trace.Plain("expires_in", seconds)} }
}

func TestFourRenewalsWithinFiveSecondsAreALoop(t *testing.T) {
	at := func(d time.Duration, client, agent string) change {
		return func(r *trace.Record) { r.At, r.ClientID, r.UserAgent = start.Add(d), client, agent }
	}
	h := newHub(t)
	for i := range 3 {
		authorize(h, at(time.Duration(i)*1500*time.Millisecond, "spa", "Firefox"))
		authorize(h, at(time.Duration(i)*1500*time.Millisecond, "spa", "Chromium"))
		authorize(h, at(time.Duration(i)*1500*time.Millisecond, "web", "Firefox"))
	}
	authorize(h, visible, at(4*time.Second, "spa", "Firefox"))
	for _, f := range h.Flows() {
		if len(f.Reasons) > 0 {
			t.Fatalf("%v, though no client and browser sent more than three", f.Reasons)
		}
	}
	authorize(h, at(4900*time.Millisecond, "spa", "Firefox"))
	same(t, "the fourth", h.Flows()[0].Reasons[0].Text, "4 renewals of this client and browser within 5s")
	authorize(h, at(5100*time.Millisecond, "spa", "Firefox"))
	same(t, "the fifth, when the first is too long ago", h.Flows()[0].Reasons[0].Text,
		"4 renewals of this client and browser within 5s")
	authorize(h, at(12*time.Second, "spa", "Firefox"))
	same(t, "one long after", len(h.Flows()[0].Reasons), 0)
}

func TestALoopIsCountedHoweverManyClientsThereAre(t *testing.T) {
	h := newHub(t)
	for i := range 2000 {
		authorize(h, func(r *trace.Record) { r.UserAgent = fmt.Sprint(i) })
	}
	for range 4 {
		authorize(h)
	}
	same(t, "the reasons", reasons(h.Flows()[0]), []string{"renewal.looping"})
}

func TestACodeThatNobodyRedeemsIsNoticed(t *testing.T) {
	for _, row := range []struct {
		text   string
		happen func(h *trace.Hub)
		want   string // the text of callback.silent after ten seconds; empty: none
		state  trace.FlowState
		tail   string // the last arrow, unless want is empty
	}{
		{
			"when the callback page says nothing", func(h *trace.Hub) { authorize(h) },
			"a code was sent to the redirect_uri and not redeemed within 10s: the callback page did not tell the app, or the " +
				"app did not listen",
			trace.FlowFailed, "3 iframe>app failed: should pass the code on, but did not [callback.silent]\n",
		}, {
			"when the app does nothing with it", func(h *trace.Hub) { authorize(h); callback(h) },
			"a code was sent to the redirect_uri and not redeemed within 10s: the callback page told the app, which did " +
				"nothing with it",
			trace.FlowFailed, "3 app>provider failed: POST /token never came [callback.silent]\n",
		},
		{"not when it was redeemed", func(h *trace.Hub) { authorize(h); token(h) }, "", trace.FlowDone, ""},
		{"not when it was refused", func(h *trace.Hub) {
			authorize(h)
			token(h, failed(400, "invalid_grant",
				"code.expired"))
		}, "", trace.FlowFailed, ""},
		{"not when there was none", func(h *trace.Hub) { authorize(h, refused("login_required", "session.none")) }, "",
			trace.FlowFailed, ""},
		{"not while a person is at the sign-in page", func(h *trace.Hub) {
			authorize(h, visible, toPage("/login",
				sealed))
		}, "", trace.FlowOpen, ""},
		{"a preflight redeems nothing", func(h *trace.Hub) {
			authorize(h)
			token(h, func(r *trace.Record) { r.Method, r.Status, r.Answer = "OPTIONS", 204, nil })
		}, "a code was sent to the redirect_uri and not redeemed within 10s: the callback page did not tell the app, or " +
			"the app did not listen", trace.FlowFailed, ""},
	} {
		t.Run(row.text, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := trace.NewHub(trace.Options{Now: time.Now})
				row.happen(h)
				time.Sleep(9 * time.Second)
				same(t, "before", why(t, h, "callback.silent"), "")
				time.Sleep(2 * time.Second)
				same(t, "after", why(t, h, "callback.silent"), row.want)
				f := only(t, h)
				same(t, "the state", f.State, row.state)
				if !strings.HasSuffix(arrows(f), row.tail) {
					t.Errorf("the diagram is\n%s; expected it to end with\n%s", arrows(f), row.tail)
				}
			})
		})
	}
}

func TestACodeThatIsRedeemedLateWasNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := trace.NewHub(trace.Options{Now: time.Now, Quiet: time.Second})
		authorize(h)
		time.Sleep(2 * time.Second)
		same(t, "the reasons after a while", reasons(only(t, h)), []string{"callback.silent"})
		token(h)
		f := only(t, h)
		same(t, "the reasons in the end", len(f.Reasons), 0)
		same(t, "the state", f.State, trace.FlowDone)
		same(t, "the reason of the record", f.Records[0].Reason, "")
	})
}

func TestAForgottenFlowIsNotDiagnosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := trace.NewHub(trace.Options{Now: time.Now})
		watcher := h.Watch()
		defer watcher.Close()
		authorize(h)
		<-watcher.Events()
		h.Reset()
		time.Sleep(time.Minute)
		if len(watcher.Events()) > 0 {
			t.Error("an event came for a flow that is forgotten")
		}
	})
}

func TestOfTwoRacingRedemptionsTheLoserMayBeAnsweredFirst(t *testing.T) {
	h := newHub(t)
	authorize(h)
	token(h, replayed)
	token(h)
	f := only(t, h)
	same(t, "the state", f.State, trace.FlowFailed)
	same(t, "the reason", f.Reasons[0].Text,
		"the code was redeemed again 0s after the first time, with the same code_verifier: the callback ran twice")
}

func TestTheReasonThatStoppedTheFlowStandsBeforeTheWarnings(t *testing.T) {
	h := newHub(t)
	at := func(d time.Duration) change {
		return func(r *trace.Record) { r.At = start.Add(d) }
	}
	bridge := func(r *trace.Record) { r.Status, r.Location, r.Answer, r.Asks = 200, "", nil, trace.AsksBridge }
	for i := range 3 {
		authorize(h, withoutCookie, at(time.Duration(i)*time.Second))
	}
	authorize(h, withoutCookie, at(3*time.Second), bridge)
	same(t, "the loop is seen first", reasons(h.Flows()[0]), []string{"renewal.looping"})
	authorize(h, withoutCookie, at(4*time.Second), params("interaction", "sealed-request-of-a-bridge", "state", state),
		refused("login_required", "cookie.access_denied"))
	f := h.Flows()[0]
	same(t, "the reasons", reasons(f), []string{"cookie.access_denied", "renewal.looping"})
	same(t, "the warnings", []bool{f.Reasons[0].Warning, f.Reasons[1].Warning}, []bool{false, true})
}
