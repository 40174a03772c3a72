package rp

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// refreshes calls Refresh as a page does.
func (a *testApp) refreshes() (int, SessionView, oidc.Error) {
	a.t.Helper()
	response := a.do("POST", "/web/refresh", "", "Sec-Fetch-Site", "same-origin")
	body, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	var view SessionView
	var failure oidc.Error
	if json.Unmarshal(body, &view) != nil || json.Unmarshal(body, &failure) != nil {
		a.t.Fatalf("%s, and no JSON: %s", response.Status, body)
	}
	return response.StatusCode, view, failure
}

func TestRefresh(t *testing.T) {
	a := newApp(t, asksForOffline)
	before := a.signIn()
	if before.RefreshToken == "" || !before.View().Refreshable {
		t.Fatal("RFC 6749 §6: no refresh token was stored")
	}
	a.clock.Pass(2 * time.Minute)
	status, view, e := a.refreshes()
	after := a.session()
	if status != http.StatusOK || view.Renewals != 1 || view.ExpiresAt != a.clock.Now().Unix()+90 {
		t.Fatalf("%d %+v %v", status, view, e)
	}
	if after.AccessToken == before.AccessToken || after.RefreshToken == before.RefreshToken ||
		!after.EndsAt.Equal(before.EndsAt) {
		t.Errorf("RFC 9700 §4.14.2: the rotated token is not stored: %+v", after)
	}
	a.hasNoSecrets(before.RefreshToken, after.RefreshToken, after.AccessToken)
}

func TestAnExpiredTokenIsRefreshedWhenItIsNeeded(t *testing.T) {
	a := newApp(t, asksForOffline)
	before := a.signIn()
	a.clock.Pass(2 * time.Minute)
	token, err := a.TokenSource(a.request()).Token()
	if err != nil || token.AccessToken == before.AccessToken {
		t.Fatalf("%v %v", token, err)
	}
	if a.session().AccessToken != token.AccessToken {
		t.Error("the session does not hold what the source gave out")
	}
}

func TestRequestsAtTheSameTimeRefreshOnce(t *testing.T) {
	a := newApp(t, asksForOffline)
	a.signIn()
	a.clock.Pass(2 * time.Minute)
	asked, request := a.provider.requestsTo("/token"), a.request()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := a.TokenSource(request).Token(); err != nil {
				t.Errorf("RFC 9700 §4.14.2: a second use of the token is taken for theft: %v", err)
			}
		})
	}
	group.Wait()
	if n := a.provider.requestsTo("/token") - asked; n != 1 {
		t.Errorf("%d requests to the token endpoint, expected one", n)
	}
}

// badRefreshes are faults of the provider at a refresh, and whether the session ends.
var badRefreshes = []struct {
	name string
	bad  distortions
	code oidc.ErrorCode
	says string
	ends bool
}{
	{"Core §12.2 sub is that of the original sign-in", distortions{idToken: with("sub", "bob")}, SubMismatch,
		"another user", true},
	{"Core §12.2 iss is the provider's", distortions{idToken: with("iss", "https://evil.test")}, InvalidIDToken,
		"different provider", false},
	{"Core §12.2 aud contains the client_id", distortions{idToken: with("aud", "spa")}, InvalidIDToken,
		"expected audience", false},
	{"Core §12.2 aud is that of the original sign-in",
		distortions{idToken: func(o object) { o["aud"], o["azp"] = []string{"web", "spa"}, "web" }}, InvalidIDToken,
		"it was ['web']", false},
	{"Core §12.2 auth_time is that of the original sign-in", distortions{idToken: with("auth_time", now-77)},
		InvalidIDToken, "auth_time, when present, is that", false},
	{"Core §12.2 nonce, when present, is that of the original sign-in", distortions{idToken: with("nonce", "another")},
		InvalidIDToken, "nonce, when present, is that", false},
	{"Core §12.2 azp is that of the original ID Token", distortions{idToken: with("azp", "web")}, InvalidIDToken,
		"it was ''", false},
	{"Core §12.2 iat is not before that of the original", distortions{idToken: with("iat", now-120)}, InvalidIDToken,
		"got 2m0s before", false},
	{"Core §3.1.3.7 (9) now is before exp", distortions{idToken: with("exp", now-60)}, InvalidIDToken, "expired", false},
	{"Core §3.1.3.8 at_hash is the access token's", distortions{idToken: with("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		InvalidIDToken, "at_hash", false},
	{"RFC 6749 §5.1 token_type is Bearer", distortions{token: with("token_type", "mac")}, oidc.ServerError, "token_type",
		false},
	{"RFC 6749 §5.2 invalid_grant: the page falls back to a silent login",
		distortions{fail: answerWith(400, `{"error":"invalid_grant"}`)}, NotRefreshable, "silent login", false},
	{"RFC 6749 §5.2 an answer without an error code", distortions{fail: answerWith(502, `<h1>oh no</h1>`)}, ProviderDown,
		"502", false},
}

func TestBadRefreshes(t *testing.T) {
	var said strings.Builder
	for _, row := range badRefreshes {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, asksForOffline, func(c *Config) { c.TrustedAudiences = []string{"spa"} })
			before := a.signIn()
			a.provider.misbehave(row.bad)
			_, _, e := a.refreshes()
			said.WriteString(e.Description)
			if e.Code != row.code || !strings.Contains(e.Description, row.says) {
				t.Errorf("%v, expected %s …%s…", e, row.code, row.says)
			}
			if a.isSignedOut() != row.ends {
				t.Fatalf("the session ended: %v, expected %v", !row.ends, row.ends)
			}
			if !row.ends && (a.session().AccessToken != before.AccessToken || a.session().Renewals != 0) {
				t.Error("the session changed")
			}
			if row.code == NotRefreshable && a.session().RefreshToken != "" {
				t.Error("a refused refresh token is still stored")
			}
		})
	}
	requireEachRuleBroken(t, refreshRules, said.String())
}

func TestGoodRefreshes(t *testing.T) {
	for _, row := range []struct {
		name string
		bad  distortions
	}{
		{"Core §12.2 the answer need not have an ID Token", distortions{noIDToken: true}},
		{"Core §12.2 the ID Token should have no nonce", distortions{idToken: without("nonce")}},
		{"Core §12.2 iat by the clock of another replica, a second behind", distortions{idToken: with("iat", now-1)}},
		{"Core §12.2 aud may be an array of one", distortions{idToken: with("aud", []string{"web"})}},
		{"Core §12.2 the ID Token need not have auth_time", distortions{idToken: without("auth_time")}},
		{"RFC 6749 §6 the refresh token need not be replaced", distortions{token: without("refresh_token")}},
		{"RFC 6749 §5.1 scope may be left out", distortions{token: without("scope")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, asksForOffline)
			before := a.signIn()
			a.provider.misbehave(row.bad)
			status, _, e := a.refreshes()
			after := a.session()
			if status != http.StatusOK || after.Sub != before.Sub || after.RefreshToken == "" ||
				after.AccessToken == before.AccessToken {
				t.Fatalf("%d %v", status, e)
			}
			if after.Scope != before.Scope || !after.AuthTime.Equal(before.AuthTime) || after.IDToken == "" {
				t.Errorf("from %+v to %+v", before, after)
			}
		})
	}
}

func TestNothingToRefresh(t *testing.T) {
	a := newApp(t)
	if status, _, e := a.refreshes(); status != http.StatusForbidden || e.Code != oidc.LoginRequired {
		t.Errorf("nobody signed in: %d %v", status, e)
	}
	a.signIn()
	if status, _, e := a.refreshes(); status != http.StatusConflict || e.Code != NotRefreshable {
		t.Errorf("without offline_access: %d %v", status, e)
	}
	if response := a.do("POST", "/web/refresh", "", "Sec-Fetch-Site",
		"cross-site"); response.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another origin: %s", response.Status)
	}
}

func TestLogoutRevokesTheRefreshToken(t *testing.T) {
	a := newApp(t, asksForOffline)
	s := a.signIn()
	a.do("POST", "/web/logout", "")
	if len(a.provider.revoked) != 1 || a.provider.revoked[0] != s.RefreshToken {
		t.Errorf("RFC 7009 §2.1: revoked %d tokens", len(a.provider.revoked))
	}
	a = newApp(t, asksForOffline)
	a.provider.misbehave(distortions{metadata: with("revocation_endpoint", a.provider.URL+"/nowhere")})
	a.signIn()
	if to := a.location(a.do("POST", "/web/logout", "")); !strings.Contains(to, "/logout?") || !a.isSignedOut() {
		t.Errorf("a revocation that fails keeps nobody signed in: %q", to)
	}
	if !strings.Contains(a.log.String(), "could not be revoked") {
		t.Errorf("the log does not say so: %s", a.log)
	}
}
