package oidc

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Values of AccessTokenType, the typ of the header of access tokens.
const (
	TypeATJWT = "at+jwt" // RFC 9068 §2.1
	TypeJWT   = "JWT"    // RFC 7519 §5.1, for APIs that know no other
)

// ClaimNames are names of claims that go into a token. AllClaims among them stands for every claim that the granted
// scope values cover.
type ClaimNames []string

// AllClaims stands for the claims that the granted scope values cover. No claim has this name, because it is reserved.
const AllClaims = "scope"

// Has reports whether a claim that the granted scope values cover is among the names.
func (n ClaimNames) Has(name string) bool {
	return slices.Contains(n, name) || slices.Contains(n, AllClaims)
}

// UnmarshalJSON implements json.Unmarshaler: the string AllClaims stands for a list of it.
func (n *ClaimNames) UnmarshalJSON(text []byte) error {
	var word string
	if json.Unmarshal(text, &word) == nil && word == AllClaims {
		*n = ClaimNames{word}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(n))
}

// reservedClaims are claims with a meaning of their own in an ID token, an access token or an answer about a token.
// Whoever could set one of them could pass one token off as another, or as another user's.
var reservedClaims = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", // RFC 7519 §4.1
	"nonce", "azp", "amr", "acr", "auth_time", "sid", "at_hash", "c_hash", "s_hash", "sub_jwk", // Core §2, §3.3.2.11, §7.4
	"_claim_names", "_claim_sources", // Core §5.6.2
	"client_id", "scope", "cnf", "act", "may_act", "authorization_details", // RFC 9068 §2.2, RFC 7800, RFC 8693, RFC 9396
	"active", "token_type", "token_introspection", "events", // RFC 7662 §2.2, RFC 9701 §5, RFC 8417 §2.2
	"grant_id", "granted_at", "kept", "userinfo_claims", // of this provider's access tokens
}

// IsReservedClaim reports whether only the provider itself may write a claim of this name.
func IsReservedClaim(name string) bool { return slices.Contains(reservedClaims, strings.ToLower(name)) }

// ClaimPath returns the members, from the outside to the inside, below which claims_mapping writes a claim. A dot
// begins a member of an object, except in a URL: realm_access.roles has two members.
func ClaimPath(name string) []string {
	if strings.Contains(name, "://") {
		return []string{name}
	}
	return strings.Split(name, ".")
}

// ClaimSource reads a value of claims_mapping: the name of a claim as text, or a constant as {value: …}.
func ClaimSource(source any) (claim string, constant any, ok bool) {
	if claim, ok = source.(string); ok {
		return claim, nil, claim != ""
	}
	group, _ := source.(map[string]any)
	constant, ok = group["value"]
	return "", constant, ok && constant != nil && len(group) == 1
}

// checkClaims checks which claims go into the tokens of the client, and by which names.
func (c Client) checkClaims(report Report) {
	report.CheckClaimNames("id_token_claims", c.IDTokenClaims)
	report.CheckClaimNames("access_token_claims", c.AccessTokenClaims)
	for _, name := range slices.Sorted(maps.Keys(c.Claims)) {
		report.unlessFree("claims."+name, name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.ClaimsMapping)) {
		at, path := "claims_mapping."+name, ClaimPath(name)
		report.unlessFree(at, path[0])
		report.When(slices.Contains(path, ""), at, "has an empty part: write it like realm_access.roles, or like a URL")
		_, _, ok := ClaimSource(c.ClaimsMapping[name])
		report.When(!ok, at, "is neither the name of a claim nor a constant: write %s: roles, or %s: {value: acme}",
			name, name)
		for other := range c.ClaimsMapping {
			report.When(strings.HasPrefix(other, name+".") && len(path) < len(ClaimPath(other)), at,
				"cannot be a value, because %s makes it an object: rename one of the two", other)
		}
	}
	report.unlessOneOf("access_token_type", c.AccessTokenType, TypeATJWT, TypeJWT)
	report.When(c.AccessTokenType != "" && c.AccessTokenFormat == FormatOpaque, "access_token_type",
		"is the typ of a JWT, and access_token_format is opaque: remove one of the two")
	report.When(c.AccessTokenType == TypeJWT && c.Audience != "" && c.Audience == c.ClientID, "access_token_type",
		"is JWT, and audience is the client_id: the client could take an access token for an ID token; give the API a name "+
			"of its own, or remove the line (RFC 9068 §5)")
}

// CheckClaimNames reports names that only the provider itself may write.
func (r Report) CheckClaimNames(field string, names []string) {
	for i, name := range names {
		if name != AllClaims {
			r.unlessFree(fmt.Sprintf("%s[%d]", field, i), name)
		}
	}
}

// unlessFree reports a claim that only the provider itself may write.
func (r Report) unlessFree(field, name string) {
	r.When(IsReservedClaim(name), field, "names the claim %s, which only the provider itself writes: choose another name",
		name)
	r.When(name == "", field, "names no claim: write its name")
}
