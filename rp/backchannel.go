package rp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/hush-idp/hush/oidc"
)

// logoutEvent is Back-Channel Logout §2.4.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutToken is the subject of the rules about a logout token.
type logoutToken struct {
	*gooidc.LogoutToken
	typ    string
	events map[string]json.RawMessage
	now    time.Time
}

// logoutTokenRules are judged after go-oidc has checked signature, iss, aud, exp, jti, sub or sid, and the absence of
// nonce (Back-Channel Logout 1.0 §2.6).
var logoutTokenRules = oidc.Table[logoutToken]{
	{Spec: "Back-Channel Logout §2.4", Text: "the logout token's typ, when present, is logout+jwt",
		Else:  oidc.InvalidRequest,
		Holds: func(t logoutToken) bool { return t.typ == "" || t.typ == "logout+jwt" || t.typ == "jwt" },
		Got:   func(t logoutToken) string { return clip(t.typ) }},
	{Spec: "Back-Channel Logout §2.4", Text: "the logout event's value is a JSON object", Else: oidc.InvalidRequest,
		Holds: func(t logoutToken) bool {
			var object map[string]any
			return json.Unmarshal(t.events[logoutEvent], &object) == nil && object != nil
		}},
	{Spec: "Back-Channel Logout §2.4", Text: "the logout token has an iat", Else: oidc.InvalidRequest,
		Holds: func(t logoutToken) bool { return t.IssuedAt.Unix() > 0 }},
	{Spec: "Back-Channel Logout §2.6", Text: "the logout token's iat is at most 1m0s ahead of our clock",
		Else:  oidc.InvalidRequest,
		Holds: func(t logoutToken) bool { return t.IssuedAt.Sub(t.now) <= skew },
		Got:   func(t logoutToken) string { return seconds(t.IssuedAt.Sub(t.now)) + " ahead" }},
	{Spec: "Back-Channel Logout §2.6", Text: "the logout token's iat is at most 10m0s ago by our clock",
		Else:  oidc.InvalidRequest,
		Holds: func(t logoutToken) bool { return t.now.Sub(t.IssuedAt) <= stale },
		Got:   func(t logoutToken) string { return seconds(t.now.Sub(t.IssuedAt)) + " ago" }},
}

// BackChannelLogout ends sessions on request of the provider (Back-Channel Logout 1.0 §2.5): a POST with logout_token.
// It is mounted at the client's registered backchannel_logout_uri. With a sid in the token the sessions of that sid
// end, without one all sessions of the sub. Refresh tokens end with their sessions.
//
// It answers 200, or 400 with a JSON error (§2.8). The token alone authorizes the request, so it needs no cookie and no
// protection against other origins.
func (p *RP) BackChannelLogout(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := p.handleLogoutToken(r.Context(), r.PostFormValue("logout_token")); err != nil {
		e := asError(err)
		p.logFailure(r.Context(), "back-channel logout refused", e)
		writeJSON(w, http.StatusBadRequest, e) // §2.8: 400 for every failure
		return
	}
	p.config.Log.InfoContext(r.Context(), "signed out by the provider's back channel")
	w.Header().Set("Cache-Control", "no-store") // §2.8
	w.WriteHeader(http.StatusOK)
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
	// §2.6: "Optionally verify that another Logout Token with the same jti value has not been recently received". A token
	// is refused later than stale after its iat, so the jti need not be stored for longer.
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
	raw, err := p.decrypt(raw)
	if err != nil {
		return nil, oidc.InvalidRequest.Errorf("the logout token cannot be decrypted: %s", clip(err.Error()))
	}
	d, err := p.provider.discover(ctx)
	if err != nil {
		return nil, err
	}
	keys := &recordingKeySet{keySet: p.keys}
	token, err := p.verifier(d, keys).VerifyLogout(ctx, raw)
	switch {
	case keys.down != nil:
		return nil, keys.down
	case err != nil:
		return nil, oidc.InvalidRequest.Errorf("the logout token is not acceptable (Back-Channel Logout section 2.6): %s",
			clip(err.Error()))
	}
	var claims struct {
		Events map[string]json.RawMessage `json:"events"`
	}
	if token.Claims(&claims) != nil {
		return nil, oidc.InvalidRequest.Errorf("events is not a JSON object (Back-Channel Logout section 2.4)")
	}
	t := logoutToken{LogoutToken: token, typ: keys.typ, events: claims.Events, now: p.config.Now()}
	if err := logoutTokenRules.Judge(ctx, t); err != nil {
		return nil, err
	}
	return token, nil
}
