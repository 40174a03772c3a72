package check_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/oidc"
)

// site is an app with two pages: headers and body of each.
type site struct {
	callback, start                   http.Header
	callbackBody, startBody, location string
	status                            int
}

// serve serves the site, and makes it the app of the scene.
func (s *scene) serve(t *testing.T, of site) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers, body := of.start, of.startBody+"<title>App</title>"
		if r.URL.Path == "/callback" {
			headers, body = of.callback, of.callbackBody
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for name, values := range headers {
			w.Header()[name] = values
		}
		if r.URL.Path == "/callback" && of.location != "" {
			w.Header().Set("Location", of.location)
			w.WriteHeader(http.StatusFound)
		} else if r.URL.Path == "/callback" && of.status != 0 {
			w.WriteHeader(of.status)
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	s.seen.Client.RedirectURIs = []string{server.URL + "/callback"}
	s.fetch(t, check.Private)
}

// fetch fetches the pages of the app.
func (s *scene) fetch(t *testing.T, reach check.Reach) {
	t.Helper()
	fetcher := check.NewFetcher(time.Second, nil, time.Now)
	s.seen.Flows = s.hub.Flows()
	if err := fetcher.Fetch(t.Context(), s.seen, reach); err != nil {
		t.Fatal(err)
	}
	s.seen.Pages = fetcher.Pages("app")
}

func header(name string, lines ...string) http.Header { return http.Header{name: lines} }

func csp(text string) http.Header { return header("Content-Security-Policy", text) }

// pageRows are sites of which nothing but the pages was seen, and the verdict of a check.
var pageRows = []struct {
	check, name string
	site        site
	want        check.Outcome
	says        string
}{
	{"callback.exists", "a page", site{}, check.Holds, "200, text/html"},
	{"callback.exists", "none", site{status: 404}, check.Fails, "404"},
	{"callback.exists", "text", site{callback: header("Content-Type", "text/plain")}, check.Fails, "200, text/plain"},
	{"callback.exists", "elsewhere", site{location: "http://127.0.0.1:1/login?secret=1"}, check.Fails,
		"redirects to http://127.0.0.1:1/login"},

	{"callback.exists", "another page of the app", site{location: "/login?secret=1"}, check.CannotSee,
		"redirects to http://127.0.0.1:"},

	{"callback.framable", "an error page", site{status: 502}, check.CannotSee, "502, and not with the page"},
	{"callback.framable", "another page of the app", site{location: "/login"}, check.CannotSee, "/login"},
	{"callback.framable", "a page elsewhere", site{location: "http://127.0.0.1:1/login"}, check.CannotSee,
		"was not fetched"},
	{"callback.framable", "no header", site{}, check.Holds, "neither"},
	{"callback.framable", "DENY", site{callback: header("X-Frame-Options", "deny")}, check.Fails,
		"X-Frame-Options: deny"},
	{"callback.framable", "SAMEORIGIN", site{callback: header("X-Frame-Options", "SAMEORIGIN")}, check.Holds,
		"same origin"},
	{"callback.framable", "two headers", site{callback: header("X-Frame-Options", "SAMEORIGIN", "DENY")}, check.Fails,
		"X-Frame-Options: SAMEORIGIN, DENY"},
	{"callback.framable", "two values", site{callback: header("X-Frame-Options", "SAMEORIGIN, x")}, check.Fails,
		"SAMEORIGIN, x"},
	{"callback.framable", "the same value twice", site{callback: header("X-Frame-Options", "SAMEORIGIN", "sameorigin")},
		check.Holds, "same origin"},
	{"callback.framable", "a value that is ignored", site{
		callback: header("X-Frame-Options", "ALLOW-FROM https://a.test")}, check.Holds, "browsers ignore"},
	{"callback.framable", "frame-ancestors none", site{callback: csp("frame-ancestors 'none'")}, check.Fails, "'none'"},
	{"callback.framable", "frame-ancestors after many hashes", site{callback: csp("script-src" +
		strings.Repeat(" 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='", 100) + "; frame-ancestors 'none'")},
		check.Fails, "'none'"},
	{"callback.framable", "frame-ancestors self", site{callback: csp("frame-ancestors 'self'")}, check.Holds, "allows"},
	{"callback.framable", "frame-ancestors comes before X-Frame-Options", site{callback: http.Header{
		"X-Frame-Options": {"DENY"}, "Content-Security-Policy": {"frame-ancestors 'self'"}}}, check.Holds, "allows"},
	{"callback.framable", "a meta element has no frame-ancestors", site{callbackBody: meta("frame-ancestors 'none'")},
		check.Holds, "neither"},

	{"callback.scripts", "no policy", site{}, check.Holds, "no policy"},
	{"callback.scripts", "none", site{callback: csp("default-src 'none'; img-src *")}, check.Fails,
		"default-src 'none'"},
	{"callback.scripts", "its own files", site{callback: csp("script-src 'self'"),
		callbackBody: `<script src="a.js"></script>`}, check.Holds, ""},
	{"callback.scripts", "a script in the page", site{callback: csp("script-src 'self'"),
		callbackBody: `<script>parent.postMessage("x")</script>`}, check.Fails, "a script in the page"},
	{"callback.scripts", "a script in the page with its hash", site{
		callback:     csp("script-src 'self' 'sha256-ybUWuo6OZMmaeVBfYvJnUm4NwTh0ZgXeQIhyrYFBjdc='"),
		callbackBody: `<script>parent.postMessage("x")</script>`}, check.Holds, ""},
	{"callback.scripts", "a script in the page with another hash", site{callback: csp("script-src 'sha256-abc='"),
		callbackBody: `<script>parent.postMessage("x")</script>`}, check.Fails, "a script in the page"},
	{"callback.scripts", "a nonce", site{callback: csp("script-src 'nonce-a1'"),
		callbackBody: `<script nonce="a1">1</script><script nonce="a1" src="a.js"></script>`}, check.Holds, ""},
	{"callback.scripts", "without the nonce", site{callback: csp("script-src 'nonce-a1' 'unsafe-inline'"),
		callbackBody: `<script>1</script>`}, check.Fails, "a script in the page"},
	{"callback.scripts", "unsafe-inline", site{callback: csp("script-src 'unsafe-inline'"),
		callbackBody: `<script>1</script>`}, check.Holds, ""},
	{"callback.scripts", "a file of another origin", site{callback: csp("script-src 'self'"),
		callbackBody: `<script src="https://cdn.test/a.js"></script>`}, check.Fails, "the script https://cdn.test/a.js"},
	{"callback.scripts", "strict-dynamic", site{callback: csp("script-src 'self' 'strict-dynamic'"),
		callbackBody: `<script src="a.js"></script>`}, check.Fails, "the script a.js"},
	{"callback.scripts", "a script in the page and a policy in a meta element", site{
		callbackBody: meta("script-src 'self'") + `<script type="module">1</script>`}, check.Fails, "script-src 'self'"},
	{"callback.scripts", "data in a script element", site{callback: csp("script-src 'self'"),
		callbackBody: `<script type="application/json">{}</script>`}, check.Holds, ""},
	{"callback.scripts", "a sandbox", site{callback: csp("sandbox allow-scripts")}, check.Fails,
		"without allow-same-origin"},

	{"app.frame_src", "no policy", site{}, check.Holds, ""},
	{"app.frame_src", "frame-src", site{start: csp("frame-src 'self' http://localhost:8080")}, check.Holds, ""},
	{"app.frame_src", "without the provider", site{start: csp("frame-src 'self'")}, check.Fails, issuer + "/authorize"},
	{"app.frame_src", "without itself", site{start: csp("frame-src http://localhost:8080")}, check.Fails, "/callback"},
	{"app.frame_src", "child-src", site{start: csp("child-src 'none'; default-src *")}, check.Fails,
		"child-src 'none'"},
	{"app.frame_src", "default-src in a meta element", site{startBody: meta("default-src 'self'")}, check.Fails,
		"default-src 'self'"},
	{"app.frame_src", "frame-src comes before default-src", site{start: csp("default-src 'self'; frame-src *")},
		check.Holds, ""},
	{"app.frame_src", "each policy counts", site{start: header("Content-Security-Policy", "frame-src *",
		"frame-src 'none'")},
		check.Fails, "frame-src 'none'"},

	{"app.connect_src", "no policy", site{}, check.Holds, ""},
	{"app.connect_src", "without the provider", site{start: csp("connect-src 'self'")}, check.Fails, issuer + "/token"},
	{"app.connect_src", "with the provider", site{start: csp("connect-src 'self' http://localhost:*")}, check.Holds,
		""},

	{"app.sandbox", "no policy", site{}, check.Holds, "cannot see"},
	{"app.sandbox", "no flag", site{start: csp("sandbox")}, check.Fails, "allow-scripts"},
	{"app.sandbox", "both flags", site{start: csp("sandbox allow-scripts allow-same-origin")}, check.Holds, ""},

	{"app.embedder", "no header", site{}, check.Holds, "no Cross-Origin-Embedder-Policy"},
	{"app.embedder", "not in the iframe", site{start: header("Cross-Origin-Embedder-Policy", "require-corp")},
		check.Fails,
		"require-corp"},
	{"app.embedder", "in the iframe too", site{start: header("Cross-Origin-Embedder-Policy", "require-corp"),
		callback: header("Cross-Origin-Embedder-Policy", `require-corp; report-to="x"`)}, check.Holds, ""},

	{"app.opener", "no header", site{}, check.Holds, ""},
	{"app.opener", "same-origin", site{start: header("Cross-Origin-Opener-Policy", "same-origin")}, check.Fails,
		"popup"},
	{"app.opener", "popups are allowed", site{start: header("Cross-Origin-Opener-Policy", "same-origin-allow-popups")},
		check.Holds, ""},
	{"app.opener", "the callback page", site{callback: header("Cross-Origin-Opener-Policy",
		"same-origin-allow-popups")},
		check.Fails, "the callback page"},

	{"app.permissions", "no header", site{}, check.Holds, ""},
	{"app.permissions", "nobody may ask", site{start: header("Permissions-Policy", "camera=(), storage-access=()")},
		check.Fails, "storage-access=()"},
	{"app.permissions", "the app only", site{start: header("Permissions-Policy", "identity-credentials-get=(self)")},
		check.Fails, "identity-credentials-get=(self)"},
	{"app.permissions", "the provider too", site{start: header("Permissions-Policy",
		`storage-access=(self "http://localhost:8080")`)}, check.Holds, ""},
	{"app.permissions", "everybody", site{start: header("Permissions-Policy", "storage-access=(*)")}, check.Holds, ""},
	{"app.permissions", "the provider only", site{start: header("Permissions-Policy",
		`storage-access=("http://localhost:8080")`)}, check.Fails, "must allow both http://127.0.0.1"},

	{"clock.app", "the same time", site{}, check.Holds, "the app's server"},
	{"clock.app", "no time", site{start: http.Header{"Date": nil}}, check.CannotSee, "no Date"},
	{"clock.app", "another time", site{start: header("Date", "Fri, 20 Nov 2020 12:00:00 GMT")}, check.Fails, "differs"},
}

func meta(policy string) string {
	return `<meta http-equiv="content-security-policy" content="` + policy + `">`
}

func TestPages(t *testing.T) {
	for _, r := range pageRows {
		t.Run(r.check+"/"+r.name, func(t *testing.T) {
			s := newScene(t)
			s.serve(t, r.site)
			got := s.finding(t, r.check)
			if got.Outcome != r.want || !strings.Contains(got.Seen+got.Inferred, r.says) ||
				(got.Remedy != "") != (r.want == check.Fails) {
				t.Errorf("got %+v; want %s, %q", got, r.want, r.says)
			}
		})
	}
}

func TestBeforeThePagesAreFetched(t *testing.T) {
	s := newScene(t)
	if got := s.finding(t, "callback.exists"); got.Outcome != check.NotSeen || !strings.Contains(got.Do, "fetch") {
		t.Errorf("got %+v", got)
	}
	s.seen.Client.RedirectURIs = []string{"http://localhost/callback"}
	if got := s.finding(t, "callback.exists"); got.Outcome != check.NotSeen || !strings.Contains(got.Seen, "sign in") {
		t.Errorf("without a port: got %+v", got)
	}
}

// A page of an address that the app no longer uses is not judged.
func TestAPageOfAnotherAddressIsNotJudged(t *testing.T) {
	s := newScene(t)
	s.serve(t, site{callback: header("X-Frame-Options", "DENY")})
	s.seen.Client.RedirectURIs = append(s.seen.Client.RedirectURIs, callback)
	s.renews(nil)
	if got := s.finding(t, "callback.framable"); got.Outcome != check.NotSeen {
		t.Errorf("got %+v", got)
	}
}

// An address that is not registered has no page to fetch, so nothing is to do in the tab.
func TestThePageOfAnAddressThatIsNotRegistered(t *testing.T) {
	for uri, want := range map[string]string{
		app + "/silent":                 "the newest request, " + app + "/silent, is not registered",
		"com.example:/callback":         "no address on",
		"":                              "has no redirect_uri",
		app + strings.Repeat("/x", 200): "300 characters",
	} {
		s := newScene(t)
		s.seen.Client.RedirectURIs = []string{app + "/a", app + "/b", "com.example:/callback"}
		s.renews(nil, values{"redirect_uri": uri})
		s.fetch(t, check.Private)
		for _, name := range []string{"callback.framable", "app.frame_src", "clock.app"} {
			if got := s.finding(t, name); got.Outcome != check.CannotSee || !strings.Contains(got.Seen, want) || got.Do != "" {
				t.Errorf("%q: got %+v; want %q", uri, got, want)
			}
		}
	}
}

func TestTheNewestRequestWithARegisteredAddressNamesThePage(t *testing.T) {
	for name, before := range map[string]func(*scene, values){
		"a sign-in": func(s *scene, of values) { s.signsIn(of) },
		"a renewal": func(s *scene, of values) { s.renews(nil, of); s.signsIn() },
	} {
		s := newScene(t)
		s.serve(t, site{callback: header("X-Frame-Options", "DENY")})
		before(s, values{"redirect_uri": s.seen.Client.RedirectURIs[0]})
		s.renews(nil, values{"redirect_uri": app + "/silent"})
		s.fetch(t, check.Private)
		if got := s.finding(t, "callback.framable"); got.Outcome != check.Fails || len(s.seen.Pages) != 2 {
			t.Errorf("after %s: got %+v, %+v", name, got, s.seen.Pages)
		}
		got := s.finding(t, "redirect.registered")
		if got.Outcome != check.Fails || !strings.Contains(got.Remedy, app+"/silent") {
			t.Errorf("after %s: got %+v", name, got)
		}
	}
}

func TestACallbackThatIsTheWholeApp(t *testing.T) {
	for name, row := range map[string]struct {
		redeemed bool
		want     check.Outcome
		reason   oidc.Reason
	}{
		"it works":                 {true, check.Holds, ""},
		"the code is not redeemed": {false, check.Fails, oidc.CallbackSilent},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.serve(t, site{callbackBody: "<title>App</title>"})
			s.renews(nil, values{"redirect_uri": s.seen.Client.RedirectURIs[0]})
			if row.redeemed {
				s.redeems(300)
			}
			s.seen.Flows = s.hub.Flows()
			if !row.redeemed {
				s.seen.Flows[0].Reasons = append(s.seen.Flows[0].Reasons, reasoned(oidc.CallbackSilent))
			}
			got := judged(t, s.seen, "callback.nested")
			if got.Outcome != row.want || got.Reason != string(row.reason) || !strings.Contains(got.Seen, "the same page") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// A server answers its callback only with the parameters of an answer.
func TestTheCallbackOfAServer(t *testing.T) {
	s := newScene(t)
	s.seen.Client.TokenEndpointAuthMethod = oidc.AuthMethodBasic
	s.serve(t, site{status: 400})
	if got := s.finding(t, "callback.exists"); got.Outcome != check.CannotSee {
		t.Errorf("got %+v", got)
	}
}

func TestTheCallbackPageWithWebMessage(t *testing.T) {
	s := newScene(t)
	s.renews(nil, values{"response_mode": "web_message"})
	if got := s.finding(t, "callback.framable"); got.Outcome != check.CannotSee {
		t.Errorf("got %+v", got)
	}
}

func TestPermissionsDoNotMatterOnOneSite(t *testing.T) {
	s := newScene(t)
	s.serve(t, site{start: header("Permissions-Policy", "storage-access=()")})
	s.renews(nil, values{"redirect_uri": s.seen.Client.RedirectURIs[0]})
	s.fetch(t, check.Private)
	if got := s.finding(t, "app.permissions"); got.Outcome == check.Fails {
		t.Errorf("got %+v", got)
	}
}
