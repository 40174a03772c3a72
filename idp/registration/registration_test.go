package registration_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/oidc"
)

// withKeys is what a client with keys registers.
func withKeys() []any { return []any{"jwks_uri", "https://app.test/jwks"} }

var rowsWhatTheProviderCannotIsNotRegistered = []struct {
	name   string
	lack   func(m *oidc.Metadata)
	change []any
}{
	{"RFC 7591 §2 token_endpoint_auth_method", func(m *oidc.Metadata) { m.TokenEndpointAuthMethodsSupported = nil }, nil},
	{"RFC 7591 §2 grant_types", func(m *oidc.Metadata) { m.GrantTypesSupported = nil }, nil},
	{"RFC 7591 §2 response_types", func(m *oidc.Metadata) { m.ResponseTypesSupported = nil }, nil},
	{"RFC 7591 §2 scope", func(m *oidc.Metadata) { m.ScopesSupported = nil }, []any{"scope", "openid"}},
	{"Core §8 subject_type", func(m *oidc.Metadata) { m.SubjectTypesSupported = nil }, nil},
	{
		"Registration §2 token_endpoint_auth_signing_alg",
		func(m *oidc.Metadata) { m.TokenEndpointAuthAlgs = nil },
		append(withKeys(), "token_endpoint_auth_method", "private_key_jwt", "token_endpoint_auth_signing_alg", "RS256"),
	},
	{
		"Registration §2 id_token_signed_response_alg", func(m *oidc.Metadata) { m.IDTokenSigningAlgValuesSupported = nil },
		nil,
	},
	{
		"Registration §2 id_token_encrypted_response_alg",
		func(m *oidc.Metadata) { m.IDTokenEncryptionAlgValuesSupported = nil },
		append(withKeys(), "id_token_encrypted_response_alg", "ECDH-ES"),
	},
	{
		"Registration §2 id_token_encrypted_response_enc",
		func(m *oidc.Metadata) { m.IDTokenEncryptionEncValuesSupported = nil },
		append(withKeys(), "id_token_encrypted_response_alg", "ECDH-ES"),
	},
	{
		"Registration §2 userinfo_signed_response_alg", func(m *oidc.Metadata) { m.UserinfoSigningAlgValuesSupported = nil },
		[]any{"userinfo_signed_response_alg", "RS256"},
	},
	{
		"Registration §2 userinfo_encrypted_response_alg",
		func(m *oidc.Metadata) { m.UserinfoEncryptionAlgValuesSupported = nil },
		append(withKeys(), "userinfo_encrypted_response_alg", "ECDH-ES"),
	},
	{
		"Registration §2 userinfo_encrypted_response_enc",
		func(m *oidc.Metadata) { m.UserinfoEncryptionEncValuesSupported = nil },
		append(withKeys(), "userinfo_encrypted_response_alg", "ECDH-ES"),
	},
	{
		"Registration §2 request_object_signing_alg",
		func(m *oidc.Metadata) { m.RequestObjectSigningAlgValuesSupported = nil },
		append(withKeys(), "request_object_signing_alg", "RS256"),
	},
	{
		"JARM §3 authorization_signed_response_alg",
		func(m *oidc.Metadata) { m.AuthorizationSigningAlgValuesSupported = nil },
		[]any{"authorization_signed_response_alg", "RS256"},
	},
	{
		"RFC 9701 §6 introspection_signed_response_alg",
		func(m *oidc.Metadata) { m.IntrospectionSigningAlgValuesSupported = nil },
		[]any{"introspection_signed_response_alg", "RS256"},
	},
}

// refusals are good requests with one change, which makes them bad.
func TestWhatTheProviderCannotIsNotRegistered(t *testing.T) {
	var reported strings.Builder
	for _, row := range rowsWhatTheProviderCannotIsNotRegistered {
		t.Run(row.name, func(t *testing.T) {
			d := newFixture()
			d.register(t, good().with(row.change...)) // as long as the provider can
			row.lack(d.Metadata)
			_, err := d.Register(request(t, http.MethodPost, text(t, good().with(row.change...)), ""))
			e := oidc.AsError(err)
			if e == nil || e.Code != oidc.InvalidClientMetadata {
				t.Fatalf("got %v", err)
			}
			reported.WriteString(e.Description)
		})
	}
	checkAllReported(t, reported.String(), registration.Listed())
}

// accepted are the rows of TestAcceptedRegistrations.
var accepted = []struct {
	name   string
	change []any
	want   document // of the answer
}{
	{
		"RFC 7591 §2 what is left out has its default", nil, document{
			"token_endpoint_auth_method": "client_secret_basic", "grant_types": []any{"authorization_code"},
			"response_types":   []any{"code"},
			"application_type": "web", "subject_type": "public", "id_token_signed_response_alg": "RS256",
		},
	},
	{
		"RFC 7591 §2 metadata that is not understood MUST be ignored",
		[]any{"favourite_colour", "blue", "client_name#ja", "x"}, document{"favourite_colour": nil, "client_name#ja": nil},
	},
	{
		"RFC 7591 §3 a registration endpoint MUST ignore all parameters it does not understand",
		[]any{"software_statement_of_mine", "x", "first-party", true},
		document{"software_statement_of_mine": nil, "first-party": nil},
	},
	{
		"RFC 7591 §2 jwks_uri and jwks are not both in the answer", []any{"jwks_uri", "https://app.test/jwks"},
		document{"jwks_uri": "https://app.test/jwks", "jwks": nil},
	},
	{
		"RFC 7591 §5 a redirect URI on the person's own machine",
		[]any{"redirect_uris", []string{"http://localhost:8080/cb", "http://[::1]/cb"}},
		document{"redirect_uris": []any{"http://localhost:8080/cb", "http://[::1]/cb"}},
	},
	{
		"RFC 7591 §2 a software_statement that is null", []any{"software_statement", json.RawMessage("null")},
		document{"software_statement": nil},
	},
	{
		"RFC 7591 §2 a client_name in any script", []any{"client_name", "アプリ — تطبيق"},
		document{"client_name": "アプリ — تطبيق"},
	},
	{
		"RFC 7592 §2.2 null is the same as left out", []any{"application_type", json.RawMessage("null")},
		document{"application_type": "web"},
	},
	{
		"RFC 7591 §3.2.1 all registered metadata is returned",
		[]any{"client_name", "App", "contacts", []string{"me@app.test"},
			"policy_uri", "https://app.test/p", "tos_uri", "https://app.test/t", "logo_uri", "https://app.test/l.png"},
		document{"client_name": "App", "contacts": []any{"me@app.test"},
			"policy_uri": "https://app.test/p", "tos_uri": "https://app.test/t", "logo_uri": "https://app.test/l.png"}},
	{
		"RFC 8252 §7.3 a native client on loopback",
		[]any{
			"application_type", "native", "redirect_uris", []string{"http://127.0.0.1/cb"}, "token_endpoint_auth_method",
			"none",
		},
		document{"application_type": "native", "client_secret": nil},
	},
	{
		"RFC 8252 §7.1 a native client with its own scheme",
		[]any{"application_type", "native", "redirect_uris", []string{"com.example.app:/cb"}},
		document{"application_type": "native"},
	},
	{
		"Registration §5 a sector_identifier_uri that lists the redirect URIs",
		[]any{"subject_type", "pairwise", "sector_identifier_uri", sectors.URL + "/sector"},
		document{"subject_type": "pairwise", "sector_identifier_uri": sectors.URL + "/sector"},
	},
	{
		"Registration §2 initiate_login_uri", []any{"initiate_login_uri", "https://app.test/login"},
		document{"initiate_login_uri": "https://app.test/login"},
	},
	{
		"RFC 7517 §5 keys of a type that is not understood are ignored",
		[]any{"jwks", document{"keys": append([]any{document{"kty": "unknown"}}, keysOf(publicKey.public)...)}},
		document{"jwks": map[string]any{"keys": keysOf(publicKey.public)}},
	},
	{
		"Core §9 private_key_jwt has no secret",
		[]any{"token_endpoint_auth_method", "private_key_jwt", "jwks", publicKey.public},
		document{"client_secret": nil, "client_secret_expires_at": nil},
	},
	{
		"Registration §2 the enc of an encrypted ID token is A128CBC-HS256 unless said",
		[]any{"id_token_encrypted_response_alg", "ECDH-ES", "jwks_uri", "https://app.test/jwks"},
		document{"id_token_encrypted_response_enc": "A128CBC-HS256"},
	},
	{
		"Registration §2 the enc of encrypted userinfo is A128CBC-HS256 unless said",
		[]any{"userinfo_encrypted_response_alg", "ECDH-ES", "jwks_uri", "https://app.test/jwks"},
		document{"userinfo_encrypted_response_enc": "A128CBC-HS256"},
	},
	{
		"RFC 8628 §3.1 a device needs no redirect_uri",
		[]any{"grant_types", []string{oidc.GrantDeviceCode}, "redirect_uris", nil, "token_endpoint_auth_method", "none"},
		document{"response_types": nil, "redirect_uris": []any{}},
	},
	{
		"Front-Channel Logout §2 frontchannel_logout_uri on the origin of a redirect URI",
		[]any{"frontchannel_logout_uri", "https://app.test/out", "frontchannel_logout_session_required", true},
		document{"frontchannel_logout_session_required": true},
	},
	{
		"a client cannot make itself trusted",
		[]any{"first_party", true, "FIRST_PARTY", true, "access_token_lifetime", 1e18, "audience", "https://other.test"},
		document{"first_party": nil, "access_token_lifetime": nil, "audience": nil},
	},
	{
		"RFC 7591 §5 what goes into access tokens is the provider's own",
		[]any{
			"access_token_type", "JWT", "access_token_claims", []string{"name"}, "claims", document{"roles": "admin"},
			"claims_mapping", document{"roles": document{"value": "admin"}},
		},
		document{"access_token_type": nil, "access_token_claims": nil, "claims": nil, "claims_mapping": nil},
	},
	{
		"Core §5.4 a client may ask for the claims of its scope in the ID token", []any{"id_token_claims", "scope"},
		document{"id_token_claims": []any{"scope"}},
	},
	{"a client cannot choose its client_id or secret", []any{"client_id", "spa", "client_secret", "guess"}, document{}},
}

func TestAcceptedRegistrations(t *testing.T) {
	for _, row := range accepted {
		t.Run(row.name, func(t *testing.T) {
			d := newFixture()
			information := d.register(t, good().with(row.change...))
			got := members(t, information)
			for name, want := range row.want {
				if diff := cmp.Diff(want, got[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			checkIssued(t, d, information, got)
		})
	}
}

// checkIssued holds what every registration gives.
func checkIssued(t *testing.T, d *fixture, information registration.Information, got document) {
	t.Helper()
	id, _ := got["client_id"].(string)
	if len(id) < 26 || got["registration_client_uri"] != "https://idp.test/register/"+id ||
		got["registration_access_token"] == "" ||
		got["client_id_issued_at"] == 0.0 {
		t.Errorf("RFC 7592 §3 got %v", got)
	}
	secret, hasSecret := got["client_secret"].(string)
	if expires, ok := got["client_secret_expires_at"]; hasSecret != ok || ok && expires != 0.0 {
		t.Errorf("RFC 7591 §3.2.1 client_secret_expires_at is REQUIRED if client_secret is issued: %v", got)
	}
	if hasSecret && (len(secret) < 64 || secret == "guess") {
		t.Errorf("RFC 7591 §3.2.1 the secret is %q", secret)
	}
	client, err := d.Clients.ByID(t.Context(), id)
	if err != nil || client.FirstParty || client.AccessTokenLifetime != 0 ||
		hasSecret && !client.ClientSecret.Matches(secret) {
		t.Errorf("the provider knows the client as %+v, %v", client, err)
	}
	if stored := d.store.Values(); hasSecret && strings.Contains(stored, secret) &&
		client.TokenEndpointAuthMethod != oidc.AuthMethodSecretJWT ||
		strings.Contains(stored, information.RegistrationAccessToken) {
		t.Errorf("the store was shown a secret: %s", stored)
	}
}

func TestEveryRegistrationIsAnotherClient(t *testing.T) {
	d := newFixture()
	a, b := d.register(t, good()), d.register(t, good())
	for _, row := range []struct{ name, one, other string }{
		{"RFC 7591 §3.2.1 the client_id is valid for no other client", a.ClientID, b.ClientID},
		{"Registration §3.2 client_id MUST NOT be currently valid for any other client", a.ClientID, b.ClientID},
		{"RFC 7591 §3.2.1 the client_secret MUST be unique for each client_id", a.ClientSecret, b.ClientSecret},
		{"Registration §3.2 the same client_secret MUST NOT be assigned to multiple clients", a.ClientSecret, b.ClientSecret},
		{
			"RFC 7592 §3 registration_access_token is of this client alone", a.RegistrationAccessToken,
			b.RegistrationAccessToken,
		},
		{
			"Registration §3.2 registration_client_uri and registration_access_token come both", a.RegistrationClientURI,
			b.RegistrationClientURI,
		},
	} {
		if row.one == "" || row.one == row.other {
			t.Errorf("%s: %q, %q", row.name, row.one, row.other)
		}
	}
}

func TestWhichRequestsMayRegisterAClient(t *testing.T) {
	for _, row := range []struct {
		name, token string
		body        string
		code        oidc.ErrorCode // "": registered
	}{
		{"RFC 7591 §3 with a good initial access token", "initial", text(t, good()), ""},
		{"RFC 7591 §3 with a bad one", "guess", text(t, good()), oidc.InvalidToken},
		{
			"RFC 7591 §5 with one a client may get tokens without a person", "initial", `{"grant_types":["client_credentials"]}`,
			"",
		},
		{"RFC 7591 §3.1 no JSON", "", "redirect_uris=x", oidc.InvalidClientMetadata},
		{"RFC 7591 §3.1 an array", "", "[]", oidc.InvalidClientMetadata},
		{"RFC 7591 §3.1 null", "", "null", oidc.InvalidClientMetadata},
		{"RFC 7591 §3.1 nothing", "", "", oidc.InvalidClientMetadata},
		{"RFC 7591 §3.1 a brace behind the object", "", text(t, good()) + "}", oidc.InvalidClientMetadata},
		{"RFC 8259 §8.1 bytes that are not UTF-8", "",
			strings.Replace(text(t, good().with("client_name", "NAME")), "NAME", "\xff", 1), oidc.InvalidClientMetadata},
		{"RFC 7591 §3.1 two objects", "", text(t, good()) + "{}", oidc.InvalidClientMetadata},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := newFixture().Register(request(t, http.MethodPost, row.body, row.token))
			if e := oidc.AsError(err); (e == nil) != (row.code == "") || e != nil && e.Code != row.code {
				t.Errorf("got %v; want %q", err, row.code)
			}
		})
	}
	r := request(t, http.MethodPost, text(t, good()), "")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err := newFixture().Register(r)
	if oidc.AsError(err) == nil || oidc.AsError(err).Code != oidc.InvalidClientMetadata {
		t.Errorf("RFC 7591 §3.1 a form is answered with %v", err)
	}
}
