package rp

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// proofWindow is the accepted difference of the iat of a DPoP proof from this API's clock, in either direction.
const proofWindow = time.Minute

// proof is the subject of the rules about a DPoP proof.
type proof struct {
	proofClaims
	typ         string
	jkt         string // of the key that signed it
	request     *http.Request
	target      string // the request's htu
	accessToken string
	token       *AccessToken
	now         time.Time
}

type proofClaims struct {
	Jti string           `json:"jti"`
	Htm string           `json:"htm"`
	Htu string           `json:"htu"`
	Iat *jwt.NumericDate `json:"iat"`
	Ath string           `json:"ath"`
}

// proofRules are the rules of RFC 9449 §4.3 for an API, after alg, jwk and signature.
var proofRules = oidc.Table[proof]{
	{Spec: "RFC 9449 §4.3 (4)", Text: "the DPoP proof's typ is dpop+jwt", Else: oidc.InvalidDPoPProof,
		Holds: func(p proof) bool { return p.typ == proofType },
		Got:   func(p proof) string { return fmt.Sprintf("%q", clip(p.typ)) }},
	{Spec: "RFC 9449 §4.3 (3)", Text: "the DPoP proof's jti has 1 to 255 bytes", Else: oidc.InvalidDPoPProof,
		Holds: func(p proof) bool { return p.Jti != "" && len(p.Jti) <= 255 },
		Got:   func(p proof) string { return fmt.Sprintf("%d bytes", len(p.Jti)) }},
	{Spec: "RFC 9449 §4.3 (8)", Text: "the DPoP proof's htm is the method of the request", Else: oidc.InvalidDPoPProof,
		Holds: func(p proof) bool { return p.Htm == p.request.Method },
		Got:   func(p proof) string { return fmt.Sprintf("%q, not %s", clip(p.Htm), p.request.Method) }},
	{Spec: "RFC 9449 §4.3 (9)", Text: "the DPoP proof's htu is the address of the request", Else: oidc.InvalidDPoPProof,
		Holds: func(p proof) bool { return normalHTU(p.Htu) == p.target },
		Got:   func(p proof) string { return fmt.Sprintf("%q, not %s", clip(p.Htu), p.target) }},
	{Spec: "RFC 9449 §4.3 (11)", Text: "the DPoP proof has an iat", Else: oidc.InvalidDPoPProof,
		Holds: func(p proof) bool { return p.Iat != nil }},
	{Spec: "RFC 9449 §4.3 (11)", Text: "the DPoP proof's iat is within 1m0s of this API's clock",
		Else:  oidc.InvalidDPoPProof,
		Holds: func(p proof) bool { return p.now.Sub(p.Iat.Time()).Abs() <= proofWindow },
		Got:   func(p proof) string { return seconds(p.now.Sub(p.Iat.Time()).Abs()) + " away" }},
	{Spec: "RFC 9449 §4.3 (12)", Text: "the DPoP proof's ath is the hash of the access token", Else: oidc.InvalidDPoPProof,
		Holds: func(p proof) bool { return p.Ath == ath(p.accessToken) }},
	{Spec: "RFC 9449 §4.3 (12)", Text: "the DPoP proof is signed by the key of the access token",
		Else:  oidc.InvalidDPoPProof,
		Holds: func(p proof) bool { return p.jkt == p.token.JKT }},
}

// checkBinding compares a token that is bound to a key with the proof, and refuses the wrong scheme. RFC 9449 §7.1:
// "the resource server … MUST NOT grant access … unless all checks are successful"; §7.2: a bound token is no bearer
// token.
func (s *Resource) checkBinding(r *http.Request, scheme, raw string, token *AccessToken) error {
	switch {
	case token.JKT == "" && scheme == tokenTypeBearer:
		return nil
	case token.JKT == "":
		return oidc.InvalidToken.Errorf("the access token is bound to no key (RFC 9449 section 7.1): send it as Bearer")
	case scheme == tokenTypeBearer:
		return oidc.InvalidToken.Errorf("the access token is bound to a key (RFC 9449 section 7.2): " +
			"send it as DPoP with a proof")
	}
	proofs := r.Header.Values("DPoP")
	if len(proofs) != 1 { // §4.3 (1)
		return oidc.InvalidDPoPProof.Errorf("the request has %d DPoP headers, expected one (RFC 9449 section 4.3)",
			len(proofs))
	}
	p := proof{request: r, target: s.htuOf(r), accessToken: raw, token: token, now: s.config.Now()}
	if err := p.read(proofs[0]); err != nil {
		return err
	}
	if err := proofRules.Judge(r.Context(), p); err != nil {
		return err
	}
	// §11.1: the proof is remembered for as long as its iat is acceptable.
	return spendOnce(r.Context(), s.proofs, p.jkt+" "+p.Jti, 2*proofWindow, oidc.InvalidDPoPProof.Errorf(
		"the DPoP proof has been used before (RFC 9449 section 11.1): make a new one for each request"))
}

// read verifies the signature by the key inside: RFC 9449 §4.3 (2), (5), (6), (7).
func (p *proof) read(raw string) error {
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return oidc.InvalidDPoPProof.Errorf("the DPoP proof is not a JWT with an asymmetric signature "+
			"(RFC 9449 section 4.3): %s", clip(err.Error()))
	}
	header := token.Headers[0]
	if header.JSONWebKey == nil || !header.JSONWebKey.IsPublic() {
		return oidc.InvalidDPoPProof.Errorf("the DPoP proof has no public key as jwk in its header (RFC 9449 section 4.3)")
	}
	p.typ, p.jkt = mediaType(header), thumbprint(*header.JSONWebKey)
	if token.Claims(header.JSONWebKey.Key, &p.proofClaims) != nil {
		return oidc.InvalidDPoPProof.Errorf("the DPoP proof's signature is not by its jwk, or a claim has the wrong type " +
			"(RFC 9449 section 4.3)")
	}
	return nil
}

// htuOf is the address of the request for its sender.
func (s *Resource) htuOf(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return normalHTU(cmp.Or(s.config.Origin, scheme+r.Host) + r.URL.EscapedPath())
}

// normalHTU normalizes an htu before it is compared: RFC 9449 §4.3, "the server SHOULD … employ Syntax-Based
// Normalization and Scheme-Based Normalization".
func normalHTU(text string) string {
	u, err := url.Parse(text)
	if err != nil || oidc.Origin(text) == "" {
		return ""
	}
	return oidc.Origin(text) + cmp.Or(u.EscapedPath(), "/")
}
