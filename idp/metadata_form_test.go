package idp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// What Discovery §3 and RFC 8414 §2 demand of the document, whatever the provider can.
func TestWhatTheMetadataMustHold(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		public(c)
		c.Registration.Mode, c.SigningKeys = "open", nil // nil: the provider's default
	})
	w := serve(p, get(t, "GET", "/.well-known/openid-configuration", nil))
	var all map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	m := metadata(t, p)
	https := func(addresses ...string) bool {
		isBad := func(a string) bool { return !strings.HasPrefix(a, "https://") || strings.ContainsAny(a, "#") }
		return !slices.ContainsFunc(addresses, isBad)
	}
	lists := func(values []string, wanted string) bool { return slices.Contains(values, wanted) }
	checkSayings(t, []saying{
		{
			"Discovery §3 issuer is REQUIRED: an https URL without query or fragment",
			https(m.Issuer) && !strings.ContainsAny(m.Issuer, "?#"),
		},
		{"Discovery §3 authorization_endpoint is REQUIRED", https(m.AuthorizationEndpoint)},
		{"Discovery §3 token_endpoint is REQUIRED", https(m.TokenEndpoint)},
		{"Discovery §3 userinfo_endpoint MUST use https", https(m.UserinfoEndpoint)},
		{"Discovery §3 jwks_uri is REQUIRED, and MUST use https", https(m.JWKSURI)},
		{"Discovery §3 registration_endpoint is https", https(m.RegistrationEndpoint)},
		{"Discovery §3 scopes_supported: the server MUST support openid", lists(m.ScopesSupported, "openid")},
		{"Discovery §3 response_types_supported is REQUIRED: code MUST be in it", lists(m.ResponseTypesSupported, "code")},
		{
			"Discovery §3 grant_types_supported: authorization_code MUST be in it",
			lists(m.GrantTypesSupported, "authorization_code"),
		},
		{"Discovery §3 subject_types_supported is REQUIRED", len(m.SubjectTypesSupported) > 0},
		{
			"Discovery §3 id_token_signing_alg_values_supported is REQUIRED: RS256 MUST be included",
			lists(m.IDTokenSigningAlgValuesSupported, "RS256"),
		},
		{
			"Discovery §3 none MUST NOT be used for ID Tokens of the token endpoint alone",
			!lists(m.IDTokenSigningAlgValuesSupported, "none"),
		},
		{
			"Discovery §3 none MUST NOT be in token_endpoint_auth_signing_alg_values_supported",
			!lists(m.TokenEndpointAuthAlgs, "none"),
		},
	}, w.Body.String())
	checkSayings(t, moreOfTheMetadata(m, https, lists, w), w.Body.String())
	for name, value := range all {
		if list, isList := value.([]any); value == nil || isList && len(list) == 0 {
			t.Errorf("RFC 8414 §3.2 %s has nothing: it MUST be omitted", name)
		}
		if strings.HasSuffix(name, "_supported") {
			_, isList := value.([]any)
			_, isFlag := value.(bool)
			if !isList && !isFlag {
				t.Errorf("RFC 8414 §3.2 %s has several values: it MUST be a JSON array", name)
			}
		}
	}
}

// The document at the other addresses that people try, and by other methods.
func TestWhereTheMetadataIs(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, row := range []struct {
		name, method, path string
		status             int
	}{
		{"Discovery §4.1 the document is asked for by GET", "GET", "/.well-known/openid-configuration", 200},
		{"RFC 8414 §3.1 the document is asked for by GET", "GET", "/.well-known/oauth-authorization-server", 200},
		{"Discovery §4 a slash behind the address is another one", "GET", "/.well-known/openid-configuration/", 404},
		{"Discovery §4.1 POST is no way to ask", "POST", "/.well-known/openid-configuration", 405},
		{"Discovery §2 there is no WebFinger here", "GET", "/.well-known/webfinger", 404},
	} {
		if w := serve(p, get(t, row.method, row.path, nil)); w.Code != row.status {
			t.Errorf("%s: got %d; want %d", row.name, w.Code, row.status)
		}
	}
}

func TestInvalidIssuersAreRefused(t *testing.T) {
	for name, issuer := range map[string]string{
		"Discovery §3 issuer MUST be https":                    "http://login.example.com",
		"Discovery §3 issuer MUST NOT have a query":            "https://login.example.com?tenant=1",
		"Discovery §3 issuer MUST NOT have a fragment":         "https://login.example.com#x",
		"RFC 8414 §2 issuer is a URL":                          "login.example.com",
		"Discovery §3 an issuer with a user name is no origin": "https://me@login.example.com",
		"Discovery §4.3 a slash at the end is another issuer":  "https://login.example.com/",
	} {
		var config idp.Config
		public(&config)
		config.Issuer = issuer
		if err := idp.Validate(config.WithDefaults()); err == nil || !strings.Contains(err.Error(), "issuer: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// moreOfTheMetadata are the sayings about revocation, introspection, devices and the answer itself.
func moreOfTheMetadata(
	m oidc.Metadata, https func(...string) bool, lists func([]string, string) bool, w *httptest.ResponseRecorder,
) []saying {
	return []saying{
		{
			"Discovery §3 request_object_signing_alg_values_supported: none and RS256 SHOULD be supported",
			lists(m.RequestObjectSigningAlgValuesSupported, "none") && lists(m.RequestObjectSigningAlgValuesSupported, "RS256"),
		},
		{"Discovery §3 claim_types_supported: normal, if anything", slices.Equal(m.ClaimTypesSupported, []string{"normal"})},
		{
			"RFC 8414 §2 token_endpoint_auth_signing_alg_values_supported MUST be there where assertions are",
			!lists(m.TokenEndpointAuthMethodsSupported, oidc.AuthMethodPrivateJWT) || lists(
				m.TokenEndpointAuthAlgs, "RS256",
			),
		},
		{
			"RFC 8414 §2 the same of revocation_endpoint, and none MUST NOT be used",
			lists(m.RevocationAuthAlgs, "RS256") && !lists(
				m.RevocationAuthAlgs, "none",
			),
		},
		{
			"RFC 8414 §2 the same of introspection_endpoint, and none MUST NOT be used",
			lists(m.IntrospectionAuthAlgs, "RS256") && !lists(
				m.IntrospectionAuthAlgs, "none",
			),
		},
		{"RFC 8628 §4 device_authorization_endpoint is https", https(m.DeviceAuthorizationEndpoint)},
		{
			"RFC 8414 §3.2 the answer MUST have status 200 and be application/json",
			w.Code == http.StatusOK && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json"),
		},
	}
}
