package rp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// Faults of a provider or attacks of another site during a whole flow; single tokens are in the tables of the other
// files.

// oddTokenAnswers are unusual answers that are limited or refused.
var oddTokenAnswers = []struct {
	name string
	bad  distortions
	code oidc.ErrorCode // "": the sign-in works
	says string
}{
	{"Core §3.1.3.3 token_type is present", distortions{token: without("token_type")}, oidc.ServerError, "token_type ''"},
	{"RFC 6749 §5.1 token_type is case-insensitive", distortions{token: with("token_type", "bEARER")}, "", ""},
	{"RFC 6749 §5.1 expires_in is a number", distortions{token: with("expires_in", "soon")}, oidc.ServerError,
		"cannot be used"},
	{"RFC 6749 §5.1 a lifetime of centuries is a long one", distortions{token: with("expires_in", int64(1)<<62)}, "", ""},
	{"RFC 6749 §5.1 access_token is a string", distortions{token: with("access_token", 7)}, oidc.ServerError,
		"cannot be used"},
	{"Core §3.1.3.3 id_token is a string", distortions{token: with("id_token", object{})}, InvalidIDToken, "no id_token"},
	{"RFC 6749 §5.2 an error in an answer of status 200", distortions{fail: answerWith(200, `{"error":"invalid_grant"}`)},
		oidc.InvalidGrant, "start again"},
	{"RFC 6749 §5.2 an error that holds no code", distortions{fail: answerWith(400, `{"error":"\"<b>"}`)},
		oidc.ServerError, "not valid"},
	{"RFC 6749 §5.2 use_dpop_nonce without a nonce is not tried again",
		distortions{fail: answerWith(400, `{"error":"use_dpop_nonce"}`)}, oidc.UseDPoPNonce, "keeps asking"},
	{"RFC 6749 §5.1 an answer of nothing", distortions{fail: answerWith(200, "")}, oidc.ServerError, "cannot be used"},
}

func TestEndlessAnswersTimeOut(t *testing.T) {
	a := newApp(t, pushes)
	a.RP.provider.client.Timeout = 500 * time.Millisecond // exchangeTimeout is too long to wait for
	answer := a.provider.answer(a.begin("/web/login"))
	a.provider.misbehave(distortions{fail: slowly, metadata: pushedTo("/token")})
	a.refused(a.failure(a.callback(answer)), oidc.ServerError, "cannot be used")
	a.restart()
	a.RP.provider.client.Timeout = 500 * time.Millisecond
	a.refused(a.failure(a.begin("/web/login")), ProviderDown, "unreachable")
}

// slowly sends the beginning of an answer and then waits.
func slowly(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"access_token":"`))
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func TestOddTokenAnswers(t *testing.T) {
	for _, row := range oddTokenAnswers {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			answer := a.provider.answer(a.begin("/web/login"))
			a.provider.misbehave(row.bad)
			to := a.callback(answer)
			if row.code != "" {
				a.refused(a.failure(to), row.code, row.says)
				return
			}
			if s := a.session(); to != "/web/" || !s.Expiry.After(a.clock.Now()) {
				t.Errorf("ended at %q with a token until %v", to, s.Expiry)
			}
		})
	}
}

func TestTheGrantedScopeIsStored(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{token: with("scope", "openid")})
	if s := a.signIn(); s.Scope != "openid" {
		t.Errorf("RFC 6749 §5.1: the scope is %q, expected what was granted", s.Scope)
	}
}

func TestRedirectsOfDocumentsAreNotFollowed(t *testing.T) {
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks"} {
		t.Run("Discovery §4.2 no redirect is followed from "+path, func(t *testing.T) {
			a := newApp(t)
			next := a.provider.Config.Handler
			a.provider.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == path && !r.URL.Query().Has("again") {
					http.Redirect(w, r, path+"?again", http.StatusFound)
					return
				}
				next.ServeHTTP(w, r)
			})
			e := a.failure(a.callbackOr(a.begin("/web/login")))
			a.refused(e, ProviderDown, "302")
		})
	}
}

// callbackOr delivers the provider's answer, unless location is already that of a failure.
func (a *testApp) callbackOr(location string) string {
	a.t.Helper()
	if strings.HasPrefix(location, "/") {
		return location
	}
	return a.callback(a.provider.answer(location))
}

func TestIssuersWithPaths(t *testing.T) {
	for _, path := range []string{"/tenant", "/tenant/", "/", "/a/b"} {
		t.Run("Discovery §4.1 the issuer ends in "+path, func(t *testing.T) {
			asked := ""
			p := newProviderForTest(t, storagetest.NewClock())
			next := p.Config.Handler
			p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Path
				r.URL.Path = "/.well-known/openid-configuration"
				next.ServeHTTP(w, r)
			})
			p.misbehave(distortions{metadata: with("issuer", p.URL+path)})
			if _, err := newProvider(p.URL+path, "").discover(t.Context()); err != nil {
				t.Error(err)
			}
			if want := strings.TrimSuffix(path, "/") + "/.well-known/openid-configuration"; asked != want {
				t.Errorf("asked %q, expected %q", asked, want)
			}
		})
	}
}

func TestAKeyThatChangesUnderItsKid(t *testing.T) {
	a := newApp(t)
	a.signIn()
	a.provider.withdrawAllFor(signingKey{"ec-1", jose.ES256, foreignKey})
	if s := a.signIn(); s.Sub != "alice" {
		t.Error("Core §10.1.1: a key that verifies nothing any more is fetched again")
	}
}

func TestAKeyForEncryptionVerifiesNothing(t *testing.T) {
	a := newApp(t)
	next := a.provider.Config.Handler
	a.provider.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/jwks" {
			next.ServeHTTP(w, r)
			return
		}
		writeJSON(w, http.StatusOK, object{"keys": []any{jose.JSONWebKey{Key: testECKey.Public(), KeyID: "ec-1",
			Use: "enc"}}})
	})
	a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), InvalidIDToken,
		"no key of the provider verifies")
}

func TestInvalidKeySets(t *testing.T) {
	for _, row := range []struct{ name, body, says string }{
		{"RFC 7517 §5 a set without keys", `{}`, "no key of the provider verifies"},
		{"RFC 7517 §5 keys is an array", `{"keys":7}`, "gives no keys"},
		{"RFC 7517 §5 the document is JSON", `<h1>keys</h1>`, "gives no keys"},
		{"a document of more than 1 MB", `{"pad":"` + strings.Repeat("x", maxResponse) + `"}`, "too large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			next := a.provider.Config.Handler
			a.provider.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/jwks" {
					answerWith(http.StatusOK, row.body)(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
			e := a.failure(a.callback(a.provider.answer(a.begin("/web/login"))))
			if !a.isSignedOut() || !strings.Contains(e.Description, row.says) {
				t.Errorf("%v, expected …%s…", e, row.says)
			}
		})
	}
}

func TestTwoTabsSignIn(t *testing.T) {
	a := newApp(t)
	first, second := a.begin("/web/login?return_to=/web/1"), a.begin("/web/login?return_to=/web/2")
	if to := a.callback(a.provider.answer(second)); to != "/web/2" {
		t.Errorf("the second tab ended at %q", to)
	}
	if to := a.callback(a.provider.answer(first)); to != "/web/1" || a.session().Sub != "alice" {
		t.Errorf("the first tab ended at %q", to)
	}
}

func TestAnAnswerOfAnotherBrowser(t *testing.T) {
	a := newApp(t)
	mallory := a.provider.answer(a.begin("/web/login"))
	a.browser = newBrowser(t)
	a.begin("/web/login")
	a.refused(a.failure(a.callback(mallory)), InvalidState, "begun in another browser") // RFC 6749 §10.12: login CSRF
	if a.provider.requestsTo("/token") > 0 {
		t.Error("RFC 9700 §4.7: another browser's code was redeemed")
	}
}

func TestAnErrorByFormPost(t *testing.T) {
	a := newApp(t, usesFormPost)
	answer := a.provider.answer(a.begin("/web/login"))
	answer.Del("code")
	answer.Set("error", "access_denied")
	e := a.failure(a.callback(url.Values{"posted": {a.post(answer)}}))
	a.refused(e, oidc.AccessDenied, "said no") // Form Post Response Mode §2
}

func TestInvalidSessionCookies(t *testing.T) {
	a := newApp(t)
	flow := a.begin("/web/login")
	good := a.signInAt(flow).sessionCookie()
	for name, value := range map[string]string{
		"one character is another":         strings.ToUpper(good[:1]) + strings.ToLower(good[1:]),
		"it is cut":                        good[:len(good)-2],
		"it is empty":                      "",
		"it is long":                       strings.Repeat("A", 100_000),
		"it is a session's id in clear":    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		"it is another cookie of ours":     sealedFlow(t, a),
		"it has characters of no base64":   "%%%%",
		"it is twice what it should be":    good + good,
		"it ends in what does not belong ": good + "AAAA",
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", a.server.URL+"/web/", nil)
			r.AddCookie(&http.Cookie{Name: a.cookies.session, Value: value})
			if _, err := a.Session(r); err != ErrNoSession {
				t.Errorf("RFC 6265 §8.3: %v", err)
			}
		})
	}
}

func (a *testApp) signInAt(location string) *testApp {
	a.t.Helper()
	a.callback(a.provider.answer(location))
	return a
}

func sealedFlow(t *testing.T, a *testApp) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := a.cookies.set(w, a.cookies.flow+"x", "id", 0); err != nil {
		t.Fatal(err)
	}
	return w.Result().Cookies()[0].Value
}

func TestTheSessionsCookie(t *testing.T) {
	a := newApp(t)
	response := a.do("GET", "/web/callback?"+a.provider.answer(a.begin("/web/login")).Encode(), "")
	for _, c := range response.Cookies() {
		if c.Name == a.cookies.session && (!c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Domain != "" ||
			c.Path != "/" || c.MaxAge != 0) {
			t.Errorf("RFC 6265 §8.2: %s", c.Raw)
		}
	}
	if strings.Contains(response.Header.Get("Set-Cookie"), a.session().AccessToken) {
		t.Error("a token is in a cookie")
	}
}

func TestRefreshAndClientShareOneRequest(t *testing.T) {
	a := newApp(t, asksForOffline)
	a.signIn()
	a.clock.Pass(2 * time.Minute)
	asked, request := a.provider.requestsTo("/token"), a.request()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if status, _, e := a.refreshes(); status != http.StatusOK {
				t.Errorf("Refresh: %d %v", status, e)
			}
		})
		group.Go(func() {
			if _, err := a.UserInfo(request); err != nil {
				t.Errorf("UserInfo: %v", err)
			}
		})
	}
	group.Wait()
	if n := a.provider.requestsTo("/token") - asked; n > 4 {
		t.Errorf("RFC 9700 §4.14.2: %d requests to the token endpoint", n)
	}
	if a.session().RefreshToken == "" {
		t.Error("the refresh token was lost in the race")
	}
}

func TestASignOutWhileARefreshIsUnderWay(t *testing.T) {
	a := newApp(t, asksForOffline)
	a.signIn()
	a.clock.Pass(2 * time.Minute)
	a.provider.misbehave(distortions{token: func(object) {
		a.backChannel(a.logoutToken(without("sid")))
		a.clock.Pass(time.Millisecond)
	}})
	a.refreshes()
	a.provider.misbehave(distortions{})
	if !a.isSignedOut() {
		t.Error("Back-Channel Logout §2.7: the session survived, because its refresh ended after the sign-out")
	}
}

func TestALogoutTokenThatFailedMayComeAgain(t *testing.T) {
	a := newApp(t)
	a.signInAs("s1")
	token, marks := a.logoutToken(nil), a.signedOut
	a.signedOut = storage.NewBucket[signOut]("rp-signed-out", brokenStore{})
	if response, e := a.backChannel(token); response.StatusCode != http.StatusBadRequest || e.Code != oidc.ServerError {
		t.Fatalf("Back-Channel Logout §2.8: %s %v", response.Status, e)
	}
	a.signedOut = marks
	if response, e := a.backChannel(token); response.StatusCode != http.StatusOK || !a.isSignedOut() {
		t.Errorf("Back-Channel Logout §2.8: a sign-out that failed is tried again: %s %v", response.Status, e)
	}
}

// TestProvidersThatShareAStore: a logout token of one provider ends no session of another.
func TestProvidersThatShareAStore(t *testing.T) {
	clock := storagetest.NewClock()
	shared := storage.NewMemory(clock.Now)
	first, second := newApp(t, func(c *Config) { c.Store = shared }), newApp(t, func(c *Config) { c.Store = shared })
	first.signInAs("s1")
	for _, change := range []func(object){nil, without("sid")} {
		if response, e := second.backChannel(second.logoutToken(change)); response.StatusCode != http.StatusOK {
			t.Fatalf("%s %v", response.Status, e)
		}
	}
	second.frontChannel("sid=s1&iss=" + url.QueryEscape(second.provider.URL))
	if first.isSignedOut() {
		t.Error("Back-Channel Logout §2.4: sub and sid are unique within an issuer only: another issuer ended the session")
	}
}

func TestLogoutWithTokensThatAreRevoked(t *testing.T) {
	a := newApp(t, asksForOffline)
	a.signIn()
	a.provider.misbehave(distortions{fail: answerWith(400, `{"error":"invalid_grant"}`)})
	a.refreshes()
	if to := a.location(a.do("POST", "/web/logout", "")); !strings.Contains(to, "/logout?") || !a.isSignedOut() {
		t.Errorf("RP-Initiated Logout §2: the hint does not depend on the tokens' life: %q", to)
	}
}

func TestAFrontChannelLogoutDoesNotUndoABackChannelLogout(t *testing.T) {
	a := newApp(t)
	answer := a.provider.answer(a.begin("/web/login"))
	a.backChannel(a.logoutToken(nil))
	a.frontChannel("sid=s1&iss=" + url.QueryEscape(a.provider.URL))
	a.clock.Pass(time.Millisecond)
	a.provider.misbehave(distortions{idToken: func(o object) { o["iat"], o["sid"] = now-1, "s1" }})
	a.callback(answer)
	if !a.isSignedOut() {
		t.Error("Back-Channel Logout §2.7: an ID Token from before the sign-out began a session after it")
	}
}

func TestAggregatedClaimsArePassedOn(t *testing.T) {
	a := newApp(t)
	a.signIn()
	a.provider.misbehave(distortions{userinfo: func(o object) {
		o["_claim_names"], o["_claim_sources"] = object{"score": "s"},
			object{"s": object{"endpoint": "https://evil.test/", "access_token": "x"}}
	}})
	claims, err := a.UserInfo(a.request())
	if err != nil || !strings.Contains(string(claims), "_claim_sources") {
		t.Errorf("Core §5.6.2: aggregated and distributed claims are the application's to judge: %s %v", claims, err)
	}
}

func TestATooLongIDTokenIsNoHint(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{idToken: with("groups", strings.Repeat("g", 50_000))})
	a.signIn()
	if q := authorizationRequest(t, a.begin("/web/silent")); q.Has("id_token_hint") {
		t.Error("Core §3.1.2.1: the hint makes an address that no server takes")
	}
	if to := a.location(a.do("POST", "/web/logout", "")); len(to) > 8<<10 || !a.isSignedOut() {
		t.Errorf("RP-Initiated Logout §2: the address has %d bytes", len(to))
	}
}
