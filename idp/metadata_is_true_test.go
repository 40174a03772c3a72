package idp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// truth is somebody who tries what the metadata says. Its clients register themselves, so nothing is prepared for them.
type truth struct {
	t *testing.T
	p *idptest.Provider
	b *idptest.Browser
	m oidc.Metadata
}

// trial tries one value of a list of the metadata: it fails the test when the value does not work.
type trial func(x truth, value string)

// trials are how the test tries the values of each list. A list that is not here fails the test: a change that adds a
// list adds its trial.
var trials = map[string]trial{
	"scopes_supported":         tryScope,
	"response_types_supported": func(x truth, v string) { x.code("response_type", v) },
	"response_modes_supported": tryResponseMode,
	"grant_types_supported":    tryGrantType,
	"subject_types_supported":  trySubjectType,
	"code_challenge_methods_supported": func(x truth, v string) {
		x.code(
			"code_challenge_method", v,
		)
	},
	"prompt_values_supported":                                  tryPrompt,
	"display_values_supported":                                 func(x truth, v string) { x.code("display", v) },
	"acr_values_supported":                                     tryACR,
	"claim_types_supported":                                    tryClaimType,
	"claims_supported":                                         tryClaim,
	"ui_locales_supported":                                     tryLocale,
	"id_token_signing_alg_values_supported":                    tryIDTokenAlg,
	"id_token_encryption_alg_values_supported":                 tryIDTokenEncryption,
	"id_token_encryption_enc_values_supported":                 tryIDTokenEnc,
	"userinfo_signing_alg_values_supported":                    tryUserinfoAlg,
	"userinfo_encryption_alg_values_supported":                 tryUserinfoEncryption,
	"userinfo_encryption_enc_values_supported":                 tryUserinfoEnc,
	"request_object_signing_alg_values_supported":              tryRequestObjectAlg,
	"authorization_signing_alg_values_supported":               tryAnswerAlg,
	"introspection_signing_alg_values_supported":               tryIntrospectionAlg,
	"dpop_signing_alg_values_supported":                        tryDPoPAlg,
	"token_endpoint_auth_methods_supported":                    tryMethodAt("/token"),
	"revocation_endpoint_auth_methods_supported":               tryMethodAt("/revoke"),
	"introspection_endpoint_auth_methods_supported":            tryMethodAt("/introspect"),
	"token_endpoint_auth_signing_alg_values_supported":         tryAssertionAt("/token"),
	"revocation_endpoint_auth_signing_alg_values_supported":    tryAssertionAt("/revoke"),
	"introspection_endpoint_auth_signing_alg_values_supported": tryAssertionAt("/introspect"),
}

// promises are how each member that says true is held to it.
var promises = map[string]func(x truth){
	"claims_parameter_supported": func(x truth) {
		_, tokens := x.tokens(x.client(), "claims", `{"id_token":{"email":{"essential":true}}}`)
		x.want(claims(x.t, tokens["id_token"])["email"], "alice@example.com")
	},
	"request_parameter_supported":     func(x truth) { tryRequestObjectAlg(x, "none") },
	"request_uri_parameter_supported": tryRequestURI,
	"require_request_uri_registration": func(x truth) {
		x.refused(
			"invalid_request_uri", "request_uri", "https://late.test/not-registered",
		)
	},
	"backchannel_logout_supported":  tryBackChannel,
	"frontchannel_logout_supported": tryFrontChannel,
	"backchannel_logout_session_supported": func(x truth) {
		x.client("backchannel_logout_uri", "https://late.test/out", "backchannel_logout_session_required", true)
	},
	"frontchannel_logout_session_supported": func(x truth) {
		x.client("frontchannel_logout_uri", "https://late.test/out", "frontchannel_logout_session_required", true)
	},
	"authorization_response_iss_parameter_supported": func(x truth) {
		x.want(x.code().Get("iss"), x.p.Issuer)
		x.want(x.authorize(x.client(), "prompt", "none", "scope", "").Get("iss"), x.p.Issuer)
	},
}

func newTruth(t *testing.T) truth {
	t.Helper()
	p := idptest.Start(t, func(c *idp.Config) {
		c.SigningKeys = []idp.SigningKey{{Alg: "RS256"}, {Alg: "PS256"}, {Alg: "ES256"}, {Alg: "EdDSA"}}
	})
	b := p.Browser(t)
	b.SignIn("alice")
	return truth{t: t, p: p, b: b, m: metadata(t, p)}
}

func TestEveryListedValueWorks(t *testing.T) { // Discovery §3, RFC 8414 §2
	x := newTruth(t)
	for name, member := range x.members() {
		values, isList := member.([]any)
		if !isList {
			continue
		}
		try, known := trials[name]
		if !known {
			t.Errorf("the metadata lists %s, and no trial says how to try its values: add one to trials", name)
			continue
		}
		for _, value := range values {
			t.Run(name+" "+value.(string), func(t *testing.T) {
				try(truth{t: t, p: x.p, b: browserOf(t, x.p), m: x.m}, value.(string))
			})
		}
	}
}

func TestEveryPromiseIsKept(t *testing.T) { // Discovery §3, RFC 8414 §2
	x := newTruth(t)
	for name, member := range x.members() {
		if said, isPromise := member.(bool); !isPromise || !said {
			continue
		}
		keep, known := promises[name]
		if !known {
			t.Errorf("the metadata says %s: true, and no promise says how to hold it to that: add one to promises", name)
			continue
		}
		t.Run(name, func(t *testing.T) { keep(truth{t: t, p: x.p, b: browserOf(t, x.p), m: x.m}) })
	}
}

func TestEveryListedAddressAnswers(t *testing.T) { // Discovery §3, RFC 8414 §2
	x := newTruth(t)
	for name, member := range x.members() {
		address, isText := member.(string)
		if !isText || name == "issuer" {
			continue
		}
		if !strings.HasPrefix(address, x.p.Issuer+"/") {
			t.Errorf("%s is %s: not at the issuer", name, address)
		}
		asked, posted := x.b.Get(address).Status, x.b.Post(address, url.Values{}).Status
		if asked >= 500 || posted >= 500 || asked == http.StatusNotFound && posted == http.StatusNotFound {
			t.Errorf("%s: a GET gives %d, a POST %d", name, asked, posted)
		}
	}
}

func TestTheMetadataIsAskedForByGET(t *testing.T) { // Discovery §4.1, RFC 8414 §3.1
	x := newTruth(t)
	page := x.b.Get("/.well-known/openid-configuration")
	if page.Status != http.StatusOK || page.Header.Get("Content-Type") != "application/json" {
		t.Errorf("Discovery §4.2, RFC 8414 §3.2: got %d %s", page.Status, page.Header.Get("Content-Type"))
	}
	for name, member := range page.JSON(t) {
		if values, isList := member.([]any); isList && len(values) == 0 || member == "" || member == nil {
			t.Errorf("Discovery §4.2, RFC 8414 §3.2: %s has zero elements: it MUST be omitted", name)
		}
	}
}

func browserOf(t *testing.T, p *idptest.Provider) *idptest.Browser {
	t.Helper()
	b := p.Browser(t)
	b.SignIn("alice")
	return b
}

func (x truth) members() map[string]any {
	x.t.Helper()
	var members map[string]any
	text, err := json.Marshal(x.m)
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		x.t.Fatal(err)
	}
	return members
}

func (x truth) want(got, want any) {
	x.t.Helper()
	if got != want {
		x.t.Errorf("got %v; want %v", got, want)
	}
}

// client registers a client that may do everything a confidential client may, changed.
func (x truth) client(change ...any) map[string]any {
	x.t.Helper()
	base := []any{
		"grant_types", []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken, oidc.GrantClientCredentials},
		"token_endpoint_auth_method", oidc.AuthMethodPost, "introspection_signed_response_alg", "RS256",
		"post_logout_redirect_uris", []string{"https://late.test/bye"},
	}
	return registered(x.t, x.p, append(base, change...)...)
}

// request is a good authentication request of a registered client.
func (x truth) request(client map[string]any, change ...string) url.Values {
	params := idptest.Request("web", append([]string{"scope", "openid"}, change...)...)
	params.Set("client_id", client["client_id"].(string))
	if params.Has("redirect_uri") {
		params.Set("redirect_uri", "https://late.test/cb")
	}
	return params
}

// open sends the request, allows what is asked for, and returns the page or redirect that answers.
func (x truth) open(params url.Values) idptest.Page {
	x.t.Helper()
	page := x.b.Authorize(params)
	if page.Location != nil && page.Location.Path == "/consent" {
		page = x.b.Submit(x.b.Get(page.Location.String()), url.Values{"decision": {"allow"}})
		page = x.b.Get(page.Location.String())
	}
	return page
}

// authorize returns the parameters of the redirect that answers a request.
func (x truth) authorize(client map[string]any, change ...string) url.Values {
	x.t.Helper()
	page := x.open(x.request(client, change...))
	if page.Location == nil || page.Location.Host != "late.test" {
		x.t.Fatalf("no redirect to the client: %d %v\n%s", page.Status, page.Location, page.Body)
	}
	return page.Location.Query()
}

// code wants one for a good request, changed, and returns the answer's parameters.
func (x truth) code(change ...string) url.Values {
	x.t.Helper()
	answer := x.authorize(x.client(), change...)
	if !answer.Has("code") {
		x.t.Fatalf("no code: %v", answer)
	}
	return answer
}

// refused wants a request to be answered with this error.
func (x truth) refused(code string, change ...string) {
	x.t.Helper()
	x.want(x.authorize(x.client(), change...).Get("error"), code)
}

// redeem sends a code of the client to the token endpoint.
func (x truth) redeem(client map[string]any, code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://late.test/cb"},
		"code_verifier": {idptest.CodeVerifier}, "client_id": {client["client_id"].(string)}, "client_secret": {
			client["client_secret"].(string),
		},
	}
}

// tokens signs alice in at the client and returns the answer of the token endpoint.
func (x truth) tokens(client map[string]any, change ...string) (code string, tokens map[string]any) {
	x.t.Helper()
	code = x.authorize(client, change...).Get("code")
	return code, x.granted(x.b.Post("/token", x.redeem(client, code)))
}

func (x truth) granted(page idptest.Page) map[string]any {
	x.t.Helper()
	if page.Status != http.StatusOK {
		x.t.Fatalf("got %d: %s", page.Status, page.Body)
	}
	return page.JSON(x.t)
}

// with is the client's credentials and more parameters.
func (x truth) with(client map[string]any, pairs ...string) url.Values {
	form := url.Values{"client_id": {client["client_id"].(string)}, "client_secret": {client["client_secret"].(string)}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// keyOf is a private key for an alg, and the client's jwks with its public half.
func keyOf(t *testing.T, alg, use string) (private any, jwks any) {
	t.Helper()
	key := keysForTruth(t)[alg]
	if key == nil {
		t.Fatalf("no key for %s: add one to keysForTruth", alg)
	}
	return key, map[string]any{"keys": []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Use: use}}}
}
