package console_test

import (
	"strings"
	"testing"
)

// The console holds a client to the same conditions as the file does. A good client plus one change.
func TestTheConsoleChecksAClientAsTheFileIsChecked(t *testing.T) {
	h := newFixture(t)
	h.Provided.PairwiseSalt = ""
	good := `"redirect_uris":["http://localhost:5173/cb"],"token_endpoint_auth_method":"none"`
	h.json(t, 200, "PUT", "/console/clients/good", "{"+good+"}")
	for _, row := range []struct{ name, change, says string }{
		{"Registration §2 an alg of ID tokens without a key", `"id_token_signed_response_alg":"RS256"`, "id_token_signed"},
		{"Registration §2 an alg of userinfo without a key", `"userinfo_signed_response_alg":"RS256"`, "userinfo_signed"},
		{"JARM §3 an alg of answers without a key", `"authorization_signed_response_alg":"RS256"`, "authorization_signed"},
		{"RFC 9701 §6 an alg of introspection without a key", `"introspection_signed_response_alg":"RS256"`,
			"introspection_signed"},
		{"Registration §2 an acr that the provider does not know", `"default_acr_values":["9"]`, "default_acr_values[0]"},
		{"a refresh token that lives too long", `"refresh_token_lifetime":"13h"`, "refresh_token_lifetime"},
		{"Core §8.1 a pairwise client without a salt", `"subject_type":"pairwise"`, "subject_type"},
		{"Core §5.4 a scope that the provider does not know", `"scope":"openid nowhere"`, "nowhere"},
		{"a claim that no scope covers", `"id_token_claims":["nothing"]`, "id_token_claims[0]"},
		{"RFC 6749 §3.1.2 a redirect URI with a fragment", `"post_logout_redirect_uris":["http://localhost/#x"]`,
			"post_logout_redirect_uris[0]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := h.json(t, 400, "PUT", "/console/clients/bad", "{"+good+","+row.change+"}")
			if said, _ := answer["error_description"].(string); !strings.Contains(said, row.says) {
				t.Errorf("the refusal is %q; want %s in it", said, row.says)
			}
		})
	}
}
