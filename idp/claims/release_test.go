package claims_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/oidc"
)

// release knows one scope value besides the standard ones.
var release = claims.Release{Scopes: map[string][]string{"staff": {"employee_number", "room"}}}

var alice = map[string]any{
	"name": "Alice", "name#ja": "アリス", "email": "alice@example.com", "email_verified": true, "nickname": "",
	"birthdate":       nil,
	"employee_number": 7, "salary": 1,
}

// releases are the rows of TestWhatIsReleased.
var releases = []struct {
	name    string
	scope   string
	asked   string
	allowed oidc.Scope // nil: all

	userinfo, idToken map[string]any
	consent           string
}{
	{name: "Core §5.4 openid alone asks for no claim but sub", scope: "openid"},
	{
		name: "Core §5.4 the claims of a scope value come from userinfo", scope: "openid email",
		userinfo: map[string]any{"email": "alice@example.com", "email_verified": true},
	},
	{
		name: "Core §5.3.2 a claim without a value is left out, never null or empty", scope: "openid profile",
		userinfo: map[string]any{"name": "Alice"},
	},
	{
		name: "a scope value of the configuration covers its claims", scope: "openid staff",
		userinfo: map[string]any{"employee_number": 7},
	},
	{
		name: "Core §5.5 a claim is requested by name at userinfo", scope: "openid",
		asked: `{"userinfo":{"name":{"essential":true}}}`, userinfo: map[string]any{"name": "Alice"}, consent: "profile",
	},
	{
		name: "Core §5.5 a claim is requested by name in the ID token", scope: "openid",
		asked: `{"id_token":{"email":null}}`, idToken: map[string]any{"email": "alice@example.com"}, consent: "email",
	},
	{
		name:  "Core §5.5 the request adds to the scope",
		scope: "openid email", asked: `{"userinfo":{"name":null}}`, consent: "profile",
		userinfo: map[string]any{"email": "alice@example.com", "email_verified": true, "name": "Alice"}},
	{
		name: "Core §5.5.1 a value that the claim has", scope: "openid",
		asked: `{"id_token":{"employee_number":{"value":7}}}`, idToken: map[string]any{"employee_number": 7},
		consent: "staff",
	},
	{
		name: "Core §5.5.1 a value that the claim does not have was not requested", scope: "openid",
		asked: `{"id_token":{"employee_number":{"value":8}}}`, consent: "staff",
	},
	{
		name: "Core §5.5.1 one of several values", scope: "openid",
		asked:   `{"id_token":{"email":{"values":["x","alice@example.com"]}}}`,
		idToken: map[string]any{"email": "alice@example.com"}, consent: "email",
	},
	{
		name: "Core §5.5.1 an essential claim that the user does not have is no error", scope: "openid",
		asked: `{"userinfo":{"phone_number":{"essential":true}}}`, consent: "phone",
	},
	{
		name: "Core §5.2 a claim in a language", scope: "openid", asked: `{"userinfo":{"name#ja":null}}`,
		userinfo: map[string]any{"name#ja": "アリス"}, consent: "profile",
	},
	{
		name: "Core §5.5 a claim that is not understood is ignored", scope: "openid",
		asked: `{"userinfo":{"shoe_size":null}}`,
	},
	{
		name: "a claim that belongs to no scope value never leaves", scope: "openid profile",
		asked: `{"userinfo":{"salary":null},"id_token":{"salary":null}}`, userinfo: map[string]any{"name": "Alice"},
	},
	{
		name: "a client gets no claim by name whose scope it may not ask for", scope: "openid",
		asked: `{"userinfo":{"email":null}}`, allowed: oidc.Scope{"openid", "profile"},
	},
	{
		name: "Core §5.5.1.1 what is asked about the sign-in is no claim about the user", scope: "openid",
		asked: `{"id_token":{"acr":{"essential":true},"sub":{"value":"x"}}}`,
	},
}

func TestWhatIsReleased(t *testing.T) {
	known := append(oidc.StandardScope(), "staff")
	for _, row := range releases {
		t.Run(row.name, func(t *testing.T) {
			asked, err := oidc.ParseClaims(row.asked)
			if err != nil {
				t.Fatal(err)
			}
			allowed := row.allowed
			if allowed == nil {
				allowed = known
			}
			if got := release.Scope(asked, allowed).String(); got != row.consent {
				t.Errorf("the user is asked to allow %q; want %q", got, row.consent)
			}
			within := release.Within(asked, allowed)
			if within == nil {
				within = &oidc.ClaimsRequest{}
			}
			granted := oidc.ParseScope(row.scope)
			check(t, "userinfo", release.Userinfo(&oidc.Client{}, alice, granted, within.Userinfo), row.userinfo)
			check(t, "the ID token", release.IDToken(&oidc.Client{}, alice, granted, within.IDToken), row.idToken)
		})
	}
}

func check(t *testing.T, where string, got, want map[string]any) {
	t.Helper()
	if want == nil {
		want = map[string]any{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", where, diff)
	}
}

func TestNames(t *testing.T) {
	want := oidc.Scope{"email", "email_verified", "employee_number", "room"}
	diff := cmp.Diff(want, release.Names(oidc.Scope{"openid", "email", "staff"}))
	if diff != "" {
		t.Error(diff)
	}
}
