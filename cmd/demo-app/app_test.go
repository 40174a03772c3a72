package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"github.com/spf13/pflag"
)

// parse returns the configuration of a command line.
func parse(t *testing.T, args ...string) config {
	t.Helper()
	var c config
	set := pflag.NewFlagSet("demo-app", pflag.ContinueOnError)
	c.flags(set)
	if err := errors.Join(set.Parse(args), readEnvironment(set)); err != nil {
		t.Fatal(err)
	}
	return c
}

// startDemo starts the demo with an unreachable provider.
func startDemo(t *testing.T, args ...string) *httptest.Server {
	t.Helper()
	return startDemoWithLog(t, slog.New(slog.DiscardHandler), args...)
}

func startDemoWithLog(t *testing.T, log *slog.Logger, args ...string) *httptest.Server {
	t.Helper()
	c, err := parse(t, append([]string{"--issuer", "http://localhost:1"}, args...)...).complete()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	handler, err := newApp(c, "http://"+server.Listener.Addr().String(), log)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	return server
}

type request struct {
	method, path string
	header       map[string]string
	body         string
}

// send returns the answer and its body; redirects are not followed.
func send(t *testing.T, server *httptest.Server, r request) (*http.Response, string) {
	t.Helper()
	method := r.method
	if method == "" {
		method = http.MethodGet
	}
	out, err := http.NewRequestWithContext(t.Context(), method, server.URL+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range r.header {
		out.Header.Set(name, value)
	}
	response, err := server.Client().Transport.RoundTrip(out)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestConfig(t *testing.T) {
	t.Setenv("HUSH_DEMO_ISSUER", " http://idp.localhost:8080\n")
	t.Setenv("HUSH_DEMO_CLIENT_SECRET", "web-secret\r\n")
	got, err := parse(t, "--listen", "127.0.0.1:9191").complete()
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		Listen: "127.0.0.1:9191", BaseURL: "http://localhost:9191", Issuer: "http://idp.localhost:8080",
		ClientSecret: "web-secret", APIAudience: "urn:hush:demo-api", LogFormat: "text",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"a listen address has a port":      {"--listen", "localhost"},
		"a base URL has no path":           {"--base-url", "http://localhost:9090/demo"},
		"a base URL is absolute":           {"--base-url", "localhost:9090"},
		"a base URL is as browsers say it": {"--base-url", "http://LOCALHOST:9090"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(t, args...).complete(); err == nil || !strings.Contains(err.Error(), args[0]) {
				t.Errorf("error %v, want one that names %s", err, args[0])
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	server := startDemo(t)
	html := map[string]string{"Accept": "text/html"}
	for _, row := range []struct {
		name   string
		send   request
		status int
		says   string
	}{
		{"the start page leads to both apps", request{path: "/"}, 200, `href="/web/"`},
		{"slow motion loads its script", request{path: "/slow/"}, 200, `src="/static/demo/slow/app.js"`},
		{"the single-page app loads its script", request{path: "/spa/"}, 200, `src="/static/demo/spa/app.js"`},
		{"the server-side app loads its script", request{path: "/web/"}, 200, `src="/static/demo/web/app.js"`},
		{"the comparison loads its script", request{path: "/both/"}, 200, `src="/static/demo/both/app.js"`},
		{"the page about tokens loads its script", request{path: "/tokens/"}, 200, `src="/static/demo/tokens/app.js"`},
		{"the lessons load their script", request{path: "/lessons/"}, 200, `src="/static/demo/lessons/app.js"`},
		{"a callback of oidc-client-ts is one small page", request{path: "/spa/callback.html?code=x&state=y"}, 200,
			`source: "oidc-client"`},
		{"the silent callback is one small page", request{path: "/web/silent-callback?code=x&state=y"}, 200,
			`source: "hush-web"`},
		{"the slash may be forgotten", request{path: "/spa"}, 301, ""},
		{"scripts are served", request{path: "/static/demo/lib/steps.js"}, 200, "export function createSteps"},
		{"styles are served", request{path: "/static/shared/hush.css"}, 200, ".card"},
		{"folders are not listed", request{path: "/static/demo/"}, 404, ""},
		{"templates are not served raw", request{path: "/static/demo/pages/spa.html"}, 404, ""},
		{"an unknown address gets a page", request{path: "/nothing", header: html}, 404, "There is nothing at this address"},
		{"or JSON, for programs", request{path: "/nothing"}, 404, `{"error":"Not Found"}`},
		{"health is one word", request{path: "/healthz"}, 200, "ok"},
		{"nobody has a session at first", request{path: "/web/session"}, 200, `"signed_in":false`},
		{"without a session there is no token for the API", request{path: "/web/call-api"}, 401, `"error":"no_session"`},
		{"signing out is a POST", request{path: "/web/logout", header: html}, 405, "use POST"},
		{"a large body is refused", request{method: "POST", path: "/web/silent/finish", body: strings.Repeat("x", maxBody+1),
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 400, "invalid_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			response, body := send(t, server, row.send)
			if response.StatusCode != row.status || !strings.Contains(body, row.says) {
				t.Errorf("status %d, want %d; body, want %q in:\n%s", response.StatusCode, row.status, row.says, body)
			}
		})
	}
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	server := startDemo(t)
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'" + inlineHashes() +
			"; style-src 'self'; img-src 'self' data:; " +
			"connect-src 'self' http://localhost:1; frame-src 'self' http://localhost:1; " +
			"frame-ancestors 'self'; base-uri 'none'",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "no-referrer",
	}
	for _, path := range []string{"/", "/slow/", "/spa/", "/both/", "/tokens/", "/lessons/", "/spa/callback.html",
		"/web/silent-callback", "/api/me", "/static/demo/demo.css", "/nothing"} {
		t.Run(path, func(t *testing.T) {
			response, body := send(t, server, request{path: path})
			for name, value := range want {
				if diff := cmp.Diff(value, response.Header.Get(name)); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			if strings.Contains(body, " style=") {
				t.Error("the page has an inline style, which its policy forbids")
			}
			for _, script := range inlineScripts.FindAllStringSubmatch(body, -1) {
				sum := sha256.Sum256([]byte(script[1]))
				hash := base64.StdEncoding.EncodeToString(sum[:])
				if !strings.Contains(response.Header.Get("Content-Security-Policy"), "'sha256-"+hash+"'") {
					t.Errorf("the policy of the page forbids its inline script %s", script[1])
				}
			}
			if response.Header.Get("X-Request-Id") == "" {
				t.Error("X-Request-Id is missing")
			}
		})
	}
}

func TestConfigJSONHasTheSettingsOfTheSinglePageApp(t *testing.T) {
	server := startDemo(t, "--base-url", "http://app.localhost:9090/")
	_, body := send(t, server, request{path: "/config.json"})
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"issuer":                   "http://localhost:1",
		"client_id":                "spa",
		"redirect_uri":             "http://app.localhost:9090/spa/callback.html",
		"post_logout_redirect_uri": "http://app.localhost:9090/spa/",
		"scope":                    "openid profile email api.read",
		"audience":                 "urn:hush:demo-api",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAScriptIsNotSentTwice(t *testing.T) {
	server := startDemo(t)
	first, _ := send(t, server, request{path: "/static/demo/spa/callback.js"})
	again, _ := send(t, server, request{path: "/static/demo/spa/callback.js",
		header: map[string]string{"If-None-Match": first.Header.Get("ETag")}})
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("status %d, want 304", again.StatusCode)
	}
}

func TestMissingLibrarySaysHowToGetIt(t *testing.T) {
	w := httptest.NewRecorder()
	if err := missingLibrary(echo.New().NewContext(nil, w)); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "npm install") {
		t.Errorf("status %d, body %q; want 404 and what to do", w.Code, w.Body)
	}
}

func TestLibraryIsServedWhenBuiltIn(t *testing.T) {
	response, body := send(t, startDemo(t), request{path: "/static/demo/vendor/oidc-client-ts.js"})
	want, says := http.StatusNotFound, "npm install"
	if haveLibrary() {
		want, says = http.StatusOK, "UserManager"
	}
	if response.StatusCode != want || !strings.Contains(body, says) {
		t.Errorf("status %d, want %d and %q in the body", response.StatusCode, want, says)
	}
}

func TestAPIRefusals(t *testing.T) {
	server := startDemo(t)
	for _, row := range []struct {
		name, path, authorization string
		status                    int
		challenge                 string
	}{
		{"RFC 6750 §3.1 without a token the challenge has no error", "/api/me", "", 401, `Bearer realm="hush-demo"`},
		{"RFC 6750 §3.1 a malformed header is invalid_request", "/api/me", "Bearer a b", 400, `error="invalid_request"`},
		{"RFC 6750 §3.1 a token that is none is invalid_token", "/api/me", "Bearer nonsense", 401, `error="invalid_token"`},
		{"RFC 6750 §2.3 a token in the query is refused", "/api/me?access_token=x", "", 400, `error="invalid_request"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			header := map[string]string{}
			if row.authorization != "" {
				header["Authorization"] = row.authorization
			}
			response, _ := send(t, server, request{path: row.path, header: header})
			challenge := response.Header.Get("WWW-Authenticate")
			if response.StatusCode != row.status || !strings.Contains(challenge, row.challenge) {
				t.Errorf("status %d, challenge %q; want %d, %q", response.StatusCode, challenge, row.status, row.challenge)
			}
			if row.authorization == "" && row.status == 401 && strings.Contains(challenge, "error") {
				t.Errorf("challenge %q has an error code", challenge)
			}
		})
	}
}

func TestTheProviderMayStartLater(t *testing.T) {
	server := startDemo(t)
	for _, row := range []struct{ name, path, location string }{
		{"a sign-in comes back with the reason", "/web/login?return_to=/web/", "error=provider_down"},
		{"a silent one goes on to the page that will ask for the reason", "/web/silent", "/web/silent-callback?state="},
	} {
		t.Run(row.name, func(t *testing.T) {
			response, _ := send(t, server, request{path: row.path})
			if location := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther ||
				!strings.Contains(location, row.location) {
				t.Errorf("status %d, Location %q; want 303 to %q", response.StatusCode, location, row.location)
			}
		})
	}
}

func TestTheLogNamesRequestsButNoSecrets(t *testing.T) {
	var lines bytes.Buffer
	c := config{LogLevel: slog.LevelDebug, LogFormat: "json"}
	server := startDemoWithLog(t, newLog(c, &lines))
	response, _ := send(t, server, request{path: "/web/callback?code=SECRET&state=SECRET",
		header: map[string]string{"Cookie": "a=SECRET"}})
	server.Close() // all is written
	if !strings.Contains(lines.String(), response.Header.Get("X-Request-Id")) ||
		strings.Contains(lines.String(), "SECRET") {
		t.Errorf("the log lacks the request's id or has its secrets:\n%s", &lines)
	}
}

func TestDecodeShowsATokenWithoutItsSignature(t *testing.T) {
	part := base64.RawURLEncoding.EncodeToString
	token := part([]byte(`{"alg":"RS256"}`)) + "." + part([]byte(`{"iat":100,"exp":190}`)) + "." +
		part([]byte("signature"))
	got := decode(token)
	if got == nil || string(got.Header) != `{"alg":"RS256"}` || got.lifetime() != 90 {
		t.Errorf("decoded %+v", got)
	}
	for _, opaque := range []string{"", "opaque", "a.b.c", part([]byte("x")) + "." + part([]byte("{}")) + "."} {
		if decode(opaque) != nil {
			t.Errorf("%q decoded, though it is no JWT", opaque)
		}
	}
}

func TestSelfURLCanBeDialled(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:9090": "http://127.0.0.1:9090",
		"0.0.0.0:9090":   "http://127.0.0.1:9090",
		":9090":          "http://127.0.0.1:9090",
		"[::]:9090":      "http://127.0.0.1:9090",
		"[::1]:9090":     "http://[::1]:9090",
	} {
		if got := selfURL(listen); got != want {
			t.Errorf("selfURL(%q) = %q, want %q", listen, got, want)
		}
	}
}

func TestAVariableThatSetsNothingIsWarnedOf(t *testing.T) {
	t.Setenv("HUSH_DEMO_BASE_URI", "http://localhost:9090")
	t.Setenv("HUSH_DEMO_SERVICE_HOST", "10.0.0.11") // Kubernetes sets it for a service hush-demo
	var log strings.Builder
	if err := serve(config{LogFormat: "neither"}, io.Discard, &log); err == nil {
		t.Fatal("the demo runs with a wrong setting")
	}
	if said := log.String(); strings.Count(said, "WARN") != 1 ||
		!strings.Contains(said, "HUSH_DEMO_BASE_URI has no effect") || !strings.Contains(said, "HUSH_DEMO_BASE_URL?") {
		t.Errorf("the log says %q; want one warning, with HUSH_DEMO_BASE_URL", said)
	}
}

// TestServeUntilLetsRequestsFinish: a request in progress gets its answer when the demo stops.
func TestServeUntilLetsRequestsFinish(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stop()
		<-ctx.Done()
		_, _ = io.WriteString(w, "finished")
	})
	ended := make(chan error, 1)
	go func() { ended <- serveUntil(ctx, newServer(slow, slog.New(slog.DiscardHandler)), listener) }()

	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "finished" {
		t.Errorf("body %q, error %v", body, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestHealthcheck(t *testing.T) {
	server := startDemo(t)
	if err := healthcheck(config{Listen: server.Listener.Addr().String()}); err != nil {
		t.Errorf("a running demo is not healthy: %v", err)
	}
	server.Close()
	if err := healthcheck(config{Listen: server.Listener.Addr().String()}); err == nil {
		t.Error("a demo that is gone is healthy")
	}
}
