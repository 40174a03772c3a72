package idp_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// bank is a client with profile fapi2, which holds the one key for assertions and the other for proofs.
type bank struct {
	*holder
	keyed *keyed
}

func newBank(t *testing.T, more ...func(*idp.Config)) bank {
	t.Helper()
	k := newKeyed(t)
	return bank{keyed: k, holder: newHolder(t, func(c *idp.Config) {
		byAssertion(func(c *oidc.Client) {
			c.JWKSURI, c.Profile, c.IDTokenSignedResponseAlg = k.site.URL, oidc.ProfileFAPI2, "ES256"
			c.GrantTypes = []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken, oidc.GrantClientCredentials}
		})(c)
		for _, change := range more {
			change(c)
		}
	})}
}

// send posts a form to an endpoint, with an assertion, a proof and the provider's nonce.
func (b bank) send(path string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	nonce := b.attempt(path, form, nil).Header().Get("DPoP-Nonce")
	return b.attempt(path, form, map[string]any{"nonce": nonce})
}

func (b bank) attempt(path string, form url.Values, claims map[string]any) *httptest.ResponseRecorder {
	b.t.Helper()
	form = maps.Clone(form)
	form.Set("client_assertion_type", clientauth.TypeAssertion)
	form.Set("client_assertion", b.keyed.assertion(b.t, b.p))
	return serve(b.p, get(b.t, "POST", path, form, "DPoP", b.proof("POST", path, claims)))
}

// sendAt pushes a form with a proof of another time, which has nbf and exp too (check-dpop-proof-nbf-exp).
func (b bank) sendAt(later time.Duration, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	at := b.p.Clock.Now().Add(later)
	return b.attempt("/par", form, map[string]any{
		"nonce": b.attempt("/par", form, nil).Header().Get("DPoP-Nonce"),
		"iat":   at.Unix(), "nbf": at.Unix(), "exp": at.Add(time.Minute).Unix(),
	})
}

// code pushes a request and follows it to a code.
func (b bank) code() string {
	b.t.Helper()
	w := b.send("/par", idptest.Request("web"))
	if w.Code != http.StatusCreated {
		b.t.Fatalf("/par gives %d %s", w.Code, w.Body)
	}
	return b.b.Code(url.Values{"client_id": {"web"}, "request_uri": {body(b.t, w)["request_uri"].(string)}})
}

func (b bank) form() url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("web").Get("redirect_uri")},
	}
}

func TestFAPI2FromPushToUserinfo(t *testing.T) { // FAPI 2.0 §5.3.2
	b := newBank(t)
	form := b.form()
	form.Set("code", b.code())
	w := b.send("/token", form)
	tokens := body(t, w)
	if w.Code != http.StatusOK || tokens["token_type"] != "DPoP" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if alg := header(t, tokens["access_token"].(string))["alg"]; alg != "ES256" {
		t.Errorf("FAPI 2.0 §5.4.1: the access token's alg is %v", alg)
	}
	token := tokens["access_token"].(string)
	if w := b.userinfo("DPoP "+token, b.proof("GET", "/userinfo", ath(token))); w.Code != http.StatusOK {
		t.Error(w.Body)
	}
}

// object is the request of the client web as a signed request object, with nbf and exp around now.
func (b bank) object(more map[string]any) url.Values {
	b.t.Helper()
	now := b.p.Clock.Now()
	claims := map[string]any{"iss": "web", "aud": b.p.Issuer, "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	for name, values := range idptest.Request("web", "response_mode", "jwt") {
		claims[name] = values[0]
	}
	maps.Copy(claims, more)
	options := new(jose.SignerOptions).WithHeader("kid", b.keyed.kid).WithType("oauth-authz-req+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: b.keyed.alg, Key: b.keyed.private}, options)
	if err != nil {
		b.t.Fatal(err)
	}
	object, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		b.t.Fatal(err)
	}
	return url.Values{"client_id": {"web"}, "request": {object}}
}

// From a signed request object to a signed answer and a signed introspection.
func TestFAPI2MessageSigning(t *testing.T) { // FAPI 2.0 Message Signing §5.3.1, §5.4.1, §5.5.1
	b := newBank(t, func(c *idp.Config) { c.Clients[1].RequireSignedRequestObject = true })
	for name, row := range map[string]struct {
		form url.Values
		code any
	}{
		"§5.3.1 a push without a request object": {idptest.Request("web"), "invalid_request"},
		"§5.3.1 one without exp":                 {b.object(map[string]any{"exp": nil}), "invalid_request_object"},
		"§5.3.1 one of aud of another server":    {b.object(map[string]any{"aud": "x"}), "invalid_request_object"},
	} {
		if got := body(t, b.send("/par", row.form)); got["error"] != row.code {
			t.Errorf("%s: got %v, want %v", name, got, row.code)
		}
	}
	pushed := body(t, b.send("/par", b.object(nil)))["request_uri"]
	page := b.b.Authorize(url.Values{"client_id": {"web"}, "request_uri": {pushed.(string)}})
	answer := page.Location.Query().Get("response")
	signed := claims(t, answer)
	if header(t, answer)["alg"] != "ES256" || signed["aud"] != "web" || signed["iss"] != b.p.Issuer {
		t.Fatalf("§5.4.1: %v", signed)
	}
	form := b.form()
	form.Set("code", signed["code"].(string))
	token := body(t, b.send("/token", form))["access_token"].(string)
	r := get(t, "POST", "/introspect", url.Values{
		"token": {token}, "client_assertion_type": {clientauth.TypeAssertion},
		"client_assertion": {b.keyed.assertion(t, b.p)},
	}, "Accept", "application/token-introspection+jwt")
	w := serve(b.p, r)
	inside, _ := claims(t, w.Body.String())["token_introspection"].(map[string]any)
	if header(t, w.Body.String())["alg"] != "ES256" || inside["active"] != true {
		t.Errorf("§5.5.1: %d %s", w.Code, w.Body)
	}
}

// FAPI 2.0 Message Signing §5.3.1: what the client did not sign is not used
// (state-only-outside-request-object-not-used, different-nonce-inside-and-outside-request-object).
func TestParametersBesideASignedPushAreNotUsed(t *testing.T) {
	b := newBank(t)
	form := b.object(map[string]any{"state": nil, "response_mode": "query"})
	form.Set("state", "outside")
	form.Set("nonce", "outside")
	pushed := body(t, b.send("/par", form))["request_uri"]
	page := b.b.Authorize(url.Values{"client_id": {"web"}, "request_uri": {pushed.(string)}, "state": {"at the end"}})
	answer := page.Location.Query()
	if answer.Has("state") {
		t.Errorf("the answer has the state %q", answer.Get("state"))
	}
	form = b.form()
	form.Set("code", answer.Get("code"))
	idToken := body(t, b.send("/token", form))["id_token"].(string)
	if nonce := claims(t, idToken)["nonce"]; nonce != idptest.Request("web").Get("nonce") {
		t.Errorf("the ID token has the nonce %q", nonce)
	}
}

type response = *httptest.ResponseRecorder

var fapi2Demands = []struct {
	name string
	do   func(b bank, form url.Values) response
	code string
}{
	{"FAPI 2.0 §5.3.2.1 tokens are sender-constrained: a proof is there", func(b bank, form url.Values) response {
		form.Set("client_assertion_type", clientauth.TypeAssertion)
		form.Set("client_assertion", b.keyed.assertion(b.t, b.p))
		return serve(b.p, get(b.t, "POST", "/token", form))
	}, "invalid_dpop_proof"},
	{"FAPI 2.0 §5.3.2.1 so are those that the client gets for itself", func(b bank, form url.Values) response {
		return serve(b.p, get(b.t, "POST", "/token", url.Values{
			"grant_type": {oidc.GrantClientCredentials}, "client_assertion_type": {
				clientauth.TypeAssertion,
			}, "client_assertion": {b.keyed.assertion(b.t, b.p)},
		}))
	}, "invalid_dpop_proof"},
	{"FAPI 2.0 §5.3.2.1 and those of a refresh token", func(b bank, form url.Values) response {
		return serve(b.p, get(b.t, "POST", "/token", url.Values{
			"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {"a.b.c"}, "client_assertion_type": {
				clientauth.TypeAssertion,
			}, "client_assertion": {b.keyed.assertion(b.t, b.p)},
		}))
	}, "invalid_dpop_proof"},
	{"FAPI 2.0 §5.3.2.1 the password grant is rejected", func(b bank, form url.Values) response {
		form.Set("grant_type", "password")
		return b.send("/token", form)
	}, "unsupported_grant_type"},
	{"RFC 9449 §8 the proof of a fapi2 client has a nonce", func(b bank, form url.Values) response {
		return b.attempt("/token", form, nil)
	}, "use_dpop_nonce"},
	{"FAPI 2.0 §5.3.2.1 the client authenticates by private_key_jwt", func(b bank, form url.Values) response {
		form.Set("client_id", "web")
		form.Set("client_secret", "web-secret")
		return serve(b.p, get(b.t, "POST", "/token", form, "DPoP", b.proof("POST", "/token", nil)))
	}, "invalid_client"},
	{"FAPI 2.0 §5.3.2.2 PKCE: a code_verifier is there", func(b bank, form url.Values) response {
		form.Del("code_verifier")
		return b.send("/token", form)
	}, "invalid_grant"},
	{"FAPI 2.0 §5.3.2.2 a code lives 60 seconds at the most", func(b bank, form url.Values) response {
		b.p.Clock.Pass(61 * time.Second)
		return b.send("/token", form)
	}, "invalid_grant"},
	{"FAPI 2.0 §5.3.2.2 a code is redeemed once", func(b bank, form url.Values) response {
		if w := b.send("/token", form); w.Code != http.StatusOK {
			b.t.Fatal(w.Body)
		}
		return b.send("/token", form)
	}, "invalid_grant"},
}

func TestWhatFAPI2Demands(t *testing.T) {
	for _, row := range fapi2Demands {
		t.Run(row.name, func(t *testing.T) {
			b := newBank(t)
			form := b.form()
			form.Set("code", b.code())
			if got := body(t, row.do(b, form)); got["error"] != row.code {
				t.Errorf("got %v; want %s", got, row.code)
			}
		})
	}
}

func TestWhatFAPI2DemandsOfAPush(t *testing.T) {
	for _, row := range []struct {
		name   string
		do     func(b bank, form url.Values) *httptest.ResponseRecorder
		status int
		code   string
	}{
		{
			"FAPI 2.0 §5.3.2.2 a push with all of it",
			func(b bank, form url.Values) response { return b.send("/par", form) }, 201, "",
		},
		{"FAPI 2.0 §5.3.2.2 a push without client authentication", func(b bank, form url.Values) response {
			return serve(b.p, get(b.t, "POST", "/par", form))
		}, 401, "invalid_client"},
		{"FAPI 2.0 §5.3.2.1 a push with a secret", func(b bank, form url.Values) response {
			form.Set("client_secret", "web-secret")
			return serve(b.p, get(b.t, "POST", "/par", form))
		}, 401, "invalid_client"},
		{"FAPI 2.0 §5.3.2.2 a push without code_challenge", func(b bank, form url.Values) response {
			form.Del("code_challenge")
			form.Del("code_challenge_method")
			return b.send("/par", form)
		}, 400, "invalid_request"},
		{"RFC 9449 §10.1 a push with a proof and another dpop_jkt", func(b bank, form url.Values) response {
			form.Set("dpop_jkt", strings.Repeat("a", 43))
			return b.send("/par", form)
		}, 400, "invalid_dpop_proof"},
		{"RFC 9126 §2 a push by GET (par-reject-invalid-http-verb)", func(b bank, form url.Values) response {
			return serve(b.p, get(b.t, "GET", "/par?"+form.Encode(), nil))
		}, 405, ""},
		{"RFC 9449 §4.3 (11) a proof with an iat 10 seconds ago (dpop-proof-with-iat-10-seconds-before-succeeds)",
			func(b bank, form url.Values) response { return b.sendAt(-10*time.Second, form) }, 201, ""},
		{"RFC 9449 §4.3 (11) a proof with an iat in 10 seconds (dpop-proof-with-iat-10-seconds-after-succeeds)",
			func(b bank, form url.Values) response { return b.sendAt(10*time.Second, form) }, 201, ""},
		{"FAPI 2.0 §5.4.1 a push with a proof by RS256", func(b bank, form url.Values) response {
			b.holder.key, b.holder.alg = rsaKey(b.t), jose.RS256
			return b.send("/par", form)
		}, 400, "invalid_dpop_proof"},
		{"FAPI 2.0 §5.4.1 a push with a proof by PS256", func(b bank, form url.Values) response {
			b.holder.key, b.holder.alg = rsaKey(b.t), jose.PS256
			return b.send("/par", form)
		}, 201, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBank(t)
			w := row.do(b, idptest.Request("web"))
			if got := body(t, w); w.Code != row.status || row.code != "" && got["error"] != row.code {
				t.Errorf("got %d %v; want %d %s", w.Code, got, row.status, row.code)
			}
		})
	}
}

// FAPI 2.0 §5.4.1: the key of PS256 could sign with RS256 too
func TestAProofAtUserinfoKeepsTheProfilesAlgs(t *testing.T) {
	b := newBank(t)
	b.holder.key, b.holder.alg = rsaKey(t), jose.PS256
	form := b.form()
	form.Set("code", b.code())
	token, _ := body(t, b.send("/token", form))["access_token"].(string)
	for alg, want := range map[jose.SignatureAlgorithm]int{
		jose.PS256: http.StatusOK, jose.RS256: http.StatusUnauthorized,
	} {
		b.holder.alg = alg
		if w := b.userinfo("DPoP "+token, b.proof("GET", "/userinfo", ath(token))); w.Code != want {
			t.Errorf("%s gives %d %s", alg, w.Code, w.Body)
		}
	}
}

// The code of a request that was pushed with a proof is for the holder of that key.
func TestTheCodeOfAPushIsBoundToItsKey(t *testing.T) { // FAPI 2.0 §5.3.2.2, RFC 9449 §10.1
	b := newBank(t)
	form := b.form()
	form.Set("code", b.code())
	b.holder.key = newKeyed(t).private
	if got := body(t, b.send("/token", form)); got["error"] != "invalid_grant" {
		t.Errorf("got %v", got)
	}
}

func TestAnAliasIsNoWayAroundThePush(t *testing.T) { // FAPI 2.0 §5.3.2.2
	b := newBank(t, func(c *idp.Config) { c.Aliases = map[string]string{"authorize": "/oauth2/authorize"} })
	for _, path := range []string{"/authorize?", "/oauth2/authorize?"} {
		page := b.b.Get(path + idptest.Request("web").Encode())
		if page.Location == nil || page.Location.Query().Get("error") != "invalid_request" ||
			page.Location.Query().Get("iss") != b.p.Issuer {
			t.Errorf("%s gives %d %v", path, page.Status, page.Location)
		}
	}
}

func TestAConfigurationThatFAPI2Forbids(t *testing.T) { // FAPI 2.0 §5.4.1
	c := idp.Config{SigningKeys: []idp.SigningKey{{Alg: "RS256"}}}.WithDefaults()
	c.Clients[1].Profile = oidc.ProfileFAPI2
	err := idp.Validate(c)
	if err == nil || !strings.Contains(err.Error(), "id_token_signed_response_alg") ||
		!strings.Contains(err.Error(), "private_key_jwt") {
		t.Errorf("got %v", err)
	}
}

// header reads the header of a JWT that the provider just answered with.
func header(t *testing.T, token string) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	return idptest.Page{Body: string(text)}.JSON(t)
}
