package idp_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

func TestATokenIsRevoked(t *testing.T) { // RFC 7009 §2
	p := idptest.Start(t, withOffline)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := allow(t, b, "spa")
	page := b.Post("/revoke", url.Values{"client_id": {"spa"}, "token": {tokens["access_token"].(string)}})
	if page.Status != http.StatusOK || page.Body != "" || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("RFC 7009 §2.2 got %d %v %q", page.Status, page.Header, page.Body)
	}
	wantPage(t, userinfo(t, b, tokens), http.StatusUnauthorized, "revoked")
	tokens = refresh(b, "spa", tokens).JSON(t)
	wantPage(t, userinfo(t, b, tokens), http.StatusOK, "alice")
	wantPage(
		t, b.Post("/revoke", url.Values{"client_id": {"spa"}, "token": {tokens["refresh_token"].(string)}}), http.StatusOK,
		"",
	)
	wantPage(t, userinfo(t, b, tokens), http.StatusUnauthorized, "revoked")
	wantPage(t, refresh(b, "spa", tokens), http.StatusBadRequest, "invalid_grant")
}

func TestTheScriptsOfClientsMayRevoke(t *testing.T) { // RFC 7009 §2.3
	p := idptest.Start(t, nil)
	for path, status := range map[string]int{"/revoke": http.StatusOK, "/introspect": http.StatusUnauthorized} {
		w := serve(
			p,
			get(t, "POST", p.Issuer+path, url.Values{"client_id": {"spa"}, "token": {"x"}}, "Origin", "http://localhost:9090"),
		)
		if w.Code != status || w.Header().Get("Access-Control-Allow-Origin") != "http://localhost:9090" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != (status == http.StatusUnauthorized) {
			t.Errorf("RFC 6749 §5.2 %s: WWW-Authenticate is %q", path, challenge)
		}
		if w := serve(p, get(t, "GET", p.Issuer+path+"?client_id=spa&token=x", nil)); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("RFC 7009 §2.1, RFC 7662 §2.1 a GET of %s gives %d", path, w.Code)
		}
	}
}

func TestATokenIsIntrospected(t *testing.T) { // RFC 7662 §2
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	form := url.Values{"client_id": {"web"}, "client_secret": {"web-secret"}}
	form.Set("token", b.Tokens("spa", b.Code(idptest.Request("spa")))["access_token"].(string))
	page := b.Post("/introspect", form)
	if claims := page.JSON(t); claims["active"] != true || claims["client_id"] != "spa" || claims["sub"] != "alice" ||
		claims["token_type"] != "Bearer" {
		t.Errorf("got %v", claims)
	}
	if page.Header.Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(page.Header.Get("Content-Type"), "application/json") {
		t.Errorf("RFC 7662 §2.2 got %v", page.Header)
	}
	r := get(t, "POST", p.Issuer+"/introspect", form, "Accept", "application/token-introspection+jwt")
	if w := serve(p, r); w.Header().Get("Content-Type") != "application/token-introspection+jwt" ||
		claims(t, w.Body.String())["iss"] != p.Issuer {
		t.Errorf("RFC 9701 §5 got %v %s", w.Header(), w.Body)
	}
	form.Set("token", "nonsense")
	if page := b.Post("/introspect", form); strings.TrimSpace(page.Body) != `{"active":false}` {
		t.Errorf("RFC 7662 §2.2 got %s", page.Body)
	}
}

func TestTheMetadataOfRevocationIsTrue(t *testing.T) { // RFC 8414 §2, RFC 9701 §7
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.SigningKeys = []idp.SigningKey{{Alg: "ES256"}, {Alg: "EdDSA"}}
		for _, key := range c.SigningKeys {
			c.Clients = append(c.Clients, oidc.Client{
				ClientID: "api-" + string(key.Alg), ClientSecret: oidc.NewSecret("secret"), GrantTypes: []string{
					oidc.GrantClientCredentials,
				},
				IDTokenSignedResponseAlg: string(key.Alg), IntrospectionSignedResponseAlg: string(key.Alg),
			})
		}
		for i := range c.Clients {
			c.Clients[i].IDTokenSignedResponseAlg = "ES256"
		}
	})
	m := metadata(t, p)
	if m.RevocationEndpoint != p.Issuer+"/revoke" || m.IntrospectionEndpoint != p.Issuer+"/introspect" ||
		len(m.IntrospectionSigningAlgValuesSupported) != 2 {
		t.Errorf("got %+v", m)
	}
	if slices.Contains(m.IntrospectionAuthMethods, oidc.AuthMethodNone) ||
		!slices.Contains(m.RevocationAuthMethods, oidc.AuthMethodNone) {
		t.Error(
			"RFC 7662 §2.1 introspection without authentication is announced, or RFC 7009 §2.1 revocation by public clients " +
				"is not",
		)
	}
	for _, alg := range m.IntrospectionSigningAlgValuesSupported {
		w := serve(
			p,
			get(
				t, "POST", m.IntrospectionEndpoint,
				url.Values{"client_id": {"api-" + alg}, "client_secret": {"secret"}, "token": {"x"}},
			),
		)
		header, _, _ := strings.Cut(w.Body.String(), ".")
		if text, err := base64.RawURLEncoding.DecodeString(header); err != nil ||
			!strings.Contains(string(text), `"alg":"`+alg+`"`) {
			t.Errorf("RFC 9701 §7 %s is announced and gives %s %s", alg, text, w.Body)
		}
	}
}
