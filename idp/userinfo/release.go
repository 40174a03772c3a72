// Package userinfo decides which claims about a user a client gets, where, and for what.
//
//	scope ────────────────► covered names ──┐
//	                                        ├──► Userinfo   (Core §5.4, §5.5)
//	claims, userinfo ─► Within ─► names ────┘
//	claims, id_token ─► Within ─► names ───────► IDToken    (Core §5.5)
//
// Every claim belongs to a scope value: the standard ones to those of Core §5.4, the others to those of the configuration. A
// client can request a claim by name where it could have requested its scope, and the user is asked to allow that scope. A
// claim that belongs to no scope value is never released.
//
// Where teaching ends: all claims are normal claims of this provider (Core §5.6). Aggregated and distributed claims need
// another provider that vouches for them.
package userinfo

import (
	"encoding/json"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// Release knows the claims of every scope value. Its zero value knows those of Core §5.4.
type Release struct {
	Scopes map[string][]string // of the configuration: the names of the claims by scope value
}

// Userinfo is what the userinfo endpoint tells of a user: the claims that scope covers, and those that were requested by name
// (Core §5.3.2 and §5.5). requested has passed Within before.
func (r Release) Userinfo(user map[string]any, scope oidc.Scope, requested map[string]*oidc.ClaimRequest) map[string]any {
	told := r.IDToken(user, requested)
	for _, name := range r.Names(scope) {
		tell(told, user, name)
	}
	return told
}

// IDToken is what an ID token tells of a user besides who it is: the claims that were requested there by name. Core §5.4: the
// claims that a scope asks for "are returned from the UserInfo Endpoint".
func (Release) IDToken(user map[string]any, requested map[string]*oidc.ClaimRequest) map[string]any {
	told := map[string]any{}
	for name, request := range requested {
		if wants(request, user[name]) {
			tell(told, user, name)
		}
	}
	return told
}

// tell: Core §5.3.2: "If a Claim is not returned, that Claim Name SHOULD be omitted from the JSON object representing the
// Claims; it SHOULD NOT be present with a null or empty string value."
func tell(told, user map[string]any, name string) {
	if value, ok := user[name]; ok && value != nil && value != "" {
		told[name] = value
	}
}

// wants: Core §5.5.1: value "Requests that the Claim be returned with a particular value", values "with one of a set of
// values, with the values appearing in order of preference". Another value was not requested.
func wants(request *oidc.ClaimRequest, value any) bool {
	if request == nil || request.Value == nil && len(request.Values) == 0 {
		return true
	}
	for _, wanted := range append([]any{request.Value}, request.Values...) {
		if wanted != nil && same(wanted, value) {
			return true
		}
	}
	return false
}

// same compares as JSON does: a user's claims may come from YAML, where a number has another type.
func same(a, b any) bool {
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(textA) == string(textB)
}

// Names lists the claims that the scope asks for, sub not among them.
func (r Release) Names(scope oidc.Scope) oidc.Scope {
	names := oidc.Scope(scope.Claims())
	for _, value := range scope {
		names = append(names, r.Scopes[value]...)
	}
	return names
}

// untagged is the name without its language. Core §5.2: "Claim Names are case sensitive […] the language tag is delimited by
// a # character".
func untagged(name string) string {
	bare, _, _ := strings.Cut(name, "#")
	return bare
}
