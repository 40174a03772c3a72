package clientauth

import (
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	josejson "github.com/go-jose/go-jose/v4/json"

	"github.com/hush-idp/hush/oidc"
)

const (
	// longest is the maximum time from now to exp. RFC 7523 §3: the server "MAY reject JWTs with an "exp" claim value
	// that is unreasonably far in the future".
	longest = time.Hour
	maxJTI  = 255 // characters: they are stored
)

// assertion is a client's assertion with a verified signature.
type assertion struct {
	Client    *oidc.Client
	Type      string // typ of the header
	Now       time.Time
	Audiences []string // the values of aud that name this provider
	assertionClaims
}

// assertionClaims are the claims of Core §9. A nil time means that the claim is missing.
type assertionClaims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience audience         `json:"aud"`
	Expiry   *jwt.NumericDate `json:"exp"`
	Before   *jwt.NumericDate `json:"nbf"`
	IssuedAt *jwt.NumericDate `json:"iat"`
	JTI      string           `json:"jti"`
}

// audience is an aud claim, and whether it came as an array.
type audience struct {
	values  oidc.Audience
	isArray bool
}

// UnmarshalJSON reads a string or an array of strings.
func (a *audience) UnmarshalJSON(text []byte) error {
	a.isArray = len(text) > 0 && text[0] == '['
	if a.isArray {
		return josejson.Unmarshal(text, (*[]string)(&a.values))
	}
	a.values = make(oidc.Audience, 1)
	return josejson.Unmarshal(text, &a.values[0])
}

// demand returns a rule about client_assertion; text states the rule.
func demand(spec, text, help string, holds func(*assertion) bool) oidc.Rule[*assertion] {
	return oidc.Rule[*assertion]{
		Spec: spec, Text: text, Help: help, Holds: holds, Else: oidc.InvalidClient, Params: []string{"client_assertion"},
	}
}

var assertionRules = oidc.Table[*assertion]{
	demand("RFC 8725 §3.11", "client_assertion's typ is absent, JWT or client-authentication+jwt",
		"a JWT that was made for another purpose does not authenticate a client",
		func(j *assertion) bool {
			return slices.Contains([]string{"", "JWT", "client-authentication+jwt"}, j.Type)
		}),
	demand("RFC 7523 §3", "client_assertion's iss is the client_id", "iss and sub are both the client_id (Core §9)",
		func(j *assertion) bool { return j.Issuer == j.Client.ClientID }),
	demand("RFC 7523 §3", "client_assertion's sub is the client_id", "iss and sub are both the client_id (Core §9)",
		func(j *assertion) bool { return j.Subject == j.Client.ClientID }),
	demand("RFC 7523 §3", "client_assertion's aud is this provider", "write the issuer, as the metadata spells it",
		func(j *assertion) bool { return slices.ContainsFunc(j.Audiences, j.Audience.values.Has) }),
	demand("FAPI 2.0 §5.3.2.1", "client_assertion's aud is the issuer as one string if the profile is fapi2",
		"write no array",
		func(j *assertion) bool { return !j.Client.FAPI2() || !j.Audience.isArray }),
	demand("RFC 7523 §3", "client_assertion has an exp", "a minute from now is enough",
		func(j *assertion) bool { return j.Expiry != nil }),
	demand("RFC 7523 §3", "client_assertion's exp is not passed",
		"make a new assertion for each request, and compare the clocks",
		func(j *assertion) bool { return j.Now.Add(-oidc.MaxClockSkew).Before(j.Expiry.Time()) }),
	demand("RFC 7523 §3", "client_assertion's exp is not more than an hour from now", "a minute from now is enough",
		func(j *assertion) bool { return !j.Expiry.Time().After(j.Now.Add(longest + oidc.MaxClockSkew)) }),
	demand("RFC 7523 §3", "client_assertion's nbf is not in the future", "compare the clocks",
		func(j *assertion) bool { return j.Before == nil || !j.isFuture(j.Before) }),
	demand("RFC 7523 §3", "client_assertion's iat is not in the future, and not more than an hour ago",
		"compare the clocks",
		func(j *assertion) bool {
			return j.IssuedAt == nil || !j.isFuture(j.IssuedAt) && j.IssuedAt.Time().After(j.Now.Add(-longest))
		}),
	demand("Core §9", "client_assertion has a jti of 255 characters at most",
		"an identifier that no other assertion of the client has",
		func(j *assertion) bool { return j.JTI != "" && len(j.JTI) <= maxJTI }),
}

func (j *assertion) isFuture(t *jwt.NumericDate) bool {
	return t.Time().After(j.Now.Add(oidc.MaxClockSkew))
}
