package token

import (
	"context"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// clientCredentials obeys grant_type=client_credentials (RFC 6749 §4.4): the client asks for itself. The token's sub is its client_id
// (RFC 9068 §2.2), and there is neither an ID token nor a refresh token: §4.4.3: "A refresh token SHOULD NOT be included."
func (e *Endpoint) clientCredentials(ctx context.Context, r request) (Response, error) {
	if r.Client.Public() {
		return Response{}, oidc.UnauthorizedClient.Errorf(
			"client %s is public; RFC 6749 §4.4: \"The client credentials grant type MUST only be used by confidential clients\"", r.Client.ClientID)
	}
	scope, err := e.ownScope(r)
	if err != nil {
		return Response{}, err
	}
	resources, err := oidc.ParseResources(r.Form["resource"], r.Client.AllowedResources(e.Resources))
	if err != nil {
		return Response{}, err
	}
	return e.tokens(ctx, r, grant.Grant{ID: e.Random(), ClientID: r.Client.ClientID, Sub: r.Client.ClientID, Scope: scope, Resource: resources})
}

// ownScope is what the client may have for itself: of what it is registered for, what is not about a person.
func (e *Endpoint) ownScope(r request) (oidc.Scope, error) {
	allowed := r.Client.AllowedScope(e.Scopes).Without(append(oidc.StandardScope(), oidc.ScopeOffline))
	asked := oidc.ParseScope(r.Form.Get("scope"))
	switch {
	case len(asked) == 0 && r.Client.Scope == "":
		return nil, nil
	case len(asked) == 0:
		return allowed, nil
	case !allowed.Covers(asked):
		return nil, oidc.InvalidScope.Errorf("scope %.200q holds what client %s cannot have without a user; it can have %q", asked, r.Client.ClientID, allowed)
	}
	return asked, nil
}
