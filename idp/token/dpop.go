package token

import (
	"net/http"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// proof is the key that the request proves to hold (RFC 9449 §5). It is asked before anything is spent, so that a client which
// must repeat its request with a nonce loses nothing.
func (e *Endpoint) proof(r *http.Request, client oidc.Client) (jkt string, err error) {
	if e.Proof == nil {
		return "", nil
	}
	return e.Proof(r, client)
}

// boundToKey: RFC 9449 §10: "the authorization server computes the JWK Thumbprint of the proof-of-possession public key in the
// DPoP proof and verifies that it matches the dpop_jkt parameter value in the authorization request. If they do not match, it
// MUST reject the request." A request without a proof has no key.
// https://www.rfc-editor.org/rfc/rfc9449#section-10
var boundToKey = Rule{
	Spec: "RFC 9449 §10", Text: "the proof is of the key that the code is bound to",
	Params: []string{"dpop_jkt"},
	Holds:  func(r request, g grant.Grant, _ time.Time) bool { return g.DPoPJKT == "" || equal(r.JKT, g.DPoPJKT) },
	Help:   "send a DPoP proof of the key whose thumbprint was dpop_jkt", Reason: oidc.DPoPProof,
}
