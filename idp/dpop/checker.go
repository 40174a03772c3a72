// Package dpop checks DPoP proofs: a client shows that it holds a key, and a token that is bound to the key is of no
// use to a thief who has only the token (RFC 9449).
//
//	DPoP: header ─► one JWT ─► the key in its header ─► signature ─► the rules, also nonce ─► jti is new ─► jkt
//
// A proof is valid for one request: its method, its URL, the access token that comes with it, and its time. The time
// comes from the client's clock (iat), or from the server's nonce, which the client only repeats.
//
// Where teaching ends: the owner of the key can sign proofs for later and hand them out; nonces shorten that to
// minutes. A script that runs in the client's page uses the key without stealing it, and DPoP does not prevent that.
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
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
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

// refuse makes the error about a proof that is not accepted.
var refuse = oidc.InvalidDPoPProof.Errorf

// Checker checks the proofs of requests to one issuer.
type Checker struct {
	Issuer       string
	BackChannel  endpoint.BackChannel
	Nonces       Nonces
	RequireNonce bool                      // in every proof; else only in token requests of clients with profile fapi2
	Used         storage.Bucket[time.Time] // proofs, and when they were used
	Now          func() time.Time
}

// Algorithms lists the algs of proofs (dpop_signing_alg_values_supported).
func Algorithms() (names []string) {
	for _, alg := range algorithms {
		names = append(names, string(alg))
	}
	return names
}

var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA}

// GiveNonce gives a client that uses DPoP a nonce for its next proof. RFC 9449 §8.2: a nonce in a response "signals […]
// the value to use in the next request".
func (c *Checker) GiveNonce(w http.ResponseWriter, r *http.Request) {
	if len(r.Header.Values(Header)) > 0 {
		w.Header().Set(HeaderNonce, c.Nonces.Current())
	}
}

// Proof returns the thumbprint (RFC 7638) of the key that the client proves to hold; empty if the request has no proof.
// It records the proof as used. Its errors are invalid_dpop_proof or use_dpop_nonce, or the store's; after an error the
// caller calls GiveNonce.
func (c *Checker) Proof(r *http.Request, client *oidc.Client) (jkt string, err error) {
	raw, err := read(r.Header)
	if raw == "" || err != nil {
		return "", err
	}
	p := proof{Client: client, NeedsNonce: c.RequireNonce || client.FAPI2()}
	err = c.check(r, raw, &p)
	return p.JKT, err
}

// TokenProof is Proof for a request that gives tokens: some clients must send one.
func (c *Checker) TokenProof(r *http.Request, client *oidc.Client) (jkt string, err error) {
	jkt, err = c.Proof(r, client)
	if err == nil && jkt == "" && client.NeedsDPoP() {
		return "", refuse("client %s gets only tokens that are bound to its key, and sent no proof: "+
			"send one in the header DPoP (RFC 9449 §5.2, FAPI 2.0 §5.3.2.1)", client.ClientID)
	}
	return jkt, err
}

// CheckToken checks the proof of a request with an access token of the client. The token is bound to the key with
// thumbprint jkt (RFC 9449 §7.1).
func (c *Checker) CheckToken(r *http.Request, client *oidc.Client, accessToken, jkt string) error {
	raw, err := read(r.Header)
	if err != nil {
		return err
	}
	if raw == "" {
		return refuse("the access token came without a proof: send one in the header DPoP, with ath (RFC 9449 §7.1)")
	}
	p := proof{Client: client, NeedsNonce: c.RequireNonce, AccessToken: accessToken, BoundTo: jkt}
	return c.check(r, raw, &p)
}

// read returns the proof of a request; empty if there is none. RFC 9449 §4.3: "There is not more than one DPoP HTTP
// request header field."
func read(h http.Header) (string, error) {
	values := h.Values(Header)
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", refuse("the request has %d DPoP headers: send one (RFC 9449 §4.3)", len(values))
	case values[0] == "":
		return "", refuse("the DPoP header is empty: send a proof in it, or leave it out (RFC 9449 §4.3)")
	}
	return values[0], nil
}

// check verifies the proof, checks its claims, and records it as used.
func (c *Checker) check(r *http.Request, raw string, p *proof) error {
	payload, err := verify(raw, p)
	if err != nil {
		return err
	}
	if err := josejson.Unmarshal(payload, &p.claims); err != nil {
		return refuse("the DPoP proof holds no claims that can be read: " +
			"expected a JSON object with jti, htm, htu and iat (RFC 9449 §4.2)")
	}
	p.Now, p.RequestMethod, p.RequestURL = c.Now(), r.Method, c.url(r)
	p.NonceGood = p.Nonce != "" && c.Nonces.Accepts(p.Nonce)
	if err := rules.Judge(r.Context(), p); err != nil {
		return err
	}
	return c.use(r.Context(), p)
}

// url returns the URL that the client requested, without its query. At an alias it is the URL of the alias.
func (c *Checker) url(r *http.Request) string {
	base := c.BackChannel.Base(r, c.Issuer)
	if asked, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return base + asked.EscapedPath()
	}
	return base + r.URL.EscapedPath()
}

// verify verifies the proof by the key in its own header. RFC 9449 §4.3: "The jwk JOSE Header Parameter does not
// contain a private key", and alg "indicates a registered asymmetric digital signature algorithm […], is not none, is
// supported".
func verify(raw string, p *proof) (payload []byte, err error) {
	if len(raw) > maxProof {
		return nil, refuse("the DPoP proof has more than %d bytes", maxProof)
	}
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return nil, refuse(
			"the DPoP proof is no JWT signed with one of %v, with its public key in jwk (RFC 9449 §4.2)", algorithms)
	}
	p.Header = signed.Signatures[0].Header
	if err := oidc.CheckCrit(p.Header); err != nil {
		return nil, refuse("the DPoP proof is not accepted: %s", err)
	}
	key := p.Header.JSONWebKey
	if key == nil || !key.IsPublic() || !isKeyFor(key.Key, jose.SignatureAlgorithm(p.Header.Algorithm)) {
		return nil, refuse("the DPoP proof's jwk is no public key for %.20s (RSA has %d to %d bits); "+
			"send the one that signs it, without its private half", p.Header.Algorithm, rsaBits, rsaMost)
	}
	if payload, err = signed.Verify(key.Key); err != nil {
		return nil, refuse("the DPoP proof is not signed with the key in its jwk (RFC 9449 §4.3)")
	}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	p.JKT = base64.RawURLEncoding.EncodeToString(thumbprint)
	return payload, err
}

func isKeyFor(key any, alg jose.SignatureAlgorithm) bool {
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

// use accepts a proof once. The key is part of the record's name: two clients may choose the same jti.
func (c *Checker) use(ctx context.Context, p *proof) error {
	return c.Used.Update(ctx, p.JKT+" "+p.JTI, retention, func(used *time.Time) (*time.Time, error) {
		if used != nil {
			return nil, errUsed
		}
		return &p.Now, nil
	})
}

// errUsed refuses a proof that was used before.
var errUsed = refuse(
	"the DPoP proof was used before: make a new one, with a new jti, for each request (RFC 9449 §11.1)")
