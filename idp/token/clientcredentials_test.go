package token

import (
	"net/url"
	"slices"
	"testing"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/oidc"
)

var clientCredentialsRows = []struct {
	name, change string
	scope        string
	aud          []string
	err          oidc.ErrorCode
}{
	{
		name:  "RFC 6749 §4.4.2 scope may be left out: all that the client is registered for",
		scope: "orders.read orders.write", aud: []string{"urn:the-api"},
	},
	{
		name: "RFC 6749 §4.4.2 scope asks for less", change: "scope=orders.read", scope: "orders.read",
		aud: []string{"urn:the-api"},
	},
	{
		name: "RFC 6749 §4.4.2 a client without registered scope asks for nothing", change: "client_id=machine2",
		aud: []string{"urn:the-api"},
	},
	{
		name:   "RFC 6749 §4.4.2 a client without registered scope may have what the provider knows",
		change: "client_id=machine2 scope=orders.write", scope: "orders.write", aud: []string{"urn:the-api"},
	},
	{
		name: "RFC 8707 §2 resource names an API", change: "resource=https://a.test",
		scope: "orders.read orders.write", aud: []string{"https://a.test"},
	},
	{
		name: "RFC 8707 §2 resource names an API that the provider does not know", change: "resource=https://c.test",
		err: oidc.InvalidTarget,
	},
	{
		name: "RFC 6749 §5.2 a scope that the client is not registered for", change: "scope=orders.delete",
		err: oidc.InvalidScope,
	},
	{
		name: "Core §3.1.2.1 openid is about a user, and there is none", change: "client_id=machine2 scope=openid",
		err: oidc.InvalidScope,
	},
	{
		name:   "RFC 6749 §4.4.3 a refresh token SHOULD NOT be included: offline_access is refused",
		change: "client_id=machine2 scope=offline_access", err: oidc.InvalidScope,
	},
	{name: "RFC 6749 §4.4.2 the client MUST authenticate", change: "-client_secret", err: oidc.InvalidClient},
	{name: "RFC 6749 §4.4.2 a wrong secret", change: "client_secret=wrong", err: oidc.InvalidClient},
	{
		name:   "RFC 6749 §4.4 the grant MUST only be used by confidential clients",
		change: "client_id=public -client_secret", err: oidc.UnauthorizedClient,
	},
	{name: "RFC 6749 §5.2 a client that is not registered for it", change: "client_id=web", err: oidc.UnauthorizedClient},
}

// A good request of client "machine", plus one change a row.
func TestClientCredentials(t *testing.T) {
	for _, row := range clientCredentialsRows {
		t.Run(row.name, func(t *testing.T) {
			e := newEndpoint(t)
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"machine"}, "client_secret": {"s/ecret"}}
			response, err := e.Exchange(post(t, change(t, form, row.change)))
			if row.err != "" {
				if err == nil || oidc.AsError(err).Code != row.err {
					t.Fatalf("got %+v, %v; want %s", response, err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkOwnToken(t, response, row.scope, row.aud)
		})
	}
}

func checkOwnToken(t *testing.T, response Response, scope string, aud []string) {
	t.Helper()
	if response.IDToken != "" || response.RefreshToken != "" || response.Scope != scope ||
		response.TokenType != "Bearer" || response.ExpiresIn != 300 {
		t.Errorf("got %+v", response)
	}
	got := claimsOf[access.Token](t, response.AccessToken)
	if got.Subject != got.ClientID || got.ClientID == "" || got.AuthTime != 0 || got.SID != "" || got.Scope != scope ||
		!slices.Equal(got.Audience, aud) || got.GrantID == "" {
		t.Errorf("RFC 9068 §2.2 sub is the client_id, and nothing is said of a user: got %+v", got)
	}
}
