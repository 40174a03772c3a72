package console

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// maxSessions is how many the console remembers; older ones go on, unlisted.
const maxSessions = 100

// index is the list of the sessions' ids, newest first, in one record of the store.
type index struct{ storage.Bucket[[]string] }

const indexKey = "all"

func (e *Endpoint) index() index {
	return index{storage.NewBucket[[]string]("session-index", e.Store)}
}

func (i index) note(ctx context.Context, id string, ttl time.Duration) error {
	return i.Update(ctx, indexKey, ttl, func(old *[]string) (*[]string, error) {
		ids := []string{id}
		if old != nil {
			ids = append(ids, slices.DeleteFunc(*old, func(known string) bool { return known == id })...)
		}
		ids = ids[:min(len(ids), maxSessions)]
		return &ids, nil
	})
}

// ids are those of the sessions that are still stored or not: who asks looks.
func (i index) ids(ctx context.Context) ([]string, error) {
	ids, err := i.Get(ctx, indexKey)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return ids, err
}

// sessionAnswer is a session as the console shows it. ID is a handle, no part of the cookie.
type sessionAnswer struct {
	ID          string          `json:"id"`
	State       string          `json:"state"` // signed_in, signed_out, expired, idle
	ThisBrowser bool            `json:"this_browser"`
	StartedAt   time.Time       `json:"started_at"`
	LastSeen    time.Time       `json:"last_seen,omitzero"`
	EndedAt     time.Time       `json:"ended_at,omitzero"`
	ExpiresAt   time.Time       `json:"expires_at"` // at the latest
	Accounts    []accountAnswer `json:"accounts"`
}

type accountAnswer struct {
	Sub      string    `json:"sub"`
	Username string    `json:"username"`
	Name     string    `json:"name"`
	AuthTime time.Time `json:"auth_time"`
}

// sessions is GET /console/sessions.
func (e *Endpoint) sessions(_ http.ResponseWriter, r *http.Request) (any, error) {
	list, err := e.listed(r.Context())
	if err != nil {
		return nil, err
	}
	current, err := session.OrNone(e.Sessions.Current(r))
	if err != nil {
		return nil, err
	}
	answers := make([]sessionAnswer, len(list))
	for i, s := range list {
		answers[i] = e.sessionAnswer(s)
		answers[i].ThisBrowser = current != nil && current.ID == s.ID
	}
	return map[string]any{"sessions": answers, "idle": e.Sessions.Idle.String(), "absolute": e.Sessions.Absolute.String()}, nil
}

// listed are the sessions that the store still has, newest first.
func (e *Endpoint) listed(ctx context.Context) ([]session.Session, error) {
	ids, err := e.index().ids(ctx)
	if err != nil {
		return nil, err
	}
	var list []session.Session
	for _, id := range ids {
		s, err := e.Sessions.Sessions.Get(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (e *Endpoint) sessionAnswer(s session.Session) sessionAnswer {
	answer := sessionAnswer{
		ID: handle(s), State: e.stateOf(s), StartedAt: s.StartedAt, LastSeen: s.LastSeen, EndedAt: s.EndedAt,
		ExpiresAt: s.StartedAt.Add(e.Sessions.Absolute), Accounts: []accountAnswer{},
	}
	for _, account := range s.Accounts {
		user, _ := e.Users.BySub(account.Sub)
		answer.Accounts = append(answer.Accounts, accountAnswer{account.Sub, user.Username, user.Name(), account.AuthTime})
	}
	return answer
}

// stateOf is what the session's own cookie would find.
func (e *Endpoint) stateOf(s session.Session) string {
	now := e.Sessions.Now()
	switch {
	case !s.EndedAt.IsZero():
		return "signed_out"
	case !now.Before(s.StartedAt.Add(e.Sessions.Absolute)):
		return "expired"
	case !now.Before(s.LastSeen.Add(e.Sessions.Idle)):
		return "idle"
	}
	return "signed_in"
}

func handle(s session.Session) string {
	sum := sha256.Sum256([]byte("console session " + s.ID))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// changes are what can be done to a session, by the value of "do". user is the sub of who it shall be of.
var changes = map[string]func(e *Endpoint, ctx context.Context, id, user string) error{
	"end": func(e *Endpoint, ctx context.Context, id, _ string) error { return e.Sessions.End(ctx, id) },
	"expire": func(e *Endpoint, ctx context.Context, id, _ string) error {
		return e.edit(ctx, id, func(s *session.Session) { s.StartedAt = e.Sessions.Now().Add(-e.Sessions.Absolute) })
	},
	"idle": func(e *Endpoint, ctx context.Context, id, _ string) error {
		return e.edit(ctx, id, func(s *session.Session) { s.LastSeen = e.Sessions.Now().Add(-e.Sessions.Idle) })
	},
	"user": (*Endpoint).changeUser,
}

// changeSession is POST /console/sessions/{id}: {"do": "end"}, "expire", "idle", or "user" with {"user": "bob"}.
func (e *Endpoint) changeSession(_ http.ResponseWriter, r *http.Request) (any, error) {
	var asked struct {
		Do   string `json:"do"`
		User string `json:"user"`
	}
	if err := readJSON(r, &asked); err != nil {
		return nil, err
	}
	change := changes[asked.Do]
	if change == nil {
		return nil, oidc.InvalidRequest.Errorf("do %.50q is not known: use end, expire, idle, or user with a username", asked.Do)
	}
	s, err := e.byHandle(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if err := change(e, r.Context(), s.ID, asked.User); err != nil {
		return nil, err
	}
	changed, err := e.Sessions.Sessions.Get(r.Context(), s.ID)
	return e.sessionAnswer(changed), err
}

func (e *Endpoint) byHandle(ctx context.Context, id string) (session.Session, error) {
	list, err := e.listed(ctx)
	if err != nil {
		return session.Session{}, err
	}
	i := slices.IndexFunc(list, func(s session.Session) bool { return handle(s) == id })
	if i < 0 {
		return session.Session{}, oidc.InvalidRequest.Errorf("session %.50q is not stored (any more): GET /console/sessions lists those that are", id)
	}
	return list[i], nil
}

// edit changes a session that has not ended.
func (e *Endpoint) edit(ctx context.Context, id string, change func(*session.Session)) error {
	return e.Sessions.Sessions.Update(ctx, id, storage.KeepTTL, func(s *session.Session) (*session.Session, error) {
		if s == nil || !s.EndedAt.IsZero() {
			return s, oidc.InvalidRequest.Errorf("the session was signed out: nothing of it is left to change")
		}
		change(s)
		return s, nil
	})
}

// changeUser gives the session to another user, as if that one had signed in instead. Another user is another sid.
func (e *Endpoint) changeUser(ctx context.Context, id, username string) error {
	user, ok := e.Users.ByName(username)
	if !ok {
		return oidc.InvalidRequest.Errorf("user %.50q does not exist: GET /console/users lists who does", username)
	}
	now, sid := e.Sessions.Now(), id+"."+e.Sessions.Random()
	return e.edit(ctx, id, func(s *session.Session) {
		account := session.Account{Sub: user.Sub, SID: sid, AuthTime: now, SelectedAt: now, ACR: "0", AMR: []string{"user"}}
		s.Accounts = []session.Account{account}
	})
}
