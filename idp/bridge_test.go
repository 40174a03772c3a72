package idp_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const appOrigin = "http://localhost:9090"

// bridgeOf is the address of the page that asks for storage access, without the answer at its end; "": another page.
func bridgeOf(body string) string {
	found := regexp.MustCompile(`<main id="bridge" data-next="([^"]+)">`).FindStringSubmatch(body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// fromBridge is the request by which the page goes on, in the same frame.
func fromBridge(t *testing.T, address string) *http.Request {
	t.Helper()
	r := get(t, http.MethodGet, address, nil, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Dest", "iframe")
	r.RequestURI = ""
	return r
}

// answerTo says in a word how /authorize answered.
func answerTo(w *httptest.ResponseRecorder) string {
	location, err := url.Parse(w.Header().Get("Location"))
	switch {
	case err != nil:
		return err.Error()
	case w.Header().Get("Activate-Storage-Access") != "":
		return "retry"
	case bridgeOf(w.Body.String()) != "":
		return "bridge"
	case location.Path == "/login":
		return "login page"
	case location.Query().Has("code"):
		return "code"
	case location.Query().Has("error"):
		return location.Query().Get("error")
	}
	return "error page"
}

// hiddenHeaders are those of a hidden iframe whose user gave the app access, with changes: a=b sets, a= removes.
func hiddenHeaders(change string) (headers []string) {
	all := map[string]string{
		"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate",
		"Sec-Fetch-Storage-Access": "inactive", "Origin": appOrigin, "Referer": appOrigin + "/",
	}
	for _, field := range strings.Fields(change) {
		name, value, _ := strings.Cut(field, "=")
		all[name] = value
	}
	for name, value := range all {
		if value != "" {
			headers = append(headers, name, value)
		}
	}
	return headers
}

const sendsNone = "Sec-Fetch-Storage-Access=none Origin="

// storageRows are silent requests from a hidden iframe without the session cookie: a good one, and one change per row.
var storageRows = []struct {
	name    string
	headers string
	params  []string
	want    string
}{
	{"inactive: the browser sends the request again", "", nil, "retry"},
	{"none: a page asks", sendsNone, nil, "bridge"},
	{"no such header: a page asks", "Sec-Fetch-Storage-Access= Origin=", nil, "bridge"},
	{"none, and no Referer: a page asks", sendsNone + " Referer=", nil, "bridge"},
	{"none, in a form post: a page asks", "Sec-Fetch-Storage-Access=none", nil, "bridge"},
	{"inactive without an Origin to compare: a page asks", "Origin=", nil, "bridge"},
	{"active: the cookies came, so nobody is signed in", "Sec-Fetch-Storage-Access=active", nil, "login_required"},
	{"an iframe of one site gets every cookie", "Sec-Fetch-Site=same-site", nil, "login_required"},
	{"the bridge's own frame", "Sec-Fetch-Site=same-origin", nil, "login_required"},
	{"a whole page", "Sec-Fetch-Dest=document", nil, "login_required"},
	{"no Fetch Metadata", "Sec-Fetch-Site= Sec-Fetch-Dest= Sec-Fetch-Mode= Sec-Fetch-Storage-Access=", nil,
		"login_required"},
	{"a request that allows pages", "", []string{"prompt", ""}, "login page"},
	{"a request that breaks a rule", "", []string{"response_type", "token"}, "unsupported_response_type"},
	{"an Origin that is not the redirect_uri's", "Origin=https://other.test", nil, "login_required"},
	{"an Origin that the browser hides: a page asks", "Origin=null Referer=", nil, "bridge"},
	{"attack: an opaque Origin in a foreign page", "Origin=null Referer=https://evil.test/", nil, "login_required"},
	{"a Referer of another origin", sendsNone + " Referer=https://other.test/", nil, "login_required"},
	{"a redirect_uri of an app's own scheme", sendsNone + " Referer=", []string{"redirect_uri", "com.example:/cb"},
		"login_required"},
	{"a redirect_uri whose origin no policy can name", sendsNone + " Referer=",
		[]string{"redirect_uri", "http://[::1]:9090/cb"}, "login_required"},
	{"attack: a redirect_uri that is not registered, inactive", "Origin=https://evil.test",
		[]string{"redirect_uri", "https://evil.test/cb"}, "error page"},
	{"attack: a redirect_uri that is not registered, none", sendsNone, []string{"redirect_uri", "https://evil.test/cb"},
		"error page"},
	{"attack: an unknown client", "", []string{"client_id", "nobody"}, "error page"},
	{"attack: a frame of a foreign page, inactive", "Origin=https://evil.test Referer=https://evil.test/", nil,
		"login_required"},
	{"attack: a frame of a foreign page, none", sendsNone + " Referer=https://evil.test/", nil, "login_required"},
}

// startForFrames is a provider without development mode, whose store is watched.
func startForFrames(t testing.TB, dev bool) (*idptest.Provider, *storagetest.Spy) {
	t.Helper()
	spy := &storagetest.Spy{}
	p := idptest.Start(t, func(c *idp.Config) {
		c.Dev, c.Clients = &dev, c.WithDefaults().Clients
		for i := range c.Clients {
			c.Clients[i].RedirectURIs = append(c.Clients[i].RedirectURIs, "com.example:/cb", "http://[::1]:9090/cb")
		}
	}, func(s storage.Store) storage.Store {
		spy.Store = s
		return spy
	})
	return p, spy
}

func TestAHiddenIframeWithoutACookie(t *testing.T) {
	p, spy := startForFrames(t, false)
	for _, row := range storageRows {
		t.Run(row.name, func(t *testing.T) {
			spy.Reset()
			params := idptest.Request("spa", append([]string{"prompt", "none"}, row.params...)...)
			w := hidden(t, p, params, hiddenHeaders(row.headers)...)
			if got := answerTo(w); got != row.want {
				t.Errorf("the answer is %s; want %s", got, row.want)
			}
			if isAsked := row.want == "retry" || row.want == "bridge"; isAsked {
				checkAsks(t, w, row.want)
			} else if w.Header().Get("Vary") != "" {
				t.Errorf("Vary is %s", w.Header().Get("Vary"))
			}
			if len(spy.Operations()) > 0 {
				t.Errorf("the store did %v; want nothing", spy.Operations())
			}
		})
	}
}

// checkAsks checks an answer that asks the browser for cookies: only the origin of the redirect_uri may use it.
func checkAsks(t *testing.T, w *httptest.ResponseRecorder, how string) {
	t.Helper()
	want := map[string]string{"Vary": "Sec-Fetch-Storage-Access, Origin", "Cache-Control": "no-store", "Set-Cookie": ""}
	status, policy := http.StatusOK, w.Header().Get("Content-Security-Policy")
	if how == "retry" {
		status, want["Activate-Storage-Access"] = http.StatusUnauthorized, `retry; allowed-origin="`+appOrigin+`"`
		if challenge := w.Header().Get("WWW-Authenticate"); !strings.HasPrefix(challenge, `Cookie realm="http`) {
			t.Errorf("WWW-Authenticate is %q; RFC 9110 §11.6.1: a 401 MUST have a challenge", challenge)
		}
	} else {
		want["X-Frame-Options"] = ""
		if !strings.HasSuffix(policy, "; frame-ancestors "+appOrigin) || !strings.HasPrefix(policy,
			"default-src 'none'; script-src 'sha256-") || strings.Contains(policy, "unsafe") {
			t.Errorf("the policy is %s", policy)
		}
	}
	for name, value := range want {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s is %s; want %s", name, got, value)
		}
	}
	if w.Code != status {
		t.Errorf("the status is %d; want %d", w.Code, status)
	}
}

// crossing returns the address behind the bridge, up to the browser's answer.
func crossing(t *testing.T, p *idptest.Provider, params url.Values) string {
	t.Helper()
	w := hidden(t, p, params, hiddenHeaders(sendsNone)...)
	next := bridgeOf(w.Body.String())
	if !strings.HasPrefix(next, "/authorize?interaction=") {
		t.Fatalf("the page goes on to %q; want a path of this provider", next)
	}
	return p.Issuer + next
}

// cross goes on from the bridge, with the cookies of the browser.
func cross(t *testing.T, b *idptest.Browser, address string) idptest.Page {
	t.Helper()
	return b.Do(fromBridge(t, address))
}

func TestTheBrowsersAnswerIsTheReason(t *testing.T) {
	p := idptest.Start(t, nil)
	params := idptest.Request("spa", "prompt", "none", "state", "s;1")
	for _, row := range []struct{ answer, reason string }{
		{session.AccessGranted, "session.none"}, {session.AccessDenied, "cookie.access_denied"},
		{session.AccessUnsupported, "cookie.access_unsupported"}, {"<script>", "session.none"}, {"", "session.none"},
	} {
		page := cross(t, p.Browser(t), crossing(t, p, params)+url.QueryEscape(row.answer))
		answer := page.Location.Query()
		if answer.Get("error") != "login_required" || answer.Get("state") != "s;1" || page.Status != http.StatusSeeOther ||
			!strings.HasSuffix(answer.Get("error_description"), "["+row.reason+"]") {
			t.Errorf("%q is answered %d %v; want login_required and %s", row.answer, page.Status, answer, row.reason)
		}
	}
}

func TestNoRequestIsAskedTwice(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, headers := range []string{"", sendsNone, "Sec-Fetch-Storage-Access="} {
		address := crossing(t, p, idptest.Request("spa", "prompt", "none")) + session.AccessGranted
		w := serve(p, get(t, http.MethodGet, address, nil, hiddenHeaders(headers)...))
		if got := answerTo(w); got != "login_required" {
			t.Errorf("with %q the answer after the bridge is %s; want login_required", headers, got)
		}
	}
}

func TestBehindTheBridgeIsTheRequestBeforeIt(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	address := crossing(t, p, idptest.Request("spa", "prompt", "none", "state", "mine"))
	for _, change := range []string{
		"", "&redirect_uri=https://evil.test/cb", "&state=theirs", "&prompt=login", "&response_mode=fragment",
		"&interaction=another", "&storage_access=https://evil.test/",
	} {
		page := cross(t, b, address+session.AccessGranted+change)
		if page.Location == nil {
			t.Fatalf("%q leads to a page: %d", change, page.Status)
		}
		to, answer := page.Location.Scheme+"://"+page.Location.Host+page.Location.Path, page.Location.Query()
		if to != appOrigin+"/spa/callback.html" || answer.Get("state") != "mine" || answer.Get("code") == "" {
			t.Errorf("%q leads to %s with %v; want a code at the verified address", change, to, answer)
		}
	}
	for _, changed := range []string{
		strings.Replace(address, "interaction=e", "interaction=f", 1) + "denied", address[:len(address)-40] + "x",
		address + "granted&client_id=spa",
	} {
		if page := cross(t, b, changed); page.Status != http.StatusBadRequest {
			t.Errorf("an address that was changed is answered %d; want a page", page.Status)
		}
	}
}

func TestTheBridgeKeepsTheFormOfTheRequest(t *testing.T) {
	p, spy := startForFrames(t, true)
	b := p.Browser(t)
	b.SignIn("alice")
	b.Code(idptest.Request("spa", "prompt", "none")) // the session notes the client once
	t.Run("OAuth 2.0 Form Post Response Mode §2 the answer is a form in the same frame", func(t *testing.T) {
		params := idptest.Request("spa", "prompt", "none", "response_mode", "form_post")
		page := cross(t, b, crossing(t, p, params)+session.AccessGranted)
		if !strings.Contains(page.Body, `name="code"`) ||
			!strings.HasSuffix(page.Header.Get("Content-Security-Policy"), "frame-ancestors "+appOrigin) {
			t.Errorf("no form: %d\n%s", page.Status, page.Body)
		}
	})
	t.Run("Core §3.1.2.1 a request by POST", func(t *testing.T) {
		params := idptest.Request("spa", "prompt", "none")
		headers := hiddenHeaders("Sec-Fetch-Storage-Access=none")
		w := serve(p, get(t, http.MethodPost, p.Issuer+"/authorize", params, headers...))
		page := cross(t, b, p.Issuer+bridgeOf(w.Body.String())+session.AccessGranted)
		if page.Location == nil || !page.Location.Query().Has("code") {
			t.Errorf("no code: %d", page.Status)
		}
	})
	t.Run("RFC 9126 §4 a pushed request is spent by its code, and is read once", func(t *testing.T) {
		pushed := b.Post(p.Issuer+"/par", idptest.Request("spa", "prompt", "none")).JSON(t)
		spy.Reset()
		address := crossing(t, p, url.Values{"client_id": {"spa"}, "request_uri": {pushed["request_uri"].(string)}})
		page := cross(t, b, address+session.AccessGranted)
		if want := []string{"Get", "Get", "Update"}; !slices.Equal(spy.Operations(), want) {
			t.Errorf("the store did %v; want %v: request, session, request", spy.Operations(), want)
		}
		if page.Location == nil || !page.Location.Query().Has("code") {
			t.Errorf("no code: %d", page.Status)
		}
		again := cross(t, b, address+session.AccessGranted)
		if again.Location == nil || again.Location.Query().Get("error") != "invalid_request_uri" {
			t.Errorf("a request_uri gave two codes")
		}
	})
}

func TestTheRetryAndTheBridgeCostNoStoreOperation(t *testing.T) {
	for _, row := range []struct {
		name, headers string
		retried       func(t *testing.T, p *idptest.Provider, w *httptest.ResponseRecorder) *http.Request
	}{
		{"the retry", "", func(t *testing.T, p *idptest.Provider, _ *httptest.ResponseRecorder) *http.Request {
			t.Helper()
			r := get(t, http.MethodGet, p.Issuer+"/authorize?"+idptest.Request("spa", "prompt", "none").Encode(), nil,
				hiddenHeaders("Sec-Fetch-Storage-Access=active")...)
			r.RequestURI = ""
			return r
		}},
		{"the bridge", sendsNone, func(t *testing.T, p *idptest.Provider, w *httptest.ResponseRecorder) *http.Request {
			t.Helper()
			return fromBridge(t, p.Issuer+bridgeOf(w.Body.String())+session.AccessGranted)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, spy := startForFrames(t, false)
			b := p.Browser(t)
			b.SignIn("alice")
			b.Code(idptest.Request("spa", "prompt", "none"))
			spy.Reset()
			w := hidden(t, p, idptest.Request("spa", "prompt", "none"), hiddenHeaders(row.headers)...)
			page := b.Do(row.retried(t, p, w))
			if page.Location == nil || !page.Location.Query().Has("code") {
				t.Fatalf("no code: %d", page.Status)
			}
			if want := []string{"Get"}; !slices.Equal(spy.Operations(), want) {
				t.Errorf("both requests together did %v; want %v, as one request", spy.Operations(), want)
			}
		})
	}
}

func TestTheTraceOfTheQuestion(t *testing.T) {
	for _, row := range []struct{ headers, answer, asks, state, reason string }{
		{sendsNone, session.AccessGranted, "bridge", "open", ""},
		{sendsNone, session.AccessDenied, "bridge", "failed", string(oidc.CookieAccessDenied)},
		{sendsNone, session.AccessUnsupported, "bridge", "failed", string(oidc.CookieAccessUnsupported)},
		{"", "", "retry", "open", ""},
	} {
		t.Run(row.asks+" "+row.answer, func(t *testing.T) {
			p := idptest.Start(t, nil)
			b := p.Browser(t)
			b.SignIn("alice")
			params := idptest.Request("spa", "prompt", "none", "state", "mine")
			w := hidden(t, p, params, hiddenHeaders(row.headers)...)
			flow := p.LastFlow(t)
			if flow.State != "open" || len(flow.Reasons) > 0 || flow.Records[0].Asks != row.asks {
				t.Fatalf("after the question the flow is %s, %v, asks %q", flow.State, flow.Reasons, flow.Records[0].Asks)
			}
			again := get(t, http.MethodGet, p.Issuer+"/authorize?"+params.Encode(), nil,
				hiddenHeaders("Sec-Fetch-Storage-Access=active")...)
			again.RequestURI = ""
			if row.asks == "bridge" {
				again = fromBridge(t, p.Issuer+bridgeOf(w.Body.String())+row.answer)
			}
			if row.reason != "" {
				b = p.Browser(t) // no cookie comes
			}
			b.Do(again)
			flow = p.LastFlow(t)
			if len(flow.Records) != 2 || string(flow.State) != row.state {
				t.Errorf("%d records, state %s; want both requests in one flow, %s", len(flow.Records), flow.State, row.state)
			}
			if row.reason != "" && (len(flow.Reasons) != 1 || flow.Reasons[0].Code != row.reason) {
				t.Errorf("the reasons are %v; want %s alone", flow.Reasons, row.reason)
			}
		})
	}
}

// BenchmarkSilentRequest is what a silent authorization request costs the provider: one that comes with the cookie, and
// one for which the browser is asked first.
func BenchmarkSilentRequest(b *testing.B) {
	provider := forBenchmark(b, false, storage.NewMemory(time.Now))
	cookies, query := signedIn(provider), idptest.Request("spa", "prompt", "none").Encode()
	ask := func(headers string) func() {
		return func() {
			r := httptest.NewRequest(http.MethodGet, "http://localhost:8080/authorize?"+query, nil)
			for i, all := 0, hiddenHeaders(headers); i < len(all); i += 2 {
				r.Header.Set(all[i], all[i+1])
			}
			provider.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	for name, first := range map[string]func(){"with the cookie": func() {}, "retry": ask(""), "bridge": ask(sendsNone)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				first()
				answerOf(provider, http.MethodGet, "/authorize?"+query, cookies, nil)
			}
		})
	}
}
