package userinfo

import (
	"github.com/hush-idp/hush/oidc"
)

// ofTheSignIn are the claims about the sign-in and not about the user. The ID token has them anyhow; what asks for a value of
// sub or acr is obeyed where the request is judged (Core §5.5.1.1).
var ofTheSignIn = oidc.Scope{"sub", "acr", "auth_time", "amr", "sid", "iss", "aud", "exp", "iat", "nonce", "at_hash"}

// Within is the part of the request whose claims are covered by scope values in allowed, those that the client may ask for.
// Core §5.5: what is not understood is ignored. nil: nothing is left.
func (r Release) Within(request *oidc.ClaimsRequest, allowed oidc.Scope) *oidc.ClaimsRequest {
	if request == nil {
		return nil
	}
	covered := r.Names(allowed)
	within := oidc.ClaimsRequest{Userinfo: only(request.Userinfo, covered), IDToken: only(request.IDToken, covered)}
	if within.Userinfo == nil && within.IDToken == nil {
		return nil
	}
	return &within
}

func only(requested map[string]*oidc.ClaimRequest, covered oidc.Scope) map[string]*oidc.ClaimRequest {
	var kept map[string]*oidc.ClaimRequest
	for name, request := range requested {
		if covered.Has(untagged(name)) && !ofTheSignIn.Has(untagged(name)) {
			if kept == nil {
				kept = map[string]*oidc.ClaimRequest{}
			}
			kept[name] = request
		}
	}
	return kept
}

// Scope is what a person is asked to allow for the request: of the scope values in allowed those that cover a claim that it
// names.
func (r Release) Scope(request *oidc.ClaimsRequest, allowed oidc.Scope) oidc.Scope {
	if request == nil {
		return nil
	}
	var scope oidc.Scope
	for _, value := range allowed {
		covered := r.Names(oidc.Scope{value})
		if only(request.Userinfo, covered) != nil || only(request.IDToken, covered) != nil {
			scope = append(scope, value)
		}
	}
	return scope
}
