package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

type userinfoRow struct {
	name      string
	method    string
	header    string
	body      url.Values
	status    int
	challenge string
}

// userinfoRows are requests with an access token, an ID token, and an access token whose signature was changed.
func userinfoRows(issuer, access, id, changed string) []userinfoRow {
	return []userinfoRow{
		{name: "Core §5.3.1 GET with the token in the header", method: "GET", header: "Bearer " + access, status: 200},
		{name: "Core §5.3.1 POST with the token in the header", method: "POST", header: "Bearer " + access, status: 200},
		{
			name: "RFC 6750 §2.2 POST with the token in the body", method: "POST", body: url.Values{"access_token": {access}},
			status: 200,
		},
		{
			name: "RFC 6750 §3.1 no token: a bare challenge", method: "GET", status: 401,
			challenge: `Bearer realm="` + issuer + `"`,
		},
		{
			name: "RFC 6750 §3.1 no token, but another scheme: a bare challenge", method: "GET", header: "Basic " + access,
			status: 401, challenge: "Bearer realm=",
		},
		{name: "RFC 9110 §11.1 the scheme in other case", method: "GET", header: "bearer " + access, status: 200},
		{
			name: "RFC 6750 §2.1 a scheme without a token", method: "GET", header: "Bearer", status: 400,
			challenge: `error="invalid_request"`,
		},
		{
			name: "RFC 6750 §2 a token in header and body", method: "POST", header: "Bearer " + access,
			body: url.Values{"access_token": {access}}, status: 400, challenge: `error="invalid_request"`,
		},
		{
			name: "RFC 6750 §2 two tokens in the body", method: "POST", body: url.Values{"access_token": {access, access}},
			status: 400, challenge: `error="invalid_request"`,
		},
		{
			name: "RFC 6750 §3.1 garbage", method: "GET", header: "Bearer garbage", status: 401,
			challenge: `error="invalid_token"`,
		},
		{
			name: "RFC 6750 §3.1 a changed token", method: "GET", header: "Bearer " + changed, status: 401,
			challenge: `error="invalid_token"`,
		},
		{
			name: "RFC 9068 §4 an ID token is no access token", method: "GET", header: "Bearer " + id, status: 401,
			challenge: `typ is 'JWT', expected 'at+jwt'`,
		},
		{name: "RFC 6750 §2.3 a token in the query is not looked at", method: "GET", status: 401, challenge: "Bearer realm="},
	}
}

// Core §5.3 and RFC 6750: a good request plus one change a row.
func TestUserinfo(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa")))
	access, id := tokens["access_token"].(string), tokens["id_token"].(string)
	changed := access[:len(access)-8] + "AAAAAAAA"
	for _, row := range userinfoRows(p.Issuer, access, id, changed) {
		t.Run(row.name, func(t *testing.T) {
			target := p.Issuer + "/userinfo"
			if strings.Contains(row.name, "in the query") {
				target += "?access_token=" + access
			}
			r := get(t, row.method, target, row.body)
			if row.header != "" {
				r.Header.Set("Authorization", row.header)
			}
			w := serve(p, r)
			if w.Code != row.status || !strings.Contains(w.Header().Get("WWW-Authenticate"), row.challenge) {
				t.Errorf(
					"got %d, %s; want %d, %s\n%s", w.Code, w.Header().Get("WWW-Authenticate"), row.status, row.challenge, w.Body,
				)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control = %q", w.Header().Get("Cache-Control"))
			}
			if strings.HasPrefix(row.name, "RFC 6750 §3.1 no token") &&
				strings.Contains(w.Header().Get("WWW-Authenticate"), "error") {
				t.Errorf("the challenge says more than that a token is needed: %s", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

func TestUserinfoGivesTheClaimsOfTheScope(t *testing.T) { // Core §5.4
	for scope, want := range map[string][]string{
		"openid":                             nil,
		"openid email":                       {"email", "email_verified"},
		"openid phone":                       {"phone_number", "phone_number_verified"},
		"openid address":                     {"address"},
		"openid profile":                     oidc.Scope{"profile"}.Claims(),
		"openid profile email address phone": oidc.StandardScope().Claims(),
	} {
		for _, name := range []string{"alice", "bob", "carol"} {
			b := idptest.Start(t, nil).Browser(t)
			b.SignIn(name)
			tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "scope", scope)))
			got := userinfo(t, b, tokens).JSON(t)
			if got["sub"] != name {
				t.Errorf("sub = %v", got["sub"])
			}
			for _, claim := range want {
				if got[claim] == nil || got[claim] == "" {
					t.Errorf("%s, %s: the claim %s is missing", name, scope, claim)
				}
			}
			if len(got) != len(want)+1 {
				t.Errorf("%s, %s: got %v; want sub and %v", name, scope, got, want)
			}
		}
	}
}

func TestAnExpiredAccessTokenIsRefused(t *testing.T) { // RFC 6750 §3.1
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa")))
	p.Clock.Pass(89 * time.Second)
	wantPage(t, userinfo(t, b, tokens), http.StatusOK, `"sub":"alice"`)
	p.Clock.Pass(2 * time.Second)
	wantPage(t, userinfo(t, b, tokens), http.StatusUnauthorized, "expired")
}

func TestACodeUsedTwiceRevokesTheAccessToken(t *testing.T) { // RFC 6749 §4.1.2
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	code := b.Code(idptest.Request("spa"))
	tokens := b.Tokens("spa", code)
	wantPage(t, userinfo(t, b, tokens), http.StatusOK, "alice")
	page := b.Post("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"spa"}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
	})
	wantPage(t, page, http.StatusBadRequest, `"error":"invalid_grant"`)
	wantPage(t, userinfo(t, b, tokens), http.StatusUnauthorized, "revoked")
	p.Clock.Pass(30 * time.Second)
	wantPage(t, userinfo(t, b, tokens), http.StatusUnauthorized, "revoked")
}

func userinfo(t *testing.T, b *idptest.Browser, tokens map[string]any) idptest.Page {
	t.Helper()
	return b.GetWithToken("/userinfo", tokens["access_token"].(string))
}
