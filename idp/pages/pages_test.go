package pages_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// testFiles are languages as small as they can be.
func testFiles() fstest.MapFS {
	return fstest.MapFS{"languages/en.yaml": {Data: []byte("login: {title: Sign in}\n")}}
}

// check reads all languages.
func check(files fstest.MapFS) error {
	p, err := pages.New(files)
	if err != nil {
		return err
	}
	return p.Check()
}

func TestAllLanguagesOfTheProviderAreGood(t *testing.T) {
	if err := ourPages(t).Check(); err != nil {
		t.Error(err)
	}
}

// A start must not wait for languages that nobody asked for.
func TestNewReadsNoText(t *testing.T) {
	files := fstest.MapFS{"languages/en.yaml": {Data: []byte("{{")}}
	if _, err := pages.New(files); err != nil {
		t.Errorf("New has read a file: %v", err)
	}
}

// render returns the headers of a page with this policy, in the way of which the router has put its own.
func render(t *testing.T, policy pages.Policy) http.Header {
	t.Helper()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Frame-Options", "DENY")
	if err := ourPages(t).Render(w, http.StatusOK, pages.Login{}, policy); err != nil {
		t.Fatal(err)
	}
	return w.Header()
}

func TestRender(t *testing.T) {
	w := httptest.NewRecorder()
	page := pages.Login{Username: `"><script>alert(1)</script>`}
	if err := ourPages(t).Render(w, http.StatusForbidden, page, pages.Policy{}); err != nil {
		t.Fatal(err)
	}
	if want := ` value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("the page is %s; want %s in it", w.Body, want)
	}
	if w.Code != http.StatusForbidden {
		t.Errorf("status %d; want 403", w.Code)
	}
	for name, want := range map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %s; want %s", name, got, want)
		}
	}
}

func TestAPageThatFailsHalfwayIsNotSent(t *testing.T) {
	p, err := pages.New(testFiles()) // it lacks nearly all texts
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := p.Render(w, http.StatusOK, pages.Login{}, pages.Policy{}); err == nil ||
		!strings.Contains(err.Error(), "languages/en.yaml has no text for layout.skip") {
		t.Errorf("Render = %v; want an error that names the text", err)
	}
	if w.Body.Len() > 0 || len(w.Header()) > 0 {
		t.Errorf("something was sent before the failure was known: %v %s", w.Header(), w.Body)
	}
}

// everyPage is, in the language, each page with something in every field that it may show.
func everyPage(language string) []pages.Page {
	client := oidc.Client{ClientID: "spa", ClientName: "The App"}
	frame := pages.Frame{Title: "T", Language: language, Issuer: "http://localhost:8080", CSRF: "c", Interaction: "i",
		Client: &client, Development: &pages.Development{Demo: "http://localhost:9090/"}}
	alice := pages.Account{Sub: "s", Username: "alice", Name: "Alice Archer", Email: "alice@example.com"}
	accounts := []pages.Account{alice}
	return []pages.Page{
		pages.Login{Frame: frame, Username: "u", Wrong: true, Reason: "again", OneClick: accounts, TypedName: "n",
			TypedClaims: "{", TypedFault: "f"},
		pages.Consent{Frame: frame, Account: alice,
			Scopes: []pages.ScopeText{{Name: "email", Description: "d"}}},
		pages.SelectAccount{Frame: frame, Accounts: accounts},
		pages.Logout{Frame: frame, Accounts: accounts, Notice: "n"},
		pages.SignedOut{
			Frame: frame, ReturnTo: "https://app.test/", Frames: []string{"https://app.test/out"},
			Still: accounts, Unconfirmed: []oidc.Client{client},
		},
		pages.SignIns{
			Frame: frame, People: append(accounts, alice), Others: true,
			Sessions: []pages.SignIn{{Account: alice, SID: "s", Browser: "Firefox", This: true}, {Account: alice}},
			Access: []pages.Access{{Account: alice, Client: client, Scopes: []pages.ScopeText{{Name: "email"}, {Name: "api"}},
				Since: time.Unix(1, 0), Lasting: true}},
		},
		pages.CheckSession{Frame: frame, Cookies: "a b"},
		pages.StorageAccess{Frame: frame, Origin: "https://app.test", Visit: "/storage_access/visit?client_id=spa"},
		pages.StorageVisit{Frame: frame, Account: alice},
		pages.FedCM{Frame: frame, Token: "c", Account: "s"},
		pages.Bridge{Frame: frame, Next: "/authorize?interaction=i&storage_access=", Script: "1 < 2"},
		pages.Error{
			Frame: frame, Status: 400, Code: "invalid_request", Description: "d", RequestID: "r",
			Registered: []string{"https://app.test/"},
			Reason:     "redirect.unregistered", ReasonURL: "u", Nearest: "https://app.test/", Difference: "d", YAML: "y",
			AnyClient:  true,
			TellOrigin: "https://app.test",
			Remedy: &pages.Remedy{Action: "/console/clients/spa/redirect_uris", ClientID: "spa",
				RedirectURI: "https://app.test/cb", ReturnTo: "/authorize", Token: "t"},
		},
		pages.Console{Frame: frame, Issuers: []string{"http://localhost:8080"}},
		pages.ConsoleCallback{Frame: frame},
		pages.Probe{Frame: frame, Origin: "http://localhost:9090", Report: "{}"},
		pages.Reason{Frame: frame, Text: pages.ReasonText{
			Code: "session.none", Title: "s", Happened: "a `b` c", Spec: []pages.Link{{Text: "t", URL: "https://spec.test/"}},
		}},
		pages.Reasons{Frame: frame, Groups: []pages.ReasonGroup{{Title: "g",
			Reasons: []pages.ReasonText{{Code: "session.none"}}}}},
		pages.Home{
			Frame: frame, Dev: true, Accounts: accounts, Users: accounts, Clients: []oidc.Client{client},
			Consents:  []pages.Remembered{{Client: client, Scopes: []string{"email"}}},
			Endpoints: []pages.Endpoint{{Name: "jwks_uri", URL: "u"}},
		},
		pages.Device{Frame: frame, UserCode: "WDJB-MJHT", Account: alice,
			Scopes: []pages.ScopeText{{Name: "email"}}},
		pages.NewFormPost(frame, "https://app.test/cb", url.Values{"code": {"c"}}),
		pages.NewWebMessage(frame, "https://app.test", url.Values{"code": {"c"}}),
	}
}

func TestEachPageIsWhole(t *testing.T) {
	for _, page := range everyPage("") {
		w := httptest.NewRecorder()
		if err := ourPages(t).Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
			t.Errorf("Render = %v", err)
		} else if !strings.Contains(w.Body.String(), "</title>") || !strings.HasSuffix(w.Body.String(), "</html>") {
			t.Errorf("the page %T is not whole:\n%s", page, w.Body)
		}
	}
}

// A developer sees at a list of redirect URIs which of them match with any port, and the default of what is not set.
func TestListsOfRedirectURIsSayWhosePortIsFree(t *testing.T) {
	frame := pages.Frame{Language: "en"}
	uris := []string{"http://localhost:9090/cb", "https://localhost:9090/cb", "http://app.test/cb"}
	for text, page := range map[string]pages.Page{
		"the home page": pages.Home{Frame: frame, Dev: true, Clients: []oidc.Client{{ClientID: "web", RedirectURIs: uris}}},
		"the error":     pages.Error{Frame: frame, Registered: uris},
		"the nearest":   pages.Error{Frame: frame, Nearest: uris[0]},
	} {
		w := httptest.NewRecorder()
		if err := ourPages(t).Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
			t.Fatal(err)
		}
		marked := regexp.MustCompile(`<code>([^<]*)</code>\s*<span class="[^"]*any-port">any port`)
		if found := marked.FindAllStringSubmatch(w.Body.String(), -1); len(found) != 1 || found[0][1] != uris[0] {
			t.Errorf("%s: the marked addresses are %q; want only %s", text, found, uris[0])
		}
		if isHome := text == "the home page"; isHome != strings.Contains(w.Body.String(), "client_secret_basic") {
			t.Errorf("%s has client_secret_basic: %v", text, !isHome)
		}
	}
}

// OAuth 2.0 Form Post Response Mode §2: the parameters are the form's fields.
func TestNewFormPost(t *testing.T) {
	values := url.Values{"state": {"s"}, "code": {"c"}, "iss": {"i"}}
	want := []pages.Value{{Name: "code", Value: "c"}, {Name: "iss", Value: "i"}, {Name: "state", Value: "s"}}
	for range 10 { // the order of a map changes, that of the page does not
		if diff := cmp.Diff(want, pages.NewFormPost(pages.Frame{}, "https://app.test/cb", values).Values); diff != "" {
			t.Fatalf("Values (-want +got):\n%s", diff)
		}
	}
}

func TestAFormPostLeadsToANativeApp(t *testing.T) {
	w := httptest.NewRecorder()
	page := pages.NewFormPost(pages.Frame{}, "com.example.app:/cb?x=1", nil)
	if err := ourPages(t).Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
		t.Fatal(err)
	}
	if want := ` action="com.example.app:/cb?x=1"`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("the form leads to %s; want %s, which was verified", w.Body, want)
	}
}

func TestAccounts(t *testing.T) {
	got := pages.Accounts([]users.User{
		{Sub: "1", Username: "alice", Password: "secret",
			Claims: map[string]any{"name": "Alice Archer", "email": "alice@example.com"}},
		{Sub: "2", Username: "bob"},
	})
	want := []pages.Account{{Sub: "1", Username: "alice", Name: "Alice Archer", Email: "alice@example.com"},
		{Sub: "2", Username: "bob", Name: "bob"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Accounts (-want +got):\n%s", diff)
	}
}

func TestDescribeScope(t *testing.T) {
	texts := map[string]string{"api.read": "Read from the API", "email": "See where we write to you"}
	got := pages.DescribeScope(oidc.ParseScope("openid email api.read api.write"), texts)
	want := []pages.ScopeText{
		{Name: "openid"},
		{Name: "email", Description: "See where we write to you"},
		{Name: "api.read", Description: "Read from the API"},
		{Name: "api.write"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the words are those of the configuration (-want +got):\n%s", diff)
	}
}
