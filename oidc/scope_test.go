package oidc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/oidc"
)

func TestParseScope(t *testing.T) {
	for _, row := range []struct{ name, wire, want string }{
		{"RFC 6749 §3.3 values are separated by spaces", "openid profile", "openid profile"},
		{"RFC 6749 §3.3 order stays", "profile openid", "profile openid"},
		{"RFC 6749 §3.3 values are case-sensitive", "openid OpenID", "openid OpenID"},
		{"a value given twice counts once", "openid profile openid", "openid profile"},
		{"spaces around values are no values", "  openid   profile ", "openid profile"},
		{"nothing", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oidc.ParseScope(row.wire).String(); got != row.want {
				t.Errorf("ParseScope(%q) = %q; want %q", row.wire, got, row.want)
			}
		})
	}
}

func TestScopeWithinAndCovers(t *testing.T) {
	for _, row := range []struct {
		name, scope, allowed, within string
		covered                      bool
	}{
		{
			"Core §3.1.2.1 values that are not understood are ignored", "openid telepathy email", "openid email",
			"openid email", false,
		},
		{"all of it is allowed", "email openid", "openid email phone", "email openid", true},
		{"nothing of it is allowed", "openid", "email", "", false},
		{"nothing is allowed", "openid", "", "", false},
		{"nothing is within anything", "", "openid", "", true},
		{"case matters", "OPENID", "openid", "", false},
		{"a part of a value is no value", "open", "openid", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			scope, allowed := oidc.ParseScope(row.scope), oidc.ParseScope(row.allowed)
			if got := scope.Within(allowed).String(); got != row.within {
				t.Errorf("(%s).Within(%s) = %q; want %q", scope, allowed, got, row.within)
			}
			if got := allowed.Covers(scope); got != row.covered {
				t.Errorf("(%s).Covers(%s) = %t; want %t", allowed, scope, got, row.covered)
			}
		})
	}
}

func TestScopeClaims(t *testing.T) {
	profile := []string{
		"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"gender", "birthdate", "zoneinfo", "locale", "updated_at",
	}
	for _, row := range []struct {
		name, scope string
		want        []string
	}{
		{"Core §5.4 profile asks for 14 claims", "profile", profile},
		{"Core §5.4 email", "email", []string{"email", "email_verified"}},
		{"Core §5.4 address", "address", []string{"address"}},
		{"Core §5.4 phone", "phone", []string{"phone_number", "phone_number_verified"}},
		{"Core §5.4 several scopes add up", "address email", []string{"address", "email", "email_verified"}},
		{"Core §5.4 openid asks for none", "openid", nil},
		{"an installation's own scope asks for none", "api.read", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, oidc.ParseScope(row.scope).Claims()); diff != "" {
				t.Errorf("Claims of %s (-want +got):\n%s", row.scope, diff)
			}
		})
	}
}

func TestStandardScopeIsTheCallersOwn(t *testing.T) {
	oidc.StandardScope()[0] = "changed"
	if got := oidc.StandardScope().String(); got != "openid profile email address phone" {
		t.Errorf("StandardScope() = %s", got)
	}
}
