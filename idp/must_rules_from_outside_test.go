package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// must is a sentence of a specification that is seen from outside, by who registers a client and uses it.
type must struct {
	name  string
	holds func(x truth)
}

func TestMustRulesSeenFromOutside(t *testing.T) {
	x := newTruth(t)
	for _, row := range slices.Concat(musts, mustsOfOAuth, mustsOfTokens) {
		t.Run(row.name, func(t *testing.T) { row.holds(truth{t: t, p: x.p, b: browserOf(t, x.p), m: x.m}) })
	}
}

var musts = []must{
	{
		"Core §3.1.2.2 all the OAuth 2.0 parameters are validated",
		func(x truth) { x.refused("invalid_request", "response_type", "") },
	},
	{"Core §3.1.2.2 a sub that is asked for is the one that answers, or there is no answer", func(x truth) {
		client := x.client()
		x.authorize(client)
		x.want(
			x.authorize(client, "prompt", "none", "claims", `{"id_token":{"sub":{"value":"bob"}}}`).Get("error"),
			"login_required",
		)
	}},
	{"Core §3.1.3.1 a client authenticates by the method that it registered", func(x truth) {
		client := x.client() // registered client_secret_post
		form := x.redeem(client, x.authorize(client).Get("code"))
		authorization := x.prove(client, oidc.AuthMethodBasic, "", form)
		form.Del("client_secret")
		w := serve(x.p, get(x.t, "POST", x.p.Issuer+"/token", form, "Authorization", authorization))
		x.want(object(x.t, w, http.StatusUnauthorized)["error"], "invalid_client")
	}},
	{"Core §3.1.3.2 the code was issued to the client that authenticated", func(x truth) {
		code, other := x.code().Get("code"), x.client()
		x.denied("/token", x.redeem(other, code), http.StatusBadRequest, "invalid_grant")
	}},
	{"Core §3.1.3.2 the code was not used before", func(x truth) {
		client := x.client()
		code, _ := x.tokens(client)
		x.denied("/token", x.redeem(client, code), http.StatusBadRequest, "invalid_grant")
	}},
	{"Core §3.1.3.2 the redirect_uri is the one of the authorization request", func(x truth) {
		client := x.client("redirect_uris", []string{"https://late.test/cb", "https://late.test/other"})
		form := x.redeem(client, x.authorize(client).Get("code"))
		form.Set("redirect_uri", "https://late.test/other")
		x.denied("/token", form, http.StatusBadRequest, "invalid_grant")
	}},
	{"Core §3.1.3.4 a token error is JSON with status 400", func(x truth) {
		page := x.b.Post("/token", x.with(x.client(), "grant_type", "authorization_code", "code", "none"))
		x.want(page.Status, http.StatusBadRequest)
		x.want(page.Header.Get("Content-Type"), "application/json")
	}},
	{"Core §5.6 normal claims are supported", func(x truth) { tryClaimType(x, "normal") }},
	{"Core §5.7 the sub of a user never changes", func(x truth) {
		client := x.client()
		_, first := x.tokens(client)
		x.b = browserOf(x.t, x.p)
		_, second := x.tokens(client)
		x.want(claims(x.t, first["id_token"])["sub"], claims(x.t, second["id_token"])["sub"])
	}},
	{"Core §6.2.2 of a parameter that is outside too, the request object's counts", tryRequestURI},
	{"Core §6.2.3 the request object is fetched by GET", tryRequestURI},
	{"Core §6.3.1 a request object that is encrypted, where no key for that is published", func(x truth) {
		x.refused("invalid_request_object", "request", "e30.e30.e30.e30.e30")
	}},
	{"Core §6.3.2 the signature is the client's", func(x truth) {
		_, jwks := keyOf(x.t, "ES256", "sig")
		client := x.client("jwks", jwks)
		foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			x.t.Fatal(err)
		}
		object := x.sign(
			"ES256", "oauth-authz-req+jwt", jose.JSONWebKey{Key: foreign, KeyID: "k"},
			map[string]any{"iss": client["client_id"], "aud": x.p.Issuer},
		)
		x.want(x.authorize(client, "request", object).Get("error"), "invalid_request_object")
	}},
	{"Core §6.3.2 the alg is the registered one", func(x truth) {
		client := x.client("request_object_signing_alg", "RS256", "jwks_uri", "https://late.test/jwks")
		x.want(
			x.authorize(client, "request", unsigned(x.t, map[string]any{"iss": client["client_id"]})).Get("error"),
			"invalid_request_object",
		)
	}},
	{"Registration §3.1 the request is a JSON document", func(x truth) {
		x.denied(
			"/register", url.Values{"redirect_uris": {"https://late.test/cb"}}, http.StatusBadRequest, "invalid_client_metadata",
		)
	}},
	{"Registration §3.2 the answer has the client's ID, secret, token and address, and no cache keeps it", func(x truth) {
		document := map[string]any{"redirect_uris": []string{"https://late.test/cb"}}
		w := sendJSON(x.t, x.p, http.MethodPost, "/register", document, "")
		answer := object(x.t, w, http.StatusCreated)
		for _, member := range []string{
			"client_id", "client_secret", "client_secret_expires_at", "registration_access_token", "registration_client_uri",
			"client_id_issued_at",
		} {
			if answer[member] == nil {
				x.t.Errorf("no %s", member)
			}
		}
		x.want(w.Header().Get("Cache-Control"), "no-store")
	}},
	{"Registration §3.3 a redirect URI that is refused is invalid_redirect_uri", func(x truth) {
		document := map[string]any{"redirect_uris": []string{"https://late.test/cb#x"}}
		w := sendJSON(x.t, x.p, http.MethodPost, "/register", document, "")
		x.want(object(x.t, w, http.StatusBadRequest)["error"], "invalid_redirect_uri")
	}},
	{
		"Registration §4.2 the client reads its registration with its token",
		func(x truth) { x.read(x.client(), http.StatusOK) },
	},
	{"Registration §4.3 the answer has all the metadata", func(x truth) {
		x.want(x.read(x.client("client_name", "Late"), http.StatusOK)["client_name"], "Late")
	}},
	{"Registration §4.4 another token is refused", func(x truth) {
		client := x.client()
		client["registration_access_token"] = "another"
		x.read(client, http.StatusUnauthorized)
	}},
	{"Session Management §3.3 check_session_iframe is the page that applications frame", func(x truth) {
		page := x.b.Get(x.m.CheckSessionIframe)
		if page.Status != http.StatusOK || page.Header.Get("X-Frame-Options") != "" {
			x.t.Errorf("got %d %v", page.Status, page.Header)
		}
	}},
	{"RP-Initiated Logout §2.1 end_session_endpoint is where users sign out", func(x truth) {
		x.want(x.b.Get(x.m.EndSessionEndpoint).Status, http.StatusOK)
	}},
	{"JARM §2.3.1 query.jwt", func(x truth) { tryResponseMode(x, "query.jwt") }},
	{"JARM §2.3.2 fragment.jwt", func(x truth) { tryResponseMode(x, "fragment.jwt") }},
	{"JARM §2.3.3 form_post.jwt", func(x truth) { tryResponseMode(x, "form_post.jwt") }},
	{"JARM §2.3.4 jwt is query.jwt for a code", func(x truth) { tryResponseMode(x, "jwt") }},
}

// denied posts a form and wants this error.
func (x truth) denied(path string, form url.Values, status int, code string) {
	x.t.Helper()
	page := x.b.Post(path, form)
	if page.Status != status || page.JSON(x.t)["error"] != code {
		x.t.Errorf("got %d %s; want %d %s", page.Status, page.Body, status, code)
	}
}

// read asks for a client's registration.
func (x truth) read(client map[string]any, status int) map[string]any {
	x.t.Helper()
	address := client["registration_client_uri"].(string)
	return object(
		x.t, sendJSON(x.t, x.p, http.MethodGet, address, nil, client["registration_access_token"].(string)), status,
	)
}

// shown wants a page and no redirect.
func (x truth) shown(params url.Values) {
	x.t.Helper()
	if page := x.b.Authorize(params); page.Location != nil || page.Status != http.StatusBadRequest {
		x.t.Errorf("got %d %v", page.Status, page.Location)
	}
}

var mustsOfOAuth = []must{
	{"RFC 6749 §3.1.2.2 a client registers its redirect URIs", func(x truth) {
		w := sendJSON(x.t, x.p, http.MethodPost, "/register", map[string]any{}, "")
		x.want(object(x.t, w, http.StatusBadRequest)["error"], "invalid_redirect_uri")
	}},
	{"RFC 6749 §3.1.2.3 the redirect_uri is compared with the registered ones", func(x truth) {
		x.shown(withParam(x.request(x.client()), "redirect_uri", "https://late.test/cb/more"))
	}},
	{"RFC 6749 §3.1.2.4 nobody is redirected to an invalid redirect_uri", func(x truth) {
		x.shown(withParam(x.request(x.client()), "redirect_uri", "https://evil.test/"))
	}},
	{"RFC 6749 §3.2.1 a confidential client authenticates", func(x truth) {
		client := x.client()
		form := x.redeem(client, x.authorize(client).Get("code"))
		form.Del("client_secret")
		x.denied("/token", form, http.StatusUnauthorized, "invalid_client")
	}},
	{
		"RFC 6749 §4.1.1 client_id is REQUIRED", func(x truth) { x.shown(withParam(x.request(x.client()), "client_id", "")) },
	},
	{"RFC 6749 §4.1.4 the answer has an access token, its type, and how long it lives", func(x truth) {
		_, tokens := x.tokens(x.client())
		x.want(tokens["token_type"], "Bearer")
		x.want(tokens["expires_in"].(float64) > 0, true)
	}},
	{"RFC 6749 §10.3 a changed access token is none", func(x truth) {
		_, tokens := x.tokens(x.client())
		tokens["access_token"] = tokens["access_token"].(string)[:40] + "x" + tokens["access_token"].(string)[41:]
		x.want(userinfo(x.t, x.b, tokens).Status, http.StatusUnauthorized)
	}},
	{"RFC 6749 §10.5 a code is short-lived", func(x truth) {
		client := x.client()
		code := x.authorize(client).Get("code")
		x.p.Clock.Pass(10 * time.Minute)
		x.denied("/token", x.redeem(client, code), http.StatusBadRequest, "invalid_grant")
	}},
	{"RFC 6749 §10.13 the page where people sign in is in no frame", func(x truth) {
		x.want(x.b.Get("/login").Header.Get("X-Frame-Options"), "DENY")
	}},
	{"RFC 7523 §3.2 an assertion that is not valid is invalid_client", func(x truth) {
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_assertion_type": {clientauth.TypeAssertion},
			"client_assertion": {"e30.e30.e30"},
		}
		x.denied("/token", form, http.StatusUnauthorized, "invalid_client")
	}},
	{"RFC 7591 §3.1.1 a software statement is refused in so many words", func(x truth) {
		document := map[string]any{"redirect_uris": []string{"https://late.test/cb"}, "software_statement": "e30.e30.e30"}
		w := sendJSON(x.t, x.p, http.MethodPost, "/register", document, "")
		if told := object(x.t, w, http.StatusBadRequest); !strings.Contains(told["error_description"].(string), "software") {
			x.t.Errorf("got %v", told)
		}
	}},
	{"RFC 7636 §4.4.1 a public client without a code_challenge is answered invalid_request", func(x truth) {
		page := x.b.Authorize(idptest.Request("spa", "code_challenge", ""))
		x.want(page.Location.Query().Get("error"), "invalid_request")
	}},
	{"RFC 7662 §2.3 a caller that does not authenticate learns nothing about a token", func(x truth) {
		x.denied(
			"/introspect", url.Values{"token": {"x"}, "client_id": {"web"}, "client_secret": {"wrong"}}, http.StatusUnauthorized,
			"invalid_client",
		)
	}},
	{"RFC 8628 §3.2 the answer has both codes, where to go, and for how long", func(x truth) {
		codes := x.granted(x.b.Post("/device_authorization", x.with(x.client("grant_types", []string{oidc.GrantDeviceCode}))))
		for _, member := range []string{"device_code", "user_code", "verification_uri", "expires_in"} {
			if codes[member] == nil {
				x.t.Errorf("no %s", member)
			}
		}
	}},
	{"RFC 8707 §2.1 a resource that nobody knows is an invalid_target at the authorization endpoint", func(x truth) {
		x.refused("invalid_target", "resource", "https://unknown.test/")
	}},
	{"RFC 9101 §5.2 the address of a request object is https, or one that the provider gave out", func(x truth) {
		x.refused("invalid_request_uri", "request_uri", "ftp://late.test/r")
	}},
	{"RFC 9101 §5.2.3 the request object is fetched by GET", tryRequestURI},
	{"RFC 9207 §2 iss is in answers and in errors", func(x truth) {
		x.want(x.code().Get("iss"), x.p.Issuer)
		x.want(x.authorize(x.client(), "response_type", "token").Get("iss"), x.p.Issuer)
	}},
	{
		"RFC 9207 §2.3 iss is the issuer of the metadata, to the letter",
		func(x truth) { x.want(x.code().Get("iss"), x.m.Issuer) },
	},
	{
		"RFC 9207 §3 the metadata promises iss",
		func(x truth) { x.want(x.m.AuthorizationResponseIssParameterSupported, true) },
	},
	{"RFC 9449 §8.1 a nonce is made of the characters that headers may have", func(x truth) {
		r := get(x.t, "POST", x.p.Issuer+"/token", url.Values{}, "DPoP", "e30.e30.e30")
		if nonce := serve(x.p, r).Header().Get("DPoP-Nonce"); !regexp.MustCompile(`^[!#-\[\]-~]+$`).MatchString(nonce) {
			x.t.Errorf("the nonce is %q", nonce)
		}
	}},
	{"RFC 9700 §2.1 redirect URIs are compared to the letter", func(x truth) {
		x.shown(withParam(x.request(x.client()), "redirect_uri", "https://late.test/cb?x=1"))
	}},
	{"RFC 9700 §4.1.3 redirect URIs are compared to the letter: no pattern, no case, no default port", func(x truth) {
		for _, uri := range []string{
			"https://late.test:443/cb", "https://LATE.test/cb", "https://late.test/x/../cb", "https://late.test/%63b",
		} {
			x.shown(withParam(x.request(x.client()), "redirect_uri", uri))
		}
	}},
	{"RFC 9700 §2.4 the password grant does not exist", func(x truth) {
		form := x.with(x.client(), "grant_type", "password", "username", "alice", "password", "alice")
		x.denied("/token", form, http.StatusBadRequest, "unsupported_grant_type")
	}},
	{
		"RFC 9700 §2.5 clients may authenticate without a shared secret",
		func(x truth) { x.authenticated("/token", oidc.AuthMethodPrivateJWT, "ES256") },
	},
	{"RFC 9700 §4.5.3.1 a code that was injected has another code_verifier", func(x truth) {
		client := x.client()
		form := withParam(x.redeem(client, x.authorize(client).Get("code")), "code_verifier", strings.Repeat("v", 43))
		x.denied("/token", form, http.StatusBadRequest, "invalid_grant")
	}},
	{"RFC 9700 §4.16 Content-Security-Policy keeps the page out of frames", func(x truth) {
		if policy := x.b.Get("/login").Header.Get("Content-Security-Policy"); !strings.Contains(
			policy, "frame-ancestors 'none'",
		) {
			x.t.Errorf("got %s", policy)
		}
	}},
}

// withParam changes one parameter, or removes it where value is "".
func withParam(params url.Values, name, value string) url.Values {
	params.Set(name, value)
	if value == "" {
		params.Del(name)
	}
	return params
}
