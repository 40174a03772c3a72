package session

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hush-idp/hush/storage"
)

// Manager finds, begins and ends sessions.
type Manager struct {
	Sessions storage.Bucket[Session]
	Index    storage.Bucket[[]Entry] // by sub: the sessions of a user
	Cookies  Cookies
	Issuer   string        // of the sessions that begin here
	Idle     time.Duration // how long an unused session lasts
	Absolute time.Duration // how long a session lasts from its first sign-in
	Now      func() time.Time
	Random   func() string // 128 bits or more, without a dot
	// Users has the subs of the users who may have a session. nil: all may; the manager only lists and ends sessions.
	Users *atomic.Pointer[map[string]bool]
	// UserList has the users of earlier configurations too.
	UserList *UserList
	// Gone is called with the accounts that Current signs out because their users were removed.
	Gone func(ctx context.Context, ended []Ended)
}

// endedRetention is how long a session is stored after its end, so that the next request gets "expired", not "unknown".
const endedRetention = time.Hour

// maxClients is the maximum number of clients that a session records for one account. The oldest are dropped and get no
// logout token.
const maxClients = 100

// Current returns the session that the request's cookie opens. If there is none, it returns nil and an Absence; any
// other error is from the store. It costs one store read, and one write each tenth of the idle lifetime.
// It signs out accounts whose users were removed from the configuration.
func (m *Manager) Current(r *http.Request) (*Session, error) {
	value, err := m.Cookies.read(r)
	if err != nil {
		return nil, err
	}
	id, secret, _ := strings.Cut(value, ".")
	s, err := m.Sessions.Get(r.Context(), id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, Unknown
	}
	if err != nil {
		return nil, err
	}
	if err := m.judge(s, secret); err != nil {
		return nil, err
	}
	isRemoved := func(a Account) bool { return m.Users != nil && !(*m.Users.Load())[a.Sub] }
	if slices.ContainsFunc(s.Accounts, isRemoved) {
		return m.without(r.Context(), s, isRemoved)
	}
	return &s, m.touch(r.Context(), s)
}

// without signs out the accounts of removed users and returns the session with the others.
func (m *Manager) without(ctx context.Context, s Session, isRemoved func(Account) bool) (*Session, error) {
	ended, err := m.signOut(ctx, s.ID, isRemoved)
	if err != nil {
		return nil, err
	}
	if m.Gone != nil {
		m.Gone(ctx, ended)
	}
	if s.Accounts = slices.DeleteFunc(s.Accounts, isRemoved); len(s.Accounts) == 0 {
		return nil, UserRemoved
	}
	return &s, nil
}

func (m *Manager) judge(s Session, secret string) error {
	over, given := m.over(s), sha256.Sum256([]byte(secret))
	switch {
	case over == SignedOut:
		return SignedOut
	case subtle.ConstantTimeCompare(s.SecretHash, given[:]) != 1:
		return Superseded
	case over != "":
		return over
	}
	return nil
}

// over returns the reason why the session is over; "" while it lasts.
func (m *Manager) over(s Session) Absence {
	now := m.Now()
	switch {
	case !s.EndedAt.IsZero():
		return SignedOut
	case !now.Before(s.StartedAt.Add(m.Absolute)):
		return Expired
	case !now.Before(s.LastSeen.Add(m.Idle)):
		return Idle
	}
	return ""
}

var states = map[Absence]string{"": "signed_in", SignedOut: "signed_out", Expired: "expired", Idle: "idle"}

// Lasts tells whether the session has not ended.
func (m *Manager) Lasts(s Session) bool { return m.over(s) == "" }

// State is signed_in, signed_out, expired or idle.
func (m *Manager) State(s Session) string { return states[m.over(s)] }

// retainUntil is the time until which the store holds the session.
func (m *Manager) retainUntil(s Session) time.Time {
	return s.StartedAt.Add(m.Absolute + endedRetention)
}

// touch records that the session is in use. It is an Update, so it cannot restore a session that was just signed out.
func (m *Manager) touch(ctx context.Context, s Session) error {
	now := m.Now()
	if now.Sub(s.LastSeen) < m.Idle/10 {
		return nil
	}
	return m.Sessions.Update(ctx, s.ID, storage.KeepTTL, func(old *Session) (*Session, error) {
		if old != nil {
			old.LastSeen = now
		}
		return old, nil
	})
}

// SignIn adds account to the session of the request, or to a new session. It sets a cookie with a new secret, so that
// the old cookie opens nothing (session fixation). It fills the account's SID, AuthTime and SelectedAt.
func (m *Manager) SignIn(w http.ResponseWriter, r *http.Request, account Account) (*Session, error) {
	s, err := OrNone(m.Current(r))
	if err != nil {
		return nil, err
	}
	if s == nil {
		s = &Session{ID: m.Random(), StartedAt: m.Now()}
	}
	account.AuthTime, account.SelectedAt = m.Now(), m.Now()
	account.SID = m.NewSID(s.ID)
	s.Browser = browserName(r.UserAgent())
	if err := m.AddToIndex(r.Context(), account.Sub, *s); err != nil {
		return nil, err
	}
	if err := m.UserList.write(r.Context(), m.Users); err != nil {
		return nil, err
	}
	secret := m.Random()
	s, err = m.add(r.Context(), *s, account, sha256.Sum256([]byte(secret)))
	if err != nil {
		return nil, err
	}
	if err := m.Cookies.set(w, s.ID+"."+secret); err != nil {
		return nil, err
	}
	m.SetBrowserState(w, r, s)
	return s, nil
}

// NewSID returns the sid of a new account in the session with this ID.
func (m *Manager) NewSID(id string) string { return id + "." + m.Random() }

// add stores the account in the current session record, so an account that was signed out meanwhile is not restored.
func (m *Manager) add(
	ctx context.Context, s Session, account Account, secretHash [sha256.Size]byte,
) (saved *Session, err error) {
	ttl := m.retainUntil(s).Sub(m.Now())
	err = m.Sessions.Update(ctx, s.ID, ttl, func(old *Session) (*Session, error) {
		saved = old
		if old == nil || !old.EndedAt.IsZero() {
			saved = &Session{ID: s.ID, Issuer: m.Issuer, StartedAt: s.StartedAt}
		}
		entry := account
		if before, ok := saved.Account(account.Sub); ok {
			entry.SID, entry.Clients = before.SID, before.Clients // the same user again: the sid at relying parties stays valid
		}
		saved.put(entry)
		saved.SecretHash, saved.LastSeen, saved.Browser = secretHash[:], m.Now(), s.Browser
		return saved, nil
	})
	return saved, err
}

// Select records that the user chose the account of sub now. It returns an Absence when the request has no session
// with such an account.
func (m *Manager) Select(r *http.Request, sub string) error {
	s, err := m.Current(r)
	if err != nil {
		return err
	}
	if _, ok := s.Account(sub); !ok {
		return Unknown
	}
	return m.Sessions.Update(r.Context(), s.ID, storage.KeepTTL, func(old *Session) (*Session, error) {
		if account, ok := old.Account(sub); ok { // a tombstone has none
			account.SelectedAt = m.Now()
			old.put(account)
		}
		return old, nil
	})
}

// RecordClient adds a client that gets a code to the clients of the account. A client that is recorded already costs no
// store operation. Back-Channel Logout §2.3: "OPs supporting back-channel logout need to keep track of the set of
// logged-in RPs so that they know what RPs to contact at their back-channel logout URIs to cause them to log out." An
// account that was signed out meanwhile stays signed out.
// https://openid.net/specs/openid-connect-backchannel-1_0.html#Tracking
func (m *Manager) RecordClient(ctx context.Context, s *Session, account Account, clientID string) error {
	if slices.Contains(account.Clients, clientID) {
		return nil
	}
	return m.Sessions.Update(ctx, s.ID, storage.KeepTTL, func(old *Session) (*Session, error) {
		i := -1
		if old != nil {
			i = slices.IndexFunc(old.Accounts, func(a Account) bool { return a.SID == account.SID })
		}
		if i >= 0 && !slices.Contains(old.Accounts[i].Clients, clientID) {
			clients := append(old.Accounts[i].Clients, clientID)
			old.Accounts[i].Clients = clients[max(0, len(clients)-maxClients):]
		}
		return old, nil
	})
}

// ForgetClient removes the client from the clients of the account of sub: the client has ended its sign-in by itself,
// so it needs no logout token.
func (m *Manager) ForgetClient(ctx context.Context, s *Session, sub, clientID string) error {
	return m.Sessions.Update(ctx, s.ID, storage.KeepTTL, func(old *Session) (*Session, error) {
		if old == nil {
			return nil, nil
		}
		for i := range old.Accounts {
			if account := &old.Accounts[i]; account.Sub == sub {
				account.Clients = slices.DeleteFunc(account.Clients, func(id string) bool { return id == clientID })
			}
		}
		return old, nil
	})
}

// SignOut ends the session of the request with all its accounts and removes the cookies from the browser. A request
// without a session is signed out already. Like End and SignOutSID it returns the accounts that were signed out; the
// caller notifies their clients.
func (m *Manager) SignOut(w http.ResponseWriter, r *http.Request) ([]Ended, error) {
	m.Cookies.clear(w)
	s, err := m.Current(r)
	if _, absent := errors.AsType[Absence](err); absent {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return m.End(r.Context(), s.ID)
}

// End signs out the session with this id. An unknown or ended session is no error.
func (m *Manager) End(ctx context.Context, id string) ([]Ended, error) {
	return m.signOut(ctx, id, func(Account) bool { return true })
}

// SignOutSID signs out the account with this sid; the other accounts of the session stay. An unknown sid is no error.
func (m *Manager) SignOutSID(ctx context.Context, sid string) ([]Ended, error) {
	id, _, _ := strings.Cut(sid, ".")
	return m.signOut(ctx, id, func(a Account) bool { return a.SID == sid })
}

// signOut removes the accounts from the session, which ends with its last account.
func (m *Manager) signOut(ctx context.Context, id string, which func(Account) bool) (gone []Ended, err error) {
	err = m.Sessions.Update(ctx, id, storage.KeepTTL, func(s *Session) (*Session, error) {
		gone = nil
		if s == nil || !s.EndedAt.IsZero() {
			return s, nil
		}
		for _, account := range s.Accounts {
			if which(account) {
				gone = append(gone, Ended{account, s.Issuer})
			}
		}
		s.Accounts = slices.DeleteFunc(s.Accounts, which)
		if len(s.Accounts) == 0 {
			return s.ended(m.Now()), nil
		}
		return s, nil
	})
	if err != nil {
		return nil, err
	}
	subs := make([]string, len(gone))
	for i, ended := range gone {
		subs[i] = ended.Sub
	}
	m.RemoveFromIndex(ctx, id, subs...)
	return gone, nil
}
