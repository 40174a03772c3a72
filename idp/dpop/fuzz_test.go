package dpop_test

import (
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/oidc"
)

// Whatever a client signs, it holds the key that it signed with, or nothing.
func FuzzSignedClaims(f *testing.F) {
	d := newDesk()
	options := new(jose.SignerOptions).WithType(dpop.Type).WithHeader("jwk", jose.JSONWebKey{Key: key1().Public()})
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key1()}, options))
	for _, change := range []map[string]any{nil, {"htu": "https://%zz"}, {"htu": 7}, {"iat": 1e300}, {"iat": "now"}, {"nonce": "AAAA"}, {"nonce": d.Nonces.Current()}, {"jti": ""}} {
		claims := newAttempt(d).claims
		for name, value := range change {
			claims[name] = value
		}
		f.Add(must(json.Marshal(claims)))
	}
	f.Fuzz(func(t *testing.T, claims []byte) {
		proof, err := d.Check(t.Context(), must(must(signer.Sign(claims)).CompactSerialize()), dpop.Request{Method: "POST", URL: target})
		code := oidc.AsError(err)
		switch {
		case err == nil && proof.JKT != thumbprint(key1().Public()):
			t.Errorf("got %+v", proof)
		case err != nil && code.Code != oidc.InvalidDPoPProof && code.Code != oidc.UseDPoPNonce:
			t.Errorf("got %v", err)
		}
	})
}
