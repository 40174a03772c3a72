package rp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/rp"
)

// newKey makes a private key of a client.
func newKey(t *testing.T, kid, alg string) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: alg}
}

func published(use string, keys ...jose.JSONWebKey) *oidc.KeySet {
	set := &oidc.KeySet{}
	for _, key := range keys {
		public := key.Public()
		public.Use = use
		set.Keys = append(set.Keys, public)
	}
	return set
}

// registered is the client "web" with one change.
func registered(change func(*oidc.Client)) func(*idp.Config) {
	return func(c *idp.Config) {
		client := oidc.Client{
			ClientID: "web", ClientSecret: oidc.NewSecret("web-secret-of-thirty-two-bytes-or-more"),
			RedirectURIs:           []string{"http://127.0.0.1/web/callback", "http://127.0.0.1/web/silent-callback"},
			PostLogoutRedirectURIs: []string{"http://127.0.0.1/web/"},
			GrantTypes:             []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken},
		}
		change(&client)
		c.Clients = []oidc.Client{client}
	}
}

// TestFeaturesAgainstTheRealProvider: each optional feature of the relying party works with a client that requires it.
func TestFeaturesAgainstTheRealProvider(t *testing.T) {
	signing, opening := newKey(t, "sig-1", "ES256"), newKey(t, "enc-1", "ECDH-ES+A128KW")
	for _, row := range []struct {
		name   string
		client func(*oidc.Client)
		party  func(*rp.Config)
	}{
		{"RFC 9126 §6 pushed requests are demanded", func(c *oidc.Client) { c.RequirePushedAuthorizationRequests = true },
			func(c *rp.Config) { c.PushedAuthorizationRequests = true }},
		{"RFC 9449 §5.2 tokens bound to a key are demanded", func(c *oidc.Client) { c.DPoPBoundAccessTokens = true },
			func(c *rp.Config) { c.DPoP = true }},
		{"Core §9 client_secret_post", func(c *oidc.Client) { c.TokenEndpointAuthMethod = oidc.AuthMethodPost },
			func(c *rp.Config) { c.TokenEndpointAuthMethod = oidc.AuthMethodPost }},
		{"Core §9 client_secret_jwt", func(c *oidc.Client) { c.TokenEndpointAuthMethod = oidc.AuthMethodSecretJWT },
			func(c *rp.Config) { c.TokenEndpointAuthMethod = oidc.AuthMethodSecretJWT }},
		{"Core §9 private_key_jwt", func(c *oidc.Client) {
			c.TokenEndpointAuthMethod, c.ClientSecret, c.JWKS = oidc.AuthMethodPrivateJWT, oidc.Secret{},
				published("sig", signing)
		}, func(c *rp.Config) { c.ClientKey, c.ClientSecret = &signing, "" }},
		{"RFC 9101 §10.5 signed requests are demanded", func(c *oidc.Client) {
			c.RequireSignedRequestObject, c.RequestObjectSigningAlg, c.JWKS = true, "ES256", published("sig", signing)
		}, func(c *rp.Config) {
			c.RequestObjects, c.ClientKey, c.TokenEndpointAuthMethod = true, &signing, oidc.AuthMethodBasic
		}},
		{"FAPI 2.0 §5.3.2 all that the profile demands", func(c *oidc.Client) {
			c.TokenEndpointAuthMethod, c.ClientSecret, c.JWKS = oidc.AuthMethodPrivateJWT, oidc.Secret{},
				published("sig", signing)
			c.Profile = oidc.ProfileFAPI2
		}, func(c *rp.Config) {
			c.ClientKey, c.ClientSecret, c.DPoP, c.PushedAuthorizationRequests = &signing, "", true, true
		}},
		{"Core §10.2 encrypted ID Tokens and userinfo, both signed", func(c *oidc.Client) {
			c.IDTokenEncryptedResponseAlg, c.IDTokenEncryptedResponseEnc = "ECDH-ES+A128KW", "A256GCM"
			c.UserinfoSignedResponseAlg, c.UserinfoEncryptedResponseAlg, c.UserinfoEncryptedResponseEnc = "ES256",
				"ECDH-ES+A128KW", "A256GCM"
			c.JWKS = published("enc", opening)
		}, func(c *rp.Config) {
			c.DecryptionKeys, c.UserinfoSignedResponseAlg = []jose.JSONWebKey{opening}, "ES256"
		}},
		{"Core §5.3.2 signed userinfo", func(c *oidc.Client) { c.UserinfoSignedResponseAlg = "ES256" },
			func(c *rp.Config) { c.UserinfoSignedResponseAlg = "ES256" }},
		{"Core §5.5 the claims parameter", func(*oidc.Client) {}, func(c *rp.Config) {
			c.Claims = &oidc.ClaimsRequest{Userinfo: map[string]*oidc.ClaimRequest{"name": {Essential: true}}}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newTestbedAt(t, idptest.Start(t, registered(row.client)), withOffline, row.party)
			h.walk()
		})
		t.Run(row.name+", at an issuer with a path", func(t *testing.T) {
			provider := idptest.Start(t, func(c *idp.Config) {
				registered(row.client)(c)
				c.Issuer += "/realms/demo"
			})
			newTestbedAt(t, provider, withOffline, row.party).walk()
		})
	}
}

func withOffline(c *rp.Config) {
	c.Scopes, c.ClientSecret = []string{"openid", "profile", "api.read", "offline_access"},
		"web-secret-of-thirty-two-bytes-or-more"
}

// walk signs in, renews silently and by refresh token, asks for userinfo, calls the API and signs out.
func (h *testbed) walk() {
	h.t.Helper()
	h.browser.SignIn("alice")
	page := h.browser.Get(h.app + "/web/login?prompt=consent")
	for page.Location != nil {
		page = h.browser.Get(page.Location.String())
	}
	if page = h.follow(h.browser.Submit(page, url.Values{"decision": {"allow"}}), ""); page.Body != "home" {
		h.t.Fatalf("the sign-in ended at %d %s", page.Status, page.Body)
	}
	before, err := h.Session(h.request())
	if err != nil || before.RefreshToken == "" {
		h.t.Fatalf("no session with a refresh token: %v", err)
	}
	if status, view := h.renew(); status != http.StatusOK {
		h.t.Errorf("the silent renewal: %d %v", status, view)
	}
	h.provider.Clock.Pass(time.Second)
	answer := h.browser.Post(h.app+"/web/refresh", nil)
	if view := answer.JSON(h.t); answer.Status != http.StatusOK || view["sub"] != before.Sub || view["renewals"] != 2.0 {
		h.t.Errorf("the refresh: %d %v", answer.Status, view)
	}
	if info, err := h.UserInfo(h.request()); err != nil || !strings.Contains(string(info), `"Alice`) {
		h.t.Errorf("userinfo: %s %v", info, err)
	}
	if claims := h.callAPI(); claims["sub"] != before.Sub {
		h.t.Errorf("the API says %v", claims)
	}
	if page := h.follow(h.browser.Post(h.app+"/web/logout", nil), ""); page.Body != "home" {
		h.t.Errorf("the sign-out ended at %d %s", page.Status, page.Body)
	}
}
