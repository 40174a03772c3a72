package clientauth_test

import (
	"crypto/x509"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

var assertionRows = []struct {
	name   string
	client string
	change func(*asking)
	want   string // in the error; "": the client is authenticated
}{
	{"Core §9 private_key_jwt", "private", func(*asking) {}, ""},
	{
		"Core §9 private_key_jwt with RS256", "private", func(a *asking) { a.alg, a.key, a.kid = jose.RS256, rsa1(), "r" },
		"",
	},
	{
		"Core §9 private_key_jwt with PS256", "private", func(a *asking) { a.alg, a.key, a.kid = jose.PS256, rsa1(), "r" },
		"",
	},
	{"Core §9 client_secret_jwt", "shared", func(a *asking) { a.byMAC(jose.HS256) }, ""},
	{"Core §9 client_secret_jwt with HS512", "shared", func(a *asking) { a.byMAC(jose.HS512) }, ""},
	{
		"Core §9 client_secret_jwt with another secret", "shared",
		func(a *asking) { a.alg, a.key = jose.HS256, []byte(strings.ToUpper(secret)) },
		"not authenticated with the client's secret",
	},
	{
		"Core §9 a client for private_key_jwt does not use its secret", "private", func(a *asking) { a.byMAC(jose.HS256) },
		"used client_secret_jwt",
	},
	{"Core §9 a client for client_secret_jwt does not use a key", "shared", func(*asking) {}, "used private_key_jwt"},
	{
		"Core §9 a client for client_secret_basic sends no assertion", "basic", func(a *asking) { a.byMAC(jose.HS256) },
		"used client_secret_jwt",
	},
	{"RFC 6749 §2.3 a public client sends no assertion", "spa", func(*asking) {}, "used private_key_jwt"},
	{"RFC 7518 §3.2 a MAC has a key as long as its hash", "short", func(a *asking) { a.byMAC(jose.HS256) }, "too short"},
	{
		"Core §9 of a secret of which only the hash is known no MAC is verified", "hashed",
		func(a *asking) { a.byMAC(jose.HS256) }, "only its hash",
	},

	{"RFC 7523 §2.2 client_assertion_type is jwt-bearer", "private", func(a *asking) {
		a.form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
	}, "client_assertion_type is"},
	{
		"RFC 7521 §4.2 client_assertion_type is there", "private", func(a *asking) { a.form.Del("client_assertion_type") },
		"client_assertion_type is",
	},
	{
		"RFC 7523 §2.2 client_assertion is one JWT", "private",
		func(a *asking) { a.form.Set("client_assertion", "two tokens") }, "no signed JWT",
	},
	{
		"RFC 7523 §2.2 client_assertion is there", "private", func(a *asking) { a.form.Set("client_assertion", "") },
		"no signed JWT",
	},
	{
		"RFC 7521 §4.2 client_id, if there, is the client of the assertion", "private",
		func(a *asking) { a.form.Set("client_id", "private") }, "",
	},
	{
		"RFC 7521 §4.2 client_id is not another client", "private", func(a *asking) { a.form.Set("client_id", "bank") },
		"not the sub",
	},
	{
		"RFC 6749 §2.3 an assertion and a secret in the header", "private", func(a *asking) { a.basic = "private" },
		"authenticates twice",
	},
	{
		"RFC 6749 §2.3 an assertion and a secret in the body", "private",
		func(a *asking) { a.form.Set("client_secret", secret) }, "authenticates twice",
	},

	{"RFC 7523 §3 iss is the client_id", "private", func(a *asking) { a.claims["iss"] = "bank" }, "iss is the client_id"},
	{"RFC 7523 §3 iss is there", "private", func(a *asking) { delete(a.claims, "iss") }, "iss is the client_id"},
	{"RFC 7523 §3 sub is the client_id", "private", func(a *asking) { a.claims["sub"] = "nobody" }, "not registered"},
	{"RFC 7523 §3 sub is there", "private", func(a *asking) { delete(a.claims, "sub") }, "no signed JWT with a sub"},
	{
		"RFC 7523 §3 sub stands once, by that name", "private",
		func(a *asking) { delete(a.claims, "sub"); a.claims["SUB"] = "private" }, "no signed JWT with a sub",
	},
	{
		"RFC 7523 §3 aud is the provider", "private", func(a *asking) { a.claims["aud"] = "https://other.example.com" },
		"aud is this provider",
	},
	{"RFC 7523 §3 aud is there", "private", func(a *asking) { delete(a.claims, "aud") }, "aud is this provider"},
	{"RFC 7523 §3 aud may be the token endpoint", "private", func(a *asking) { a.claims["aud"] = issuer + "/token" }, ""},
	{
		"RFC 9126 §2 aud may be the endpoint that is asked", "private",
		func(a *asking) { a.path, a.claims["aud"] = "/par", issuer+"/par" }, "",
	},
	{
		"RFC 9126 §2 aud may be the token endpoint wherever it is sent", "private",
		func(a *asking) { a.path, a.claims["aud"] = "/par", issuer+"/token" }, "",
	},
	{
		"RFC 7523 §3 aud may name several", "private",
		func(a *asking) { a.claims["aud"] = []string{"https://other.example.com", issuer} }, "",
	},
	{
		"RFC 7523 §3 aud compares whole strings", "private", func(a *asking) { a.claims["aud"] = issuer + "/" },
		"aud is this provider",
	},
	{"RFC 7523 §3 aud is a string", "private", func(a *asking) { a.claims["aud"] = 7 }, "no signed JWT"},
	{"RFC 7523 §3 exp is there", "private", func(a *asking) { delete(a.claims, "exp") }, "has an exp"},
	{
		"RFC 7523 §3 exp is not passed", "private", func(a *asking) { a.claims["exp"] = noon.Unix() - 31 },
		"exp is not passed",
	},
	{
		"RFC 7523 §3 exp that is unreasonably far in the future", "private",
		func(a *asking) { a.claims["exp"] = noon.Unix() + 7200 }, "more than an hour",
	},
	{
		"RFC 7523 §3 nbf is not in the future", "private", func(a *asking) { a.claims["nbf"] = noon.Unix() + 61 },
		"nbf is not",
	},
	{"RFC 7523 §3 an nbf that is passed", "private", func(a *asking) { a.claims["nbf"] = noon.Unix() - 10 }, ""},
	{
		"RFC 7523 §3 iat that is unreasonably far in the past", "private",
		func(a *asking) { a.claims["iat"] = noon.Unix() - 7200 }, "iat is not",
	},
	{
		"FAPI 2.0 §5.3.2.1 iat 10 seconds in the future is accepted", "bank",
		func(a *asking) { a.claims["iat"] = noon.Unix() + 10 }, "",
	},
	{
		"FAPI 2.0 §5.3.2.1 nbf 10 seconds in the future is accepted", "bank",
		func(a *asking) { a.claims["nbf"] = noon.Unix() + 10 }, "",
	},
	{
		"FAPI 2.0 §5.3.2.1 iat more than 60 seconds in the future is rejected", "bank",
		func(a *asking) { a.claims["iat"] = noon.Unix() + 61 }, "iat is not",
	},
	{"Core §9 iat is optional", "private", func(a *asking) { delete(a.claims, "iat") }, ""},
	{"Core §9 jti is there", "private", func(a *asking) { delete(a.claims, "jti") }, "has a jti"},
	{
		"Core §9 jti is not without end", "private", func(a *asking) { a.claims["jti"] = strings.Repeat("x", 256) },
		"has a jti",
	},

	{
		"RFC 7523 §3 the JWT is signed", "private", func(a *asking) { a.form.Set("client_assertion", unsigned(a)) },
		"no signed JWT",
	},
	{"RFC 7523 §3 the signature is the client's", "private", func(a *asking) { a.key = elliptic2() }, "its signature"},
	{"RFC 7515 §4.1.4 kid names a key of the client", "private", func(a *asking) { a.kid = "unknown" }, "kid"},
	{"Registration §2 token_endpoint_auth_signing_alg", "only-ps256", func(*asking) {}, "alg is"},
	{
		"Registration §2 token_endpoint_auth_signing_alg as registered", "only-ps256",
		func(a *asking) { a.alg, a.key, a.kid = jose.PS256, rsa1(), "r" }, "",
	},
	{
		"RFC 8725 §3.11 typ client-authentication+jwt", "private", func(a *asking) { a.typ = "client-authentication+jwt" },
		"",
	},
	{
		"RFC 8725 §3.11 a request object is no assertion", "private", func(a *asking) { a.typ = "oauth-authz-req+jwt" },
		"typ is absent",
	},
	{"RFC 8725 §3.11 a DPoP proof is no assertion", "private", func(a *asking) { a.typ = "dpop+jwt" }, "typ is absent"},

	{"RFC 8725 §3.10 a key that the assertion itself brings proves nothing", "private", func(a *asking) {
		a.key, a.header = elliptic2(), map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: elliptic2().Public(), KeyID: "e"}}
	}, "its signature"},
	{"RFC 8725 §3.10 nor does one at an address that it names", "private", func(a *asking) {
		a.key, a.header = elliptic2(), map[jose.HeaderKey]any{"jku": "https://evil.example.com/jwks"}
	}, "its signature"},
	{"RFC 8725 §2.1 a MAC with the client's public key is no signature", "private", func(a *asking) {
		a.alg, a.key = jose.HS256, must(x509.MarshalPKIXPublicKey(elliptic1().Public()))
	}, "used client_secret_jwt"},
	{
		"RFC 7515 §4.1.11 crit that is not understood", "private",
		func(a *asking) { a.header = map[jose.HeaderKey]any{"crit": []string{"x"}, "x": 1} }, "its header has crit",
	},
	{
		"RFC 7515 §4.1.11 crit that is empty", "private",
		func(a *asking) { a.header = map[jose.HeaderKey]any{"crit": []string{}} }, "its header has crit",
	},
	{
		"RFC 7523 §3 the issuer of another provider behind ours", "private",
		func(a *asking) { a.claims["aud"] = issuer + ".evil.example.com" }, "aud is this provider",
	},
	{
		"RFC 7523 §3 aud may not be empty", "private", func(a *asking) { a.claims["aud"] = []string{} },
		"aud is this provider",
	},
	{
		"RFC 7523 §3 an endpoint that is not asked is no audience", "private",
		func(a *asking) { a.claims["aud"] = issuer + "/revoke" }, "aud is this provider",
	},
	{"RFC 7523 §3 exp is a number", "private", func(a *asking) { a.claims["exp"] = "soon" }, "no signed JWT"},
	{"RFC 7523 §5 RS256 is understood", "private", func(a *asking) { a.alg, a.key, a.kid = jose.RS256, rsa1(), "r" }, ""},
	{"RFC 7523 §3 exp is forgiven half a minute", "private", func(a *asking) { a.claims["exp"] = noon.Unix() - 29 }, ""},
	{
		"FAPI 2.0 §5.3.2.1 nbf more than 60 seconds in the future is rejected", "bank",
		func(a *asking) { a.claims["nbf"] = noon.Unix() + 61 }, "nbf is not",
	},
	{
		"FAPI 2.0 §5.3.2.1 aud is not the endpoint that is asked", "bank",
		func(a *asking) { a.path, a.claims["aud"] = "/par", issuer+"/par" }, "aud is this provider",
	},
	{"FAPI 2.0 §5.3.2.1 private_key_jwt", "bank", func(*asking) {}, ""},
	{
		"FAPI 2.0 §5.3.2.1 aud is the issuer, no other endpoint", "bank",
		func(a *asking) { a.claims["aud"] = issuer + "/token" }, "aud is this provider",
	},
	{"FAPI 2.0 §5.3.2.1 aud is one string", "bank", func(a *asking) { a.claims["aud"] = []string{issuer} }, "one string"},
	{
		"FAPI 2.0 §5.4.1 RS256 is not used", "bank", func(a *asking) { a.alg, a.key, a.kid = jose.RS256, rsa1(), "r" },
		"alg is",
	},
	{"FAPI 2.0 §5.4.1 PS256 is used", "bank", func(a *asking) { a.alg, a.key, a.kid = jose.PS256, rsa1(), "r" }, ""},
}
