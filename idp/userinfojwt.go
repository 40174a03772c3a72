package idp

import (
	"fmt"
	"slices"
)

// checkUserinfoAlgs: what a client wants signed, a key must be there for.
func (c Config) checkUserinfoAlgs(p *Problems) {
	for i, client := range c.Clients {
		alg := client.UserinfoSignedResponseAlg
		p.when(alg != "" && !slices.ContainsFunc(c.SigningKeys, func(k SigningKey) bool { return k.Alg == alg }), fmt.Sprintf("clients[%d].userinfo_signed_response_alg", i),
			"%q has no signing key: add one to signing_keys, or choose another alg", alg)
	}
}
