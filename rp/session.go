package rp

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/storage"
)

// sessionLifetime is how long a session lasts after the sign-in that began it, however often it is renewed.
const sessionLifetime = 12 * time.Hour

// maxHint bounds id_token_hint, in bytes: it travels in addresses, of which servers take about 8 kB.
const maxHint = 4 << 10

// Session is the application's own knowledge of who is signed in. It lives in the Store; the browser holds an id only.
// IDToken, AccessToken and RefreshToken are secrets: what a page may see is in View.
type Session struct {
	Sub         string `json:"sub"`
	IDToken     string `json:"id_token"` // as issued; its claims have been checked
	AccessToken string `json:"access_token"`
	// RefreshToken is there when the provider gave one, for offline_access.
	RefreshToken string `json:"refresh_token,omitempty"`
	// Sid names the user's session at the provider; SessionState is what Monitor compares. Empty when the provider did not say.
	Sid          string          `json:"sid,omitempty"`
	SessionState string          `json:"session_state,omitempty"`
	IssuedAt     time.Time       `json:"issued_at"` // iat of the ID Token: by the provider's clock
	Began        time.Time       `json:"began"`     // when the provider last showed that it knows the user, at a sign-in or a silent renewal: by ours
	Scope        string          `json:"scope"`     // of the access token, values separated by spaces
	Expiry       time.Time       `json:"expiry"`    // of the access token; zero when the provider did not say
	AuthTime     time.Time       `json:"auth_time"` // when the user last typed a password at the provider; zero when unknown
	Claims       json.RawMessage `json:"claims"`    // of the ID Token, a JSON object
	Renewals     int             `json:"renewals"`  // silent ones since the sign-in
	EndsAt       time.Time       `json:"ends_at"`   // of the session itself
}

// SessionView is what a page of the application may know of its session: no token is in it. Times are seconds since 1970,
// as in a JWT.
type SessionView struct {
	Sub       string          `json:"sub"`
	Scope     string          `json:"scope"`
	ExpiresAt int64           `json:"expires_at,omitempty"` // of the access token
	AuthTime  int64           `json:"auth_time,omitempty"`
	Claims    json.RawMessage `json:"claims"` // of the ID Token
	Renewals  int             `json:"renewals"`
	// Refreshable tells a page that Refresh may work; otherwise SilentLogin is the way to new tokens.
	Refreshable bool `json:"refreshable"`
}

// View returns what a page may see.
func (s *Session) View() SessionView {
	view := SessionView{Sub: s.Sub, Scope: s.Scope, Claims: s.Claims, Renewals: s.Renewals, Refreshable: s.RefreshToken != ""}
	if !s.Expiry.IsZero() {
		view.ExpiresAt = s.Expiry.Unix()
	}
	if !s.AuthTime.IsZero() {
		view.AuthTime = s.AuthTime.Unix()
	}
	return view
}

// Session returns the session that the request belongs to, or ErrNoSession. Any other error is the store's.
func (p *RP) Session(r *http.Request) (*Session, error) {
	_, session, err := p.current(r)
	return session, err
}

// claim is a claim of the ID Token that is a string; "" when there is none.
func (s *Session) claim(name string) string {
	var claims map[string]any
	_ = json.Unmarshal(s.Claims, &claims) // they have been decoded before
	text, _ := claims[name].(string)
	return text
}

// addHint tells the provider whom a request is about (Core §3.1.2.1, RP-Initiated Logout §2), unless that is too long to say:
// the provider then goes by its own session, or asks the user.
func (s *Session) addHint(params url.Values) {
	if len(s.IDToken) <= maxHint {
		params.Set("id_token_hint", s.IDToken)
	}
}

// audience is the aud of the ID Token.
func (s *Session) audience() []string {
	var claims struct {
		Aud jwt.Audience `json:"aud"`
	}
	_ = json.Unmarshal(s.Claims, &claims) // they have been decoded before
	return claims.Aud
}

// TokenSource gives out the access token of the request's session, for example to call an API with oauth2.NewClient; Client adds
// the proof that a DPoP token needs. An expired token is renewed by the session's refresh token. Token fails with
// ErrNoSession, with ErrTokenExpired when only a silent login can renew it, which takes a browser, with an *oidc.Error
// that says what the provider did, or with the store's error.
func (p *RP) TokenSource(r *http.Request) oauth2.TokenSource {
	return tokenSource{rp: p, request: r}
}

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

// usable is the request's session with an access token that has not expired.
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

func (p *RP) token(s *Session) *oauth2.Token {
	return &oauth2.Token{AccessToken: s.AccessToken, TokenType: p.tokenType(), Expiry: s.Expiry}
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

// signIn keeps session under a new id, so that an id planted before the sign-in is worth nothing after it, and ends the
// session that it replaces.
func (p *RP) signIn(w http.ResponseWriter, r *http.Request, session *Session) error {
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

// renew puts fresh into the place of the session that the silent flow was begun with.
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
	if err == nil && renewed == nil {
		p.cookies.remove(w, p.cookies.session)
		return nil, SubMismatch.Errorf("the provider answered for another user than the one signed in here (Core section 12.2): " +
			"the session has ended; sign in again")
	}
	return renewed, err
}

var errSessionChanged = SessionChanged.Errorf("the session ended, or another one began, while the renewal was under way: " +
	"nothing was changed")

// replace updates the record atomically: a sign-out that comes first is not undone. The result is nil when the user is
// another one; the record is then removed.
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
		renewed = &next
		return renewed, nil
	})
	return renewed, err
}
