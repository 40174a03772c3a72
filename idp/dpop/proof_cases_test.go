package dpop

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var proofRows = []struct {
	name   string
	change func(*attempt)
	want   string // in the error; "": good
}{
	{"RFC 9449 §4.3 a good proof", func(*attempt) {}, ""},
	{"RFC 9449 §4.2 typ is dpop+jwt", func(a *attempt) { a.typ = "JWT" }, "typ is dpop+jwt"},
	{"RFC 9449 §4.2 typ is there", func(a *attempt) { a.typ = "" }, "typ is dpop+jwt"},
	{"RFC 9449 §4.3 the proof is a JWT", func(a *attempt) { a.raw = "no.jwt" }, "no JWT"},
	{
		"RFC 9449 §4.3 alg is not none", func(a *attempt) { a.raw = headed(map[string]any{"alg": "none", "typ": Type}) },
		"no JWT",
	},
	{"RFC 9449 §4.2 alg is asymmetric", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "HS256", "typ": Type, "jwk": map[string]string{"kty": "oct", "k": "AAAA"}})
	}, "no JWT"},
	{"RFC 9449 §4.3 alg is one that the metadata lists", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "ES384", "typ": Type})
	}, "no JWT"},
	{
		"RFC 9449 §4.2 jwk is there", func(a *attempt) { a.raw = headed(map[string]any{"alg": "ES256", "typ": Type}) },
		"no public key",
	},
	{"RFC 9449 §4.3 jwk holds no private key", func(a *attempt) {
		a.raw = headed(
			map[string]any{
				"alg": "ES256",
				"typ": Type,
				"jwk": json.RawMessage(must(json.Marshal(jose.JSONWebKey{Key: key1()}))),
			},
		)
	}, "its public key in jwk"},
	{
		"RFC 9449 §4.3 the signature is that of jwk", func(a *attempt) { a.jwk = jose.JSONWebKey{Key: key2().Public()} },
		"not signed with the key",
	},
	{
		"RFC 9449 §4.3 a short RSA key",
		func(a *attempt) { a.alg, a.key = jose.RS256, must(rsa.GenerateKey(rand.Reader, 1024)) }, "no public key",
	},
	{"RFC 9449 §5.1 RS256", func(a *attempt) { a.alg, a.key = jose.RS256, must(rsa.GenerateKey(rand.Reader, 2048)) }, ""},
	{"RFC 9449 §5.1 EdDSA", func(a *attempt) {
		_, private, _ := ed25519.GenerateKey(rand.Reader)
		a.alg, a.key = jose.EdDSA, private
	}, ""},
	{"FAPI 2.0 §5.4.1 the proof of a fapi2 client with RS256", func(a *attempt) {
		a.useFAPI2(jose.RS256, must(rsa.GenerateKey(rand.Reader, 2048)))
	}, "alg PS256, ES256 or EdDSA"},
	{"FAPI 2.0 §5.4.1 the proof of a fapi2 client with PS256", func(a *attempt) {
		a.useFAPI2(jose.PS256, must(rsa.GenerateKey(rand.Reader, 2048)))
	}, ""},
	{"RFC 8725 §3.1 the jwk is of another kind than the alg", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "RS256", "typ": Type, "jwk": jose.JSONWebKey{Key: key1().Public()}})
	}, "no public key"},
	{"RFC 9449 §4.2 jwk is no symmetric key", func(a *attempt) {
		a.raw = headed(map[string]any{"alg": "ES256", "typ": Type, "jwk": map[string]string{"kty": "oct", "k": "AAAA"}})
	}, "its public key in jwk"},
	{"RFC 7515 §4.1.11 crit that is empty", func(a *attempt) {
		options := new(jose.SignerOptions).WithHeader("jwk", jose.JSONWebKey{Key: a.key.Public()}).WithType(Type)
		signer := must(jose.NewSigner(jose.SigningKey{Algorithm: a.alg, Key: a.key}, options.WithHeader("crit", []string{})))
		a.raw = must(jwt.Signed(signer).Claims(a.claims).Serialize())
	}, "its header has crit"},
	{"RFC 9449 §4.3 htu with another path below", func(a *attempt) { a.claims["htu"] = target + "/x" }, "htu is the URL"},
	{"RFC 9449 §4.3 htu with a final slash", func(a *attempt) { a.claims["htu"] = target + "/" }, "htu is the URL"},
	{
		"RFC 9449 §4.3 htu with another port", func(a *attempt) { a.claims["htu"] = "https://login.example.com:8443/token" },
		"htu is the URL",
	},
	{
		"RFC 9449 §4.3 htu with a user name",
		func(a *attempt) { a.claims["htu"] = "https://login.example.com@evil.example.com/token" }, "htu is the URL",
	},
	{"RFC 9449 §4.3 htu is one string", func(a *attempt) { a.claims["htu"] = []string{target} }, "no claims"},
	{
		"RFC 9449 §4.3 htm stands by that name", func(a *attempt) { delete(a.claims, "htm"); a.claims["HTM"] = "POST" },
		"htm is the method",
	},
	{"RFC 9449 §4.3 the claims are there", func(a *attempt) { a.claims = map[string]any{"htm": 7} }, "no claims"},
	{"RFC 9449 §4.2 jti is there", func(a *attempt) { delete(a.claims, "jti") }, "has a jti"},
	{
		"RFC 9449 §11.1 jti is not without end", func(a *attempt) { a.claims["jti"] = strings.Repeat("x", 256) }, "has a jti",
	},
	{
		"RFC 9449 §4.3 the proof's htm is the method of the request", func(a *attempt) { a.claims["htm"] = "GET" },
		"htm is the method",
	},
	{"RFC 9449 §4.2 htm is there", func(a *attempt) { delete(a.claims, "htm") }, "htm is the method"},
	{"RFC 9449 §4.3 htm is case-sensitive", func(a *attempt) { a.claims["htm"] = "post" }, "htm is the method"},
	{
		"RFC 9449 §4.3 the proof's htu is the URL of the request",
		func(a *attempt) { a.claims["htu"] = "https://login.example.com/userinfo" }, "htu is the URL",
	},
	{"RFC 9449 §4.2 htu is there", func(a *attempt) { delete(a.claims, "htu") }, "htu is the URL"},
	{
		"RFC 9449 §4.3 htu of another host", func(a *attempt) { a.claims["htu"] = "https://evil.example.com/token" },
		"htu is the URL",
	},
	{"RFC 9449 §4.3 htu without the host", func(a *attempt) { a.claims["htu"] = "/token" }, "htu is the URL"},
	{
		"RFC 9449 §4.3 htu of another scheme", func(a *attempt) { a.claims["htu"] = "http://login.example.com/token" },
		"htu is the URL",
	},
	{
		"RFC 9449 §4.3 htu is compared without query and fragment", func(a *attempt) { a.claims["htu"] = target + "?a=b#c" },
		"",
	},
	{
		"RFC 3986 §6.2.2 htu in capitals, where that says nothing",
		func(a *attempt) { a.claims["htu"] = "HTTPS://LOGIN.example.com/token" }, "",
	},
	{
		"RFC 3986 §6.2.2 htu in capitals, where that says something",
		func(a *attempt) { a.claims["htu"] = "https://login.example.com/TOKEN" }, "htu is the URL",
	},
	{
		"RFC 3986 §6.2.3 htu with the default port",
		func(a *attempt) { a.claims["htu"] = "https://login.example.com:443/token" }, "",
	},
	{
		"RFC 3986 §6.2.2 htu with needless escapes and dots",
		func(a *attempt) { a.claims["htu"] = "https://login.example.com/a/../%74oken" }, "",
	},
	{
		"RFC 3986 §6.2.2 htu with an escaped slash",
		func(a *attempt) { a.claims["htu"] = "https://login.example.com%2Ftoken" }, "htu is the URL",
	},
	{"RFC 9449 §4.2 iat is there", func(a *attempt) { delete(a.claims, "iat") }, "has an iat"},
	{
		"RFC 9449 §4.3 iat is of the last minute", func(a *attempt) { a.claims["iat"] = a.f.clock.Now().Unix() - 61 },
		"of the last minute",
	},
	{"RFC 9449 §4.3 an old iat, and a current nonce", func(a *attempt) {
		a.claims["iat"], a.claims["nonce"] = a.f.clock.Now().Unix()-600, a.f.Nonces.Current()
	}, ""},
	{
		"FAPI 2.0 §5.3.2.1 iat 10 seconds in the future is accepted",
		func(a *attempt) { a.claims["iat"] = a.f.clock.Now().Unix() + 10 }, "",
	},
	{
		"FAPI 2.0 §5.3.2.1 iat more than 60 seconds in the future is rejected",
		func(a *attempt) { a.claims["iat"] = a.f.clock.Now().Unix() + 61 }, "iat is not in the future",
	},

	{"RFC 9449 §8 a nonce of the provider", func(a *attempt) { a.claims["nonce"] = a.f.Nonces.Current() }, ""},
	{
		"RFC 9449 §8 a nonce that this provider did not make", func(a *attempt) { a.claims["nonce"] = "abc" },
		"a moment ago",
	},
	{"RFC 9449 §8 a nonce of another provider", func(a *attempt) {
		a.claims["nonce"] = must(NewNonces([][]byte{[]byte("another cookie key")}, a.f.clock.Now)).Current()
	}, "a moment ago"},
	{"RFC 9449 §8 an old nonce", func(a *attempt) {
		a.claims["nonce"] = a.f.Nonces.Current()
		a.f.clock.Pass(5 * time.Minute)
		a.claims["iat"] = a.f.clock.Now().Unix()
	}, "a moment ago"},
	{"RFC 9449 §8 a nonce of the future", func(a *attempt) {
		a.f.clock.Pass(5 * time.Minute)
		a.claims["nonce"] = a.f.Nonces.Current()
		a.f.clock.Pass(-5 * time.Minute)
	}, "a moment ago"},
	{
		"RFC 9449 §8 an empty nonce is none where one is demanded",
		func(a *attempt) { a.f.RequireNonce, a.claims["nonce"] = true, "" }, "has a nonce",
	},
	{"RFC 9449 §8 a good nonce does not excuse an iat in the future", func(a *attempt) {
		a.claims["iat"], a.claims["nonce"] = a.f.clock.Now().Unix()+61, a.f.Nonces.Current()
	}, "iat is not in the future"},
	{
		"RFC 9449 §8 a nonce where one is demanded",
		func(a *attempt) { a.f.RequireNonce, a.claims["nonce"] = true, a.f.Nonces.Current() }, "",
	},
	{"RFC 9449 §8 no nonce where one is demanded", func(a *attempt) { a.f.RequireNonce = true }, "has a nonce"},

	{"RFC 9449 §7.1 a proof for an access token", (*attempt).addToken, ""},
	{"RFC 9449 §4.3 ath is there", func(a *attempt) { a.addToken(); delete(a.claims, "ath") }, "ath is the hash"},
	{
		"RFC 9449 §4.3 ath is the hash of the access token",
		func(a *attempt) { a.addToken(); a.claims["ath"] = hash("another") }, "ath is the hash",
	},
	{
		"RFC 9449 §4.3 the access token is bound to the key of the proof", func(a *attempt) { a.addToken(); a.key = key2() },
		"key is the one",
	},
}
