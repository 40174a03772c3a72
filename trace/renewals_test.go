package trace_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/trace"
)

// renewal is one of a client and browser, some seconds after the start: silent, and answered with tokens.
func renewal(h *trace.Hub, seconds float64, life string, changes ...change) {
	at := start.Add(time.Duration(seconds * float64(time.Second)))
	authorize(h, append(changes, func(r *trace.Record) { r.At = at })...)
	token(h, expiresIn(life), func(r *trace.Record) { r.At = at.Add(50 * time.Millisecond) })
}

// byToken is a renewal by a refresh token. A script sent it, if mode is not empty.
func byToken(h *trace.Hub, seconds float64, life, mode string, changes ...change) {
	send(h, trace.Record{
		Endpoint: "token", Method: "POST", ClientID: "spa", Status: 200, Fetch: trace.Fetch{Mode: mode},
		At:     start.Add(time.Duration(seconds * float64(time.Second))),
		Params: trace.Params(url.Values{"grant_type": {"refresh_token"}}),
		Answer: []trace.Value{trace.Plain("expires_in", life)},
	}, "", changes)
}

// renewed are renewals with what the trace says of the last one.
var renewed = []struct {
	text   string
	happen func(h *trace.Hub)
	want   string // the libraries that it suspects; empty: no loop
}{
	{"@axa-fr/oidc-client with tokens of 90 s", func(h *trace.Hub) {
		renewal(h, 0, "90")
		renewal(h, 1.5, "90")
		renewal(h, 3, "90")
	}, "tokens live 90 s, and the last two renewals came 1.45s and 1.45s after the answer before, each of which had a " +
		"token. Inferred: the app renews a fixed time before the end, as long as the lifetime or nearly so. That is the " +
		"default of: @axa-fr/oidc-client 120 s (refresh_time_before_tokens_expiration_in_second), MSAL 300 s " +
		"(tokenRenewalOffsetSeconds). A person who renews again and again, or who reloads a page that renews at each " +
		"load (as keycloak-js does with check-sso), and a failed call of an API that the provider does not see, look " +
		"the same"},
	{"MSAL with tokens of 5 minutes, at each call, by refresh tokens", func(h *trace.Hub) {
		byToken(h, 0, "300", "cors")
		byToken(h, 20, "300", "cors")
		byToken(h, 60, "300", "cors")
	}, "default of: MSAL 300 s"},
	{"the first of them after the sign-in is one early renewal", func(h *trace.Hub) {
		renewal(h, 0, "90", visible)
		renewal(h, 1.5, "90")
		renewal(h, 3, "90")
	}, ""},
	{"oidc-client-ts with tokens of 90 s renews after 30 s", func(h *trace.Hub) {
		renewal(h, 0, "90")
		renewal(h, 30.1, "90")
		renewal(h, 60.2, "90")
	}, ""},
	{"one early renewal of two", func(h *trace.Hub) {
		renewal(h, 0, "90")
		renewal(h, 30, "90")
		renewal(h, 32, "90")
	}, ""},
	{"another client and another browser", func(h *trace.Hub) {
		renewal(h, 0, "90")
		renewal(h, 1, "90", func(r *trace.Record) { r.ClientID = "other" })
		renewal(h, 2, "90", func(r *trace.Record) { r.UserAgent = "other" })
	}, ""},
	{"three sessions in one browser program, once each", func(h *trace.Hub) {
		renewal(h, 0, "90", in("of alice"))
		renewal(h, 4, "90", in("of bob"))
		renewal(h, 8, "90", in("of carol"))
	}, ""},
	{"one session, three times", func(h *trace.Hub) {
		renewal(h, 0, "90", in("of alice"))
		renewal(h, 4, "90", in("of alice"))
		renewal(h, 8, "90", in("of alice"))
	}, "tokens live 90 s"},
	{"three sessions by refresh tokens, once each", func(h *trace.Hub) {
		byToken(h, 0, "90", "cors", in("of alice"))
		byToken(h, 4, "90", "cors", in("of bob"))
		byToken(h, 8, "90", "cors", in("of carol"))
	}, ""},
	{"no session and one origin, three times", func(h *trace.Hub) {
		byToken(h, 0, "90", "cors", from("https://a.example"))
		byToken(h, 4, "90", "cors", from("https://a.example"))
		byToken(h, 8, "90", "cors", from("https://a.example"))
	}, "tokens live 90 s"},
	{"no session and two origins", func(h *trace.Hub) {
		byToken(h, 0, "90", "cors", from("https://a.example"))
		byToken(h, 4, "90", "cors", from("https://b.example"))
		byToken(h, 8, "90", "cors", from("https://a.example"))
	}, ""},
	{"tokens that outlive each library's offset", func(h *trace.Hub) {
		renewal(h, 0, "301")
		renewal(h, 2, "301")
		renewal(h, 4, "301")
	}, ""},
	{"a renewal failed", func(h *trace.Hub) {
		renewal(h, 0, "90")
		authorize(h, refused("login_required", "session.none"), func(r *trace.Record) { r.At = start.Add(4 * time.Second) })
		renewal(h, 8, "90")
		renewal(h, 12, "90")
	}, ""},
	{"an API refused each token", func(h *trace.Hub) {
		for i := range 3 {
			renewal(h, 2*float64(i), "90")
			api(h, page(401), func(r *trace.Record) { r.At = start.Add(time.Duration(2*i+1) * time.Second) })
		}
	}, ""},
	{"tabs that renew at one time do not wait for each other's tokens", func(h *trace.Hub) {
		renewal(h, 0, "90")
		renewal(h, 0.02, "90")
		renewal(h, 0.04, "90")
	}, ""},
	{"a server renews for many users", func(h *trace.Hub) {
		byToken(h, 0, "300", "")
		byToken(h, 1, "300", "")
		byToken(h, 2, "300", "")
	}, ""},
}

func TestRenewalsLongBeforeTheEndAreALoop(t *testing.T) {
	for _, row := range renewed {
		t.Run(row.text, func(t *testing.T) {
			h := newHub(t)
			row.happen(h)
			found := map[string]string{}
			for _, reason := range h.Flows()[0].Reasons {
				found[reason.Code] = reason.Text
			}
			loop, short := found["renewal.looping"], found["token.short_lived"]
			if !strings.Contains(loop, row.want) || (loop != "") != (row.want != "") {
				t.Errorf("renewal.looping says %q; want %q", loop, row.want)
			}
			if (short != "") != (row.want != "") {
				t.Errorf("token.short_lived says %q, though a loop is seen: %v", short, row.want != "")
			}
		})
	}
}

// TestFourRenewalsInARowAreALoopOfOneBrowserOnly: who renewed four times within five seconds.
func TestFourRenewalsInARowAreALoopOfOneBrowserOnly(t *testing.T) {
	refusal := refused("login_required", "cookie.withheld_or_absent")
	for _, row := range []struct {
		text string
		sent func(i int) []change // the changes of each request
		loop bool
	}{
		{"one session", func(int) []change { return []change{in("of alice")} }, true},
		{"four sessions", func(i int) []change { return []change{in(fmt.Sprint("of ", i))} }, false},
		{"blocked cookies, one page", func(int) []change {
			return []change{withoutCookie, from("https://a.example"), refusal}
		}, true},
		{"blocked cookies, pages of one origin", func(i int) []change {
			return []change{withoutCookie, from(fmt.Sprint("https://a.example/", i)), refusal}
		}, true},
		{"blocked cookies, pages of two origins", func(i int) []change {
			return []change{withoutCookie, from(fmt.Sprintf("https://%d.example", i%2)), refusal}
		}, false},
	} {
		t.Run(row.text, func(t *testing.T) {
			h := newHub(t)
			for i := range 4 {
				at := start.Add(time.Duration(i) * time.Second)
				authorize(h, append(row.sent(i), func(r *trace.Record) { r.At = at })...)
			}
			same(t, "a loop", slices.Contains(reasons(h.Flows()[0]), "renewal.looping"), row.loop)
		})
	}
}

// TestASessionThatIsFoundLateIsTheBrowser: the cookie comes when the browser was asked for it.
func TestASessionThatIsFoundLateIsTheBrowser(t *testing.T) {
	asks := func(r *trace.Record) { r.Status, r.Location, r.Answer, r.Asks = 401, "", nil, trace.AsksRetry }
	last := func(session func(i int) string) []string {
		h := newHub(t)
		for i := range 4 {
			at := start.Add(time.Duration(i) * time.Second)
			authorize(h, withoutCookie, asks, func(r *trace.Record) { r.At = at })
			authorize(h, in(session(i)), func(r *trace.Record) { r.At = at.Add(10 * time.Millisecond) })
		}
		return reasons(h.Flows()[0])
	}
	same(t, "one session", last(func(int) string { return "of alice" }), []string{"renewal.looping"})
	same(t, "four sessions", last(func(i int) string { return fmt.Sprint("of ", i) }), []string(nil))

	h := newHub(t)
	for i := range 3 {
		authorize(h, withoutCookie, func(r *trace.Record) { r.At = start.Add(time.Duration(i) * time.Second) })
	}
	authorize(h, withoutCookie, asks, func(r *trace.Record) { r.At = start.Add(3 * time.Second) })
	same(t, "before it is found", reasons(h.Flows()[0]), []string{"renewal.looping"})
	authorize(h, in("of alice"), func(r *trace.Record) { r.At = start.Add(3100 * time.Millisecond) })
	same(t, "when it is found", reasons(h.Flows()[0]), []string(nil))
}
