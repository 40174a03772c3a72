package console

import (
	"cmp"
	"net/http"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// tokensBody is the body of POST /console/tokens.
type tokensBody struct {
	// Client is a client_id.
	Client string `json:"client"`
	// User is a username, an email address or a sub. Without it the access token is the client's own.
	User string `json:"user,omitempty"`
	// Scope is the granted scope. Default: all that the client may ask for.
	Scope string `json:"scope,omitempty"`
	// Resource has the APIs that the access token is for (RFC 8707). Default: the audience of the client.
	Resource []string `json:"resource,omitempty"`
	// Nonce is the nonce claim of the ID token.
	Nonce string `json:"nonce,omitempty"`
	// ACR is the acr claim. Default: "1", a password.
	ACR string `json:"acr,omitempty"`
	// AMR is the amr claim. Default: ["pwd"].
	AMR []string `json:"amr,omitempty"`
	// Claims are in the ID token and in the access token, unless it is opaque. They replace other claims, and null removes
	// one.
	Claims map[string]any `json:"claims,omitempty"`
	// Expired makes tokens that expired a minute ago. A refresh token is valid all the same.
	Expired bool `json:"expired,omitempty"`
}

// tokens is POST /console/tokens.
func (e *Endpoint) tokens(_ http.ResponseWriter, r *http.Request) (any, error) {
	var body tokensBody
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	client, err := e.Clients.ByID(r.Context(), body.Client)
	if err != nil {
		return nil, unknownClient(body.Client, err)
	}
	wanted := token.Wanted{Client: client, Claims: body.Claims}
	if body.Expired {
		wanted.Age = time.Minute + max(cmp.Or(client.AccessTokenLifetime, oidc.DefaultTokenLifetime),
			cmp.Or(client.IDTokenLifetime, oidc.DefaultTokenLifetime))
	}
	if wanted.Grant, err = e.grantOf(body, client); err != nil {
		return nil, err
	}
	return e.Tokens.Tokens(r.Context(), wanted)
}

// grantOf is what a user, or the client itself, would have been granted.
func (e *Endpoint) grantOf(body tokensBody, client *oidc.Client) (grant.Grant, error) {
	granted := grant.Grant{
		Sub: client.ClientID, Resource: body.Resource, Nonce: body.Nonce, ACR: cmp.Or(body.ACR, "1"), AMR: body.AMR,
		Scope: oidc.ParseScope(body.Scope),
	}
	if len(granted.AMR) == 0 {
		granted.AMR = []string{"pwd"}
	}
	if len(granted.Scope) == 0 {
		granted.Scope = client.AllowedScope(e.Provided.Scope)
	}
	if unknown := granted.Scope.Without(e.Provided.Scope); len(unknown) > 0 {
		return granted, oidc.InvalidScope.Errorf("scope %.200q is not known to the provider: known are %s", unknown,
			e.Provided.Scope)
	}
	if body.User == "" {
		granted.Scope = granted.Scope.Without(append(oidc.StandardScope(), oidc.ScopeOffline)) // they are about a user
		granted.ACR, granted.AMR = "", nil
		return granted, nil
	}
	user, err := e.userNamed(body.User)
	if err != nil {
		return granted, err
	}
	granted.Sub, granted.AuthTime = user.Sub, e.Sessions.Now()
	return granted, nil
}

// userNamed returns the user with this username, email address or sub.
func (e *Endpoint) userNamed(name string) (users.User, error) {
	if user, ok := e.Users.ByName(name); ok {
		return user, nil
	}
	if user, ok := e.Users.BySub(name); ok {
		return user, nil
	}
	return users.User{}, unknownUser(name)
}
