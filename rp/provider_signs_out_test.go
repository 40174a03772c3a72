package rp

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// signInAs signs in with the given sid in the ID Token.
func (a *testApp) signInAs(sid string) {
	a.t.Helper()
	a.provider.misbehave(distortions{idToken: with("sid", sid)})
	a.signIn()
}

func (a *testApp) logoutClaims(change func(object)) object {
	now := a.clock.Now().Unix()
	return changed(object{
		"iss": a.provider.URL, "aud": "web", "sub": "alice", "sid": "s1", "jti": rand.Text(), "iat": now, "exp": now + 120,
		"events": object{logoutEvent: object{}},
	}, change)
}

func (a *testApp) logoutToken(change func(object)) string {
	return signJWT(a.t, jose.ES256, testECKey, object{"typ": "logout+jwt", "kid": "ec-1"},
		encoded(a.t, a.logoutClaims(change)))
}

// backChannel delivers a logout token as the provider does, without cookies.
func (a *testApp) backChannel(token string) (*http.Response, oidc.Error) {
	a.t.Helper()
	response, err := http.PostForm(a.server.URL+"/web/back-channel-logout", url.Values{"logout_token": {token}})
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	var e oidc.Error
	_ = json.Unmarshal(body, &e)
	return response, e
}

func TestBackChannelLogout(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(object)
		ends   bool
	}{
		{"Back-Channel Logout §2.4 sub and sid: the session of that sid ends", nil, true},
		{"Back-Channel Logout §2.4 sid alone is enough", without("sub"), true},
		{"Back-Channel Logout §2.4 sub alone ends all of the user's sessions", without("sid"), true},
		{"Back-Channel Logout §2.4 another sid of the same user is left alone", with("sid", "s2"), false},
		{"Back-Channel Logout §2.4 another sub is left alone", func(o object) { o["sub"] = "bob"; delete(o, "sid") }, false},
		{"Back-Channel Logout §2.4 aud may be an array", with("aud", []string{"spa", "web"}), true},
		{"Back-Channel Logout §2.6 claims that are not understood are ignored", with("trace_id", "7"), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			a.signInAs("s1")
			response, e := a.backChannel(a.logoutToken(row.change))
			if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Back-Channel Logout §2.8: %s %v", response.Status, e)
			}
			if a.isSignedOut() != row.ends {
				t.Errorf("the session ended: %v, expected %v", !row.ends, row.ends)
			}
			if status, _, e := a.refreshes(); row.ends && (status != http.StatusForbidden || e.Code != oidc.LoginRequired) {
				t.Errorf("Back-Channel Logout §2.7 the tokens go with the session: %d %v", status, e)
			}
		})
	}
}

func TestSignInAfterABackChannelLogout(t *testing.T) {
	a := newApp(t)
	a.signInAs("s1")
	a.backChannel(a.logoutToken(without("sid")))
	a.clock.Pass(time.Millisecond)
	a.signInAs("s1")
	if a.isSignedOut() {
		t.Error("a sign-out ends what was before it, not what comes after, be it in the same second")
	}
}

func TestACodeThatIsRedeemedAfterTheSignOut(t *testing.T) {
	a := newApp(t)
	answer := a.provider.answer(a.begin("/web/login"))
	a.backChannel(a.logoutToken(without("sid")))
	a.provider.misbehave(distortions{idToken: with("iat", now-1)}) // issued before
	a.clock.Pass(time.Millisecond)
	a.callback(answer)
	if !a.isSignedOut() {
		t.Error("Back-Channel Logout §2.7: an ID Token from before the sign-out begins no session after it")
	}
}

// badLogoutTokens are good logout tokens with one change.
var badLogoutTokens = []struct {
	name   string
	header object
	change func(object)
	sign   func(t *testing.T, payload []byte) string
	says   string
}{
	{name: "Back-Channel Logout §2.6 iss is the provider's", change: with("iss", "https://evil.test"),
		says: "different provider"},
	{name: "Back-Channel Logout §2.6 iss is present", change: without("iss"), says: "different provider"},
	{name: "Back-Channel Logout §2.6 aud contains the client_id", change: with("aud", "spa"), says: "audience"},
	{name: "Back-Channel Logout §2.6 aud is present", change: without("aud"), says: "audience"},
	{name: "Back-Channel Logout §2.6 iat is present", change: without("iat"), says: "has an iat"},
	{name: "Back-Channel Logout §2.6 iat is not long ago",
		change: func(o object) { o["iat"], o["exp"] = now-3600, now+3600 }, says: "got 1h0m0s ago"},
	{name: "Back-Channel Logout §2.6 iat is not in the future", change: with("iat", now+3600), says: "got 1h0m0s ahead"},
	{name: "Back-Channel Logout §2.6 now is before exp", change: with("exp", now-60), says: "expired"},
	{name: "Back-Channel Logout §2.4 exp is present", change: without("exp"), says: "'exp'"},
	{name: "Back-Channel Logout §2.4 jti is present", change: without("jti"), says: "'jti'"},
	{name: "Back-Channel Logout §2.6 there is a sub, a sid, or both",
		change: func(o object) { delete(o, "sub"); delete(o, "sid") }, says: "'sub' claim, a 'sid' claim, or both"},
	{name: "Back-Channel Logout §2.6 events is present", change: without("events"), says: "event"},
	{name: "Back-Channel Logout §2.6 events has the logout event", change: with("events", object{"urn:other": object{}}),
		says: "event"},
	{name: "Back-Channel Logout §2.4 the logout event is an object", change: with("events", object{logoutEvent: "yes"}),
		says: "is a JSON object"},
	{name: "Back-Channel Logout §2.4 events is an object", change: with("events", []string{logoutEvent}),
		says: "cannot unmarshal array"},
	{name: "Back-Channel Logout §2.6 there is no nonce: it would be an ID Token", change: with("nonce", "n"),
		says: "nonce"},
	{name: "Back-Channel Logout §2.4 typ is that of a logout token", header: object{"typ": "at+jwt"}, says: "got at+jwt"},
	{name: "Back-Channel Logout §2.6 the signature is the provider's", sign: func(t *testing.T, payload []byte) string {
		return signJWT(t, jose.ES256, foreignKey, object{"kid": "ec-1"}, payload)
	}, says: "no key of the provider verifies"},
	{name: "Back-Channel Logout §2.6 alg is not none", sign: func(t *testing.T, payload []byte) string {
		return unsigned(object{"kid": "ec-1", "typ": "logout+jwt"}, payload)
	}, says: "unexpected signature algorithm"},
	{name: "Back-Channel Logout §2.6 alg is that of ID Tokens, not any that the provider lists",
		sign: func(t *testing.T, payload []byte) string {
			return signJWT(t, jose.RS256, testRSAKey, object{"kid": "rsa-2"}, payload)
		}, says: "unexpected signature algorithm"},
	{name: "RFC 7515 §4.1.11 crit that is empty", sign: func(t *testing.T, payload []byte) string {
		return signJWT(t, jose.ES256, testECKey, object{"kid": "ec-1", "crit": []string{}}, payload)
	}, says: "its header has crit"},
	{name: "Back-Channel Logout §2.6 alg is not HMAC", sign: func(t *testing.T, payload []byte) string {
		return signJWT(t, jose.HS256, []byte(testSecret), object{"kid": "ec-1"}, payload)
	}, says: "unexpected signature algorithm"},
	{name: "Back-Channel Logout §2.6 a nonce is one whatever its value", change: with("nonce", nil), says: "nonce"},
	{name: "Back-Channel Logout §2.4 sid is a string", change: with("sid", 7), says: "unmarshal"},
	{name: "Back-Channel Logout §2.2 an encrypted token that nobody asked for",
		sign: func(t *testing.T, payload []byte) string {
			return encrypted(t, testDecryptionKeys[0], string(payload))
		}, says: "cannot be decrypted"},
	{name: "Back-Channel Logout §2.5 logout_token is present", sign: func(*testing.T, []byte) string { return "" },
		says: "no logout_token"},
	{name: "Back-Channel Logout §2.5 logout_token is a JWT", sign: func(*testing.T, []byte) string { return "garbage" },
		says: "not a JWT signed as expected"},
}

func TestBadLogoutTokens(t *testing.T) {
	var said strings.Builder
	for _, row := range badLogoutTokens {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			a.signInAs("s1")
			a.provider.rotate(signingKey{"rsa-2", jose.RS256, testRSAKey})
			header := object{"typ": "logout+jwt", "kid": "ec-1"}
			for name, value := range row.header {
				header[name] = value
			}
			payload := encoded(t, a.logoutClaims(row.change))
			token := signJWT(t, jose.ES256, testECKey, header, payload)
			if row.sign != nil {
				token = row.sign(t, payload)
			}
			response, e := a.backChannel(token)
			said.WriteString(e.Description)
			if response.StatusCode != http.StatusBadRequest || e.Code != oidc.InvalidRequest ||
				!strings.Contains(e.Description, row.says) {
				t.Errorf("Back-Channel Logout §2.8: %s %v, expected 400 …%s…", response.Status, e, row.says)
			}
			if a.isSignedOut() {
				t.Error("the session ended")
			}
		})
	}
	requireEachRuleBroken(t, logoutTokenRules, said.String())
}

func TestALogoutTokenIsGoodOnce(t *testing.T) {
	a := newApp(t)
	token := a.logoutToken(nil)
	a.backChannel(token)
	if response, e := a.backChannel(token); response.StatusCode != http.StatusBadRequest ||
		!strings.Contains(e.Description, "received before") {
		t.Errorf("Back-Channel Logout §2.6: %s %v", response.Status, e)
	}
}

func TestAnIDTokenIsNoLogoutToken(t *testing.T) {
	a := newApp(t)
	a.signInAs("s1")
	if response, e := a.backChannel(a.session().IDToken); response.StatusCode != http.StatusBadRequest || a.isSignedOut() {
		t.Errorf("Back-Channel Logout §4: %s %v", response.Status, e)
	}
}

func TestBackChannelLogoutThatFails(t *testing.T) {
	a := newApp(t)
	token := a.logoutToken(nil)
	a.spent = storage.NewBucket[bool]("rp-spent-state", brokenStore{})
	if response, e := a.backChannel(token); response.StatusCode != http.StatusBadRequest || e.Code != oidc.ServerError ||
		strings.Contains(e.Description, "disk") {
		t.Errorf("Back-Channel Logout §2.8: %s %v", response.Status, e)
	}
	a = newApp(t)
	a.provider.Close()
	if response, e := a.backChannel(token); response.StatusCode != http.StatusBadRequest || e.Code != ProviderDown {
		t.Errorf("Back-Channel Logout §2.8: %s %v", response.Status, e)
	}
}

// frontChannel loads the iframe, whose request has no cookies of the application.
func (a *testApp) frontChannel(query string) *http.Response {
	a.t.Helper()
	response, err := http.Get(a.server.URL + "/web/front-channel-logout?" + query)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestFrontChannelLogout(t *testing.T) {
	for _, row := range []struct {
		name, query string
		status      int
		ends        bool
	}{
		{"Front-Channel Logout §2 iss and sid name the session", "iss=ISS&sid=s1", http.StatusOK, true},
		{"Front-Channel Logout §2 another sid is left alone", "iss=ISS&sid=s2", http.StatusOK, false},
		{"Front-Channel Logout §2 iss is the provider's", "iss=https://evil.test&sid=s1", http.StatusBadRequest, false},
		{"Front-Channel Logout §2 iss comes with sid", "sid=s1", http.StatusBadRequest, false},
		{"Front-Channel Logout §2 sid comes with iss", "iss=ISS", http.StatusBadRequest, false},
		{"Front-Channel Logout §2 sid is not empty", "iss=ISS&sid=", http.StatusBadRequest, false},
		{"RFC 6749 §3.1 no parameter comes twice", "iss=ISS&sid=s1&sid=s2", http.StatusBadRequest, false},
		{"Front-Channel Logout §2 without sid and cookie there is nothing to end", "", http.StatusOK, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			a.signInAs("s1")
			response := a.frontChannel(strings.ReplaceAll(row.query, "ISS", url.QueryEscape(a.provider.URL)))
			if response.StatusCode != row.status || a.isSignedOut() != row.ends {
				t.Errorf("%s, ended %v; expected %d, %v", response.Status, a.isSignedOut(), row.status, row.ends)
			}
			if cache := response.Header.Get("Cache-Control"); cache != "no-cache, no-store" {
				t.Errorf("Front-Channel Logout §2: Cache-Control: %s", cache)
			}
			if csp := response.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp,
				"frame-ancestors "+a.provider.URL) {
				t.Errorf("the provider may frame it, and nobody else: %s", csp)
			}
		})
	}
}

// CWE-770: anybody can send the request, so it must not fill the store.
func TestFrontChannelLogoutStoresNothingAboutASidOfNoSession(t *testing.T) {
	var spy *storagetest.Spy
	a := newApp(t, func(c *Config) {
		spy = &storagetest.Spy{Store: storage.NewMemory(c.Now)}
		c.Store = spy
	})
	a.signInAs("s1")
	spy.Reset()
	for i := range 50 {
		query := url.Values{"iss": {a.provider.URL}, "sid": {fmt.Sprint("made up ", i)}}
		if response := a.frontChannel(query.Encode()); response.StatusCode != http.StatusOK {
			t.Fatalf("%s; want the same answer as for a sid that exists", response.Status)
		}
	}
	for _, operation := range spy.Operations() {
		if !strings.HasPrefix(operation, "Get") {
			t.Errorf("a sid that no session has made the operation %s", operation)
		}
	}
}

func TestFrontChannelLogoutByCookie(t *testing.T) {
	a := newApp(t)
	a.signIn()
	if response := a.do("GET", "/web/front-channel-logout", ""); response.StatusCode != http.StatusOK || !a.isSignedOut() {
		t.Errorf("Front-Channel Logout §2: a session that has no sid ends by its cookie: %s", response.Status)
	}
	a.signInAs("s1")
	response := a.do("GET", "/web/front-channel-logout", "")
	if response.StatusCode != http.StatusBadRequest || a.isSignedOut() {
		t.Errorf("Front-Channel Logout §2: a session that has a sid ends by that: %s", response.Status)
	}
}

func TestMonitor(t *testing.T) {
	a := newApp(t)
	if response := a.do("GET", "/web/monitor", ""); response.StatusCode != http.StatusForbidden {
		t.Errorf("nobody signed in: %s", response.Status)
	}
	a.signIn()
	if response := a.do("GET", "/web/monitor", ""); response.StatusCode != http.StatusNotFound {
		t.Errorf("Session Management §2: without session_state: %s", response.Status)
	}
	for _, state := range []string{"abc.salt", "def.salt"} { // a sign-in, and a silent renewal after the session changed
		answer := a.provider.answer(a.begin("/web/silent"))
		answer.Set("session_state", state)
		a.finishSilent(answer)
		var m Monitoring
		if err := json.NewDecoder(a.do("GET", "/web/monitor", "").Body).Decode(&m); err != nil {
			t.Fatal(err)
		}
		if want := (Monitoring{a.provider.URL + "/check-session", a.provider.URL, "web", state}); m != want {
			t.Errorf("Session Management §3: %+v, expected %+v", m, want)
		}
	}
	response := a.do("GET", "/web/monitor.js", "")
	if script, _ := io.ReadAll(response.Body); !strings.HasPrefix(response.Header.Get("Content-Type"),
		"text/javascript") || !strings.Contains(string(script), "export async function watchSession") {
		t.Errorf("%s %s", response.Status, script)
	}
}

func TestSignOutHere(t *testing.T) {
	a := newApp(t)
	a.signIn()
	if response := a.do("POST", "/web/sign-out-here", "", "Sec-Fetch-Site",
		"cross-site"); response.StatusCode != http.StatusForbidden || a.isSignedOut() {
		t.Errorf("a page of another origin: %s", response.Status)
	}
	if response := a.do("POST", "/web/sign-out-here", "", "Sec-Fetch-Site",
		"same-origin"); response.StatusCode != http.StatusNoContent || !a.isSignedOut() {
		t.Errorf("Session Management §3: %s", response.Status)
	}
}
