package rp

import (
	"cmp"
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Refresh renews the session's tokens without the provider's session and without an iframe (RFC 6749 §6, Core §12):
// POST by a fetch of a page of the same origin. It answers as FinishSilent does, with a SessionView or an error.
//
// After not_refreshable the page loads SilentLogin in a hidden iframe; when that answers login_required, the user signs
// in.
//
//	let answer = await fetch("refresh", { method: "POST" });
//	if ((await answer.json()).error === "not_refreshable") loadSilentIframe();
func (p *RP) Refresh(w http.ResponseWriter, r *http.Request) {
	if !p.allowOwnPages(w, r) {
		return
	}
	id, session, err := p.current(r)
	if err == ErrNoSession {
		err = errNobody
	}
	if err == nil {
		session, err = p.refresh(r.Context(), id, session.RefreshToken)
	}
	if err != nil {
		p.refuse(w, r, "refresh failed", err)
		return
	}
	writeJSON(w, http.StatusOK, session.View())
}

// refresh renews the session called id, which held token when the caller read it. Callers at the same time share one
// request, and a later caller gets its result: the provider would take a second use of the token for theft (RFC 9700
// §4.14.2).
func (p *RP) refresh(ctx context.Context, id, token string) (*Session, error) {
	return shareCall(ctx, p.provider, p.refreshing, id, func(shared context.Context) (*Session, error) {
		return p.refreshOnce(shared, id, token)
	})
}

func (p *RP) refreshOnce(ctx context.Context, id, token string) (*Session, error) {
	before, err := p.sessions.Get(ctx, id)
	switch {
	case err != nil:
		return nil, errSessionChanged
	case before.RefreshToken == "":
		return nil, NotRefreshable.Errorf("the session has no refresh token: " +
			"renew it by a silent login, or ask for offline_access when signing in")
	case before.RefreshToken != token && p.config.Now().Before(before.Expiry):
		return &before, nil
	}
	fresh, err := p.redeemRefreshToken(ctx, &before)
	if err != nil {
		return nil, p.dropRefused(ctx, id, before.RefreshToken, err)
	}
	renewed, err := p.replace(ctx, id, fresh)
	if err == nil && renewed == nil {
		return nil, SubMismatch.Errorf("the refresh brought another user than the one signed in here " +
			"(Core section 12.2): the session has ended; sign in again")
	}
	if err == nil {
		p.config.Log.InfoContext(ctx, "session refreshed", "renewals", renewed.Renewals)
	}
	return renewed, err
}

// redeemRefreshToken is RFC 6749 §6. The ID Token of the answer is optional and verified (Core §12.2).
func (p *RP) redeemRefreshToken(ctx context.Context, before *Session) (*Session, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return nil, err
	}
	old := &oauth2.Token{RefreshToken: before.RefreshToken}
	token, err := p.oauth2(d, false).TokenSource(p.authenticatedContext(ctx, d), old).Token()
	if err != nil {
		return nil, p.explainExchange(err)
	}
	if err := p.checkTokenType(token); err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return p.refreshed(before, token), nil
	}
	fresh, err := p.verifyIDToken(ctx, d, raw, token, refreshRules, idToken{before: before})
	if err == nil {
		fresh.carryOver(before, token)
	}
	return fresh, err
}

// carryOver fills what the answer to a refresh may leave out. Began stays: a refresh proves no session at the provider
// (Core §11), so a sign-out during the refresh still ends the renewed session.
func (s *Session) carryOver(before *Session, token *oauth2.Token) {
	s.Began = before.Began
	if _, has := token.Extra("scope").(string); !has {
		s.Scope = before.Scope
	}
	if s.AuthTime.IsZero() {
		s.AuthTime = before.AuthTime
	}
	s.Sid = cmp.Or(s.Sid, before.Sid)
}

// dropRefused removes a refresh token that the provider refuses (RFC 6749 §5.2, invalid_grant) from the session. The
// session stays, because a silent login may still renew it.
func (p *RP) dropRefused(ctx context.Context, id, token string, refused error) error {
	if asError(refused).Code != oidc.InvalidGrant {
		return refused
	}
	err := p.sessions.Update(ctx, id, storage.KeepTTL, func(s *Session) (*Session, error) {
		if s == nil {
			return nil, errSessionChanged
		}
		if s.RefreshToken == token {
			s.RefreshToken = ""
		}
		return s, nil
	})
	if err != nil {
		return err
	}
	return NotRefreshable.Errorf("the provider does not take the refresh token any more: " +
		"renew the session by a silent login").Because(refused)
}
