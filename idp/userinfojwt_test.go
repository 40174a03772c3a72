package idp_test

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// registering makes the client spa one that wants more.
func registering(change func(*oidc.Client)) func(*idp.Config) {
	return func(c *idp.Config) {
		*c = c.WithDefaults()
		change(&c.Clients[0])
	}
}

// readers are the keys with which the client reads what is encrypted to it.
func readers(key *rsa.PrivateKey) *oidc.KeySet {
	return &oidc.KeySet{
		JSONWebKeySet: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "enc", Key: key.Public(), Use: "enc"}}},
	}
}

func decrypt(t *testing.T, token string, key *rsa.PrivateKey) string {
	t.Helper()
	parsed, err := jose.ParseEncryptedCompact(
		token, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.A128CBC_HS256, jose.A256GCM},
	)
	if err != nil {
		t.Fatalf("%v: %s", err, token)
	}
	plain, err := parsed.Decrypt(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func startAndSignIn(t *testing.T, change func(*idp.Config)) (*idptest.Provider, map[string]any, *idptest.Browser) {
	t.Helper()
	p := idptest.Start(t, change)
	b := p.Browser(t)
	b.SignIn("alice")
	return p, b.Tokens("spa", b.Code(idptest.Request("spa"))), b
}

func TestSignedUserinfo(t *testing.T) { // Core §5.3.2
	p, tokens, b := startAndSignIn(t, registering(func(c *oidc.Client) { c.UserinfoSignedResponseAlg = "ES256" }))
	page := userinfo(t, b, tokens)
	if media := page.Header.Get("Content-Type"); media != "application/jwt" {
		t.Errorf("the Content-Type is %s", media)
	}
	told := claims(t, page.Body)
	if told["iss"] != p.Issuer || told["aud"] != "spa" || told["sub"] != claims(t, tokens["id_token"])["sub"] ||
		told["email"] != "alice@example.com" {
		t.Errorf("got %v", told)
	}
}

func TestEncryptedUserinfo(t *testing.T) { // Core §5.3.2
	key := rsaKey(t)
	_, tokens, b := startAndSignIn(
		t, registering(func(c *oidc.Client) { c.UserinfoEncryptedResponseAlg, c.JWKS = "RSA-OAEP-256", readers(key) }),
	)
	page := userinfo(t, b, tokens)
	var told map[string]any
	if err := json.Unmarshal([]byte(decrypt(t, page.Body, key)), &told); err != nil ||
		told["email"] != "alice@example.com" {
		t.Errorf("got %v, %v", told, err)
	}
	if media := page.Header.Get("Content-Type"); media != "application/jwt" {
		t.Errorf("the Content-Type is %s", media)
	}
}

func TestUserinfoIsSignedAndThenEncrypted(t *testing.T) { // Core §5.3.2, §10.2
	key := rsaKey(t)
	_, tokens, b := startAndSignIn(t, registering(func(c *oidc.Client) {
		c.UserinfoSignedResponseAlg, c.UserinfoEncryptedResponseAlg = "ES256", "RSA-OAEP-256"
		c.UserinfoEncryptedResponseEnc, c.JWKS = "A256GCM", readers(
			key,
		)
	}))
	if told := claims(t, decrypt(t, userinfo(t, b, tokens).Body, key)); told["aud"] != "spa" {
		t.Errorf("got %v", told)
	}
}

func TestEncryptedIDToken(t *testing.T) { // Core §2, §10.2: "ID Tokens MUST be signed […] and then encrypted"
	key := rsaKey(t)
	_, tokens, _ := startAndSignIn(
		t, registering(func(c *oidc.Client) { c.IDTokenEncryptedResponseAlg, c.JWKS = "RSA-OAEP-256", readers(key) }),
	)
	if told := claims(t, decrypt(t, tokens["id_token"].(string), key)); told["aud"] != "spa" {
		t.Errorf("got %v", told)
	}
}

func TestAClientThatWantsEncryptionNeedsAKey(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*oidc.Client)
		field  string
	}{
		{"Core §10.2 without any key", func(c *oidc.Client) { c.IDTokenEncryptedResponseAlg = "RSA-OAEP-256" }, "jwks_uri"},
		{
			"Registration §2 an alg that is not offered",
			func(c *oidc.Client) { c.IDTokenEncryptedResponseAlg, c.JWKSURI = "RSA1_5", "https://app.test/jwks" },
			"id_token_encrypted_response_alg",
		},
		{
			"Registration §2 an enc without an alg", func(c *oidc.Client) { c.UserinfoEncryptedResponseEnc = "A128GCM" },
			"userinfo_encrypted_response_enc",
		},
		{
			"Registration §2 a signature for which there is no key",
			func(c *oidc.Client) { c.UserinfoSignedResponseAlg = "PS256" }, "userinfo_signed_response_alg",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := idp.Config{}.WithDefaults()
			row.change(&c.Clients[0])
			if err := idp.Validate(c.WithDefaults()); err == nil || !strings.Contains(err.Error(), row.field) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What the metadata lists of encryption and of proofs works.
func TestDiscoveryTellsTheTruthOfKeysAndProofs(t *testing.T) { // Discovery §3
	p := idptest.Start(t, nil)
	m := metadata(t, p)
	for name, listed := range map[string][]string{
		"id_token_encryption_alg_values_supported": m.IDTokenEncryptionAlgValuesSupported,
		"userinfo_encryption_alg_values_supported": m.UserinfoEncryptionAlgValuesSupported,
	} {
		if !slices.Equal(listed, oidc.EncryptionAlgs()) { // each is exercised in package jwe
			t.Errorf("%s is %v", name, listed)
		}
	}
	// each is exercised in package dpop
	if !slices.Equal(m.DPoPSigningAlgValuesSupported, []string{"ES256", "RS256", "PS256", "EdDSA"}) {
		t.Errorf("dpop_signing_alg_values_supported is %v", m.DPoPSigningAlgValuesSupported)
	}
	for _, alg := range m.UserinfoSigningAlgValuesSupported {
		_, tokens, b := startAndSignIn(t, registering(func(c *oidc.Client) { c.UserinfoSignedResponseAlg = alg }))
		if page := userinfo(t, b, tokens); page.Status != http.StatusOK || claims(t, page.Body)["aud"] != "spa" {
			t.Errorf("%s gives %d %s", alg, page.Status, page.Body)
		}
	}
}

// What is signed for something else, or encrypted, is no id_token_hint.
func TestWhatIsNoHint(t *testing.T) {
	key := rsaKey(t)
	_, tokens, b := startAndSignIn(t, registering(func(c *oidc.Client) {
		c.UserinfoSignedResponseAlg, c.IDTokenEncryptedResponseAlg, c.JWKS = "ES256", "RSA-OAEP-256", readers(key)
	}))
	for name, hint := range map[string]string{
		"Core §3.1.2.1 an encrypted ID token": tokens["id_token"].(string),
		"Core §3.1.2.1 signed userinfo":       userinfo(t, b, tokens).Body,
	} {
		if page := b.Authorize(idptest.Request("spa", "prompt", "none", "id_token_hint", hint)); page.Location == nil ||
			page.Location.Query().Get("error") != "login_required" {
			t.Errorf("%s: got %d %v", name, page.Status, page.Location)
		}
	}
	inside := decrypt(t, tokens["id_token"].(string), key)
	wantCode(t, b.Authorize(idptest.Request("spa", "prompt", "none", "id_token_hint", inside)))
}
