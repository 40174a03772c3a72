package idp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// caller sends good requests to the endpoints for programs. Alice is signed in in its browser.
type caller struct {
	t *testing.T
	p *idptest.Provider
	b *idptest.Browser
}

func (c caller) post(path string, form url.Values) *http.Request {
	return get(c.t, http.MethodPost, path, form, "Origin", "http://localhost:9090")
}

func (c caller) accessToken() string {
	return c.b.Tokens("spa", c.b.Code(idptest.Request("spa")))["access_token"].(string)
}

// requests returns a new good request for each endpoint for programs, by path.
func (c caller) requests() map[string]*http.Request {
	c.t.Helper()
	web := func(form url.Values) url.Values {
		form.Set("client_id", "web")
		form.Set("client_secret", "web-secret")
		return form
	}
	document := `{"redirect_uris":["https://late.test/cb"]}`
	register := httptest.NewRequestWithContext(c.t.Context(), http.MethodPost, "/register", strings.NewReader(document))
	register.Header.Set("Content-Type", "application/json")
	register.Header.Set("Origin", "http://localhost:9090")
	client := registered(c.t, c.p)
	access := client["registration_access_token"].(string)
	bearer := func(path, token string) *http.Request {
		return get(c.t, http.MethodGet, path, nil, "Origin", "http://localhost:9090", "Authorization", "Bearer "+token)
	}
	return map[string]*http.Request{
		"/token":                c.post("/token", tokenForm(c.b.Code(idptest.Request("spa")))),
		"/userinfo":             bearer("/userinfo", c.accessToken()),
		"/revoke":               c.post("/revoke", url.Values{"client_id": {"spa"}, "token": {c.accessToken()}}),
		"/introspect":           c.post("/introspect", web(url.Values{"token": {c.accessToken()}})),
		"/par":                  c.post("/par", idptest.Request("spa")),
		"/device_authorization": c.post("/device_authorization", url.Values{"client_id": {"tv"}}),
		"/register":             register,
		"/register/{client_id}": bearer("/register/"+client["client_id"].(string), access),
	}
}

// volatile are the members of answers that differ between two equal requests.
var volatile = []string{
	"access_token", "refresh_token", "request_uri", "device_code", "user_code", "verification_uri_complete", "client_id",
	"client_secret", "registration_access_token", "registration_client_uri", "client_id_issued_at", "iat", "exp", "jti",
	"at_hash",
}

// essence is what an answer says, without its volatile members. Of an ID token it is the claims.
func essence(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var body map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
	}
	if token, ok := body["id_token"]; ok {
		body["id_token"] = stable(claims(t, token))
	}
	h := w.Header().Clone()
	h.Del("X-Request-Id")
	return map[string]any{"status": w.Code, "header": h, "body": stable(body)}
}

func stable(members map[string]any) map[string]any {
	for name := range members {
		if slices.Contains(volatile, name) {
			members[name] = "…"
		}
	}
	return members
}

// An allowed origin may send requests with credentials: "include" (Fetch §3.2.5), so a page could use the sign-in of
// the person in front of it. It gains nothing: no endpoint for programs reads or sets a cookie.
func TestCookiesChangeNoAnswerToAProgram(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients = append(c.Clients, oidc.Client{
			ClientID: "tv", TokenEndpointAuthMethod: oidc.AuthMethodNone, GrantTypes: []string{oidc.GrantDeviceCode},
		})
	})
	c, bob := caller{t, p, p.Browser(t)}, p.Browser(t)
	c.b.SignIn("alice")
	bob.SignIn("bob")
	nonsense := []*http.Cookie{}
	for _, cookie := range bob.Cookies() {
		nonsense = append(nonsense, &http.Cookie{Name: cookie.Name, Value: "nonsense"})
	}
	if len(nonsense) == 0 {
		t.Fatal("the browser has no cookies to send")
	}
	without := map[string]map[string]any{}
	for path, r := range c.requests() {
		w := serve(p, r)
		if w.Code >= http.StatusBadRequest {
			t.Fatalf("%s: the good request gives %d %s", path, w.Code, w.Body)
		}
		without[path] = essence(t, w)
	}
	for name, cookies := range map[string][]*http.Cookie{
		"of the user of the request": c.b.Cookies(), "of another user": bob.Cookies(), "that are unreadable": nonsense,
	} {
		for path, r := range c.requests() {
			for _, cookie := range cookies {
				r.AddCookie(cookie)
			}
			w := serve(p, r)
			if difference := cmp.Diff(without[path], essence(t, w)); difference != "" || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s with cookies %s answers otherwise:\n%s", path, name, difference)
			}
		}
	}
}

// A new endpoint for programs needs a request in the test about cookies.
func TestEachEndpointOfTheMetadataIsAskedWithCookies(t *testing.T) {
	p := idptest.Start(t, nil)
	c := caller{t, p, p.Browser(t)}
	c.b.SignIn("alice")
	tested := c.requests()
	var metadata map[string]any
	w := serve(p, get(t, http.MethodGet, "/.well-known/openid-configuration", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &metadata); err != nil {
		t.Fatal(err)
	}
	for name, address := range metadata {
		path, isEndpoint := address.(string)
		isForPerson := name == "authorization_endpoint" || name == "end_session_endpoint" ||
			name == "storage_access_endpoint"
		if path = strings.TrimPrefix(path, p.Issuer); isEndpoint && strings.HasSuffix(name, "_endpoint") && !isForPerson &&
			tested[path] == nil {
			t.Errorf("%s, %s, is not asked", name, path)
		}
	}
}
