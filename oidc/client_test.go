package oidc_test

import (
	"slices"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

func TestClientAuthMethods(t *testing.T) {
	for _, row := range []struct {
		name, registered string
		allowed          []string
	}{
		{"RFC 7591 §2 none", oidc.AuthMethodNone, []string{oidc.AuthMethodNone}},
		{"RFC 7591 §2 client_secret_basic", oidc.AuthMethodBasic, []string{oidc.AuthMethodBasic}},
		{"RFC 7591 §2 client_secret_post", oidc.AuthMethodPost, []string{oidc.AuthMethodPost}},
		{"without a method the secret comes by header or body", "", []string{oidc.AuthMethodBasic, oidc.AuthMethodPost}},
		{"RFC 7591 §2 what this provider does not know allows none of these", "private_key_jwt", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := oidc.Client{TokenEndpointAuthMethod: row.registered}
			for _, method := range []string{oidc.AuthMethodNone, oidc.AuthMethodBasic, oidc.AuthMethodPost, ""} {
				want := slices.Contains(row.allowed, method)
				if got := slices.Contains(client.AuthMethods(), method); got != want {
					t.Errorf("AuthMethods has %q: %t; want %t", method, got, want)
				}
			}
		})
	}
}

func TestClientNeedsPKCE(t *testing.T) {
	for _, row := range []struct {
		name   string
		client oidc.Client
		want   bool
	}{
		{"RFC 9700 §2.1.1 a public client", oidc.Client{TokenEndpointAuthMethod: oidc.AuthMethodNone}, true},
		{"RFC 9700 §2.1.1 a confidential client", oidc.Client{ClientSecret: oidc.NewSecret("s")}, false},
		{
			"a confidential client whose metadata says so",
			oidc.Client{ClientSecret: oidc.NewSecret("s"), RequirePKCE: true}, true,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.client.NeedsPKCE(); got != row.want {
				t.Errorf("NeedsPKCE() = %t; want %t", got, row.want)
			}
		})
	}
}

func TestClientName(t *testing.T) {
	if got := (oidc.Client{ClientID: "spa", ClientName: "The app"}).Name(); got != "The app" {
		t.Errorf("RFC 7591 §2: Name() = %q; want client_name", got)
	}
	if got := (oidc.Client{ClientID: "spa"}).Name(); got != "spa" {
		t.Errorf(
			`RFC 7591 §2: "If omitted, the authorization server MAY display the raw "client_id" value": Name() = %q`, got,
		)
	}
}

func TestClientAllowedScope(t *testing.T) {
	provider := oidc.ParseScope("openid profile email")
	for _, row := range []struct{ name, scope, want string }{
		{"RFC 7591 §2 without a scope the provider decides: all", "", "openid profile email"},
		{"RFC 7591 §2 the registered scope", "email openid", "email openid"},
		{"what the provider does not know is not allowed", "openid telepathy", "openid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := (oidc.Client{Scope: row.scope}).AllowedScope(provider).String(); got != row.want {
				t.Errorf("AllowedScope = %q; want %q", got, row.want)
			}
		})
	}
}
