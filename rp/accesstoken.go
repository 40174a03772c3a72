package rp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// AccessToken is a verified access token (RFC 9068 §2.2).
type AccessToken struct {
	Iss      string
	Sub      string
	Aud      []string
	ClientID string
	Jti      string
	Scope    oidc.Scope
	JKT      string // the thumbprint of the key that the token is bound to (RFC 9449 §6.1); empty: a bearer token
	Exp      time.Time
	Iat      time.Time
	Claims   json.RawMessage // all claims, a JSON object
}

// accessToken is the subject of the rules about an access token.
type accessToken struct {
	accessTokenClaims
	config ResourceConfig
	now    time.Time
}

type accessTokenClaims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	Cnf      *struct {
		JKT string `json:"jkt"`
	} `json:"cnf"`
}

// accessTokenRules are judged once the signature has been verified.
var accessTokenRules = oidc.Table[accessToken]{
	{Spec: "RFC 9068 §4", Text: "the access token's iss is the provider", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.Issuer == t.config.Issuer },
		Got:   func(t accessToken) string { return fmt.Sprintf("%q, not %s", clip(t.Issuer), t.config.Issuer) }},
	{Spec: "RFC 9068 §4", Text: "the access token's aud contains this API", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return slices.Contains(t.Audience, t.config.Audience) },
		Got:   func(t accessToken) string { return fmt.Sprintf("%q, not %s", t.Audience, t.config.Audience) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has an exp", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.Expiry != nil }},
	{Spec: "RFC 9068 §4", Text: "the access token's exp is in the future", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.now.Before(t.Expiry.Time()) },
		Got:   func(t accessToken) string { return seconds(t.now.Sub(t.Expiry.Time())) + " ago by this API's clock" },
		Help:  "renew it"},
	{Spec: "RFC 7519 §4.1.5", Text: "the access token's nbf, when present, is past by this API's clock",
		Else:  oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.NotBefore == nil || !t.NotBefore.Time().After(t.now.Add(skew)) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has an iat, at most 1m0s ahead of this API's clock",
		Else:  oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.IssuedAt != nil && !t.IssuedAt.Time().After(t.now.Add(skew)) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a sub", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.Subject != "" }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a client_id", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.ClientID != "" }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a jti", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.ID != "" }},
	{Spec: "RFC 7800 §3.1", Text: "the access token's cnf, when present, has a jkt", Else: oidc.InvalidToken,
		Holds: func(t accessToken) bool { return t.Cnf == nil || t.Cnf.JKT != "" },
		Help:  "this API can check DPoP proofs only"},
}

// verify checks an access token: RFC 9068 §4.
func (s *Resource) verify(ctx context.Context, raw string) (*AccessToken, error) {
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return nil, oidc.InvalidToken.Errorf("the access token is not a JWT with an asymmetric signature: %s",
			clip(err.Error()))
	}
	header := token.Headers[0]
	if typ := mediaType(header); typ != "at+jwt" {
		return nil, oidc.InvalidToken.Errorf("the token's typ is '%s', expected at+jwt (RFC 9068 section 4): "+
			"send the access token, not the ID Token", clip(typ))
	}
	claims, err := s.keys.verify(ctx, token)
	switch {
	case errors.Is(err, errNoKid):
		return nil, oidc.InvalidToken.Errorf("the access token's signature cannot be verified: %v", err)
	case errors.Is(err, errNoKey):
		return nil, oidc.InvalidToken.Errorf("no key that %s publishes verifies the access token's signature "+
			"(kid '%s', alg %s)",
			s.config.Issuer, clip(header.KeyID), header.Algorithm)
	case err != nil:
		return nil, err
	}
	t := accessToken{config: s.config, now: s.config.Now()}
	if json.Unmarshal(claims, &t.accessTokenClaims) != nil {
		return nil, oidc.InvalidToken.Errorf("a claim of the access token has the wrong type (RFC 9068 section 2.2)")
	}
	if err := accessTokenRules.Judge(ctx, t); err != nil {
		return nil, err
	}
	verified := &AccessToken{
		Iss: t.Issuer, Sub: t.Subject, Aud: t.Audience, ClientID: t.ClientID, Jti: t.ID,
		Scope: oidc.ParseScope(t.Scope), Exp: t.Expiry.Time(), Iat: t.IssuedAt.Time(), Claims: claims,
	}
	if t.Cnf != nil {
		verified.JKT = t.Cnf.JKT
	}
	return verified, nil
}

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
