package clients_test

import (
	"encoding/json"
	"testing"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// FuzzStoredEntry: whatever the store holds for a client that registered itself, only the token in it opens it, and
// what can be read can be changed or is an error.
func FuzzStoredEntry(f *testing.F) {
	o := newFixture()
	plain := oidc.Client{
		ClientID:     "late",
		ClientSecret: oidc.NewSecret("s"),
		RedirectURIs: []string{"https://late.test/cb"},
	}
	signing := plain
	signing.TokenEndpointAuthMethod = oidc.AuthMethodSecretJWT
	for _, record := range []any{
		o.NewEntry(plain, oidc.NewSecret("the token")), o.NewEntry(signing, oidc.NewSecret("the token")),
		clients.Entry{}, nil, "", 7, []string{"x"},
		map[string]any{
			"client":     nil,
			"token_hash": ""},
		map[string]any{"client": map[string]any{"client_id": "late", "jwks": map[string]any{"keys": []any{nil, 7}}}},
		map[string]any{"clients": -1},
	} {
		text, err := json.Marshal(record)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "the token")
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, record []byte, token string) {
		r := clients.NewRegistered(storagetest.Holding(record), sealed, o.clock.Now)
		entry, err := r.ByToken(t.Context(), "late", token)
		if err == nil && entry.TokenHash != oidc.NewSecret(token).Hash() {
			t.Errorf("%s opens for %q", record, token)
		}
		client, found := r.ByID(t.Context(), "late")
		if found == nil && client.ClientSecret.Matches("") {
			t.Errorf("%s: an empty secret is good", record)
		}
		if err == nil && found == nil {
			if err := r.Replace(t.Context(), r.With(entry, *client)); err != nil {
				t.Errorf("%s can be read but not changed: %v", record, err)
			}
		}
		_, _ = r.AllowsOrigin(t.Context(), "https://late.test") // whether it does is not the question, only that it ends
		_ = r.Remove(t.Context(), "late")
	})
}
