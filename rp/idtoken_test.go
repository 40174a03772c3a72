package rp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// now is the time of the fake clock when a provider signs.
var now = storagetest.NewClock().Now().Unix()

// badIDTokens are good ID Tokens with one change.
var badIDTokens = []struct {
	name   string
	login  string // query of Login
	change func(object)
	sign   func(t *testing.T) func([]byte) string
	says   string
}{
	{name: "Core §3.1.3.7 (2) iss is the provider's issuer", change: with("iss", "https://evil.test"),
		says: "different provider"},
	{name: "Core §3.1.3.7 (2) iss is present", change: without("iss"), says: "different provider"},
	{name: "Core §3.1.3.7 (3) aud contains the client_id", change: with("aud", "spa"), says: "expected audience"},
	{name: "Core §3.1.3.7 (3) aud is present", change: without("aud"), says: "expected audience"},
	{name: "Core §3.1.3.7 (4) azp is present with several audiences", change: with("aud", []string{"web", "spa"}),
		says: "got 2 audiences"},
	{name: "Core §3.1.3.7 (5) azp is the client_id", change: with("azp", "spa"), says: "got 'spa', this is 'web'"},
	{name: "Core §2 azp is a string", change: with("azp", 7), says: "azp, sid or acr is not a string"},
	{name: "Core §3.1.3.7 (3) aud holds no other audience that is not trusted",
		change: func(o object) { o["aud"], o["azp"] = []string{"web", "evil"}, "web" }, says: "got ['web' 'evil']"},
	{name: "Core §2 sid is a string", change: with("sid", 7), says: "azp, sid or acr is not a string"},
	{name: "Core §3.1.3.7 (10) iat is not long ago", change: func(o object) { o["iat"], o["exp"] = now-3600, now+3600 },
		says: "got 1h0m0s ago"},
	{name: "Core §3.1.3.7 (6) the signature is the provider's", sign: signedBy("ec-1", foreignKey),
		says: "no key of the provider verifies"},
	{name: "Core §10.1.1 kid is one that the provider publishes", sign: signedBy("unknown", testECKey),
		says: "no key of the provider verifies"},
	{name: "Core §3.1.3.7 (7) alg is not none", sign: func(t *testing.T) func([]byte) string {
		return func(payload []byte) string { return unsigned(object{"kid": "ec-1"}, payload) }
	}, says: "not a JWT signed as expected"},
	{name: "Core §3.1.3.7 (7) alg is the registered one, not any that the provider lists",
		sign: signedAs(jose.RS256, "ec-1", testRSAKey), says: "set IDTokenSignedResponseAlg to the alg that is registered"},
	{name: "Core §3.1.3.7 (7) alg is one that the provider lists", sign: signedAs(jose.PS256, "ec-1", testRSAKey),
		says: "unexpected signature algorithm 'PS256'"},
	{name: "Core §3.1.3.7 (8) the client's secret is no key here", sign: signedAs(jose.HS256, "ec-1", []byte(testSecret)),
		says: "not a JWT signed as expected"},
	{name: "RFC 8725 §3.1 a public key is no HMAC key", sign: hmacByPublicKey, says: "not a JWT signed as expected"},
	{name: "Core §3.1.3.7 (9) now is before exp", change: with("exp", now-1), says: "expired"},
	{name: "Core §2 exp is present", change: without("exp"), says: "expired"},
	{name: "RFC 7519 §4.1.5 now is not before nbf", change: with("nbf", now+3600), says: "nbf"},
	{name: "Core §3.1.3.7 (10) iat is not in the future", change: with("iat", now+120), says: "got 2m0s ahead"},
	{name: "Core §2 iat is present", change: without("iat"), says: "the ID Token has an iat"},
	{name: "Core §3.1.3.7 (11) nonce is that of the request", change: with("nonce", "another"),
		says: "ID Token's nonce is"},
	{name: "Core §3.1.3.7 (11) nonce is present", change: without("nonce"), says: "ID Token's nonce is"},
	{name: "Core §3.1.3.8 at_hash is the access token's", change: with("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		says: "at_hash"},
	{name: "Core §2 sub is present", change: without("sub"), says: "ID Token's sub has"},
	{name: "Core §2 sub has at most 255 characters", change: with("sub", strings.Repeat("s", 256)),
		says: "ID Token's sub has"},
	{name: "Core §2 sub is ASCII", change: with("sub", "Zoë"), says: "ID Token's sub has"},
	{name: "Core §3.1.3.7 (13) auth_time is present when max_age was sent", login: "?max_age=60",
		change: without("auth_time"), says: "has an auth_time"},
	{name: "Core §3.1.3.7 (13) auth_time is at most max_age ago", login: "?max_age=60",
		change: with("auth_time", now-3600), says: "1h0m0s ago"},
	{name: "Core §3.1.3.7 (13) auth_time is not in the future when max_age was sent", login: "?max_age=60",
		change: with("auth_time", now+3600), says: "got 1h0m0s ahead"},
	{name: "RFC 8725 §3.10 a key inside the token is not trusted", sign: func(t *testing.T) func([]byte) string {
		return func(payload []byte) string {
			return signJWT(t, jose.ES256, foreignKey, object{"kid": "ec-1", "jwk": jose.JSONWebKey{Key: foreignKey.Public()}},
				payload)
		}
	}, says: "no key of the provider verifies"},
	{name: "RFC 8725 §3.10 an address of keys inside the token is not trusted",
		sign: func(t *testing.T) func([]byte) string {
			return func(payload []byte) string {
				return signJWT(t, jose.ES256, foreignKey,
					object{"kid": "evil-1", "jku": "http://127.0.0.1:1/jwks", "x5u": "http://127.0.0.1:1/cert"}, payload)
			}
		}, says: "no key of the provider verifies"},
	{name: "RFC 7515 §4.1.11 crit that is empty", sign: func(t *testing.T) func([]byte) string {
		return func(payload []byte) string {
			return signJWT(t, jose.ES256, testECKey, object{"kid": "ec-1", "crit": []string{}}, payload)
		}
	}, says: "its header has crit"},
	{name: "RFC 7515 §4.1.11 a header that must be understood, and is not", sign: func(t *testing.T) func([]byte) string {
		return func(payload []byte) string {
			return signJWT(t, jose.ES256, testECKey, object{"kid": "ec-1", "crit": []string{"evil"}, "evil": true}, payload)
		}
	}, says: "its header has crit"},
	{name: "RFC 8725 §3.1 a signature of RS256 under a key of ES256", sign: signedAs(jose.RS256, "ec-1", testRSAKey),
		says: "unexpected signature algorithm 'RS256'"},
	{name: "RFC 7515 §7.2 the JSON serialization is no ID Token", sign: func(t *testing.T) func([]byte) string {
		return func(payload []byte) string {
			parts := strings.Split(signJWT(t, jose.ES256, testECKey, object{"kid": "ec-1"}, payload), ".")
			return `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `","x":".."}`
		}
	}, says: "not a JWT signed as expected"},
	{name: "Core §16.14 an encrypted ID Token that nobody asked for", sign: func(t *testing.T) func([]byte) string {
		return func(payload []byte) string {
			return encrypted(t, jose.JSONWebKey{Key: testECKey, KeyID: "ec-1", Algorithm: "ECDH-ES"}, string(payload))
		}
	}, says: "cannot be decrypted"},
	{name: "Core §3.1.3.7 (3) aud is not empty", change: with("aud", []string{}), says: "expected audience"},
	{name: "Core §2 aud is a string or strings", change: with("aud", []any{"web", 7}), says: "unmarshal"},
	{name: "Core §2 iss is a string", change: with("iss", []string{"x"}), says: "unmarshal"},
	{name: "Core §2 sub is a string", change: with("sub", 7), says: "unmarshal"},
	{name: "Core §2 sub is not null", change: with("sub", nil), says: "ID Token's sub has"},
	{name: "Core §2 iat is a number", change: with("iat", "today"), says: "unmarshal"},
	{name: "RFC 7519 §2 an iat beyond all bounds", change: with("iat", 1e300), says: "iat"},
	{name: "Core §3.1.3.7 (11) nonce is not empty", change: with("nonce", ""), says: "ID Token's nonce is"},
	{name: "Core §3.1.3.7 (11) nonce is a string", change: with("nonce", 7), says: "unmarshal"},
	{name: "Core §3.1.3.8 at_hash is a string", change: with("at_hash", 7), says: "unmarshal"},
	{name: "Core §2 auth_time is a number", change: with("auth_time", "noon"), says: "auth_time is not a number"},
}

var foreignKey = mustKey(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))

func signedBy(kid string, key *ecdsa.PrivateKey) func(*testing.T) func([]byte) string {
	return func(t *testing.T) func([]byte) string {
		return func(payload []byte) string { return signJWT(t, jose.ES256, key, object{"kid": kid}, payload) }
	}
}

func signedAs(alg jose.SignatureAlgorithm, kid string, key any) func(*testing.T) func([]byte) string {
	return func(t *testing.T) func([]byte) string {
		return func(payload []byte) string { return signJWT(t, alg, key, object{"kid": kid}, payload) }
	}
}

func hmacByPublicKey(t *testing.T) func([]byte) string {
	public, err := x509.MarshalPKIXPublicKey(testECKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	return func(payload []byte) string { return signJWT(t, jose.HS256, public, object{"kid": "ec-1"}, payload) }
}

func TestBadIDTokens(t *testing.T) {
	var said strings.Builder
	for _, row := range badIDTokens {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			bad := distortions{idToken: row.change}
			if row.sign != nil {
				bad.signIDToken = row.sign(t)
			}
			a.provider.misbehave(bad)
			e := a.failure(a.callback(a.provider.answer(a.begin("/web/login" + row.login))))
			a.refused(e, InvalidIDToken, row.says)
			said.WriteString(e.Description)
		})
	}
	said.WriteString(wrongACR(t))
	requireEachRuleBroken(t, idTokenRules, said.String())
	requireEachRuleBroken(t, freshRules, said.String())
	requireEachRuleBroken(t, nonceRules, said.String())
	requireEachRuleBroken(t, loginRules, said.String())
}

// wrongACR asks for an essential acr that the provider does not reach.
func wrongACR(t *testing.T) string {
	a := newApp(t, func(c *Config) {
		c.Claims = &oidc.ClaimsRequest{IDToken: map[string]*oidc.ClaimRequest{"acr": {Essential: true, Value: "gold",
			Values: []any{"platinum"}}}}
	})
	a.provider.misbehave(distortions{idToken: with("acr", "gold")})
	a.signIn()
	a.provider.misbehave(distortions{idToken: with("acr", "silver")})
	e := a.failure(a.callback(a.provider.answer(a.begin("/web/login"))))
	if e.Code != InvalidIDToken || !strings.Contains(e.Description, "got 'silver'") {
		t.Errorf("Core §3.1.3.7 (12) acr is one of those demanded: %v", e)
	}
	return e.Description
}

// requireEachRuleBroken fails the test for each rule that no error description names.
func requireEachRuleBroken[T any](t *testing.T, rules oidc.Table[T], said string) {
	t.Helper()
	for _, rule := range rules {
		if !strings.Contains(said, strings.ReplaceAll(rule.Text+" ("+rule.Spec+")", "§", "section ")) {
			t.Errorf("no row breaks %s: %s", rule.Spec, rule.Text)
		}
	}
}

func TestGoodIDTokens(t *testing.T) {
	for _, row := range []struct {
		name   string
		login  string
		change func(object)
	}{
		{"Core §3.1.3.6 at_hash is optional", "", without("at_hash")},
		{"Core §2 auth_time is optional without max_age", "", without("auth_time")},
		{"Core §3.1.3.7 (3) several trusted audiences with azp", "",
			func(o object) { o["aud"], o["azp"] = []string{"spa", "web"}, "web" }},
		{"Core §3.1.3.7 (9) a provider's clock a little ahead", "", with("iat", now+30)},
		{"Core §3.1.3.7 (13) auth_time within max_age", "?max_age=60", with("auth_time", now-60)},
		{"Core §2 aud may be an array of one", "", with("aud", []string{"web"})},
		{"Core §3.1.3.7 (5) azp may stand with one audience", "", with("azp", "web")},
		{"Core §2 claims that are not understood are ignored", "", with("amr", []string{"pwd"})},
		{"RFC 7519 §2 NumericDate may have a fraction", "?max_age=60", with("auth_time", float64(now)-0.5)},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, func(c *Config) { c.TrustedAudiences = []string{"spa"} })
			a.provider.misbehave(distortions{idToken: row.change})
			if to := a.callback(a.provider.answer(a.begin("/web/login" + row.login))); to != "/web/" ||
				a.session().Sub != "alice" {
				t.Errorf("ended at %q", to)
			}
		})
	}
}

func TestRotatedKey(t *testing.T) {
	a := newApp(t)
	a.signIn()
	a.provider.rotate(signingKey{"ec-2", jose.ES256, foreignKey})
	if s := a.signIn(); s.Sub != "alice" {
		t.Error("Core §10.1.1: a new key is fetched when its kid is unknown")
	}
}

func TestTokenResponseDefaults(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{token: func(o object) { delete(o, "scope"); delete(o, "expires_in") }})
	s := a.signIn()
	if s.Scope != "openid api.read" || !s.Expiry.IsZero() {
		t.Errorf("RFC 6749 §5.1: scope %q, expiry %v", s.Scope, s.Expiry)
	}
	a.clock.Pass(time.Hour)
	if _, err := a.TokenSource(a.request()).Token(); err != nil {
		t.Errorf("a token of unknown expiry: %v", err)
	}
}

func TestKid(t *testing.T) {
	withoutKid := func(payload []byte) string { return signJWT(t, jose.ES256, testECKey, nil, payload) }
	t.Run("Core §10.1 with one key a token may come without kid", func(t *testing.T) {
		a := newApp(t)
		a.provider.misbehave(distortions{signIDToken: withoutKid})
		a.signIn()
	})
	t.Run("Core §10.1 with several keys a token without kid is accepted if one key alone serves its alg",
		func(t *testing.T) {
			a := newApp(t)
			a.provider.rotate(signingKey{"rsa-2", jose.RS256, testRSAKey})
			a.provider.misbehave(distortions{signIDToken: withoutKid})
			a.signIn()
		})
	t.Run("Core §10.1 with several keys for its alg a token without kid is refused, though one of them would verify it",
		func(t *testing.T) {
			a := newApp(t)
			a.provider.rotate(signingKey{"ec-2", jose.ES256, foreignKey})
			a.provider.misbehave(distortions{signIDToken: withoutKid})
			a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), InvalidIDToken,
				"names no kid, and 2 of the published keys serve ES256")
		})
}

// TestTheDefaultAlgIsRS256: the provider offers ES256 and RS256, and has a key for each.
func TestTheDefaultAlgIsRS256(t *testing.T) {
	start := func(t *testing.T) *testApp {
		a := newApp(t, func(c *Config) { c.IDTokenSignedResponseAlg = "" })
		a.provider.rotate(signingKey{"rsa-2", jose.RS256, testRSAKey})
		return a
	}
	byES256, byRS256 := signedAs(jose.ES256, "ec-1", testECKey)(t), signedAs(jose.RS256, "rsa-2", testRSAKey)(t)
	const says = "unexpected signature algorithm 'ES256'; expected ['RS256']"
	t.Run("Registration §2 an ID Token by RS256 is accepted", func(t *testing.T) { start(t).signIn() })
	t.Run("Registration §2 an ID Token by ES256 is refused", func(t *testing.T) {
		a := start(t)
		a.provider.misbehave(distortions{signIDToken: byES256})
		a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), InvalidIDToken, says)
	})
	t.Run("Back-Channel Logout §2.6 a logout token by ES256 is refused, one by RS256 is accepted", func(t *testing.T) {
		a := start(t)
		a.signInAs("s1")
		if _, e := a.backChannel(byES256(encoded(t, a.logoutClaims(nil)))); a.isSignedOut() ||
			!strings.Contains(e.Description, says) {
			t.Errorf("got %v, expected …%s…", e, says)
		}
		if _, e := a.backChannel(byRS256(encoded(t, a.logoutClaims(nil)))); !a.isSignedOut() {
			t.Errorf("the session did not end: %v", e)
		}
	})
	t.Run("Registration §2 signed userinfo by ES256 is refused, by RS256 it is accepted", func(t *testing.T) {
		a := start(t)
		a.signIn()
		a.provider.misbehave(distortions{userinfoJWT: byES256})
		if _, err := a.UserInfo(a.request()); err == nil || !strings.Contains(asError(err).Description, says) {
			t.Errorf("got %v, expected …%s…", err, says)
		}
		a.provider.misbehave(distortions{userinfoJWT: byRS256})
		if _, err := a.UserInfo(a.request()); err != nil {
			t.Error(err)
		}
	})
	t.Run("Discovery §3 of a provider without RS256 the first alg is the default", func(t *testing.T) {
		a := start(t)
		a.provider.misbehave(distortions{signIDToken: byES256,
			metadata: with("id_token_signing_alg_values_supported", []string{"none", "HS256", "ES256", "EdDSA"})})
		a.signIn()
	})
}

func TestKeysCannotBeFetched(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{jwksStatus: 500})
	a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), ProviderDown, "500")
}

func TestForgedSignatures(t *testing.T) {
	for _, row := range []struct {
		name string
		key  signingKey
	}{
		{"Core §3.1.3.7 (6) a signature by RS256 in which a bit is another", signingKey{"rsa-2", jose.RS256, testRSAKey}},
		{"Core §3.1.3.7 (6) a signature by PS256 in which a bit is another", signingKey{"rsa-2", jose.PS256, testRSAKey}},
		{"Core §3.1.3.7 (6) a signature by ES256 in which a bit is another", signingKey{"ec-1", jose.ES256, testECKey}},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, func(c *Config) { c.IDTokenSignedResponseAlg = string(row.key.alg) })
			a.provider.withdrawAllFor(row.key)
			a.provider.misbehave(distortions{
				metadata: with("id_token_signing_alg_values_supported", []string{string(row.key.alg)}),
				signIDToken: func(payload []byte) string {
					token := []byte(signJWT(t, row.key.alg, row.key.key, object{"kid": row.key.kid}, payload))
					token[len(token)-10] ^= 1 // one letter of base64url becomes another, or none
					return string(token)
				},
			})
			a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), InvalidIDToken, "ID Token")
			a.provider.misbehave(distortions{metadata: with("id_token_signing_alg_values_supported",
				[]string{string(row.key.alg)})})
			a.signIn()
		})
	}
}
