package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// findingOf is the finding of a check in the answer.
func findingOf(t *testing.T, answer map[string]any, name string) map[string]any {
	t.Helper()
	for _, one := range answer["findings"].([]any) {
		if finding := one.(map[string]any); finding["check"] == name {
			return finding
		}
	}
	t.Fatalf("the answer has no finding %s: %v", name, answer)
	return nil
}

// asksSilently is a silent request of the client spa, with parameters that only oidc-client-ts sends so.
func asksSilently(h *fixture) { asks(h, "http://localhost:9090/other", "a") }

func asks(h *fixture, redirectURI, id string) {
	params := trace.Params(url.Values{"client_id": {"spa"}, "redirect_uri": {redirectURI},
		"state": {strings.Repeat(id+"1", 16)}, "code_challenge_method": {"S256"}})
	_, recorder := h.Hub.Begin(context.Background(), trace.Record{ID: id, Endpoint: "authorize", Method: "GET",
		ClientID: "spa", Silent: true, Params: params, Status: 400, Fetch: trace.Fetch{Dest: "iframe"},
		Issuer: "http://idp.localhost:8080"})
	recorder.End()
}

// triesIt is a silent request of the client spa that the console sends.
func triesIt(h *fixture) {
	params := trace.Params(url.Values{"client_id": {"spa"}, "redirect_uri": {h.Issuer + "/console/callback"}})
	_, recorder := h.Hub.Begin(context.Background(), trace.Record{ID: "b", Endpoint: "authorize", Method: "GET",
		ClientID: "spa", Silent: true, Params: params, Status: 303, Fetch: trace.Fetch{Dest: "iframe"}, Issuer: h.Issuer})
	recorder.End()
}

func TestChecks(t *testing.T) {
	h := newFixture(t)
	before := h.json(t, 200, "GET", "/console/checks?client=spa", "")
	if got := findingOf(t, before, "redirect.registered"); got["outcome"] != "not_seen" || got["do"] == nil {
		t.Errorf("before a request: %v", got)
	}
	if before["library"] != "other" || before["inferred"] != true {
		t.Errorf("before a request the library is %v", before["library"])
	}
	asksSilently(h)
	after := h.json(t, 200, "GET", "/console/checks?client=spa", "")
	if got := findingOf(t, after, "redirect.registered"); got["outcome"] != "fails" ||
		got["reason"] != "redirect.unregistered" || !strings.Contains(got["remedy"].(string), "silent_redirect_uri") {
		t.Errorf("after a request with another redirect URI: %v", got)
	}
	if after["library"] != "oidc-client-ts" {
		t.Errorf("the library is %v", after["library"])
	}
	triesIt(h)
	if tried := h.json(t, 200, "GET", "/console/checks?client=spa", ""); !reflect.DeepEqual(tried, after) {
		t.Errorf("after a request of the tab Try it: %v; want %v", tried, after)
	}
	named := h.json(t, 200, "GET", "/console/checks?client=spa&library=MSAL", "")
	if got := findingOf(t, named, "redirect.registered"); named["inferred"] != false ||
		!strings.Contains(got["remedy"].(string), "auth.redirectUri") {
		t.Errorf("with a named library: %v", got)
	}
}

func TestChecksOfNobody(t *testing.T) {
	h := newFixture(t)
	h.json(t, 404, "GET", "/console/checks?client=nobody", "")
	h.json(t, 404, "GET", "/console/checks", "")
	if got := h.json(t, 400, "GET", "/console/checks?client=spa&library=mine", ""); !strings.Contains(
		got["error_description"].(string), "oidc-client-ts") {
		t.Errorf("got %v; want the libraries", got)
	}
}

// site is an app whose callback page no page may frame. asked counts the requests.
func site(t *testing.T) (callback string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("X-Frame-Options", "DENY")
	}))
	t.Cleanup(server.Close)
	return server.URL + "/callback", asked
}

func TestThePagesOfAnAppAreFetched(t *testing.T) {
	h := newFixture(t)
	callback, asked := site(t)
	h.json(t, 200, "PUT", "/console/clients/app",
		`{"token_endpoint_auth_method": "none", "redirect_uris": ["`+callback+`"]}`)
	h.json(t, 200, "GET", "/console/checks?client=app", "")
	if asked.Load() != 0 {
		t.Error("GET asks the app")
	}
	answer := h.json(t, 200, "POST", "/console/checks", `{"client_id": "app", "library": "keycloak-js"}`)
	if got := findingOf(t, answer,
		"callback.framable"); got["outcome"] != "fails" || answer["library"] != "keycloak-js" {
		t.Errorf("got %v", got)
	}
	later := h.json(t, 200, "GET", "/console/checks?client=app", "")
	if got := findingOf(t, later, "callback.framable"); got["outcome"] != "fails" || len(later["pages"].([]any)) != 2 {
		t.Errorf("later: got %v", later)
	}
	if asked.Load() != 2 {
		t.Errorf("%d requests to the app; want one for each page", asked.Load())
	}
	h.json(t, 400, "POST", "/console/checks", `{"client": "app"}`)
	h.json(t, 404, "POST", "/console/checks", `{"client_id": "nobody"}`)
}

// CWE-918: who registers itself makes the provider ask nothing on this machine.
func TestTheAddressesOfAStrangerAreNotAsked(t *testing.T) {
	h := newFixture(t)
	callback, asked := site(t)
	seal, err := keys.NewSeal([][]byte{[]byte(strings.Repeat("k", 32))})
	must(t, err)
	registered := clients.NewRegistered(storage.NewMemory(time.Now), seal, time.Now)
	stranger := oidc.Client{ClientID: "stranger", TokenEndpointAuthMethod: oidc.AuthMethodNone,
		RedirectURIs: []string{callback}}
	must(t, registered.Add(t.Context(), registered.NewEntry(stranger, oidc.NewSecret("token"))))
	h.Clients = clients.On(storage.Alone(), []oidc.Client{spa()}, registered, letIn{stranger.RedirectURIs})
	for client, want := range map[string]int32{"stranger": 0, "let-in": 2} {
		asked.Store(0)
		answer := h.json(t, 200, "POST", "/console/checks", `{"client_id": "`+client+`"}`)
		if asked.Load() != want {
			t.Errorf("%s: %d requests, %v", client, asked.Load(), answer["pages"])
		}
	}
	h.FetchPrivate = false
	asked.Store(0)
	h.json(t, 200, "POST", "/console/checks", `{"client_id": "let-in"}`)
	if asked.Load() != 0 {
		t.Error("this machine is asked although fetch.allow_private is off")
	}
}

// letIn is one client that any_client lets in.
type letIn struct{ redirectURIs []string }

func (l letIn) All() []oidc.Client {
	return []oidc.Client{{ClientID: "let-in", TokenEndpointAuthMethod: oidc.AuthMethodNone,
		RedirectURIs: l.redirectURIs}}
}

func (l letIn) ByID(id string) *oidc.Client {
	if id == "let-in" {
		return &l.All()[0]
	}
	return nil
}

func (letIn) AllowsOrigin(string) bool { return false }

func (letIn) Reset() {}
