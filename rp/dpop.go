package rp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

const (
	tokenTypeBearer = "Bearer"
	tokenTypeDPoP   = "DPoP"
	proofType       = "dpop+jwt" // RFC 9449 §4.2
	maxNonces       = 64         // servers whose nonce is remembered
)

// prover makes DPoP proofs with one key (RFC 9449 §4), and remembers the last nonce of each server (§8).
type prover struct {
	key        jose.SigningKey
	public     jose.JSONWebKey
	thumbprint string // dpop_jkt: RFC 9449 §10
	now        func() time.Time
	nonces     *lru.Cache[string, string] // by origin
}

func newDPoPKey() *jose.JSONWebKey {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // never fails: see crypto/rand
	return &jose.JSONWebKey{Key: key, Algorithm: string(jose.ES256)}
}

// newProver returns nil when c asks for bearer tokens. The key has been checked.
func newProver(c Config) *prover {
	if !c.DPoP {
		return nil
	}
	public := c.DPoPKey.Public()
	public.KeyID, public.Algorithm, public.Use = "", "", ""
	nonces, _ := lru.New[string, string](maxNonces) // fails for a size below 1 only
	return &prover{
		key:        jose.SigningKey{Algorithm: jose.SignatureAlgorithm(c.DPoPKey.Algorithm), Key: c.DPoPKey.Key},
		public:     public,
		thumbprint: thumbprint(public),
		now:        c.Now,
		nonces:     nonces,
	}
}

// thumbprint is jkt: RFC 7638 with SHA-256.
func thumbprint(key jose.JSONWebKey) string {
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// prove adds a proof to r: for the token in its Authorization header, if there is one (§7), or for a new token (§5).
func (p *prover) prove(r *http.Request) error {
	claims := map[string]any{"jti": rand.Text(), "htm": r.Method, "htu": htu(r.URL), "iat": p.now().Unix()}
	if nonce, known := p.nonces.Get(oidc.Origin(r.URL.String())); known {
		claims["nonce"] = nonce
	}
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if found && strings.EqualFold(scheme, tokenTypeDPoP) {
		claims["ath"] = ath(token)
	}
	signer, err := jose.NewSigner(p.key, (&jose.SignerOptions{}).WithType(proofType).WithHeader("jwk", p.public))
	if err != nil {
		return err
	}
	proof, err := jwt.Signed(signer).Claims(claims).Serialize()
	r.Header.Set("DPoP", proof)
	return err
}

// htu is RFC 9449 §4.2: "The HTTP target URI … without query and fragment parts".
func htu(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// ath is RFC 9449 §4.2: the hash of the access token.
func ath(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// remember stores the nonce for the next proof. RFC 9449 §8.2: "the client … uses the new nonce value".
func (p *prover) remember(u *url.URL, nonce string) {
	if nonce != "" {
		p.nonces.Add(oidc.Origin(u.String()), nonce)
	}
}

// tokenType is the accepted token_type. RFC 9449 §5: a client that asks for a bound token must discard any other.
func (p *RP) tokenType() string {
	if p.prover != nil {
		return tokenTypeDPoP
	}
	return tokenTypeBearer
}

// Client calls APIs with the access token of the request's session, which it refreshes when it has expired, and with a
// DPoP proof when DPoP is configured. Its requests fail as the Token of TokenSource does. It follows no redirects,
// because the token would be sent along. With DPoP a body is held in memory, because an API that asks for a nonce gets
// the request twice.
func (p *RP) Client(r *http.Request) *http.Client {
	base := transport{next: http.DefaultTransport, prover: p.prover}
	return &http.Client{
		Transport:     &oauth2.Transport{Source: p.TokenSource(r), Base: base},
		CheckRedirect: p.provider.client.CheckRedirect,
	}
}
