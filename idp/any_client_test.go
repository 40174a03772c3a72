package idp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

const myApp = "http://localhost:5173/callback"

func anyClient(c *idp.Config) { c.AnyClient = true }

// redeemFor redeems the code of a client that is not registered.
func redeemFor(b *idptest.Browser, code string, more ...string) idptest.Page {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {myApp}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return b.Post("/token", form)
}

func TestAnyClientWorksAtOnce(t *testing.T) {
	public := []string{"client_id", "mine", "code_verifier", idptest.CodeVerifier}
	for _, row := range []struct {
		name   string
		ask    []string // changes of the authentication request
		redeem []string // parameters of the token request
		want   int
	}{
		{"RFC 7636 a public client with PKCE", nil, public, 200},
		{"RFC 6749 §2.3.1 a confidential client with any secret",
			nil, append([]string{"client_secret", "any secret at all"}, public...), 200},
		{"RFC 9700 §2.1.1 a confidential client without PKCE",
			[]string{"code_challenge", "", "code_challenge_method", ""},
			[]string{"client_id", "mine", "client_secret", "any secret"}, 200},
		{"RFC 9700 §2.1.1 without PKCE and without a secret the client proves nothing",
			[]string{"code_challenge", "", "code_challenge_method", ""}, []string{"client_id", "mine"}, 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := idptest.Start(t, anyClient).Browser(t)
			b.SignIn("alice")
			code := b.Code(idptest.Request("mine", append([]string{"redirect_uri", myApp}, row.ask...)...))
			if page := redeemFor(b, code, row.redeem...); page.Status != row.want {
				t.Errorf("the token endpoint gave %d; want %d: %s", page.Status, row.want, page.Body)
			}
		})
	}
}

// The whole life of such a client: renewal, refresh, sign-out, and the console's YAML.
func TestAnyClientRenewsAndSignsOut(t *testing.T) {
	p := idptest.Start(t, anyClient)
	b := p.Browser(t)
	b.SignIn("alice")
	ask := idptest.Request("mine", "redirect_uri", myApp, "scope", "openid offline_access")
	first := redeemFor(b, b.Code(ask), "client_id", "mine", "code_verifier", idptest.CodeVerifier).JSON(t)
	refreshed := b.Post("/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"mine"},
		"refresh_token": {first["refresh_token"].(string)}})
	if refreshed.Status != http.StatusOK {
		t.Errorf("the refresh gave %d: %s", refreshed.Status, refreshed.Body)
	}
	out := b.Get("/logout?" + url.Values{"id_token_hint": {first["id_token"].(string)},
		"post_logout_redirect_uri": {"http://localhost:5173/"}}.Encode())
	if out.Location == nil || !strings.HasPrefix(out.Location.String(), "http://localhost:5173/") {
		t.Errorf("the sign-out gave %d %v:\n%s", out.Status, out.Location, out.Body)
	}
	shown := b.Get("/console/clients").Body
	for _, want := range []string{`"unregistered":true`, `client_id: mine`, myApp} {
		if !strings.Contains(shown, want) {
			t.Errorf("the console does not show %s:\n%s", want, shown)
		}
	}
	if home := b.Get("/").Body; !strings.Contains(home, "any_client is on") {
		t.Error("the home page does not say that any_client is on")
	}
	if !strings.Contains(p.Log.String(), "client_id=mine") {
		t.Error("the log does not name the client that was let in")
	}
}

func TestWhatAnyClientDoesNotLetIn(t *testing.T) {
	p := idptest.Start(t, anyClient)
	b := p.Browser(t)
	for _, row := range []struct{ name, uri, header, value string }{
		{"a redirect URI of another machine", "https://evil.example/cb", "", ""},
		{"a redirect URI whose host only begins like a loopback one", "http://localhost.evil.example/cb", "", ""},
		{"a redirect URI of an app", "com.example:/cb", "", ""},
		{"a foreign page by its Referer", myApp, "Referer", "https://evil.example/"},
		{"a foreign page by its Origin", myApp, "Origin", "https://evil.example"},
		{"a page of another site without a Referer", myApp, "Sec-Fetch-Site", "cross-site"},
		{"DNS rebinding: a foreign Host", myApp, "Host", "rebound.example.com"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := get(t, http.MethodGet, p.Issuer+"/authorize?"+idptest.Request("mine", "redirect_uri", row.uri).Encode(), nil)
			if row.header != "" {
				r.Header.Set(row.header, row.value)
			}
			if row.header == "Host" {
				r.Host = row.value
			}
			if w := serve(p, r); w.Code == http.StatusSeeOther {
				t.Errorf("the client was let in: %s", w.Header().Get("Location"))
			}
			if strings.Contains(b.Get("/console/clients").Body, "mine") {
				t.Error("the console has the client")
			}
		})
	}
	w := serve(p, get(t, http.MethodGet, p.Issuer+"/authorize?"+
		idptest.Request("spa", "redirect_uri", "http://localhost:5173/other").Encode(), nil))
	if w.Code != http.StatusBadRequest {
		t.Errorf("a registered client got a redirect URI that is not registered: %d", w.Code)
	}
	before := len(p.Log.String())
	w = serve(p, get(t, http.MethodGet, p.Issuer+"/authorize?"+
		idptest.Request(strings.Repeat("x", 10_000), "redirect_uri", myApp).Encode(), nil))
	if more := len(p.Log.String()) - before; w.Code != http.StatusBadRequest || more > 2000 {
		t.Errorf("a client_id of 10,000 bytes: got %d and %d bytes of log", w.Code, more)
	}
}

func TestAResetForgetsUnregisteredClients(t *testing.T) {
	b := idptest.Start(t, anyClient).Browser(t)
	b.Authorize(idptest.Request("mine", "redirect_uri", myApp))
	token, _ := b.Get("/console/token").JSON(t)["csrf"].(string)
	if page := b.Post("/console/reset", url.Values{"csrf": {token}}); page.Status != http.StatusNoContent {
		t.Fatalf("the reset gave %d: %s", page.Status, page.Body)
	}
	if strings.Contains(b.Get("/console/clients").Body, "mine") {
		t.Error("the console has the client after a reset")
	}
}

func TestWithoutAnyClientAClientMustBeRegistered(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	page := b.Authorize(idptest.Request("mine", "redirect_uri", myApp))
	if page.Status != http.StatusBadRequest || !strings.Contains(page.Body, "--any-client") {
		t.Errorf("the request of an unknown client gave %d, or does not name --any-client\n%s", page.Status, page.Body)
	}
	public := b.Authorize(idptest.Request("mine", "redirect_uri", "https://app.example.com/callback"))
	if public.Status != http.StatusBadRequest || strings.Contains(public.Body, "--any-client") {
		t.Errorf("an app elsewhere got %d, or the advice of --any-client, which does not let it in", public.Status)
	}
}

func TestAnyClientsAreBounded(t *testing.T) {
	b := idptest.Start(t, anyClient).Browser(t)
	for i := range 105 {
		b.Authorize(idptest.Request(fmt.Sprint("client-", i), "redirect_uri", myApp))
	}
	for i := range 25 {
		b.Authorize(idptest.Request("client-104", "redirect_uri", myApp+fmt.Sprint(i)))
	}
	shown := b.Get("/console/clients").Body
	if n := strings.Count(shown, `"unregistered":true`); n != 100 {
		t.Errorf("there are %d clients; want 100", n)
	}
	if strings.Contains(shown, `client-4"`) || strings.Contains(shown, myApp+`3"`) ||
		!strings.Contains(shown, myApp+`24"`) {
		t.Error("the oldest did not make room")
	}
}
