package token

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Refresh says how long refresh tokens last.
type Refresh struct {
	Idle     time.Duration // of a client without refresh_token_lifetime: how long one lives that is not used
	Absolute time.Duration // how long after the sign-in there are any
}

// RefreshRule is one condition under which a refresh token that is good becomes tokens, in the order in which they are judged. Unlike
// a code the token is not spent by a request that breaks one.
type RefreshRule struct {
	Spec, Text string
	Holds      func(e *Endpoint, r request, f grant.Family) bool
	Else       oidc.ErrorCode
	Help       string      // what to do
	Reason     oidc.Reason // why, by its stable code
	Params     []string    // the parameters that it is about, for the trace
}

var refreshRules = []RefreshRule{
	{
		Spec: "RFC 6749 §6", Text: "the refresh token was issued to the client that uses it",
		Params: []string{"client_id"},
		Holds:  func(_ *Endpoint, r request, f grant.Family) bool { return f.Grant.ClientID == r.Client.ClientID },
		Else:   oidc.InvalidGrant, Reason: oidc.RefreshRefused, Help: "a refresh token is good for one client only",
	},
	{
		Spec: "RFC 9449 §5", Text: "the DPoP proof is of the key that the refresh token is bound to",
		Params: []string{"DPoP"},
		Holds:  func(_ *Endpoint, r request, f grant.Family) bool { return f.JKT == "" || equal(f.JKT, r.JKT) },
		Else:   oidc.InvalidGrant, Reason: oidc.RefreshRefused, Help: "send a proof of the key that the first one was of; without that key sign in again",
	},
	{
		Spec: "RFC 6749 §6", Text: "scope asks for nothing that was not granted",
		Params: []string{"scope"},
		Holds: func(_ *Endpoint, r request, f grant.Family) bool {
			return f.Grant.Scope.Covers(oidc.ParseScope(r.Form.Get("scope")))
		},
		Else: oidc.InvalidScope, Reason: oidc.RequestMalformed, Help: "leave scope out for all that was granted, or ask for less; for more start at the authorization endpoint",
	},
	{
		Spec: "RFC 9700 §4.14.2", Text: "the user is still known to the provider",
		Holds: func(e *Endpoint, _ request, f grant.Family) bool { return e.Knows == nil || e.Knows(f.Grant.Sub) },
		Else:  oidc.InvalidGrant, Reason: oidc.RefreshRefused, Help: "sign in again",
	},
}

var refreshSteps = trace.Pairs(trace.KindRule, refreshRules, func(r RefreshRule) (spec, text string, params []string) {
	return r.Spec, r.Text, r.Params
})

// refreshToken obeys grant_type=refresh_token (RFC 6749 §6, Core §12). The token is judged first and used up last: who sends a wrong
// scope or the proof of another key may try again.
func (e *Endpoint) refreshToken(ctx context.Context, r request) (Response, error) {
	token := r.Form.Get("refresh_token")
	if token == "" {
		return Response{}, oidc.InvalidRequest.Errorf("refresh_token is missing; send the one of the last token response (RFC 6749 §6)")
	}
	family, err := e.Grants.Family(ctx, token)
	if err != nil {
		return Response{}, refused(err)
	}
	if err := e.judge(ctx, r, family); err != nil {
		return Response{}, err
	}
	granted := narrowed(family.Grant, r)
	if _, err := e.audience(r, granted); err != nil {
		return Response{}, err
	}
	terms := e.terms(r.Client)
	next, err := e.Grants.Use(ctx, token, terms)
	if err != nil {
		return Response{}, refused(err)
	}
	response, err := e.tokens(ctx, r, granted)
	if err == nil && terms.Rotate {
		response.RefreshToken = next
	}
	return response, err
}

func (e *Endpoint) judge(ctx context.Context, r request, family grant.Family) error {
	for i, rule := range refreshRules {
		holds := rule.Holds(e, r, family)
		trace.Take(ctx, refreshSteps[i].Step(holds))
		if !holds {
			return rule.Else.Errorf("expected: %s (%s); %s", rule.Text, rule.Spec, rule.Help).Blame(rule.Reason)
		}
	}
	return nil
}

// refused gives a client the reason why its refresh token yields nothing. Errors of the store stay what they are.
func refused(err error) error {
	const again = "sign in again"
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return oidc.InvalidGrant.Errorf("the refresh token is not known: it was never issued, or is over since long; %s", again).Blame(oidc.RefreshRefused)
	case errors.Is(err, grant.ErrExpired):
		return oidc.InvalidGrant.Errorf("the refresh token expired: it was not used for too long, or the sign-in is too old; %s", again).Blame(oidc.RefreshRefused)
	case errors.Is(err, grant.ErrRevoked):
		return oidc.InvalidGrant.Errorf("the refresh token was revoked: by the client, by the user, or because one was used twice; %s", again).Blame(oidc.RefreshRefused)
	case errors.Is(err, grant.ErrReplayed):
		return oidc.InvalidGrant.Errorf(
			"the refresh token was replaced by a newer one before, so everything that was granted is revoked (RFC 9700 §4.14.2). "+
				"Does the application keep each new refresh_token? %s", again).Blame(oidc.RefreshReplayed)
	}
	return err
}

// narrowed is the grant with as much of its scope as the request wants. The nonce was the code's: Core §12.2: the ID token "SHOULD NOT have
// a nonce Claim, even when the ID Token issued at the time of the original authentication contained nonce".
func narrowed(g grant.Grant, r request) grant.Grant {
	g.Nonce = ""
	if scope := oidc.ParseScope(r.Form.Get("scope")); len(scope) > 0 {
		g.Scope = scope
	}
	return g
}

// givesRefreshTokens: Core §11: offline_access "requests that an OAuth 2.0 Refresh Token be issued". Whether it may be in the scope was
// judged where the user was present.
func givesRefreshTokens(client oidc.Client, g grant.Grant) bool {
	return g.Scope.Has(oidc.ScopeOffline) && client.Grants(oidc.GrantRefreshToken)
}

// terms are on what the client gets refresh tokens. FAPI 2.0 Security Profile §5.3.2.1: authorization servers "shall not use refresh token
// rotation except in extraordinary circumstances": there the client proves itself, by its keys, at each use.
func (e *Endpoint) terms(client oidc.Client) grant.Terms {
	return grant.Terms{
		Idle: cmp.Or(client.RefreshTokenLifetime, e.Refresh.Idle), Absolute: e.Refresh.Absolute,
		Access: accessTokenLifetime(client), Rotate: !client.FAPI2(),
	}
}

// boundTo is the key that the refresh tokens of the request are bound to. RFC 9449 §5: "Refresh tokens issued to confidential clients […]
// are not bound to the DPoP proof public key because they are already sender-constrained with a different existing mechanism."
func boundTo(r request) string {
	if r.Client.Public() {
		return r.JKT
	}
	return ""
}
