package console_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

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
func asksSilently(h *fixture) {
	params := trace.Params(url.Values{"client_id": {"spa"}, "redirect_uri": {"http://localhost:9090/other"},
		"state": {strings.Repeat("a1", 16)}, "code_challenge_method": {"S256"}})
	_, recorder := h.Hub.Begin(context.Background(), trace.Record{ID: "a", Endpoint: "authorize", Method: "GET",
		ClientID: "spa", Silent: true, Params: params, Status: 400, Fetch: trace.Fetch{Dest: "iframe"},
		Issuer: "http://idp.localhost:8080"})
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
