package oidc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

func TestParseResources(t *testing.T) {
	known := []string{"https://api.test", "https://api.test/v2?x=1", "urn:api"}
	for _, row := range []struct {
		name, given, want string
		bad               bool
	}{
		{name: "RFC 8707 §2 none"},
		{name: "RFC 6749 §3.1 one without a value counts as omitted", given: ","},
		{name: "RFC 8707 §2 an absolute URI", given: "https://api.test", want: "https://api.test"},
		{name: "RFC 8707 §2 one that is no URL", given: "urn:api", want: "urn:api"},
		{
			name: "RFC 8707 §2 multiple resource parameters MAY be used", given: "urn:api,https://api.test",
			want: "urn:api,https://api.test",
		},
		{
			name: "RFC 8707 §2 a query SHOULD NOT be there, and may", given: "https://api.test/v2?x=1",
			want: "https://api.test/v2?x=1",
		},
		{name: "RFC 8707 §2 the same twice is one", given: "urn:api,urn:api", want: "urn:api"},
		{name: "RFC 8707 §2 its value MUST be an absolute URI", given: "/v2", bad: true},
		{name: "RFC 8707 §2 its value MUST be a URI at all", given: "not a uri", bad: true},
		{name: "RFC 8707 §2 the URI MUST NOT include a fragment", given: "https://api.test#x", bad: true},
		{name: "RFC 8707 §2 the URI MUST NOT include an empty fragment", given: "https://api.test#", bad: true},
		{name: "RFC 8707 §2 an API that is not known is an invalid_target", given: "https://other.test", bad: true},
		{name: "RFC 8707 §2 one known, one not", given: "urn:api,urn:other", bad: true},
		{name: "RFC 8707 §2 another path of a known host is another API", given: "https://api.test/", bad: true},
	} {
		got, err := oidc.ParseResources(strings.Split(row.given, ","), known)
		if row.bad != (err != nil) || err != nil && oidc.AsError(err).Code != oidc.InvalidTarget ||
			strings.Join(got, ",") != row.want {
			t.Errorf("%s: %v, %v; want %q", row.name, got, err, row.want)
		}
	}
}

func TestWhichAPIsAClientMayAskFor(t *testing.T) {
	provider := []string{"urn:api"}
	for audience, want := range map[string][]string{"": {"urn:api"}, "urn:api": {"urn:api"},
		"urn:own": {"urn:api", "urn:own"}} {
		if got := (oidc.Client{Audience: audience}).AllowedResources(provider); !slices.Equal(got, want) ||
			len(provider) != 1 {
			t.Errorf("with audience %q: %v; want %v", audience, got, want)
		}
	}
}

func TestOfflineAccessIsForClientsWithRefreshTokens(t *testing.T) { // Core §11
	known := append(oidc.StandardScope(), oidc.ScopeOffline)
	for _, client := range []oidc.Client{{}, {Scope: "openid offline_access"},
		{GrantTypes: []string{"authorization_code", "refresh_token"}}} {
		want := len(client.GrantTypes) > 0
		if got := client.AllowedScope(known); got.Has(oidc.ScopeOffline) != want || !got.Has(oidc.ScopeOpenID) {
			t.Errorf("%+v may ask for %v", client.GrantTypes, got)
		}
	}
}
