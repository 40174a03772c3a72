package authorize

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/interaction"
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

var rows = []row{
	// Core §3.1.2.1: the request
	{name: "Core §3.1.2.5 a good request of a signed-in user is answered with a code", signed: "alice"},
	{name: "Core §3.1.2.3 nobody is signed in: sign in", screen: interaction.PathLogin},
	{name: "Core §3.1.2.1 a confidential client needs no nonce and no PKCE", client: "web", change: "-nonce -code_challenge -code_challenge_method", signed: "alice"},
	{name: "Core §3.1.2.1 unknown parameters are ignored", change: "foo=bar claims_locales=fr", signed: "alice"},
	{name: "Core §3.1.2.1 a parameter that happens to be called interaction is unknown too", change: "interaction=foo prompt=none", signed: "alice"},
	{name: "a state with a semicolon that was not encoded comes back", raw: "&login_hint=;", change: "prompt=none", signed: "alice"},
	{name: "Core §3.1.2.1 display, ui_locales and acr_values are accepted", change: "display=popup ui_locales=fr+de acr_values=2+1", signed: "alice"},
	{name: "Core §3.1.2.1 unknown scope values are ignored", change: "scope=openid+telepathy", signed: "alice"},
	{name: "RFC 6749 §3.1 a parameter without a value counts as omitted", change: "prompt= max_age= login_hint= id_token_hint= response_mode= request=", signed: "alice"},

	// before there is a return address
	{name: "RFC 6749 §4.1.2.1 an unknown client_id is shown, never redirected", change: "client_id=nobody", page: oidc.UnauthorizedClient},
	{name: "RFC 6749 §4.1.2.1 a missing client_id is shown", change: "-client_id", page: oidc.InvalidRequest},
	{name: "RFC 6749 §4.1.2.1 a repeated client_id is shown", change: "+client_id=spa", page: oidc.InvalidRequest},
	{name: "RFC 6749 §4.1.2.1 an unregistered redirect_uri is shown, never followed", change: "redirect_uri=https://evil.test/", page: oidc.InvalidRequest},
	{name: "Core §3.1.2.1 redirect_uri has no default", change: "-redirect_uri", page: oidc.InvalidRequest},
	{name: "RFC 6749 §3.1 a repeated redirect_uri is shown", change: "+redirect_uri=https://app.test/cb", page: oidc.InvalidRequest},
	{name: "Core §3.1.2.1 a redirect_uri with an added query is not the registered one", change: "redirect_uri=https://app.test/cb%3Fx=1", page: oidc.InvalidRequest},
	{name: "Core §3.1.2.1 a redirect_uri with an added slash is not the registered one", change: "redirect_uri=https://app.test/cb/", page: oidc.InvalidRequest},
	{name: "Core §3.1.2.1 a redirect_uri in other case is not the registered one", change: "redirect_uri=https://app.test/CB", page: oidc.InvalidRequest},
	{name: "RFC 8252 §7.3 the port is free on a loopback address only", change: "redirect_uri=https://app.test:8443/cb", page: oidc.InvalidRequest},
	{name: "RFC 8252 §7.3 a loopback redirect_uri matches with any port", change: "redirect_uri=http://localhost:5173/cb", signed: "alice"},
	{name: "RFC 6749 §3.1.2 the query of a registered redirect_uri is kept", change: "redirect_uri=https://app.test/cb%3Ftenant=7", signed: "alice"},
	{name: "RFC 6749 §4.1.2.1 prompt=none changes nothing about an unknown client", change: "client_id=nobody prompt=none", page: oidc.UnauthorizedClient},

	// rules, in their order
	{name: "RFC 6749 appendix B parameters are form-encoded", raw: "&login_hint=%zz", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 §3.1 a repeated parameter", change: "+scope=openid", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 §3.1 a repeated unknown parameter", change: "x=1 +x=2", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 §3.1 a repeated state", change: "+state=2", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 appendix B parameters are UTF-8", change: "nonce=%ff%fe", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 appendix B parameter names are UTF-8 or harmless", change: "%ff=%ff", err: oidc.InvalidRequest, signed: "alice"},
	{name: "more than 16 KiB of parameters", change: "state=" + strings.Repeat("s", maxParams), err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §6.1 request", change: "request=eyJhbGciOiJub25lIn0.e30.", err: oidc.RequestNotSupported, signed: "alice"},
	{name: "Core §6.2 request_uri", change: "request_uri=https://app.test/r", err: oidc.RequestURINotSupported, signed: "alice"},
	{name: "Core §7.2.1 registration", change: "registration=%7B%7D", err: oidc.RegistrationNotSupported, signed: "alice"},
	{name: "Core §3.1.2.1 response_type is required", change: "-response_type", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 §3.1.1 response_type=token is not offered", change: "response_type=token", err: oidc.UnsupportedResponseType, signed: "alice"},
	{name: "Core §3.3 response_type=code id_token is not offered", change: "response_type=code+id_token", err: oidc.UnsupportedResponseType, signed: "alice"},
	{name: "Multiple Response Types §2.1 an unknown response_mode", change: "response_mode=telegram", err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §3.1.2.1 scope contains openid", change: "scope=profile", err: oidc.InvalidScope, signed: "alice"},
	{name: "Core §3.1.2.1 scope is required", change: "-scope", err: oidc.InvalidScope, signed: "alice"},
	{name: "Core §3.1.2.1 prompt=none stands alone", change: "prompt=none+login", err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §3.1.2.1 an unknown prompt", change: "prompt=dance", err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §3.1.2.1 max_age is a number", change: "max_age=soon", err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §3.1.2.1 max_age is not negative", change: "max_age=-1", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 9700 §2.1.1 a public client without code_challenge", change: "-code_challenge -code_challenge_method", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 9700 §2.1.1 a confidential client that requires PKCE", client: "strict", change: "-code_challenge -code_challenge_method", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 7636 §4.3 code_challenge_method without code_challenge", client: "web", change: "-code_challenge", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 9700 §2.1.1 code_challenge_method=plain is refused", change: "code_challenge_method=plain", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 7636 §4.3 a missing code_challenge_method means plain", change: "-code_challenge_method", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 7636 §4.2 a code_challenge of the wrong length", change: "code_challenge=short", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 7636 §4.2 a code_challenge with padding", change: "code_challenge=" + strings.Repeat("a", 42) + "%3D", err: oidc.InvalidRequest, signed: "alice"},

	// needs, in their order, under prompt=none
	{name: "Core §3.1.2.1 prompt=none with a session", change: "prompt=none", signed: "alice"},
	{name: "Core §3.1.2.6 prompt=none without a session", change: "prompt=none", err: oidc.LoginRequired},
	{name: "Core §3.1.2.1 id_token_hint of the signed-in user", change: "prompt=none id_token_hint=alice", signed: "alice"},
	{name: "Core §3.1.2.1 id_token_hint of another user", change: "prompt=none id_token_hint=bob", signed: "alice", err: oidc.LoginRequired},
	{name: "Core §3.1.2.1 an id_token_hint that is none of ours", change: "prompt=none id_token_hint=forged", signed: "alice", err: oidc.LoginRequired},
	{name: "Core §3.1.2.1 id_token_hint is stronger than login_hint", change: "prompt=none id_token_hint=alice login_hint=bob", signed: "alice"},
	{name: "Core §3.1.2.1 login_hint of another user", change: "prompt=none login_hint=bob", signed: "alice", err: oidc.LoginRequired},
	{name: "Core §3.1.2.1 login_hint of nobody we know is ignored", change: "prompt=none login_hint=buffy@sunnydale.test", signed: "alice"},
	{name: "Core §3.1.2.6 prompt=none with several accounts", change: "prompt=none", signed: "alice,bob", err: oidc.AccountSelectionRequired},
	{name: "Core §3.1.2.1 id_token_hint chooses among several accounts", change: "prompt=none id_token_hint=bob", signed: "alice,bob"},
	{name: "Core §3.1.2.1 login_hint chooses among several accounts", change: "prompt=none login_hint=bob@example.com", signed: "alice,bob"},
	{name: "Core §3.1.2.1 max_age exceeded", change: "prompt=none max_age=60", signed: "alice", err: oidc.LoginRequired},
	{name: "Core §3.1.2.1 max_age=0 is exceeded at once", change: "prompt=none max_age=0", signed: "alice", err: oidc.LoginRequired},
	{name: "Core §3.1.2.1 max_age not exceeded", change: "prompt=none max_age=10000", signed: "alice"},
	{name: "Registration §2 default_max_age stands in for max_age", client: "impatient", change: "prompt=none", signed: "alice", err: oidc.LoginRequired},
	{name: "Registration §2 max_age overrides default_max_age", client: "impatient", change: "prompt=none max_age=10000", signed: "alice"},
	{name: "Core §3.1.2.6 prompt=none without consent", client: "other", change: "prompt=none", signed: "alice", err: oidc.ConsentRequired},
	{name: "Core §3.1.2.6 prompt=none with consent to less", client: "other", change: "prompt=none scope=openid+email", signed: "carol", err: oidc.ConsentRequired},
	{name: "Core §3.1.2.4 prompt=none with consent", client: "other", change: "prompt=none scope=openid", signed: "carol"},

	// the same needs, where a page is allowed
	{name: "Core §3.1.2.1 prompt=login", change: "prompt=login", signed: "alice", screen: interaction.PathLogin},
	{name: "Core §3.1.2.1 prompt=select_account", change: "prompt=select_account", signed: "alice", screen: interaction.PathSelectAccount},
	{name: "Core §3.1.2.1 prompt=select_account without a session", change: "prompt=select_account", screen: interaction.PathLogin},
	{name: "Core §3.1.2.1 prompt=login select_account asks whom first", change: "prompt=login+select_account", signed: "alice", screen: interaction.PathSelectAccount},
	{name: "Core §3.1.2.1 prompt=consent, of a first-party client too", change: "prompt=consent", signed: "alice", screen: interaction.PathConsent},
	{name: "Core §3.1.2.1 prompt=consent, although consent is remembered", client: "other", change: "prompt=consent scope=openid", signed: "carol", screen: interaction.PathConsent},
	{name: "Core §3.1.2.1 prompt=login consent signs in first", change: "prompt=login+consent", signed: "alice", screen: interaction.PathLogin},
	{name: "Core §3.1.2.1 max_age exceeded: sign in again", change: "max_age=60", signed: "alice", screen: interaction.PathLogin},
	{name: "Core §3.1.2.1 id_token_hint of another user: sign in as that one", change: "id_token_hint=bob", signed: "alice", screen: interaction.PathLogin},
	{name: "Core §3.1.2.1 an id_token_hint that is none of ours: sign in", change: "id_token_hint=forged", signed: "alice", screen: interaction.PathLogin},
	{name: "Core §3.1.2.1 login_hint of another user: sign in as that one", change: "login_hint=bob", signed: "alice", screen: interaction.PathLogin},
	{name: "Core §3.1.2.4 consent missing: ask", client: "other", signed: "alice", screen: interaction.PathConsent},
	{name: "several accounts: ask which", signed: "alice,bob", screen: interaction.PathSelectAccount},
}

func TestAuthorize(t *testing.T) {
	broken, arisen := watchRules(t), watchNeeds(t)
	for _, row := range rows {
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
				form := outcome.Form
				if form == nil || form.Action != params.Get("redirect_uri") || form.Values.Get("code") == "" ||
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
