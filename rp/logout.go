package rp

import (
	"context"
	"net/http"
	"net/url"
)

// Logout signs the user out: POST from a page of the same origin. It ends the session here, then sends the browser
// (303) to the provider's end_session_endpoint with id_token_hint, client_id and post_logout_redirect_uri (RP-Initiated
// Logout 1.0 §2), and with the state of the posted form if it has one, which the provider brings back to
// PostLogoutRedirectURI.
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
		params.Set("id_token_hint", session.IDToken)
	}
	if p.config.PostLogoutRedirectURI != "" {
		params.Set("post_logout_redirect_uri", p.config.PostLogoutRedirectURI)
	}
	if state != "" {
		params.Set("state", state)
	}
	return withParams(d.metadata.EndSessionEndpoint, params), nil
}
