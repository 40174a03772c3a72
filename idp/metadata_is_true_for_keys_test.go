package idp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

var truthKeys = sync.OnceValues(func() (map[string]crypto.Signer, error) {
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	return map[string]crypto.Signer{
		"RS256": big, "PS256": big, "RSA-OAEP": big, "RSA-OAEP-256": big, "EdDSA": edwards,
		"ES256": curve, "ECDH-ES": curve, "ECDH-ES+A128KW": curve, "ECDH-ES+A256KW": curve,
	}, err
})

// keysForTruth are private keys of clients, by the algs that they are for.
func keysForTruth(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	keys, err := truthKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// sign makes a JWT with a header of this type and the kid of keyOf.
func (x truth) sign(alg, typ string, key any, claims map[string]any, header ...any) string {
	x.t.Helper()
	options := new(jose.SignerOptions).WithType(jose.ContentType(typ))
	for i := 0; i < len(header); i += 2 {
		options.WithHeader(header[i].(jose.HeaderKey), header[i+1])
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, options)
	if err != nil {
		x.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		x.t.Fatal(err)
	}
	return text
}

func tryIDTokenAlg(x truth, alg string) {
	_, tokens := x.tokens(x.client("id_token_signed_response_alg", alg))
	x.want(header(x.t, tokens["id_token"].(string))["alg"], alg)
}

func tryUserinfoAlg(x truth, alg string) {
	_, tokens := x.tokens(x.client("userinfo_signed_response_alg", alg))
	page := userinfo(x.t, x.b, tokens)
	x.want(header(x.t, page.Body)["alg"], alg)
	x.want(claims(x.t, page.Body)["sub"], "alice")
}

func tryAnswerAlg(x truth, alg string) {
	answer := x.authorize(x.client("authorization_signed_response_alg", alg), "response_mode", "jwt").Get("response")
	x.want(header(x.t, answer)["alg"], alg)
	x.want(claims(x.t, answer)["iss"], x.p.Issuer)
}

func tryIntrospectionAlg(x truth, alg string) {
	client := x.client("introspection_signed_response_alg", alg)
	_, tokens := x.tokens(client)
	page := x.b.Post("/introspect", x.with(client, "token", tokens["access_token"].(string)))
	x.want(header(x.t, page.Body)["alg"], alg)
	x.want(page.Header.Get("Content-Type"), "application/token-introspection+jwt")
}

// opened decrypts what is encrypted to the client, and wants alg and enc.
func (x truth) opened(text string, key any, alg, enc string) string {
	x.t.Helper()
	sealed, err := jose.ParseEncryptedCompact(
		text, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.ContentEncryption(enc)},
	)
	if err != nil {
		x.t.Fatalf("not encrypted with %s and %s: %v", alg, enc, err)
	}
	plain, err := sealed.Decrypt(key)
	if err != nil {
		x.t.Fatal(err)
	}
	return string(plain)
}

func (x truth) idTokenSealed(alg, enc string) {
	key, jwks := keyOf(x.t, alg, "enc")
	_, tokens := x.tokens(
		x.client("jwks", jwks, "id_token_encrypted_response_alg", alg, "id_token_encrypted_response_enc", enc),
	)
	x.want(claims(x.t, x.opened(tokens["id_token"].(string), key, alg, enc))["iss"], x.p.Issuer)
}

func tryIDTokenEncryption(x truth, alg string) { x.idTokenSealed(alg, "A256GCM") }
func tryIDTokenEnc(x truth, enc string)        { x.idTokenSealed("RSA-OAEP-256", enc) }

func (x truth) userinfoSealed(alg, enc string) {
	key, jwks := keyOf(x.t, alg, "enc")
	_, tokens := x.tokens(
		x.client("jwks", jwks, "userinfo_encrypted_response_alg", alg, "userinfo_encrypted_response_enc", enc),
	)
	plain := x.opened(userinfo(x.t, x.b, tokens).Body, key, alg, enc)
	if !strings.Contains(plain, `"sub":"alice"`) {
		x.t.Errorf("got %s", plain)
	}
}

func tryUserinfoEncryption(x truth, alg string) { x.userinfoSealed(alg, "A256GCM") }
func tryUserinfoEnc(x truth, enc string)        { x.userinfoSealed("RSA-OAEP-256", enc) }

// tryRequestObjectAlg: what is inside counts: the state is there only.
func tryRequestObjectAlg(x truth, alg string) {
	client, inside := map[string]any(nil), map[string]any{"aud": x.p.Issuer}
	var object string
	fill := func() {
		inside["iss"] = client["client_id"]
		for name, values := range x.request(client, "state", "inside") {
			inside[name] = values[0]
		}
	}
	if alg == "none" {
		client = x.client("request_object_signing_alg", alg)
		fill()
		object = unsigned(x.t, inside)
	} else {
		key, jwks := keyOf(x.t, alg, "sig")
		client = x.client("request_object_signing_alg", alg, "jwks", jwks)
		fill()
		object = x.sign(alg, "oauth-authz-req+jwt", jose.JSONWebKey{Key: key, KeyID: "k"}, inside)
	}
	x.want(x.authorize(client, "request", object, "state", "").Get("state"), "inside")
}

func tryDPoPAlg(x truth, alg string) {
	key, _ := keyOf(x.t, alg, "sig")
	public := jose.JSONWebKey{Key: key.(crypto.Signer).Public()}
	proof := x.sign(alg, "dpop+jwt", key, map[string]any{
		"jti": rand.Text(), "htm": "POST", "htu": x.p.Issuer + "/token", "iat": x.p.Clock.Now().Unix(),
	}, jose.HeaderKey("jwk"), public)
	client := x.client()
	r := get(x.t, http.MethodPost, x.p.Issuer+"/token", x.redeem(client, x.authorize(client).Get("code")), "DPoP", proof)
	x.want(object(x.t, serve(x.p, r), http.StatusOK)["token_type"], "DPoP")
}

// prove makes the form of a request that the client authenticates by the method, and the Authorization header if that
// is how.
func (x truth) prove(client map[string]any, method, alg string, form url.Values) (authorization string) {
	x.t.Helper()
	id, _ := client["client_id"].(string)
	secret, _ := client["client_secret"].(string)
	form.Set("client_id", id)
	switch method {
	case oidc.AuthMethodNone:
	case oidc.AuthMethodPost:
		form.Set("client_secret", secret)
	case oidc.AuthMethodBasic:
		form.Del("client_id")
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	default:
		key := any([]byte(secret))
		if method == oidc.AuthMethodPrivateJWT {
			private, _ := keyOf(x.t, alg, "sig")
			key = jose.JSONWebKey{Key: private, KeyID: "k"}
		}
		now := x.p.Clock.Now().Unix()
		form.Set("client_assertion_type", clientauth.TypeAssertion)
		form.Set("client_assertion", x.sign(alg, "JWT", key, map[string]any{
			"iss": id, "sub": id, "aud": x.p.Issuer, "iat": now, "exp": now + 60, "jti": rand.Text(),
		}))
	}
	return ""
}

// authenticated tries a method, with an alg of its assertion, at an endpoint.
func (x truth) authenticated(path, method, alg string) {
	x.t.Helper()
	change := []any{"token_endpoint_auth_method", method, "grant_types", []string{oidc.GrantAuthorizationCode}}
	if method == oidc.AuthMethodNone {
		change = append(change, "introspection_signed_response_alg", nil)
	}
	if method == oidc.AuthMethodPrivateJWT {
		_, jwks := keyOf(x.t, alg, "sig")
		change = append(change, "jwks", jwks)
	}
	client := x.client(change...)
	form := url.Values{"token": {"nobody's"}}
	if path == "/token" {
		form = url.Values{
			"grant_type": {"authorization_code"}, "code": {x.authorize(client).Get("code")},
			"redirect_uri": {"https://late.test/cb"}, "code_verifier": {idptest.CodeVerifier},
		}
	}
	r := get(x.t, http.MethodPost, x.p.Issuer+path, nil)
	authorization := x.prove(client, method, alg, form)
	r = get(x.t, r.Method, x.p.Issuer+path, form)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if w := serve(x.p, r); w.Code != http.StatusOK {
		x.t.Errorf("%s at %s gives %d %s", method, path, w.Code, w.Body)
	}
}

func tryMethodAt(path string) trial {
	algs := map[string]string{oidc.AuthMethodSecretJWT: "HS256", oidc.AuthMethodPrivateJWT: "ES256"}
	return func(x truth, method string) { x.authenticated(path, method, algs[method]) }
}

func tryAssertionAt(path string) trial {
	return func(x truth, alg string) {
		if strings.HasPrefix(alg, "HS") {
			x.authenticated(path, oidc.AuthMethodSecretJWT, alg)
			return
		}
		x.authenticated(path, oidc.AuthMethodPrivateJWT, alg)
	}
}
