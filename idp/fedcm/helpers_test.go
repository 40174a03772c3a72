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
		c.PairwiseSalt = "a salt of this test that is long enough"
		c.Users = append(c.Users, users.User{Username: "dave", Password: "dave"})
		c.Clients = append(c.Clients, oidc.Client{
			ClientID: "club", TokenEndpointAuthMethod: oidc.AuthMethodNone, RedirectURIs: []string{appOrigin + "/club"},
			PolicyURI: "https://club.test/policy", TosURI: "https://club.test/terms",
		}, oidc.Client{
			ClientID: "pairwise", TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true, SubjectType: "pairwise",
			RedirectURIs: []string{appOrigin + "/pairwise"},
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

func (a *asked) send(t *testing.T, b *idptest.Browser) answer {
	t.Helper()
	return a.sendTo(t, b, "/fedcm/assertion")
}

func (a *asked) sendTo(t *testing.T, b *idptest.Browser, path string) (got answer) {
	t.Helper()
	if a.params != nil {
		text, err := json.Marshal(a.params)
		if err != nil {
			t.Fatal(err)
		}
		a.form.Set("params", string(text))
	}
	page := post(t, b, path, a.form.Encode()+a.tail, a.header)
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

// check holds that the answer is the error of the row, and who may read it.
func (a answer) check(t *testing.T, row row, request *asked) {
	t.Helper()
	switch origin := request.header.Get("Origin"); {
	case a.status == http.StatusOK:
		t.Fatalf("got %s; want the error %s", a.body, row.err)
	case row.hidden && (a.header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(a.body, row.err)):
		t.Errorf("got %v %s; want %s, which no script may read", a.header, a.body, row.err)
	case !row.hidden && (a.Error.Code != row.err || a.Error.Error != row.err || !a.readable(origin)):
		t.Errorf("got %v %s; want %s, readable for the script", a.header, a.body, row.err)
	}
}

// accountsOf is the list that the browser gets for its dialog.
func accountsOf(t *testing.T, b *idptest.Browser) []map[string]any {
	t.Helper()
	var list struct {
		Accounts []map[string]any `json:"accounts"`
	}
	page := getAs(t, b, "/fedcm/accounts", "webidentity")
	if err := json.Unmarshal([]byte(page.Body), &list); err != nil || len(list.Accounts) == 0 {
		t.Fatalf("%d %s", page.Status, page.Body)
	}
	return list.Accounts
}

// pairwiseSub is alice's sub for the client with pairwise subs.
func pairwiseSub(t *testing.T, b *idptest.Browser) string {
	t.Helper()
	callback := appOrigin + "/pairwise"
	page := b.Authorize(idptest.Request("spa", "client_id", "pairwise", "redirect_uri", callback))
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"pairwise"}, "code": {page.Location.Query().Get("code")},
		"redirect_uri": {callback}, "code_verifier": {idptest.CodeVerifier},
	}
	access, _ := b.Post("/token", form).JSON(t)["access_token"].(string)
	sub, _ := b.GetWithToken("/userinfo", access).JSON(t)["sub"].(string)
	if sub == "" || sub == "alice" {
		t.Fatalf("the pairwise sub is %q", sub)
	}
	return sub
}

// follow opens the pages of redirects.
func follow(t *testing.T, b *idptest.Browser, page idptest.Page) idptest.Page {
	t.Helper()
	for range 5 {
		if page.Status != http.StatusSeeOther {
			return page
		}
		page = b.Get(page.Location.String())
	}
	t.Fatal("the redirects do not end")
	return page
}

// token is the code that the last page of the pop-up window gives to the browser, or "".
func token(page idptest.Page) string {
	_, rest, _ := strings.Cut(page.Body, ` data-token="`)
	code, _, _ := strings.Cut(rest, `"`)
	return code
}

func getAs(t *testing.T, b *idptest.Browser, path, dest string) idptest.Page {
	t.Helper()
	r := request(t, b, http.MethodGet, path, "")
	r.Header.Set("Sec-Fetch-Dest", dest)
	return b.Do(r)
}
