package rp

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// testApp is an application with package rp, its browser and a fake provider, all with one clock.
type testApp struct {
	*RP
	t        *testing.T
	server   *httptest.Server
	browser  *http.Client
	provider *fakeProvider
	clock    *storagetest.Clock
	log      *bytes.Buffer
}

func newApp(t *testing.T, change ...func(*Config)) *testApp {
	t.Helper()
	clock := storagetest.NewClock()
	a := &testApp{t: t, clock: clock, provider: newProviderForTest(t, clock), browser: newBrowser(t), log: &bytes.Buffer{}}
	mux := http.NewServeMux()
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	config := Config{
		Issuer: a.provider.URL, ClientID: "web", ClientSecret: "s%crét",
		RedirectURI:           a.server.URL + "/web/callback",
		SilentRedirectURI:     a.server.URL + "/web/silent-callback",
		PostLogoutRedirectURI: a.server.URL + "/web/",
		Home:                  "/web/",
		Scopes:                []string{"openid", "api.read"},
		// the fake provider offers RS256 as well, which would be the default
		IDTokenSignedResponseAlg: "ES256",
		Now:                      clock.Now,
		Log:                      slog.New(slog.NewTextHandler(a.log, nil)),
	}
	for _, c := range change {
		c(&config)
	}
	var err error
	if a.RP, err = New(config); err != nil {
		t.Fatal(err)
	}
	a.Mount(mux, "/web")
	return a
}

// newBrowser has a cookie jar and follows no redirects.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

func (a *testApp) do(method, path, body string, header ...string) *http.Response {
	a.t.Helper()
	r, err := http.NewRequest(method, a.server.URL+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := a.browser.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { response.Body.Close() })
	return response
}

// location of a 303 answer; the test fails on any other.
func (a *testApp) location(response *http.Response) string {
	a.t.Helper()
	if response.StatusCode != http.StatusSeeOther {
		body, _ := io.ReadAll(response.Body)
		a.t.Fatalf("%s %s answered %s, expected 303: %s", response.Request.Method, response.Request.URL.Path, response.Status,
			body)
	}
	return response.Header.Get("Location")
}

// begin sends the browser to path (Login or SilentLogin) and returns the authorization request.
func (a *testApp) begin(path string) string {
	a.t.Helper()
	return a.location(a.do("GET", path, ""))
}

// callback delivers the provider's answer and returns where the browser is sent.
func (a *testApp) callback(answer url.Values) string {
	a.t.Helper()
	return a.location(a.do("GET", "/web/callback?"+answer.Encode(), ""))
}

// signIn does a successful sign-in.
func (a *testApp) signIn() *Session {
	a.t.Helper()
	if to := a.callback(a.provider.answer(a.begin("/web/login"))); to != "/web/" {
		a.t.Fatalf("the sign-in ended at %q", to)
	}
	return a.session()
}

// finishSilent delivers the provider's answer as the silent callback page does.
func (a *testApp) finishSilent(answer url.Values, header ...string) (int, SessionView, oidc.Error) {
	a.t.Helper()
	response := a.do("POST", "/web/silent/finish", answer.Encode(), header...)
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

// request is a request of the browser to the application, with its cookies.
func (a *testApp) request() *http.Request {
	r := httptest.NewRequest("GET", a.server.URL+"/web/", nil)
	for _, cookie := range a.browser.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	return r
}

func (a *testApp) session() *Session {
	a.t.Helper()
	s, err := a.Session(a.request())
	if err != nil {
		a.t.Fatal(err)
	}
	return s
}

func (a *testApp) isSignedOut() bool {
	_, err := a.Session(a.request())
	return err == ErrNoSession
}

// failure reads the error out of a local URL.
func (a *testApp) failure(location string) oidc.Error {
	a.t.Helper()
	u, err := url.Parse(location)
	if err != nil || u.Host != "" {
		a.t.Fatalf("the browser was sent to %q, expected a local path", location)
	}
	return oidc.Error{Code: oidc.ErrorCode(u.Query().Get("error")), Description: u.Query().Get("error_description")}
}

// hasNoSecrets fails the test when the log contains one of secrets.
func (a *testApp) hasNoSecrets(secrets ...string) {
	a.t.Helper()
	for _, secret := range secrets {
		if secret != "" && strings.Contains(a.log.String(), secret) {
			a.t.Errorf("the log holds the secret %q:\n%s", secret, a.log)
		}
	}
}
