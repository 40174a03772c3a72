package fedcm_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

const appOrigin = "http://app.localhost:9090"

// start runs a provider with clients of three kinds: spa is first-party, club is not, and other is not and has another
// origin.
func start(t *testing.T) *idptest.Provider {
	t.Helper()
	return idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Users = append(c.Users, users.User{Username: "dave", Password: "dave"})
		c.Clients = append(c.Clients, oidc.Client{
			ClientID: "club", TokenEndpointAuthMethod: oidc.AuthMethodNone, RedirectURIs: []string{appOrigin + "/club"},
			PolicyURI: "https://club.test/policy", TosURI: "https://club.test/terms",
		}, oidc.Client{
			ClientID: "other", TokenEndpointAuthMethod: oidc.AuthMethodNone, RedirectURIs: []string{"https://other.test/cb"},
		})
	})
}

// params are those of a good request by FedCM, as an app gives them to navigator.credentials.get.
func params() map[string]any {
	good := map[string]any{"redirect_uri": appOrigin + "/spa/callback.html"}
	for _, name := range []string{"scope", "nonce", "code_challenge", "code_challenge_method"} {
		good[name] = idptest.Request("spa").Get(name)
	}
	return good
}

// asked is a request for a code: what the browser sends.
type asked struct {
	form   url.Values
	params map[string]any
	header http.Header
	tail   string // of the body, as it is
}

func good() *asked {
	return &asked{
		form: url.Values{
			"client_id": {"spa"}, "account_id": {"alice"}, "disclosure_text_shown": {"false"}, "is_auto_selected": {"false"},
			"mode": {"passive"}, "fields": {"name,email,picture"},
		},
		params: params(),
		header: http.Header{
			"Sec-Fetch-Dest": {"webidentity"}, "Origin": {appOrigin}, "Sec-Fetch-Site": {"cross-site"},
			"Accept": {"application/json"},
		},
	}
}

// answer is what the provider answers to the browser.
type answer struct {
	Token      string `json:"token"`
	ContinueOn string `json:"continue_on"`
	Error      struct {
		Code  string `json:"code"`
		Error string `json:"error"`
		URL   string `json:"url"`
	} `json:"error"`
	status int
	header http.Header
	body   string
}

func (a *asked) send(t *testing.T, b *idptest.Browser) (got answer) {
	t.Helper()
	if a.params != nil {
		text, err := json.Marshal(a.params)
		if err != nil {
			t.Fatal(err)
		}
		a.form.Set("params", string(text))
	}
	page := post(t, b, "/fedcm/assertion", a.form.Encode()+a.tail, a.header)
	got = answer{status: page.Status, header: page.Header, body: page.Body}
	if json.Unmarshal([]byte(page.Body), &got) != nil && page.Status == http.StatusOK {
		t.Fatalf("%d %s", page.Status, page.Body)
	}
	return got
}

func request(t *testing.T, b *idptest.Browser, method, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.Provider().Issuer+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func post(t *testing.T, b *idptest.Browser, path, body string, header http.Header) idptest.Page {
	t.Helper()
	r := request(t, b, http.MethodPost, path, body)
	r.Header = header.Clone()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.Do(r)
}

// readable tells whether the script gets the answer: CORS with credentials, for one origin.
func (a answer) readable(origin string) bool {
	return a.header.Get("Access-Control-Allow-Origin") == origin &&
		a.header.Get("Access-Control-Allow-Credentials") == "true" && slices.Contains(a.header.Values("Vary"), "Origin")
}

// row is a good request, one change, and the error that the script or the developer sees.
type row struct {
	name   string
	change func(*asked)
	err    string
	hidden bool // the script may not read the answer
}

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
			got := a.send(t, alice)
			if got.Token != "" || got.ContinueOn != "" {
				t.Fatalf("got %s; want the error %s", got.body, row.err)
			}
			if row.hidden {
				if got.header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(got.body, row.err) {
					t.Errorf("got %v %s; want %s, which no script may read", got.header, got.body, row.err)
				}
				return
			}
			if got.Error.Code != row.err || got.Error.Error != row.err || !got.readable(a.header.Get("Origin")) {
				t.Errorf("got %v %s; want %s, readable for the script", got.header, got.body, row.err)
			}
		})
	}
}

func TestTheCodeIsRedeemedAsAlways(t *testing.T) { // RFC 6749 §4.1.3
	p := start(t)
	alice := p.Browser(t)
	alice.SignIn("alice")
	token := func(code string, change ...string) (int, map[string]any) {
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
	status, tokens := token(code)
	if status != http.StatusOK || tokens["id_token"] == nil || tokens["access_token"] == nil {
		t.Fatalf("%d %v", status, tokens)
	}
	if status, refused := token(code); status != http.StatusBadRequest || refused["error"] != "invalid_grant" {
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
		if status, refused := token(good().send(t, alice).Token, change...); refused["error"] != "invalid_grant" {
			t.Errorf("%s gives %d %v", name, status, refused)
		}
	}
}

func getAs(t *testing.T, b *idptest.Browser, path, dest string) idptest.Page {
	t.Helper()
	r := request(t, b, http.MethodGet, path, "")
	r.Header.Set("Sec-Fetch-Dest", dest)
	return b.Do(r)
}

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
