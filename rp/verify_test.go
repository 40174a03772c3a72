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

	"github.com/hush-idp/hush/storage/storagetest"
)

// now is the time at which the fake clock stands when a provider signs.
var now = storagetest.NewClock().Now().Unix()

// badIDTokens are good ID Tokens plus one change.
var badIDTokens = []struct {
	name   string
	login  string // query of Login
	change func(object)
	sign   func(t *testing.T) func([]byte) string
	says   string
}{
	{name: "Core §3.1.3.7 (2) iss is the provider's issuer", change: with("iss", "https://evil.test"), says: "different provider"},
	{name: "Core §3.1.3.7 (2) iss is present", change: without("iss"), says: "different provider"},
	{name: "Core §3.1.3.7 (3) aud contains the client_id", change: with("aud", "spa"), says: "expected audience"},
	{name: "Core §3.1.3.7 (3) aud is present", change: without("aud"), says: "expected audience"},
	{name: "Core §3.1.3.7 (4) azp is present with several audiences", change: with("aud", []string{"web", "spa"}), says: "azp is missing"},
	{name: "Core §3.1.3.7 (5) azp is the client_id", change: with("azp", "spa"), says: "azp is 'spa'"},
	{name: "Core §2 azp is a string", change: with("azp", 7), says: "azp is not a string"},
	{name: "Core §3.1.3.7 (6) the signature is the provider's", sign: signedBy("ec-1", foreignKey), says: "failed to verify"},
	{name: "Core §10.1.1 kid is one that the provider publishes", sign: signedBy("unknown", testECKey), says: "failed to verify"},
	{name: "Core §3.1.3.7 (7) alg is not none", sign: func(t *testing.T) func([]byte) string {
		return func(payload []byte) string { return unsigned(object{"kid": "ec-1"}, payload) }
	}, says: "malformed"},
	{name: "RFC 8725 §3.1 a public key is no HMAC key", sign: hmacByPublicKey, says: "malformed"},
	{name: "Core §3.1.3.7 (9) now is before exp", change: with("exp", now-1), says: "expired"},
	{name: "Core §2 exp is present", change: without("exp"), says: "expired"},
	{name: "RFC 7519 §4.1.5 now is not before nbf", change: with("nbf", now+3600), says: "nbf"},
	{name: "Core §3.1.3.7 (10) iat is not in the future", change: with("iat", now+120), says: "clock is 2m0s ahead"},
	{name: "Core §2 iat is present", change: without("iat"), says: "iat is missing"},
	{name: "Core §3.1.3.7 (11) nonce is that of the request", change: with("nonce", "another"), says: "nonce is"},
	{name: "Core §3.1.3.7 (11) nonce is present", change: without("nonce"), says: "nonce is"},
	{name: "Core §3.1.3.8 at_hash is the access token's", change: with("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), says: "at_hash"},
	{name: "Core §2 sub is present", change: without("sub"), says: "sub is"},
	{name: "Core §2 sub has at most 255 characters", change: with("sub", strings.Repeat("s", 256)), says: "sub is"},
	{name: "Core §2 sub is ASCII", change: with("sub", "Zoë"), says: "sub is"},
	{name: "Core §3.1.3.7 (13) auth_time is present when max_age was sent", login: "?max_age=60", change: without("auth_time"), says: "auth_time is missing"},
	{name: "Core §3.1.3.7 (13) auth_time is at most max_age ago", login: "?max_age=60", change: with("auth_time", now-3600), says: "1h0m0s ago"},
	{name: "Core §2 auth_time is a number", change: with("auth_time", "noon"), says: "auth_time not a number"},
}

var foreignKey = mustKey(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))

func signedBy(kid string, key *ecdsa.PrivateKey) func(*testing.T) func([]byte) string {
	return func(t *testing.T) func([]byte) string {
		return func(payload []byte) string { return signJWT(t, jose.ES256, key, object{"kid": kid}, payload) }
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
	everyRuleBroken(t, idTokenRules, said.String())
}

// everyRuleBroken wants each rule to have been named in a refusal.
func everyRuleBroken[T any](t *testing.T, rules []rule[T], said string) {
	t.Helper()
	for _, rule := range rules {
		if !strings.Contains(said, strings.ReplaceAll(rule.spec+": "+rule.text, "§", "section ")) {
			t.Errorf("no row breaks %s: %s", rule.spec, rule.text)
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
		{"Core §3.1.3.7 (4) several audiences with azp", "", func(o object) { o["aud"], o["azp"] = []string{"spa", "web"}, "web" }},
		{"Core §3.1.3.7 (9) a provider's clock a little ahead", "", with("iat", now+30)},
		{"Core §3.1.3.7 (13) auth_time within max_age", "?max_age=60", with("auth_time", now-60)},
		{"RFC 7519 §2 NumericDate may have a fraction", "?max_age=60", with("auth_time", float64(now)-0.5)},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			a.provider.misbehave(distortions{idToken: row.change})
			if to := a.callback(a.provider.answer(a.begin("/web/login" + row.login))); to != "/web/" || a.session().Sub != "alice" {
				t.Errorf("ended at %q", to)
			}
		})
	}
}

func TestRotatedKey(t *testing.T) {
	a := newApp(t)
	a.signIn()
	a.provider.rotate(signingKey{"rsa-2", jose.RS256, testRSAKey})
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
