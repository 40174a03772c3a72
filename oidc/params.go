package oidc

import (
	"fmt"
	"net/url"
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

// ParseScope reads the wire form. It drops repeated values and preserves the order.
func ParseScope(wire string) Scope {
	values := strings.Fields(wire)
	scope := Scope(values[:0])
	for _, value := range values {
		if !scope.Has(value) {
			scope = append(scope, value)
		}
	}
	return slices.Clip(scope)
}

// String is the wire form.
func (s Scope) String() string { return strings.Join(s, " ") }

// Has tells whether value is in the scope.
func (s Scope) Has(value string) bool { return slices.Contains(s, value) }

// Within returns the values of s that are also in allowed, in the order of s.
func (s Scope) Within(allowed Scope) Scope {
	return slices.DeleteFunc(slices.Clone(s), func(value string) bool { return !allowed.Has(value) })
}

// Without returns the values of s that are not in taken, in the order of s.
func (s Scope) Without(taken Scope) Scope { return slices.DeleteFunc(slices.Clone(s), taken.Has) }

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

// Claims returns the names of the claims that the scope requests, without sub.
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

// NotInScope tells whether no scope value may have r. RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
func NotInScope(r rune) bool { return r < 0x21 || r > 0x7e || r == '"' || r == '\\' }

// Prompt is one value of the prompt parameter (Core §3.1.2.1).
type Prompt string

// The values of prompt.
const (
	PromptNone          Prompt = "none"           // show no page; answer with a code or an error
	PromptLogin         Prompt = "login"          // ask for the user's credentials again
	PromptConsent       Prompt = "consent"        // ask for consent again
	PromptSelectAccount Prompt = "select_account" // let the user choose among accounts
)

// Prompts are the values of one request.
type Prompts []Prompt

// ParsePrompts reads the wire form, values separated by spaces. An unknown value, or none beside another value ("If
// this parameter contains none with any other value, an error is returned"), is an invalid_request.
func ParsePrompts(wire string) (Prompts, error) {
	var prompts Prompts
	for _, value := range strings.Fields(wire) {
		prompt := Prompt(value)
		if !slices.Contains(knownPrompts, prompt) {
			known := strings.Trim(fmt.Sprint(knownPrompts), "[]")
			return nil, InvalidRequest.Errorf("prompt %q is not known; known are: %s", value, known)
		}
		prompts = append(prompts, prompt)
	}
	if prompts.Has(PromptNone) && len(prompts) > 1 {
		return nil, InvalidRequest.Errorf(
			"prompt=none stands alone, but came as %q: drop none to allow a page, or drop the rest", wire)
	}
	return prompts, nil
}

// Has tells whether prompt is among the values.
func (p Prompts) Has(prompt Prompt) bool { return slices.Contains(p, prompt) }

// KnownPrompts lists the values that this provider implements.
func KnownPrompts() []Prompt { return slices.Clone(knownPrompts) }

var knownPrompts = []Prompt{PromptNone, PromptLogin, PromptConsent, PromptSelectAccount}

// ParseResources reads the resource parameters of a request, the APIs of its access tokens, each at most once (RFC 8707
// §2). known are the APIs that access tokens can be for (Client.AllowedResources). Its errors are invalid_target.
func ParseResources(values, known []string) ([]string, error) {
	var resources []string
	for _, value := range values {
		u, err := url.Parse(value)
		switch {
		case value == "": // RFC 6749 §3.1: it counts as omitted
			continue
		case err != nil || !u.IsAbs() || strings.ContainsFunc(value, notURI):
			return nil, InvalidTarget.Errorf(
				"resource %.200q is no absolute URI; write it whole, like https://api.example.com (RFC 8707 §2)", value)
		case strings.Contains(value, "#"):
			return nil, InvalidTarget.Errorf("resource %.200q has a fragment: remove the # and the rest (RFC 8707 §2)", value)
		case !slices.Contains(known, value):
			return nil, InvalidTarget.Errorf(
				"there are no access tokens for resource %.200q here; there are for %s (RFC 8707 §2)",
				value, strings.Join(known, ", "))
		case !slices.Contains(resources, value):
			resources = append(resources, value)
		}
	}
	return resources, nil
}

// AllowedResources returns the APIs for which the client may get access tokens: the provider's APIs and its own
// audience.
func (c Client) AllowedResources(provider []string) []string {
	if c.Audience == "" || slices.Contains(provider, c.Audience) {
		return provider
	}
	return append(slices.Clip(provider), c.Audience)
}
