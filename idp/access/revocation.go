package access

import (
	"context"
	"errors"
	"net/http"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// PathRevoke is the path of the revocation endpoint.
const PathRevoke = "/revoke"

// Revocation is the revocation endpoint (RFC 7009).
type Revocation struct {
	Issuer string
	Auth   *clientauth.Authenticator
	Grants *grant.Grants
	Tokens *Tokens
	Limit  endpoint.Limit
}

// Endpoints are POST /revoke.
func (e *Revocation) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "revoke", Path: PathRevoke, Methods: []string{http.MethodPost}, Audience: endpoint.Programs,
		Serve: e.serve, Limit: e.Limit, Describe: e.describe,
	}}
}

func (e *Revocation) describe(m *oidc.Metadata) {
	m.RevocationEndpoint = e.Issuer + PathRevoke
	m.RevocationEndpointAuthMethodsSupported = clientauth.Methods()
	m.RevocationEndpointAuthSigningAlgValuesSupported = oidc.AssertionAlgs()
}

// serve answers without a body: RFC 7009 §2.2: "The content of the response body is ignored by the client".
func (e *Revocation) serve(w http.ResponseWriter, r *http.Request) error {
	err := e.revoke(r)
	if err == nil {
		w.WriteHeader(http.StatusOK)
	}
	return err
}

// revoke answers a revocation request. RFC 7009 §2.1: "The authorization server first validates the client credentials
// (in case of a confidential client) and then verifies whether the token was issued to the client making the revocation
// request." §2.2: "invalid tokens do not cause an error response". token_type_hint changes nothing: §2.1: "the
// authorization server MAY ignore this parameter, particularly if it is able to detect the token type automatically."
// https://www.rfc-editor.org/rfc/rfc7009#section-2
func (e *Revocation) revoke(r *http.Request) error {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return err
	}
	client, err := e.Auth.Authenticate(r, form)
	if err != nil {
		return err
	}
	raw := form.Get("token")
	if raw == "" {
		return oidc.InvalidRequest.Errorf("token is missing; send the token to be revoked (RFC 7009 §2.1)")
	}
	if found, err := e.refreshToken(r.Context(), client, raw); found || err != nil {
		return err
	}
	if found, err := e.accessToken(r.Context(), client, raw); found || err != nil {
		return err
	}
	tellRevoked(r.Context(), "the token is not a valid one: there is nothing to revoke", trace.Noted)
	return nil
}

// refreshToken revokes a refresh token, even a replaced one, with everything that its grant gave. RFC 7009 §2.1: "If
// the token is a refresh token and the authorization server supports the revocation of access tokens, then the
// authorization server SHOULD also invalidate all access tokens based on the same authorization grant".
func (e *Revocation) refreshToken(ctx context.Context, client oidc.Client, raw string) (found bool, err error) {
	family, err := e.Grants.Look(ctx, raw)
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return false, nil
	case errors.Is(err, grant.ErrExpired), errors.Is(err, grant.ErrRevoked), errors.Is(err, grant.ErrReplayed):
	case err != nil:
		return false, err
	}
	if family.Grant.ClientID != client.ClientID {
		return false, errForeign(client)
	}
	tellRevoked(ctx, "the refresh token is revoked, and everything that its grant gave", trace.OK)
	return true, e.Grants.Revoke(ctx, family.Grant.ID)
}

func (e *Revocation) accessToken(ctx context.Context, client oidc.Client, raw string) (found bool, err error) {
	token, err := e.Tokens.Read(ctx, raw)
	switch {
	case isInvalidToken(err):
		return false, nil
	case err != nil:
		return false, err
	case token.ClientID != client.ClientID:
		return false, errForeign(client)
	}
	tellRevoked(ctx, "the access token is revoked", trace.OK)
	return true, e.Tokens.Revoke(ctx, token)
}

// isInvalidToken says whether Read refused the token, and did not fail.
func isInvalidToken(err error) bool {
	refused, ok := errors.AsType[*oidc.Error](err)
	return ok && refused.Code == oidc.InvalidToken
}

// errForeign refuses a token of another client. RFC 7009 §2.1: "If this validation fails, the request is refused and
// the client is informed of the error".
func errForeign(client oidc.Client) error {
	return oidc.InvalidGrant.Errorf(
		"the token was not issued to client %s: a client cannot revoke the token of another (RFC 7009 §2.1)", client.ClientID)
}

func tellRevoked(ctx context.Context, text string, outcome trace.Outcome) {
	trace.Emit(ctx, trace.Step{Kind: trace.KindToken, Spec: "RFC 7009 §2.1", Text: text, Outcome: outcome})
}
