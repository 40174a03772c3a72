package oidc_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

// signing is a good client that signs its assertions.
func signing() oidc.Client {
	c := goodClient()
	c.TokenEndpointAuthMethod, c.ClientSecret, c.JWKSURI = oidc.AuthMethodPrivateJWT, oidc.Secret{},
		"https://app.test/jwks"
	return c
}

var signingClients = []struct {
	name   string
	change func(*oidc.Client)
	field  string // of the one problem; "": none
}{
	{"Core §9 private_key_jwt with a jwks_uri needs no secret", func(*oidc.Client) {}, ""},
	{"Core §9 private_key_jwt needs keys", func(c *oidc.Client) { c.JWKSURI = "" }, "jwks_uri"},
	{"Core §9 client_secret_jwt with a long secret", func(c *oidc.Client) {
		c.TokenEndpointAuthMethod, c.ClientSecret = oidc.AuthMethodSecretJWT, oidc.NewSecret(strings.Repeat("s", 32))
	}, ""},
	{"RFC 7518 §3.2 client_secret_jwt needs a secret as long as the hash", func(c *oidc.Client) {
		c.TokenEndpointAuthMethod, c.ClientSecret = oidc.AuthMethodSecretJWT, oidc.NewSecret("short")
	}, "client_secret"},
	{
		"Core §9 client_secret_jwt needs a secret",
		func(c *oidc.Client) { c.TokenEndpointAuthMethod = oidc.AuthMethodSecretJWT }, "client_secret",
	},
	{
		"Registration §2 token_endpoint_auth_signing_alg is known",
		func(c *oidc.Client) { c.TokenEndpointAuthSigningAlg = "ES256" }, "",
	},
	{
		"Registration §2 token_endpoint_auth_signing_alg is not none",
		func(c *oidc.Client) { c.TokenEndpointAuthSigningAlg = "none" }, "token_endpoint_auth_signing_alg",
	},
	{
		"Registration §2 token_endpoint_auth_signing_alg fits the method",
		func(c *oidc.Client) { c.TokenEndpointAuthSigningAlg = "HS256" }, "token_endpoint_auth_signing_alg",
	},
	{"FAPI 2.0 §5.3.2.1 a fapi2 client uses private_key_jwt", func(c *oidc.Client) { c.Profile = oidc.ProfileFAPI2 }, ""},
	{"FAPI 2.0 §5.3.2.1 a fapi2 client uses no secret", func(c *oidc.Client) {
		*c = goodClient()
		c.Profile = oidc.ProfileFAPI2
	}, "token_endpoint_auth_method"},
	{"FAPI 2.0 §5.3.2.1 a fapi2 client is confidential", func(c *oidc.Client) {
		c.Profile, c.TokenEndpointAuthMethod = oidc.ProfileFAPI2, oidc.AuthMethodNone
	}, "token_endpoint_auth_method"},
	{"FAPI 2.0 §5.4.1 a fapi2 client sends no request objects with RS256", func(c *oidc.Client) {
		c.Profile, c.RequestObjectSigningAlg = oidc.ProfileFAPI2, "RS256"
	}, "request_object_signing_alg"},
	{"FAPI 2.0 §5.4.1 nor without a signature", func(c *oidc.Client) {
		c.Profile, c.RequestObjectSigningAlg = oidc.ProfileFAPI2, "none"
	}, "request_object_signing_alg"},
	{"FAPI 2.0 §5.4.1 a fapi2 client does not use RS256 for its assertions", func(c *oidc.Client) {
		c.Profile, c.TokenEndpointAuthSigningAlg = oidc.ProfileFAPI2, "RS256"
	}, "token_endpoint_auth_signing_alg"},
	{"FAPI 2.0 §5.4.1 a fapi2 client does not get RS256", func(c *oidc.Client) {
		c.Profile, c.IDTokenSignedResponseAlg = oidc.ProfileFAPI2, "RS256"
	}, "id_token_signed_response_alg"},
	{"a profile that nobody knows", func(c *oidc.Client) { c.Profile = "fapi3" }, "profile"},
	{"Registration §2 encryption needs a key of the client", func(c *oidc.Client) {
		*c = goodClient()
		c.UserinfoEncryptedResponseAlg = "ECDH-ES"
	}, "jwks_uri"},
	{
		"Registration §2 an encryption alg that is not offered",
		func(c *oidc.Client) { c.IDTokenEncryptedResponseAlg = "RSA1_5" }, "id_token_encrypted_response_alg",
	},
	{"Registration §2 an encryption enc that is not offered", func(c *oidc.Client) {
		c.IDTokenEncryptedResponseAlg, c.IDTokenEncryptedResponseEnc = "ECDH-ES", "A1"
	}, "id_token_encrypted_response_enc"},
}

func TestProblemsOfClientsThatSign(t *testing.T) {
	for _, row := range signingClients {
		t.Run(row.name, func(t *testing.T) {
			c := signing()
			row.change(&c)
			problems := c.Problems(false)
			good := row.field == "" && len(problems) == 0 || len(problems) == 1 && problems[0].Field == row.field
			if !good {
				t.Errorf("Problems() = %v; want one about %q", problems, row.field)
			}
		})
	}
}

func TestTheAlgsOfAssertions(t *testing.T) { // RFC 8725 §3.1
	c := signing()
	if got := c.AssertionAlgs(); !slices.Equal(got, []string{"RS256", "PS256", "ES256", "EdDSA"}) {
		t.Errorf("private_key_jwt: %v", got)
	}
	c.Profile = oidc.ProfileFAPI2
	if got := c.AssertionAlgs(); !slices.Equal(got, oidc.FAPI2Algs()) {
		t.Errorf("FAPI 2.0 §5.4.1: %v", got)
	}
	c.TokenEndpointAuthSigningAlg = "PS256"
	if got := c.AssertionAlgs(); !slices.Equal(got, []string{"PS256"}) {
		t.Errorf("Registration §2: %v", got)
	}
	if got := goodClient().AssertionAlgs(); len(got) != 0 {
		t.Errorf("client_secret_basic: %v", got)
	}
}

func TestASecretAndItsHash(t *testing.T) {
	s := oidc.NewSecret(plainSecret)
	if s.Plain() != plainSecret || s.Hashed().Plain() != "" || !s.Hashed().Matches(plainSecret) || s.Hashed().IsZero() {
		t.Error("of a secret its hash remains")
	}
}

func TestDPoPToken(t *testing.T) {
	for _, row := range []struct {
		name, header, want string
		bad                bool
	}{
		{"RFC 9449 §7.1 the scheme DPoP", "DPoP abc", "abc", false},
		{"RFC 9110 §11.1 the scheme in any case", "dpop abc", "abc", false},
		{"RFC 9110 §11.4 more than one space", "DPoP   abc", "abc", false},
		{"RFC 9110 §11.4 a tab is no space", "DPoP \tabc", "", true},
		{"RFC 9449 §7.1 another scheme", "Bearer abc", "", false},
		{"RFC 9449 §7.1 no token", "DPoP", "", true},
		{"RFC 9449 §7.1 two tokens", "DPoP a b", "", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oidc.DPoPToken(http.Header{"Authorization": {row.header}})
			if got != row.want || (err != nil) != row.bad {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
