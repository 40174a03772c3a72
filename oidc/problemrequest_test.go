package oidc_test

import (
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

var requestMetadataRows = []struct {
	name   string
	change func(*oidc.Client)
	field  string // "" for none
	text   string
}{
	{"Registration §2 request objects signed with a key behind jwks_uri", func(c *oidc.Client) {
		c.RequestObjectSigningAlg, c.RequireSignedRequestObject, c.JWKSURI = "ES256", true, "https://app.test/jwks"
	}, "", ""},
	{
		"Registration §2 request_object_signing_alg may be none",
		func(c *oidc.Client) { c.RequestObjectSigningAlg = "none" }, "", "",
	},
	{
		"Registration §2 request_uris with a hash",
		func(c *oidc.Client) { c.RequestURIs = []string{"https://app.test/r.jwt#hash"} }, "", "",
	},
	{"JARM §3 an alg for answers", func(c *oidc.Client) { c.AuthorizationSignedResponseAlg = "PS256" }, "", ""},
	{
		"Registration §2 an unknown request_object_signing_alg",
		func(c *oidc.Client) { c.RequestObjectSigningAlg = "HS256" }, "request_object_signing_alg", "RS256",
	},
	{"RFC 9101 §10.5 no signature where one is required", func(c *oidc.Client) {
		c.RequestObjectSigningAlg, c.RequireSignedRequestObject, c.JWKSURI = "none", true, "https://app.test/jwks"
	}, "request_object_signing_alg", "require_signed_request_object"},
	{
		"RFC 9101 §6.2 signed requests without a key", func(c *oidc.Client) { c.RequestObjectSigningAlg = "ES256" },
		"jwks", "jwks_uri",
	},
	{
		"RFC 9101 §6.2 required signatures without a key",
		func(c *oidc.Client) { c.RequireSignedRequestObject = true }, "jwks", "jwks_uri",
	},
	{
		"JARM §3 the alg none is not allowed", func(c *oidc.Client) { c.AuthorizationSignedResponseAlg = "none" },
		"authorization_signed_response_alg", "PS256",
	},
	{
		"Core §6.2 a request_uri is https", func(c *oidc.Client) { c.RequestURIs = []string{"http://app.test/r.jwt"} },
		"request_uris[0]", "https",
	},
	{
		"Registration §2 a default_acr_value without spaces",
		func(c *oidc.Client) { c.DefaultACRValues = []string{"a b"} }, "default_acr_values[0]", "without spaces",
	},
}

func TestWhatAClientRegistersAboutItsRequests(t *testing.T) {
	for _, row := range requestMetadataRows {
		t.Run(row.name, func(t *testing.T) {
			client := goodClient()
			row.change(&client)
			problems := client.Problems(false)
			if row.field == "" && len(problems) > 0 {
				t.Errorf("Problems() = %v", problems)
			}
			if row.field != "" && (len(problems) != 1 || problems[0].Field != row.field ||
				!strings.Contains(problems[0].Text, row.text)) {
				t.Errorf("Problems() = %v; want one about %s with %q in it", problems, row.field, row.text)
			}
		})
	}
}
