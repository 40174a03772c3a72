package dpop

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

const (
	// past and future are how far iat may be away. FAPI 2.0 §5.3.2.1 wants 10 seconds of future accepted and more than 60
	// rejected.
	past   = 60 * time.Second
	future = 30 * time.Second
	// kept is how long a proof is remembered: longer than it could pass again.
	kept   = 2*window + past + future
	maxJTI = 255 // characters
)

// Type is the typ of a proof (RFC 9449 §4.2).
const Type = "dpop+jwt"

// claims are those of RFC 9449 §4.2.
type claims struct {
	JTI             string           `json:"jti"`
	Method          string           `json:"htm"`
	Target          string           `json:"htu"`
	IssuedAt        *jwt.NumericDate `json:"iat"`
	AccessTokenHash string           `json:"ath"`
	Nonce           string           `json:"nonce"`
}

// judged is what the rules look at.
type judged struct {
	claims
	Header    jose.Header
	Request   Request
	JKT       string // thumbprint of the proof's key
	Now       time.Time
	NonceGood bool
}

// rule is one condition under which a proof proves something.
type rule struct {
	Spec, Text string
	Holds      func(judged) bool
	Help       string
	Else       oidc.ErrorCode // "": invalid_dpop_proof
	Reason     oidc.Reason
}

var rules = []rule{
	{
		Spec: "RFC 9449 §4.3", Text: "typ is dpop+jwt",
		Holds: func(j judged) bool { return j.Header.ExtraHeaders[jose.HeaderType] == Type },
		Help:  "a JWT that was made for something else proves nothing here",
	},
	{
		Spec: "FAPI 2.0 §5.4.1", Text: "alg is PS256, ES256 or EdDSA if the client has the profile fapi2",
		Holds: func(j judged) bool {
			return !j.Request.FAPI2 || slices.Contains(oidc.FAPI2Algs(), j.Header.Algorithm)
		},
		Help: "make a key for one of the three",
	},
	{
		Spec: "RFC 9449 §4.3", Text: "jti is there, with 255 characters at the most",
		Holds: func(j judged) bool { return j.JTI != "" && len(j.JTI) <= maxJTI },
		Help:  "make it from 16 random bytes or more, for each request",
	},
	{
		Spec: "RFC 9449 §4.3", Text: "htm is the method of the request",
		Holds: func(j judged) bool { return j.Method == j.Request.Method },
		Help:  "make a proof for each request",
	},
	{
		Spec: "RFC 9449 §4.3", Text: "htu is the URL of the request, without query and fragment",
		Holds: func(j judged) bool { return sameTarget(j.Target, j.Request.URL) },
		Help:  "write the address of the endpoint as the metadata spells it",
	},
	{
		Spec: "RFC 9449 §4.3", Text: "iat is there",
		Holds: func(j judged) bool { return j.IssuedAt != nil },
		Help:  "the time at which the proof was made, in seconds since 1970",
	},
	{
		Spec: "RFC 9449 §8", Text: "nonce is one that this provider gave a moment ago",
		Holds: func(j judged) bool { return j.Nonce == "" || j.NonceGood },
		Help:  "repeat the request with the nonce of the DPoP-Nonce header", Else: oidc.UseDPoPNonce,
	},
	{
		Spec: "RFC 9449 §8", Text: "nonce is there, as this client's profile or the configuration demands",
		Holds: func(j judged) bool { return j.Nonce != "" || !j.Request.NeedsNonce },
		Help:  "repeat the request with the nonce of the DPoP-Nonce header", Else: oidc.UseDPoPNonce,
	},
	{
		Spec: "RFC 9449 §4.3", Text: "iat, or else the nonce, is of the last minute",
		Holds: func(j judged) bool { return j.NonceGood || j.IssuedAt.Time().After(j.Now.Add(-past)) },
		Help:  "make a proof for each request, and compare the clocks; or use the nonce of the DPoP-Nonce header", Reason: oidc.ClockSkew,
	},
	{
		Spec: "RFC 9449 §11.1", Text: "iat is not in the future",
		Holds: func(j judged) bool { return !j.IssuedAt.Time().After(j.Now.Add(future)) },
		Help:  "compare the clocks", Reason: oidc.ClockSkew,
	},
	{
		Spec: "RFC 9449 §4.3", Text: "ath is the hash of the access token that comes with the proof",
		Holds: func(j judged) bool {
			return j.Request.AccessToken == "" || equal(j.AccessTokenHash, hash(j.Request.AccessToken))
		},
		Help: "base64url of the SHA-256 of the token, made for this request",
	},
	{
		Spec: "RFC 9449 §4.3", Text: "the key is the one that is expected",
		Holds: func(j judged) bool { return j.Request.JKT == "" || equal(j.JKT, j.Request.JKT) },
		Help:  "the token is bound to another key: sign with the key that it was asked for with",
	},
}

// hash is the ath of an access token (RFC 9449 §4.2).
func hash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
