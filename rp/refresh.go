package rp

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Refresh renews the session's tokens without the provider's session and without an iframe (RFC 6749 §6, Core §12): POST by a
// fetch of a page of the same origin. It answers as FinishSilent does, with a SessionView or an error.
//
// not_refreshable is the answer to fall back from: the page then loads SilentLogin in a hidden iframe, and when that too
// finds nobody (login_required), the user signs in.
//
//	let answer = await fetch("refresh", { method: "POST" });
//	if ((await answer.json()).error === "not_refreshable") loadSilentIframe();
func (p *RP) Refresh(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) || !p.fromSameOrigin(w, r) {
		return
	}
	session, err := p.refreshNow(r)
	if err == ErrNoSession {
		err = errNobody
	}
	if err != nil {
		e := asError(err)
		p.logFailure(r.Context(), "refresh failed", e)
		writeJSON(w, status(e), e)
		return
	}
	writeJSON(w, http.StatusOK, session.View())
}

func (p *RP) refreshNow(r *http.Request) (*Session, error) {
	id, session, err := p.current(r)
	if err != nil {
		return nil, err
	}
	return p.refresh(r.Context(), id, session.RefreshToken)
}

// refresh renews the session called id, which held token when the caller looked. Callers that come at the same time share
// one request, and one that comes after it gets what it brought: the provider would take a second use of the token for theft
// (RFC 9700 §4.14.2).
func (p *RP) refresh(ctx context.Context, id, token string) (*Session, error) {
	shared := context.WithoutCancel(ctx)
	result := p.refreshing.DoChan(id, func() (any, error) { return p.refreshOnce(shared, id, token) })
	select {
	case <-ctx.Done():
		return nil, p.provider.down(ctx.Err())
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Session), nil
	}
}

func (p *RP) refreshOnce(ctx context.Context, id, token string) (*Session, error) {
	before, err := p.sessions.Get(ctx, id)
	switch {
	case err != nil:
		return nil, errSessionChanged
	case before.RefreshToken == "":
		return nil, NotRefreshable.Errorf("the session has no refresh token: renew it by a silent login, or ask for offline_access when signing in")
	case before.RefreshToken != token && p.config.Now().Before(before.Expiry):
		return &before, nil
	}
	fresh, err := p.redeemRefreshToken(ctx, &before)
	if err != nil {
		return nil, p.dropRefused(ctx, id, before.RefreshToken, err)
	}
	renewed, err := p.replace(ctx, id, fresh)
	if err == nil && renewed == nil {
		return nil, SubMismatch.Errorf("the refresh brought another user than the one signed in here (Core section 12.2): the session has ended; sign in again")
	}
	if err == nil {
		p.config.Log.InfoContext(ctx, "session refreshed", "renewals", renewed.Renewals)
	}
	return renewed, err
}

// redeemRefreshToken is RFC 6749 §6. The answer need not have an ID Token; one that it has is verified (Core §12.2).
func (p *RP) redeemRefreshToken(ctx context.Context, before *Session) (*Session, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return nil, err
	}
	old := &oauth2.Token{RefreshToken: before.RefreshToken}
	token, err := d.oauth2(p.config, false).TokenSource(p.asClient(ctx, d), old).Token()
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
	fresh, err := p.verifyIDToken(ctx, d, raw, token, refreshRules, evidence{before: before})
	if err == nil {
		fresh.carryOver(before, token)
	}
	return fresh, err
}

// carryOver fills what the answer to a refresh may leave out. The session began when it did: a refresh proves no session at the
// provider (Core §11), so a sign-out that comes while it is under way ends what it brings.
func (s *Session) carryOver(before *Session, token *oauth2.Token) {
	s.Began = before.Began
	if _, said := token.Extra("scope").(string); !said {
		s.Scope = before.Scope
	}
	if s.AuthTime.IsZero() {
		s.AuthTime = before.AuthTime
	}
	if s.Sid == "" {
		s.Sid = before.Sid
	}
}

// dropRefused forgets a refresh token that the provider does not take any more (RFC 6749 §5.2, invalid_grant). The session stays: its
// user may still be known to the provider, and a silent login finds out.
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
	return NotRefreshable.Errorf("the provider does not take the refresh token any more: renew the session by a silent login").Because(refused)
}
