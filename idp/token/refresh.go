package token

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// RefreshToken is grant_type=refresh_token (RFC 6749 §6, Core §12).
type RefreshToken struct {
	Grants  Grants
	Issuer  *Issuer
	Refresh Refresh
}

// Refresh says how long refresh tokens last.
type Refresh struct {
	Idle     time.Duration // without use, for a client without refresh_token_lifetime
	Absolute time.Duration // after the sign-in
}

// refreshRequest is a request with a known refresh token.
type refreshRequest struct {
	request
	grant.Family
}

// refreshRules are the conditions for new tokens. A request that breaks a rule does not spend the refresh token.
var refreshRules = oidc.Table[refreshRequest]{{
	Spec: "RFC 6749 §6", Text: "the refresh token was issued to the client that uses it", Params: []string{"client_id"},
	Else: oidc.InvalidGrant, Reason: oidc.RefreshRefused,
	Holds: func(r refreshRequest) bool { return r.Grant.ClientID == r.Client.ClientID },
	Help:  "a refresh token is good for one client only",
}, {
	Spec: "RFC 9449 §5", Text: "the DPoP proof is of the key that the refresh token is bound to",
	Params: []string{"DPoP"}, Else: oidc.InvalidGrant, Reason: oidc.RefreshRefused,
	Holds: func(r refreshRequest) bool { return r.Family.JKT == "" || equal(r.Family.JKT, r.request.JKT) },
	Help:  "send a proof of the key that the first proof was of; without that key sign in again",
}, {
	Spec: "RFC 6749 §6", Text: "scope asks for nothing that was not granted", Params: []string{"scope"},
	Else: oidc.InvalidScope, Reason: oidc.ScopeRefused,
	Holds: func(r refreshRequest) bool { return r.Grant.Scope.Covers(r.Scope) },
	Help:  "leave scope out for all that was granted, or ask for less; for more start at the authorization endpoint",
}}

// tokens implements GrantType. It replaces the refresh token last, so that a client can repeat a request with an error.
func (t *RefreshToken) tokens(ctx context.Context, r request) (Response, error) {
	if r.RefreshToken == "" {
		return Response{}, oidc.InvalidRequest.Errorf(
			"refresh_token is missing; send the one of the last token response (RFC 6749 §6)")
	}
	family, err := t.Grants.Family(ctx, r.RefreshToken)
	if err != nil {
		return Response{}, notRefreshed(err)
	}
	if err := refreshRules.Judge(ctx, refreshRequest{r, family}); err != nil {
		return Response{}, err
	}
	granted := family.Grant
	granted.Nonce = "" // Core §12.2
	if len(r.Scope) > 0 {
		if lost := granted.Scope.Without(r.Scope); len(lost) > 0 {
			trace.Narrow(ctx, "RFC 6749 §6", fmt.Sprintf("scope %q was left out: the refresh request named less scope", lost))
		}
		granted.Scope = r.Scope
	}
	if _, err := t.Issuer.permit(ctx, r, granted); err != nil {
		return Response{}, err
	}
	terms := t.Refresh.terms(r.Client)
	next, err := t.Grants.Use(ctx, r.RefreshToken, terms)
	if err != nil {
		return Response{}, notRefreshed(err)
	}
	response, err := t.Issuer.tokens(ctx, r, granted)
	if err == nil && terms.Rotate {
		response.RefreshToken = next
	}
	return response, err
}

// notRefreshed converts an error of the grants to an invalid_grant. Errors of the store stay unchanged.
func notRefreshed(err error) error {
	refused := func(text string, reason oidc.Reason) error {
		return oidc.InvalidGrant.Errorf("the refresh token %s; sign in again", text).Blame(reason)
	}
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return refused("is not known: it was never issued, or ended long ago", oidc.RefreshRefused)
	case errors.Is(err, grant.ErrExpired):
		return refused("expired: it was not used for too long, or the sign-in is too old", oidc.RefreshRefused)
	case errors.Is(err, grant.ErrRevoked):
		return refused("was revoked: by the client, by the user, or because one was used twice", oidc.RefreshRefused)
	case errors.Is(err, grant.ErrReplayed):
		return refused("was replaced by a newer one before, so everything that was granted is revoked (RFC 9700 §4.14.2). "+
			"Does the application keep each new refresh_token?", oidc.RefreshReplayed)
	}
	return err
}

// begin makes the tokens of a new grant, and its first refresh token if it has offline_access (Core §11).
func begin(
	ctx context.Context, grants Grants, issuer *Issuer, refresh Refresh, r request, g grant.Grant,
) (Response, error) {
	if !r.Client.FirstParty { // a first-party client needs no consent, so it costs no store operation
		isTakenBack, err := grants.IsTakenBack(ctx, g.Sub, g.ClientID, g.GrantedAt)
		if isTakenBack {
			err = oidc.InvalidGrant.Errorf("the user took back what the application was allowed to do: start again").
				Blame(oidc.ConsentMissing)
		}
		if err != nil {
			return Response{}, err
		}
	}
	response, err := issuer.tokens(ctx, r, g)
	if err != nil || !g.Scope.Has(oidc.ScopeOffline) || !r.Client.Grants(oidc.GrantRefreshToken) {
		return response, err
	}
	response.RefreshToken, err = grants.Begin(ctx, g, boundTo(r), refresh.terms(r.Client))
	if errors.Is(err, grant.ErrRevoked) { // by another request that redeemed the code at the same moment
		return Response{}, oidc.InvalidGrant.Errorf("the grant was revoked: start again").Blame(oidc.CodeReplayed)
	}
	return response, err
}

// terms are the terms of the client's refresh tokens. FAPI 2.0 §5.3.2.1 forbids rotation.
func (f Refresh) terms(client *oidc.Client) grant.Terms {
	return grant.Terms{
		Idle: cmp.Or(client.RefreshTokenLifetime, f.Idle), Absolute: f.Absolute, Access: accessTokenLifetime(client),
		Rotate: !client.FAPI2(),
	}
}

// boundTo returns the key for the new refresh tokens: only refresh tokens of public clients are bound (RFC 9449 §5).
func boundTo(r request) string {
	if r.Client.Public() {
		return r.JKT
	}
	return ""
}
