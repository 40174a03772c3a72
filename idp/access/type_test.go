package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

// typJWT is a client whose access tokens have the typ of ID tokens.
var typJWT = oidc.Client{ClientID: "spa", AccessTokenType: oidc.TypeJWT}

func TestAnAccessTokenOfTypJWTCanBeRead(t *testing.T) { // RFC 7519 §5.1
	f := newFixture(t)
	want := f.good("spa")
	raw := f.make(t, typJWT, want)
	got, err := f.Read(t.Context(), raw)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Read: %v (-want +got):\n%s", err, diff)
	}
	var claims map[string]any
	wantNil(t, f.Keys.Verify(t.Context(), raw, "JWT", &claims))
}

// The typ cannot tell these tokens apart, so their claims must (RFC 8725 §3.12).
func TestTokensOfOneTypAreNotTakenForEachOther(t *testing.T) {
	f := newFixture(t)
	now := f.clock.Now().Unix()
	idToken, err := f.Signer.Sign(t.Context(), "ES256", keys.TypeIDToken, map[string]any{
		"iss": issuer, "sub": "alice", "aud": "spa", "iat": now, "exp": now + 60, "client_id": "spa", "scope": "openid",
	})
	wantNil(t, err)
	if _, err := f.Read(t.Context(), idToken); err == nil || oidc.AsError(err).Code != oidc.InvalidToken {
		t.Errorf("RFC 9068 §4 an ID token as an access token: %v", err)
	}
	hints := access.Hints{Issuer: issuer, Keys: f.Keys, Clients: clients.New(registered()), Subjects: f.Subjects}
	if hint, err := hints.Read(t.Context(), f.make(t, typJWT, f.good("spa"))); err == nil {
		t.Errorf("Core §3.1.2.1 an access token as id_token_hint: %+v", hint)
	}
	if _, err := hints.Read(t.Context(), idToken); err != nil {
		t.Errorf("Core §3.1.2.1 an ID token as id_token_hint: %v", err)
	}
}
