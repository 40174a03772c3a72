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

// realms are two issuers of one process on one host, and a browser.
func realms(t *testing.T) (b *idptest.Browser, first, second string) {
	t.Helper()
	p := idptest.Start(t, func(c *idp.Config) {
		first, second = c.Issuer+"/realms/one", c.Issuer+"/realms/two"
		c.Issuer, c.Layouts = first, []string{second}
	})
	return p.Browser(t), first, second
}

func TestTwoIssuersOnOneHostShareNoSession(t *testing.T) {
	b, first, second := realms(t)
	for _, issuer := range []string{first, second} {
		metadata := b.Get(issuer + "/.well-known/openid-configuration").JSON(t)
		if metadata["issuer"] != issuer || metadata["token_endpoint"] != issuer+"/token" {
			t.Errorf("Discovery §4.3 the metadata of %s says %v, %v", issuer, metadata["issuer"], metadata["token_endpoint"])
		}
	}
	silently := "/authorize?" + idptest.Request("spa", "prompt", "none").Encode()
	answers := func(issuer string) url.Values { return b.Get(issuer + silently).Location.Query() }
	b.SignIn("alice")
	if answer := answers(first); answer.Get("code") == "" || answer.Get("iss") != first {
		t.Errorf("RFC 9207 §2 the issuer of the sign-in answers %v; want a code and its iss", answer)
	}
	if answer := answers(second); answer.Get("error") != "login_required" || answer.Get("iss") != second {
		t.Errorf("Core §3.1.2.6 the other issuer answers %v; want login_required and its iss", answer)
	}
	b.Submit(b.Get(second+"/login"), url.Values{"username": {"bob"}, "password": {"bob"}})
	for issuer, name := range map[string]string{first: "alice", second: "bob"} {
		if page := b.Get(issuer + "/account"); !strings.Contains(page.Body, name+"@") {
			t.Errorf("%s/account does not show %s", issuer, name)
		}
	}
	b.Submit(b.Get(second+"/logout"), url.Values{})
	if answer := answers(first); answer.Get("code") == "" {
		t.Errorf("after the sign-out at the other issuer the first answers %v; want a code", answer)
	}
}

func TestAnIssuerRefusesTheAccessTokenOfAnotherOnItsHost(t *testing.T) {
	b, first, second := realms(t)
	tokens := b.Provider().Token(t, "alice", "spa")
	for issuer, want := range map[string]int{first: http.StatusOK, second: http.StatusUnauthorized} {
		if page := b.GetWithToken(issuer+"/userinfo", tokens.AccessToken); page.Status != want {
			t.Errorf("RFC 9068 §4 %s/userinfo gives %d; want %d", issuer, page.Status, want)
		}
	}
}

func TestAnIssuerRefusesCodesAndRefreshTokensOfAnotherOnItsHost(t *testing.T) {
	b, first, second := realms(t)
	offline := b.Provider().Token(t, "alice", "spa", idptest.Want{"scope": "openid offline_access"})
	b.SignIn("alice")
	request := idptest.Request("spa")
	forms := map[string]func() url.Values{
		"RFC 9700 §4.4 a code": func() url.Values {
			return url.Values{
				"grant_type": {"authorization_code"}, "code": {b.Code(request)}, "redirect_uri": {request.Get("redirect_uri")},
				"code_verifier": {idptest.CodeVerifier},
			}
		},
		"RFC 9700 §4.4 a refresh token": func() url.Values {
			return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {offline.RefreshToken}}
		},
	}
	for name, form := range forms {
		for _, row := range []struct {
			issuer string
			want   int
		}{{second, http.StatusBadRequest}, {first, http.StatusOK}} {
			sent := form()
			sent.Set("client_id", "spa")
			page := b.Post(row.issuer+"/token", sent)
			if page.Status != row.want || page.Status != http.StatusOK && !strings.Contains(page.Body, "code.foreign") {
				t.Errorf("%s at %s gives %d %s; want %d", name, row.issuer, page.Status, page.Body, row.want)
			}
		}
	}
}

func TestAnIssuerSaysNothingAboutTokensOfAnotherOnItsHost(t *testing.T) {
	b, first, second := realms(t)
	tokens := b.Provider().Token(t, "alice", "web", idptest.Want{"scope": "openid offline_access"})
	post := func(address, token string) idptest.Page {
		return b.Post(address, url.Values{"client_id": {"web"}, "client_secret": {"web-secret"}, "token": {token}})
	}
	for name, token := range map[string]string{
		"RFC 7662 §2.2 an access token": tokens.AccessToken, "RFC 7662 §2.2 a refresh token": tokens.RefreshToken,
	} {
		if revoked := post(second+"/revoke", token); revoked.Status != http.StatusOK {
			t.Errorf("RFC 7009 §2.2 the other issuer answers the revocation of %s with %d", name, revoked.Status)
		}
		for issuer, want := range map[string]bool{first: true, second: false} {
			if info := post(issuer+"/introspect", token).JSON(t); info["active"] != want {
				t.Errorf("%s at %s: %v; want active %v", name, issuer, info, want)
			}
		}
	}
}

func TestAnIssuerRefusesTheIDTokenHintOfAnotherOnItsHost(t *testing.T) {
	b, first, second := realms(t)
	hint := b.Provider().Token(t, "alice", "spa").IDToken
	b.SignIn("alice")
	b.Submit(b.Get(second+"/login"), url.Values{"username": {"alice"}, "password": {"alice"}})
	silently := "/authorize?" + idptest.Request("spa", "prompt", "none", "id_token_hint", hint).Encode()
	for issuer, want := range map[string]bool{first: true, second: false} {
		if answer := b.Get(issuer + silently).Location.Query(); answer.Has("code") != want {
			t.Errorf("Core §3.1.2.1 %s answers %v; want a code: %v", issuer, answer, want)
		}
	}
}

func TestAnIssuerKnowsNoPushedRequestOfAnotherOnItsHost(t *testing.T) {
	b, first, second := realms(t)
	b.SignIn("alice")
	b.Submit(b.Get(second+"/login"), url.Values{"username": {"alice"}, "password": {"alice"}})
	uri := b.Post(first+"/par", idptest.Request("spa", "prompt", "none")).JSON(t)["request_uri"].(string)
	ask := func(issuer, uri string) idptest.Page {
		return b.Get(issuer + "/authorize?" + url.Values{"client_id": {"spa"}, "request_uri": {uri}}.Encode())
	}
	const unknown = "the request_uri is not known"
	for _, when := range []string{
		"RFC 9126 §4 a request_uri of another issuer", "RFC 9126 §4 a used request_uri of another issuer",
	} {
		if page := ask(second, uri); page.Location != nil || !strings.Contains(page.Body, unknown) {
			t.Errorf("%s gives %d %v; want %q", when, page.Status, page.Location, unknown)
		}
		page, isNew := ask(first, uri), !strings.Contains(when, "used")
		if hasCode := strings.Contains(page.Header.Get("Location"), "code="); hasCode != isNew {
			t.Errorf("its issuer gives %d %v; want a code: %v", page.Status, page.Location, isNew)
		}
	}
}

func TestAnIssuerOpensNoSealedValueOfAnotherOnItsHost(t *testing.T) {
	b, first, second := realms(t)
	waiting := b.Get(first + "/authorize?" + idptest.Request("spa").Encode()).Location
	const refused = "this page belongs to no sign-in"
	for _, path := range []string{"/authorize", "/login", "/device", "/select_account"} {
		if page := b.Get(second + path + "?" + waiting.RawQuery); !strings.Contains(page.Body, refused) {
			t.Errorf("an interaction of the first issuer gives at %s of the second %d %s", path, page.Status, page.Body)
		}
	}
	for _, issuer := range []string{first, second} {
		b.Submit(b.Get(issuer+"/login"), url.Values{"username": {"alice"}, "password": {"alice"}})
	}
	logout := b.Get(first + "/logout?client_id=spa")
	sealed, _ := url.ParseQuery(authorizeInteraction(logout))
	sealed.Set("decision", "sign_out")
	page := b.Submit(b.Get(second+"/logout"), sealed)
	if !strings.Contains(page.Body, refused) {
		t.Errorf("a logout of the first issuer gives at the second %d %s", page.Status, page.Body)
	}
	if page := b.Get(second + "/account"); !strings.Contains(page.Body, "alice@") {
		t.Errorf("after the logout of the first issuer, /account of the second gives %d", page.Status)
	}
}

func TestAnIssuerKnowsNoDeviceOfAnotherOnItsHost(t *testing.T) {
	var first, second string
	p := withTV(t, func(c *idp.Config) {
		first, second = c.Issuer+"/realms/one", c.Issuer+"/realms/two"
		c.Issuer, c.Layouts = first, []string{second}
	})
	b := p.Browser(t)
	codes := b.Post(first+"/device_authorization", url.Values{"client_id": {"tv"}}).JSON(t)
	ask := func(issuer string) idptest.Page {
		b.Submit(b.Get(issuer+"/login"), url.Values{"username": {"alice"}, "password": {"alice"}})
		return b.Get(issuer + "/device?user_code=" + codes["user_code"].(string))
	}
	wantPage(t, ask(second), http.StatusNotFound, `id="device-error"`)
	allowed := b.Submit(ask(first), url.Values{"decision": {"allow"}})
	wantPage(t, allowed, http.StatusOK, `id="device-allowed"`)
	redeem := url.Values{
		"grant_type": {oidc.GrantDeviceCode}, "device_code": {codes["device_code"].(string)}, "client_id": {"tv"},
	}
	for _, row := range []struct {
		issuer string
		want   int
	}{{second, http.StatusBadRequest}, {first, http.StatusOK}} {
		if page := b.Post(row.issuer+"/token", redeem); page.Status != row.want {
			t.Errorf("RFC 8628 §3.5 a device_code at %s gives %d %s; want %d", row.issuer, page.Status, page.Body, row.want)
		}
	}
}

// Health checks do not know the path, and the browser asks for the document of FedCM at the root of the host.
func TestAddressesOfTheHost(t *testing.T) {
	b, first, second := realms(t)
	host := strings.TrimSuffix(first, "/realms/one")
	for address, want := range map[string]string{
		host + "/healthz": `"ok"`, first + "/healthz": `"ok"`, host + "/readyz": `"ok"`, second + "/readyz": `"ok"`,
		host + "/.well-known/web-identity":   `"provider_urls":["` + first + `/fedcm/config.json"]`,
		second + "/.well-known/web-identity": `"provider_urls":["` + second + `/fedcm/config.json"]`,
	} {
		if page := b.Get(address); !strings.Contains(page.Body, want) {
			t.Errorf("%s gives %d %s; want %s", address, page.Status, page.Body, want)
		}
	}
}

// layoutRows are layouts beside the issuer http://localhost:8080/realms/one.
var layoutRows = []struct{ name, layout, want string }{
	{"another path", "http://localhost:8080/realms/two", ""},
	{"a path below the issuer's", "http://localhost:8080/realms/one/two", ""},
	{"no path", "http://localhost:8080", ""},
	{"another host", "http://idp.localhost:8080/realms/one", ""},
	{"the issuer once more", "http://localhost:8080/realms/one", "layouts[0]: "},
	{"a final slash", "http://localhost:8080/realms/two/", "layouts[0]: "},
	{"another machine", "https://login.example.com/realms/two", "layouts[0]: "},
	{"no address", "realms/two", "layouts[0]: "},
}

func TestLayoutsAreIssuersOnThisMachine(t *testing.T) {
	for _, row := range layoutRows {
		t.Run(row.name, func(t *testing.T) {
			config := idp.Config{Issuer: "http://localhost:8080/realms/one", Layouts: []string{row.layout}}
			err := idp.Validate(config.WithDefaults())
			if (err == nil) != (row.want == "") || err != nil && !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("Validate = %v; want %q", err, row.want)
			}
		})
	}
}

// A browser sends cookies to every path below theirs (RFC 6265 §5.1.4), and to every port (RFC 6265 §8.5).
func TestTheProviderWarnsOfAnIssuerBelowAnother(t *testing.T) {
	for _, row := range []struct {
		name, issuer, layout string
		warns                bool
	}{
		{"beside it", "http://localhost:8080/realms/one", "http://localhost:8080/realms/two", false},
		{"the same letters, and more", "http://localhost:8080/realms/one", "http://localhost:8080/realms/one2", false},
		{"below it", "http://localhost:8080/realms/one", "http://localhost:8080/realms/one/two", true},
		{"above it", "http://localhost:8080/realms/one", "http://localhost:8080/realms", true},
		{"below an origin", "http://localhost:8080", "http://localhost:8080/realms/one", true},
		{"below it at another port", "http://localhost:8080/realms/one", "http://localhost:9090/realms/one/two", true},
		{"below it at another host", "http://localhost:8080/realms", "http://idp.localhost:8080/realms/one", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			warnings := idp.Config{Issuer: row.issuer, Layouts: []string{row.layout}}.Warnings()
			if (len(warnings) == 1) != row.warns {
				t.Errorf("the warnings are %q; want one: %v", warnings, row.warns)
			}
		})
	}
}

// The longest path of an issuer that the request is below wins; a request below none is for the first issuer.
func TestThePathSelectsTheIssuer(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		c.Issuer = "http://localhost:8080/a"
		c.Layouts = []string{"http://localhost:8080/a/b", "http://localhost:8080/c", "http://idp.localhost:8080"}
	})
	for address, want := range map[string]string{
		"http://localhost:8080/a":       "http://localhost:8080/a",
		"http://localhost:8080/a/b":     "http://localhost:8080/a/b",
		"http://localhost:8080/c":       "http://localhost:8080/c",
		"http://localhost:8080":         "http://localhost:8080/a",
		"http://127.0.0.1:8080/c":       "http://localhost:8080/c",
		"http://idp.localhost:8080":     "http://idp.localhost:8080",
		"http://127.0.0.1:8080":         "http://localhost:8080/a",
		"http://[::1]:8080/a/b":         "http://localhost:8080/a/b",
		"http://other.localhost:1234/a": "http://localhost:8080/a",
	} {
		w := serve(p, get(t, http.MethodGet, address+"/.well-known/openid-configuration", nil))
		if !strings.Contains(w.Body.String(), `"issuer":"`+want+`"`) {
			t.Errorf("the metadata at %s is\n%s\nwant that of %s", address, w.Body, want)
		}
	}
}
