package rp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

func encoded(t *testing.T, o object) []byte {
	t.Helper()
	payload, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func asJWT(alg jose.SignatureAlgorithm, kid string, key any) func(*testing.T) func([]byte) string {
	return func(t *testing.T) func([]byte) string {
		return func(payload []byte) string { return signJWT(t, alg, key, object{"kid": kid}, payload) }
	}
}

// badUserInfo is a good answer with one change.
type badUserInfo struct {
	name       string
	registered string
	change     func(object)
	sign       func(*testing.T) func([]byte) string
	code       oidc.ErrorCode
	says       string
}

func (row badUserInfo) distortions(t *testing.T) distortions {
	bad := distortions{metadata: with("userinfo_signing_alg_values_supported", []string{"ES256", "none"}),
		userinfo: row.change}
	if row.sign != nil {
		bad.userinfoJWT = row.sign(t)
	}
	return bad
}

var badUserInfos = []badUserInfo{
	{name: "Core §5.3.2 sub is that of the ID Token", change: with("sub", "bob"), code: SubMismatch, says: "another sub"},
	{name: "Core §5.3.2 sub is present", change: without("sub"), code: oidc.ServerError, says: "has a sub"},
	{name: "Core §5.3.2 sub is a string", change: with("sub", 7), code: oidc.ServerError, says: "wrong type"},
	{name: "Core §5.3.2 iss is the provider's", change: with("iss", "https://evil.test"),
		sign: asJWT(jose.ES256, "ec-1", testECKey), code: oidc.ServerError, says: "got 'https://evil.test'"},
	{name: "Core §5.3.2 aud contains the client_id", change: with("aud", "spa"),
		sign: asJWT(jose.ES256, "ec-1", testECKey), code: oidc.ServerError, says: "got ['spa']"},
	{name: "Core §5.3.2 a signed answer has iss", change: without("iss"), sign: asJWT(jose.ES256, "ec-1", testECKey),
		code: oidc.ServerError, says: "got ''"},
	{name: "Core §5.3.2 a signed answer has aud", change: without("aud"), sign: asJWT(jose.ES256, "ec-1", testECKey),
		code: oidc.ServerError, says: "got []"},
	{name: "RFC 7519 §4.1.4 a signed answer that has expired", change: with("exp", now-1),
		sign: asJWT(jose.ES256, "ec-1", testECKey), code: oidc.ServerError, says: "has not expired"},
	{name: "Core §5.3.2 sub is compared with case", change: with("sub", "Alice"), code: SubMismatch, says: "another sub"},
	{name: "Core §5.3.2 sub is not null", change: with("sub", nil), code: oidc.ServerError, says: "has a sub"},
	{name: "Core §5.3.2 an encrypted answer that nobody asked for", sign: func(t *testing.T) func([]byte) string {
		return func(payload []byte) string { return encrypted(t, testDecryptionKeys[0], string(payload)) }
	}, code: oidc.ServerError, says: "cannot be decrypted"},
	{name: "Core §5.3.2 a signature is verified", sign: asJWT(jose.ES256, "ec-1", foreignKey), code: oidc.ServerError,
		says: "no key of the provider verifies"},
	{name: "Core §5.3.2 sub of a signed answer is that of the ID Token", change: with("sub", "bob"),
		sign: asJWT(jose.ES256, "ec-1", testECKey), code: SubMismatch, says: "another sub"},
	{name: "RFC 8725 §3.1 alg none is no signature", sign: func(*testing.T) func([]byte) string {
		return func(payload []byte) string { return unsigned(object{"kid": "ec-1"}, payload) }
	}, code: oidc.ServerError, says: "not a JWT signed as expected"},
	{name: "RFC 8725 §3.1 HMAC is no signature of the provider's", sign: asJWT(jose.HS256, "ec-1", make([]byte, 32)),
		code: oidc.ServerError, says: "not a JWT signed as expected"},
	{name: "Core §5.3.2 a registered signature is a must", registered: "ES256", code: oidc.ServerError,
		says: "got no signature"},
	{name: "Core §5.3.2 a registered alg is a must", registered: "RS256", sign: asJWT(jose.ES256, "ec-1", testECKey),
		code: oidc.ServerError, says: "not a JWT signed as expected"},
}

func TestBadUserInfo(t *testing.T) {
	var said strings.Builder
	for _, row := range badUserInfos {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, func(c *Config) { c.UserinfoSignedResponseAlg = row.registered })
			a.provider.misbehave(row.distortions(t))
			a.signIn()
			claims, err := a.UserInfo(a.request())
			if err == nil {
				t.Fatalf("accepted: %s", claims)
			}
			said.WriteString(asError(err).Description)
			if e := asError(err); e.Code != row.code || !strings.Contains(e.Description, row.says) {
				t.Errorf("%v, expected %s …%s…", e, row.code, row.says)
			}
		})
	}
	requireEachRuleBroken(t, userInfoRules, said.String())
}

func TestUserInfoFailures(t *testing.T) {
	for _, row := range []struct {
		name     string
		metadata func(object)
		code     oidc.ErrorCode
		says     string
	}{
		{"Discovery §3 userinfo_endpoint is optional", without("userinfo_endpoint"), oidc.ServerError,
			"no userinfo_endpoint"},
		{"RFC 6750 §3.1 the token is not taken any more",
			func(o object) { o["userinfo_endpoint"] = o["issuer"].(string) + "/refuses" }, oidc.InvalidToken, "sign in again"},
		{"a redirect, which would take the token along, is not followed",
			func(o object) { o["userinfo_endpoint"] = o["issuer"].(string) + "/elsewhere" }, oidc.ServerError, "307"},
		{"an answer of more than 1 MB", func(o object) { o["userinfo_endpoint"] = o["issuer"].(string) + "/endless" },
			ProviderDown, "too large"},
		{"Core §5.3.3 another status", func(o object) { o["userinfo_endpoint"] = o["issuer"].(string) + "/nowhere" },
			oidc.ServerError, "404"},
		{"Core §5.3.2 an answer that is no JSON", func(o object) { o["userinfo_endpoint"] = o["issuer"].(string) + "/empty" },
			oidc.ServerError, "no JSON object"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			a.provider.misbehave(distortions{metadata: row.metadata})
			a.signIn()
			if _, err := a.UserInfo(a.request()); asError(err).Code != row.code ||
				!strings.Contains(asError(err).Description, row.says) {
				t.Errorf("%v, expected %s …%s…", err, row.code, row.says)
			}
		})
	}
}

func TestSignedUserInfo(t *testing.T) {
	a := newApp(t, func(c *Config) { c.UserinfoSignedResponseAlg = "ES256" })
	a.signIn()
	a.provider.misbehave(distortions{
		userinfo:    func(o object) { o["iss"], o["aud"] = a.provider.URL, []string{"web"} },
		userinfoJWT: asJWT(jose.ES256, "ec-1", testECKey)(t),
	})
	if claims, err := a.UserInfo(a.request()); err != nil || !strings.Contains(string(claims), "Alice Adams") {
		t.Errorf("Core §5.3.2: %s %v", claims, err)
	}
}

var testDecryptionKeys = []jose.JSONWebKey{
	{Key: testRSAKey, KeyID: "enc-rsa", Algorithm: "RSA-OAEP-256"},
	{Key: foreignKey, KeyID: "enc-ec", Algorithm: "ECDH-ES"},
}

func encrypted(t *testing.T, key jose.JSONWebKey, inside string) string {
	t.Helper()
	public := key.Public()
	encrypter, err := jose.NewEncrypter(jose.A256GCM,
		jose.Recipient{Algorithm: jose.KeyAlgorithm(key.Algorithm), Key: public.Key, KeyID: key.KeyID},
		(&jose.EncrypterOptions{}).WithContentType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	object, err := encrypter.Encrypt([]byte(inside))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestEncryptedTokens(t *testing.T) {
	for _, key := range testDecryptionKeys {
		t.Run("Core §10.2 signed, then encrypted by "+key.Algorithm, func(t *testing.T) {
			nest := func(payload []byte) string {
				return encrypted(t, key, signJWT(t, jose.ES256, testECKey, object{"kid": "ec-1"}, payload))
			}
			a := newApp(t, func(c *Config) { c.DecryptionKeys = testDecryptionKeys })
			a.provider.misbehave(distortions{signIDToken: nest, userinfoJWT: nest,
				metadata: with("userinfo_signing_alg_values_supported", []string{"ES256"})})
			if s := a.signIn(); strings.Count(s.IDToken, ".") != 2 {
				t.Error("Core §3.1.2.1: an id_token_hint is the signed ID Token, decrypted")
			}
			if claims, err := a.UserInfo(a.request()); err != nil || !strings.Contains(string(claims), "Alice") {
				t.Errorf("Core §5.3.2: %s %v", claims, err)
			}
		})
	}
	for name, wrap := range map[string]func([]byte) string{
		"Core §3.1.3.7 (1) encrypted to nobody's key": func(payload []byte) string {
			return encrypted(t, jose.JSONWebKey{Key: testECKey, KeyID: "enc-ec", Algorithm: "ECDH-ES"}, "x")
		},
		"Core §10.2 encrypted, and not signed": func(payload []byte) string {
			return encrypted(t, testDecryptionKeys[0],
				string(payload))
		},
		"Core §10.2 encrypted by another alg than the key's": func(payload []byte) string {
			return encrypted(t, jose.JSONWebKey{Key: testRSAKey, KeyID: "enc-rsa", Algorithm: "RSA-OAEP"}, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, func(c *Config) { c.DecryptionKeys = testDecryptionKeys })
			a.provider.misbehave(distortions{signIDToken: wrap})
			a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), InvalidIDToken, "ID Token")
		})
	}
}
