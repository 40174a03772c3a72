package rp

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Logout signs the user out: POST from a page of the same origin. It ends the session here, revokes the refresh token
// (RFC 7009; a failure is logged only), and redirects the browser (303) to the provider's end_session_endpoint
// (RP-Initiated Logout 1.0 §2). A state in the posted form comes back at PostLogoutRedirectURI.
//
// When the provider has no such endpoint, or is down (error=provider_down in the query), the session here still ends
// and the browser goes to Config.Home. The page with the form must not have form-action in its
// Content-Security-Policy: Chromium applies it to each redirect after the form, and the provider may redirect on to an
// origin that the application does not know.
func (p *RP) Logout(w http.ResponseWriter, r *http.Request) {
	if !p.allowOwnPages(w, r) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_ = oidc.ParseForm(r)      // a state that cannot be read does not stop the sign-out
	session, _ := p.Session(r) // without one there is no hint, and the provider asks the user
	p.cookies.remove(w, p.cookies.session)
	target, err := p.config.Home, p.forget(r)
	if err == nil {
		p.revoke(r.Context(), session)
		target, err = p.endSessionURL(r.Context(), session, r.PostForm.Get("state"))
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
		return p.config.Home, nil
	}
	params := pick(url.Values{"post_logout_redirect_uri": {p.config.PostLogoutRedirectURI}, "state": {state}},
		"post_logout_redirect_uri", "state")
	params.Set("client_id", p.config.ClientID)
	if session != nil {
		session.addHint(params)
	}
	return withParams(d.metadata.EndSessionEndpoint, params), nil
}

// revoke revokes the refresh token at the provider: RFC 7009 §2.1.
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

// SignOutHere ends the session of this application only: POST by a fetch of a page of the same origin, 204. A page
// calls it after Monitor and a silent login have shown that the user is signed out at the provider.
func (p *RP) SignOutHere(w http.ResponseWriter, r *http.Request) {
	if !p.allowOwnPages(w, r) {
		return
	}
	p.cookies.remove(w, p.cookies.session)
	if err := p.forget(r); err != nil {
		p.refuse(w, r, "sign-out failed", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// FrontChannelLogout ends a session on request of the provider (Front-Channel Logout 1.0 §2): a GET in a hidden iframe
// of the provider's sign-out page, mounted at the client's registered frontchannel_logout_uri; register
// frontchannel_logout_session_required as well, so that iss and sid are sent.
//
// An iframe of another site gets no cookies of this application, so the sid, which is hard to guess, names the session.
// Nothing is stored for a sid that no session had.
// Without sid the session of the request's cookie ends, unless the provider gave it a sid: any page can send such a
// request. The answer is 200 with a page that only the provider may frame, or 400.
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
	_, _ = w.Write([]byte("<!doctype html><title>Signed out</title><p>Signed out.\n"))
}

func (p *RP) endFromFrame(w http.ResponseWriter, r *http.Request) error {
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	iss, sid := query.Get("iss"), query.Get("sid")
	switch {
	case query.Has("iss") != query.Has("sid"):
		return oidc.InvalidRequest.Errorf("iss and sid come together (Front-Channel Logout section 2): one is missing")
	case !query.Has("sid"):
		return p.endByCookie(w, r)
	case len(query["iss"]) > 1 || len(query["sid"]) > 1:
		return oidc.InvalidRequest.Errorf("iss or sid comes twice (RFC 6749 section 3.1)")
	case iss != p.config.Issuer:
		return IssuerMismatch.Errorf("iss is '%s', expected %s (Front-Channel Logout section 2)", clip(iss), p.config.Issuer)
	case sid == "" || len(sid) > 255:
		return oidc.InvalidRequest.Errorf("sid is empty or longer than 255 characters")
	}
	return p.endBySid(r.Context(), p.storeKey("sid", sid))
}

// endBySid ends the sessions of a sid. Anybody can send the request, so a sid that no session had is not stored.
func (p *RP) endBySid(ctx context.Context, key string) error {
	switch _, err := p.signedOut.Get(ctx, key); {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	p.config.Log.InfoContext(ctx, "signed out by the provider's front channel")
	return p.markSignedOut(ctx, key, time.Time{})
}

// endByCookie ends the session of the request's cookie.
func (p *RP) endByCookie(w http.ResponseWriter, r *http.Request) error {
	_, session, err := p.current(r)
	switch {
	case errors.Is(err, ErrNoSession):
		return nil
	case err != nil:
		return err
	case session.Sid != "":
		return oidc.InvalidRequest.Errorf("iss and sid are missing: " +
			"register frontchannel_logout_session_required (Front-Channel Logout section 2)")
	}
	p.cookies.remove(w, p.cookies.session)
	return p.forget(r)
}

// logoutEvent is the event in a logout token (Back-Channel Logout §2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutToken is the subject of the rules about a logout token.
type logoutToken struct {
	*gooidc.LogoutToken
	signedJWT
	now time.Time
}

// logoutTokenRules are judged after go-oidc has checked signature, iss, aud, exp, jti, sub or sid, and the absence of
// nonce (Back-Channel Logout 1.0 §2.6).
var logoutTokenRules = otherwise(oidc.InvalidRequest, oidc.Table[logoutToken]{
	{Spec: "Back-Channel Logout §2.4", Text: "the logout token's typ, when present, is logout+jwt",
		Holds: func(t logoutToken) bool { return t.typ == "" || t.typ == "logout+jwt" || t.typ == "jwt" },
		Got:   func(t logoutToken) string { return clip(t.typ) }},
	{Spec: "Back-Channel Logout §2.4", Text: "the logout event's value is a JSON object",
		Holds: func(t logoutToken) bool {
			var claims struct {
				Events map[string]any `json:"events"`
			}
			_ = josejson.Unmarshal(t.claims, &claims) // go-oidc has decoded them before
			_, isObject := claims.Events[logoutEvent].(map[string]any)
			return isObject
		}},
	{Spec: "Back-Channel Logout §2.4", Text: "the logout token has an iat",
		Holds: func(t logoutToken) bool { return t.IssuedAt.Unix() > 0 }},
	{Spec: "Back-Channel Logout §2.6", Text: "the logout token's iat is at most 1m0s ahead of our clock",
		Holds: func(t logoutToken) bool { return t.IssuedAt.Sub(t.now) <= skew },
		Got:   func(t logoutToken) string { return seconds(t.IssuedAt.Sub(t.now)) + " ahead" }},
	{Spec: "Back-Channel Logout §2.6", Text: "the logout token's iat is at most 10m0s ago by our clock",
		Holds: func(t logoutToken) bool { return t.now.Sub(t.IssuedAt) <= stale },
		Got:   func(t logoutToken) string { return seconds(t.now.Sub(t.IssuedAt)) + " ago" }},
})

// BackChannelLogout ends sessions on request of the provider (Back-Channel Logout 1.0 §2.5): a POST with logout_token,
// mounted at the client's registered backchannel_logout_uri. With a sid in the token the sessions of that sid end;
// without a sid all sessions of the sub end. Refresh tokens end with their sessions. It answers 200, or 400 with a JSON
// error (§2.8). The token alone authorizes the request: there is no cookie and no check of the origin.
func (p *RP) BackChannelLogout(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_ = oidc.ParseForm(r) // without the token the request is refused
	if err := p.handleLogoutToken(r.Context(), r.PostForm.Get("logout_token")); err != nil {
		e := asError(err)
		p.logFailure(r.Context(), "back-channel logout refused", e)
		writeJSON(w, http.StatusBadRequest, e) // §2.8: 400 for every failure
		return
	}
	p.config.Log.InfoContext(r.Context(), "signed out by the provider's back channel")
	w.Header().Set("Cache-Control", "no-store") // §2.8
}

// handleLogoutToken verifies the token, spends it, and ends the sessions that it names.
func (p *RP) handleLogoutToken(ctx context.Context, raw string) error {
	if raw == "" {
		return oidc.InvalidRequest.Errorf("the body has no logout_token (Back-Channel Logout section 2.5): " +
			"POST it as application/x-www-form-urlencoded")
	}
	token, err := p.verifyLogoutToken(ctx, raw)
	if err != nil {
		return err
	}
	// §2.6: a jti is accepted once. It is stored until its token is too old: stale after the iat.
	jti := p.storeKey("logout_token", token.TokenID)
	if err := spendOnce(ctx, p.spent, jti, stale+skew, oidc.InvalidRequest.Errorf(
		"this logout token has been received before: its jti is known (Back-Channel Logout section 2.6)")); err != nil {
		return err
	}
	key := p.storeKey("sub", token.Subject)
	if token.SessionID != "" {
		key = p.storeKey("sid", token.SessionID)
	}
	if err := p.markSignedOut(ctx, key, token.IssuedAt); err != nil {
		return errors.Join(err, p.spent.Delete(ctx, jti)) // the provider may send the token again
	}
	return nil
}

func (p *RP) verifyLogoutToken(ctx context.Context, raw string) (*gooidc.LogoutToken, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return nil, err
	}
	signed, verifier, err := p.openIDToken(ctx, d, raw)
	var token *gooidc.LogoutToken
	if err == nil {
		token, err = verifier.VerifyLogout(ctx, signed.raw)
	}
	if err != nil {
		return nil, tokenKind{oidc.InvalidRequest, "the logout token", "Back-Channel Logout section 2.6"}.refuse(err)
	}
	return token, logoutTokenRules.Judge(ctx, logoutToken{token, signed, p.config.Now()})
}

// signOut is the record of a sign-out by the provider. The provider names a sub or a sid, and sessions are stored under
// ids of this application, so each session is compared with the sign-outs of its sub and sid when it is read. A record
// lives longer than all sessions that it can end, and also ends a session that is being created.
type signOut struct {
	Iat time.Time `json:"iat"` // of the logout token, by the provider's clock in whole seconds; zero when there was none
	At  time.Time `json:"at"`  // when it was received, by this application's clock; zero before the sign-out
}

// ends is true when s began before the sign-out, or its ID Token is older. Within one second this application's clock
// decides, so that a user can sign in again at once.
func (o signOut) ends(s *Session) bool { return s.IssuedAt.Before(o.Iat) || !s.Began.After(o.At) }

// storeKey separates the records of providers and clients in one Store: sid, sub and jti are unique in an issuer only.
func (p *RP) storeKey(kind, value string) string {
	return strings.Join([]string{kind, p.config.Issuer, p.config.ClientID, value}, "\x00")
}

// rememberSid stores a record of the session's sid, before the session is stored. The record does not end the session.
func (p *RP) rememberSid(ctx context.Context, s *Session) error {
	if s.Sid == "" {
		return nil
	}
	return p.signedOut.Update(ctx, p.storeKey("sid", s.Sid), sessionLifetime, func(old *signOut) (*signOut, error) {
		return cmp.Or(old, &signOut{}), nil
	})
}

// markSignedOut ends the present sessions under key; iat may be zero. Sessions that an earlier record ends stay ended.
func (p *RP) markSignedOut(ctx context.Context, key string, iat time.Time) error {
	return p.signedOut.Update(ctx, key, sessionLifetime, func(old *signOut) (*signOut, error) {
		record := signOut{Iat: iat, At: p.config.Now()}
		if old != nil && old.Iat.After(iat) {
			record.Iat = old.Iat
		}
		return &record, nil
	})
}

// checkSignedOut returns ErrNoSession, and removes the session, when the provider has signed it out.
func (p *RP) checkSignedOut(ctx context.Context, id string, s *Session) error {
	keys := []string{p.storeKey("sub", s.Sub)}
	if s.Sid != "" {
		keys = append(keys, p.storeKey("sid", s.Sid))
	}
	for _, key := range keys {
		record, err := p.signedOut.Get(ctx, key)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			continue
		case err != nil:
			return err
		case record.ends(s):
			_ = p.sessions.Delete(ctx, id) // the sign-out record stays and decides
			return ErrNoSession
		}
	}
	return nil
}

// Monitoring is the data with which a page watches the user's session at the provider (Session Management 1.0 §3).
type Monitoring struct {
	CheckSessionIframe string `json:"check_session_iframe"` // to be loaded in a hidden iframe
	Origin             string `json:"origin"`               // of that iframe, for postMessage
	ClientID           string `json:"client_id"`
	SessionState       string `json:"session_state"`
}

// Monitor answers GET with a Monitoring as JSON; login_required without a session, not_monitorable where the provider
// does not support it. MonitorScript reads it and reports a change of the session. The page then renews by SilentLogin,
// and calls SignOutHere after login_required (Session Management §3). A renewal brings a new session_state, so the page
// asks again. A page whose Content-Security-Policy has frame-src must list the provider's origin there.
func (p *RP) Monitor(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	m, err := p.monitoring(r)
	if err != nil {
		writeError(w, asError(err))
		return
	}
	writeJSON(w, http.StatusOK, m)
}

func (p *RP) monitoring(r *http.Request) (*Monitoring, error) {
	session, err := p.Session(r)
	if err != nil {
		return nil, err
	}
	d, err := p.provider.discover(r.Context())
	if err != nil {
		return nil, err
	}
	iframe := d.metadata.CheckSessionIframe
	if iframe == "" || session.SessionState == "" {
		return nil, NotMonitorable.Errorf(
			"the provider has no check_session_iframe, or gave no session_state (Session Management section 2)")
	}
	return &Monitoring{iframe, oidc.Origin(iframe), p.config.ClientID, session.SessionState}, nil
}

//go:embed monitor.js
var monitorScript []byte

// MonitorScript is an ES module that exports watchSession: GET. See monitor.js.
func (p *RP) MonitorScript(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(monitorScript)
}
