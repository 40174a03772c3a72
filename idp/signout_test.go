package idp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// listener is the server of a client: it keeps the logout tokens that it is sent, and answers with status.
type listener struct {
	*httptest.Server
	mutex  sync.Mutex
	status int
	tokens []string
	heard  chan struct{}
}

func listen(t *testing.T, status int) *listener {
	t.Helper()
	l := &listener{status: status, heard: make(chan struct{}, 100)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.tokens = append(l.tokens, r.PostFormValue("logout_token"))
		w.WriteHeader(l.status)
		l.status = http.StatusOK // the next time
		l.heard <- struct{}{}
	}))
	t.Cleanup(l.Close)
	return l
}

// next waits for a logout token, verifies it with the provider's keys and returns its claims.
func (l *listener) next(t *testing.T, p *idptest.Provider, typ string) map[string]any {
	t.Helper()
	select {
	case <-l.heard:
	case <-time.After(10 * time.Second):
		t.Fatal("the client was not told")
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	parsed, err := jwt.ParseSigned(l.tokens[len(l.tokens)-1], []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if got := parsed.Headers[0].ExtraHeaders[jose.HeaderType]; got != typ {
		t.Errorf("Back-Channel Logout §2.4 typ is %v; want %s", got, typ)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(serve(p, get(t, "GET", "/jwks", nil)).Body.Bytes(), &set); err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.Claims(set.Key(parsed.Headers[0].KeyID)[0].Key, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// clientsThatHear registers the logout addresses of the built-in clients: spa has both, web the front channel.
func clientsThatHear(back string) func(*idp.Config) {
	return func(c *idp.Config) {
		*c = c.WithDefaults()
		for i := range c.Clients {
			switch c.Clients[i].ClientID {
			case "spa":
				c.Clients[i].BackchannelLogoutURI = back
				c.Clients[i].FrontchannelLogoutURI = "http://localhost:9090/spa/out?tenant=7"
			case "web":
				c.Clients[i].FrontchannelLogoutURI = "http://localhost:9090/web/out"
			}
		}
	}
}

func backOnly(back string) func(*idp.Config) {
	return func(c *idp.Config) {
		clientsThatHear(back)(c)
		for i := range c.Clients {
			c.Clients[i].FrontchannelLogoutURI = ""
		}
	}
}

func TestBackChannelLogout(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(t *testing.T, b *idptest.Browser, idToken string)
	}{
		{"Back-Channel Logout §2.5 at an RP-initiated logout", func(_ *testing.T, b *idptest.Browser, idToken string) {
			b.Get("/logout?id_token_hint=" + idToken)
		}},
		{"Back-Channel Logout §2.5 when the user signs out on the page that asks",
			func(_ *testing.T, b *idptest.Browser, _ string) {
				b.Submit(b.Get("/logout"), url.Values{"decision": {"sign_out"}})
			}},
		{"Back-Channel Logout §2.5 when the user ends the session from another browser",
			func(t *testing.T, b *idptest.Browser, _ string) {
				other := b.Provider().Browser(t)
				other.SignIn("alice")
				other.Submit(other.Get("/account"), url.Values{"sid": {"others"}})
			}},
		{"Back-Channel Logout §2.5 when the session is ended from the console",
			func(t *testing.T, b *idptest.Browser, _ string) {
				endAtConsole(t, b)
			}},
	} {
		t.Run(row.name, func(t *testing.T) {
			app := listen(t, http.StatusOK)
			p := idptest.Start(t, backOnly(app.URL))
			b := p.Browser(t)
			b.SignIn("alice")
			idToken := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
			b.Code(idptest.Request("spa", "prompt", "none"))
			row.end(t, b, idToken)
			got, known := app.next(t, p, "logout+jwt"), claims(t, idToken)
			for _, name := range []string{"iss", "sub", "aud", "sid"} {
				if got[name] != known[name] || got[name] == "" {
					t.Errorf("Back-Channel Logout §2.4 %s is %v; that of the ID token is %v", name, got[name], known[name])
				}
			}
			if _, ok := got["nonce"]; ok {
				t.Error("Back-Channel Logout §2.4 a nonce claim MUST NOT be present")
			}
			if len(app.heard) > 0 {
				t.Error("the client was told twice")
			}
			wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.LoginRequired)
		})
	}
}

// endAtConsole ends the first session that the console lists.
func endAtConsole(t *testing.T, b *idptest.Browser) {
	t.Helper()
	token := regexp.MustCompile(`data-csrf="([^"]+)"`).FindStringSubmatch(b.Get("/console").Body)
	if token == nil {
		t.Fatal("the console has no token")
	}
	list := b.Get("/console/sessions").JSON(t)["sessions"].([]any)
	r := get(t, http.MethodPost, b.Provider().Issuer+"/console/sessions/"+list[0].(map[string]any)["id"].(string), nil,
		"Content-Type", "application/json", "X-Hush-CSRF", token[1], "Origin", b.Provider().Issuer)
	r.RequestURI = ""
	body := `{"do":"end"}`
	r.Body, r.ContentLength = readCloser{strings.NewReader(body)}, int64(len(body))
	if page := b.Do(r); page.Status != http.StatusOK {
		t.Fatalf("the console gives %d: %s", page.Status, page.Body)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func TestAFailedBackChannelIsReportedAndTriedAgain(t *testing.T) { // Back-Channel Logout §2.8
	app := listen(t, http.StatusInternalServerError)
	p := idptest.Start(t, backOnly(app.URL))
	b := p.Browser(t)
	b.SignIn("alice")
	hint := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	page := b.Get("/logout?id_token_hint=" + hint)
	wantPage(t, page, http.StatusOK, `id="untold"`)
	steps := p.LastFlow(t).Records[0].Steps
	if last := steps[len(steps)-1]; !strings.Contains(last.Text, "client spa did not confirm the logout token") ||
		!strings.Contains(last.Text, "the provider will send another one") {
		t.Errorf("the trace says %+v", last)
	}
	app.next(t, p, "logout+jwt")
	app.next(t, p, "logout+jwt") // a second later
	if !strings.Contains(p.Log.String(), "a client did not confirm a logout token") {
		t.Errorf("the log says nothing of it:\n%s", p.Log)
	}
}

// Back-Channel Logout §4: the provider's own network is not asked
func TestABackChannelToAPrivateAddressIsRefused(t *testing.T) {
	app := listen(t, http.StatusOK)
	p := idptest.Start(t, func(c *idp.Config) {
		backOnly(app.URL)(c)
		never := false
		c.Fetch.AllowPrivate = &never
	})
	b := p.Browser(t)
	b.SignIn("alice")
	hint := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	wantPage(t, b.Get("/logout?id_token_hint="+hint), http.StatusOK, `id="untold"`)
	if len(app.heard) > 0 {
		t.Error("the loopback address was asked")
	}
}

var frames = regexp.MustCompile(`<iframe src="([^"]+)"`)

func TestFrontChannelLogout(t *testing.T) {
	app := listen(t, http.StatusOK)
	p := idptest.Start(t, clientsThatHear(app.URL))
	b := p.Browser(t)
	b.SignIn("alice")
	hint := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	b.Code(idptest.Request("web"))
	back := url.Values{
		"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://localhost:9090/spa/"}, "state": {"a b"},
	}
	page := b.Get("/logout?" + back.Encode())
	wantPage(t, page, http.StatusOK, `href="http://localhost:9090/spa/?state=a%20b"`)
	var got []url.Values
	for _, match := range frames.FindAllStringSubmatch(page.Body, -1) {
		u, err := url.Parse(strings.ReplaceAll(match[1], "&amp;", "&"))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, u.Query())
		if u.Query().Get("iss") != p.Issuer || u.Query().Get("sid") != claims(t, hint)["sid"] {
			t.Errorf("Front-Channel Logout §3 iss and sid are those of the session: %s", u)
		}
	}
	csp := page.Header.Get("Content-Security-Policy")
	for row, holds := range map[string]bool{
		"Front-Channel Logout §3 an iframe for each client of the session": len(got) == 2,
		"Front-Channel Logout §2 a registered query MUST be retained":      len(got) > 0 && got[0].Get("tenant") == "7",
		"CSP Level 3 §6.1.5 the frames may redirect":                       strings.HasSuffix(csp, "frame-src https: http:"),
		"Front-Channel Logout §3 then the page goes on, by a script": strings.Contains(
			page.Body, "/static/idp/signed_out.js",
		),
		"a client may sign out in an iframe, as if there were a redirect": strings.Contains(
			csp, "frame-ancestors http://localhost:9090;",
		),
		"Front-Channel Logout §3 the clients of the back channel too": len(app.heard) == 1,
	} {
		if !holds {
			t.Errorf("%s: %s\n%s", row, csp, page.Body)
		}
	}
	wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.LoginRequired)
}

func TestOnlyAUserWithASessionIsLoggedOut(t *testing.T) {
	p := idptest.Start(t, clientsThatHear(listen(t, http.StatusOK).URL))
	b, other := p.Browser(t), p.Browser(t)
	b.SignIn("alice")
	other.SignIn("alice")
	mine := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	also := b.Tokens("web", b.Code(idptest.Request("web")))["id_token"].(string)
	theirs := other.Tokens("spa", other.Code(idptest.Request("spa")))["id_token"].(string)
	page := other.Get("/logout?id_token_hint=" + theirs)
	loaded := frames.FindAllStringSubmatch(page.Body, -1)
	mySID := claims(t, mine)["sid"]
	for row, holds := range map[string]bool{
		"Front-Channel Logout §3 only clients that are logged in are loaded": len(loaded) == 1 && strings.Contains(
			loaded[0][1], "/spa/out",
		),
		"Front-Channel Logout §3 the sid is one session's":                   mySID != claims(t, theirs)["sid"],
		"Front-Channel Logout §3 all clients of a session have the same sid": mySID == claims(t, also)["sid"],
		"Front-Channel Logout §3 iss is the one of the ID token": len(loaded) == 1 && strings.Contains(
			loaded[0][1], "iss="+url.QueryEscape(claims(t, theirs)["iss"].(string)),
		),
		"RP-Initiated Logout §2 the other sessions of the user last": b.Authorize(
			idptest.Request("spa", "prompt", "none"),
		).Location.Query().Has("code"),
		"RP-Initiated Logout §2 the session that was logged out does not answer again": other.Authorize(
			idptest.Request("spa", "prompt", "none"),
		).Location.Query().Get("error") == "login_required",
	} {
		if !holds {
			t.Errorf("%s: %v", row, loaded)
		}
	}
}

func TestAConfirmedLogoutHasTheFramesAndGoesOn(t *testing.T) { // Front-Channel Logout §3, RP-Initiated Logout §2
	p := idptest.Start(t, clientsThatHear(listen(t, http.StatusOK).URL))
	b := p.Browser(t)
	b.SignIn("alice")
	b.Code(idptest.Request("web"))
	page := b.Get(
		"/logout?" + url.Values{"client_id": {"spa"}, "post_logout_redirect_uri": {"http://localhost:9090/spa/"}}.Encode(),
	)
	page = b.Submit(page, url.Values{"decision": {"sign_out"}})
	wantPage(t, page, http.StatusOK, "<iframe")
	if !strings.Contains(page.Body, "signed_out.js") || !strings.Contains(page.Body, `href="http://localhost:9090/spa/"`) {
		t.Errorf("it does not lead on by itself:\n%s", page.Body)
	}
}

func TestLogoutMetadata(t *testing.T) {
	p := idptest.Start(t, nil)
	m := metadata(t, p)
	for row, holds := range map[string]bool{
		"Session Management §3.3 check_session_iframe":                  m.CheckSessionIframe == p.Issuer+"/check_session",
		"RP-Initiated Logout §2.1 end_session_endpoint":                 m.EndSessionEndpoint == p.Issuer+"/logout",
		"Front-Channel Logout §3 frontchannel_logout_supported":         m.FrontchannelLogoutSupported,
		"Front-Channel Logout §3 frontchannel_logout_session_supported": m.FrontchannelLogoutSessionSupported,
		"Back-Channel Logout §2.1 backchannel_logout_supported":         m.BackchannelLogoutSupported,
		"Back-Channel Logout §2.1 backchannel_logout_session_supported": m.BackchannelLogoutSessionSupported,
	} {
		if !holds {
			t.Errorf("%s: %+v", row, m)
		}
	}
}

func TestLogoutHint(t *testing.T) {
	for _, hint := range []string{"bob", "bob@example.com", "sid"} {
		b := idptest.Start(t, nil).Browser(t)
		b.SignIn("alice")
		b.SignIn("bob")
		bob := claims(t, b.Tokens("spa", b.Code(idptest.Request("spa", "login_hint", "bob")))["id_token"])
		if hint == "sid" {
			hint = bob["sid"].(string)
		}
		page := b.Get("/logout?logout_hint=" + url.QueryEscape(hint))
		wantPage(t, page, http.StatusOK, "Robert Baker")
		if strings.Contains(page.Body, "Alice Archer") {
			t.Errorf("RP-Initiated Logout §2 logout_hint %s is about the End-User that is logging out:\n%s", hint, page.Body)
		}
		page = b.Submit(page, url.Values{"decision": {"sign_out"}})
		wantPage(t, page, http.StatusOK, "Alice Archer")
		stillSignedIn("alice")(t, b)
	}
}

func TestTheSIDIsEverywhere(t *testing.T) { // Front-Channel Logout §3: "sid"
	app := listen(t, http.StatusOK)
	p := idptest.Start(t, backOnly(app.URL))
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa")))
	b.Get("/logout?id_token_hint=" + tokens["id_token"].(string))
	sids := []any{
		claims(t, tokens["id_token"])["sid"], claims(t, tokens["access_token"])["sid"], app.next(t, p, "logout+jwt")["sid"],
	}
	if slices.Contains(sids, nil) || len(slices.Compact(sids)) != 1 {
		t.Errorf("sid of ID token, access token and logout token are %v; want one", sids)
	}
}
