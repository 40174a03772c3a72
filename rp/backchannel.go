package rp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// logoutEvent is Back-Channel Logout §2.4.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutEvidence is what the rules about a logout token look at.
type logoutEvidence struct {
	*gooidc.LogoutToken
	typ    string
	events map[string]json.RawMessage
	now    time.Time
}

// logoutTokenRules are what Back-Channel Logout 1.0 §2.6 demands beyond signature, iss, aud, exp, jti, sub or sid, and no
// nonce, which go-oidc has checked before.
var logoutTokenRules = []rule[logoutEvidence]{
	{"Back-Channel Logout §2.4", "typ, when present, is logout+jwt", func(e logoutEvidence) string {
		return unless(e.typ == "" || e.typ == "logout+jwt" || e.typ == "jwt", "typ is '%s'", clip(e.typ))
	}},
	{"Back-Channel Logout §2.4", "the value of the logout event is a JSON object", func(e logoutEvidence) string {
		var object map[string]any
		return unless(json.Unmarshal(e.events[logoutEvent], &object) == nil && object != nil, "it is something else")
	}},
	{"Back-Channel Logout §2.4", "iat is present", func(e logoutEvidence) string {
		return unless(e.IssuedAt.Unix() > 0, "iat is missing")
	}},
	{"Back-Channel Logout §2.6", "iat is not in the future", func(e logoutEvidence) string {
		return unless(e.IssuedAt.Sub(e.now) <= skew, "the provider's clock is %v ahead of ours, more than %v", e.IssuedAt.Sub(e.now).Round(time.Second), skew)
	}},
	{"Back-Channel Logout §2.6", "iat is not long ago", func(e logoutEvidence) string {
		return unless(e.now.Sub(e.IssuedAt) <= stale, "it was issued %v ago, more than %v", e.now.Sub(e.IssuedAt).Round(time.Second), stale)
	}},
}

// BackChannelLogout ends sessions at the provider's word (Back-Channel Logout 1.0 §2.5): a POST of the provider's with logout_token.
// It is what backchannel_logout_uri names in the client's registration. With a sid in the token the sessions of that sid
// end, without one all of the sub's. Refresh tokens go with their sessions.
//
// It answers 200, or 400 with a JSON error (§2.8). Nothing of the request but the token counts, so it needs no cookie and no protection
// against other origins.
func (p *RP) BackChannelLogout(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxAnswer)
	if err := p.obey(r.Context(), r.PostFormValue("logout_token")); err != nil {
		e := asError(err)
		p.logFailure(r.Context(), "back-channel logout refused", e)
		writeJSON(w, http.StatusBadRequest, e) // §2.8: "If the logout request was invalid or the logout failed, the RP MUST respond with … 400"
		return
	}
	p.config.Log.InfoContext(r.Context(), "signed out by the provider's back channel")
	w.Header().Set("Cache-Control", "no-store") // §2.8
	w.WriteHeader(http.StatusOK)
}

// obey verifies the token, once, and does what it says.
func (p *RP) obey(ctx context.Context, raw string) error {
	if raw == "" {
		return oidc.InvalidRequest.Errorf("the body has no logout_token (Back-Channel Logout section 2.5): POST it as application/x-www-form-urlencoded")
	}
	token, err := p.verifyLogoutToken(ctx, raw)
	if err != nil {
		return err
	}
	if err := p.spendLogoutToken(ctx, token); err != nil {
		return err
	}
	mark := p.subMark(token.Subject)
	if token.SessionID != "" {
		mark = p.sidMark(token.SessionID)
	}
	if err := p.markSignedOut(ctx, mark, token.IssuedAt); err != nil {
		return errors.Join(err, p.spent.Delete(ctx, p.logoutTokenID(token))) // the provider may send it again
	}
	return nil
}

func (p *RP) logoutTokenID(token *gooidc.LogoutToken) string {
	return p.ours("logout_token", token.TokenID)
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
	keys := &askedKeys{keySet: p.keys}
	token, err := p.verifier(d, keys).VerifyLogout(ctx, raw)
	switch {
	case keys.down != nil:
		return nil, keys.down
	case err != nil:
		return nil, oidc.InvalidRequest.Errorf("the logout token is not acceptable (Back-Channel Logout section 2.6): %s", clip(err.Error()))
	}
	e := logoutEvidence{LogoutToken: token, typ: typeOf(raw), now: p.config.Now()}
	var claims struct {
		Events map[string]json.RawMessage `json:"events"`
	}
	if token.Claims(&claims) != nil {
		return nil, oidc.InvalidRequest.Errorf("events is not a JSON object (Back-Channel Logout section 2.4)")
	}
	e.events = claims.Events
	if breach := judge(logoutTokenRules, e); breach != "" {
		return nil, oidc.InvalidRequest.Errorf("the logout token is not acceptable: %s", breach)
	}
	return token, nil
}

// typeOf is the typ of a JWT whose signature has been verified.
func typeOf(raw string) string {
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return ""
	}
	return mediaType(token.Headers[0])
}

// spendLogoutToken: Back-Channel Logout §2.6, "Optionally verify that another Logout Token with the same jti value has not been recently
// received". A token is believed for less than stale after its iat, so it need not be remembered for longer.
func (p *RP) spendLogoutToken(ctx context.Context, token *gooidc.LogoutToken) error {
	return p.spent.Update(ctx, p.logoutTokenID(token), stale+skew, func(old *bool) (*bool, error) {
		if old != nil {
			return nil, oidc.InvalidRequest.Errorf("this logout token has been received before: its jti is known (Back-Channel Logout section 2.6)")
		}
		return new(true), nil
	})
}
