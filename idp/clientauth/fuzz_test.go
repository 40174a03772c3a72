package clientauth_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/oidc"
)

// A signed assertion authenticates the client that it names, or no client.
func FuzzSignedClaims(f *testing.F) {
	by := newAuthenticator()
	signer := must(
		jose.NewSigner(
			jose.SigningKey{Algorithm: jose.ES256, Key: elliptic1()},
			new(jose.SignerOptions).WithHeader("kid", "e"),
		),
	)
	good := newAsking("private").claims
	for _, change := range []map[string]any{
		nil, {"aud": []any{1}}, {"exp": "soon"}, {"exp": 1e300}, {"nbf": -1e300}, {"jti": map[string]any{}}, {"sub": nil},
	} {
		claims := map[string]any{}
		for name, value := range good {
			claims[name] = value
		}
		for name, value := range change {
			claims[name] = value
		}
		f.Add(must(json.Marshal(claims)))
	}
	f.Add([]byte(`{"sub":"private","sub":"bank"}`))
	f.Fuzz(func(t *testing.T, claims []byte) {
		assertion := must(must(signer.Sign(claims)).CompactSerialize())
		client, err := send(
			by,
			"/token",
			url.Values{"client_assertion_type": {clientauth.TypeAssertion}, "client_assertion": {assertion}},
			"",
		)
		var named struct{ Iss, Sub string }
		switch {
		case err != nil && oidc.AsError(err).Code != oidc.InvalidClient:
			t.Errorf("got %v", err)
		case err == nil && (json.Unmarshal(claims, &named) != nil ||
			named.Iss != client.ClientID || named.Sub != client.ClientID):
			t.Errorf("%s is taken for %s", claims, client.ClientID)
		}
	})
}
