package idp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// recordTests has a test for each kind of record. It passes on every engine, with two replicas of the provider that
// answer in turn, and restarts in between.
var recordTests = []struct {
	name string
	test func(l *outlived)
}{
	{"RFC 6749 §4.1.2, §10.5 a code and its mark", codesLast},
	{"RFC 6749 §6, RFC 9700 §4.14.2 refresh tokens", refreshTokensLast},
	{"Core §11 the user ends the grants of an application", grantIndexLasts},
	{"RFC 7591 §3, RFC 7592 §2 a registered client", registrationsLast},
	{"RFC 9126 §4 a pushed request", pushedRequestsLast},
	{"RFC 8628 §3.5 a device", devicesLast},
	{"RFC 7523 §3 the jti of a client's assertion", assertionsStaySpent},
	{"RFC 9449 §11.1 the jti of a DPoP proof", proofsStaySpent},
	{"RFC 7662 §2, RFC 7009 §2 an opaque access token", opaqueTokensLast},
	{"Back-Channel Logout §2.3 the clients of a session", sessionClientsLast},
}

// TestRecordsWorkOnEveryStore: a record survives a restart, with its use and its end, and no engine sees a secret.
func TestRecordsWorkOnEveryStore(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			for _, record := range recordTests {
				t.Run(record.name, func(t *testing.T) {
					l := last(t, engine.prepare, withRecordClients())
					record.test(l)
					l.checkSecrets()
				})
			}
		})
	}
}

// refreshed is what a refresh token gives.
func (l *outlived) refreshed(b *idptest.Browser, client string, tokens map[string]any) map[string]any {
	l.Helper()
	page := refresh(b, client, tokens)
	if page.Status != http.StatusOK {
		l.Fatalf("RFC 6749 §6 a good refresh token gives %d %s", page.Status, page.Body)
	}
	next := page.JSON(l.T)
	l.secret(tokens["refresh_token"], next["refresh_token"])
	return next
}

func refreshTokensLast(l *outlived) {
	b := l.signedIn("alice")
	first := allow(l.T, b, "spa")
	l.restart()
	second := l.refreshed(b, "spa", first)
	l.restart()
	if again := l.refreshed(b, "spa", first); again["refresh_token"] != second["refresh_token"] {
		l.Error(
			"RFC 9700 §4.14.2 the token that was replaced a moment ago gives another successor: now there are two families",
		)
	}
	third := l.refreshed(b, "spa", second)
	l.clock.Pass(time.Minute)
	l.restart()
	wantPage(l.T, refresh(b, "spa", second), http.StatusBadRequest, "[refresh.replayed]")
	l.restart()
	wantPage(l.T, refresh(b, "spa", third), http.StatusBadRequest, "invalid_grant")
	wantPage(l.T, userinfo(l.T, b, third), http.StatusUnauthorized, "revoked")
}

func grantIndexLasts(l *outlived) {
	b := l.signedIn("alice")
	tokens := allow(l.T, b, "spa")
	l.secret(tokens["refresh_token"])
	l.restart()
	page := b.Get("/account")
	wantPage(l.T, page, http.StatusOK, "spa")
	b.Submit(page, url.Values{"client_id": {"spa"}})
	l.restart()
	wantPage(l.T, refresh(b, "spa", tokens), http.StatusBadRequest, "invalid_grant")
	wantPage(l.T, userinfo(l.T, b, tokens), http.StatusUnauthorized, "revoked")
}

func registrationsLast(l *outlived) {
	client := registered(
		l.T, l.provider(), "grant_types", []string{"authorization_code", "client_credentials"}, "scope", "openid",
	)
	token := client["registration_access_token"].(string)
	address := strings.TrimPrefix(client["registration_client_uri"].(string), l.Issuer)
	l.secret(token, client["client_secret"])
	asks := func() int {
		r := get(
			l.T, http.MethodPost, "/token", url.Values{"grant_type": {"client_credentials"}}, "Origin", "https://late.test",
		)
		w := serve(l.provider(), basic(r, client))
		allowed := w.Header().Get("Access-Control-Allow-Origin")
		if (allowed == "https://late.test") != (w.Code == http.StatusOK) {
			l.Errorf("Fetch §3.2 with status %d Access-Control-Allow-Origin is %q", w.Code, allowed)
		}
		return w.Code
	}
	l.restart()
	if status := asks(); status != http.StatusOK {
		l.Errorf("RFC 7591 §3.2.1 the registered client_secret gives %d", status)
	}
	object(l.T, sendJSON(l.T, l.provider(), http.MethodGet, address, nil, token), http.StatusOK)
	change := map[string]any{
		"client_id": client["client_id"], "redirect_uris": []string{"https://late.test/cb"}, "client_name": "Later",
		"grant_types": []string{"client_credentials"},
	}
	object(l.T, sendJSON(l.T, l.provider(), http.MethodPut, address, change, token), http.StatusOK)
	l.restart()
	if read := object(
		l.T, sendJSON(l.T, l.provider(), http.MethodGet, address, nil, token), http.StatusOK,
	); read["client_name"] != "Later" {
		l.Errorf("RFC 7592 §2.2 after a change it is %v", read)
	}
	if gone := sendJSON(l.T, l.provider(), http.MethodDelete, address, nil, token); gone.Code != http.StatusNoContent {
		l.Errorf("RFC 7592 §2.3 got %d", gone.Code)
	}
	l.restart()
	object(l.T, sendJSON(l.T, l.provider(), http.MethodGet, address, nil, token), http.StatusUnauthorized)
	if status := asks(); status != http.StatusUnauthorized {
		l.Errorf("RFC 7592 §2.3 the client that was deleted gets %d", status)
	}
	l.signedIn("alice") // whose record shows that the engine's records were seen
}

// pushed is a request_uri of spa.
func (l *outlived) pushed(b *idptest.Browser) string {
	l.Helper()
	page := b.Post("/par", idptest.Request("spa", "prompt", "none"))
	if page.Status != http.StatusCreated {
		l.Fatalf("RFC 9126 §2.2 got %d %s", page.Status, page.Body)
	}
	uri := page.JSON(l.T)["request_uri"].(string)
	l.secret(uri[strings.LastIndex(uri, ":")+1:])
	return uri
}

func pushedRequestsLast(l *outlived) {
	b := l.signedIn("alice")
	uri := l.pushed(b)
	l.restart()
	code := b.Code(url.Values{"client_id": {"spa"}, "request_uri": {uri}})
	l.secret(code)
	l.restart()
	wantPage(
		l.T, b.Authorize(url.Values{"client_id": {"spa"}, "request_uri": {uri}}), http.StatusBadRequest,
		"invalid_request_uri",
	)
	b.Tokens("spa", code)
	late := l.pushed(b)
	l.clock.Pass(10 * time.Minute)
	l.restart()
	wantPage(
		l.T, b.Authorize(url.Values{"client_id": {"spa"}, "request_uri": {late}}), http.StatusBadRequest,
		"invalid_request_uri",
	)
}

// tv is a device that has its codes.
func (l *outlived) tv() tv {
	d := startTV(l.T, l.provider(), "openid offline_access")
	l.secret(d.codes["device_code"], d.userCode(), strings.ReplaceAll(d.userCode(), "-", ""))
	return d
}

func devicesLast(l *outlived) {
	d, person := l.tv(), l.signedIn("alice")
	d.wantError("authorization_pending")
	l.restart()
	wantPage(
		l.T, person.Submit(person.Get("/device?user_code="+d.userCode()), url.Values{"decision": {"allow"}}), http.StatusOK,
		`id="device-allowed"`,
	)
	l.restart()
	wantPage(l.T, person.Get("/device?user_code="+d.userCode()), http.StatusNotFound, `id="device-error"`)
	l.clock.Pass(5 * time.Second)
	status, tokens := d.poll()
	if status != http.StatusOK {
		l.Fatalf("RFC 8628 §3.5 the device gets %d %v", status, tokens)
	}
	l.restart()
	d.wantError("invalid_grant")
	l.refreshed(d.b, "tv", tokens)
	denied := l.tv()
	person.Submit(person.Get("/device?user_code="+denied.userCode()), url.Values{"decision": {"deny"}})
	l.restart()
	denied.wantError("access_denied")
}

// withWeb adds the client web, which has the key.
func withWeb(k *keyed) func(*idp.Config) {
	return func(c *idp.Config) {
		c.Clients = append(c.Clients, oidc.Client{
			ClientID: "web", RedirectURIs: []string{"http://localhost:9090/web/callback"}, FirstParty: true,
			TokenEndpointAuthMethod: oidc.AuthMethodPrivateJWT, JWKSURI: k.site.URL,
		})
	}
}

func assertionsStaySpent(l *outlived) {
	k := newKeyed(l.T)
	l.config = withRecordClients(withWeb(k))
	l.restart()
	b, assertion := l.signedIn("alice"), k.assertion(l.T, l.provider())
	l.secret(assertion)
	if w := redeemBy(l.T, l.provider(), b, assertion); w.Code != http.StatusOK {
		l.Fatalf("Core §9 got %d %s", w.Code, w.Body)
	}
	l.restart()
	wantRefusal(l.T, redeemBy(l.T, l.provider(), b, assertion), http.StatusUnauthorized, "invalid_client")
	l.restart()
	wantRefusal(l.T, redeemBy(l.T, l.provider(), b, assertion), http.StatusUnauthorized, "invalid_client")
}

// holder is somebody with a key, and signed in.
func (l *outlived) holder() *holder {
	return &holder{t: l.T, p: l.provider(), b: l.signedIn("alice"), key: newSigner(l.T).key}
}

func proofsStaySpent(l *outlived) {
	h := l.holder()
	proof := h.proof("POST", "/token", nil)
	l.secret(proof)
	if w := h.redeem(proof); w.Code != http.StatusOK {
		l.Fatalf("RFC 9449 §5 got %d %s", w.Code, w.Body)
	}
	l.restart()
	h.p = l.provider()
	wantRefusal(l.T, h.redeem(proof), http.StatusBadRequest, "invalid_dpop_proof")
}

func opaqueTokensLast(l *outlived) {
	b := l.signedIn("alice")
	tokens := b.Tokens("lean", b.Code(idptest.Request("lean")))
	l.secret(tokens["access_token"])
	ask := url.Values{"client_id": {"api"}, "client_secret": {"api-secret"}, "token": {tokens["access_token"].(string)}}
	l.restart()
	wantPage(l.T, userinfo(l.T, b, tokens), http.StatusOK, `"sub":"alice"`)
	if said := b.Post("/introspect", ask).JSON(l.T); said["active"] != true || said["client_id"] != "lean" {
		l.Errorf("RFC 7662 §2.2 got %v", said)
	}
	wantPage(
		l.T, b.Post("/revoke", url.Values{"client_id": {"lean"}, "token": {tokens["access_token"].(string)}}), http.StatusOK,
		"",
	)
	l.restart()
	wantPage(l.T, userinfo(l.T, b, tokens), http.StatusUnauthorized, "revoked")
	if said := b.Post("/introspect", ask).JSON(l.T); said["active"] != false || len(said) != 1 {
		l.Errorf("RFC 7662 §2.2 got %v", said)
	}
	late := b.Tokens("lean", b.Code(idptest.Request("lean")))
	l.secret(late["access_token"])
	l.clock.Pass(10 * time.Minute)
	l.restart()
	wantPage(l.T, userinfo(l.T, b, late), http.StatusUnauthorized, "invalid_token")
}

func sessionClientsLast(l *outlived) {
	app := listen(l.T, http.StatusOK)
	l.config = withRecordClients(func(c *idp.Config) { c.Clients[0].BackchannelLogoutURI = app.URL })
	l.restart()
	b := l.signedIn("alice")
	code := b.Code(idptest.Request("spa"))
	l.secret(code)
	known := claims(l.T, b.Tokens("spa", code)["id_token"])
	l.restart()
	b.Submit(b.Get("/logout"), url.Values{"decision": {"sign_out"}})
	if told := app.next(l.T, l.provider(), "logout+jwt"); told["sid"] != known["sid"] || told["sub"] != "alice" {
		l.Errorf("Back-Channel Logout §2.4 after a restart the client is told %v", told)
	}
}

// races are the things that are good once. try is one of several who come at the same moment, to two replicas.
var races = []struct {
	name  string
	begin func(l *outlived) (try func(b *idptest.Browser) bool)
}{
	{"RFC 6749 §4.1.2 a code", func(l *outlived) func(*idptest.Browser) bool {
		form := tokenForm(l.signedIn("alice").Code(idptest.Request("spa")))
		return func(b *idptest.Browser) bool { return b.Post("/token", form).Status == http.StatusOK }
	}},
	{"RFC 9126 §4 a pushed request", func(l *outlived) func(*idptest.Browser) bool {
		alice := l.signedIn("alice")
		params := url.Values{"client_id": {"spa"}, "request_uri": {l.pushed(alice)}}
		return func(b *idptest.Browser) bool {
			b.SetCookies(alice.Cookies())
			page := b.Authorize(params)
			return page.Location != nil && page.Location.Query().Get("code") != ""
		}
	}},
	{"RFC 8628 §3.5 a device code", func(l *outlived) func(*idptest.Browser) bool {
		d, person := l.tv(), l.signedIn("alice")
		person.Submit(person.Get("/device?user_code="+d.userCode()), url.Values{"decision": {"allow"}})
		return func(*idptest.Browser) bool {
			status, _ := d.poll()
			return status == http.StatusOK
		}
	}},
	{"RFC 7523 §3 an assertion", func(l *outlived) func(*idptest.Browser) bool {
		k := newKeyed(l.T)
		l.config = withRecordClients(withWeb(k))
		l.restart()
		form := url.Values{
			"token": {"x"}, "client_assertion_type": {clientauth.TypeAssertion},
			"client_assertion": {k.assertion(l.T, l.provider())},
		}
		return func(b *idptest.Browser) bool { return b.Post("/introspect", form).Status == http.StatusOK }
	}},
	{"RFC 9449 §11.1 a DPoP proof", func(l *outlived) func(*idptest.Browser) bool {
		h := l.holder()
		proof := h.proof("POST", "/par", nil)
		return func(*idptest.Browser) bool {
			r := get(l.T, "POST", "/par", idptest.Request("spa"), "DPoP", proof)
			return serve(l.provider(), r).Code == http.StatusCreated
		}
	}},
}

func TestOfSeveralAtTwoReplicasOneSucceeds(t *testing.T) {
	const racers = 8
	for _, engine := range engines {
		for _, race := range races {
			t.Run(engine.name+": "+race.name, func(t *testing.T) {
				l := last(t, engine.prepare, withRecordClients())
				try := race.begin(l)
				var won atomic.Int64
				var start, done sync.WaitGroup
				start.Add(1)
				for range racers {
					b := l.provider().Browser(t)
					done.Go(func() {
						start.Wait()
						if try(b) {
							won.Add(1)
						}
					})
				}
				start.Done()
				done.Wait()
				if n := won.Load(); n != 1 {
					t.Errorf("%d of %d succeeded; want one", n, racers)
				}
			})
		}
	}
}

// Tabs that refresh at the same moment, at two replicas, get the same token: one family goes on.
func TestTabsThatRefreshAtTwoReplicasGetOneToken(t *testing.T) { // RFC 9700 §4.14.2
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			l := last(t, engine.prepare, withRecordClients())
			b := l.signedIn("alice")
			tokens := allow(t, b, "spa")
			answers := make([]*httptest.ResponseRecorder, 8)
			var tabs sync.WaitGroup
			for i := range answers {
				r := get(
					t, "POST", "/token",
					url.Values{
						"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {tokens["refresh_token"].(string)},
					},
				)
				tabs.Go(func() { answers[i] = serve(l.provider(), r) })
			}
			tabs.Wait()
			next := object(t, answers[0], http.StatusOK)
			for _, answer := range answers[1:] {
				if got := object(t, answer, http.StatusOK); got["refresh_token"] != next["refresh_token"] {
					t.Error("two tabs got different refresh tokens: now there are two families")
				}
			}
			l.refreshed(b, "spa", next)
		})
	}
}
