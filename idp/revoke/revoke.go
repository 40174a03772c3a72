package revoke

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Endpoint is the revocation endpoint.
type Endpoint struct {
	Clients Clients
	Grants  Grants
	Tokens  Tokens
}

// What the endpoint asks of the rooms around it.
type (
	// Clients is a *clientauth.Authenticator.
	Clients interface {
		Authenticate(r *http.Request, form url.Values) (oidc.Client, error)
	}
	// Grants is a *grant.Grants.
	Grants interface {
		Look(ctx context.Context, refreshToken string) (grant.Family, error)
		Revoke(ctx context.Context, id string) error
	}
	// Tokens is an *access.Tokens.
	Tokens interface {
		Read(ctx context.Context, raw string) (access.Token, error)
		Revoke(ctx context.Context, token access.Token) error
	}
)

// kinds are the tokens that can be revoked, in the order in which they are looked for. token_type_hint changes nothing: RFC 7009 §2.1: "the
// authorization server MAY ignore this parameter, particularly if it is able to detect the token type automatically."
var kinds = []func(*Endpoint, context.Context, oidc.Client, string) (found bool, err error){
	(*Endpoint).refreshToken,
	(*Endpoint).accessToken,
}

// Revoke answers a revocation request. RFC 7009 §2.1: "The authorization server first validates the client credentials (in case of a confidential
// client) and then verifies whether the token was issued to the client making the revocation request." §2.2: "invalid tokens do not cause
// an error response". Its errors are *oidc.Error, or server errors to be hidden behind one.
// https://www.rfc-editor.org/rfc/rfc7009#section-2
func (e *Endpoint) Revoke(r *http.Request) error {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return err
	}
	client, err := e.Clients.Authenticate(r, form)
	if err != nil {
		return err
	}
	token := form.Get("token")
	if token == "" {
		return oidc.InvalidRequest.Errorf("token is missing; send the token to be revoked (RFC 7009 section 2.1)")
	}
	for _, revoke := range kinds {
		if found, err := revoke(e, r.Context(), client, token); found || err != nil {
			return err
		}
	}
	tell(r.Context(), "the token is none that is good: there is nothing to revoke", trace.Noted)
	return nil
}

// refreshToken revokes a refresh token, one that was replaced too, with all that came from its grant. RFC 7009 §2.1: "If the token is a refresh
// token and the authorization server supports the revocation of access tokens, then the authorization server SHOULD also invalidate all
// access tokens based on the same authorization grant".
func (e *Endpoint) refreshToken(ctx context.Context, client oidc.Client, raw string) (found bool, err error) {
	family, err := e.Grants.Look(ctx, raw)
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return false, nil
	case errors.Is(err, grant.ErrExpired), errors.Is(err, grant.ErrRevoked), errors.Is(err, grant.ErrReplayed):
	case err != nil:
		return false, err
	}
	if family.Grant.ClientID != client.ClientID {
		return false, foreign(client)
	}
	tell(ctx, "the refresh token is revoked, and what came with it", trace.OK)
	return true, e.Grants.Revoke(ctx, family.Grant.ID)
}

func (e *Endpoint) accessToken(ctx context.Context, client oidc.Client, raw string) (found bool, err error) {
	token, err := e.Tokens.Read(ctx, raw)
	refused, isOurs := errors.AsType[*oidc.Error](err)
	switch {
	case isOurs && refused.Code == oidc.InvalidToken:
		return false, nil
	case err != nil:
		return false, err
	case token.ClientID != client.ClientID:
		return false, foreign(client)
	}
	tell(ctx, "the access token is revoked", trace.OK)
	return true, e.Tokens.Revoke(ctx, token)
}

// foreign: RFC 7009 §2.1: "If this validation fails, the request is refused and the client is informed of the error".
func foreign(client oidc.Client) error {
	return oidc.InvalidGrant.Errorf("the token was not issued to client %s: who holds another client's token cannot revoke it (RFC 7009 section 2.1)", client.ClientID)
}

func tell(ctx context.Context, text string, outcome trace.Outcome) {
	trace.Emit(ctx, trace.Step{Kind: trace.KindToken, Spec: "RFC 7009 §2.1", Text: text, Outcome: outcome})
}
