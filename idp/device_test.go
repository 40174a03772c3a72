package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// withTV starts a provider with a client that is a device.
func withTV(t *testing.T, change ...func(*idp.Config)) *idptest.Provider {
	t.Helper()
	return idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients = append(c.Clients, oidc.Client{
			ClientID: "tv", ClientName: "The TV", TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true,
			GrantTypes: []string{oidc.GrantDeviceCode, oidc.GrantRefreshToken},
		})
		for _, f := range change {
			f(c)
		}
	})
}

// tv is a device that asks.
type tv struct {
	t     *testing.T
	b     *idptest.Browser
	codes map[string]any
}

func startTV(t *testing.T, p *idptest.Provider, scope string) tv {
	t.Helper()
	b := p.Browser(t)
	page := b.Post("/device_authorization", url.Values{"client_id": {"tv"}, "scope": {scope}})
	if page.Status != http.StatusOK || page.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("RFC 8628 §3.2 got %d %v %s", page.Status, page.Header, page.Body)
	}
	return tv{t: t, b: b, codes: page.JSON(t)}
}

func (d tv) userCode() string { return d.codes["user_code"].(string) }

func (d tv) poll() (int, map[string]any) {
	d.t.Helper()
	page := d.b.Post(
		"/token",
		url.Values{
			"grant_type": {oidc.GrantDeviceCode}, "device_code": {d.codes["device_code"].(string)}, "client_id": {"tv"},
		},
	)
	return page.Status, page.JSON(d.t)
}

// wantError is an answer of RFC 8628 §3.5.
func (d tv) wantError(code string) {
	d.t.Helper()
	if status, answer := d.poll(); status != http.StatusBadRequest || answer["error"] != code {
		d.t.Errorf("RFC 8628 §3.5 the device is told %d %v; want 400 %s", status, answer, code)
	}
}

func TestADeviceIsConnected(t *testing.T) {
	p := withTV(t)
	d := startTV(t, p, "openid email offline_access")
	d.wantError("authorization_pending")
	person := p.Browser(t)

	login := person.Get("/device")
	if login.Location == nil || login.Location.Path != "/login" {
		t.Fatalf("RFC 8628 §3.3 who is not signed in signs in first: %d %v", login.Status, login.Location)
	}
	back := person.Submit(person.Get(login.Location.String()), url.Values{"username": {"alice"}, "password": {"alice"}})
	if back.Location == nil || back.Location.Path != "/device" {
		t.Fatalf("the sign-in does not lead back: %d %v", back.Status, back.Location)
	}
	field := person.Get(back.Location.String())
	wantPage(t, field, http.StatusOK, `id="user_code"`)
	ask := person.Get("/device?user_code=" + strings.ToLower(strings.ReplaceAll(d.userCode(), "-", "")))
	for _, text := range []string{"The TV", d.userCode(), "Alice", "email"} {
		wantPage(t, ask, http.StatusOK, text)
	}
	wantPage(t, person.Submit(ask, url.Values{"decision": {"allow"}}), http.StatusOK, `id="device-allowed"`)

	p.Clock.Pass(5 * time.Second)
	status, tokens := d.poll()
	if status != http.StatusOK || tokens["refresh_token"] == nil {
		t.Fatalf("RFC 8628 §3.5 the device gets %d %v", status, tokens)
	}
	id := claims(t, tokens["id_token"])
	if id["sub"] != "alice" || id["aud"] != "tv" || tokens["scope"] != "openid email offline_access" || id["sid"] != nil {
		t.Errorf("got %v, %v", id, tokens)
	}
	if got := userinfo(t, d.b, tokens).JSON(t)["email"]; got != "alice@example.com" {
		t.Errorf("userinfo has the email %v", got)
	}
	d.wantError("invalid_grant")
}

func TestTheCompleteAddressOfADevice(t *testing.T) {
	p := withTV(t)
	d := startTV(t, p, "openid")
	person := p.Browser(t)
	login := person.Get(d.codes["verification_uri_complete"].(string))
	back := person.Submit(person.Get(login.Location.String()), url.Values{"username": {"bob"}, "password": {"bob"}})
	ask := person.Get(back.Location.String())
	wantPage(t, ask, http.StatusOK, d.userCode()) // RFC 8628 §3.3.1: the user is asked whether the device shows this code
	wantPage(t, person.Submit(ask, url.Values{"decision": {"deny"}}), http.StatusOK, `id="device-denied"`)
	d.wantError("access_denied")
	wantPage(t, person.Get("/device?user_code="+d.userCode()), http.StatusNotFound, `id="device-error"`)
}

func TestAnotherAccountForADevice(t *testing.T) {
	p := withTV(t)
	d := startTV(t, p, "openid")
	person := p.Browser(t)
	person.SignIn("bob")
	person.SignIn("alice")
	ask := person.Get("/device?user_code=" + d.userCode())
	choose := person.Get("/select_account?" + between(t, ask.Body, `href="/select_account?`, `"`))
	back := person.Submit(choose, url.Values{"account": {"bob"}})
	ask = person.Get(back.Location.String())
	person.Submit(ask, url.Values{"decision": {"allow"}})
	if _, tokens := d.poll(); claims(t, tokens["id_token"])["sub"] != "bob" {
		t.Errorf("the device is connected to %v", claims(t, tokens["id_token"])["sub"])
	}
}

// between is the text after from and before to.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, from)
	inside, _, end := strings.Cut(after, to)
	if !ok || !end {
		t.Fatalf("no %s…%s in\n%s", from, to, text)
	}
	return inside
}

func TestNobodyElseDecidesAboutADevice(t *testing.T) {
	p := withTV(t)
	d := startTV(t, p, "openid")
	person := p.Browser(t)
	person.SignIn("alice")
	form := url.Values{"user_code": {d.userCode()}, "decision": {"allow"}, "account": {"alice"}}
	if page := person.Post("/device", form); page.Status != http.StatusForbidden {
		t.Errorf("RFC 8628 §5.4 a form without the page's token gives %d", page.Status)
	}
	ask := person.Get("/device?user_code=" + d.userCode())
	if page := person.Submit(ask, url.Values{"decision": {"allow"}, "account": {"bob"}}); page.Location == nil ||
		page.Location.Path != "/login" {
		t.Errorf("an account that is not signed in gives %d %v", page.Status, page.Location)
	}
	d.wantError("authorization_pending")
	if ask.Header.Get("X-Frame-Options") != "DENY" ||
		!strings.Contains(ask.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("RFC 8628 §5.4 the page may be framed: %v", ask.Header)
	}
}

// RFC 8628 §5.1: "the authorization server should rate-limit user code attempts".
func TestUserCodesCannotBeGuessed(t *testing.T) {
	p := withTV(t, func(c *idp.Config) { c.Limits.Device = limit.AddressConfig{PerAddress: "3/10m"} })
	d := startTV(t, p, "openid")
	person := p.Browser(t)
	person.SignIn("alice")
	for range 10 { // the right one counts for nothing
		wantPage(t, person.Get("/device?user_code="+d.userCode()), http.StatusOK, "The TV")
	}
	for range 3 {
		wantPage(t, person.Get("/device?user_code=BBBB-BBBB"), http.StatusNotFound, `id="device-error"`)
	}
	if page := person.Get("/device?user_code=" + d.userCode()); page.Status != http.StatusTooManyRequests ||
		page.Header.Get("Retry-After") == "" {
		t.Errorf("after three wrong codes the fourth gives %d", page.Status)
	}
}

// What a person sees and can do at /device, where nobody else may: RFC 8628 §3.3 and §5.4.
func TestThePageOfADevice(t *testing.T) {
	p := withTV(t)
	d := startTV(t, p, "openid email")
	person := p.Browser(t)
	person.SignIn("alice")
	ask := person.Get("/device?user_code=" + d.userCode())
	for name, text := range map[string]string{
		"RFC 8628 §3.3.1 the page shows the code, so that the person can compare it": `id="device-code">` + d.userCode(),
		"RFC 8628 §5.4 the page says which app asks":                                 "The TV",
		"RFC 8628 §5.4 the page warns of codes that somebody else sent": "If somebody sent you the code or a " +
			"link, do not.",
		"RFC 8628 §5.4 the page says for whom the device acts": "Alice",
		"RFC 8628 §3.3 the person can refuse":                  `value="deny"`,
	} {
		if ask.Status != http.StatusOK || !strings.Contains(ask.Body, text) {
			t.Errorf("%s: %d\n%s", name, ask.Status, ask.Body)
		}
	}
	// RFC 8628 §5.4: opening verification_uri_complete decides nothing
	d.wantError("authorization_pending")
	long := person.Get("/device?user_code=" + strings.Repeat("B", 10_000))
	if long.Status != http.StatusNotFound || strings.Contains(long.Body, strings.Repeat("B", 65)) {
		t.Errorf("a code without end gives %d with %d bytes", long.Status, len(long.Body))
	}
	if page := p.Browser(t).Get("/device?user_code=" + strings.Repeat("B", 10_000)); page.Location == nil ||
		len(page.Location.String()) > 1000 {
		t.Errorf("a code without end gives %d %v", page.Status, page.Location)
	}
	person.Submit(ask, url.Values{"decision": {"something else"}})
	d.wantError("access_denied") // only "allow" allows
}

func TestTheDeviceFlowInTheMetadata(t *testing.T) {
	p := withTV(t)
	m := metadata(t, p)
	if m.DeviceAuthorizationEndpoint != p.Issuer+"/device_authorization" ||
		!strings.Contains(strings.Join(m.GrantTypesSupported, " "), oidc.GrantDeviceCode) {
		t.Errorf("RFC 8628 §4 got %q, %v", m.DeviceAuthorizationEndpoint, m.GrantTypesSupported)
	}
	page := p.Browser(t).Post("/device_authorization", url.Values{"client_id": {"spa"}})
	if page.Status != http.StatusBadRequest || page.JSON(t)["error"] != "unauthorized_client" {
		t.Errorf("RFC 8628 §3.1 a client without the grant type gets %d %s", page.Status, page.Body)
	}
	page = p.Browser(t).Post("/device_authorization", url.Values{"client_id": {"nobody"}})
	if page.Status != http.StatusUnauthorized || page.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("RFC 6749 §5.2 an unknown client gets %d %v", page.Status, page.Header)
	}
}

func TestTheTokenRequestOfADevice(t *testing.T) {
	p := withTV(t, func(c *idp.Config) {
		c.Clients = append(
			c.Clients,
			oidc.Client{ClientID: "box", ClientSecret: oidc.NewSecret("box-secret"), GrantTypes: []string{oidc.GrantDeviceCode}},
		)
	})
	d := startTV(t, p, "openid")
	for _, row := range []struct {
		name   string
		form   url.Values
		status int
		code   string
	}{
		{"RFC 8628 §3.4 device_code is REQUIRED", url.Values{"client_id": {"tv"}}, 400, "invalid_request"},
		{
			"RFC 8628 §3.4 client_id is REQUIRED of a client that does not authenticate",
			url.Values{"device_code": {d.codes["device_code"].(string)}}, 401, "invalid_client",
		},
		{
			"RFC 8628 §3.4 a client that is not registered for it",
			url.Values{"client_id": {"spa"}, "device_code": {d.codes["device_code"].(string)}}, 400, "unauthorized_client",
		},
		{
			"RFC 8628 §3.4 parameters MUST NOT be included more than once",
			url.Values{"client_id": {"tv"}, "device_code": {"a", "b"}}, 400, "invalid_request",
		},
		{
			"RFC 8628 §3.4 a device_code without a value is missing", url.Values{"client_id": {"tv"}, "device_code": {""}}, 400,
			"invalid_request",
		},
		{
			"RFC 8628 §3.4 a client that was issued credentials MUST authenticate",
			url.Values{"client_id": {"box"}, "device_code": {d.codes["device_code"].(string)}}, 401, "invalid_client",
		},
		{
			"RFC 8628 §3.4 and with a wrong secret it did not",
			url.Values{"client_id": {"box"}, "client_secret": {"wrong"}, "device_code": {d.codes["device_code"].(string)}}, 401,
			"invalid_client",
		},
		{
			"RFC 8628 §5.2 the device_code of another device",
			url.Values{"client_id": {"box"}, "client_secret": {"box-secret"}, "device_code": {d.codes["device_code"].(string)}},
			400, "invalid_grant",
		},
		{
			"RFC 8628 §5.2 a device_code that was guessed", url.Values{"client_id": {"tv"}, "device_code": {"guess"}}, 400,
			"invalid_grant",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.form.Set("grant_type", oidc.GrantDeviceCode)
			if page := d.b.Post("/token", row.form); page.Status != row.status || page.JSON(t)["error"] != row.code {
				t.Errorf("got %d %s; want %d %s", page.Status, page.Body, row.status, row.code)
			}
		})
	}
}
