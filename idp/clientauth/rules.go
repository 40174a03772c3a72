package clientauth

import (
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	josejson "github.com/go-jose/go-jose/v4/json"

	"github.com/hush-idp/hush/oidc"
)

const (
	// skew is how far the clocks of client and provider may be apart. FAPI 2.0 §5.3.2.1 wants 10 seconds accepted and more than
	// 60 rejected.
	skew = 30 * time.Second
	// longest is the time that an assertion may still live. RFC 7523 §3: the server "MAY reject JWTs with an "exp" claim value
	// that is unreasonably far in the future".
	longest = time.Hour
	maxJTI  = 255 // characters: they are kept
)

// assertion is what the rules judge.
type assertion struct {
	Client    oidc.Client
	Type      string // typ of the header
	Now       time.Time
	Audiences []string // that are this provider
	assertionClaims
}

// assertionClaims are the claims of Core §9. A nil time did not come.
type assertionClaims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience audience         `json:"aud"`
	Expiry   *jwt.NumericDate `json:"exp"`
	Before   *jwt.NumericDate `json:"nbf"`
	IssuedAt *jwt.NumericDate `json:"iat"`
	JTI      string           `json:"jti"`
}

// audience is the aud claim, and whether it came as an array.
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

// assertionRule is one condition under which an assertion says who the client is.
type assertionRule struct {
	Spec, Text string
	Holds      func(assertion) bool
	Help       string
}

var assertionRules = []assertionRule{
	{
		Spec: "RFC 8725 §3.11", Text: "typ is absent, JWT or client-authentication+jwt",
		Holds: func(j assertion) bool {
			return slices.Contains([]string{"", "JWT", "client-authentication+jwt"}, j.Type)
		},
		Help: "a JWT that was made for something else proves nothing here",
	},
	{
		Spec: "RFC 7523 §3", Text: "iss is the client_id",
		Holds: func(j assertion) bool { return j.Issuer == j.Client.ClientID },
		Help:  "iss and sub are both the client_id (Core §9)",
	},
	{
		Spec: "RFC 7523 §3", Text: "sub is the client_id",
		Holds: func(j assertion) bool { return j.Subject == j.Client.ClientID },
		Help:  "iss and sub are both the client_id (Core §9)",
	},
	{
		Spec: "RFC 7523 §3", Text: "aud is this provider",
		Holds: assertion.isFor,
		Help:  "write the issuer, as the metadata spells it",
	},
	{
		Spec: "FAPI 2.0 §5.3.2.1", Text: "aud of a fapi2 client is the issuer as one string",
		Holds: func(j assertion) bool { return !j.Client.FAPI2() || !j.Audience.isArray },
		Help:  "write no array",
	},
	{
		Spec: "RFC 7523 §3", Text: "exp is there",
		Holds: func(j assertion) bool { return j.Expiry != nil },
		Help:  "a minute from now is enough",
	},
	{
		Spec: "RFC 7523 §3", Text: "exp is not passed",
		Holds: func(j assertion) bool { return j.Now.Add(-skew).Before(j.Expiry.Time()) },
		Help:  "make a new assertion for each request, and compare the clocks",
	},
	{
		Spec: "RFC 7523 §3", Text: "exp is not more than an hour from now",
		Holds: func(j assertion) bool { return !j.Expiry.Time().After(j.Now.Add(longest + skew)) },
		Help:  "a minute from now is enough",
	},
	{
		Spec: "RFC 7523 §3", Text: "nbf is not in the future",
		Holds: func(j assertion) bool { return j.Before == nil || !j.Before.Time().After(j.Now.Add(skew)) },
		Help:  "compare the clocks",
	},
	{
		Spec: "RFC 7523 §3", Text: "iat is not in the future, and not more than an hour ago",
		Holds: func(j assertion) bool {
			return j.IssuedAt == nil || !j.IssuedAt.Time().After(j.Now.Add(skew)) && j.IssuedAt.Time().After(j.Now.Add(-longest))
		},
		Help: "compare the clocks",
	},
	{
		Spec: "Core §9", Text: "jti is there, with 255 characters at the most",
		Holds: func(j assertion) bool { return j.JTI != "" && len(j.JTI) <= maxJTI },
		Help:  "an identifier that no other assertion of the client has",
	},
}
