package idp_test

import (
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idptest"
)

// saying is one sentence of a specification, and whether it held.
type saying struct {
	name  string
	holds bool
}

func checkSayings(t *testing.T, sayings []saying, about ...any) {
	t.Helper()
	for _, s := range sayings {
		if !s.holds {
			t.Errorf("%s: %v", s.name, about)
		}
	}
}

func TestTheAuthorizationEndpointTakesBothMethods(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	got := b.Authorize(idptest.Request("spa", "prompt", "none"))
	posted := b.Post("/authorize", idptest.Request("spa", "prompt", "none"))
	hasCode := func(page idptest.Page) bool { return page.Location != nil && page.Location.Query().Has("code") }
	checkSayings(t, []saying{
		{"Core §3.1.2.1 GET MUST be supported at the authorization endpoint", hasCode(got)},
		{"Core §3.1.2.1 POST MUST be supported at the authorization endpoint", hasCode(posted)},
		{"RFC 6749 §3.1 the endpoint MUST support GET", hasCode(got)},
		{
			"Core §3.1.2.5 the answer's state is the one of the request",
			got.Location.Query().Get("state") == idptest.Request("spa").Get("state"),
		},
	}, got.Location, posted.Location)
}

// Core §3.1.2.3: "the Authorization Server MUST employ appropriate measures against Cross-Site Request Forgery and
// Clickjacking as described in Sections 10.12 and 10.13 of OAuth 2.0".
func TestOnlyTheUserActsForTheUser(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	login := open(t, b, idptest.Request("spa"))
	forged := b.Post("/login", url.Values{"username": {"alice"}, "password": {"alice"}})
	b.SignIn("alice")
	consent := open(t, b, idptest.Request("spa", "prompt", "consent"))
	decided := b.Post("/consent", url.Values{"decision": {"allow"}})
	unframed := func(page idptest.Page) bool {
		return page.Header.Get("X-Frame-Options") == "DENY" &&
			strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	}
	checkSayings(t, []saying{
		{"Core §3.1.2.3 a sign-in that another site sends MUST NOT count", forged.Status == http.StatusForbidden},
		{"RFC 6749 §10.12 a decision that another site sends MUST NOT count", decided.Status == http.StatusForbidden},
		{"Core §3.1.2.3 the sign-in page is in no frame", unframed(login)},
		{"RFC 6749 §10.13 the page that asks for consent is in no frame", unframed(consent)},
	}, forged.Status, decided.Status)
	state := `"><script>alert(1)</script>`
	form := b.Authorize(idptest.Request("spa", "response_mode", "form_post", "prompt", "none", "state", state))
	shown := b.Authorize(idptest.Request("spa", "redirect_uri", state))
	checkSayings(t, []saying{
		{
			"RFC 6749 §10.14 state MUST be sanitized where it is shown",
			!strings.Contains(form.Body, state) && strings.Contains(form.Body, "&lt;script&gt;"),
		},
		{"RFC 6749 §10.14 redirect_uri MUST be sanitized where it is shown", !strings.Contains(shown.Body, state)},
	}, form.Body, shown.Body)
}

func TestTheTokenResponseOnTheWire(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {b.Code(idptest.Request("spa"))}, "client_id": {"spa"},
		"code_verifier": {idptest.CodeVerifier}, "redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
	}
	page := b.Post("/token", form)
	tokens := page.JSON(t)
	access, _ := tokens["access_token"].(string)
	info := b.GetWithToken("/userinfo", access)
	bad := b.Post("/token", form) // a second use, which revokes
	checkSayings(t, []saying{
		{"Core §3.1.3.3 Cache-Control MUST be no-store", page.Header.Get("Cache-Control") == "no-store"},
		{
			"RFC 6749 §5.1 Cache-Control: no-store and Pragma: no-cache MUST be there",
			page.Header.Get("Cache-Control") == "no-store" && page.Header.Get("Pragma") == "no-cache",
		},
		{
			"RFC 6749 §5.1 the answer is application/json with status 200",
			page.Status == http.StatusOK && strings.HasPrefix(page.Header.Get("Content-Type"), "application/json"),
		},
		{"Core §3.1.3.3 token_type MUST be Bearer", tokens["token_type"] == "Bearer"},
		{"Core §3.1.3.3 id_token is REQUIRED", tokens["id_token"] != nil},
		{"RFC 6749 §5.1 expires_in is a JSON number", tokens["expires_in"] == 90.0},
		{
			"Core §3.1.3.4 an error is application/json with status 400",
			bad.Status == http.StatusBadRequest && bad.JSON(t)["error"] == "invalid_grant",
		},
		{
			"RFC 6749 §10.10 an access token MUST NOT be guessed: its jti has 128 bits or more",
			len(claims(t, access)["jti"].(string)) >= 26,
		},
		{
			"Discovery §4.3 the iss of ID Tokens MUST be the issuer of the metadata",
			claims(t, tokens["id_token"])["iss"] == metadata(t, p).Issuer,
		},
		{"RFC 8414 §3.3 the issuer MUST be identical to that of the well-known address", metadata(t, p).Issuer == p.Issuer},
	}, page.Header, tokens)
	checkSayings(t, []saying{
		{
			"Core §5.3.2 the Content-Type of a JSON answer MUST be application/json",
			strings.HasPrefix(info.Header.Get("Content-Type"), "application/json"),
		},
		{"Core §5.3.2 sub MUST be in the answer", info.JSON(t)["sub"] == "alice"},
		{"Core §5.3.2 sub MUST be that of the ID Token", info.JSON(t)["sub"] == claims(t, tokens["id_token"])["sub"]},
	}, info.Header, info.Body)
}

// RFC 6749 §2.3.1: "the authorization server MUST protect any endpoint utilizing it against brute force attacks".
func TestClientSecretsCannotBeGuessedWithoutEnd(t *testing.T) {
	for _, path := range []string{"/token", "/device_authorization", "/revoke", "/introspect", "/par"} {
		b := limited(t, func(c *limit.Config) { c.Token.PerAddress = "3/1h" }).Browser(t)
		guess := url.Values{"grant_type": {"client_credentials"}, "client_id": {"web"}, "client_secret": {"guess"}}
		for range 3 {
			b.Post(path, guess)
		}
		if page := b.Post(path, guess); page.Status != http.StatusTooManyRequests {
			t.Errorf("RFC 6749 §2.3.1 %s MUST be protected against brute force: the fourth guess gives %d", path, page.Status)
		}
	}
}

// The claims of Core §5.1, by the types and forms that its table says.
func TestStandardClaimsHaveTheirForm(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "scope", "openid profile email address phone")))
	got := userinfo(t, b, tokens).JSON(t)
	text := func(name string) string { s, _ := got[name].(string); return s }
	matches := func(name, form string) bool { return regexp.MustCompile(form).MatchString(text(name)) }
	address, _ := got["address"].(map[string]any)
	_, zone := time.LoadLocation(text("zoneinfo"))
	parsed, email := mail.ParseAddress(text("email"))
	checkSayings(t, []saying{
		{
			"Core §5.1 names are strings",
			text("name") != "" && text("given_name") != "" && text("family_name") != "" && text("middle_name") != "" &&
				text("nickname") != "",
		},
		{
			"Core §5.1 profile, picture and website are URLs",
			matches("profile", "^https://") && matches("picture", "^https://") && matches("website", "^https://"),
		},
		{"Core §5.1 email MUST conform to the addr-spec syntax of RFC 5322", email == nil && parsed.Address == text("email")},
		{"Core §5.1 email_verified is a boolean", got["email_verified"] == true},
		{
			"Core §5.1 phone_number_verified is a boolean, and the number then MUST be in E.164 format",
			got["phone_number_verified"] == true && matches("phone_number", `^\+[0-9 ]+$`),
		},
		{"Core §5.1 birthdate is YYYY-MM-DD", matches("birthdate", `^\d{4}-\d\d-\d\d$`)},
		{"Core §5.1 zoneinfo is of the IANA time zone database", zone == nil && text("zoneinfo") != ""},
		{"Core §5.1 locale is a BCP47 tag", matches("locale", `^[a-z]{2}-[A-Z]{2}$`)},
		{"Core §5.1 updated_at is a JSON number", got["updated_at"] == 1767225600.0},
		{"Core §5.1.1 address is a JSON object with strings", address["locality"] == "Berlin" && address["formatted"] != ""},
		{"Core §5.1 no claim is null", !slices.Contains(strings.Split(fmt.Sprint(got), " "), "<nil>")},
	}, got)
}

func TestClaimsOfTheWrongFormAreRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		claim string
		value any
		want  string
	}{
		{"Core §5.1 name is a string", "name", 7, "users[0].claims.name: "},
		{"Core §5.1 email_verified is a boolean", "email_verified", "yes", "users[0].claims.email_verified: "},
		{"Core §5.1 updated_at is a number", "updated_at", "2026-01-01", "users[0].claims.updated_at: "},
		{"Core §5.1 address is an object", "address", "Lindenallee 7", "users[0].claims.address: "},
		{
			"Core §5.1.1 a member of address is a string", "address", map[string]any{"postal_code": 10115},
			"users[0].claims.address.postal_code: ",
		},
		{
			"Core §5.1 email MUST conform to RFC 5322 addr-spec", "email", "Alice <alice@example.com>",
			"users[0].claims.email: ",
		},
		{"Core §5.2 a claim in a language has the type of the claim", "name#ja", true, "users[0].claims.name#ja: "},
		{"Core §2 sub is no claim to choose", "sub", "bob", "users[0].claims.sub: "},
		{"Core §5.1 a claim that nobody knows may be anything", "shoe_size", 43, ""},
		{"Core §5.1 a claim may be left empty", "name", nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var config idp.Config
			public(&config)
			config.Users[0].Claims = map[string]any{row.claim: row.value}
			if err := idp.Validate(config.WithDefaults()); (err == nil) != (row.want == "") ||
				err != nil && !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("got %v; want a problem that begins with %q", err, row.want)
			}
		})
	}
}

func TestSubsOfUnreadableCharactersAreRefused(t *testing.T) {
	for name, sub := range map[string]string{
		"Core §2 a sub MUST NOT exceed 255 characters":      strings.Repeat("a", 256),
		"Core §2 a sub is ASCII":                            "zoë",
		"Core §2 a sub has no control characters or spaces": "two words\n",
	} {
		var config idp.Config
		public(&config)
		config.Users[0].Sub = sub
		if err := idp.Validate(config.WithDefaults()); err == nil || !strings.HasPrefix(err.Error(), "users[0].sub: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
