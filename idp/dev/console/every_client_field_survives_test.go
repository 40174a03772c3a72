package console_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/oidc"
)

// samples are valid values for fields of a client that do not take any value of their type.
func samples(t *testing.T) map[string]any {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	public := jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}
	ten := 10
	return map[string]any{
		"client_id": "every", "client_secret": oidc.NewSecret("a-long-secret-of-forty-characters-at-least-ok"),
		"default_max_age":            &ten,
		"jwks":                       &oidc.KeySet{JSONWebKeySet: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}},
		"redirect_uris":              []string{"https://app.example.com/cb", "https://app.example.com/silent?a=%20&b=1"},
		"token_endpoint_auth_method": oidc.AuthMethodPrivateJWT, "token_endpoint_auth_signing_alg": "ES256",
		"application_type": "web",
		"grant_types":      []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken, oidc.GrantDeviceCode},
		"response_types":   []string{"code"}, "scope": "openid email", "subject_type": oidc.SubjectPairwise,
		"sector_identifier_uri":        "https://app.example.com/sector.json",
		"id_token_signed_response_alg": "ES256", "userinfo_signed_response_alg": "ES256",
		"id_token_encrypted_response_alg": "ECDH-ES", "id_token_encrypted_response_enc": "A256GCM",
		"userinfo_encrypted_response_alg": "ECDH-ES", "userinfo_encrypted_response_enc": "A256GCM",
		"request_object_signing_alg": "ES256", "authorization_signed_response_alg": "ES256",
		"introspection_signed_response_alg": "ES256",
		"access_token_format":               oidc.FormatOpaque, "profile": oidc.ProfileFAPI2,
		"default_acr_values": []string{"urn:hush:password"}, "contacts": []string{"# somebody: <a@example.com>"},
		"allowed_cors_origins": []string{"capacitor://localhost"},
		"id_token_claims":      oidc.ClaimNames{"scope"}, "access_token_claims": oidc.ClaimNames{"email_verified", "email"},
		"access_token_type": oidc.TypeATJWT, "claims": map[string]any{"roles": []any{"machine"}},
		"claims_mapping": map[string]any{
			"realm_access.roles": "roles", "https://app.example/tenant": map[string]any{"value": "acme: #1"},
		},
		"client_name": `"The app": #1`,
	}
}

// everyField is a client with a non-zero value in every field; fields of a kind that needs no special value are filled
// by it.
func everyField(t *testing.T) oidc.Client {
	t.Helper()
	var client oidc.Client
	values := samples(t)
	for field, value := range reflect.ValueOf(&client).Elem().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		sample, ok := values[name]
		switch into := value.Addr().Interface().(type) {
		case *time.Duration:
			*into = 90 * time.Minute
		case *bool:
			*into = true
		case *string:
			*into = "https://app.example.com/" + name
		case *[]string:
			*into = []string{"https://app.example.com/" + name}
		}
		if ok {
			value.Set(reflect.ValueOf(sample))
		}
		if value.IsZero() {
			t.Fatalf("%s has no sample value", name)
		}
	}
	return client
}

// Clients: jwks and jwks_uri must not stand together (Registration §2), and an opaque token has no typ, so two clients
// cover all fields.
func TestEveryFieldOfAClientSurvivesTheConsole(t *testing.T) {
	compare := cmp.Options{cmp.AllowUnexported(oidc.Secret{}), cmp.Comparer(func(a, b jose.JSONWebKey) bool {
		x, err := a.MarshalJSON()
		y, err2 := b.MarshalJSON()
		return err == nil && err2 == nil && string(x) == string(y)
	})}
	for _, without := range []string{"jwks", "jwks_uri"} {
		h := newFixture(t)
		client := everyField(t)
		if without == "jwks" {
			client.JWKS, client.AccessTokenFormat = nil, ""
		} else {
			client.JWKSURI, client.AccessTokenType = "", ""
		}
		must(t, h.Clients.Put(t.Context(), client))
		before, err := h.Clients.ByID(t.Context(), client.ClientID)
		must(t, err)
		for _, entry := range h.json(t, 200, "GET", "/console/clients", "")["clients"].([]any) {
			shown := entry.(map[string]any)["client"].(map[string]any)
			if shown["client_id"] != client.ClientID {
				continue
			}
			body, err := json.Marshal(shown)
			must(t, err)
			h.json(t, 200, "PATCH", "/console/clients/"+client.ClientID, string(body))
		}
		after, err := h.Clients.ByID(t.Context(), client.ClientID)
		must(t, err)
		if diff := cmp.Diff(before, after, compare); diff != "" {
			t.Errorf("without %s, a client that was sent back unchanged changed (-before +after):\n%s", without, diff)
		}

		answer := h.json(t, 200, "PATCH", "/console/clients/every",
			`{"client_secret":"`+client.ClientSecret.Plain()+`"}`)
		var file struct {
			Clients []oidc.Client `yaml:"clients"`
		}
		must(t, yaml.UnmarshalWithOptions([]byte(answer["yaml"].(string)), &file, yaml.DisallowUnknownField()))
		if diff := cmp.Diff([]oidc.Client{client}, file.Clients, compare); diff != "" {
			t.Errorf("without %s, the YAML is not the client (-client +yaml):\n%s\n%s", without, diff, answer["yaml"])
		}
	}
}
