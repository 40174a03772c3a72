package rp

import (
	"errors"
	"net/http"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// FrontChannelLogout ends a session at the provider's word (Front-Channel Logout 1.0 §2): a GET in a hidden iframe of the
// provider's sign-out page. It is what frontchannel_logout_uri names in the client's registration; register
// frontchannel_logout_session_required as well, so that iss and sid come along.
//
// Browsers withhold this application's cookies from an iframe in another site, so the sid says which session ends; it is hard to
// guess, and the iss is compared. Without sid the session of the request's cookie ends, if the provider never gave it a
// sid: any page can send such a request. The answer is 200 with a page that only the provider may frame, or 400.
func (p *RP) FrontChannelLogout(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	w.Header().Set("Cache-Control", "no-cache, no-store") // §2: the response SHOULD NOT be cached
	w.Header().Set("Pragma", "no-cache")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors "+oidc.Origin(p.config.Issuer))
	w.Header().Del("X-Frame-Options")
	if err := p.endFromFrame(w, r); err != nil {
		e := asError(err)
		p.logFailure(r.Context(), "front-channel logout refused", e)
		http.Error(w, e.Description, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!doctype html><title>Signed out</title><p>Signed out.\n")) // the frame is gone, or it worked
}

func (p *RP) endFromFrame(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	iss, sid := query.Get("iss"), query.Get("sid")
	switch {
	case query.Has("iss") != query.Has("sid"):
		return oidc.InvalidRequest.Errorf("iss and sid come together (Front-Channel Logout section 2): one of them is missing")
	case !query.Has("sid"):
		return p.endOfCookie(w, r)
	case len(query["iss"]) > 1 || len(query["sid"]) > 1:
		return oidc.InvalidRequest.Errorf("iss or sid comes twice (RFC 6749 section 3.1)")
	case iss != p.config.Issuer:
		return IssuerMismatch.Errorf("iss is '%s', expected %s (Front-Channel Logout section 2)", clip(iss), p.config.Issuer)
	case sid == "" || len(sid) > 255:
		return oidc.InvalidRequest.Errorf("sid is empty or longer than 255 characters")
	}
	p.config.Log.InfoContext(r.Context(), "signed out by the provider's front channel")
	return p.markSignedOut(r.Context(), p.sidMark(sid), time.Time{})
}

// endOfCookie ends the session that the request's cookie names.
func (p *RP) endOfCookie(w http.ResponseWriter, r *http.Request) error {
	_, session, err := p.current(r)
	switch {
	case errors.Is(err, ErrNoSession):
		return nil
	case err != nil:
		return err
	case session.Sid != "":
		return oidc.InvalidRequest.Errorf("iss and sid are missing: register frontchannel_logout_session_required (Front-Channel Logout section 2)")
	}
	p.cookies.remove(w, p.cookies.session)
	return p.forget(r)
}
