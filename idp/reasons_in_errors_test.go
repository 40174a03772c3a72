package idp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// frame are the headers of a navigation in a hidden cross-site iframe whose cookies the browser withholds.
var frame = []string{
	"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Storage-Access",
	"none",
}

// reasonOf sends an authentication request that fails and returns the reason that error_description ends with.
func reasonOf(
	t *testing.T, b *idptest.Browser, params url.Values, headers ...string,
) (reason string, answer url.Values) {
	t.Helper()
	r := get(t, http.MethodGet, b.Provider().Issuer+"/authorize?"+params.Encode(), nil, headers...)
	r.RequestURI = ""
	page := b.Do(r)
	if next := bridgeOf(page.Body); next != "" {
		page = b.Do(fromBridge(t, b.Provider().Issuer+next+session.AccessDenied))
	}
	if page.Location == nil {
		t.Fatalf("no redirect: %d\n%s", page.Status, page.Body)
	}
	answer = page.Location.Query()
	_, reason, found := strings.Cut(answer.Get("error_description"), "[")
	if !found {
		return "", answer
	}
	return strings.TrimSuffix(reason, "]"), answer
}

func TestAnErrorNamesItsReasonAndThePageAboutIt(t *testing.T) {
	p := idptest.Start(t, nil)
	reason, answer := reasonOf(t, p.Browser(t), idptest.Request("spa", "prompt", "none"))
	if reason != "session.none" {
		t.Errorf("the reason is %q; want session.none", reason)
	}
	want := p.Issuer + "/reasons/session.none"
	if answer.Get("error_uri") != want {
		t.Errorf("RFC 6749 §4.1.2.1 error_uri = %q; want %s", answer.Get("error_uri"), want)
	}
	if page := p.Browser(t).Get(want); page.Status != http.StatusOK || !strings.Contains(page.Body, "session.none") {
		t.Errorf("error_uri leads to %d\n%s", page.Status, page.Body)
	}
}

func TestWithoutDevelopmentModeAnErrorTellsNoMoreThanItDid(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) { c.Dev = new(bool) })
	reason, answer := reasonOf(t, p.Browser(t), idptest.Request("spa", "prompt", "none"))
	if reason != "" || answer.Has("error_uri") {
		t.Errorf("the answer is %v; want neither reason nor error_uri", answer)
	}
	if p.Mode != nil {
		t.Error("there is a trace, or a failure lab")
	}
}

// TestTheReasonForAMissingSession: what the browser says about the request decides between none and withheld.
func TestTheReasonForAMissingSession(t *testing.T) {
	for _, row := range []struct {
		name    string
		headers []string
		want    string
	}{
		{"a top-level request", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "document"}, "session.none"},
		{"a same-site iframe", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Dest", "iframe"}, "session.none"},
		{"a cross-site iframe of a browser that withholds cookies", frame, "cookie.access_denied"},
		{
			"a cross-site iframe with storage access that is not active",
			append(frame[:6:6], "Sec-Fetch-Storage-Access", "inactive"), "cookie.access_denied",
		},
		{"a cross-site iframe of a browser that does not say", frame[:6], "cookie.access_denied"},
		{
			"a cross-site iframe of a page that is not the application's", append(frame[:8:8], "Referer", "https://other.test/"),
			"cookie.withheld_or_absent",
		},
		{
			"a cross-site iframe of a browser that sends cookies", append(frame[:6:6], "Sec-Fetch-Storage-Access", "active"),
			"session.none",
		},
		{"a client that says nothing about itself", nil, "session.none"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, nil)
			got, _ := reasonOf(t, p.Browser(t), idptest.Request("spa", "prompt", "none"), row.headers...)
			if got != row.want {
				t.Errorf("the reason is %s; want %s", got, row.want)
			}
		})
	}
}

// TestSchemesThatDiffer: http://localhost and https://localhost look like one site and are two.
func TestSchemesThatDiffer(t *testing.T) {
	for _, row := range []struct{ name, issuer, redirectURI, reason, want string }{
		{"an app by http, the provider by https", "https://localhost:8443", "http://localhost:5173/callback",
			"cookie.access_denied",
			"http://localhost:5173 and https://localhost:8443 are two sites because their schemes differ: " +
				"serve both by https or both by http"},
		{"an app by https, the provider by http", "http://localhost:8080", "https://localhost:5173/callback",
			"cookie.access_denied",
			"https://localhost:5173 and http://localhost:8080 are two sites because their schemes differ"},
		{"names of one registrable domain", "https://idp.demo.localhost", "http://app.demo.localhost/callback",
			"cookie.access_denied",
			"http://app.demo.localhost and https://idp.demo.localhost are two sites because their schemes differ"},
		{"names of two registrable domains", "https://idp.localhost:8443", "http://app.localhost:5173/callback",
			"cookie.access_denied", ""},
		{"two IP addresses", "https://127.0.0.1:8443", "http://127.0.0.2:5173/callback", "cookie.access_denied", ""},
		{"one scheme", "http://idp.localhost:8080", "http://app.localhost:5173/callback", "cookie.access_denied", ""},
		{"an app's own scheme", "http://localhost:8080", "com.example:/callback", "cookie.withheld_or_absent", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) {
				c.Issuer, c.Clients = row.issuer, []oidc.Client{{ClientID: "spa", FirstParty: true,
					TokenEndpointAuthMethod: "none", RedirectURIs: []string{row.redirectURI}}}
			})
			w := hidden(t, p, idptest.Request("spa", "prompt", "none", "redirect_uri", row.redirectURI), frame...)
			if next := bridgeOf(w.Body.String()); next != "" {
				w = serve(p, fromBridge(t, row.issuer+next+session.AccessDenied))
			}
			location, err := url.Parse(w.Header().Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			got := location.Query().Get("error_description")
			if !strings.Contains(got, row.want) || strings.Contains(got, "schemes differ") != (row.want != "") ||
				!strings.HasSuffix(got, "["+row.reason+"]") {
				t.Errorf("error_description = %q; want it to say %q", got, row.want)
			}
		})
	}
}

func TestTheAdviceForAnIframeWithoutCookiesNamesTheScheme(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, reason := range []oidc.Reason{oidc.CookieWithheldOrAbsent, oidc.CookieSameSite} {
		page := p.Browser(t).Get(p.Issuer + idp.PathReasons + string(reason))
		want := "if both hosts are equal and the schemes differ, serve both by https or both by http"
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page about %s lacks %q", reason, want)
		}
	}
}

func TestABrowserThatHasOnlyTheLaxCookie(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	lax := b.Cookies()
	b = p.Browser(t)
	for _, cookie := range lax {
		if strings.HasSuffix(cookie.Name, "-lax") {
			b.SetCookies([]*http.Cookie{cookie})
		}
	}
	b.Code(idptest.Request("spa", "prompt", "none")) // a top-level request, which brings it
	got, _ := reasonOf(t, p.Browser(t), idptest.Request("spa", "prompt", "none"), frame...)
	if got != "cookie.samesite" {
		t.Errorf("the reason in a cross-site iframe is %s; want cookie.samesite", got)
	}
}

func TestTheFaultOfThirdPartyCookiesIsThatOfAnyBrowser(t *testing.T) {
	p := idptest.Start(t, nil)
	all := p.Browser(t)
	all.SignIn("alice")
	b := p.Browser(t) // takes the Lax cookie only, as WebKit over http
	for _, cookie := range all.Cookies() {
		if strings.HasSuffix(cookie.Name, "-lax") {
			b.SetCookies([]*http.Cookie{cookie})
		}
	}
	b.Code(idptest.Request("spa", "prompt", "none"))
	p.Fail(t, lab.Fault{Fault: lab.ThirdPartyCookieIgnored})
	if got, _ := reasonOf(t, b, idptest.Request("spa", "prompt", "none")); got != "cookie.withheld_or_absent" {
		t.Errorf("the reason is %s; want cookie.withheld_or_absent", got)
	}
}

// hidden sends a request that can only end on a page, from a hidden iframe.
func hidden(t *testing.T, p *idptest.Provider, params url.Values, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(p, get(t, http.MethodGet, p.Issuer+"/authorize?"+params.Encode(), nil, headers...))
}

func TestAnErrorPageInAHiddenIframeTellsTheAppAroundIt(t *testing.T) {
	for _, row := range []struct {
		name    string
		params  url.Values
		headers []string
		framer  string // "" for nobody
	}{
		{
			"a redirect_uri that is not registered",
			idptest.Request("spa", "prompt", "none", "redirect_uri", "http://localhost:5173/silent.html"), frame,
			"http://localhost:5173",
		},
		{"an unknown client", idptest.Request("spa", "prompt", "none", "client_id", "nope"), frame, "http://localhost:9090"},
		{
			"a redirect_uri of an origin that is nobody's",
			idptest.Request("spa", "prompt", "none", "redirect_uri", "https://evil.test/cb"), frame, "",
		},
		{"a redirect_uri that is missing, in a page that says who it is",
			idptest.Request("spa", "prompt", "none", "redirect_uri", ""),
			append(frame[:8:8], "Referer", "http://localhost:9090/"), "http://localhost:9090"},
		{"a request that allows pages", idptest.Request("spa", "client_id", "nope"), frame, ""},
		{
			"a request of the whole window", idptest.Request("spa", "prompt", "none", "client_id", "nope"),
			[]string{"Sec-Fetch-Dest", "document"}, "",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := hidden(t, idptest.Start(t, nil), row.params, row.headers...)
			ancestors, tells := "frame-ancestors 'none'", `data-origin="`+row.framer+`"`
			if row.framer != "" {
				ancestors = "frame-ancestors " + row.framer
			}
			if policy := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, ancestors) {
				t.Errorf("the policy is %s; want %s", policy, ancestors)
			}
			if framed := w.Header().Get("X-Frame-Options") == ""; framed != (row.framer != "") {
				t.Errorf("X-Frame-Options is %q", w.Header().Get("X-Frame-Options"))
			}
			if row.framer != "" && strings.Contains(w.Body.String(), `id="remedy"`) {
				t.Error("a page that another page frames has a form that changes the registration")
			}
			if told := strings.Contains(w.Body.String(), tells); told != (row.framer != "") {
				t.Errorf("the page tells %s: %v", row.framer, told)
			}
		})
	}
}

func TestWithoutDevelopmentModeNoErrorPageIsFramed(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) { c.Dev = new(bool) })
	w := hidden(t, p, idptest.Request("spa", "prompt", "none", "client_id", "nope"), frame...)
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, "frame-ancestors 'none'") ||
		w.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("the policy is %s", policy)
	}
	if body := w.Body.String(); strings.Contains(body, "tell.js") || strings.Contains(body, `id="remedy"`) ||
		strings.Contains(body, "client.unknown") {
		t.Errorf("the page does more than it should:\n%s", w.Body)
	}
}

func TestTheErrorPageOffersTheRemedy(t *testing.T) {
	for _, row := range []struct{ name, client, redirectURI string }{
		{"RFC 6749 §4.1.2.1 a redirect_uri that is not registered", "spa", "http://localhost:5173/silent.html"},
		{"RFC 6749 §4.1.2.1 a client that is not registered", "my-app", "http://localhost:5173/callback"},
		{"RFC 6749 §2.2 a client_id that would lead a form elsewhere", "../keys?", "http://localhost:5173/callback"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, nil)
			b := p.Browser(t)
			b.SignIn("alice")
			wanted := idptest.Request("spa", "client_id", row.client, "redirect_uri", row.redirectURI)
			page := b.Authorize(wanted)
			if page.Status != http.StatusBadRequest {
				t.Fatalf("got %d\n%s", page.Status, page.Body)
			}
			page = b.Submit(page, url.Values{"redirect_uri": {row.redirectURI}})
			if page.Status != http.StatusSeeOther || page.Location.Path != "/authorize" {
				t.Fatalf("the remedy led to %d %v\n%s", page.Status, page.Location, page.Body)
			}
			if again := b.Get(page.Location.String()); again.Location == nil || again.Location.Query().Get("code") == "" {
				t.Errorf("after the remedy the request gives %d %v\n%s", again.Status, again.Location, again.Body)
			}
		})
	}
}

func TestARemedyIsForThisMachineOnly(t *testing.T) {
	p := idptest.Start(t, nil)
	r := get(t, http.MethodGet, p.Issuer+"/authorize?"+idptest.Request("spa", "client_id", "nope").Encode(), nil)
	r.Host = "rebound.example.com"
	if w := serve(p, r); strings.Contains(w.Body.String(), `id="remedy"`) {
		t.Errorf("a page under a foreign name offers the remedy, and so the token:\n%s", w.Body)
	}
}

func TestErrorsAboutScopesGrantTypesAndRegistrationsNameAReason(t *testing.T) { // RFC 6749 §5.2, RFC 7591 §3.2.2
	p := idptest.Start(t, nil)
	web := func(change ...string) url.Values {
		form := url.Values{"client_id": {"web"}, "client_secret": {"web-secret"}, "grant_type": {"client_credentials"}}
		form.Set(change[0], change[1])
		return form
	}
	spa := url.Values{"client_id": {"spa"}, "grant_type": {"client_credentials"}}
	token := func(form url.Values) *httptest.ResponseRecorder {
		return serve(p, get(t, http.MethodPost, p.Issuer+"/token", form))
	}
	register := func(document any) *httptest.ResponseRecorder {
		return sendJSON(t, p, http.MethodPost, p.Issuer+"/register", document, "")
	}
	for _, row := range []struct {
		code, reason string
		w            *httptest.ResponseRecorder
	}{
		{"invalid_scope", "scope.refused", token(web("scope", "nothing"))},
		{"unsupported_grant_type", "grant_type.refused", token(web("grant_type", "x"))},
		{"unauthorized_client", "grant_type.refused", token(spa)},
		{"invalid_redirect_uri", "registration.refused", register(map[string]any{})},
		{"invalid_client_metadata", "registration.refused", register(nil)},
	} {
		answer := object(t, row.w, http.StatusBadRequest)
		text, _ := answer["error_description"].(string)
		if answer["error"] != row.code || !strings.HasSuffix(text, "["+row.reason+"]") ||
			answer["error_uri"] != p.Issuer+"/reasons/"+row.reason {
			t.Errorf("%s: got %v; want the reason %s", row.code, answer, row.reason)
		}
	}
}
