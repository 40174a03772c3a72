package idp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// withRoles is a provider whose user alice has roles, and whose client web may get tokens for itself. change changes
// the client web.
func withRoles(change func(*oidc.Client, *idp.Config)) func(*idp.Config) {
	return func(c *idp.Config) {
		c.Scopes = []idp.Scope{{Name: "roles", Claims: []string{"roles", "groups", "entitlements", "realm_access"}}}
		c.Users = []users.User{{Username: "alice", Password: "alice", Claims: map[string]any{
			"name": "Alice Archer", "email": "alice@example.com", "roles": []any{"admin"}, "groups": []any{"staff"},
			"realm_access": map[string]any{"verified": true}, "salary": 1,
		}}}
		web := oidc.Client{
			ClientID: "web", ClientSecret: oidc.NewSecret("web-secret"), FirstParty: true,
			GrantTypes:   []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken, oidc.GrantClientCredentials},
			RedirectURIs: []string{"http://localhost:9090/web/callback"},
		}
		if change != nil {
			change(&web, c)
		}
		c.Clients = []oidc.Client{web}
	}
}

// claimSet and list are values in JSON.
type (
	claimSet = map[string]any
	list     = []any
)

// wherever are the claims about the user in each place, without those that tokens and answers have of their own.
type wherever struct{ idToken, accessToken, introspection, userinfo claimSet }

var (
	profile = claimSet{"name": "Alice Archer"}
	roles   = claimSet{
		"roles": list{"admin"}, "groups": list{"staff"}, "realm_access": claimSet{"verified": true},
	}
	all = claimSet{
		"name": "Alice Archer", "roles": list{"admin"}, "groups": list{"staff"}, "realm_access": claimSet{"verified": true},
	}
)

// claimRows are one change each of a client that was granted openid, profile and roles.
var claimRows = []struct {
	name   string
	change func(*oidc.Client, *idp.Config)
	params []string // of the authorization request
	want   wherever
}{
	{name: "Core §5.4 by default the claims of scope values are at userinfo only", want: wherever{userinfo: all}},
	{
		name:   "Core §5.4 id_token_claims: scope",
		change: func(c *oidc.Client, _ *idp.Config) { c.IDTokenClaims = oidc.ClaimNames{"scope"} },
		want:   wherever{idToken: all, userinfo: all},
	},
	{
		name:   "Core §5.4 id_token_claims: a list",
		change: func(c *oidc.Client, _ *idp.Config) { c.IDTokenClaims = oidc.ClaimNames{"name", "email"} },
		want:   wherever{idToken: profile, userinfo: all}, // scope email was not granted
	},
	{
		name:   "Core §5.5 id_token_claims and the parameter claims add up",
		change: func(c *oidc.Client, _ *idp.Config) { c.IDTokenClaims = oidc.ClaimNames{"name"} },
		params: []string{"claims", `{"id_token":{"groups":null}}`},
		want:   wherever{idToken: claimSet{"name": "Alice Archer", "groups": list{"staff"}}, userinfo: all},
	},
	{
		name:   "RFC 9068 §2.2.3.1 access_token_claims: a list",
		change: func(c *oidc.Client, _ *idp.Config) { c.AccessTokenClaims = oidc.ClaimNames{"groups"} },
		want: wherever{
			accessToken: claimSet{"groups": list{"staff"}}, introspection: claimSet{"groups": list{"staff"}}, userinfo: all,
		},
	},
	{
		name:   "RFC 9068 §2.2.3 access_token_claims: scope",
		change: func(c *oidc.Client, _ *idp.Config) { c.AccessTokenClaims = oidc.ClaimNames{"scope"} },
		want:   wherever{accessToken: all, introspection: all, userinfo: all},
	},
	{
		name: "RFC 7662 §2.2 access_token_claims of an opaque token are in introspection",
		change: func(c *oidc.Client, _ *idp.Config) {
			c.AccessTokenFormat, c.AccessTokenClaims = oidc.FormatOpaque, oidc.ClaimNames{"groups"}
		},
		want: wherever{introspection: claimSet{"groups": list{"staff"}}, userinfo: all},
	},
	{
		name:   "RFC 9068 §2.2.3 a scope value's access_token_claims are for every client",
		change: func(_ *oidc.Client, c *idp.Config) { c.Scopes[0].AccessTokenClaims = oidc.ClaimNames{"scope"} },
		want:   wherever{accessToken: roles, introspection: roles, userinfo: all},
	},
	{
		name: "Core §5.4 id_token_claims of the scope value profile are for every client",
		change: func(_ *oidc.Client, c *idp.Config) {
			c.Scopes = append(c.Scopes, idp.Scope{Name: "profile", IDTokenClaims: oidc.ClaimNames{"scope"}})
		},
		want: wherever{idToken: profile, userinfo: all},
	},
	{
		name: "claims_mapping: another name, in an object",
		change: func(c *oidc.Client, _ *idp.Config) {
			c.AccessTokenClaims = oidc.ClaimNames{"roles"}
			c.ClaimsMapping = map[string]any{"resource_access.web.roles": "roles"}
		},
		want: wherever{
			accessToken:   claimSet{"resource_access": claimSet{"web": claimSet{"roles": list{"admin"}}}},
			introspection: claimSet{"resource_access": claimSet{"web": claimSet{"roles": list{"admin"}}}},
			userinfo: claimSet{
				"name": "Alice Archer", "groups": list{"staff"}, "realm_access": claimSet{"verified": true},
				"resource_access": claimSet{"web": claimSet{"roles": list{"admin"}}},
			},
		},
	},
	{
		name: "claims_mapping: a name in an object that the user has",
		change: func(c *oidc.Client, _ *idp.Config) {
			c.IDTokenClaims = oidc.ClaimNames{"roles", "realm_access"}
			c.ClaimsMapping = map[string]any{"realm_access.roles": "roles", "roles": "roles"}
		},
		want: wherever{
			idToken: claimSet{"realm_access": claimSet{"verified": true, "roles": list{"admin"}}, "roles": list{"admin"}},
			userinfo: claimSet{
				"name": "Alice Archer", "groups": list{"staff"}, "roles": list{"admin"},
				"realm_access": claimSet{"verified": true, "roles": list{"admin"}},
			},
		},
	},
	{
		name: "claims_mapping: a constant with the name of a URL is everywhere",
		change: func(c *oidc.Client, _ *idp.Config) {
			c.ClaimsMapping = map[string]any{"https://app.example/tenant": map[string]any{"value": "acme"}}
		},
		want: wherever{
			idToken:       claimSet{"https://app.example/tenant": "acme"},
			accessToken:   claimSet{"https://app.example/tenant": "acme"},
			introspection: claimSet{"https://app.example/tenant": "acme"},
			userinfo: claimSet{
				"name": "Alice Archer", "roles": list{"admin"}, "groups": list{"staff"}, "realm_access": claimSet{"verified": true},
				"https://app.example/tenant": "acme",
			},
		},
	},
	{
		name:   "claims about the client are not about its users",
		change: func(c *oidc.Client, _ *idp.Config) { c.Claims = map[string]any{"roles": []any{"machine"}} },
		want:   wherever{userinfo: all},
	},
}

func TestClaimsAreWhereTheConfigurationPutsThem(t *testing.T) {
	for _, row := range claimRows {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, withRoles(row.change))
			b := p.Browser(t)
			b.SignIn("alice")
			change := append([]string{"scope", "openid profile roles"}, row.params...)
			tokens := b.Tokens("web", b.Code(idptest.Request("web", change...)))
			access := tokens["access_token"].(string)
			got := wherever{
				idToken: more(claims(t, tokens["id_token"])), introspection: more(introspection(t, b, access)),
				userinfo: more(b.GetWithToken("/userinfo", access).JSON(t)),
			}
			if strings.Count(access, ".") == 2 {
				got.accessToken = more(claims(t, access))
			}
			if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(wherever{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func introspection(t *testing.T, b *idptest.Browser, token string) map[string]any {
	t.Helper()
	page := b.Post("/introspect", url.Values{
		"token": {token}, "client_id": {"web"}, "client_secret": {"web-secret"},
	})
	if answer := page.JSON(t); answer["active"] == true {
		return answer
	}
	t.Fatalf("introspection says %s", page.Body)
	return nil
}

// more are the claims that only the configuration brings. nil: there are none.
func more(claims map[string]any) map[string]any {
	var rest map[string]any
	for name, value := range claims {
		if !oidc.IsReservedClaim(name) {
			if rest == nil {
				rest = map[string]any{}
			}
			rest[name] = value
		}
	}
	return rest
}

// RFC 6749 §4.4: the token is about the client, whose claims are in it, by the names of claims_mapping.
func TestATokenOfClientCredentialsHasTheClaimsOfTheClient(t *testing.T) {
	p := idptest.Start(t, withRoles(func(c *oidc.Client, _ *idp.Config) {
		c.Claims = map[string]any{"roles": []any{"machine"}, "team": "billing"}
		c.ClaimsMapping = map[string]any{"realm_access.roles": "roles", "tenant": map[string]any{"value": "acme"}}
	}))
	b := p.Browser(t)
	token := b.Post("/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"web"}, "client_secret": {"web-secret"},
	}).JSON(t)["access_token"].(string)
	want := claimSet{"realm_access": claimSet{"roles": list{"machine"}}, "team": "billing", "tenant": "acme"}
	for where, got := range map[string]claimSet{
		"token": more(claims(t, token)), "answer": more(introspection(t, b, token)),
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the %s (-want +got):\n%s", where, diff)
		}
	}
}
