package idp_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

func metadata(t *testing.T, p *idptest.Provider) oidc.Metadata {
	t.Helper()
	w := serve(p, get(t, "GET", "/.well-known/openid-configuration", nil))
	var m oidc.Metadata
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != http.StatusOK {
		t.Fatalf("got %d, %v:\n%s", w.Code, err, w.Body)
	}
	return m
}

func TestTheTwoMetadataDocumentsAreEqual(t *testing.T) { // Discovery §4, RFC 8414 §3
	p := idptest.Start(t, nil)
	a := serve(p, get(t, "GET", "/.well-known/openid-configuration", nil))
	b := serve(p, get(t, "GET", "/.well-known/oauth-authorization-server", nil))
	if a.Body.String() != b.Body.String() || !strings.HasPrefix(a.Header().Get("Content-Type"), "application/json") {
		t.Errorf("%s\n%s", a.Body, b.Body)
	}
}

func TestEveryEndpointOfTheMetadataAnswers(t *testing.T) {
	p := idptest.Start(t, nil)
	m := metadata(t, p)
	if m.Issuer != p.Issuer {
		t.Errorf("issuer = %q; want %q", m.Issuer, p.Issuer)
	}
	for name, endpoint := range map[string]string{
		"authorization": m.AuthorizationEndpoint, "token": m.TokenEndpoint, "userinfo": m.UserinfoEndpoint,
		"jwks": m.JWKSURI, "end_session": m.EndSessionEndpoint, "check_session_iframe": m.CheckSessionIframe,
		"registration": m.RegistrationEndpoint, "device_authorization": m.DeviceAuthorizationEndpoint,
	} {
		if w := serve(p, get(t, "GET", endpoint, nil)); w.Code == http.StatusNotFound ||
			!strings.HasPrefix(endpoint, p.Issuer+"/") {
			t.Errorf("%s: %s gives %d", name, endpoint, w.Code)
		}
	}
}

func TestOfAnHTTPSIssuerEveryEndpointIsHTTPS(t *testing.T) {
	p := idptest.Start(t, public)
	w := serve(p, get(t, "GET", "/.well-known/openid-configuration", nil))
	if strings.Contains(w.Body.String(), "http://") ||
		!strings.Contains(w.Body.String(), `"issuer":"https://login.example.com"`) {
		t.Errorf("got %s", w.Body)
	}
	if w.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
}

// TestDiscoveryTellsTheTruth exercises each value that the metadata lists.
func TestDiscoveryTellsTheTruth(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		c.SigningKeys = nil
		for _, alg := range []string{"RS256", "ES256", "PS256", "EdDSA"} {
			c.SigningKeys = append(c.SigningKeys, idp.SigningKey{Alg: jose.SignatureAlgorithm(alg)})
		}
	})
	m := metadata(t, p)
	b := p.Browser(t)
	b.SignIn("alice")
	for _, mode := range m.ResponseModesSupported {
		page := b.Authorize(idptest.Request("spa", "response_mode", mode, "prompt", "none"))
		got := page.Body
		if page.Location != nil {
			got = page.Location.RawQuery + page.Location.Fragment
		}
		if !strings.Contains(got, "code") && !strings.Contains(got, "response") { // the latter of JARM
			t.Errorf("response_mode %s gives %d %v", mode, page.Status, page.Location)
		}
	}
	for _, display := range m.DisplayValuesSupported {
		wantCode(t, b.Authorize(idptest.Request("spa", "display", display)))
	}
	for _, locale := range m.UILocalesSupported {
		wantPage(t, open(t, p.Browser(t), idptest.Request("spa", "ui_locales", locale)), http.StatusOK, `lang="`+locale+`"`)
	}
	for _, prompt := range m.PromptValuesSupported {
		if page := b.Authorize(idptest.Request("spa", "prompt", string(prompt))); page.Location == nil ||
			page.Location.Query().Has("error") {
			t.Errorf("prompt %s gives %d %v", prompt, page.Status, page.Location)
		}
	}
	for _, scope := range m.ScopesSupported {
		tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "scope", "openid "+scope)))
		if !slices.Contains(strings.Fields(tokens["scope"].(string)), scope) {
			t.Errorf("scope %s was asked, %v granted", scope, tokens["scope"])
		}
	}
	checkClaims(t, b, m)
	checkAlgs(t, p, m)
	checkAuthMethods(t, p, b, m)
	if !m.AuthorizationResponseIssParameterSupported { // RFC 9207 §3
		t.Errorf("got %+v", m)
	}
}

func checkClaims(t *testing.T, b *idptest.Browser, m oidc.Metadata) {
	t.Helper()
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "scope", strings.Join(m.ScopesSupported, " "))))
	known := claims(t, tokens["id_token"])
	if !slices.Contains(m.ACRValuesSupported, known["acr"].(string)) {
		t.Errorf("acr %v is not announced", known["acr"])
	}
	maps.Copy(known, userinfo(t, b, tokens).JSON(t))
	for _, claim := range m.ClaimsSupported {
		if known[claim] == nil {
			t.Errorf("the claim %s is announced and not there", claim)
		}
	}
}

func checkAlgs(t *testing.T, p *idptest.Provider, m oidc.Metadata) {
	t.Helper()
	jwks := serve(p, get(t, "GET", "/jwks", nil)).Body.String()
	for _, alg := range m.IDTokenSigningAlgValuesSupported {
		if !strings.Contains(jwks, `"alg":"`+alg+`"`) {
			t.Errorf("no key for %s in %s", alg, jwks)
		}
	}
	for _, private := range []string{`"d":`, `"p":`, `"q":`} {
		if strings.Contains(jwks, private) {
			t.Errorf("the jwks_uri publishes the private member %s", private)
		}
	}
}

func checkAuthMethods(t *testing.T, p *idptest.Provider, b *idptest.Browser, m oidc.Metadata) {
	t.Helper()
	for _, method := range m.TokenEndpointAuthMethodsSupported {
		if strings.HasSuffix(method, "_jwt") { // TestEveryListedAlgOfAssertionsWorks
			continue
		}
		client := "web"
		if method == oidc.AuthMethodNone {
			client = "spa"
		}
		form := url.Values{
			"grant_type": {m.GrantTypesSupported[0]}, "code": {
				b.Code(idptest.Request(client)),
			}, "code_verifier": {idptest.CodeVerifier},
			"redirect_uri": {idptest.Request(client).Get("redirect_uri")}, "client_id": {client},
		}
		r := get(t, "POST", "/token", form)
		switch method {
		case oidc.AuthMethodPost:
			form.Set("client_secret", "web-secret")
			r = get(t, "POST", "/token", form)
		case oidc.AuthMethodBasic:
			r.SetBasicAuth(client, "web-secret")
		}
		if w := serve(p, r); w.Code != http.StatusOK {
			t.Errorf("%s gives %d %s", method, w.Code, w.Body)
		}
	}
}
