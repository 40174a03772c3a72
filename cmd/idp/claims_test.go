package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/oidc"
)

// claimsFile is a good configuration; the rows change the text of one line.
const claimsFile = `scopes:
  - name: roles
    claims: [roles, groups]
    id_token_claims: [groups]
    access_token_claims: scope
users:
  - username: dana
    password: dana
    claims: {roles: [admin], name: Dana Diaz}
clients:
  - client_id: shop
    client_secret: shop-secret
    redirect_uris: [http://localhost:9090/callback]
    scope: openid roles
    id_token_claims: scope
    access_token_claims: [roles]
    access_token_type: JWT
    claims_mapping:
      realm_access.roles: roles
      https://app.example/tenant: {value: acme}
    claims: {team: billing}
`

func TestClaimsOfAFile(t *testing.T) {
	s := mustSettings(t, "--config", file(t, claimsFile))
	client := s.Clients[0]
	for name, pair := range map[string][2]any{
		"id_token_claims":     {oidc.ClaimNames{"scope"}, client.IDTokenClaims},
		"access_token_claims": {oidc.ClaimNames{"roles"}, client.AccessTokenClaims},
		"access_token_type":   {"JWT", client.AccessTokenType},
		"claims":              {map[string]any{"team": "billing"}, client.Claims},
		"claims_mapping": {map[string]any{
			"realm_access.roles": "roles", "https://app.example/tenant": map[string]any{"value": "acme"},
		}, client.ClaimsMapping},
		"of the scope": {oidc.ClaimNames{"scope"}, s.Scopes[0].AccessTokenClaims},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// claimMistakes replace a text of claimsFile, and are reported with the line and the path.
var claimMistakes = []struct{ old, wrong, want string }{
	{"id_token_claims: [groups]", "id_token_claims: [name]", ":4: scopes[0].id_token_claims[0]: \"name\" is none"},
	{"claims: [roles, groups]", "claims: [groups, sid]", ":3: scopes[0].claims[1]: names the claim sid"},
	{"claims: [roles, groups]", "claims: [roles, groups, scope]", ":3: scopes[0].claims: names the claim scope"},
	{"name: roles\n", "name: openid\n", ":2: scopes[0].name: openid is there already"},
	{"id_token_claims: scope", "id_token_claims: name", ":15: clients[0].id_token_claims: should be a list of claims"},
	{"id_token_claims: scope", "id_token_claims: [sub]", ":15: clients[0].id_token_claims[0]: names the claim sub"},
	{"id_token_claims: scope", "id_token_claims: [email]", ":15: clients[0].id_token_claims[0]: no scope that the client"},
	{"access_token_claims: [roles]", "access_token_claims: [role]", ":16: clients[0].access_token_claims[0]: no scope"},
	{"access_token_type: JWT", "access_token_type: jwt", ":17: clients[0].access_token_type: \"jwt\" is not supported"},
	{"access_token_type: JWT", "access_token_type: JWT\n    access_token_format: opaque",
		":17: clients[0].access_token_type: is the typ"},
	{"access_token_type: JWT", "access_token_type: JWT\n    audience: shop", ":17: clients[0].access_token_type: is JWT"},
	{"realm_access.roles: roles", "aud: roles", ":19: clients[0].claims_mapping.aud: names the claim aud"},
	{"realm_access.roles: roles", "act.roles: roles", ":19: clients[0].claims_mapping.act.roles: names the claim act"},
	{"realm_access.roles: roles", "realm_access.roles: role",
		":19: clients[0].claims_mapping.realm_access.roles: no scope"},
	{"realm_access.roles: roles", "realm_access..roles: roles",
		":19: clients[0].claims_mapping.realm_access..roles: has an"},
	{"realm_access.roles: roles", "realm_access.roles: [roles]",
		":19: clients[0].claims_mapping.realm_access.roles: is neither"},
	{"realm_access.roles: roles", "realm_access.roles: roles\n      realm_access: roles",
		":20: clients[0].claims_mapping.realm_access: cannot be a value"},
	{"{value: acme}", "{values: acme}", ":20: clients[0].claims_mapping.https://app.example/tenant: is neither"},
	{"{team: billing}", "{iss: billing}", ":21: clients[0].claims.iss: names the claim iss"},
	{"{team: billing}", "billing", ":21: clients[0].claims: should be a group of keys"},
}

func TestEachMistakeAboutClaimsHasALine(t *testing.T) {
	for _, row := range claimMistakes {
		text := strings.Replace(claimsFile, row.old, row.wrong, 1)
		_, err := parse(t, "--config", file(t, text)).settings()
		if err == nil || !strings.Contains(err.Error(), row.want) || goWords.MatchString(err.Error()) {
			t.Errorf("%s: got %v; want %q", row.wrong, err, row.want)
		}
	}
}

func TestAClaimThatNoScopeCoversIsWarnedOf(t *testing.T) {
	s := mustSettings(t, "--config", file(t, claimsFile))
	for _, warning := range s.warnings() {
		if strings.Contains(warning, "no scope covers") {
			t.Errorf("a warning without reason: %s", warning)
		}
	}
	changed := strings.Replace(claimsFile, "name: Dana", "salary: 1, name#fr: Dana, name: Dana", 1)
	s = mustSettings(t, "--config", file(t, changed))
	said := strings.Join(s.warnings(), "\n")
	want := "hush.yaml:9: users[0].claims.salary: no scope covers this claim"
	if !strings.Contains(said, want) || strings.Count(said, "no scope covers") != 1 {
		t.Errorf("got %s; want %q, and no other claim", said, want)
	}
}

func TestTheTokenOfTheCommandHasTheClaimsOfTheClient(t *testing.T) {
	s := mustSettings(t, "--config", file(t, claimsFile))
	token, typ, err := s.claimsFor("dana", "shop", time.Now())
	want := map[string]any{
		"realm_access": map[string]any{"roles": []any{"admin"}}, "https://app.example/tenant": "acme",
	}
	if diff := cmp.Diff(want, token.More); err != nil || typ != "JWT" || diff != "" {
		t.Errorf("typ %s, %v (-want +got):\n%s", typ, err, diff)
	}
}
