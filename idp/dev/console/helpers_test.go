package console_test

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/idp/dev/console"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

const (
	demo  = "http://app.localhost:9090"
	token = "the-csrf-token-of-this-process"
)

// fixture is a console on a free port, with everything real behind it.
type fixture struct {
	*console.Endpoint
	server *httptest.Server
	ending chan struct{}
}

// newFixture opens one. set changes its server before it starts.
func newFixture(t *testing.T, set ...func(*http.Server)) *fixture {
	t.Helper()
	e := echo.New()
	server := httptest.NewUnstartedServer(e)
	for _, change := range set {
		change(server.Config)
	}
	server.Start()
	h := &fixture{server: server, ending: make(chan struct{})}
	t.Cleanup(server.Close)
	t.Cleanup(func() { h.end() })
	h.Endpoint = endpoint(t, server.URL)
	h.Ending = h.ending
	for _, served := range h.Endpoints() {
		for _, method := range served.Methods {
			e.Add(method, strings.Replace(served.Path, "{path...}", "*", 1),
				func(c echo.Context) error { return served.Serve(c.Response(), c.Request()) })
		}
	}
	return h
}

// end is the end of the provider. A second one does nothing.
func (h *fixture) end() {
	select {
	case <-h.ending:
	default:
		close(h.ending)
	}
}

func endpoint(t *testing.T, issuer string) *console.Endpoint {
	t.Helper()
	failureLab := lab.New(storage.Alone(), time.Now, rand.Text)
	store := storage.NewMemory(failureLab.Clock.Now)
	u, err := url.Parse(issuer)
	must(t, err)
	set, err := keys.New([]keys.Spec{{Alg: jose.ES256}}, time.Now)
	must(t, err)
	people, err := users.New([]users.User{person("alice"), person("bob")})
	must(t, err)
	templates, err := pages.New(static.IDP())
	must(t, err)
	return &console.Endpoint{
		Issuer: issuer, Issuers: []string{issuer, "http://idp.localhost:8080"}, Origins: []string{demo}, Token: token,
		Pages: templates, Hub: trace.NewHub(trace.Options{Now: time.Now}), Lab: failureLab, Keys: set, Users: people,
		Fetcher: check.NewFetcher(time.Second, nil, time.Now), FetchPrivate: true,
		Waits: console.NewWaits(), Clients: clients.New([]oidc.Client{spa(), web()}),
		Provided: clients.Provided{
			Loopback: true, SigningAlgs: []string{"ES256"}, Scope: oidc.StandardScope(),
			ACRValues: []string{"1", "urn:hush:password"}, LongestRefresh: 12 * time.Hour,
			PairwiseSalt: strings.Repeat("s", 32),
		},
		Sessions: &session.Manager{
			Sessions: storage.NewBucket[session.Session]("session", store),
			Index:    storage.NewBucket[[]session.Entry]("session-index", store), Idle: 2 * time.Hour, Absolute: 12 * time.Hour,
			Cookies: session.NewCookies(u, [][]byte{[]byte(strings.Repeat("k", 32))}, 12*time.Hour),
			Now:     failureLab.Clock.Now, Random: rand.Text,
		},
	}
}

func person(name string) users.User {
	return users.User{Username: name, Password: name + "'s password",
		Claims: map[string]any{"name": "The " + name, "email": name + "@example.com"}}
}

func spa() oidc.Client {
	return oidc.Client{
		ClientID: "spa", ClientName: "The app", RedirectURIs: []string{"http://localhost:9090/callback"}, FirstParty: true,
		PostLogoutRedirectURIs: []string{"http://localhost:9090/"}, TokenEndpointAuthMethod: oidc.AuthMethodNone,
		IDTokenSignedResponseAlg: "ES256", AccessTokenLifetime: 90 * time.Second,
	}
}

func web() oidc.Client {
	return oidc.Client{
		ClientID: "web", RedirectURIs: []string{"http://localhost:9090/web"}, ClientSecret: oidc.NewSecret("web-secret"),
		IDTokenSignedResponseAlg: "ES256", Scope: "openid email",
	}
}

// ask sends a request of the page itself: with the token, unless headers, given as names and values, say otherwise.
func (h *fixture) ask(t *testing.T, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.server.URL+path, strings.NewReader(body))
	must(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Hush-CSRF", token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	must(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// json asks and reads the answer, which must have this status.
func (h *fixture) json(t *testing.T, status int, method, path, body string) map[string]any {
	t.Helper()
	response := h.ask(t, method, path, body)
	text := read(t, response)
	if response.StatusCode != status {
		t.Fatalf("%s %s %s gives %d; want %d\n%s", method, path, body, response.StatusCode, status, text)
	}
	answer := map[string]any{}
	if text != "" {
		must(t, json.Unmarshal([]byte(text), &answer))
	}
	return answer
}

func read(t *testing.T, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	return string(text)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
