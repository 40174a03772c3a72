package token

import (
	"context"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// ClientCredentials is grant_type=client_credentials (RFC 6749 §4.4): a client gets a token for itself. The token's sub
// is the client_id (RFC 9068 §2.2). The client gets no ID token and no refresh token (§4.4.3).
type ClientCredentials struct {
	Issuer    *Issuer
	Scopes    oidc.Scope // all scope values of the provider
	Resources []string   // the APIs for which any client may get access tokens
}

// tokens implements GrantType.
func (c *ClientCredentials) tokens(ctx context.Context, r request) (Response, error) {
	if r.Client.Public() {
		return Response{}, oidc.UnauthorizedClient.Errorf("client %s is public; RFC 6749 §4.4: \"The client credentials "+
			"grant type MUST only be used by confidential clients\"", r.Client.ClientID)
	}
	scope, err := c.scope(r)
	if err != nil {
		return Response{}, err
	}
	resources, err := oidc.ParseResources(r.Resource, r.Client.AllowedResources(c.Resources))
	if err != nil {
		return Response{}, err
	}
	return c.Issuer.tokens(ctx, r, grant.Grant{
		ID: c.Issuer.Random(), ClientID: r.Client.ClientID, Sub: r.Client.ClientID, Scope: scope, Resource: resources,
	})
}

// scope returns the scope of the token: the client's registered values without the values about a user.
func (c *ClientCredentials) scope(r request) (oidc.Scope, error) {
	allowed := r.Client.AllowedScope(c.Scopes).Without(append(oidc.StandardScope(), oidc.ScopeOffline))
	switch {
	case len(r.Scope) == 0 && r.Client.Scope == "":
		return nil, nil
	case len(r.Scope) == 0:
		return allowed, nil
	case !allowed.Covers(r.Scope):
		return nil, oidc.InvalidScope.Errorf("scope %.200q is not possible for client %s without a user; possible is %q",
			r.Scope, r.Client.ClientID, allowed)
	}
	return r.Scope, nil
}
