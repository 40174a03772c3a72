package dpop

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

const (
	// past is the maximum age of iat.
	past = 60 * time.Second
	// retention is how long a used proof is stored: longer than its iat or nonce is accepted.
	retention = 2*window + past + oidc.MaxClockSkew
	maxJTI    = 255 // characters
)

// Type is the typ of a proof (RFC 9449 §4.2).
const Type = "dpop+jwt"

// claims are the claims of a proof (RFC 9449 §4.2).
type claims struct {
	JTI             string           `json:"jti"`
	Method          string           `json:"htm"`
	Target          string           `json:"htu"`
	IssuedAt        *jwt.NumericDate `json:"iat"`
	AccessTokenHash string           `json:"ath"`
	Nonce           string           `json:"nonce"`
}

// proof is a proof and the request that it came with.
type proof struct {
	claims
	Header jose.Header
	JKT    string // the thumbprint of the key that signed the proof

	RequestMethod, RequestURL string
	Client                    *oidc.Client
	AccessToken               string // empty at the endpoints that give tokens
	BoundTo                   string // the thumbprint of the key that the access token is bound to
	NeedsNonce                bool
	NonceGood                 bool
	Now                       time.Time
}

// demand returns a rule about a proof; text states the rule.
func demand(spec, text, help string, holds func(*proof) bool) oidc.Rule[*proof] {
	return oidc.Rule[*proof]{Spec: spec, Text: text, Help: help, Holds: holds, Else: oidc.InvalidDPoPProof}
}

var rules = oidc.Table[*proof]{
	demand("RFC 9449 §4.3", "the DPoP proof's typ is dpop+jwt", "a JWT that was made for another purpose is no proof",
		func(p *proof) bool { return p.Header.ExtraHeaders[jose.HeaderType] == Type }),
	{
		Spec: "FAPI 2.0 §5.4.1", Text: "the DPoP proof of a client with profile fapi2 has the alg PS256, ES256 or EdDSA",
		Holds: func(p *proof) bool { return !p.Client.FAPI2() || slices.Contains(oidc.FAPI2Algs(), p.Header.Algorithm) },
		Got:   func(p *proof) string { return p.Header.Algorithm },
		Help:  "make a key for one of the three", Else: oidc.InvalidDPoPProof,
	},
	demand("RFC 9449 §4.3", "the DPoP proof has a jti of 255 characters at most",
		"make it from 16 random bytes or more, for each request",
		func(p *proof) bool { return p.JTI != "" && len(p.JTI) <= maxJTI }),
	{
		Spec: "RFC 9449 §4.3", Text: "the DPoP proof's htm is the method of the request", Else: oidc.InvalidDPoPProof,
		Holds: func(p *proof) bool { return p.Method == p.RequestMethod },
		Got:   func(p *proof) string { return fmt.Sprintf("%.20q, and the method is %s", p.Method, p.RequestMethod) },
		Help:  "make a proof for each request",
	},
	{
		Spec: "RFC 9449 §4.3", Text: "the DPoP proof's htu is the URL of the request, without query and fragment",
		Holds: func(p *proof) bool { return isSameURL(p.Target, p.RequestURL) },
		Got:   func(p *proof) string { return fmt.Sprintf("%.100q, and the URL is %s", p.Target, p.RequestURL) },
		Help:  "write the address of the endpoint as the metadata spells it", Else: oidc.InvalidDPoPProof,
	},
	demand("RFC 9449 §4.3", "the DPoP proof has an iat", "the time at which the proof was made, in seconds since 1970",
		func(p *proof) bool { return p.IssuedAt != nil }),
	{
		Spec: "RFC 9449 §8", Text: "the DPoP proof's nonce is one that this provider gave a moment ago",
		Holds: func(p *proof) bool { return p.Nonce == "" || p.NonceGood },
		Help:  "repeat the request with the nonce of the DPoP-Nonce header", Else: oidc.UseDPoPNonce,
	},
	{
		Spec: "RFC 9449 §8", Text: "the DPoP proof has a nonce, as this client's profile or the configuration demands",
		Holds: func(p *proof) bool { return p.Nonce != "" || !p.NeedsNonce },
		Help:  "repeat the request with the nonce of the DPoP-Nonce header", Else: oidc.UseDPoPNonce,
	},
	{
		Spec: "RFC 9449 §4.3", Text: "the DPoP proof's iat, or else its nonce, is of the last minute",
		Holds: func(p *proof) bool { return p.NonceGood || p.IssuedAt.Time().After(p.Now.Add(-past)) },
		Help:  "make a proof for each request, and compare the clocks; or use the nonce of the DPoP-Nonce header",
		Else:  oidc.InvalidDPoPProof, Reason: oidc.ClockSkew,
	},
	{
		Spec: "RFC 9449 §11.1", Text: "the DPoP proof's iat is not in the future", Help: "compare the clocks",
		Holds: func(p *proof) bool { return !p.IssuedAt.Time().After(p.Now.Add(oidc.MaxClockSkew)) },
		Else:  oidc.InvalidDPoPProof, Reason: oidc.ClockSkew,
	},
	demand("RFC 9449 §4.3", "the DPoP proof's ath is the hash of the access token that comes with it",
		"base64url of the SHA-256 of the token, made for this request",
		func(p *proof) bool { return p.AccessToken == "" || equal(p.AccessTokenHash, hash(p.AccessToken)) }),
	demand("RFC 9449 §4.3", "the DPoP proof's key is the one that the access token is bound to",
		"sign with the key that the token was requested with",
		func(p *proof) bool { return p.BoundTo == "" || equal(p.JKT, p.BoundTo) }),
}

// hash is the ath of an access token (RFC 9449 §4.2).
func hash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// isSameURL says whether htu is the URL of the request. RFC 9449 §4.3: "without any query and fragment parts", and
// "employ Syntax-Based Normalization (Section 6.2.2 of [RFC3986]) and Scheme-Based Normalization (Section 6.2.3 of
// [RFC3986]) before comparing the htu claim". https://www.rfc-editor.org/rfc/rfc9449#section-4.3
func isSameURL(htu, requested string) bool {
	a, b := normalized(htu), normalized(requested)
	return a != "" && a == b
}

// normalized is the URL without query and fragment, in its normal form; empty for text that is no http or https URL.
func normalized(text string) string {
	u, err := url.Parse(text)
	isWeb := err == nil && (strings.EqualFold(u.Scheme, "https") || strings.EqualFold(u.Scheme, "http"))
	if !isWeb || u.Host == "" || u.User != nil {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, ":"+map[string]string{"https": "443", "http": "80"}[scheme])
	path := u.JoinPath().EscapedPath() // without dot segments
	if path == "" {
		path = "/"
	}
	return scheme + "://" + strings.TrimSuffix(host, ":") + escapes.ReplaceAllStringFunc(path, normalizedEscape)
}

var escapes = regexp.MustCompile(`%[0-9A-Fa-f][0-9A-Fa-f]`)

// normalizedEscape replaces an escape that is not needed by its character, and writes others in capitals (RFC 3986
// §2.3, §6.2.2).
func normalizedEscape(escape string) string {
	plain, err := url.PathUnescape(escape)
	if err == nil && oidc.IsMadeOf(plain, oidc.LettersAndDigits+"-._~") {
		return plain
	}
	return strings.ToUpper(escape)
}
