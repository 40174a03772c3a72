package oidc_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

// reserved are claims that nobody but the provider may set: whoever could set one could pass a token off as another.
var reserved = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "azp", "amr", "acr", "auth_time", "sid", "at_hash", "c_hash",
	"s_hash", "client_id", "scope", "cnf", "act", "active", "token_type", "events", "grant_id", "userinfo_claims",
	"_claim_names", "SUB", "Grant_ID",
}

func TestReservedClaimsCannotBeSet(t *testing.T) { // RFC 9068 §5, RFC 8725 §2.8
	for _, name := range reserved {
		for field, client := range map[string]oidc.Client{
			"claims_mapping." + name:            {ClaimsMapping: map[string]any{name: "roles"}},
			"claims_mapping." + name + ".inner": {ClaimsMapping: map[string]any{name + ".inner": "roles"}},
			"claims." + name:                    {Claims: map[string]any{name: "x"}},
			"id_token_claims[1]":                {IDTokenClaims: oidc.ClaimNames{"name", name}},
			"access_token_claims[0]":            {AccessTokenClaims: oidc.ClaimNames{name}},
		} {
			if name == oidc.AllClaims && field[len(field)-1] == ']' {
				continue // it is the word for all claims that the scope covers
			}
			good := goodClient()
			good.ClaimsMapping, good.Claims = client.ClaimsMapping, client.Claims
			good.IDTokenClaims, good.AccessTokenClaims = client.IDTokenClaims, client.AccessTokenClaims
			if problems := good.Problems(false); len(problems) != 1 || problems[0].Field != field {
				t.Errorf("%s: %s: got %v", name, field, problems)
			}
		}
	}
}

// claimProblems are a good client with one change, and the field of the only problem; "": there is none.
var claimProblems = []struct {
	name   string
	change func(*oidc.Client)
	field  string
}{
	{"RFC 9068 §2.2.3.1 roles, groups and entitlements", func(c *oidc.Client) {
		c.AccessTokenClaims = oidc.ClaimNames{"roles", "groups", "entitlements"}
	}, ""},
	{"a name without text", func(c *oidc.Client) { c.IDTokenClaims = oidc.ClaimNames{""} }, "id_token_claims[0]"},
	{"a name in an object, a URL and a constant", func(c *oidc.Client) {
		c.ClaimsMapping = map[string]any{
			"realm_access.roles": "roles", "https://app.example/roles": "roles", "https://app.example/roles/x": "roles",
			"tenant": map[string]any{"value": "acme"}, "flag": map[string]any{"value": false},
		}
	}, ""},
	{
		"an empty part of a name", func(c *oidc.Client) { c.ClaimsMapping = map[string]any{"realm_access.": "roles"} },
		"claims_mapping.realm_access.",
	},
	{
		"a name that is a value and an object", func(c *oidc.Client) {
			c.ClaimsMapping = map[string]any{"realm_access": "roles", "realm_access.roles": "roles"}
		}, "claims_mapping.realm_access",
	},
	{
		"no source", func(c *oidc.Client) { c.ClaimsMapping = map[string]any{"tenant": nil} }, "claims_mapping.tenant",
	},
	{
		"a list is no source", func(c *oidc.Client) { c.ClaimsMapping = map[string]any{"tenant": []any{"acme"}} },
		"claims_mapping.tenant",
	},
	{
		"a constant with another member", func(c *oidc.Client) {
			c.ClaimsMapping = map[string]any{"tenant": map[string]any{"value": "acme", "when": "x"}}
		}, "claims_mapping.tenant",
	},
	{"RFC 9068 §2.1 at+jwt", func(c *oidc.Client) { c.AccessTokenType = "at+jwt" }, ""},
	{"RFC 7519 §5.1 JWT", func(c *oidc.Client) { c.AccessTokenType = "JWT" }, ""},
	{"RFC 7519 §5.1 the media type in capital letters", func(c *oidc.Client) { c.AccessTokenType = "jwt" },
		"access_token_type"},
	{"an opaque token has no typ", func(c *oidc.Client) {
		c.AccessTokenFormat, c.AccessTokenType = oidc.FormatOpaque, "JWT"
	}, "access_token_type"},
	{"RFC 9068 §5 an access token that could be taken for an ID token", func(c *oidc.Client) {
		c.Audience, c.AccessTokenType = c.ClientID, "JWT"
	}, "access_token_type"},
}

func TestProblemsOfClaims(t *testing.T) {
	for _, row := range claimProblems {
		t.Run(row.name, func(t *testing.T) {
			client := goodClient()
			row.change(&client)
			problems := client.Problems(false)
			if row.field == "" && len(problems) == 0 {
				return
			}
			if len(problems) != 1 || problems[0].Field != row.field {
				t.Errorf("got %v; want one problem of %q", problems, row.field)
			}
		})
	}
}

func TestTheWordScopeStandsForAListOfIt(t *testing.T) {
	for text, want := range map[string]oidc.ClaimNames{
		`"scope"`: {"scope"}, `["scope"]`: {"scope"}, `["name","email"]`: {"name", "email"}, `[]`: {}, `null`: nil,
		`"name"`: nil, `7`: nil,
	} {
		var got oidc.ClaimNames
		err := json.Unmarshal([]byte(text), &got)
		isWrong := text == `"name"` || text == `7`
		if isWrong != (err != nil) || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
}
