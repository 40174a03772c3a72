package rp

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
)

func TestSignIn(t *testing.T) {
	a := newApp(t)
	answer := a.provider.answer(a.begin("/web/login"))
	if to := a.callback(answer); to != "/web/" {
		t.Fatalf("ended at %q", to)
	}
	s := a.session()
	if s.Sub != "alice" || s.Scope != "openid api.read" || s.Renewals != 0 ||
		!strings.Contains(string(s.Claims), `"nonce"`) {
		t.Errorf("%+v", s)
	}
	if !s.Expiry.Equal(a.clock.Now().Add(90*time.Second)) || !s.AuthTime.Equal(a.clock.Now().Add(-5*time.Second)) {
		t.Errorf("expiry %v, auth_time %v at %v", s.Expiry, s.AuthTime, a.clock.Now())
	}
	a.hasNoSecrets(answer.Get("code"), answer.Get("state"), s.IDToken, s.AccessToken, "s%crét")
}

// Each row is a good answer with one change, and must be refused.
var badAnswers = []struct {
	name   string
	change func(a *testApp, answer url.Values)
	code   oidc.ErrorCode
	says   string
}{
	{"RFC 6749 §3.1 no parameter comes twice", func(a *testApp, v url.Values) { v.Add("code", "second") },
		oidc.InvalidRequest, "code more than once"},
	{"RFC 6749 §10.12 state is that of the request", func(a *testApp, v url.Values) { v.Set("state", "made up") },
		InvalidState, "no sign-in of this browser"},
	{"RFC 6749 §10.12 state is present", func(a *testApp, v url.Values) { v.Del("state") }, InvalidState,
		"no sign-in of this browser"},
	{"RFC 6749 §10.12 the answer to a silent request is not one to a login", func(a *testApp, v url.Values) {
		silent := a.provider.answer(a.begin("/web/silent"))
		v.Set("state", silent.Get("state"))
		v.Set("code", silent.Get("code"))
	}, InvalidState, "no sign-in of this browser"},
	{"RFC 9207 §2.4 iss is the provider's issuer", func(a *testApp, v url.Values) { v.Set("iss", "https://evil.test") },
		IssuerMismatch, "'https://evil.test'"},
	{"RFC 9207 §2.4 iss is compared byte for byte", func(a *testApp, v url.Values) { v.Set("iss", v.Get("iss")+"/") },
		IssuerMismatch, "RFC 9207"},
	{"RFC 9207 §2.4 iss is present when the provider promises it", func(a *testApp, v url.Values) { v.Del("iss") },
		IssuerMismatch, "''"},
	{"RFC 9207 §2.4 an error of another issuer is not believed", func(a *testApp, v url.Values) {
		v.Del("code")
		v.Set("error", "access_denied")
		v.Set("iss", "https://evil.test")
	}, IssuerMismatch, "RFC 9207"},
	{"RFC 6749 §4.1.2.1 an error is put into words", func(a *testApp, v url.Values) {
		v.Del("code")
		v.Set("error", "access_denied")
		v.Set("error_description", "Bob pressed no")
	}, oidc.AccessDenied, "said no. The provider says: Bob pressed no"},
	{"RFC 6749 §4.1.2.1 an error beside a code is an error",
		func(a *testApp, v url.Values) { v.Set("error", "login_required") }, oidc.LoginRequired, "sign in"},
	{"a long error_description is cut", func(a *testApp, v url.Values) {
		v.Set("error", "access_denied")
		v.Set("error_description", strings.Repeat("no ", 1000))
	}, oidc.AccessDenied, "no no ..."},
	{"RFC 6749 §8.5 an unknown error keeps its code", func(a *testApp, v url.Values) { v.Set("error", "too_late_today") },
		"too_late_today", "refused"},
	{"RFC 6749 §4.1.2.1 an error holds no quotes", func(a *testApp, v url.Values) { v.Set("error", `"<script>`) },
		oidc.ServerError, "not valid"},
	{"a long error is none", func(a *testApp, v url.Values) { v.Set("error", strings.Repeat("x", 65)) }, oidc.ServerError,
		"not valid"},
	{"RFC 6749 §4.1.2 the answer holds a code", func(a *testApp, v url.Values) { v.Del("code") }, oidc.InvalidRequest,
		"neither code nor error"},
	{"RFC 6749 §5.2 the provider does not know the code", func(a *testApp, v url.Values) { v.Set("code", "made up") },
		oidc.InvalidGrant, "start again"},
	{"RFC 7636 §4.6 the code was issued for another verifier", func(a *testApp, v url.Values) {
		v.Set("code", a.provider.answer(a.begin("/web/login")).Get("code"))
	}, oidc.InvalidGrant, "start again"},
	{"RFC 9700 §4.5 a code that was injected meets another nonce, even where the provider ignores PKCE",
		func(a *testApp, v url.Values) {
			a.provider.misbehave(distortions{ignorePKCE: true})
			v.Set("code", a.provider.answer(a.begin("/web/login")).Get("code"))
		}, InvalidIDToken, "nonce is the one of the request"},
	{"the answer comes while the request is good", func(a *testApp, v url.Values) { a.clock.Pass(flowLifetime) },
		InvalidState, "later than 10m"},
}

func TestCallbackRefuses(t *testing.T) {
	for _, row := range badAnswers {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			answer := a.provider.answer(a.begin("/web/login"))
			row.change(a, answer)
			a.refused(a.failure(a.callback(answer)), row.code, row.says)
			a.hasNoSecrets(answer["code"]...)
			a.hasNoSecrets(answer["state"]...)
		})
	}
}

func (a *testApp) refused(e oidc.Error, code oidc.ErrorCode, says string) {
	a.t.Helper()
	if e.Code != code || !strings.Contains(e.Description, says) {
		a.t.Errorf("%s: %s\nexpected %s: …%s…", e.Code, e.Description, code, says)
	}
	if !a.isSignedOut() {
		a.t.Error("a session was begun in spite of the error")
	}
}

// Each row is one fault of the token endpoint.
var badTokenEndpoints = []struct {
	name string
	bad  distortions
	code oidc.ErrorCode
	says string
}{
	{"RFC 6749 §5.2 an error is put into words",
		distortions{fail: answerWith(400, `{"error":"invalid_client","error_description":"no such client"}`)},
		oidc.InvalidClient, "The provider says: no such client"},
	{"RFC 6749 §5.2 an answer without an error code", distortions{fail: answerWith(502, `<h1>oh no</h1>`)}, ProviderDown,
		"502"},
	{"RFC 6749 §5.1 an answer that is no JSON", distortions{fail: answerWith(200, `<h1>hello</h1>`)}, oidc.ServerError,
		"cannot be used"},
	{"RFC 6749 §5.1 an answer without access_token", distortions{token: without("access_token")}, oidc.ServerError,
		"access_token"},
	{"Core §3.1.3.3 an answer without id_token", distortions{token: without("id_token")}, InvalidIDToken, "no id_token"},
	{"Core §3.1.3.3 token_type is Bearer", distortions{token: with("token_type", "mac")}, oidc.ServerError, "token_type"},
	{"no answer at all", distortions{fail: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		ProviderDown, "unreachable"},
	{"a redirect, which would take code and secret along, is not followed",
		distortions{fail: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/userinfo", http.StatusTemporaryRedirect)
		}}, ProviderDown, "307"},
	{"an answer of more than 1 MB", distortions{token: with("padding", strings.Repeat("x", maxResponse))},
		oidc.ServerError, "cannot be used"},
}

func answerWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func without(name string) func(object)         { return func(o object) { delete(o, name) } }
func with(name string, value any) func(object) { return func(o object) { o[name] = value } }

func TestBadTokenEndpoint(t *testing.T) {
	for _, row := range badTokenEndpoints {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			answer := a.provider.answer(a.begin("/web/login"))
			a.provider.misbehave(row.bad)
			a.refused(a.failure(a.callback(answer)), row.code, row.says)
			a.hasNoSecrets(answer.Get("code"))
		})
	}
}

func TestUnreadableAnswer(t *testing.T) {
	a := newApp(t)
	a.refused(a.failure(a.location(a.do("GET", "/web/callback?state=%zz", ""))), oidc.InvalidRequest, "not a query string")
}

func TestProviderThatDoesNotPromiseIss(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{metadata: without("authorization_response_iss_parameter_supported")})
	answer := a.provider.answer(a.begin("/web/login"))
	answer.Set("iss", "https://evil.test")
	a.refused(a.failure(a.callback(answer)), IssuerMismatch, "RFC 9207")

	answer = a.provider.answer(a.begin("/web/login"))
	answer.Del("iss")
	if to := a.callback(answer); to != "/web/" {
		t.Errorf("RFC 9207 §2.4: without the promise iss may be missing, but ended at %q", to)
	}
}

func TestClientAuthentication(t *testing.T) {
	for _, row := range []struct {
		name, secret string
		methods      []string
		header, body bool
	}{
		{"Discovery §3 client_secret_basic is the default", "s%crét", nil, true, false},
		{"RFC 6749 §2.3.1 client_secret_post when nothing else is offered", "s%crét", []string{"client_secret_post"}, false,
			true},
		{"RFC 6749 §2.1 a public client sends its client_id only", "", []string{"none"}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, func(c *Config) { c.ClientSecret = row.secret })
			var form url.Values
			var header string
			bad := distortions{fail: func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				form, header = r.PostForm, r.Header.Get("Authorization")
			}}
			if row.methods != nil {
				bad.metadata = with("token_endpoint_auth_methods_supported", row.methods)
			}
			a.provider.misbehave(bad)
			a.callback(a.provider.answer(a.begin("/web/login")))
			if (header != "") != row.header || form.Has("client_secret") != row.body ||
				(!row.header && form.Get("client_id") != "web") {
				t.Errorf("Authorization %q, client_id %q", header, form.Get("client_id"))
			}
			if len(form.Get("code_verifier")) < 43 { // RFC 7636 §4.1
				t.Errorf("code_verifier %q", form.Get("code_verifier"))
			}
		})
	}
}

func TestAnAnswerIsUsedOnce(t *testing.T) {
	a := newApp(t)
	answer := a.provider.answer(a.begin("/web/login"))
	a.callback(answer)
	if e := a.failure(a.callback(answer)); e.Code != InvalidState {
		t.Errorf("the second time: %v", e)
	}
	if n := a.provider.requestsTo("/token"); n != 1 {
		t.Errorf("the code was sent %d times: a provider that sees it twice revokes the tokens (RFC 6749 §4.1.2)", n)
	}
}

func TestAPageMountedTwiceSendsItsCodeOnce(t *testing.T) {
	a := newApp(t)
	a.signIn()
	answer, before := a.provider.answer(a.begin("/web/silent")), a.provider.requestsTo("/token")
	request, results := a.request(), make(chan error, 2)
	start := make(chan struct{})
	for range 2 {
		go func() {
			<-start
			_, _, err := a.finish(httptest.NewRecorder(), request, answer.Encode(), true)
			results <- err
		}()
	}
	close(start)
	first, second := <-results, <-results
	if (first == nil) == (second == nil) {
		t.Errorf("expected one success, got %v and %v", first, second)
	}
	if e, ok := errors.AsType[*oidc.Error](errors.Join(first, second)); !ok || e.Code != InvalidState {
		t.Errorf("the loser got %v", e)
	}
	if n := a.provider.requestsTo("/token") - before; n != 1 {
		t.Errorf("the code was sent %d times", n)
	}
}

func TestAFlowUnderTheNameOfAnother(t *testing.T) {
	a := newApp(t)
	f := a.newFlow()
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	if err := a.cookies.set(w, a.flowCookie("another"), f, flowLifetime); err != nil {
		t.Fatal(err)
	}
	r.AddCookie(w.Result().Cookies()[0])
	if _, err := a.takeFlow(w, r, "another", false); asError(err).Code != InvalidState {
		t.Errorf("RFC 6749 §10.12: state is compared, not only looked up: %v", err)
	}
}

func TestASignInSurvivesARestart(t *testing.T) {
	a := newApp(t)
	first, second := a.provider.answer(a.begin("/web/login")), a.provider.answer(a.begin("/web/login"))
	a.restart()
	if to := a.callback(first); to != "/web/" {
		t.Errorf("ended at %q", to)
	}
	a.restart()
	if a.session().Sub != "alice" {
		t.Error("the session is gone")
	}
	a.provider.Close()
	if e := a.failure(a.callback(second)); e.Code != ProviderDown {
		t.Errorf("a provider that went down meanwhile: %v", e)
	}
}

// restart makes a new RP with the same configuration, keys and store.
func (a *testApp) restart() {
	a.t.Helper()
	fresh, err := New(a.config)
	if err != nil {
		a.t.Fatal(err)
	}
	*a.RP = *fresh
}

func TestCookieOfAnotherKey(t *testing.T) {
	a := newApp(t)
	answer := a.provider.answer(a.begin("/web/login"))
	codecs, err := newCodecs([][]byte{[]byte(strings.Repeat("k", minCookieKey))})
	if err != nil {
		t.Fatal(err)
	}
	own := a.cookies.codecs
	a.cookies.codecs = codecs
	a.refused(a.failure(a.callback(answer)), InvalidState, "start again")
	a.cookies.codecs = append(codecs, own...) // the new key first, the old one still opens
	if to := a.callback(answer); to != "/web/" {
		t.Errorf("after a change of keys the old cookie ended at %q", to)
	}
}

func TestMixUp(t *testing.T) {
	a := newApp(t)
	another := newProviderForTest(t, a.clock)
	config := a.config
	config.Issuer = another.URL // the same client_id, cookie keys and address at another provider
	second, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	answer := a.provider.answer(a.begin("/web/login"))
	*a.RP = *second
	e := a.failure(a.callback(answer))
	a.refused(e, InvalidState, "no sign-in of this browser")
	if another.requestsTo("/token") > 0 {
		t.Error("RFC 9700 §4.4: a code of one provider was sent to another")
	}
}
