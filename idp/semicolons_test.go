package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// send sends the parameters with semicolons that are not encoded: in the query of a GET, in the body of a POST.
func send(t *testing.T, b *idptest.Browser, method, path string, params url.Values) idptest.Page {
	t.Helper()
	raw := strings.ReplaceAll(params.Encode(), "%3B", ";")
	target, body := b.Provider().Issuer+path, ""
	if method == http.MethodGet {
		target += "?" + raw
	} else {
		body = raw
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", oidc.FormType)
	return b.Do(r)
}

// semicolonRow is a good request with a raw semicolon in it.
type semicolonRow struct {
	where, method, path string
	params              func(b *idptest.Browser, tokens map[string]any) url.Values
	location, says      string // parts of the answer
}

func semicolonRows(t *testing.T) []semicolonRow {
	t.Helper()
	request := func(change ...string) func(*idptest.Browser, map[string]any) url.Values {
		return func(*idptest.Browser, map[string]any) url.Values {
			return idptest.Request("spa", append([]string{"state", "abc;def", "prompt", "none"}, change...)...)
		}
	}
	signOut := func(name string) func(*idptest.Browser, map[string]any) url.Values {
		return func(_ *idptest.Browser, tokens map[string]any) url.Values {
			return url.Values{"id_token_hint": {tokens["id_token"].(string)}, name: {registeredLogout}, "state": {"abc;def"}}
		}
	}
	code := func(b *idptest.Browser, _ map[string]any) url.Values {
		return url.Values{
			"grant_type": {"authorization_code"}, "code": {b.Code(idptest.Request("spa"))}, "client_id": {"spa"},
			"redirect_uri": {"http://localhost:9090/spa/callback.html"}, "code_verifier": {idptest.CodeVerifier}, "x": {"a;b"},
		}
	}
	typed := func(b *idptest.Browser, _ map[string]any) url.Values {
		return url.Values{"csrf": {csrfOf(t, b.Get("/login"))}, "username": {"a;b"}}
	}
	logoutParam := "post_logout_redirect_uri"
	return []semicolonRow{
		{"in a query at /authorize", http.MethodGet, "/authorize", request(), "state=abc%3Bdef", ""},
		{"in a form at /authorize", http.MethodPost, "/authorize", request(), "state=abc%3Bdef", ""},
		{"in a form at /par", http.MethodPost, "/par", request("prompt", ""), "", "request_uri"},
		{"in a form at /token", http.MethodPost, "/token", code, "", "access_token"},
		{"in a form at an alias of /token", http.MethodPost, "/oauth/token", code, "", "access_token"},
		{"in a query at /logout", http.MethodGet, "/logout", signOut(logoutParam), "state=abc%3Bdef", ""},
		{"in a form at /logout", http.MethodPost, "/logout", signOut(logoutParam), "state=abc%3Bdef", ""},
		{"in a query at an alias of /logout", http.MethodGet, "/v2/logout", signOut("returnTo"), "state=abc%3Bdef", ""},
		{"in a form at /introspect", http.MethodPost, "/introspect",
			func(*idptest.Browser, map[string]any) url.Values {
				return url.Values{"token": {"a;b"}, "client_id": {"web"}, "client_secret": {"web-secret"}}
			}, "", `"active":false`},
		{"in a form at /userinfo", http.MethodPost, "/userinfo",
			func(_ *idptest.Browser, tokens map[string]any) url.Values {
				return url.Values{"access_token": {tokens["access_token"].(string)}, "x": {"a;b"}}
			}, "", `"sub"`},
		{"in a form at /login", http.MethodPost, "/login", typed, "", `value="a;b"`},
		{"in a query at /device", http.MethodGet, "/device",
			func(*idptest.Browser, map[string]any) url.Values { return url.Values{"user_code": {"a;b"}} }, "", `value="a;b"`},
	}
}

// csrfOf is the CSRF token of the page's first form.
func csrfOf(t *testing.T, page idptest.Page) string {
	t.Helper()
	_, field, _ := strings.Cut(page.Body, `name="csrf" value="`)
	token, _, ok := strings.Cut(field, `"`)
	if !ok {
		t.Fatalf("the page has no form with a CSRF token: %s", page.Body)
	}
	return token
}

func TestARawSemicolonIsData(t *testing.T) {
	for _, row := range semicolonRows(t) {
		t.Run("URL §5.1 a raw semicolon is data "+row.where, func(t *testing.T) {
			b := idptest.Start(t, func(c *idp.Config) {
				c.Aliases = map[string]string{"token": "/oauth/token", "logout": "/v2/logout"}
			}).Browser(t)
			b.SignIn("alice")
			tokens := b.Tokens("spa", b.Code(idptest.Request("spa")))
			page := send(t, b, row.method, row.path, row.params(b, tokens))
			location := ""
			if page.Location != nil {
				location = page.Location.String()
			}
			if !strings.Contains(location, row.location) || !strings.Contains(page.Body, row.says) {
				t.Errorf("%d %q %s; want %q %q", page.Status, location, page.Body, row.location, row.says)
			}
		})
	}
}

// A percent sign without two hexadecimal digits is refused everywhere, as before.
func TestAMalformedPercentSignIsRefused(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	for _, path := range []string{"/logout", "/token", "/par", "/login"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Provider().Issuer+path,
			strings.NewReader("state=100%"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", oidc.FormType)
		if page := b.Do(r); page.Status != http.StatusBadRequest || !strings.Contains(page.Body, "no percent-encoded byte") {
			t.Errorf("RFC 6749 appendix B POST %s with a malformed percent sign: %d %s", path, page.Status, page.Body)
		}
	}
}
