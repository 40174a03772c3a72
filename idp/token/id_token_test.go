package token

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/oidc"
)

// coreRows are more rows of TestToken: what a provider MUST do by Core §3.1.3.2 and by RFC 6749 §2.3, §3.2 and §4.1.3.
var coreRows = []row{
	{
		name: "Core §3.1.3.2 a client that was issued credentials MUST be authenticated", client: "web",
		change: "-client_secret", err: oidc.InvalidClient,
	},
	{
		name: "Core §3.1.3.2 the code MUST have been issued to the authenticated client", client: "web", grant: "other",
		err: oidc.InvalidGrant,
	},
	{name: "Core §3.1.3.2 the code MUST be valid", client: "web", change: "code=a.b", err: oidc.InvalidGrant},
	{
		name: "Core §3.1.3.2 redirect_uri MUST be identical: not even a slash more", client: "web",
		change: "redirect_uri=https://app.test/cb/", err: oidc.InvalidGrant,
	},
	{
		name: "Core §3.1.3.2 redirect_uri MUST be there, as it was in the request", client: "web",
		change: "redirect_uri=", err: oidc.InvalidGrant,
	},
	{
		name: "RFC 6749 §2.3.1 HTTP Basic MUST be supported", client: "basic", change: "-client_secret",
		basic: "basic:s%2Fecret",
	},
	{
		name: "RFC 6749 §2.3.1 id and secret are form-encoded inside Basic", client: "basic", change: "-client_secret",
		basic: "b%61sic:%73%2Fecret",
	},
	{
		name: "RFC 9110 §11.4 more than one space may come before the credentials", client: "basic", change: "-client_secret",
		basic: "basic:s%2Fecret", header: func(h http.Header) {
			h.Set("Authorization", strings.Replace(h.Get("Authorization"), " ", "   ", 1))
		},
	},
	{
		name: "RFC 6749 §2.3 a header and a secret in the body are two methods", client: "basic",
		basic: "basic:s%2Fecret", err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §2.2 a client_id alone MUST NOT authenticate a confidential client", client: "basic",
		change: "-client_secret", basic: "basic:", err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §2.2 the secret of another client", client: "basic", change: "-client_secret",
		basic: "post:s%2Fecret", err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §3.2 parameters without a value MUST be treated as if they were omitted: code", change: "code=",
		err: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.2 parameters without a value MUST be treated as if they were omitted: grant_type",
		change: "grant_type=", err: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.2 parameters without a value MUST be treated as if they were omitted: code_verifier",
		change: "code_verifier=", err: oidc.InvalidGrant,
	},
	{
		name: "RFC 6749 §3.2 an unknown parameter MUST NOT be included more than once either", change: "x=1 +x=2",
		err: oidc.InvalidRequest,
	},
	{
		name: "RFC 6749 §3.2.1 a client that does not authenticate MUST send its client_id", change: "client_id=",
		err: oidc.InvalidClient,
	},
	{
		name:   "RFC 6749 §4.1.3 a public client's code MUST have been issued to the client_id",
		change: "client_id=offline", err: oidc.InvalidGrant,
	},
	{
		name: "RFC 6749 §4.1.3 grant_type in other case is another", change: "grant_type=Authorization_Code",
		err: oidc.UnsupportedGrantType,
	},
	{name: "RFC 6749 §10.5 codes MUST be short-lived", wait: 61 * time.Second, err: oidc.InvalidGrant},
	{
		name:   "RFC 6749 §10.6 the code of another redirect URI, registered or not",
		change: "redirect_uri=https://app.test/cb%3Fx", err: oidc.InvalidGrant,
	},
}

func TestMoreOfToken(t *testing.T) {
	for _, row := range coreRows {
		t.Run(row.name, func(t *testing.T) { row.check(t) })
	}
}

func TestMoreOfRefresh(t *testing.T) {
	for _, row := range []struct {
		name, client, change string
		err                  oidc.ErrorCode
	}{
		{
			"Core §12.1 the client MUST authenticate by the method that it registered", "confidential", "-client_secret",
			oidc.InvalidClient,
		},
		{"Core §12.1 the refresh token MUST be valid", "offline", "refresh_token=a.b", oidc.InvalidGrant},
		{
			"Core §12.1 the refresh token MUST have been issued to the client", "offline", "client_id=second",
			oidc.InvalidGrant,
		},
		{"Core §12.3 an invalid request is answered as by RFC 6749 §5.2", "offline", "refresh_token=", oidc.InvalidRequest},
		{"RFC 6749 §6 parameters without a value are omitted: scope", "offline", "scope=", ""},
		{"RFC 6749 §10.4 a refresh token MUST NOT be modified", "offline", "refresh_token=x.y.z", oidc.InvalidGrant},
		{
			"RFC 6749 §10.4 the binding between refresh token and client MUST be verified: " +
				"a public client has the token of a confidential one",
			"confidential", "client_id=second -client_secret", oidc.InvalidGrant,
		},
		{
			"RFC 6749 §10.4 the binding between refresh token and client MUST be verified: " +
				"a confidential client has the token of a public one",
			"offline", "client_id=confidential client_secret=s%2Fecret", oidc.InvalidGrant,
		},
		{
			"RFC 6749 §6 the client MUST be authenticated if it authenticates at all", "offline", "client_secret=guess",
			oidc.InvalidClient,
		},
		{"RFC 6749 §6 a scope of other case was not granted", "offline", "scope=OpenID", oidc.InvalidScope},
		{
			"RFC 9700 §4.14.2 refresh tokens MUST be bound to the scope that was consented", "offline",
			"scope=openid+profile+email", oidc.InvalidScope,
		},
		{
			"RFC 9700 §4.14.2 refresh tokens MUST be bound to the resource servers that were consented", "offline",
			"resource=https://a.test", oidc.InvalidTarget,
		},
		{
			"RFC 9700 §4.14.2 refresh tokens MUST be bound to the resource servers that were consented: one more",
			"offline", "resource=urn:the-api +resource=https://a.test", oidc.InvalidTarget,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEndpoint(t)
			response, err := e.Exchange(post(t, change(t, e.refreshForm(t, row.client), row.change)))
			checkRefreshed(t, response, err, row.err)
		})
	}
}

// What the ID token MUST be, and what it must not bring.
func TestTheHeaderOfAnIDToken(t *testing.T) {
	e := newEndpoint(t)
	response, err := e.Exchange(post(t, goodForm("spa", e.issue(t, "spa", ""))))
	if err != nil {
		t.Fatal(err)
	}
	var header map[string]any
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(response.IDToken, ".")[0])
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	if err != nil {
		t.Fatal(err)
	}
	if alg := header["alg"]; alg == nil || alg == "none" || strings.Count(response.IDToken, ".") != 2 ||
		strings.HasSuffix(response.IDToken, ".") {
		t.Errorf("Core §2 ID Tokens MUST be signed, and not by none: %v", header)
	}
	for _, name := range []string{"x5u", "x5c", "jku", "jwk"} {
		if header[name] != nil {
			t.Errorf("Core §2 the header parameter %s SHOULD NOT be used: %v", name, header)
		}
	}
	if header["kid"] == nil {
		t.Errorf("Core §10.1 kid MUST be there where there are several keys: %v", header)
	}
	if got := claimsOf[access.Token](t, response.AccessToken).Audience; len(got) == 0 {
		t.Error("RFC 6750 §5.2 the token MUST say for whom it is: no aud")
	}
}
