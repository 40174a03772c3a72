package authorize

import (
	"encoding/base64"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

var objectRows = []struct {
	name   string
	change func(o *draft, c *oidc.Client, now time.Time)
	good   bool
}{
	{
		name: "RFC 9101 §4 a request object signed with ES256 is read", good: true,
		change: func(*draft, *oidc.Client, time.Time) {},
	},
	{
		name: "Core §6.1 a request object signed with RS256 is read", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.kid, o.key = "RS256", "rs", keyRS },
	},
	{
		name: "RFC 9101 §6.2 a request object signed with PS256 is read", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.kid, o.key = "PS256", "rs", keyRS },
	},
	{
		name: "RFC 9101 §6.2 a request object signed with EdDSA is read", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.kid, o.key = "EdDSA", "ed", keyEd },
	},
	{
		name: "Core §6.1 alg none is read where nothing else is registered", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg = none },
	},
	{
		name: "RFC 9101 §10.8 typ may be JWT", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.typ = "JWT" },
	},
	{
		name: "RFC 9101 §4 typ may be left out", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.typ = "" },
	},
	{
		name: "RFC 7515 §4.1.9 typ may be written as a media type", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.typ = "application/oauth-authz-req+jwt" },
	},
	{name: "Core §6.1 iss, aud, exp and client_id may be left out", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) {
			for _, name := range []string{"iss", "aud", "exp", "nbf", "iat", "jti", "client_id"} {
				delete(o.claims, name)
			}
		}},
	{
		name: "RFC 9101 §4 aud may be a list", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["aud"] = []string{"https://x.test", testIssuer} },
	},
	{
		name: "RFC 7519 §4.1.5 a clock that is a little ahead is forgiven", good: true,
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["nbf"] = now.Add(5 * time.Second).Unix() },
	},

	{
		name:   "RFC 9101 §6.1 an encrypted request object is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "e30.e30.e30.e30.e30" },
	},
	{
		name:   "RFC 9101 §4 what is no JWT is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "garbage" },
	},
	{
		name:   "RFC 9101 §4 a header that is no JSON is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "AAAA.e30." },
	},
	{
		name:   "RFC 9101 §4 a payload that is no JSON object is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJub25lIn0.W10." },
	},
	{
		name:   "RFC 9101 §4 a payload of null is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJub25lIn0.bnVsbA." },
	},
	{
		name:   "RFC 9101 §4 a brace behind the object is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJub25lIn0.e319." },
	},
	{
		name: "RFC 8259 §8.1 bytes that are not UTF-8 are refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) {
			o.compact = "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte("{\"display\":\"\xff\"}")) + "."
		},
	},
	{
		name:   "RFC 7518 §3.6 alg none with a signature is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJub25lIn0.e30.AAAA" },
	},
	{
		name:   "RFC 9101 §10.8 a JWT of another typ is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.typ = "at+jwt" },
	},
	{name: "RFC 7515 §4.1.11 crit is refused", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.alg, o.header = none, map[string]any{"crit": []string{"x"}}
	}},
	{name: "RFC 7515 §4.1.11 crit that is empty is refused", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.alg, o.header = none, map[string]any{"crit": []string{}}
	}},
	{
		name:   "RFC 9101 §6.2 an unknown alg is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.key = "HS256", nil },
	},
	{
		name:   "RFC 9101 §6.2 a signature by another key is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.key = keyForeign },
	},
	{
		name:   "RFC 9101 §6.2 a client without keys cannot sign",
		change: func(_ *draft, c *oidc.Client, _ time.Time) { c.JWKS = nil },
	},
	{
		name:   "RFC 9101 §6.2 a signed header without a signature is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.key = nil },
	},
	{
		name:   "Registration §2 an alg that is not the registered one is refused",
		change: func(_ *draft, c *oidc.Client, _ time.Time) { c.RequestObjectSigningAlg = "RS256" },
	},
	{
		name:   "Registration §2 alg none is refused where an alg is registered",
		change: func(o *draft, c *oidc.Client, _ time.Time) { o.alg, c.RequestObjectSigningAlg = none, "ES256" },
	},
	{
		name:   "RFC 9101 §10.5 alg none is refused where signatures are required",
		change: func(o *draft, c *oidc.Client, _ time.Time) { o.alg, c.RequireSignedRequestObject = none, true },
	},
	{name: "FAPI 2.0 §5.4.1 RS256 is refused", change: func(o *draft, c *oidc.Client, _ time.Time) {
		o.alg, o.kid, o.key, c.Profile = "RS256", "rs", keyRS, oidc.ProfileFAPI2
	}},

	{
		name:   "RFC 9101 §4 request inside is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["request"] = "e30.e30." },
	},
	{
		name:   "RFC 9101 §4 request_uri inside is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["request_uri"] = "https://app.test/other.jwt" },
	},
	{
		name:   "RFC 9101 §5 another client_id inside is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["client_id"] = "other" },
	},
	{
		name:   "RFC 9101 §5 a client_id that is no string is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["client_id"] = 7 },
	},
	{
		name:   "RFC 9101 §4 another iss is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["iss"] = "other" },
	},
	{
		name:   "RFC 9101 §4 another aud is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["aud"] = "https://other.test" },
	},
	{
		name:   "RFC 7519 §4.1.4 an expired request object is refused",
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["exp"] = now.Unix() },
	},
	{
		name:   "RFC 7519 §4.1.4 an exp that is no number is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["exp"] = "soon" },
	},
	{
		name:   "RFC 7519 §4.1.5 a request object before its nbf is refused",
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["nbf"] = now.Add(time.Minute).Unix() },
	},
	{
		name:   "Core §6.3.1 an encrypted request object is refused: the metadata lists no encryption for one",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJSU0EtT0FFUCJ9.e30.e30.e30.e30" },
	},
	{name: "Core §6.3.2 the alg is the registered one", change: func(o *draft, c *oidc.Client, _ time.Time) {
		o.alg, o.kid, o.key, c.RequestObjectSigningAlg = "PS256", "rs", keyRS, "RS256"
	}},
	{
		name:   "Core §6.3.2 a key for another alg does not verify",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.kid, o.key = "RS256", "es", keyRS },
	},
	{name: "RFC 9101 §6.2 a kid of nobody's", change: func(o *draft, _ *oidc.Client, _ time.Time) { o.kid = "x" }},
	{name: "RFC 8725 §3.10 a key that the request object itself brings proves nothing",
		change: func(o *draft, _ *oidc.Client, _ time.Time) {
			o.key, o.header = keyForeign, map[string]any{"jwk": jose.JSONWebKey{Key: keyForeign.Public(), KeyID: "es"}}
		}},
	{name: "RFC 8725 §3.10 nor does one at an address that it names", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.key, o.header = keyForeign, map[string]any{"jku": "https://evil.test/jwks"}
	}},
	{name: "RFC 7515 §4 a header's name is that name, in one case", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.compact = base64.RawURLEncoding.EncodeToString([]byte(`{"ALG":"none"}`)) + ".e30."
	}},
	{name: "RFC 7515 §4 a header's name stands once", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.compact = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","alg":"none"}`)) + ".e30."
	}},
	{name: "FAPI 2.0 §5.3.2.1 iat and nbf 10 seconds in the future are accepted", good: true,
		change: func(o *draft, _ *oidc.Client, now time.Time) {
			o.claims["iat"], o.claims["nbf"] = now.Add(10*time.Second).Unix(), now.Add(10*time.Second).Unix()
		}},
	{
		name:   "FAPI 2.0 §5.3.2.1 iat more than 60 seconds in the future is rejected",
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["iat"] = now.Add(61 * time.Second).Unix() },
	},
	{
		name:   "FAPI 2.0 §5.3.2.1 nbf more than 60 seconds in the future is rejected",
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["nbf"] = now.Add(61 * time.Second).Unix() },
	},
	{
		name:   "FAPI 2.0 §5.4.1 none is refused",
		change: func(o *draft, c *oidc.Client, _ time.Time) { o.alg, c.Profile = none, oidc.ProfileFAPI2 },
	},
	{name: "FAPI 2.0 Message Signing §5.3.1 a request object with aud, nbf and exp is read", good: true,
		change: fapi2Object(func(map[string]any, time.Time) {})},
	{name: "FAPI 2.0 Message Signing §5.3.1 aud may be an array that holds the issuer", good: true,
		change: fapi2Object(func(claims map[string]any, _ time.Time) {
			claims["aud"] = []string{"https://other.test", testIssuer}
		})},
	{name: "FAPI 2.0 Message Signing §5.3.1 exp 60 minutes after nbf is accepted", good: true,
		change: fapi2Object(func(claims map[string]any, now time.Time) {
			claims["nbf"], claims["exp"] = now.Unix(), now.Add(time.Hour).Unix()
		})},
	{name: "FAPI 2.0 Message Signing §5.3.1 aud is required",
		change: fapi2Object(func(claims map[string]any, _ time.Time) { delete(claims, "aud") })},
	{name: "FAPI 2.0 Message Signing §5.3.1 nbf is required",
		change: fapi2Object(func(claims map[string]any, _ time.Time) { delete(claims, "nbf") })},
	{name: "FAPI 2.0 Message Signing §5.3.1 nbf more than 60 minutes ago is rejected",
		change: fapi2Object(func(claims map[string]any, now time.Time) {
			claims["nbf"], claims["exp"] = now.Add(-61*time.Minute).Unix(), now.Unix()+1
		})},
	{name: "FAPI 2.0 Message Signing §5.3.1 exp is required",
		change: fapi2Object(func(claims map[string]any, _ time.Time) { delete(claims, "exp") })},
	{name: "FAPI 2.0 Message Signing §5.3.1 exp more than 60 minutes after nbf is rejected",
		change: fapi2Object(func(claims map[string]any, now time.Time) { claims["exp"] = now.Add(61 * time.Minute).Unix() })},
	{
		name:   "RFC 9101 §10.8 a client assertion is no request",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["sub"] = "app" },
	},
}

// fapi2Object changes the claims of a request object of a client with profile fapi2.
func fapi2Object(change func(map[string]any, time.Time)) func(*draft, *oidc.Client, time.Time) {
	return func(o *draft, c *oidc.Client, now time.Time) {
		c.Profile = oidc.ProfileFAPI2
		change(o.claims, now)
	}
}
