package fedcm_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

var rows = []row{
	{"FedCM, Sec-Fetch-Dest: a script of the app cannot send the request by itself", func(a *asked) {
		a.header.Set("Sec-Fetch-Dest", "empty")
	}, "invalid_request", true},
	{"FedCM, Sec-Fetch-Dest: login CSRF, a form of another page cannot send the request", func(a *asked) {
		a.header.Set("Sec-Fetch-Dest", "document")
	}, "invalid_request", true},
	{"FedCM, Sec-Fetch-Dest: the header is missing", func(a *asked) { a.header.Del("Sec-Fetch-Dest") },
		"invalid_request", true},
	{"FedCM, clientId names a registered client", func(a *asked) { a.form.Set("client_id", "nobody") },
		"unauthorized_client", true},
	{"FedCM, Identity assertion endpoint: the assertion is for another client than the origin's", func(a *asked) {
		a.form.Set("client_id", "other")
	}, "unauthorized_client", true},
	{"FedCM, Identity assertion endpoint: the Origin is of another site", func(a *asked) {
		a.header.Set("Origin", "https://evil.test")
	}, "unauthorized_client", true},
	{"FedCM, Identity assertion endpoint: the Origin is opaque", func(a *asked) { a.header.Set("Origin", "null") },
		"unauthorized_client", true},
	{"FedCM, Identity assertion endpoint: the Origin is missing", func(a *asked) { a.header.Del("Origin") },
		"unauthorized_client", true},
	{"FedCM, Identity assertion endpoint: the Origin only begins like the client's", func(a *asked) {
		a.header.Set("Origin", "http://app.localhost.evil.test:9090")
	}, "unauthorized_client", true},
	{"FedCM, Identity assertion endpoint: account_id is missing", func(a *asked) { a.form.Del("account_id") },
		"invalid_request", false},
	{"FedCM for OAuth: the redirect_uri has another origin of the client than the script", func(a *asked) {
		a.params["redirect_uri"] = "http://localhost:9090/spa/callback.html"
	}, "invalid_request", false},
	{"RFC 8252 §7.3 another port of the loopback name is another origin", func(a *asked) {
		a.header.Set("Origin", "http://app.localhost:9091")
	}, "invalid_request", false},
	{"Core §3.1.2.1 the redirect_uri is not registered", func(a *asked) {
		a.params["redirect_uri"] = appOrigin + "/elsewhere"
	}, "invalid_request", false},
	{"Core §3.1.2.1 the redirect_uri is missing", func(a *asked) { delete(a.params, "redirect_uri") },
		"invalid_request", false},
	{"Core §3.1.2.1 the scope has no openid", func(a *asked) { a.params["scope"] = "profile" }, "invalid_scope", false},
	{"RFC 9700 §2.1.1 a public client sends a code_challenge", func(a *asked) {
		delete(a.params, "code_challenge")
		delete(a.params, "code_challenge_method")
	}, "invalid_request", false},
	{"RFC 7636 §4.3 code_challenge_method is S256, not plain", func(a *asked) {
		a.params["code_challenge_method"] = "plain"
	}, "invalid_request", false},
	{"FedCM for OAuth: response_mode=id_token is not supported", func(a *asked) {
		a.params["response_mode"] = "id_token"
	}, "invalid_request", false},
	{"Core §3.1.2.2 the id_token_hint is about another user than the chosen one", func(a *asked) {
		a.params["claims"] = map[string]any{"id_token": map[string]any{"sub": map[string]any{"value": "bob"}}}
	}, "login_required", false},
	{"Core §3.1.2.3 the chosen account is not signed in, and prompt=none forbids a page", func(a *asked) {
		a.form.Set("account_id", "bob")
		a.params["prompt"] = "none"
	}, "login_required", false},
	{"Core §3.1.2.3 an unknown account is refused as one that is not signed in", func(a *asked) {
		a.form.Set("account_id", "nobody")
		a.params["prompt"] = "none"
	}, "login_required", false},
	{"Core §3.1.2.1 prompt=select_account needs the dialog", func(a *asked) {
		a.form.Set("is_auto_selected", "true")
		a.params["prompt"] = "select_account"
	}, "account_selection_required", false},
	{"Core §3.1.2.1 prompt=consent is not skipped, and prompt=none forbids a page", func(a *asked) {
		a.params["prompt"] = "none consent"
	}, "invalid_request", false},
	{"RFC 6749 appendix B: the body is no form", func(a *asked) { a.tail = "&x=%zz" }, "invalid_request", false},
}

func TestAssertion(t *testing.T) {
	p := start(t)
	alice := p.Browser(t)
	alice.SignIn("alice")
	got := good().send(t, alice)
	if got.Token == "" || !got.readable(appOrigin) || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the good request gives %d %v %s", got.status, got.header, got.body)
	}
	if got.header.Get("Set-Cookie") != "" {
		t.Errorf("signing in by FedCM must change nothing at the provider: %v", got.header)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := good()
			row.change(a)
			a.send(t, alice).check(t, row, a)
		})
	}
}

func TestTheCodeIsRedeemedAsAlways(t *testing.T) { // RFC 6749 §4.1.3
	p := start(t)
	alice := p.Browser(t)
	alice.SignIn("alice")
	redeem := func(code string, change ...string) (int, map[string]any) {
		form := url.Values{
			"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {code},
			"redirect_uri": {appOrigin + "/spa/callback.html"}, "code_verifier": {idptest.CodeVerifier},
		}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		page := p.Browser(t).Post("/token", form)
		return page.Status, page.JSON(t)
	}
	code := good().send(t, alice).Token
	status, tokens := redeem(code)
	if status != http.StatusOK || tokens["id_token"] == nil || tokens["access_token"] == nil {
		t.Fatalf("%d %v", status, tokens)
	}
	if status, refused := redeem(code); status != http.StatusBadRequest || refused["error"] != "invalid_grant" {
		t.Errorf("RFC 6749 §4.1.2 a replayed code gives %d %v", status, refused)
	}
	if page := alice.GetWithToken("/userinfo", tokens["access_token"].(string)); page.Status != http.StatusUnauthorized {
		t.Errorf("RFC 6749 §4.1.2 after the replay the tokens of the first use are revoked; got %d", page.Status)
	}
	for name, change := range map[string][]string{
		"RFC 7636 §4.6 a wrong code_verifier":                {"code_verifier", strings.Repeat("x", 43)},
		"RFC 6749 §4.1.3 another redirect_uri of the client": {"redirect_uri", "http://localhost:9090/spa/callback.html"},
		"RFC 6749 §4.1.3 another client":                     {"client_id", "club"},
	} {
		if status, refused := redeem(good().send(t, alice).Token, change...); refused["error"] != "invalid_grant" {
			t.Errorf("%s gives %d %v", name, status, refused)
		}
	}
}
