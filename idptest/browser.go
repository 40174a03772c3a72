package idptest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// CodeVerifier is the code_verifier of every Request, so that a test can redeem the code.
const CodeVerifier = "a-code-verifier-of-exactly-43-characters-ok"

// Browser stores cookies, reads forms and posts them. It follows no redirect by itself.
type Browser struct {
	// Host is the Host header of requests, as a load balancer passes it on. Empty: the host of the address.
	Host string

	t        testing.TB
	provider *Provider
	http     *http.Client
	home     *url.URL // the issuer
}

// Page is an answer.
type Page struct {
	Status   int
	Header   http.Header
	Body     string
	Location *url.URL // nil without a redirect
}

// Browser returns a browser without cookies.
func (p *Provider) Browser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	home, errHome := url.Parse(p.Issuer)
	if err != nil || errHome != nil {
		t.Fatal(err, errHome)
	}
	never := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Browser{t: t, provider: p, home: home, http: &http.Client{Jar: jar, CheckRedirect: never}}
}

// Provider returns the provider that the browser was made for.
func (b *Browser) Provider() *Provider { return b.provider }

// Request is a good authentication request of the built-in client spa or web, with PKCE, state and nonce; then names
// and values that replace parameters, or remove them where the value is "".
func Request(clientID string, change ...string) url.Values {
	path := map[string]string{"spa": "/spa/callback.html", "web": "/web/callback"}[clientID]
	params := url.Values{
		"client_id": {clientID}, "redirect_uri": {"http://localhost:9090" + path}, "response_type": {"code"},
		"scope": {"openid profile email api.read"}, "state": {"the state;url"}, "nonce": {"the nonce"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(CodeVerifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "" {
			params.Del(change[i])
		} else {
			params.Set(change[i], change[i+1])
		}
	}
	return params
}

// Do sends r with the browser's cookies.
func (b *Browser) Do(r *http.Request) Page {
	b.t.Helper()
	response, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	page := Page{Status: response.StatusCode, Header: response.Header, Body: string(body)}
	if location := response.Header.Get("Location"); location != "" {
		if page.Location, err = r.URL.Parse(location); err != nil {
			b.t.Fatal(err)
		}
	}
	return page
}

// Get requests a path of the provider, or a whole URL.
func (b *Browser) Get(target string) Page {
	b.t.Helper()
	return b.Do(b.request(http.MethodGet, target, nil))
}

// GetWithToken requests a path of the provider with an access token in the header (RFC 6750 §2.1).
func (b *Browser) GetWithToken(target, accessToken string) Page {
	b.t.Helper()
	r := b.request(http.MethodGet, target, nil)
	r.Header.Set("Authorization", "Bearer "+accessToken)
	return b.Do(r)
}

// Cookies returns the cookies that the browser would send to the provider.
func (b *Browser) Cookies() []*http.Cookie { return b.http.Jar.Cookies(b.home) }

// SetCookies gives the browser cookies of the provider.
func (b *Browser) SetCookies(cookies []*http.Cookie) { b.http.Jar.SetCookies(b.home, cookies) }

// Post posts a form to a path of the provider.
func (b *Browser) Post(target string, form url.Values) Page {
	b.t.Helper()
	return b.Do(b.request(http.MethodPost, target, form))
}

func (b *Browser) request(method, target string, form url.Values) *http.Request {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.provider.Issuer + target
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host = b.Host
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// Submit posts the first form of page that has all fields of fill to the form's action: fill's values and the hidden
// fields.
func (b *Browser) Submit(page Page, fill url.Values) Page {
	b.t.Helper()
	document, err := html.Parse(strings.NewReader(page.Body))
	if err != nil {
		b.t.Fatal(err)
	}
	for node := range document.Descendants() {
		if fields, ok := fieldsOf(node, fill); ok && node.Data == "form" {
			action, err := b.home.Parse(attribute(node, "action"))
			if err != nil {
				b.t.Fatal(err)
			}
			return b.Post(action.String(), fields)
		}
	}
	b.t.Fatalf("no form of the page has the fields %v:\n%s", fill, page.Body)
	return Page{}
}

// SignIn signs the user in by the login form, with the name as password, and without an application.
func (b *Browser) SignIn(username string) {
	b.t.Helper()
	page := b.Submit(b.Get("/login"), url.Values{"username": {username}, "password": {username}})
	if page.Status != http.StatusSeeOther {
		b.t.Fatalf("signing in %s gave %d:\n%s", username, page.Status, page.Body)
	}
}

// Authorize sends an authentication request.
func (b *Browser) Authorize(params url.Values) Page {
	b.t.Helper()
	return b.Get("/authorize?" + params.Encode())
}

// Code sends an authentication request and returns the code of the answer.
func (b *Browser) Code(params url.Values) string {
	b.t.Helper()
	page := b.Authorize(params)
	answer := url.Values{}
	if page.Location != nil {
		answer, _ = oidc.ParseQuery(page.Location.RawQuery)
	}
	if answer.Get("code") == "" {
		b.t.Fatalf("no code: %d %v\n%s", page.Status, page.Location, page.Body)
	}
	return answer.Get("code")
}

// Tokens redeems a code of Request(clientID) and returns the JSON of the token endpoint.
func (b *Browser) Tokens(clientID, code string) map[string]any {
	b.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {clientID}, "code_verifier": {CodeVerifier},
		"redirect_uri": {Request(clientID).Get("redirect_uri")},
	}
	if clientID == "web" {
		form.Set("client_secret", "web-secret")
	}
	page := b.Post("/token", form)
	if page.Status != http.StatusOK {
		b.t.Fatalf("the token endpoint gave %d: %s", page.Status, page.Body)
	}
	return page.JSON(b.t)
}

// JSON reads the body as a JSON object.
func (p Page) JSON(t testing.TB) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(p.Body), &object); err != nil {
		t.Fatalf("no JSON object: %v\n%s", err, p.Body)
	}
	return object
}

// fieldsOf returns the values that the form sends when it is filled, if it has all fields of fill.
func fieldsOf(form *html.Node, fill url.Values) (fields url.Values, ok bool) {
	fields, names := url.Values{}, map[string]bool{}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		names[name] = true
		if attribute(node, "type") == "hidden" {
			fields.Set(name, attribute(node, "value"))
		}
	}
	for name, values := range fill {
		if !names[name] {
			return nil, false
		}
		fields[name] = values
	}
	return fields, true
}

func attribute(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
