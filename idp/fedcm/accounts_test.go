package fedcm_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// FedCM, Accounts endpoint.
func TestAccounts(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	b.SignIn("alice")
	b.SignIn("dave")
	good().send(t, b)
	page := getAs(t, b, "/fedcm/accounts", "webidentity")
	var got struct {
		Accounts []map[string]any `json:"accounts"`
	}
	if err := json.Unmarshal([]byte(page.Body), &got); err != nil || len(got.Accounts) != 2 {
		t.Fatalf("%d %s", page.Status, page.Body)
	}
	dave, alice := got.Accounts[0], got.Accounts[1]
	if alice["id"] != "alice" || alice["name"] != "Alice Archer" || alice["email"] != "alice@example.com" ||
		alice["given_name"] != "Alice" {
		t.Errorf("alice is %v", alice)
	}
	if list := alice["approved_clients"].([]any); len(list) != 1 || list[0] != "spa" {
		t.Errorf("alice used the first-party client spa, and no other: %v", list)
	}
	if hints := alice["login_hints"].([]any); len(hints) != 2 || hints[0] != "alice" || hints[1] != "alice@example.com" {
		t.Errorf("login_hints = %v", hints)
	}
	if domains := alice["domain_hints"].([]any); len(domains) != 1 || domains[0] != "example.com" {
		t.Errorf("domain_hints = %v", domains)
	}
	if dave["email"] != "dave" || dave["domain_hints"] != nil {
		t.Errorf("FedCM for OAuth: a user without an email is shown by name: %v", dave)
	}
	if h := page.Header; h.Get("Access-Control-Allow-Origin") != "" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("no script may read the list: %v", h)
	}
}

func TestTheAccountsEndpointTellsNobodyWhoHasAnAccount(t *testing.T) {
	p := start(t)
	alice, nobody := p.Browser(t), p.Browser(t)
	alice.SignIn("alice")
	for name, page := range map[string]idptest.Page{
		"a script of the app":      getAs(t, alice, "/fedcm/accounts", "empty"),
		"a frame":                  getAs(t, alice, "/fedcm/accounts", "iframe"),
		"a page":                   getAs(t, alice, "/fedcm/accounts", "document"),
		"a browser without cookie": getAs(t, nobody, "/fedcm/accounts", "webidentity"),
	} {
		if page.Status == http.StatusOK || strings.Contains(page.Body, "alice") || page.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s gets %d %s", name, page.Status, page.Body)
		}
	}
	page := getAs(t, nobody, "/fedcm/accounts?account_id=alice", "webidentity")
	if page.Status != http.StatusUnauthorized {
		t.Errorf("FedCM, Accounts endpoint: without a session the status is 401, not %d", page.Status)
	}
	if challenge := page.Header.Get("WWW-Authenticate"); challenge == "" {
		t.Errorf("RFC 9110 §11.6.1: a 401 must have a challenge")
	}
	if other := getAs(t, nobody, "/fedcm/accounts?account_id=zzz", "webidentity"); other.Body != page.Body {
		t.Errorf("%s and %s differ", page.Body, other.Body)
	}
}

func TestDocuments(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	known := getAs(t, b, "/.well-known/web-identity", "webidentity").JSON(t)
	config := getAs(t, b, "/fedcm/config.json", "webidentity").JSON(t)
	urls := known["provider_urls"].([]any)
	if len(urls) != 1 || urls[0] != p.Issuer+"/fedcm/config.json" {
		t.Errorf("FedCM, the well-known file: provider_urls = %v", urls)
	}
	for _, member := range []string{"accounts_endpoint", "login_url"} {
		if known[member] != config[member] || config[member] == nil {
			t.Errorf("FedCM, the well-known file: %s = %v; in the configuration %v", member, known[member], config[member])
		}
	}
	for member, value := range config {
		if address, ok := value.(string); ok && !strings.HasPrefix(address, p.Issuer+"/") {
			t.Errorf("FedCM, the config file: %s = %s has another origin than the configuration", member, address)
		}
	}
	metadata := getAs(t, b, "/fedcm/client_metadata?client_id=club", "webidentity")
	want := `{"privacy_policy_url":"https://club.test/policy","terms_of_service_url":"https://club.test/terms"}`
	if strings.TrimSpace(metadata.Body) != want {
		t.Errorf("FedCM, Client metadata: %s; want %s", metadata.Body, want)
	}
	unknown := getAs(t, b, "/fedcm/client_metadata?client_id=nobody", "webidentity")
	if unknown.Status != http.StatusBadRequest {
		t.Errorf("FedCM, Client metadata of an unknown client: %d %s", unknown.Status, unknown.Body)
	}
}

// Login Status API §3.1: the provider says whether somebody is signed in.
func TestLoginStatus(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := b.Submit(b.Get("/login"), url.Values{"username": {"alice"}, "password": {"alice"}})
	if got := page.Header.Get("Set-Login"); got != "logged-in" {
		t.Errorf("the sign-in says %q", got)
	}
	if got := b.Authorize(idptest.Request("spa", "prompt", "none")).Header.Get("Set-Login"); got != "" {
		t.Errorf("a renewal changes nothing, and says %q", got)
	}
	page = b.Submit(b.Get("/logout"), url.Values{"decision": {"sign_out"}})
	if got := page.Header.Get("Set-Login"); got != "logged-out" {
		t.Errorf("the sign-out says %q", got)
	}
}
