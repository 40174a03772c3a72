package console

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// maxSessions is the number of sessions that the console shows: the newest ones.
const maxSessions = 100

// sessionAnswer is a session as the console shows it. ID is a handle, no part of the cookie.
type sessionAnswer struct {
	ID          string          `json:"id"`
	State       string          `json:"state"` // signed_in, signed_out, expired, idle
	ThisBrowser bool            `json:"this_browser"`
	StartedAt   time.Time       `json:"started_at"`
	LastSeen    time.Time       `json:"last_seen,omitzero"`
	EndedAt     time.Time       `json:"ended_at,omitzero"`
	ExpiresAt   time.Time       `json:"expires_at"` // at the latest
	Browser     string          `json:"browser,omitempty"`
	Accounts    []accountAnswer `json:"accounts"`
}

type accountAnswer struct {
	Sub      string    `json:"sub"`
	Username string    `json:"username"`
	Name     string    `json:"name"`
	AuthTime time.Time `json:"auth_time"`
}

// sessionList is the answer of GET /console/sessions.
type sessionList struct {
	Sessions []sessionAnswer `json:"sessions"`
	Idle     string          `json:"idle"`     // how long an unused session lasts, as a duration such as 2h0m0s
	Absolute string          `json:"absolute"` // how long any session lasts, as a duration
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
	return sessionList{answers, e.Sessions.Idle.String(), e.Sessions.Absolute.String()}, nil
}

// listed are the sessions of all users, also of users who were removed, each once, newest first.
func (e *Endpoint) listed(ctx context.Context) ([]session.Session, error) {
	subs, err := e.subs(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]session.Session{}
	for _, sub := range subs {
		list, err := e.Sessions.Of(ctx, sub)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			found[s.ID] = s
		}
	}
	all := slices.SortedFunc(maps.Values(found), func(a, b session.Session) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(len(all), maxSessions)], nil
}

// subs are the subs of all users, also of users who were removed since the longest session began.
func (e *Endpoint) subs(ctx context.Context) ([]string, error) {
	subs, err := e.Sessions.UserList.Subs(ctx)
	for _, user := range e.Users.All() {
		subs = append(subs, user.Sub)
	}
	slices.Sort(subs)
	return slices.Compact(subs), err
}

func (e *Endpoint) sessionAnswer(s session.Session) sessionAnswer {
	answer := sessionAnswer{
		ID: handle(s), State: e.Sessions.State(s), Browser: s.Browser, StartedAt: s.StartedAt, LastSeen: s.LastSeen,
		EndedAt:   s.EndedAt,
		ExpiresAt: s.StartedAt.Add(e.Sessions.Absolute), Accounts: []accountAnswer{},
	}
	for _, account := range s.Accounts {
		user, _ := e.Users.BySub(account.Sub)
		answer.Accounts = append(answer.Accounts, accountAnswer{account.Sub, user.Username, user.Name(), account.AuthTime})
	}
	return answer
}

func handle(s session.Session) string {
	sum := sha256.Sum256([]byte("console session " + s.ID))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// sessionChange is the body of POST /console/sessions/{id}.
type sessionChange struct {
	Do   string `json:"do"`             // end, expire, idle or user
	User string `json:"user,omitempty"` // with user: the username of the session's new user
}

// changeSession is POST /console/sessions/{id}: {"do": "end"}, "expire", "idle", or "user" with {"user": "bob"}.
func (e *Endpoint) changeSession(_ http.ResponseWriter, r *http.Request) (any, error) {
	var asked sessionChange
	if err := readJSON(r, &asked); err != nil {
		return nil, err
	}
	s, err := e.byHandle(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	now := e.Sessions.Now()
	switch asked.Do {
	case "end":
		err = e.end(r.Context(), s.ID)
	case "expire":
		err = e.edit(r.Context(), s.ID, func(s *session.Session) { s.StartedAt = now.Add(-e.Sessions.Absolute) })
	case "idle":
		err = e.edit(r.Context(), s.ID, func(s *session.Session) { s.LastSeen = now.Add(-e.Sessions.Idle) })
	case "user":
		err = e.changeUser(r.Context(), s, asked.User)
	default:
		err = oidc.InvalidRequest.Errorf("do %.50q is not known: use end, expire, idle, or user with a username", asked.Do)
	}
	if err != nil {
		return nil, err
	}
	changed, err := e.Sessions.Sessions.Get(r.Context(), s.ID)
	return e.sessionAnswer(changed), err
}

func (e *Endpoint) end(ctx context.Context, id string) error {
	ended, err := e.Sessions.End(ctx, id)
	if err == nil && e.Sender != nil {
		e.Sender.Send(ctx, e.Issuer, ended)
	}
	return err
}

func (e *Endpoint) byHandle(ctx context.Context, id string) (session.Session, error) {
	list, err := e.listed(ctx)
	if err != nil {
		return session.Session{}, err
	}
	i := slices.IndexFunc(list, func(s session.Session) bool { return handle(s) == id })
	if i < 0 {
		return session.Session{},
			oidc.InvalidRequest.Errorf("session %.50q is not stored (any more): GET /console/sessions lists those that are", id).
				Because(errAbsent)
	}
	return list[i], nil
}

// edit changes a session that has not ended.
func (e *Endpoint) edit(ctx context.Context, id string, change func(*session.Session)) error {
	return e.Sessions.Sessions.Update(ctx, id, storage.KeepTTL, func(s *session.Session) (*session.Session, error) {
		if s == nil || !s.EndedAt.IsZero() {
			return s, signedOut()
		}
		change(s)
		return s, nil
	})
}

func signedOut() error {
	return oidc.InvalidRequest.Errorf("the session was signed out: nothing of it is left to change")
}

// changeUser gives the session to another user, as if that user had signed in instead. The session gets a new sid.
func (e *Endpoint) changeUser(ctx context.Context, s session.Session, username string) error {
	user, ok := e.Users.ByName(username)
	if !ok {
		return oidc.InvalidRequest.Errorf("user %.50q does not exist: GET /console/users lists the users", username)
	}
	if !s.EndedAt.IsZero() {
		return signedOut()
	}
	if err := e.Sessions.AddToIndex(ctx, user.Sub, s); err != nil {
		return err
	}
	now, sid := e.Sessions.Now(), e.Sessions.NewSID(s.ID)
	var left []string
	err := e.edit(ctx, s.ID, func(s *session.Session) {
		left = slices.DeleteFunc(s.Subs(), func(sub string) bool { return sub == user.Sub })
		account := session.Account{Sub: user.Sub, SID: sid, AuthTime: now, SelectedAt: now, ACR: "0", AMR: []string{"user"}}
		s.Accounts = []session.Account{account}
	})
	if err == nil {
		e.Sessions.RemoveFromIndex(ctx, s.ID, left...)
	}
	return err
}
