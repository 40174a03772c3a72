package rp

import (
	"context"
	"net/http"
	"net/url"
)

// Logout signs the user out: POST from a page of the same origin. It ends the session here, then sends the browser
// (303) to the provider's end_session_endpoint with id_token_hint, client_id and post_logout_redirect_uri (RP-Initiated
// Logout 1.0 §2), and with the state of the posted form if it has one, which the provider brings back to
// PostLogoutRedirectURI: who gave it may compare it there, nothing here depends on it.
//
// The refresh token is revoked on the way (RFC 7009), as well as that can be had.
//
// The session here ends even when the provider cannot be reached or has no such endpoint; the browser then goes to the
// folder of RedirectURI, with error=provider_down in the query if the provider is down.
//
// A page whose Content-Security-Policy has form-action must list the provider's origin there: Chromium applies it to
// the redirect.
func (p *RP) Logout(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) || !p.fromSameOrigin(w, r) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxAnswer)
	session, _ := p.Session(r) // without one the provider asks the user instead of trusting a hint
	p.cookies.remove(w, p.cookies.session)
	target, err := p.home, p.forget(r)
	if err == nil {
		p.revoke(r.Context(), session)
		target, err = p.endSessionURL(r.Context(), session, r.PostFormValue("state"))
	}
	if err != nil {
		p.fail(w, r, nil, err)
		return
	}
	p.config.Log.InfoContext(r.Context(), "signed out")
	redirect(w, r, target)
}

// endSessionURL is the logout request for session, which may be nil.
func (p *RP) endSessionURL(ctx context.Context, session *Session, state string) (string, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return "", err
	}
	if d.metadata.EndSessionEndpoint == "" {
		return p.home, nil
	}
	params := url.Values{"client_id": {p.config.ClientID}}
	if session != nil {
		session.addHint(params)
	}
	if p.config.PostLogoutRedirectURI != "" {
		params.Set("post_logout_redirect_uri", p.config.PostLogoutRedirectURI)
	}
	if state != "" {
		params.Set("state", state)
	}
	return withParams(d.metadata.EndSessionEndpoint, params), nil
}

// revoke tells the provider that the refresh token is not needed any more: RFC 7009 §2.1. A failure is for the log, since the user
// is signed out all the same.
func (p *RP) revoke(ctx context.Context, session *Session) {
	if session == nil || session.RefreshToken == "" {
		return
	}
	d, err := p.provider.discover(ctx)
	if err != nil || d.metadata.RevocationEndpoint == "" {
		return
	}
	form := url.Values{"token": {session.RefreshToken}, "token_type_hint": {"refresh_token"}}
	if err := p.post(ctx, d, d.metadata.RevocationEndpoint, form, nil); err != nil {
		p.logFailure(ctx, "the refresh token could not be revoked", asError(err))
	}
}

// SignOutHere ends the session of this application alone: POST by a fetch of a page of the same origin, 204. It is for a page that
// has learnt (by Monitor and a silent login) that the user is signed out at the provider.
func (p *RP) SignOutHere(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) || !p.fromSameOrigin(w, r) {
		return
	}
	p.cookies.remove(w, p.cookies.session)
	if err := p.forget(r); err != nil {
		e := asError(err)
		p.logFailure(r.Context(), "sign-out failed", e)
		writeJSON(w, status(e), e)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
