// Package claims decides which claims about a user or a client go into the ID token, the access token and the answers
// of userinfo and introspection.
//
//	scope ────────────────► covered names ──┐
//	                                        ├──► Userinfo    (Core §5.4, §5.5)
//	claims, userinfo ─► Within ─► names ────┘
//	claims, id_token ─► Within ─► names ────┬──► IDToken     (Core §5.5)
//	scope, id_token_claims ─────────────────┘
//	scope, access_token_claims ────────────────► AccessToken (RFC 9068 §2.2.3), introspection
//
// Every claim belongs to a scope value: standard claims to the scope values of Core §5.4, other claims to configured
// scope values. A client can request a claim by name if it may request the claim's scope value, and the user is asked
// to allow that value. A claim that belongs to no scope value is never released.
package claims

import (
	"encoding/json"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// Release knows the claims of every scope value. Its zero value knows the scope values of Core §5.4.
type Release struct {
	Scopes map[string][]string // of the configuration: the names of the claims by scope value
	// InIDToken and InAccessToken are claims that these tokens have for every client, by granted scope value.
	InIDToken, InAccessToken map[string]oidc.ClaimNames
}

// Userinfo returns the claims that the userinfo endpoint releases: the claims of scope, and the claims that were
// requested by name (Core §5.3.2 and §5.5). requested comes from Within.
func (r Release) Userinfo(
	client *oidc.Client, user map[string]any, scope oidc.Scope, requested map[string]*oidc.ClaimRequest,
) map[string]any {
	released := byName(user, requested)
	for _, name := range r.Names(scope) {
		release(released, user, name)
	}
	return mapped(released, client.ClaimsMapping)
}

// IDToken returns the claims about the user for an ID token: claims that were requested by name, and those that the
// client's id_token_claims or the scope's add. Without these settings a claim of a scope is not in it. Core §5.4: the
// claims of a scope "are returned from the UserInfo Endpoint".
func (r Release) IDToken(
	client *oidc.Client, user map[string]any, scope oidc.Scope, requested map[string]*oidc.ClaimRequest,
) map[string]any {
	released := byName(user, requested)
	r.add(released, user, scope, client.IDTokenClaims, r.InIDToken)
	return mapped(released, client.ClaimsMapping)
}

// AccessToken returns the claims about the user for an access token and for answers about it (RFC 9068 §2.2.3).
func (r Release) AccessToken(client *oidc.Client, user map[string]any, scope oidc.Scope) map[string]any {
	released := map[string]any{}
	r.add(released, user, scope, client.AccessTokenClaims, r.InAccessToken)
	return mapped(released, client.ClaimsMapping)
}

// OfClient returns the claims for an access token about the client itself, of client_credentials.
func OfClient(client *oidc.Client) map[string]any { return mapped(client.Claims, client.ClaimsMapping) }

// add releases the claims that the scope covers and that are among the client's or the scope value's names.
func (r Release) add(
	released, user map[string]any, scope oidc.Scope, names oidc.ClaimNames, ofScope map[string]oidc.ClaimNames,
) {
	for _, value := range scope {
		for _, name := range r.Names(oidc.Scope{value}) {
			if names.Has(name) || ofScope[value].Has(name) {
				release(released, user, name)
			}
		}
	}
}

// byName returns the claims that were requested by name, if their values suit.
func byName(user map[string]any, requested map[string]*oidc.ClaimRequest) map[string]any {
	released := map[string]any{}
	for name, request := range requested {
		if isWanted(request, user[name]) {
			release(released, user, name)
		}
	}
	return released
}

// release copies a claim that has a value. Core §5.3.2: "If a Claim is not returned, that Claim Name SHOULD be omitted
// from the JSON object representing the Claims; it SHOULD NOT be present with a null or empty string value."
func release(released, user map[string]any, name string) {
	if value, ok := user[name]; ok && value != nil && value != "" {
		released[name] = value
	}
}

// isWanted reports whether the request accepts this value. Core §5.5.1: value "Requests that the Claim be returned with
// a particular value", values "with one of a set of values, with the values appearing in order of preference".
func isWanted(request *oidc.ClaimRequest, value any) bool {
	if request == nil || request.Value == nil && len(request.Values) == 0 {
		return true
	}
	for _, wanted := range append([]any{request.Value}, request.Values...) {
		if wanted != nil && isSame(wanted, value) {
			return true
		}
	}
	return false
}

// isSame compares two values as JSON: a claim from YAML may have another number type in Go.
func isSame(a, b any) bool {
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(textA) == string(textB)
}

// Names lists the claims that the scope covers, without sub.
func (r Release) Names(scope oidc.Scope) oidc.Scope {
	names := oidc.Scope(scope.Claims())
	for _, value := range scope {
		names = append(names, r.Scopes[value]...)
	}
	return names
}

// Within returns the part of the request that scope values in allowed cover: the client may request no others. Core
// §5.5: claims that are not understood are ignored. nil: nothing is left.
func (r Release) Within(request *oidc.ClaimsRequest, allowed oidc.Scope) *oidc.ClaimsRequest {
	if request == nil {
		return nil
	}
	covered := r.Names(allowed)
	within := oidc.ClaimsRequest{
		Userinfo: coveredBy(covered, request.Userinfo), IDToken: coveredBy(covered, request.IDToken),
	}
	if within.Userinfo == nil && within.IDToken == nil {
		return nil
	}
	return &within
}

// Scope returns the scope values in allowed that cover a requested claim. The user is asked to allow them.
func (r Release) Scope(request *oidc.ClaimsRequest, allowed oidc.Scope) oidc.Scope {
	if request == nil {
		return nil
	}
	var scope oidc.Scope
	for _, value := range allowed {
		covered := r.Names(oidc.Scope{value})
		if coveredBy(covered, request.Userinfo) != nil || coveredBy(covered, request.IDToken) != nil {
			scope = append(scope, value)
		}
	}
	return scope
}

// coveredBy returns the requests for the names, with or without a language tag. Core §5.2: the tag is "delimited by a #
// character". Claims that only the provider writes are not about the user: /authorize judges a request for a value of
// sub or acr (Core §5.5.1.1). nil: there is no request.
func coveredBy(names oidc.Scope, requested map[string]*oidc.ClaimRequest) map[string]*oidc.ClaimRequest {
	var covered map[string]*oidc.ClaimRequest
	for name, request := range requested {
		bare, _, _ := strings.Cut(name, "#")
		if names.Has(bare) && !oidc.IsReservedClaim(bare) {
			if covered == nil {
				covered = map[string]*oidc.ClaimRequest{}
			}
			covered[name] = request
		}
	}
	return covered
}
