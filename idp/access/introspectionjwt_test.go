package access_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/keys"
)

func TestAnAnswerAsJWT(t *testing.T) { // RFC 9701
	f := newFixture(t)
	raw := f.makeFor(t, "", nil)
	for _, row := range []struct{ name, client, accept, alg string }{
		{"RFC 9701 §4 asked for by Accept, by the default alg", "web", "application/token-introspection+jwt", "RS256"},
		{"RFC 9701 §4 asked for among others", "web", "application/json;q=0.5, application/token-introspection+jwt", "RS256"},
		{"RFC 9701 §6 registered by introspection_signed_response_alg", "signed", "", "ES256"},
		{"RFC 9701 §4 not asked for", "web", "application/json", ""},
		{"RFC 9701 §4 not wanted", "web", "application/token-introspection+jwt;q=0", ""},
		{"RFC 9701 §4 any form will do", "web", "*/*", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := question(t, row.client, raw, nil)
			r.Header.Set("Accept", row.accept)
			_, jwt, err := f.introspect(r)
			if err != nil || (jwt != "") != (row.alg != "") {
				t.Fatalf("got %q, %v", jwt, err)
			}
			if row.alg == "" {
				return
			}
			var claims map[string]any
			if err := f.Keys.Verify(t.Context(), jwt, keys.TypeIntrospection, &claims); err != nil {
				t.Fatalf("RFC 9701 §5 the typ header MUST be token-introspection+jwt: %v", err)
			}
			f.checkJWT(t, claims, row.client)
		})
	}
}

func TestAnAnswerAsJWTAboutWhatIsNotGood(t *testing.T) {
	for _, row := range []struct {
		name, client string
		change       func(*access.Token)
		forge        func(raw string) string
	}{
		{
			name: "RFC 9701 §5 of an invalid token active MUST be false, and nothing else MUST be there", client: "signed",
			forge: func(string) string { return "garbage" },
		},
		{
			name: "RFC 9701 §5 of an expired token active MUST be false", client: "signed",
			change: func(token *access.Token) { token.Expiry = token.IssuedAt },
		},
		{name: "RFC 9701 §5 of a token that is not for the resource server that asks active MUST be false", client: "other"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t)
			raw := f.makeFor(t, "", row.change)
			if row.forge != nil {
				raw = row.forge(raw)
			}
			r := question(t, row.client, raw, nil)
			r.Header.Set("Accept", "application/token-introspection+jwt")
			_, jwt, err := f.introspect(r)
			wantNil(t, err)
			var claims map[string]any
			wantNil(t, f.Keys.Verify(t.Context(), jwt, keys.TypeIntrospection, &claims))
			if diff := cmp.Diff(map[string]any{"active": false}, claims["token_introspection"]); diff != "" ||
				claims["aud"] != row.client ||
				len(claims) != 4 {
				t.Errorf("got %v", claims)
			}
		})
	}
}

func TestAnAnswerAsJWTIsNoOtherToken(t *testing.T) {
	f := newFixture(t)
	raw := f.makeFor(t, "", nil)
	_, jwt, err := f.introspect(question(t, "signed", raw, nil))
	wantNil(t, err)
	for row, typ := range map[string]string{
		"RFC 9701 §8.1 it is no access token":                    keys.TypeAccessToken,
		"RFC 9701 §8.1 it is no ID token":                        keys.TypeIDToken,
		"RFC 9701 §8.1 it is no logout token":                    keys.TypeLogoutToken,
		"RFC 9701 §8.1 its typ is token-introspection+jwt alone": "",
	} {
		if err := f.Keys.Verify(t.Context(), jwt, typ, new(map[string]any)); err == nil {
			t.Error(row)
		}
	}
	if got := f.ask(t, "web", jwt); got.Active {
		t.Errorf("RFC 9701 §8.1 asking about an answer gives %+v", got)
	}
	anonymous := question(t, "web", raw, url.Values{"client_id": {""}, "client_secret": {""}})
	anonymous.Header.Set("Accept", "application/token-introspection+jwt")
	if _, jwt, err := f.introspect(anonymous); err == nil || jwt != "" {
		t.Errorf("RFC 9701 §5 the resource server that asks MUST be known: got %q, %v", jwt, err)
	}
}

func (f *fixture) checkJWT(t *testing.T, claims map[string]any, client string) {
	t.Helper()
	if claims["iss"] != issuer || claims["aud"] != client || claims["iat"] != float64(f.clock.Now().Unix()) ||
		len(claims) != 4 {
		t.Errorf("RFC 9701 §5 iss, aud and iat MUST be there, sub and exp MUST NOT: got %v", claims)
	}
	want, err := json.Marshal(f.saysOfGood())
	wantNil(t, err)
	var wanted map[string]any
	wantNil(t, json.Unmarshal(want, &wanted))
	if diff := cmp.Diff(wanted, claims["token_introspection"]); diff != "" {
		t.Errorf("RFC 9701 §5 token_introspection (-want +got):\n%s", diff)
	}
}
