package authorize

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// row is a known-good request, one change, and the answer that the specification demands. Of the answer exactly one of
// page, err, screen and code is expected; code is the default.
type row struct {
	name   string
	client string // spa (default), web, other
	change string // a=b sets, -a removes, +a=b adds a second value; separated by spaces, values form-encoded
	raw    string // put behind the query as it is
	signed string // who is signed in, the last used first, separated by commas

	page   oidc.ErrorCode
	err    oidc.ErrorCode
	screen string
}

var rows = slices.Concat(ruleRows, needRows)

// claimOf asks for one claim in the ID token, as a value of row.change.
func claimOf(name, how string) string {
	return url.QueryEscape(`{"id_token":{"` + name + `":` + how + `}}`)
}

func TestAuthorize(t *testing.T) {
	broken, arisen := watchRules(t), watchNeeds(t)
	for _, row := range slices.Concat(rows, attacks) {
		t.Run(row.name, func(t *testing.T) { row.check(t) })
	}
	for _, row := range pushed {
		t.Run(row.name, func(t *testing.T) { row.check(t) })
	}
	for i, rule := range rules {
		if !broken[i] {
			t.Errorf("no row breaks the rule %q (%s)", rule.Text, rule.Spec)
		}
	}
	for i, need := range needs {
		if !arisen[i] {
			t.Errorf("in no row arises the need %q (%s)", need.Text, need.Spec)
		}
	}
}

func (row row) check(t *testing.T) {
	e := newEndpoint(t)
	params := row.params(t)
	r := e.request(t, params, row.signed)
	r.URL.RawQuery += row.raw
	e.clock.Pass(10 * time.Minute) // between the sign-in and the request
	outcome, err := e.Authorize(r)
	if row.page != "" {
		if err == nil || oidc.AsError(err).Code != row.page {
			t.Fatalf("got %+v, %v; want a page with %s", outcome, err, row.page)
		}
		return
	}
	if err != nil {
		t.Fatalf("got a page with %v; want an answer to the client", err)
	}
	if row.screen != "" {
		if path, _, _ := strings.Cut(outcome.Screen, "?"); path != row.screen {
			t.Fatalf("got %+v; want the screen %s", outcome, row.screen)
		}
		return
	}
	checkAnswer(t, e, outcome, params, row.err)
}

// checkAnswer holds what is true of every answer to a client: where it goes, state, iss.
func checkAnswer(t *testing.T, e *testEndpoint, outcome Outcome, params url.Values, code oidc.ErrorCode) {
	t.Helper()
	redirectURI := params.Get("redirect_uri")
	if !strings.HasPrefix(outcome.Redirect, redirectURI) {
		t.Fatalf("got %+v; want a redirect to %s", outcome, redirectURI)
	}
	joint := "?"
	if strings.Contains(redirectURI, "?") {
		joint = "&"
	}
	if got := outcome.Redirect[len(redirectURI):][:1]; got != joint {
		t.Errorf("the answer is joined to %s by %q; want %q", redirectURI, got, joint)
	}
	answer, err := url.ParseQuery(outcome.Redirect[len(redirectURI)+1:])
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Get("error"); got != string(code) {
		t.Errorf("error = %q (%s); want %q", got, answer.Get("error_description"), code)
	}
	if answer.Has("code") == answer.Has("error") {
		t.Errorf("an answer has either a code or an error: %v", answer)
	}
	if answer.Get("state") != params.Get("state") {
		t.Errorf("state = %q; want it byte for byte", answer.Get("state"))
	}
	if answer.Get("iss") != e.Issuer {
		t.Errorf("RFC 9207 §2: iss = %q; want %q", answer.Get("iss"), e.Issuer)
	}
}

// params are those of a good request with the row's change.
func (row row) params(t testing.TB) url.Values {
	t.Helper()
	client := row.client
	if client == "" {
		client = "spa"
	}
	params := goodParams(client)
	for change := range strings.FieldsSeq(row.change) {
		name, value, _ := strings.Cut(change, "=")
		name, errName := url.QueryUnescape(strings.ReplaceAll(name, "+", "%2B"))
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			t.Fatalf("row %q: change %q cannot be read", row.name, change)
		}
		switch {
		case strings.HasPrefix(name, "-"):
			params.Del(name[1:])
		case strings.HasPrefix(name, "+"):
			params.Add(name[1:], value)
		default:
			params.Set(name, value)
		}
	}
	if sub := params.Get("id_token_hint"); sub == "alice" || sub == "bob" {
		params.Set("id_token_hint", hintOf(sub))
	}
	if object, ok := strings.CutPrefix(params.Get("request_uri"), "https://app.test/?"); ok {
		params.Set("request_uri", objectServer()+"/?"+object)
	}
	return params
}

func TestParametersArriveByGETAndByPOST(t *testing.T) { // Core §3.1.2.1
	e := newEndpoint(t)
	r := httptest.NewRequest(http.MethodPost, "/authorize", strings.NewReader(goodParams("spa").Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	e.signIn(t, r, "alice")
	outcome, err := e.Authorize(r)
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, e, outcome, goodParams("spa"), "")
}

func TestResponseModes(t *testing.T) {
	for _, silent := range []string{"", "none"} {
		for mode, where := range map[string]string{"query": "?", "fragment": "#", "form_post": ""} {
			params := goodParams("spa")
			params.Set("response_mode", mode)
			params.Set("prompt", silent)
			e := newEndpoint(t)
			outcome, err := e.Authorize(e.request(t, params, "alice"))
			if err != nil {
				t.Fatal(err)
			}
			if mode == "form_post" {
				form := outcome.Post
				if form == nil || form.Target != "" || form.RedirectURI != params.Get("redirect_uri") ||
					form.Values.Get("code") == "" ||
					form.Values.Get("state") != params.Get("state") || form.Values.Get("iss") != e.Issuer {
					t.Errorf("form_post gave %+v", outcome)
				} else if form.Silent != (silent == "none") {
					t.Errorf("Silent = %v with prompt=%q", form.Silent, silent)
				}
			} else if !strings.HasPrefix(outcome.Redirect, params.Get("redirect_uri")+where) {
				t.Errorf("%s gave %+v", mode, outcome)
			}
		}
	}
}

func TestErrorsComeInTheResponseModeThatWasAsked(t *testing.T) {
	params := goodParams("spa")
	params.Set("response_mode", "fragment")
	params.Set("prompt", "none")
	e := newEndpoint(t)
	outcome, err := e.Authorize(e.request(t, params, ""))
	if err != nil || !strings.Contains(outcome.Redirect, "#error=login_required") {
		t.Errorf("got %+v, %v; want the error in the fragment", outcome, err)
	}
}

func TestPromptNoneIsAlwaysOneRedirectOnceTheAddressIsVerified(t *testing.T) {
	for _, row := range rows {
		if row.page != "" {
			continue
		}
		for _, failing := range []bool{false, true} {
			e := newEndpoint(t)
			params := row.params(t)
			if params.Get("prompt") == "" || params.Get("prompt") == "none" {
				params.Set("prompt", "none")
			} else {
				params.Set("prompt", params.Get("prompt")+" none") // makes no sense, and still forbids pages
			}
			r := e.request(t, params, row.signed)
			r.URL.RawQuery += row.raw
			e.store.Gone(failing) // the engine behind the store vanishes: still no page
			outcome, err := e.Authorize(r)
			if err != nil || outcome.Redirect == "" || outcome.Screen != "" {
				t.Errorf("%s (store failing: %v): got %+v, %v; want a redirect", row.name, failing, outcome, err)
			}
		}
	}
}

func TestWhyNobodyIsSignedInIsSaid(t *testing.T) {
	for absence, spoil := range map[session.Absence]func(*testEndpoint, *http.Request){
		session.NoCookie: func(_ *testEndpoint, r *http.Request) { r.Header.Del("Cookie") },
		session.CookieUnreadable: func(_ *testEndpoint, r *http.Request) {
			r.Header.Set("Cookie", r.Header.Get("Cookie")[:40]+"x")
		},
		session.Idle:    func(e *testEndpoint, _ *http.Request) { e.clock.Pass(3 * time.Hour) },
		session.Expired: func(e *testEndpoint, _ *http.Request) { e.clock.Pass(13 * time.Hour) },
	} {
		e := newEndpoint(t)
		params := goodParams("spa")
		params.Set("prompt", "none")
		r := e.request(t, params, "alice")
		e.store.keep = true // past its ttl a record may still be there
		spoil(e, r)
		outcome, err := e.Authorize(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := url.Parse(outcome.Redirect)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.Query().Get("error_description"); !strings.Contains(got, string(absence)) {
			t.Errorf("error_description = %q; want it to say %q", got, absence)
		}
	}
}
