package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

const certificationFile = "../../deploy/certification.yaml"

// TestTheFileForTheCertificationPlans: the file is good, and the page about conformance names each client in it.
func TestTheFileForTheCertificationPlans(t *testing.T) {
	s := mustSettings(t, "--config", certificationFile)
	if err := s.checkFiles(); err != nil {
		t.Error(err)
	}
	page, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range s.Clients {
		if !strings.Contains(string(page), client.ClientID) {
			t.Errorf("docs/conformance.md does not say for which plan client %s is", client.ClientID)
		}
	}
}

// certificationModules are a good request of client basic-1 with the change that a module of the plans Basic, Form Post
// or FAPI 2.0 makes. The name of the module is in brackets, without oidcc- and fapi2-security-profile-final-.
var certificationModules = []struct {
	name   string
	change []string
	err    string // "": a code
}{
	{"Core §3.1.2 a good request gives a code (server)", nil, ""},
	{"Core §3.1.2.1 response_type is required (response-type-missing)", []string{"response_type", ""}, "invalid_request"},
	{"Core §3.1.2.1 nonce is optional in the code flow (ensure-request-without-nonce-succeeds-for-code-flow)",
		[]string{"nonce", ""}, ""},
	{"Core §3.1.2.1 state is optional (ensure-authorization-request-without-state-success)", []string{"state", ""}, ""},
	{"Core §3.1.2.1 scope values have any order (ensure-other-scope-order-succeeds)",
		[]string{"scope", "email profile openid"}, ""},
	{"Core §5.4 all scopes at once (scope-all)", []string{"scope", "openid profile email address phone"}, ""},
	{"Core §3.1.2.1 display=page (display-page)", []string{"display", "page"}, ""},
	{"Core §3.1.2.1 display=popup (display-popup)", []string{"display", "popup"}, ""},
	{"Core §3.1.2.1 prompt=none with a session (prompt-none-logged-in)", []string{"prompt", "none"}, ""},
	{"Core §3.1.2.1 max_age that has not passed (max-age-10000)", []string{"max_age", "10000"}, ""},
	{"Core §3.1.2.1 unknown parameters are ignored (ensure-request-with-unknown-parameter-succeeds)",
		[]string{"extra", "foobar"}, ""},
	{"Core §3.1.2.1 login_hint of the session's user (login-hint)", []string{"login_hint", "alice"}, ""},
	{"Core §3.1.2.1 ui_locales that no page has (ui-locales)", []string{"ui_locales", "se"}, ""},
	{"Core §5.2 claims_locales that no claim has (claims-locales)", []string{"claims_locales", "se"}, ""},
	{"Core §3.1.2.1 acr_values are a wish (ensure-request-with-acr-values-succeeds)", []string{"acr_values", "1 2"}, ""},
	{"Core §5.5.1 a claim that is essential (claims-essential)",
		[]string{"claims", `{"userinfo":{"name":{"essential":true}}}`}, ""},
	{"Core §3.1.2.1 nonce of 64 characters (ensure-authorization-request-with-64-char-nonce-success)",
		[]string{"nonce", strings.Repeat("n", 64)}, ""},
	{"Core §3.1.2.1 nonce of 384 characters (ensure-authorization-request-with-long-nonce)",
		[]string{"nonce", strings.Repeat("n", 384)}, ""},
	{"Core §3.1.2.1 state of 1000 characters (ensure-authorization-request-with-long-state)",
		[]string{"state", strings.Repeat("s", 1000)}, ""},
	{"RFC 7636 §4.3 PKCE of a confidential client (ensure-request-with-valid-pkce-succeeds)",
		[]string{"code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method", "S256"}, ""},
	{"RFC 6749 §3.1.1 the implicit flow is not supported (response_type=id_token)",
		[]string{"response_type", "id_token"}, "unsupported_response_type"},
	{"RFC 6749 §3.1.1 nor is the hybrid flow (ensure-response-type-code-id-token-fails)",
		[]string{"response_type", "code id_token"}, "unsupported_response_type"},
	{"RFC 6749 §3.1.1 nor is token alone (ensure-response-type-token-fails)", []string{"response_type", "token"},
		"unsupported_response_type"},
}

func TestTheModulesOfTheCertificationPlans(t *testing.T) {
	s := mustSettings(t, "--config", certificationFile)
	provider := idptest.Start(t, func(c *idp.Config) {
		c.Users, c.Clients, c.SigningKeys, c.PairwiseSalt = s.Users, s.Clients, s.SigningKeys, s.PairwiseSalt
	})
	browser := provider.Browser(t)
	browser.SignIn("alice")
	good := url.Values{"client_id": {"basic-1"}, "redirect_uri": {s.Clients[0].RedirectURIs[0]},
		"response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"}}
	for _, row := range certificationModules {
		t.Run(row.name, func(t *testing.T) {
			for method, send := range map[string]func(url.Values) idptest.Page{
				"GET": browser.Authorize, "POST": func(v url.Values) idptest.Page { return browser.Post("/authorize", v) },
			} {
				request := url.Values{}
				for name, values := range good {
					request[name] = values
				}
				for i := 0; i < len(row.change); i += 2 {
					request.Set(row.change[i], row.change[i+1])
				}
				page := send(request)
				if page.Status != http.StatusSeeOther || page.Location == nil {
					t.Fatalf("%s gives %d %s", method, page.Status, page.Body)
				}
				answer := page.Location.Query()
				if answer.Get("error") != row.err || (row.err == "") != answer.Has("code") ||
					answer.Get("state") != request.Get("state") {
					t.Errorf("%s gives %v", method, page.Location)
				}
			}
		})
	}
}
