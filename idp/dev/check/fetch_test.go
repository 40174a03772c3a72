package check_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/trace"
)

// visit fetches the pages of an app with these redirect URIs.
func visit(t *testing.T, reach check.Reach, redirectURIs ...string) []check.Page {
	t.Helper()
	s := newScene(t)
	s.seen.Client.RedirectURIs = redirectURIs
	s.fetch(t, reach)
	return s.seen.Pages
}

func server(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

// CWE-918: a client that a stranger registered makes the provider ask no address of a network.
func TestWhichAddressesAreAsked(t *testing.T) {
	var asked atomic.Int32
	own := server(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	port := own[strings.LastIndexByte(own, ':'):]
	for _, row := range []struct {
		name, host string
		reach      check.Reach
		want       bool
	}{
		{"this machine, of the operator", "127.0.0.1", check.Private, true},
		{"this machine, of any_client", "127.0.0.1", check.Loopback, true},
		{"a name below localhost", "app.localhost", check.Loopback, true},
		{"this machine, of a stranger", "127.0.0.1", check.Public, false},
		{"localhost, of a stranger", "localhost", check.Public, false},
		{"an IPv4 address in an IPv6 address, of a stranger", "[::ffff:127.0.0.1]", check.Public, false},
		{"every address of this machine, of a stranger", "0.0.0.0", check.Public, false},
		{"every address of this machine, of the operator", "0.0.0.0", check.Private, false},
	} {
		asked.Store(0)
		pages := visit(t, row.reach, "http://"+row.host+port+"/callback")
		if len(pages) != 2 || (pages[0].Problem == "") != row.want || (asked.Load() > 0) != row.want {
			t.Errorf("%s: got %d requests, %+v; want %t", row.name, asked.Load(), pages, row.want)
		}
	}
	for name, row := range map[string]struct {
		host    string
		reach   check.Reach
		refused bool
	}{
		"a private network, of any_client":   {"192.168.255.254", check.Loopback, true},
		"a private network, of a stranger":   {"10.255.255.254", check.Public, true},
		"credentials of a cloud":             {"169.254.169.254", check.Private, true},
		"link-local":                         {"[fe80::1]", check.Private, true},
		"a private network, of the operator": {"[fc00::1]", check.Private, false},
	} {
		pages := visit(t, row.reach, "http://"+row.host+":1/callback")
		if got := strings.Contains(pages[0].Problem, "sends no request"); got != row.refused || pages[0].Problem == "" {
			t.Errorf("%s: got %+v", name, pages[0])
		}
	}
}

func TestOnlyAddressesOfTheClientAreAsked(t *testing.T) {
	var paths []string
	own := server(t, func(_ http.ResponseWriter, r *http.Request) { paths = append(paths, r.URL.Path) })
	s := newScene(t)
	s.seen.Client.RedirectURIs = []string{own + "/callback", own + "/silent"}
	s.renews(nil, values{"redirect_uri": own + "/admin"})
	if s.fetch(t, check.Private); len(s.seen.Pages) != 0 || len(paths) != 0 {
		t.Errorf("an address that is not registered: got %v", paths)
	}
	s.renews([]edit{func(r *trace.Record) { r.Referer = "http://evil.example/page" }},
		values{"redirect_uri": own + "/silent"})
	if s.fetch(t, check.Private); strings.Join(paths, " ") != "/silent /" {
		t.Errorf("got %v", paths)
	}
	paths = nil
	s.renews([]edit{func(r *trace.Record) { r.Referer = own + "/orders/7" }}, values{"redirect_uri": own + "/silent"})
	if s.fetch(t, check.Private); strings.Join(paths, " ") != "/silent /orders/7" {
		t.Errorf("got %v", paths)
	}
	if pages := visit(t, check.Private, own+"/callback", consoleCallback); len(pages) != 2 {
		t.Errorf("with the redirect URI of the console: got %+v", pages)
	}
	for _, address := range []string{"com.example:/callback", "file:///etc/passwd", ""} {
		if pages := visit(t, check.Private, address); len(pages) != 0 {
			t.Errorf("%q: got %+v", address, pages)
		}
	}
}

// The port of a loopback redirect URI may be another one in each request.
func TestTheRedirectURIsThatAnAppUsed(t *testing.T) {
	s := newScene(t)
	s.seen.Client.RedirectURIs = []string{"http://localhost/callback", "http://localhost/silent", "com.example:/callback"}
	last := func() string {
		signIn, silent := check.RedirectURIs(s.seen.Client, check.OfApps(s.hub.Flows()))
		return signIn + " " + silent
	}
	if got := last(); got != " " {
		t.Errorf("before a request: got %s", got)
	}
	for _, row := range []struct {
		does func(changes ...values)
		uri  string
		want string
	}{
		{s.signsIn, "com.example:/callback", "com.example:/callback com.example:/callback"},
		{s.signsIn, "http://localhost:5173/callback", "http://localhost:5173/callback http://localhost:5173/callback"},
		{func(changes ...values) { s.renews(nil, changes...) }, "http://localhost:5173/silent",
			"http://localhost:5173/callback http://localhost:5173/silent"},
		{s.signsIn, "http://localhost:4000/callback", "http://localhost:4000/callback http://localhost:5173/silent"},
		{s.signsIn, "http://localhost:4000/other", "http://localhost:4000/callback http://localhost:5173/silent"},
		{func(changes ...values) { s.triesIt(nil, changes...) }, "http://localhost:3000/callback",
			"http://localhost:4000/callback http://localhost:5173/silent"},
	} {
		row.does(values{"redirect_uri": row.uri})
		if got := last(); got != row.want {
			t.Errorf("after %s: got %s; want %s", row.uri, got, row.want)
		}
	}
}

func TestARedirectIsFollowedWithinTheOrigin(t *testing.T) {
	var other atomic.Int32
	elsewhere := server(t, func(http.ResponseWriter, *http.Request) { other.Add(1) })
	own := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			http.Redirect(w, r, "/en/", http.StatusFound)
		case "/callback":
			http.Redirect(w, r, elsewhere+"/login?token=secret", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			w.Header().Set("X-Frame-Options", "DENY")
		}
	})
	pages := visit(t, check.Private, own+"/callback")
	if pages[0].RedirectsTo != elsewhere+"/login" || other.Load() != 0 {
		t.Errorf("to another origin: got %+v, %d requests", pages[0], other.Load())
	}
	if pages[1].Status != 200 || len(pages[1].Headers) == 0 {
		t.Errorf("within the origin: got %+v", pages[1])
	}
	if loop := visit(t, check.Private, own+"/loop")[0]; loop.RedirectsTo != own+"/loop" {
		t.Errorf("a loop: got %+v", loop)
	}
}

func TestServersThatMisbehave(t *testing.T) {
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"slow with its headers": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "fetch.timeout"},
		"slow with its body": {func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, "fetch.timeout"},
		"closes the connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			"does not answer"},
		"sends without end": {func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, ""},
	} {
		s := newScene(t)
		s.seen.Client.RedirectURIs = []string{server(t, row.answer) + "/callback"}
		limit := time.Minute // on a busy machine a server that answers may need a while
		if row.want == "fetch.timeout" {
			limit = 200 * time.Millisecond
		}
		fetcher := check.NewFetcher(limit, nil, time.Now)
		if err := fetcher.Fetch(t.Context(), s.seen, check.Private); err != nil {
			t.Fatal(err)
		}
		if got := fetcher.Pages("app")[0]; !strings.Contains(got.Problem,
			row.want) || (got.Problem == "") != (row.want == "") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	if got := visit(t, check.Private, untrusted.URL+"/callback")[0]; !strings.Contains(got.Problem, "fetch.ca_file") {
		t.Errorf("got %+v", got)
	}
}

func TestTheAnswerHasNoBodyAndNoOtherHeader(t *testing.T) {
	pages := visit(t, check.Private, server(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 || r.Header.Get("Authorization") != "" || r.URL.RawQuery != "" {
			t.Errorf("the request has %v", r.Header)
		}
		w.Header().Set("Set-Cookie", "session=secret-cookie")
		w.Header().Set("X-Powered-By", "secret-server")
		_, _ = w.Write([]byte("secret-body"))
	})+"/callback")
	text, err := json.Marshal(pages)
	if err != nil || strings.Contains(string(text), "secret") {
		t.Errorf("got %v, %s", err, text)
	}
}

func TestPagesAreFetchedOneAtATime(t *testing.T) {
	begun, end := make(chan struct{}, 2), make(chan struct{})
	own := server(t, func(http.ResponseWriter, *http.Request) { begun <- struct{}{}; <-end })
	fetcher := check.NewFetcher(10*time.Second, nil, time.Now)
	s := newScene(t)
	s.seen.Client.RedirectURIs = []string{own + "/callback"}
	first := make(chan error)
	go func() { first <- fetcher.Fetch(context.Background(), s.seen, check.Private) }()
	<-begun
	if err := fetcher.Fetch(t.Context(), s.seen, check.Private); !errors.Is(err, check.ErrBusy) {
		t.Errorf("got %v", err)
	}
	close(end)
	if err := <-first; err != nil || len(fetcher.Pages("app")) != 2 {
		t.Errorf("got %v", err)
	}
	if fetcher.Reset(); fetcher.Pages("app") != nil {
		t.Error("a reset forgets no pages")
	}
}

func TestFewClientsAreRemembered(t *testing.T) {
	fetcher := check.NewFetcher(time.Second, nil, time.Now)
	s := newScene(t)
	s.seen.Client.RedirectURIs = []string{server(t, http.NotFound) + "/callback"}
	for i := range 60 {
		s.seen.Client.ClientID = strings.Repeat("x", i+1)
		if err := fetcher.Fetch(t.Context(), s.seen, check.Private); err != nil {
			t.Fatal(err)
		}
	}
	if fetcher.Pages("x") != nil || fetcher.Pages(s.seen.Client.ClientID) == nil {
		t.Error("the oldest client makes room")
	}
}
