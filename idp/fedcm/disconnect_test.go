package fedcm_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// disconnection is a good request to disconnect, as the browser sends it.
func disconnection() *asked {
	return &asked{form: url.Values{"client_id": {"spa"}, "account_hint": {"alice"}}, header: good().header}
}

var disconnections = []row{
	{"FedCM, Sec-Fetch-Dest: a script of the app cannot disconnect by itself", func(a *asked) {
		a.header.Set("Sec-Fetch-Dest", "empty")
	}, "invalid_request", true},
	{"FedCM, Disconnect endpoint: the client is not registered", func(a *asked) { a.form.Set("client_id", "nobody") },
		"unauthorized_client", true},
	{"FedCM, Disconnect endpoint: another site disconnects the app", func(a *asked) {
		a.header.Set("Origin", "https://other.test")
	}, "unauthorized_client", true},
	{"FedCM, Disconnect endpoint: account_hint is missing", func(a *asked) { a.form.Del("account_hint") },
		"login_required", false},
	{"FedCM, Disconnect endpoint: account_hint names an account of another browser", func(a *asked) {
		a.form.Set("account_hint", "bob")
	}, "login_required", false},
	{"FedCM, Disconnect endpoint: account_hint names nobody", func(a *asked) {
		a.form.Set("account_hint", "nobody")
	}, "login_required", false},
	{"RFC 6749 appendix B: the body is no form", func(a *asked) { a.tail = "&x=%zz" }, "invalid_request", false},
}

func TestDisconnectRefuses(t *testing.T) {
	p := start(t)
	alice := p.Browser(t)
	alice.SignIn("alice")
	for _, row := range disconnections {
		t.Run(row.name, func(t *testing.T) {
			a := disconnection()
			row.change(a)
			a.sendTo(t, alice, "/fedcm/disconnect").check(t, row, a)
		})
	}
	got := disconnection().sendTo(t, p.Browser(t), "/fedcm/disconnect")
	if got.Error.Code != "login_required" {
		t.Errorf("FedCM, Disconnect endpoint: without a session the answer is %s", got.body)
	}
}

// FedCM, Disconnect endpoint: the connection of the account and the client ends, and the browser hears which account it
// was.
func TestDisconnect(t *testing.T) {
	for hint, name := range map[string]string{"alice": "sub", "alice@example.com": "email", "ALICE": "username"} {
		p := start(t)
		b := p.Browser(t)
		b.SignIn("bob")
		b.SignIn("alice")
		access := b.Tokens("spa", b.Code(idptest.Request("spa", "login_hint", "alice")))["access_token"].(string)
		if page := b.GetWithToken("/userinfo", access); page.Status != http.StatusOK {
			t.Fatalf("userinfo: %d %s", page.Status, page.Body)
		}
		a := disconnection()
		a.form.Set("account_hint", hint)
		got := a.sendTo(t, b, "/fedcm/disconnect")
		if strings.TrimSpace(got.body) != `{"account_id":"alice"}` || !got.readable(appOrigin) {
			t.Fatalf("by %s: %d %v %s", name, got.status, got.header, got.body)
		}
		if page := b.GetWithToken("/userinfo", access); page.Status != http.StatusUnauthorized {
			t.Errorf("by %s: the access token still opens userinfo: %d", name, page.Status)
		}
		if approved := accountsOf(t, b)[0]["approved_clients"].([]any); len(approved) != 0 {
			t.Errorf("by %s: the browser still takes the user for known to %v", name, approved)
		}
		if good().send(t, b).Token == "" {
			t.Errorf("by %s: the user cannot sign in to the app again", name)
		}
	}
}

// Core §8.1: an app with pairwise subs knows the account by its own sub.
func TestDisconnectByThePairwiseSub(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	b.SignIn("alice")
	a := disconnection()
	a.form.Set("client_id", "pairwise")
	a.form.Set("account_hint", pairwiseSub(t, b))
	if got := a.sendTo(t, b, "/fedcm/disconnect"); strings.TrimSpace(got.body) != `{"account_id":"alice"}` {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// FedCM for OAuth, Scope: a client that needs consent gets a code after the page that asks for it, not before.
func TestConsentIsAskedInThePopUp(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	b.SignIn("alice")
	fromClub := func(change ...string) answer {
		a := good()
		a.form.Set("client_id", "club")
		a.params["redirect_uri"] = appOrigin + "/club"
		for i := 0; i < len(change); i += 2 {
			a.params[change[i]] = change[i+1]
		}
		return a.send(t, b)
	}
	if got := fromClub("prompt", "none"); got.Error.Code != "consent_required" {
		t.Errorf("Core §3.1.2.1 prompt=none forbids the page: %s", got.body)
	}
	asking := fromClub()
	if asking.Token != "" || !strings.HasPrefix(asking.ContinueOn, p.Issuer+"/consent?") {
		t.Fatalf("got %s; want the page that asks for consent", asking.body)
	}
	denied := follow(t, b, b.Submit(b.Get(asking.ContinueOn), url.Values{"decision": {"deny"}}))
	if token(denied) != "" || denied.Status != http.StatusOK {
		t.Errorf("after the refusal: %d %s", denied.Status, denied.Body)
	}
	allowed := follow(t, b, b.Submit(b.Get(fromClub().ContinueOn), url.Values{"decision": {"allow"}}))
	if token(allowed) == "" || !strings.Contains(allowed.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Fatalf("after the consent: %d %v %s", allowed.Status, allowed.Header, allowed.Body)
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"club"}, "code": {token(allowed)},
		"redirect_uri": {appOrigin + "/club"}, "code_verifier": {idptest.CodeVerifier},
	}
	if page := b.Post("/token", form); page.Status != http.StatusOK {
		t.Errorf("the code of the page gives %d %s", page.Status, page.Body)
	}
	if got := fromClub(); got.Token == "" {
		t.Errorf("the user has allowed it: %s", got.body)
	}
	if got := fromClub("prompt", "consent"); got.Token != "" || !strings.Contains(got.ContinueOn, "/consent?") {
		t.Errorf("Core §3.1.2.1 prompt=consent is not skipped: %s", got.body)
	}
	if approved := accountsOf(t, b)[0]["approved_clients"].([]any); !slices.Contains(approved, any("club")) {
		t.Errorf("approved_clients = %v", approved)
	}
}

// The user signs in on the page with the chosen account only: the code is for no other.
func TestTheCodeAfterAPageIsForTheChosenAccount(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	b.SignIn("bob")
	got := good().send(t, b) // alice was signed out after the dialog was shown
	page := b.Get(got.ContinueOn)
	page = follow(t, b, b.Submit(page, url.Values{"username": {"carol"}, "password": {"carol"}}))
	if token(page) != "" || !strings.Contains(page.Body, `name="username"`) {
		t.Fatalf("carol signed in, and the answer is %d %s", page.Status, page.Body)
	}
	page = follow(t, b, b.Submit(page, url.Values{"username": {"alice"}, "password": {"alice"}}))
	if token(page) == "" {
		t.Errorf("alice signed in, and the answer is %d %s", page.Status, page.Body)
	}
}

// Only a request that the assertion endpoint has verified goes on in the pop-up window.
func TestAnotherRequestDoesNotGoOnInThePopUp(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := b.Authorize(idptest.Request("spa"))
	sealed := page.Location.Query().Get("interaction")
	b.SignIn("alice")
	for _, interaction := range []string{sealed, "", "nonsense"} {
		page := b.Get("/fedcm/continue?interaction=" + interaction)
		if page.Status != http.StatusBadRequest || token(page) != "" {
			t.Errorf("interaction %.9q gives %d %s", interaction, page.Status, page.Body)
		}
	}
}

// FedCM, login_url: the pop-up window closes after the sign-in.
func TestTheLoginPageClosesItself(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := follow(t, b, b.Get("/fedcm/login?login_hint=alice"))
	if !strings.Contains(page.Body, `value="alice"`) {
		t.Errorf("login_hint is not in the form: %s", page.Body)
	}
	page = b.Submit(page, url.Values{"username": {"alice"}, "password": {"alice"}})
	if page.Header.Get("Set-Login") != "logged-in" {
		t.Errorf("the sign-in does not tell the browser: %v", page.Header)
	}
	page = follow(t, b, page)
	if page.Status != http.StatusOK || !strings.Contains(page.Body, "/static/idp/fedcm.js") || token(page) != "" {
		t.Errorf("%d %s", page.Status, page.Body)
	}
}
