package rp

import (
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// proofWindow is how far the iat of a DPoP proof may be from this API's clock, in either direction.
const proofWindow = time.Minute

// proof is what the rules about a DPoP proof look at.
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

// proofRules are RFC 9449 §4.3 as it concerns an API, after alg, jwk and signature.
var proofRules = []rule[proof]{
	{"RFC 9449 §4.3 (4)", "typ is dpop+jwt", func(p proof) string {
		return unless(p.typ == proofType, "typ is '%s'", clip(p.typ))
	}},
	{"RFC 9449 §4.3 (3)", "jti is present", func(p proof) string {
		return unless(p.Jti != "" && len(p.Jti) <= 255, "jti is missing or too long")
	}},
	{"RFC 9449 §4.3 (8)", "htm is the method of the request", func(p proof) string {
		return unless(p.Htm == p.request.Method, "htm is '%s', expected %s", clip(p.Htm), p.request.Method)
	}},
	{"RFC 9449 §4.3 (9)", "htu is the address of the request", func(p proof) string {
		return unless(normalHTU(p.Htu) == p.target, "htu is '%s', expected %s", clip(p.Htu), p.target)
	}},
	{"RFC 9449 §4.3 (11)", "iat is within an acceptable window", func(p proof) string {
		if p.Iat == nil {
			return "iat is missing"
		}
		off := p.now.Sub(p.Iat.Time()).Abs()
		return unless(off <= proofWindow, "iat is %v away from this API's clock, more than %v", off.Round(time.Second), proofWindow)
	}},
	{"RFC 9449 §4.3 (12)", "ath is the access token's", func(p proof) string {
		return unless(p.Ath == ath(p.accessToken), "ath is missing, or that of another token")
	}},
	{"RFC 9449 §4.3 (12)", "the key is the one that the access token is bound to", func(p proof) string {
		return unless(p.jkt == p.token.JKT, "another key signed it")
	}},
}

// checkBinding holds a token that is bound to a key against the proof, and refuses the wrong scheme. RFC 9449 §7.1: "the resource
// server … MUST NOT grant access … unless all checks are successful"; §7.2, a bound token is no bearer token.
func (s *Resource) checkBinding(r *http.Request, scheme, raw string, token *AccessToken) error {
	switch {
	case token.JKT == "" && scheme == tokenTypeBearer:
		return nil
	case token.JKT == "":
		return oidc.InvalidToken.Errorf("the access token is bound to no key (RFC 9449 section 7.1): send it as Bearer")
	case scheme == tokenTypeBearer:
		return oidc.InvalidToken.Errorf("the access token is bound to a key (RFC 9449 section 7.2): send it as DPoP, with a proof")
	}
	proofs := r.Header.Values("DPoP")
	if len(proofs) != 1 { // §4.3 (1)
		return oidc.InvalidDPoPProof.Errorf("the request has %d DPoP headers, expected one (RFC 9449 section 4.3)", len(proofs))
	}
	p, err := readProof(proofs[0])
	if err != nil {
		return err
	}
	p.request, p.target, p.accessToken, p.token, p.now = r, s.htuOf(r), raw, token, s.config.Now()
	if breach := judge(proofRules, *p); breach != "" {
		return oidc.InvalidDPoPProof.Errorf("the DPoP proof is not acceptable: %s", breach)
	}
	return s.spend(r, p)
}

// readProof verifies the signature by the key inside: RFC 9449 §4.3 (2), (5), (6), (7).
func readProof(raw string) (*proof, error) {
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return nil, oidc.InvalidDPoPProof.Errorf("the DPoP proof is not a JWT with an asymmetric signature (RFC 9449 section 4.3): %s", clip(err.Error()))
	}
	header := token.Headers[0]
	if header.JSONWebKey == nil || !header.JSONWebKey.IsPublic() {
		return nil, oidc.InvalidDPoPProof.Errorf("the DPoP proof has no public key as jwk in its header (RFC 9449 section 4.3)")
	}
	p := &proof{typ: mediaType(header), jkt: thumbprint(*header.JSONWebKey)}
	if err := token.Claims(header.JSONWebKey.Key, &p.proofClaims); err != nil {
		return nil, oidc.InvalidDPoPProof.Errorf("the DPoP proof's signature is not by its jwk, or a claim has the wrong type (RFC 9449 section 4.3)")
	}
	return p, nil
}

// spend remembers the proof for as long as its iat is acceptable: §11.1.
func (s *Resource) spend(r *http.Request, p *proof) error {
	return s.proofs.Update(r.Context(), p.jkt+" "+p.Jti, 2*proofWindow, func(old *bool) (*bool, error) {
		if old != nil {
			return nil, oidc.InvalidDPoPProof.Errorf("the DPoP proof has been used before (RFC 9449 section 11.1): make a new one for each request")
		}
		return new(true), nil
	})
}

// htuOf is the address of the request as its sender knows it.
func (s *Resource) htuOf(r *http.Request) string {
	origin := s.config.Origin
	if origin == "" {
		origin = map[bool]string{true: "https://", false: "http://"}[r.TLS != nil] + r.Host
	}
	return normalHTU(origin + r.URL.EscapedPath())
}

// normalHTU is RFC 9449 §4.3: "the server SHOULD … employ Syntax-Based Normalization and Scheme-Based Normalization" before it
// compares.
func normalHTU(text string) string {
	u, err := url.Parse(text)
	if err != nil || oidc.Origin(text) == "" {
		return ""
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return oidc.Origin(text) + path
}

func asymmetricNames() []string {
	names := make([]string, len(asymmetric))
	for i, alg := range asymmetric {
		names[i] = string(alg)
	}
	return names
}
