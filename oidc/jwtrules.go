package oidc

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// jwtSkew is how far the clock of the provider may be ahead of the recipient's of a token.
const jwtSkew = time.Minute

// The names in Params of the rules below: what the recipient of a token must know before it can judge the rule.
const (
	NeedsClientID    = "client_id"
	NeedsNonce       = "nonce"
	NeedsAccessToken = "access_token"
	NeedsAudience    = "audience"
)

// IDToken is the subject of the rules about an ID Token: its claims, and what its recipient knows.
type IDToken struct {
	Subject  string
	Audience []string
	Azp      string
	Nonce    string
	IssuedAt time.Time // zero: the token has none
	AtHash   string

	ClientID  string             // of the recipient
	IsTrusted func(string) bool  // reports whether the recipient trusts this aud
	Wanted    string             // the nonce of the request
	HashFits  func() (fits bool) // reports whether AtHash is the hash of the access token; called if there is an AtHash
	Now       time.Time
}

// IDTokenRules are the rules for the claims of every ID Token, beside iss, the recipient's own aud, and exp.
// https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
func IDTokenRules() Table[IDToken] { return slices.Clone(idTokenRules) }

var idTokenRules = Table[IDToken]{
	{Spec: "Core §2", Text: "the ID Token's sub has 1 to 255 ASCII characters",
		Holds: func(t IDToken) bool {
			ascii := !strings.ContainsFunc(t.Subject, func(r rune) bool { return r > 0x7e })
			return t.Subject != "" && len(t.Subject) <= 255 && ascii
		},
		Got: func(t IDToken) string { return fmt.Sprintf("%+.300q", t.Subject) }},
	{Spec: "Core §3.1.3.7 (4)", Text: "an ID Token with several audiences has an azp",
		Holds: func(t IDToken) bool { return len(t.Audience) == 1 || t.Azp != "" },
		Got:   func(t IDToken) string { return fmt.Sprintf("%d audiences", len(t.Audience)) }},
	{Spec: "Core §3.1.3.7 (5)", Text: "the ID Token's azp, when present, is the client_id",
		Params: []string{NeedsClientID},
		Holds:  func(t IDToken) bool { return t.Azp == "" || t.Azp == t.ClientID },
		Got:    func(t IDToken) string { return fmt.Sprintf("%.300q, this is %q", t.Azp, t.ClientID) }},
	{Spec: "Core §3.1.3.7 (3)", Text: "the ID Token's aud holds trusted audiences only", Params: []string{NeedsClientID},
		Holds: func(t IDToken) bool {
			return !slices.ContainsFunc(t.Audience, func(aud string) bool { return aud != t.ClientID && !t.IsTrusted(aud) })
		},
		Got: func(t IDToken) string { return fmt.Sprintf("%q, this is %q", t.Audience, t.ClientID) }},
	{Spec: "Core §2", Text: "the ID Token has an iat",
		Holds: func(t IDToken) bool { return t.IssuedAt.Unix() > 0 }},
	{Spec: "Core §3.1.3.7 (10)", Text: "the ID Token's iat is at most 1m0s ahead of our clock",
		Holds: func(t IDToken) bool { return t.IssuedAt.Sub(t.Now) <= jwtSkew },
		Got:   func(t IDToken) string { return seconds(t.IssuedAt.Sub(t.Now)) + " ahead" }},
	{Spec: "Core §3.1.3.8", Text: "the ID Token's at_hash, when present, is the hash of the access token",
		Params: []string{NeedsAccessToken},
		Holds:  func(t IDToken) bool { return t.AtHash == "" || t.HashFits() }},
}

// NonceRules are for the ID Token that answers an authentication request.
func NonceRules() Table[IDToken] { return slices.Clone(nonceRules) }

var nonceRules = Table[IDToken]{
	{Spec: "Core §3.1.3.7 (11)", Text: "the ID Token's nonce is the one of the request", Params: []string{NeedsNonce},
		Holds: func(t IDToken) bool { return subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(t.Wanted)) == 1 }},
}

// AccessToken is the subject of the rules about an access token that is a JWT: its claims, and what the API knows.
type AccessToken struct {
	AccessTokenClaims
	Typ      string // of the header, in small letters and without application/
	Provider string // the issuer that the API trusts
	API      string // the API's name in aud
	Now      time.Time
}

// AccessTokenClaims are the claims of RFC 9068 §2.2, and cnf. https://www.rfc-editor.org/rfc/rfc9068#section-2.2
type AccessTokenClaims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	Cnf      *struct {
		JKT string `json:"jkt"`
	} `json:"cnf"`
}

// AccessTokenRules are judged once the signature has been verified.
func AccessTokenRules() Table[AccessToken] { return slices.Clone(accessTokenRules) }

var accessTokenRules = Table[AccessToken]{
	{Spec: "RFC 9068 §4", Text: "the access token's typ is at+jwt",
		Holds: func(t AccessToken) bool { return t.Typ == "at+jwt" },
		Got:   func(t AccessToken) string { return fmt.Sprintf("%.300q", t.Typ) },
		Help:  "send the access token, not the ID Token"},
	{Spec: "RFC 9068 §4", Text: "the access token's iss is the provider",
		Holds: func(t AccessToken) bool { return t.Issuer == t.Provider },
		Got:   func(t AccessToken) string { return fmt.Sprintf("%.300q, not %s", t.Issuer, t.Provider) }},
	{Spec: "RFC 9068 §4", Text: "the access token's aud contains this API", Params: []string{NeedsAudience},
		Holds: func(t AccessToken) bool { return slices.Contains(t.Audience, t.API) },
		Got:   func(t AccessToken) string { return fmt.Sprintf("%q, not %s", t.Audience, t.API) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has an exp",
		Holds: func(t AccessToken) bool { return t.Expiry != nil }},
	{Spec: "RFC 9068 §4", Text: "the access token's exp is in the future",
		Holds: func(t AccessToken) bool { return t.Now.Before(t.Expiry.Time()) },
		Got:   func(t AccessToken) string { return seconds(t.Now.Sub(t.Expiry.Time())) + " ago by this API's clock" },
		Help:  "renew it"},
	{Spec: "RFC 7519 §4.1.5", Text: "the access token's nbf, when present, is past by this API's clock",
		Holds: func(t AccessToken) bool { return t.NotBefore == nil || !t.NotBefore.Time().After(t.Now.Add(jwtSkew)) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has an iat, at most 1m0s ahead of this API's clock",
		Holds: func(t AccessToken) bool { return t.IssuedAt != nil && !t.IssuedAt.Time().After(t.Now.Add(jwtSkew)) }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a sub",
		Holds: func(t AccessToken) bool { return t.Subject != "" }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a client_id",
		Holds: func(t AccessToken) bool { return t.ClientID != "" }},
	{Spec: "RFC 9068 §2.2", Text: "the access token has a jti",
		Holds: func(t AccessToken) bool { return t.ID != "" }},
	{Spec: "RFC 7800 §3.1", Text: "the access token's cnf, when present, has a jkt",
		Holds: func(t AccessToken) bool { return t.Cnf == nil || t.Cnf.JKT != "" },
		Help:  "this API can check DPoP proofs only"},
}

func seconds(d time.Duration) string { return d.Round(time.Second).String() }
