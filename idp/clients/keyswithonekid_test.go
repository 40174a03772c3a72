package clients_test

import (
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// RFC 7517 §4.5: different keys should have different kids.
func TestAFewKeysWithOneKidAreTried(t *testing.T) {
	key := ec(t)
	for before, message := range map[int]string{0: "", 3: "", 4: "its signature is not", 99: "its signature is not"} {
		set := &oidc.KeySet{}
		for range before {
			set.Keys = append(set.Keys, jwk("k", ec(t).Public()))
		}
		set.Keys = append(set.Keys, jwk("k", key.Public()))
		client := oidc.Client{ClientID: "c", JWKS: set}
		want(t, verify(clients.NewKeys(nil, nil), client, sign(t, jose.ES256, "k", key)), message)
	}
}
