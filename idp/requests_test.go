package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// signer makes request objects of a client, whose keys it registers.
type signer struct{ key *ecdsa.PrivateKey }

func newSigner(t *testing.T) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key}
}

// register gives the client web the key, and change.
func (s signer) register(change func(*oidc.Client)) func(*idp.Config) {
	return func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients = slices.Clone(c.Clients)
		for i := range c.Clients {
			if client := &c.Clients[i]; client.ClientID == "web" {
				client.JWKS = &oidc.KeySet{
					JSONWebKeySet: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: "k"}}},
				}
				change(client)
			}
		}
	}
}

func (s signer) object(t *testing.T, params url.Values) string {
	t.Helper()
	claims := map[string]any{}
	for name := range params {
		claims[name] = params.Get(name)
	}
	made, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: s.key},
		new(jose.SignerOptions).WithHeader("kid", "k").WithType("oauth-authz-req+jwt"),
	)
	if err != nil {
		t.Fatal(err)
	}
	object, err := jwt.Signed(made).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func TestASignedRequestObjectByValue(t *testing.T) { // Core §6.1
	s := newSigner(t)
	p := idptest.Start(t, s.register(func(c *oidc.Client) { c.RequireSignedRequestObject = true }))
	b := p.Browser(t)
	b.SignIn("alice")
	object := s.object(t, idptest.Request("web", "prompt", "none"))
	page := b.Authorize(url.Values{"client_id": {"web"}, "request": {object}})
	if page.Location == nil || page.Location.Query().Get("code") == "" {
		t.Fatalf("got %d %v", page.Status, page.Location)
	}
	b.Tokens("web", page.Location.Query().Get("code"))
	page = b.Authorize(idptest.Request("web", "prompt", "none", "request", object[:len(object)-6]+"AAAAAA"))
	if page.Location == nil || page.Location.Query().Get("error") != "invalid_request_object" {
		t.Errorf("RFC 9101 §6.2 a changed signature gives %d %v", page.Status, page.Location)
	}
}

// Core §6.2, §6.2.2, §6.2.3; RFC 9101 §5.2.3: "MUST send an HTTP GET request to the request_uri"
func TestARequestObjectByReference(t *testing.T) {
	s := newSigner(t)
	var content string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("asked by %s", r.Method)
		}
		w.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
		_, _ = w.Write([]byte(content))
	}))
	t.Cleanup(app.Close)
	p := idptest.Start(t, s.register(func(c *oidc.Client) { c.RequestURIs = []string{app.URL + "/r.jwt"} }))
	content = s.object(t, idptest.Request("web"))
	b := p.Browser(t)
	b.SignIn("alice")
	for uri, want := range map[string]string{app.URL + "/r.jwt": "", app.URL + "/other.jwt": "invalid_request_uri"} {
		page := b.Authorize(idptest.Request("web", "prompt", "none", "request_uri", uri))
		if page.Location == nil || page.Location.Query().Get("error") != want ||
			page.Location.Query().Has("code") != (want == "") {
			t.Errorf("%s gives %d %v", uri, page.Status, page.Location)
		}
	}
}

// No client makes the provider ask this machine, unless the configuration allows it.
func TestARequestURIOnThisMachineIsNotAsked(t *testing.T) { // RFC 9101 §10.4.1
	app := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	t.Cleanup(app.Close)
	no := false
	p := idptest.Start(t, func(c *idp.Config) {
		newSigner(t).register(func(client *oidc.Client) { client.RequestURIs = []string{app.URL + "/r.jwt"} })(c)
		c.Fetch.AllowPrivate = &no
	})
	page := p.Browser(t).Authorize(idptest.Request("web", "prompt", "none", "request_uri", app.URL+"/r.jwt"))
	if page.Location == nil || page.Location.Query().Get("error") != "invalid_request_uri" ||
		!strings.Contains(page.Location.Query().Get("error_description"), "public address") {
		t.Errorf("got %d %v", page.Status, page.Location)
	}
}

// The request survives the pages: what the object asked for is still asked when the person is back.
func TestARequestObjectWaitsForAPerson(t *testing.T) {
	s := newSigner(t)
	p := idptest.Start(t, s.register(func(c *oidc.Client) { c.RequireSignedRequestObject = true }))
	b := p.Browser(t)
	page := b.Authorize(url.Values{"client_id": {"web"}, "request": {s.object(t, idptest.Request("web"))}})
	page = b.Submit(b.Get(page.Location.RequestURI()), url.Values{"username": {"alice"}, "password": {"alice"}})
	page = b.Get(page.Location.RequestURI())
	if page.Location == nil || page.Location.Query().Get("code") == "" {
		t.Fatalf("got %d %v\n%s", page.Status, page.Location, page.Body)
	}
}

func push(t *testing.T, b *idptest.Browser, params url.Values) (status int, answer map[string]any, header http.Header) {
	t.Helper()
	form := maps.Clone(params)
	form.Set("client_secret", "web-secret")
	page := b.Post("/par", form)
	return page.Status, page.JSON(t), page.Header
}

func TestPushedRequests(t *testing.T) {
	p := idptest.Start(t, newSigner(t).register(func(c *oidc.Client) { c.RequirePushedAuthorizationRequests = true }))
	b := p.Browser(t)
	b.SignIn("alice")
	status, answer, header := push(t, b, idptest.Request("web", "prompt", "none"))
	if status != http.StatusCreated || !strings.Contains(header.Get("Cache-Control"), "no-store") ||
		answer["expires_in"] != float64(90) {
		t.Fatalf("RFC 9126 §2.2 got %d %v %v", status, answer, header)
	}
	uri := answer["request_uri"].(string)
	page := b.Authorize(url.Values{"client_id": {"web"}, "request_uri": {uri}})
	// RFC 9207 §2.3: "identical to the authorization server metadata value"
	if page.Location == nil || page.Location.Query().Get("iss") != metadata(t, p).Issuer {
		t.Fatalf("RFC 9126 §4 got %d %v\n%s", page.Status, page.Location, page.Body)
	}
	b.Tokens("web", page.Location.Query().Get("code"))
	if page := b.Authorize(url.Values{"client_id": {"web"}, "request_uri": {uri}}); page.Status != http.StatusBadRequest ||
		!strings.Contains(page.Body, "invalid_request_uri") {
		t.Errorf("RFC 9126 §4 the second use gives %d", page.Status)
	}
	if page := b.Authorize(
		idptest.Request("web", "prompt", "none"),
	); page.Location.Query().Get("error") != "invalid_request" {
		t.Errorf("RFC 9126 §6 without a push: %v", page.Location)
	}
}

func TestRefusedPushes(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, row := range []struct {
		name      string
		form      url.Values
		status    int
		code      string
		challenge bool
	}{
		{
			name: "RFC 9126 §2.3 a wrong secret is 401 invalid_client", form: changed("client_secret", "wrong"), status: 401,
			code: "invalid_client", challenge: true,
		},
		{
			name: "RFC 9126 §2.3 an unregistered redirect_uri is 400 in JSON",
			form: changed("redirect_uri", "https://evil.test/"), status: 400, code: "invalid_request",
		},
		{
			name: "RFC 9126 §2.1 request_uri is 400", form: changed("request_uri", "urn:x"), status: 400,
			code: "invalid_request",
		},
		{
			name: "RFC 9126 §2.3 a request that is too large is 413", form: changed("state", strings.Repeat("s", 70<<10)),
			status: 413, code: "invalid_request",
		},
		{
			name: "RFC 9126 §2 a confidential client does not push by its client_id alone", form: changed("client_secret", ""),
			status: 401, code: "invalid_client", challenge: true,
		},
		{
			name: "RFC 9126 §2.1 nor with the client_id of another", form: changed("client_id", "nobody"), status: 401,
			code: "invalid_client", challenge: true,
		},
		{
			name: "RFC 9126 §2.3 what /authorize would refuse is refused", form: changed("response_type", "token"), status: 400,
			code: "unsupported_response_type",
		},
		{
			name: "RFC 8707 §2 an unknown resource is 400 invalid_target", form: changed("resource", "https://nowhere.test"),
			status: 400, code: "invalid_target",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := serve(p, get(t, "POST", p.Issuer+"/par", row.form))
			var answer map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != row.status ||
				answer["error"] != row.code {
				t.Errorf("got %d %s; want %d %s", w.Code, w.Body, row.status, row.code)
			}
			if (w.Header().Get("WWW-Authenticate") != "") != row.challenge {
				t.Errorf("WWW-Authenticate = %q", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
	if w := serve(p, get(t, "GET", p.Issuer+"/par", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("RFC 9126 §2.3 GET gives %d; want 405", w.Code)
	}
}

func changed(name, value string) url.Values {
	form := idptest.Request("web", "client_secret", "web-secret")
	form.Set(name, value)
	return form
}

func TestSignedAnswersAreVerifiable(t *testing.T) { // JARM §2.4
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	page := b.Authorize(idptest.Request("web", "response_mode", "jwt", "prompt", "none"))
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(serve(p, get(t, "GET", "/jwks", nil)).Body.Bytes(), &set); err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(page.Location.Query().Get("response"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := parsed.Claims(set.Key(parsed.Headers[0].KeyID)[0], &answer); err != nil || answer["iss"] != p.Issuer ||
		answer["aud"] != "web" {
		t.Fatalf("got %v, %v", answer, err)
	}
	b.Tokens("web", answer["code"].(string))
	hint := page.Location.Query().Get("response")
	if page := b.Authorize(
		idptest.Request("web", "prompt", "none", "id_token_hint", hint),
	); page.Location.Query().Get("error") != "login_required" {
		t.Errorf("an answer passes for an ID token: %v", page.Location)
	}
}

func TestTheWebMessagePage(t *testing.T) { // OAuth 2.0 Web Message Response Mode §4
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	for _, signed := range []bool{false, true} {
		if signed {
			b.SignIn("alice")
		}
		page := b.Authorize(idptest.Request("spa", "response_mode", "web_message", "prompt", "none"))
		csp := page.Header.Get("Content-Security-Policy")
		if page.Status != http.StatusOK ||
			!strings.Contains(csp, "frame-ancestors http://localhost:9090;") && !strings.HasSuffix(
				csp, "frame-ancestors http://localhost:9090",
			) || page.Header.Get("X-Frame-Options") != "" {
			t.Errorf("got %d, %s", page.Status, csp)
		}
		if !strings.Contains(page.Body, `data-target="http://localhost:9090"`) ||
			strings.Contains(page.Body, "&#34;code&#34;") != signed || strings.Contains(page.Body, "login_required") == signed {
			t.Errorf("signed in: %v\n%s", signed, page.Body)
		}
	}
}

func TestTheClaimsParameter(t *testing.T) { // Core §5.5
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Scopes = append(c.Scopes, idp.Scope{Name: "staff", Description: "See your place", Claims: []string{"room"}})
		c.Users[0].Claims = maps.Clone(c.Users[0].Claims)
		c.Users[0].Claims["room"] = "E 14"
	})
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := b.Tokens("spa", b.Code(idptest.Request(
		"spa", "scope", "openid", "claims",
		`{"userinfo":{"name":{"essential":true},"room":null},`+
			`"id_token":{"email":null,"sub":{"value":"alice"},"iss":{"value":"x"}}}`,
	)))
	id := claims(t, tokens["id_token"])
	if id["email"] != "alice@example.com" || id["name"] != nil || id["iss"] != p.Issuer {
		t.Errorf("the ID token has %v", id)
	}
	info := userinfo(t, b, tokens).JSON(t)
	if info["name"] != "Alice Marie Archer" && info["name"] == nil || info["room"] != "E 14" || info["email"] != nil ||
		info["sub"] != "alice" {
		t.Errorf("userinfo has %v", info)
	}
	tokens = b.Tokens("spa", b.Code(idptest.Request("spa", "scope", "openid staff")))
	if info := userinfo(t, b, tokens).JSON(t); info["room"] != "E 14" || info["name"] != nil {
		t.Errorf("with scope staff userinfo has %v", info)
	}
}

func TestLevelsOfAuthentication(t *testing.T) { // Core §3.1.2.1 acr_values
	p := idptest.Start(t, func(c *idp.Config) {
		c.ACRValues = []authorize.Level{
			{Value: "urn:example:password", AMR: []string{"pwd"}}, {Value: "urn:example:some", AMR: []string{"pwd", "user"}},
		}
	})
	if m := metadata(t, p); !slices.Equal(m.ACRValuesSupported, []string{"urn:example:password", "urn:example:some"}) {
		t.Errorf("acr_values_supported = %v", m.ACRValuesSupported)
	}
	b := p.Browser(t)
	b.SignIn("alice")
	for wanted, got := range map[string]string{
		"": "urn:example:password", "urn:example:some": "urn:example:some", "urn:example:other": "urn:example:password",
	} {
		tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "acr_values", wanted)))
		if acr := claims(t, tokens["id_token"])["acr"]; acr != got {
			t.Errorf("acr_values=%s gives %v; want %s", wanted, acr, got)
		}
	}
}
