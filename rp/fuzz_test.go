package rp

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/storage/storagetest"
)

// What strangers send is refused in words, whatever it is.

func FuzzProof(f *testing.F) {
	prover := newProver(Config{DPoP: true, DPoPKey: newDPoPKey(), Now: storagetest.NewClock().Now})
	r := httptest.NewRequest("GET", "https://api.test/me", nil)
	if err := prover.prove(r); err != nil {
		f.Fatal(err)
	}
	f.Add(r.Header.Get("DPoP"))
	f.Add("eyJhbGciOiJub25lIn0..")
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := readProof(raw)
		if err != nil {
			return
		}
		p.request, p.target, p.token, p.now = r, "https://api.test/me", &AccessToken{JKT: "another"}, storagetest.NewClock().Now()
		if judge(proofRules, *p) == "" {
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
		for _, key := range publicKeys([]json.RawMessage{raw}) {
			_ = fits(key, jose.Header{KeyID: "x", Algorithm: "ES256"})
		}
	})
}
