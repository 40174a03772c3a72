package rp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// sessionLifetime is how long a session lasts after the sign-in that began it, however often it is renewed.
const sessionLifetime = 12 * time.Hour

// Session is the application's own knowledge of who is signed in. It lives in the Store; the browser holds an id only.
// IDToken and AccessToken are secrets: what a page may see is in View.
type Session struct {
	Sub         string          `json:"sub"`
	IDToken     string          `json:"id_token"` // as issued; its claims have been checked
	AccessToken string          `json:"access_token"`
	Scope       string          `json:"scope"`     // of the access token, values separated by spaces
	Expiry      time.Time       `json:"expiry"`    // of the access token; zero when the provider did not say
	AuthTime    time.Time       `json:"auth_time"` // when the user last typed a password at the provider; zero when unknown
	Claims      json.RawMessage `json:"claims"`    // of the ID Token, a JSON object
	Renewals    int             `json:"renewals"`  // silent ones since the sign-in
	EndsAt      time.Time       `json:"ends_at"`   // of the session itself
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
}

// View returns what a page may see.
func (s *Session) View() SessionView {
	view := SessionView{Sub: s.Sub, Scope: s.Scope, Claims: s.Claims, Renewals: s.Renewals}
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

// TokenSource gives out the access token of the request's session, for example to call an API with oauth2.NewClient. Its
// Token fails with ErrNoSession, with ErrTokenExpired, or with the store's error; it never renews, which takes a browser.
func (p *RP) TokenSource(r *http.Request) oauth2.TokenSource {
	return tokenSource{rp: p, request: r}
}

type tokenSource struct {
	rp      *RP
	request *http.Request
}

// Token implements oauth2.TokenSource.
func (s tokenSource) Token() (*oauth2.Token, error) {
	session, err := s.rp.Session(s.request)
	if err != nil {
		return nil, err
	}
	return session.token(s.rp.config.Now())
}

func (s *Session) token(now time.Time) (*oauth2.Token, error) {
	if !s.Expiry.IsZero() && !now.Before(s.Expiry) {
		return nil, ErrTokenExpired
	}
	return &oauth2.Token{AccessToken: s.AccessToken, TokenType: "Bearer", Expiry: s.Expiry}, nil
}

// UserInfo asks the provider for the claims of the request's user (Core §5.3): a JSON object. The error is one of those of
// TokenSource, or an *oidc.Error that says what the provider did.
func (p *RP) UserInfo(r *http.Request) (json.RawMessage, error) {
	session, err := p.Session(r)
	if err != nil {
		return nil, err
	}
	token, err := session.token(p.config.Now())
	if err != nil {
		return nil, err
	}
	d, err := p.provider.discover(r.Context())
	if err != nil {
		return nil, err
	}
	info, err := d.UserInfo(p.provider.context(r.Context()), oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, p.explainUserInfo(err)
	}
	if info.Subject != session.Sub { // Core §5.3.2: "the UserInfo Response values MUST NOT be used"
		return nil, SubMismatch.Errorf("userinfo is about another sub than the ID Token (Core section 5.3.2)")
	}
	var claims json.RawMessage
	return claims, info.Claims(&claims)
}

func (p *RP) explainUserInfo(err error) error {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return p.provider.down(err)
	}
	return oidc.ServerError.Errorf("the userinfo endpoint's answer cannot be used: %s", clip(err.Error()))
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
		renewed = &next
		return renewed, nil
	})
	return renewed, err
}
