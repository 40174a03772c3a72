package rp_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/rp"
)

// testbed is an application with an API on rp, the real provider, and a browser.
type testbed struct {
	*rp.RP
	t        *testing.T
	app      string // its address
	provider *idptest.Provider
	browser  *idptest.Browser
	requests chan *http.Request // those of /web/request
}

func newTestbed(t *testing.T, change ...func(*rp.Config)) *testbed {
	t.Helper()
	return newTestbedAt(t, startWithTwoKeys(t), change...)
}

func newTestbedAt(t *testing.T, provider *idptest.Provider, change ...func(*rp.Config)) *testbed {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	h := &testbed{t: t, app: server.URL, provider: provider, requests: make(chan *http.Request, 1)}
	h.browser = h.provider.Browser(t)

	var err error
	config := rp.Config{
		Issuer: h.provider.Issuer, ClientID: "web", ClientSecret: "web-secret", Now: h.provider.Clock.Now,
		RedirectURI: h.app + "/web/callback", SilentRedirectURI: h.app + "/web/silent-callback",
		PostLogoutRedirectURI: h.app + "/web/", Home: "/web/",
		Scopes: []string{"openid", "profile", "api.read"}, Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&config)
	}
	if h.RP, err = rp.New(config); err != nil {
		t.Fatal(err)
	}
	api, err := rp.NewResource(rp.ResourceConfig{Issuer: h.provider.Issuer, Audience: "urn:hush:demo-api",
		Now: h.provider.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	h.Mount(mux, "/web")
	mux.HandleFunc("/web/request", func(w http.ResponseWriter, r *http.Request) { h.requests <- r.Clone(t.Context()) })
	mux.HandleFunc("/web/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "home") })
	mux.Handle("/api/me", api.Require("api.read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := rp.AccessTokenFrom(r.Context())
		_, _ = w.Write(token.Claims)
	})))
	return h
}

// startWithTwoKeys starts a provider with keys for two algorithms.
func startWithTwoKeys(t *testing.T) *idptest.Provider {
	return idptest.Start(t, func(c *idp.Config) { c.SigningKeys = []idp.SigningKey{{Alg: "ES256"}, {Alg: "EdDSA"}} })
}

// follow follows redirects from page until an answer is no redirect or its Location begins with stop.
func (h *testbed) follow(page idptest.Page, stop string) idptest.Page {
	h.t.Helper()
	for page.Location != nil && (stop == "" || !strings.HasPrefix(page.Location.String(), stop)) {
		page = h.browser.Get(page.Location.String())
	}
	return page
}

// request is a request of the browser as a handler of the application receives it.
func (h *testbed) request() *http.Request {
	h.t.Helper()
	h.browser.Get(h.app + "/web/request")
	return <-h.requests
}

// renew does a silent renewal; the browser does the requests of the hidden iframe and of its page.
func (h *testbed) renew() (int, map[string]any) {
	h.t.Helper()
	page := h.follow(h.browser.Get(h.app+"/web/silent"), h.app+"/web/silent-callback")
	if page.Location == nil {
		h.t.Fatalf("the iframe ended at a page: %d %s", page.Status, page.Body)
	}
	answer := h.browser.Post(h.app+"/web/silent/finish", page.Location.Query())
	return answer.Status, answer.JSON(h.t)
}

// callAPI returns the claims that the API received.
func (h *testbed) callAPI() map[string]any {
	h.t.Helper()
	response, err := h.Client(h.request()).Get(h.app + "/api/me")
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	var claims map[string]any
	if err := json.NewDecoder(response.Body).Decode(&claims); err != nil || response.StatusCode != http.StatusOK {
		h.t.Fatalf("%s %v %v", response.Status, claims, err)
	}
	return claims
}

func TestWithTheRealProvider(t *testing.T) {
	h := newTestbed(t)
	if _, failure := h.renew(); failure["error"] != "login_required" {
		t.Errorf("Core §3.1.2.6 before the sign-in: %v", failure)
	}

	login := h.follow(h.browser.Get(h.app+"/web/login?return_to=/web/here"), "")
	home := h.follow(h.browser.Submit(login, url.Values{"username": {"alice"}, "password": {"alice"}}), "")
	if home.Body != "home" {
		t.Fatalf("the sign-in ended at %d %s", home.Status, home.Body)
	}
	before, err := h.Session(h.request())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := h.UserInfo(h.request()); err != nil || !strings.Contains(string(info), `"Alice`) {
		t.Errorf("userinfo: %s %v", info, err)
	}

	h.provider.Clock.Pass(time.Minute)
	status, view := h.renew()
	after, err := h.Session(h.request())
	if status != http.StatusOK || err != nil || view["sub"] != before.Sub {
		t.Fatalf("the renewal: %d %v %v", status, view, err)
	}
	if after.AccessToken == before.AccessToken || after.Sub != before.Sub || !after.AuthTime.Equal(before.AuthTime) ||
		after.Renewals != 1 {
		t.Errorf("Core §12.2: from %+v to %+v", before.View(), after.View())
	}
	if claims := h.callAPI(); claims["sub"] != before.Sub || claims["client_id"] != "web" {
		t.Errorf("the API says %v", claims)
	}

	if page := h.follow(h.browser.Post(h.app+"/web/logout", nil), ""); page.Body != "home" {
		t.Errorf("the sign-out ended at %d %s", page.Status, page.Body)
	}
	if _, err := h.Session(h.request()); err != rp.ErrNoSession {
		t.Errorf("after the sign-out: %v", err)
	}
	if _, failure := h.renew(); failure["error"] != "login_required" {
		t.Errorf("after the sign-out the provider still knows the user: %v", failure)
	}
}

func TestAnotherUserAtTheProvider(t *testing.T) {
	h := newTestbed(t)
	h.browser.SignIn("alice")
	h.renew()
	h.browser.SignIn("bob")
	if status, answer := h.renew(); status != http.StatusOK || answer["renewals"] != float64(1) {
		t.Errorf("Core §3.1.2.1: id_token_hint names the account to renew, but %d %v", status, answer)
	}
}
