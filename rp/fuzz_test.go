package rp

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// Untrusted input of any form is refused without a panic.

func FuzzProof(f *testing.F) {
	prover := newProver(Config{DPoP: true, DPoPKey: newDPoPKey(), Now: storagetest.NewClock().Now})
	r := httptest.NewRequest("GET", "https://api.test/me", nil)
	if err := prover.prove(r); err != nil {
		f.Fatal(err)
	}
	f.Add(r.Header.Get("DPoP"))
	f.Add("eyJhbGciOiJub25lIn0..")
	f.Fuzz(func(t *testing.T, raw string) {
		p := proof{request: r, target: "https://api.test/me", token: &AccessToken{JKT: "another"},
			now: storagetest.NewClock().Now()}
		if p.read(raw) != nil {
			return
		}
		if proofRules.Judge(t.Context(), p) == nil {
			t.Errorf("a proof by a key that the token is not bound to: %s", raw)
		}
	})
}

func FuzzResponse(f *testing.F) {
	for _, seed := range []string{"code=a&state=b&iss=c", "error=x&error_description=%00", "state=a&state=b", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		answer, err := parseResponse(raw)
		if err == nil && answer.err != "" {
			_ = providerError(answer.err, answer.errDescription).Params()
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"kty":"EC","crv":"P-256","x":"","y":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var set oidc.KeySet
		_ = json.Unmarshal([]byte(`{"keys":[`+string(raw)+`]}`), &set)
		keys, _ := set.For("ES256", "")
		for _, key := range keys {
			if !key.IsPublic() {
				t.Errorf("a key that is not public is used: %s", raw)
			}
		}
	})
}
