package idp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// RFC 6750 §2.2 and §3: what more a good request may look like, and what the challenge may hold.
func TestBearerTokens(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients = append(
			c.Clients,
			oidc.Client{
				ClientID: "machine", ClientSecret: oidc.NewSecret("s"), GrantTypes: []string{oidc.GrantClientCredentials},
			},
		)
	})
	b := p.Browser(t)
	b.SignIn("alice")
	access := b.Tokens("spa", b.Code(idptest.Request("spa")))["access_token"].(string)
	machine := b.Post(
		"/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"machine"}, "client_secret": {"s"}},
	).JSON(t)["access_token"].(string)
	for _, row := range bearerRows(access, machine) {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), row.method, "/userinfo", strings.NewReader(row.body))
			if row.contentType != "" {
				r.Header.Set("Content-Type", row.contentType)
			}
			if row.header != "" {
				r.Header.Set("Authorization", row.header)
			}
			w := serve(p, r)
			if w.Code != row.status {
				t.Fatalf("got %d %s; want %d", w.Code, w.Body, row.status)
			}
			if row.status != http.StatusOK {
				checkChallenge(t, w.Header().Get("WWW-Authenticate"), row.code)
			}
		})
	}
}

type bearerRow struct {
	name, method, contentType, body, header string
	status                                  int
	code                                    string // of the challenge
}

// bearerRows are requests with the access tokens of a user and of a client that acts for itself.
func bearerRows(access, machine string) []bearerRow {
	body := "access_token=" + access
	const form = "application/x-www-form-urlencoded"
	return []bearerRow{
		{"RFC 6750 §2.1 the header MUST be supported", "GET", "", "", "Bearer " + access, 200, ""},
		{"RFC 6750 §2.1 more than one space is allowed", "GET", "", "", "Bearer  " + access, 200, ""},
		{"RFC 6750 §2.2 a body MUST be form-encoded by its Content-Type", "POST", "text/plain", body, "", 401, ""},
		{"RFC 6750 §2.2 a body without Content-Type is not looked at", "POST", "", body, "", 401, ""},
		{
			"RFC 6750 §2.2 a body with parts is not looked at", "POST", "multipart/form-data; boundary=x",
			"--x\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\n" + access + "\r\n--x--\r\n", "", 401, "",
		},
		{"RFC 6750 §2.2 the method MUST NOT be GET", "GET", form, body, "", 401, ""},
		{"RFC 6750 §2.2 a good body", "POST", form, body, "", 200, ""},
		{
			"RFC 6750 §2 MUST NOT use more than one method: header and body", "POST", form, body, "Bearer " + access, 400,
			"invalid_request",
		},
		{
			"RFC 6750 §3.1 a token without openid is insufficient_scope, 403", "GET", "", "", "Bearer " + machine, 403,
			"insufficient_scope",
		},
		{
			"RFC 6750 §3.1 a token whose signature is cut off", "GET", "", "",
			"Bearer " + access[:strings.LastIndex(access, ".")+1], 401, "invalid_token",
		},
		{
			"RFC 6750 §3.1 a token by alg none", "GET", "", "",
			"Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + strings.Split(access, ".")[1] + ".", 401, "invalid_token",
		},
		{"RFC 6750 §3.1 quotes in a token do not end the challenge", "GET", "", "", `Bearer a"b\c`, 400, "invalid_request"},
		{
			"RFC 6750 §2.1 two schemes in one header", "GET", "", "", "Bearer " + access + ", Basic eDp5", 400,
			"invalid_request",
		},
	}
}

// challengeForm is RFC 6750 §3: one scheme, and behind it one auth-param or more, whose error_description holds no
// other characters than %x20-21 / %x23-5B / %x5D-7E.
var challengeForm = regexp.MustCompile(
	`^(Bearer|DPoP) [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*")*$`,
)

func checkChallenge(t *testing.T, challenge, code string) {
	t.Helper()
	bearer, _, _ := strings.Cut(challenge, ", DPoP ")
	if !challengeForm.MatchString(bearer) {
		t.Errorf("RFC 6750 §3 WWW-Authenticate MUST be there, by its grammar: %s", challenge)
	}
	for _, name := range []string{"realm", "scope", "error", "error_description", "error_uri"} {
		if strings.Count(bearer, " "+name+"=") > 1 {
			t.Errorf("RFC 6750 §3 %s MUST NOT appear more than once: %s", name, challenge)
		}
	}
	if want := `error="` + code + `"`; code != "" && !strings.Contains(bearer, want) ||
		code == "" && strings.Contains(bearer, "error=") {
		t.Errorf("RFC 6750 §3.1 got %s; want %q", challenge, code)
	}
}
