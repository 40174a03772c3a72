package dpop

import (
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// Whatever a client signs, it holds the key that it signed with, or nothing.
func FuzzSignedClaims(fuzz *testing.F) {
	f := newFixture()
	options := new(jose.SignerOptions).WithType(Type).WithHeader("jwk", jose.JSONWebKey{Key: key1().Public()})
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key1()}, options))
	for _, change := range []map[string]any{
		nil, {"htu": "https://%zz"}, {"htu": 7}, {"iat": 1e300},
		{"iat": "now"}, {"nonce": "AAAA"}, {"nonce": f.Nonces.Current()}, {"jti": ""},
	} {
		claims := newAttempt(f).claims
		for name, value := range change {
			claims[name] = value
		}
		fuzz.Add(must(json.Marshal(claims)))
	}
	fuzz.Fuzz(func(t *testing.T, claims []byte) {
		jkt, err := f.Proof(requestWith(t, must(must(signer.Sign(claims)).CompactSerialize())), &oidc.Client{})
		code := oidc.AsError(err)
		switch {
		case err == nil && jkt != thumbprint(key1().Public()):
			t.Errorf("got %q", jkt)
		case err != nil && code.Code != oidc.InvalidDPoPProof && code.Code != oidc.UseDPoPNonce:
			t.Errorf("got %v", err)
		}
	})
}
