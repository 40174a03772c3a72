package rp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestSilentRenewal(t *testing.T) {
	a := newApp(t)
	before := a.signIn()
	id := a.sessionCookie()
	for renewals := 1; renewals <= 3; renewals++ {
		a.clock.Pass(time.Minute)
		status, view, e := a.finishSilent(a.provider.answer(a.begin("/web/silent")))
		if status != http.StatusOK || view.Sub != "alice" || view.Renewals != renewals ||
			view.ExpiresAt != a.clock.Now().Unix()+90 {
			t.Fatalf("%d %+v %v", status, view, e)
		}
		after := a.session()
		if after.AccessToken == before.AccessToken || after.IDToken == before.IDToken || !after.EndsAt.Equal(before.EndsAt) {
			t.Errorf("expected new tokens in a session that ends when it would have: %+v", after)
		}
		if a.sessionCookie() != id {
			t.Error("a renewal must not change the session's id")
		}
		before = after
	}
	a.hasNoSecrets(before.AccessToken, before.IDToken)
}

func (a *testApp) sessionCookie() string {
	a.t.Helper()
	cookie, err := a.request().Cookie(a.cookies.session)
	if err != nil {
		a.t.Fatal(err)
	}
	return cookie.Value
}

func TestSilentSignInWithoutSession(t *testing.T) {
	a := newApp(t)
	status, view, e := a.finishSilent(a.provider.answer(a.begin("/web/silent")))
	if status != http.StatusOK || view.Sub != "alice" || a.session().Sub != "alice" {
		t.Errorf("Core §3.1.2.3: a user known to the provider is signed in: %d %v", status, e)
	}
}

// Refusals of a silent renewal, and whether the session ends.
var badRenewals = []struct {
	name   string
	change func(a *testApp, answer url.Values)
	header []string
	status int
	code   oidc.ErrorCode
	ends   bool
}{
	{name: "Core §12.2 sub is that of the original sign-in",
		change: func(a *testApp, v url.Values) { a.provider.sub = "bob" },
		status: 403, code: SubMismatch, ends: true},
	{name: "Core §3.1.2.6 login_required leaves the session alone", change: refusedWith("login_required"), status: 403,
		code: oidc.LoginRequired},
	{name: "Core §3.1.2.6 consent_required", change: refusedWith("consent_required"), status: 403,
		code: oidc.ConsentRequired},
	{name: "Core §3.1.2.6 interaction_required", change: refusedWith("interaction_required"), status: 403,
		code: oidc.InteractionRequired},
	{name: "Core §3.1.2.6 account_selection_required", change: refusedWith("account_selection_required"), status: 403,
		code: oidc.AccountSelectionRequired},
	{name: "RFC 6749 §4.1.2.1 temporarily_unavailable", change: refusedWith("temporarily_unavailable"), status: 503,
		code: oidc.TemporarilyUnavailable},
	{name: "RFC 6749 §5.2 invalid_client is no fault of the user", change: func(a *testApp, v url.Values) {
		a.provider.misbehave(distortions{fail: answerWith(401, `{"error":"invalid_client"}`)})
	}, status: 500, code: oidc.InvalidClient},
	{name: "RFC 9207 §2.4 iss", change: func(a *testApp, v url.Values) { v.Set("iss", "https://evil.test") }, status: 502,
		code: IssuerMismatch},
	{name: "Core §3.1.3.7 a bad ID Token", change: func(a *testApp, v url.Values) {
		a.provider.misbehave(distortions{idToken: with("nonce", "another")})
	}, status: 502, code: InvalidIDToken},
	{name: "RFC 6749 §10.12 state", change: func(a *testApp, v url.Values) { v.Del("state") }, status: 400,
		code: InvalidState},
	{name: "a sign-out meanwhile is not undone",
		change: func(a *testApp, v url.Values) { a.do("POST", "/web/logout", "") },
		status: 409, code: SessionChanged, ends: true},
	{name: "a sign-in meanwhile is not overwritten", change: func(a *testApp, v url.Values) { a.signIn() }, status: 409,
		code: SessionChanged},
	{name: "a session that ended meanwhile is not revived", change: func(a *testApp, v url.Values) {
		u := a.begin("/web/silent")
		for name, values := range a.provider.answer(u) {
			v[name] = values
		}
		a.clock.Pass(5 * time.Minute)
	}, status: 409, code: SessionChanged, ends: true},
	{name: "a page of another origin", header: []string{"Sec-Fetch-Site", "cross-site"}, status: 403,
		code: oidc.AccessDenied},
	{name: "a page of another origin, in an old browser", header: []string{"Origin", "https://evil.test"}, status: 403,
		code: oidc.AccessDenied},
	{name: "a sibling's page on another port", header: []string{"Sec-Fetch-Site", "same-site"}, status: 403,
		code: oidc.AccessDenied},
	{name: "a body that is no form", header: []string{"Content-Type", "text/plain"}, status: 400,
		code: oidc.InvalidRequest},
	{name: "a body too large", change: func(a *testApp, v url.Values) { v.Set("pad", strings.Repeat("x", maxForm)) },
		status: 400, code: oidc.InvalidRequest},
}

func refusedWith(code string) func(*testApp, url.Values) {
	return func(a *testApp, v url.Values) {
		v.Del("code")
		v.Set("error", code)
	}
}

func TestBadRenewals(t *testing.T) {
	for _, row := range badRenewals {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			a.signIn()
			a.clock.Pass(sessionLifetime - 3*time.Minute)
			before := a.session()
			answer := a.provider.answer(a.begin("/web/silent"))
			if row.change != nil {
				row.change(a, answer)
			}
			status, _, e := a.finishSilent(answer, row.header...)
			if status != row.status || e.Code != row.code || e.Description == "" {
				t.Errorf("%d %s, expected %d %s", status, e.Error(), row.status, row.code)
			}
			if a.isSignedOut() != row.ends {
				t.Errorf("the session ended: %v, expected %v", !row.ends, row.ends)
			}
			if _, err := a.request().Cookie(a.cookies.session); row.code == SubMismatch && err == nil {
				t.Error("the cookie outlived the session")
			}
			if !row.ends && row.code != SessionChanged && a.session().AccessToken != before.AccessToken {
				t.Error("the session changed")
			}
		})
	}
}

// lostUpdate is a store in which a sign-out happens between the read and the write of a renewal.
type lostUpdate struct{ storage.Store }

func (s lostUpdate) Update(ctx context.Context, key string, ttl time.Duration,
	change func([]byte) ([]byte, error)) error {
	if strings.HasPrefix(key, "rp-session") {
		_, err := change(nil)
		return err
	}
	return s.Store.Update(ctx, key, ttl, change)
}

func TestASignOutDuringARenewalIsNotUndone(t *testing.T) {
	clock := storagetest.NewClock()
	a := newApp(t, func(c *Config) { c.Store = lostUpdate{storage.NewMemory(clock.Now)} })
	a.provider.answer(a.begin("/web/login"))
	a.signIn()
	if _, _, e := a.finishSilent(a.provider.answer(a.begin("/web/silent"))); e.Code != SessionChanged {
		t.Errorf("%v", e)
	}
}

func TestSignInGivesANewSession(t *testing.T) {
	a := newApp(t)
	a.signIn()
	old, request := a.sessionCookie(), a.request()
	a.provider.sub = "bob"
	if s := a.signIn(); s.Sub != "bob" || a.sessionCookie() == old {
		t.Error("RFC 6265 §8.4: a sign-in gives a new session id")
	}
	if _, err := a.Session(request); err != ErrNoSession {
		t.Errorf("the session before is still alive: %v", err)
	}
}

func TestSessionEnds(t *testing.T) {
	a := newApp(t)
	a.signIn()
	a.clock.Pass(sessionLifetime - time.Second)
	a.session()
	a.clock.Pass(time.Second)
	if !a.isSignedOut() {
		t.Errorf("the session outlived its %v", sessionLifetime)
	}
}

func TestExpiryIsJudgedByTheRecord(t *testing.T) {
	// the clock of this store does not move
	a := newApp(t, func(c *Config) { c.Store = storage.NewMemory(storagetest.NewClock().Now) })
	a.signIn()
	a.clock.Pass(sessionLifetime)
	if !a.isSignedOut() {
		t.Error("a store's ttl collects garbage; the record's own time decides")
	}
}

func TestTokenSource(t *testing.T) {
	a := newApp(t)
	if _, err := a.TokenSource(a.request()).Token(); err != ErrNoSession {
		t.Errorf("nobody signed in: %v", err)
	}
	s := a.signIn()
	token, err := a.TokenSource(a.request()).Token()
	if err != nil || token.AccessToken != s.AccessToken || token.TokenType != "Bearer" {
		t.Errorf("%v %v", token, err)
	}
	a.clock.Pass(90 * time.Second)
	if _, err := a.TokenSource(a.request()).Token(); err != ErrTokenExpired {
		t.Errorf("expired: %v", err)
	}
	if _, err := a.UserInfo(a.request()); err != ErrTokenExpired {
		t.Errorf("userinfo with an expired token: %v", err)
	}
}

func TestUserInfo(t *testing.T) {
	a := newApp(t)
	if _, err := a.UserInfo(a.request()); err != ErrNoSession {
		t.Errorf("nobody signed in: %v", err)
	}
	a.signIn()
	claims, err := a.UserInfo(a.request())
	if err != nil || !strings.Contains(string(claims), "Alice Adams") {
		t.Errorf("%s %v", claims, err)
	}
	a.provider.misbehave(distortions{userinfo: with("sub", "bob")})
	if _, err := a.UserInfo(a.request()); asError(err).Code != SubMismatch {
		t.Errorf("Core §5.3.2 sub must be the ID Token's: %v", err)
	}
	a.provider.misbehave(distortions{userinfo: with("sub", 7)})
	if _, err := a.UserInfo(a.request()); asError(err).Code != oidc.ServerError {
		t.Errorf("Core §5.3.2 sub is a string: %v", err)
	}
	a.provider.Close()
	if _, err := a.UserInfo(a.request()); asError(err).Code != ProviderDown {
		t.Errorf("provider down: %v", err)
	}
}

func TestLogout(t *testing.T) {
	a := newApp(t)
	s, request := a.signIn(), a.request()
	u, err := url.Parse(a.location(a.do("POST", "/web/logout", "state=signed-out", "Sec-Fetch-Site", "same-origin")))
	if err != nil || u.Path != "/logout" {
		t.Fatalf("sent to %v", u)
	}
	for name, want := range map[string]string{ // RP-Initiated Logout §2
		"id_token_hint": s.IDToken, "client_id": "web", "post_logout_redirect_uri": a.server.URL + "/web/",
		"state": "signed-out",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, expected %q", name, got, want)
		}
	}
	if _, err := a.Session(request); err != ErrNoSession || !a.isSignedOut() {
		t.Errorf("the session is still there: %v", err)
	}
	if _, err := a.request().Cookie(a.cookies.session); err == nil {
		t.Error("the cookie is still there")
	}
	u, _ = url.Parse(a.location(a.do("POST", "/web/logout", "")))
	if u.Path != "/logout" || u.Query().Has("id_token_hint") || u.Query().Has("state") {
		t.Errorf("without a session: %v", u)
	}
}

func TestLogoutWithoutState(t *testing.T) {
	a := newApp(t)
	s := a.signIn()
	u, err := url.Parse(a.location(a.do("POST", "/web/logout", "")))
	if err != nil {
		t.Fatal(err)
	}
	if q := u.Query(); q.Has("state") || q.Get("id_token_hint") != s.IDToken || !a.isSignedOut() {
		t.Errorf("RP-Initiated Logout §2: state is optional, the hint stays: %v", u)
	}
}

func TestLogoutOfAnotherOriginIsRefused(t *testing.T) {
	a := newApp(t)
	a.signIn()
	response := a.do("POST", "/web/logout", "", "Sec-Fetch-Site", "cross-site")
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusForbidden || a.isSignedOut() {
		t.Errorf("%s: %s", response.Status, body)
	}
}

func TestBehindAProxyThatChangesTheHost(t *testing.T) {
	a := newApp(t)
	r := httptest.NewRequest("POST", "http://internal:8000/web/logout", nil)
	r.Header.Set("Origin", a.server.URL)
	w := httptest.NewRecorder()
	if a.Logout(w, r); w.Code != http.StatusSeeOther {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestLogoutWithoutProvider(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{metadata: without("end_session_endpoint")})
	a.signIn()
	if to := a.location(a.do("POST", "/web/logout", "")); to != "/web/" || !a.isSignedOut() {
		t.Errorf("a provider without end_session_endpoint: sent to %q", to)
	}

	a = newApp(t)
	a.provider.Close()
	if e := a.failure(a.location(a.do("POST", "/web/logout", ""))); e.Code != ProviderDown {
		t.Errorf("a provider that is down: %v", e)
	}
}

// brokenStore fails every call.
type brokenStore struct{}

var errBroken = errors.New("the disk is full")

func (brokenStore) Get(context.Context, string) ([]byte, error) { return nil, errBroken }
func (brokenStore) Put(context.Context, string, []byte, time.Duration) error {
	return errBroken
}
func (brokenStore) Update(context.Context, string, time.Duration, func([]byte) ([]byte, error)) error {
	return errBroken
}

func TestBrokenStore(t *testing.T) {
	a := newApp(t)
	a.signIn()
	a.sessions = storage.NewBucket[Session]("rp-session", brokenStore{})
	if _, err := a.Session(a.request()); !errors.Is(err, errBroken) {
		t.Errorf("Session: %v", err)
	}
	if e := a.failure(a.callback(a.provider.answer(a.begin("/web/login")))); e.Code != oidc.ServerError ||
		strings.Contains(e.Description, "disk") {
		t.Errorf("Callback: %v", e)
	}
	u, _ := url.Parse(a.begin("/web/silent"))
	if status, _, e := a.finishSilent(u.Query()); status != http.StatusInternalServerError || e.Code != oidc.ServerError {
		t.Errorf("FinishSilent: %d %v", status, e)
	}
	if e := a.failure(a.location(a.do("POST", "/web/logout", ""))); e.Code != oidc.ServerError {
		t.Errorf("Logout: %v", e)
	}
	if !strings.Contains(a.log.String(), errBroken.Error()) {
		t.Errorf("the log does not say why:\n%s", a.log)
	}
}
