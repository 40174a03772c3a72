package dpop

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // a name is that name, in one case and once

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// Header is the request header that carries a proof; HeaderNonce the response header that carries a nonce.
const (
	Header      = "DPoP"
	HeaderNonce = "DPoP-Nonce"
)

const (
	maxProof = 8 << 10 // bytes
	rsaBits  = 2048
	rsaMost  = 4096 // a larger key only makes verifying slow
)

// Checker judges proofs.
type Checker struct {
	Nonces Nonces
	Proofs storage.Bucket[time.Time] // that were used, and when
	Now    func() time.Time
}

// Request is what a proof must fit.
type Request struct {
	Method      string
	URL         string // of the endpoint, as the client knows it
	AccessToken string // that comes with the proof; "" at the endpoints that give tokens
	JKT         string // the thumbprint of the key that is expected; "": any
	NeedsNonce  bool
	FAPI2       bool // the client has the profile: fewer algs are good enough
}

// Proof is what a good proof shows.
type Proof struct {
	JKT string // the RFC 7638 thumbprint of the key that the client holds
}

// Algorithms lists the algs of proofs (dpop_signing_alg_values_supported).
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA}
}

// Read takes the proof out of a request; "" when there is none. RFC 9449 §4.3: "There is not more than one DPoP HTTP request
// header field."
func Read(h http.Header) (string, error) {
	values := h.Values(Header)
	switch {
	case len(values) > 1:
		return "", oidc.InvalidDPoPProof.Errorf("the request has %d DPoP headers: send one (RFC 9449 §4.3)", len(values))
	case len(values) == 1 && values[0] == "":
		return "", oidc.InvalidDPoPProof.Errorf("the DPoP header is empty: send a proof in it, or leave it out (RFC 9449 §4.3)")
	case len(values) == 1:
		return values[0], nil
	}
	return "", nil
}

// Check judges the proof and spends it. Its errors are invalid_dpop_proof or use_dpop_nonce, or the store's. Whoever answers with
// one of them sends Nonces.Current in HeaderNonce.
func (c *Checker) Check(ctx context.Context, proof string, request Request) (Proof, error) {
	j := judged{Request: request, Now: c.Now()}
	payload, err := open(proof, &j)
	if err != nil {
		return Proof{}, err
	}
	if err := josejson.Unmarshal(payload, &j.claims); err != nil {
		return Proof{}, oidc.InvalidDPoPProof.Errorf("the DPoP proof holds no claims that can be read: expected a JSON object with jti, htm, htu and iat (RFC 9449 §4.2)")
	}
	j.NonceGood = j.Nonce != "" && c.Nonces.Accepts(j.Nonce)
	for i, rule := range rules {
		holds := rule.Holds(j)
		trace.Take(ctx, steps[i].Step(holds))
		if !holds {
			return Proof{}, rule.broken()
		}
	}
	return Proof{JKT: j.JKT}, c.spend(ctx, j)
}

func (r rule) broken() error {
	code := r.Else
	if code == "" {
		code = oidc.InvalidDPoPProof
	}
	return code.Errorf("the DPoP proof: expected: %s (%s); %s", r.Text, r.Spec, r.Help).Blame(r.Reason)
}

var steps = trace.Pairs(trace.KindRule, rules, func(r rule) (spec, text string, params []string) { return r.Spec, r.Text, nil })

// open verifies the proof by the key in its own header. RFC 9449 §4.3: "The jwk JOSE Header Parameter does not contain a
// private key", and alg "indicates a registered asymmetric digital signature algorithm […], is not none, is supported".
func open(proof string, j *judged) ([]byte, error) {
	if len(proof) > maxProof {
		return nil, oidc.InvalidDPoPProof.Errorf("the DPoP proof has more than %d bytes", maxProof)
	}
	signed, err := jose.ParseSignedCompact(proof, Algorithms())
	if err != nil {
		return nil, oidc.InvalidDPoPProof.Errorf("the DPoP proof is no JWT signed with one of %v, with its public key in jwk (RFC 9449 §4.2)", Algorithms())
	}
	j.Header = signed.Signatures[0].Header
	key := j.Header.JSONWebKey
	if key == nil || !key.IsPublic() || !fits(key.Key, jose.SignatureAlgorithm(j.Header.Algorithm)) {
		return nil, oidc.InvalidDPoPProof.Errorf("the DPoP proof's jwk is no public key for %.20s (RSA has %d to %d bits); send the one that signs it, without its private half",
			j.Header.Algorithm, rsaBits, rsaMost)
	}
	payload, err := signed.Verify(key.Key)
	if err != nil {
		return nil, oidc.InvalidDPoPProof.Errorf("the DPoP proof is not signed with the key in its jwk (RFC 9449 §4.3)")
	}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	j.JKT = base64.RawURLEncoding.EncodeToString(thumbprint)
	return payload, err
}

func fits(key any, alg jose.SignatureAlgorithm) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		return (alg == jose.RS256 || alg == jose.PS256) && rsaBits <= bits && bits <= rsaMost
	case *ecdsa.PublicKey:
		return alg == jose.ES256 && k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return alg == jose.EdDSA
	}
	return false
}

// errUsed is what a proof that comes again meets.
var errUsed = oidc.InvalidDPoPProof.Errorf("the DPoP proof was used before: make a new one, with a new jti, for each request (RFC 9449 §11.1)")

// spend lets a proof pass once: by its key, since the jti of one client is not that of another.
func (c *Checker) spend(ctx context.Context, j judged) error {
	return c.Proofs.Update(ctx, j.JKT+" "+j.JTI, kept, func(used *time.Time) (*time.Time, error) {
		if used != nil {
			return nil, errUsed
		}
		return &j.Now, nil
	})
}
