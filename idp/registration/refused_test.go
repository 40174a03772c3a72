package registration_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/oidc"
)

var refusals = []struct {
	name   string
	change []any
	code   oidc.ErrorCode
	says   string // part of the description
}{
	{
		"RFC 6749 §3.1.2 a redirect URI MUST NOT include a fragment",
		[]any{"redirect_uris", []string{"https://app.test/cb#x"}}, oidc.InvalidRedirectURI, "fragment",
	},
	{
		"RFC 6749 §3.1.2 a redirect URI MUST be absolute", []any{"redirect_uris", []string{"/cb"}}, oidc.InvalidRedirectURI,
		"absolute",
	},
	{
		"RFC 7591 §2 redirect_uris MUST be registered for the code flow", []any{"redirect_uris", nil},
		oidc.InvalidRedirectURI, "empty",
	},
	{
		"RFC 7591 §5 a redirect URI that is script", []any{"redirect_uris", []string{"javascript:alert(1)"}},
		oidc.InvalidRedirectURI, "script",
	},
	{
		"RFC 7591 §2 redirect_uris is an array", []any{"redirect_uris", "https://app.test/cb"}, oidc.InvalidRedirectURI,
		"array",
	},
	{
		"Core §5.4 id_token_claims is an array, or the word scope", []any{"id_token_claims", "name"},
		oidc.InvalidClientMetadata, "id_token_claims is a string",
	},
	{
		"RFC 8725 §2.8 id_token_claims names no claim of the provider's own", []any{"id_token_claims", []string{"sub"}},
		oidc.InvalidClientMetadata, "id_token_claims[0] names the claim sub",
	},
	{
		"Core §5.4 id_token_claims names claims of the scopes", []any{"id_token_claims", []string{"scope", "nothing"}},
		oidc.InvalidClientMetadata, "id_token_claims[1] no scope that the client may ask for covers",
	},
	{
		"Registration §2 default_acr_values are values that the provider knows", []any{"default_acr_values", []string{"9"}},
		oidc.InvalidClientMetadata, "default_acr_values[0]",
	},
	{
		"RFC 9700 §2.6 no http redirect URI but on loopback", []any{"redirect_uris", []string{"http://app.test/cb"}},
		oidc.InvalidRedirectURI, "http://app.test/cb",
	},
	{
		"RFC 6749 §3.1.2.2 a public client MUST register its redirection endpoint",
		[]any{"redirect_uris", []string{}, "token_endpoint_auth_method", "none"}, oidc.InvalidRedirectURI, "empty",
	},
	{
		"RFC 7591 §5 a redirect URI MUST be protected by TLS unless it is on this machine or an app's own",
		[]any{"redirect_uris", []string{"https://app.test/cb", "http://app.test/cb"}}, oidc.InvalidRedirectURI,
		"http://app.test/cb",
	},
	{
		"RFC 7591 §5 a host that only looks like loopback", []any{"redirect_uris", []string{"http://localhost.evil.test/cb"}},
		oidc.InvalidRedirectURI, "localhost.evil.test",
	},
	{
		"RFC 7591 §5 an address that only looks like loopback",
		[]any{"redirect_uris", []string{"http://127.0.0.1.evil.test/cb"}}, oidc.InvalidRedirectURI, "127.0.0.1.evil.test",
	},
	{
		"RFC 3986 §3.2.1 a redirect URI with a user name in front of its host",
		[]any{"redirect_uris", []string{"https://app.test@evil.test/cb"}}, oidc.InvalidRedirectURI, "user name",
	},
	{
		"RFC 3986 §3.3 a redirect URI with a backslash, which browsers read as a slash",
		[]any{"redirect_uris", []string{"https://app.test/\\evil.test"}}, oidc.InvalidRedirectURI, "no URI",
	},
	{
		"RFC 3986 §3.2.2 a redirect URI with a backslash in its host",
		[]any{"redirect_uris", []string{"https://evil.test\\.app.test/cb"}}, oidc.InvalidRedirectURI, "no URI",
	},
	{
		"RFC 3986 §2 a redirect URI with letters beyond ASCII", []any{"redirect_uris", []string{"https://аpp.test/cb"}},
		oidc.InvalidRedirectURI, "xn--",
	},
	{
		"RFC 3986 §2 a redirect URI with a line break", []any{"redirect_uris", []string{"https://app.test/cb\r\nLocation:x"}},
		oidc.InvalidRedirectURI, "no URI",
	},
	{
		"RFC 8252 §8.4 an app's own scheme without a period SHOULD be rejected",
		[]any{"application_type", "native", "redirect_uris", []string{"intent://app/cb"}}, oidc.InvalidRedirectURI,
		"reversed domain name",
	},
	{
		"RFC 7591 §5 a client_name of many lines", []any{"client_name", "App\nis approved"}, oidc.InvalidClientMetadata,
		"client_name",
	},
	{
		"RFC 7591 §5 a client_name that turns the direction of the text", []any{"client_name", "App\u202egro.knab"},
		oidc.InvalidClientMetadata, "client_name",
	},
	{
		"RFC 7591 §5 a client_name without end", []any{"client_name", strings.Repeat("ö", 101)}, oidc.InvalidClientMetadata,
		"client_name",
	},
	{
		"a limit of this provider: fifty redirect URIs",
		[]any{"redirect_uris", slices.Repeat([]string{"https://app.test/cb"}, 51)}, oidc.InvalidRedirectURI, "50",
	},
	{
		"Registration §2 native clients MUST only register custom schemes or loopback http",
		[]any{"application_type", "native"}, oidc.InvalidRedirectURI, "native",
	},
	{
		"Registration §2 application_type is web or native", []any{"application_type", "desktop"}, oidc.InvalidClientMetadata,
		"application_type",
	},
	{
		"Registration §2 logo_uri is a URL", []any{"logo_uri", "javascript:alert(1)"}, oidc.InvalidClientMetadata, "logo_uri",
	},
	{"Registration §2 policy_uri is a URL", []any{"policy_uri", "policy"}, oidc.InvalidClientMetadata, "policy_uri"},
	{"Registration §2 tos_uri is a URL", []any{"tos_uri", "data:text/html,x"}, oidc.InvalidClientMetadata, "tos_uri"},
	{
		"Registration §2 initiate_login_uri is https", []any{"initiate_login_uri", "http://app.test/login"},
		oidc.InvalidClientMetadata, "initiate_login_uri",
	},
	{"Registration §2 client_uri is a URL", []any{"client_uri", "app.test"}, oidc.InvalidClientMetadata, "client_uri"},
	{
		"Registration §2 jwks_uri MUST use https", []any{"jwks_uri", "http://app.test/jwks"}, oidc.InvalidClientMetadata,
		"jwks_uri",
	},
	{
		"RFC 7591 §2 jwks_uri and jwks MUST NOT both be present",
		[]any{"jwks_uri", "https://app.test/jwks", "jwks", publicKey.public}, oidc.InvalidClientMetadata, "jwks",
	},
	{"RFC 7591 §2 jwks holds public keys", []any{"jwks", publicKey.private}, oidc.InvalidClientMetadata, "private"},
	{
		"RFC 7591 §2 jwks holds no symmetric key", []any{"jwks", publicKey.symmetric}, oidc.InvalidClientMetadata,
		"symmetric",
	},
	{"RFC 7517 §5 jwks is a JWK Set", []any{"jwks", "https://app.test/jwks"}, oidc.InvalidClientMetadata, "jwks"},
	{"RFC 7517 §5 jwks has keys", []any{"jwks", document{}}, oidc.InvalidClientMetadata, "jwks"},
	{
		"Registration §5 sector_identifier_uri is https", []any{"sector_identifier_uri", "http://app.test/sector"},
		oidc.InvalidClientMetadata, "sector_identifier_uri",
	},
	{
		"Registration §5 sector_identifier_uri that answers nothing", []any{"sector_identifier_uri", sectors.URL + "/none"},
		oidc.InvalidClientMetadata, "404",
	},
	{
		"Registration §5 the error about a sector_identifier_uri says nothing about the network of the provider",
		[]any{"sector_identifier_uri", "https://127.0.0.1:1/inside"}, oidc.InvalidClientMetadata, "not answer as expected",
	},
	{
		"Registration §5 sector_identifier_uri is a JSON array", []any{"sector_identifier_uri", sectors.URL + "/object"},
		oidc.InvalidClientMetadata, "array",
	},
	{
		"Registration §5 sector_identifier_uri MUST list the redirect URIs",
		[]any{"sector_identifier_uri", sectors.URL + "/other"}, oidc.InvalidClientMetadata, "does not list",
	},
	{
		"Core §8.1 several hosts of a pairwise client MUST have a sector_identifier_uri",
		[]any{"subject_type", "pairwise", "redirect_uris", []string{"https://a.test/", "https://b.test/"}},
		oidc.InvalidClientMetadata, "sector_identifier_uri",
	},
	{
		"Core §8 subject_type is one that the provider has", []any{"subject_type", "secret"}, oidc.InvalidClientMetadata,
		"subject_type",
	},
	{
		"RFC 7591 §2 an unknown token_endpoint_auth_method", []any{"token_endpoint_auth_method", "tls_client_auth"},
		oidc.InvalidClientMetadata, "token_endpoint_auth_method",
	},
	{
		"Core §9 private_key_jwt needs the client's keys", []any{"token_endpoint_auth_method", "private_key_jwt"},
		oidc.InvalidClientMetadata, "jwks",
	},
	{
		"Core §9 client_secret_jwt with an asymmetric alg",
		[]any{"token_endpoint_auth_method", "client_secret_jwt", "token_endpoint_auth_signing_alg", "RS256"},
		oidc.InvalidClientMetadata, "RS256",
	},
	{
		"Core §9 none is no alg of an assertion",
		[]any{
			"token_endpoint_auth_method", "private_key_jwt", "jwks", publicKey.public, "token_endpoint_auth_signing_alg", "none",
		},
		oidc.InvalidClientMetadata, "token_endpoint_auth_signing_alg",
	},
	{
		"Registration §2 request_uris are https", []any{"request_uris", []string{"http://app.test/r"}},
		oidc.InvalidClientMetadata, "request_uris",
	},
	{
		"RFC 7591 §2.1 response_types MUST fit the grant_types",
		[]any{"grant_types", []string{"refresh_token"}, "response_types", []string{"code"}}, oidc.InvalidClientMetadata,
		"authorization_code",
	},
	{
		"RFC 7591 §2.1 grant_types MUST fit the response_types", []any{"response_types", []string{}},
		oidc.InvalidClientMetadata, "response_types",
	},
	{
		"RFC 7591 §2 the implicit grant type is not supported",
		[]any{"grant_types", []string{"implicit", "authorization_code"}}, oidc.InvalidClientMetadata, "grant_types",
	},
	{
		"RFC 7591 §2 an unsupported response_type", []any{"response_types", []string{"code id_token"}},
		oidc.InvalidClientMetadata, "response_types",
	},
	{
		"RFC 6749 §4.4 client_credentials MUST only be used by confidential clients",
		[]any{"token_endpoint_auth_method", "none", "grant_types", []string{"client_credentials"}},
		oidc.InvalidClientMetadata, "confidential",
	},
	{
		"RFC 7591 §5 client_credentials without an initial access token",
		[]any{"grant_types", []string{"client_credentials"}, "redirect_uris", nil}, oidc.InvalidClientMetadata,
		"client_credentials",
	},
	{"RFC 7591 §2 scope is what the provider has", []any{"scope", "openid admin"}, oidc.InvalidClientMetadata, "admin"},
	{
		"Registration §2 id_token_signed_response_alg none MUST NOT be used with a token from /authorize, and is not offered",
		[]any{"id_token_signed_response_alg", "none"}, oidc.InvalidClientMetadata, "id_token_signed_response_alg",
	},
	{
		"Registration §2 an unknown id_token_signed_response_alg", []any{"id_token_signed_response_alg", "HS256"},
		oidc.InvalidClientMetadata, "RS256",
	},
	{
		"Registration §2 id_token_encrypted_response_enc MUST come with the alg",
		[]any{"id_token_encrypted_response_enc", "A256GCM"}, oidc.InvalidClientMetadata, "id_token_encrypted_response_alg",
	},
	{
		"Registration §2 userinfo_encrypted_response_enc MUST come with the alg",
		[]any{"userinfo_encrypted_response_enc", "A256GCM"}, oidc.InvalidClientMetadata, "userinfo_encrypted_response_alg",
	},
	{
		"Registration §2 encryption needs the client's key", []any{"id_token_encrypted_response_alg", "RSA-OAEP-256"},
		oidc.InvalidClientMetadata, "jwks",
	},
	{
		"Registration §2 an unknown userinfo_signed_response_alg", []any{"userinfo_signed_response_alg", "HS256"},
		oidc.InvalidClientMetadata, "userinfo_signed_response_alg",
	},
	{
		"Registration §2 an unknown request_object_signing_alg", []any{"request_object_signing_alg", "HS256"},
		oidc.InvalidClientMetadata, "request_object_signing_alg",
	},
	{
		"JARM §3 an unknown authorization_signed_response_alg", []any{"authorization_signed_response_alg", "none"},
		oidc.InvalidClientMetadata, "authorization_signed_response_alg",
	},
	{
		"RFC 9701 §6 an unknown introspection_signed_response_alg", []any{"introspection_signed_response_alg", "HS256"},
		oidc.InvalidClientMetadata, "introspection_signed_response_alg",
	},
	{
		"Registration §2 default_max_age is a number", []any{"default_max_age", "an hour"}, oidc.InvalidClientMetadata,
		"default_max_age",
	},
	{
		"Registration §2 default_max_age is not negative", []any{"default_max_age", -1}, oidc.InvalidClientMetadata,
		"default_max_age",
	},
	{
		"Registration §2 require_auth_time is a boolean", []any{"require_auth_time", "yes"}, oidc.InvalidClientMetadata,
		"require_auth_time",
	},
	{"Registration §2 contacts is an array", []any{"contacts", "me@app.test"}, oidc.InvalidClientMetadata, "contacts"},
	{
		"RP-Initiated Logout §3.1 post_logout_redirect_uris are absolute",
		[]any{"post_logout_redirect_uris", []string{"/out"}}, oidc.InvalidClientMetadata, "post_logout_redirect_uris",
	},
	{
		"RP-Initiated Logout §3.1 the http scheme is for confidential clients",
		[]any{"token_endpoint_auth_method", "none", "post_logout_redirect_uris", []string{"http://evil.example/"}},
		oidc.InvalidClientMetadata, "confidential",
	},
	{
		"RP-Initiated Logout §3.1 an alternate scheme is an app's own, not intent",
		[]any{"post_logout_redirect_uris", []string{"intent://x"}}, oidc.InvalidClientMetadata, "intent",
	},
	{
		"RP-Initiated Logout §3.1 an alternate scheme is an app's own, not ftp",
		[]any{"post_logout_redirect_uris", []string{"ftp://evil.example/"}}, oidc.InvalidClientMetadata, "reversed",
	},
	{
		"RP-Initiated Logout §3.1 an alternate scheme is an app's own, not mailto",
		[]any{"post_logout_redirect_uris", []string{"mailto:me@evil.example"}}, oidc.InvalidClientMetadata, "reversed",
	},
	{
		"RFC 9700 §2.1 a redirect URI with * for the port",
		[]any{"redirect_uris", []string{"https://evil.example/cb;sandbox;x:*"}}, oidc.InvalidRedirectURI, "whole",
	},
	{
		"RFC 9700 §2.1 a redirect URI with * in its host",
		[]any{"redirect_uris", []string{"https://*.app.test/cb"}}, oidc.InvalidRedirectURI, "whole",
	},
	{
		"Front-Channel Logout §2 frontchannel_logout_uri MUST have the origin of a redirect URI",
		[]any{"frontchannel_logout_uri", "https://other.test/out"}, oidc.InvalidClientMetadata, "frontchannel_logout_uri",
	},
	{
		"Back-Channel Logout §2.2 backchannel_logout_uri MUST NOT include a fragment",
		[]any{"backchannel_logout_uri", "https://app.test/out#x"}, oidc.InvalidClientMetadata, "backchannel_logout_uri",
	},
	{
		"RFC 7591 §2.3 a software statement is refused, and said so", []any{"software_statement", "e30.e30."},
		oidc.UnapprovedSoftwareStatement, "software_statement",
	},
}

func TestRefusedRegistrations(t *testing.T) {
	var reported strings.Builder
	defer func() { checkAllReported(t, reported.String(), registration.Specs()) }()
	for _, row := range refusals {
		t.Run(row.name, func(t *testing.T) {
			d := newFixture()
			_, err := d.Register(request(t, http.MethodPost, text(t, good().with(row.change...)), ""))
			e := oidc.AsError(err)
			reported.WriteString(e.Description)
			if e == nil || e.Code != row.code || !strings.Contains(e.Description, row.says) ||
				e.Status() != http.StatusBadRequest {
				t.Errorf("got %v; want %s about %q", err, row.code, row.says)
			}
			if strings.Contains(e.Description, "refused") {
				t.Errorf("the error says how the network of the provider is built: %s", e.Description)
			}
			if len(d.store.Operations()) != 0 {
				t.Errorf("what was refused left %v in the store", d.store.Operations())
			}
		})
	}
}

// checkAllReported requires each of the texts in the errors, so that no rule is without a row.
func checkAllReported(t *testing.T, reported string, texts []string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(reported, strings.ReplaceAll(text, "§", "section ")) {
			t.Errorf("no row breaks the rule %q", text)
		}
	}
}

// A provider that can nothing registers nothing: what discovery does not list is not taken.
