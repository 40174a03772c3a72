package oidc

import (
	"slices"
	"strings"
)

// The scope values of Core §3.1.2.1 and §5.4.
const (
	ScopeOpenID  = "openid"
	ScopeProfile = "profile"
	ScopeEmail   = "email"
	ScopeAddress = "address"
	ScopePhone   = "phone"
	ScopeOffline = "offline_access" // Core §11
)

// Scope is a list of scope values, each at most once; its wire form separates them by spaces (RFC 6749 §3.3).
type Scope []string

// ParseScope reads the wire form. Values given twice count once; order stays.
func ParseScope(wire string) Scope {
	var scope Scope
	for _, value := range strings.Fields(wire) {
		if !scope.Has(value) {
			scope = append(scope, value)
		}
	}
	return scope
}

// String is the wire form.
func (s Scope) String() string { return strings.Join(s, " ") }

// Has tells whether value is in the scope.
func (s Scope) Has(value string) bool { return slices.Contains(s, value) }

// Within returns the values of s that are also in allowed, in the order of s. Core §3.1.2.1: "Scope values used that are
// not understood by an implementation SHOULD be ignored."
func (s Scope) Within(allowed Scope) Scope {
	var both Scope
	for _, value := range s {
		if allowed.Has(value) {
			both = append(both, value)
		}
	}
	return both
}

// Without returns the values of s that are not in taken, in the order of s.
func (s Scope) Without(taken Scope) Scope {
	var rest Scope
	for _, value := range s {
		if !taken.Has(value) {
			rest = append(rest, value)
		}
	}
	return rest
}

// Covers tells whether every value of wanted is in s.
func (s Scope) Covers(wanted Scope) bool { return len(wanted.Within(s)) == len(wanted) }

// scopeClaims are the claims that a scope value asks for (Core §5.4).
var scopeClaims = map[string][]string{
	ScopeProfile: {
		"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
		"website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
	},
	ScopeEmail:   {"email", "email_verified"},
	ScopeAddress: {"address"},
	ScopePhone:   {"phone_number", "phone_number_verified"},
}

// Claims returns the names of the claims that the scope asks for, sub not among them.
func (s Scope) Claims() []string {
	var names []string
	for _, value := range s {
		names = append(names, scopeClaims[value]...)
	}
	return names
}

// StandardScope holds the scope values that OpenID Connect itself defines and this provider knows.
func StandardScope() Scope {
	return Scope{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeAddress, ScopePhone}
}

// NotInScope tells whether r cannot stand in a scope value. RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
func NotInScope(r rune) bool { return r < 0x21 || r > 0x7e || r == '"' || r == '\\' }
