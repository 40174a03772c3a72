package rp

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

const (
	sessionLifetime = 12 * time.Hour // from the sign-in; renewals do not extend it
	maxHint         = 4 << 10        // bytes of id_token_hint in a URL, of which servers accept about 8 kB
)

// Session is the application's record of a signed-in user. It is in the Store; the browser has its id only. IDToken,
// AccessToken and RefreshToken are secrets: View returns the other data.
type Session struct {
	Sub          string    `json:"sub"`
	IDToken      string    `json:"id_token"` // as issued; its claims have been checked
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token,omitempty"` // for offline_access, if the provider gave one
	Sid          string    `json:"sid,omitempty"`           // of the user's session at the provider; may be empty
	SessionState string    `json:"session_state,omitempty"` // for Monitor; may be empty
	IssuedAt     time.Time `json:"issued_at"`               // iat of the ID Token, by the provider's clock
	Began        time.Time `json:"began"`                   // of the last sign-in or silent renewal, by this clock
	Scope        string    `json:"scope"`                   // of the access token, values separated by spaces
	Expiry       time.Time `json:"expiry"`                  // of the access token; zero when unknown
	AuthTime     time.Time `json:"auth_time"`               // of the last password at the provider; zero when unknown
	Renewals     int       `json:"renewals"`                // since the sign-in
	EndsAt       time.Time `json:"ends_at"`                 // of the session itself

	// Claims are those of the ID Token, a JSON object. Most providers put the claims of scopes such as profile and email
	// into userinfo only (Core §5.4): Config.UserInfoAtSignIn and RP.UserInfo ask for them, and Config.Claims requests
	// single ones in the ID Token.
	Claims json.RawMessage `json:"claims"`
	// UserInfo is the answer of userinfo at the sign-in, a JSON object; nil without Config.UserInfoAtSignIn.
	UserInfo json.RawMessage `json:"userinfo,omitempty"`
	// User is the application's own key or record of the user, as Config.OnSignIn set it. Renewals keep it.
	User string `json:"user,omitempty"`
}

// ReadClaims fills into, a pointer, with the claims of UserInfo and of the ID Token. If both have a claim, that of the
// ID Token counts, also when it is null or an object with fewer members.
func (s *Session) ReadClaims(into any) error {
	text, err := s.mergedClaims()
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("rp: the claims of the session do not have the expected types: %w", err)
	}
	return nil
}

// mergedClaims leaves out the claims of UserInfo whose names differ from a claim of the ID Token in case only, because
// json.Unmarshal would read both into one field.
func (s *Session) mergedClaims() ([]byte, error) {
	merged, folded := map[string]json.RawMessage{}, map[string]bool{}
	var more map[string]json.RawMessage
	if err := errors.Join(readObject(s.Claims, &merged), readObject(s.UserInfo, &more)); err != nil {
		return nil, err
	}
	fold := func(name string) string { return strings.ToLower(strings.ToUpper(name)) } // ſub too becomes sub
	for name := range merged {
		folded[fold(name)] = true
	}
	maps.DeleteFunc(more, func(name string, _ json.RawMessage) bool { return folded[fold(name)] })
	maps.Copy(merged, more)
	return json.Marshal(merged)
}

// readObject leaves into as it is when there is no object: a store gives back no claims as null.
func readObject(text json.RawMessage, into *map[string]json.RawMessage) error {
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	return josejson.Unmarshal(text, into)
}

// SessionView is a session for a page of the application, without tokens. Times are seconds since 1970, as in a JWT.
type SessionView struct {
	Sub       string          `json:"sub"`
	Scope     string          `json:"scope"`
	ExpiresAt int64           `json:"expires_at,omitempty"` // of the access token
	AuthTime  int64           `json:"auth_time,omitempty"`
	Claims    json.RawMessage `json:"claims"` // of the ID Token
	Renewals  int             `json:"renewals"`
	// Refreshable is true when Refresh may work; otherwise SilentLogin renews the tokens.
	Refreshable bool `json:"refreshable"`
}

// View returns the data for a page.
func (s *Session) View() SessionView {
	return SessionView{
		Sub: s.Sub, Scope: s.Scope, Claims: s.Claims, Renewals: s.Renewals, Refreshable: s.RefreshToken != "",
		ExpiresAt: max(0, s.Expiry.Unix()), AuthTime: max(0, s.AuthTime.Unix()), // negative: unknown
	}
}

// claims are claims of the ID Token, which has been verified before.
func (s *Session) claims() (c struct {
	Nonce string       `json:"nonce"`
	Azp   string       `json:"azp"`
	Aud   jwt.Audience `json:"aud"`
}) {
	_ = josejson.Unmarshal(s.Claims, &c)
	return c
}

// addHint sets id_token_hint (Core §3.1.2.1, RP-Initiated Logout §2), unless the ID Token is too long.
func (s *Session) addHint(params url.Values) {
	if len(s.IDToken) <= maxHint {
		params.Set("id_token_hint", s.IDToken)
	}
}

// newSession makes a session of a verified ID Token and its token response. A refresh may leave out scope, auth_time
// and sid. Its session has the old Began: a refresh proves no session at the provider (Core §11), so a sign-out during
// the refresh still ends the renewed session.
func (p *RP) newSession(t idToken, signed signedJWT, token *oauth2.Token) *Session {
	before := cmp.Or(t.before, &Session{
		Scope: strings.Join(p.config.Scopes, " "), Began: t.now, EndsAt: t.now.Add(sessionLifetime),
	})
	s := p.refreshed(before, token)
	s.Sub, s.IDToken, s.IssuedAt, s.Sid = t.Subject, signed.raw, t.IssuedAt, cmp.Or(t.Sid, before.Sid)
	if t.AuthTime != nil {
		s.AuthTime = t.AuthTime.Time()
	}
	s.Claims = signed.claims
	return s
}

// refreshed is session with the tokens of a token response. RFC 6749 §5.1: scope is "OPTIONAL, if identical to the
// scope requested"; §6: a refresh token that is not replaced stays valid.
func (p *RP) refreshed(session *Session, token *oauth2.Token) *Session {
	s := *session
	s.AccessToken, s.Expiry = token.AccessToken, time.Time{}
	s.RefreshToken = cmp.Or(token.RefreshToken, s.RefreshToken)
	if scope, ok := token.Extra("scope").(string); ok {
		s.Scope = scope
	}
	if token.ExpiresIn > 0 {
		s.Expiry = p.config.Now().Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	return &s
}

// Session returns the session of the request, or ErrNoSession. Any other error is the store's.
func (p *RP) Session(r *http.Request) (*Session, error) {
	_, session, err := p.current(r)
	return session, err
}

// TokenSource returns the access token of the request's session, for example for oauth2.NewClient; Client adds DPoP
// proofs. The session's refresh token renews an expired one. Token fails with ErrNoSession; with ErrTokenExpired when
// only SilentLogin can renew the token; with an *oidc.Error when the provider refused; or with the store's error.
func (p *RP) TokenSource(r *http.Request) oauth2.TokenSource { return tokenSource{rp: p, request: r} }

type tokenSource struct {
	rp      *RP
	request *http.Request
}

// Token implements oauth2.TokenSource.
func (s tokenSource) Token() (*oauth2.Token, error) {
	session, err := s.rp.usable(s.request)
	if err != nil {
		return nil, err
	}
	return s.rp.token(session), nil
}

func (p *RP) token(s *Session) *oauth2.Token {
	return &oauth2.Token{AccessToken: s.AccessToken, TokenType: p.tokenType(), Expiry: s.Expiry}
}

// usable returns the request's session with an access token that has not expired.
func (p *RP) usable(r *http.Request) (*Session, error) {
	id, session, err := p.current(r)
	switch {
	case err != nil:
		return nil, err
	case session.Expiry.IsZero() || p.config.Now().Before(session.Expiry):
		return session, nil
	case session.RefreshToken == "":
		return nil, ErrTokenExpired
	}
	return p.refresh(r.Context(), id, session.RefreshToken)
}

// current returns the request's live session and its id.
func (p *RP) current(r *http.Request) (string, *Session, error) {
	var id string
	if !p.cookies.get(r, p.cookies.session, &id) {
		return "", nil, ErrNoSession
	}
	session, err := p.sessions.Get(r.Context(), id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return "", nil, ErrNoSession
	case err != nil:
		return "", nil, err
	case !p.config.Now().Before(session.EndsAt):
		return "", nil, ErrNoSession
	}
	if err := p.checkSignedOut(r.Context(), id, &session); err != nil {
		return "", nil, err
	}
	return id, &session, nil
}

// signIn ends the session of the request and stores session under a new id, against session fixation. When userinfo
// fails, the session of the request stays; when the application refuses the user, it ends. After any failure the new
// refresh token is revoked, because no session holds it.
func (p *RP) signIn(w http.ResponseWriter, r *http.Request, session *Session) error {
	err := p.beginSession(w, r, session)
	if err != nil {
		p.revoke(context.WithoutCancel(r.Context()), session) // also when the browser waits no longer
	}
	return err
}

func (p *RP) beginSession(w http.ResponseWriter, r *http.Request, session *Session) error {
	if err := p.addUserInfo(r.Context(), session); err != nil {
		return err
	}
	if refused := p.config.OnSignIn(r, session); refused != nil {
		p.cookies.remove(w, p.cookies.session)
		if err := p.forget(r); err != nil {
			p.logFailure(r.Context(), "the session before the refused sign-in could not be deleted", asError(err))
		}
		return refused
	}
	if err := p.forget(r); err != nil {
		return err
	}
	id := rand.Text()
	if err := p.sessions.Put(r.Context(), id, *session, sessionLifetime); err != nil {
		return err
	}
	p.config.Log.InfoContext(r.Context(), "signed in")
	return p.cookies.set(w, p.cookies.session, id, 0)
}

// forget removes the record of the request's session, if there is one.
func (p *RP) forget(r *http.Request) error {
	var id string
	if !p.cookies.get(r, p.cookies.session, &id) {
		return nil
	}
	return p.sessions.Delete(r.Context(), id)
}

// renew replaces the session that the silent flow began with by fresh.
func (p *RP) renew(w http.ResponseWriter, r *http.Request, flowSessionID string, fresh *Session) (*Session, error) {
	id, _, err := p.current(r)
	switch {
	case err != nil && !errors.Is(err, ErrNoSession):
		return nil, err
	case id != flowSessionID:
		return nil, errSessionChanged
	case id == "":
		return fresh, p.signIn(w, r, fresh)
	}
	renewed, err := p.replace(r.Context(), id, fresh)
	if errors.Is(err, errAnotherUser) {
		p.cookies.remove(w, p.cookies.session)
	}
	return renewed, err
}

// replace updates the record atomically: a sign-out that comes first is not undone. When fresh is of another user, it
// removes the record and returns errAnotherUser.
func (p *RP) replace(ctx context.Context, id string, fresh *Session) (renewed *Session, err error) {
	err = p.sessions.Update(ctx, id, storage.KeepTTL, func(old *Session) (*Session, error) {
		renewed = nil
		if old == nil {
			return nil, errSessionChanged
		}
		if old.Sub != fresh.Sub {
			return nil, nil
		}
		next := *fresh
		next.Renewals, next.EndsAt = old.Renewals+1, old.EndsAt
		next.RefreshToken = cmp.Or(fresh.RefreshToken, old.RefreshToken)
		next.SessionState = cmp.Or(fresh.SessionState, old.SessionState)
		next.UserInfo, next.User = old.UserInfo, old.User
		renewed = &next
		return renewed, nil
	})
	if err == nil && renewed == nil {
		return nil, errAnotherUser
	}
	return renewed, err
}

// Refresh renews the session's tokens without the provider's session and without an iframe (RFC 6749 §6, Core §12):
// POST by a fetch of a page of the same origin. It answers as FinishSilent does. After not_refreshable the page loads
// SilentLogin in a hidden iframe; when that answers login_required, the user signs in.
func (p *RP) Refresh(w http.ResponseWriter, r *http.Request) {
	if !p.allowOwnPages(w, r) {
		return
	}
	id, session, err := p.current(r)
	if err == nil {
		session, err = p.refresh(r.Context(), id, session.RefreshToken)
	}
	p.answerView(w, r, session, err)
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
	if err == nil {
		p.config.Log.InfoContext(ctx, "session refreshed", "renewals", renewed.Renewals)
	}
	return renewed, err
}

// redeemRefreshToken sends the token request of RFC 6749 §6.
func (p *RP) redeemRefreshToken(ctx context.Context, before *Session) (*Session, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return nil, err
	}
	old := &oauth2.Token{RefreshToken: before.RefreshToken}
	token, err := p.oauth2(d, false).TokenSource(gooidc.ClientContext(ctx, p.httpClient(d)), old).Token()
	if err != nil {
		return nil, p.explainExchange(err)
	}
	return p.verifyTokens(ctx, d, token, idToken{before: before})
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
