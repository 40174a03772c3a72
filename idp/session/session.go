package session

import (
	"slices"
	"time"
)

// The records are stored as MessagePack, by methods that go generate writes.
//
//go:generate go tool msgp -io=false -tests=false
//msgp:tag json
//msgp:timezone utc
//msgp:ignore Ended

// Session is the record of one browser. Times are absolute.
type Session struct {
	ID         string    `json:"id"`
	Issuer     string    `json:"issuer,omitempty"` // the issuer whose cookie opens it
	SecretHash []byte    `json:"secret_hash"`      // SHA-256 of the secret in the cookie
	StartedAt  time.Time `json:"started_at"`
	LastSeen   time.Time `json:"last_seen"` // updated once in a tenth of the idle lifetime, not at each request
	Accounts   []Account `json:"accounts"`  // the last used first; never empty while the session lasts
	// Browser is the name of the browser of the last sign-in, for a person: "Firefox on Linux".
	Browser string `json:"browser,omitempty"`
	// EndedAt is when the session was signed out. The record is then a tombstone: it explains why the cookie is invalid.
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// Account is one user signed in within a session.
type Account struct {
	Sub string `json:"sub"`
	// SID names this account in this session: the sid claim (OpenID Connect Front-Channel Logout 1.0 §3).
	SID string `json:"sid"`
	// AuthTime is when the user was last authenticated (Core §2, auth_time).
	AuthTime time.Time `json:"auth_time"`
	// SelectedAt is when the user last signed in as, or chose, this account.
	SelectedAt time.Time `json:"selected_at"`
	ACR        string    `json:"acr"`
	AMR        []string  `json:"amr"`
	// Clients got a code for this account and are notified when it is signed out. RecordClient adds them.
	Clients []string `json:"clients,omitempty"`
}

// Ended is an account that was signed out, and the issuer of its session.
type Ended struct {
	Account
	Issuer string
}

// Account returns the account of sub. A nil Session has none.
func (s *Session) Account(sub string) (Account, bool) {
	if s == nil {
		return Account{}, false
	}
	i := slices.IndexFunc(s.Accounts, func(a Account) bool { return a.Sub == sub })
	if i < 0 {
		return Account{}, false
	}
	return s.Accounts[i], true
}

// Subs lists the subs of the accounts, the last used first. A nil Session has none.
func (s *Session) Subs() []string {
	if s == nil {
		return nil
	}
	subs := make([]string, len(s.Accounts))
	for i, account := range s.Accounts {
		subs[i] = account.Sub
	}
	return subs
}

// ended returns the tombstone of the session.
func (s *Session) ended(at time.Time) *Session {
	return &Session{ID: s.ID, SecretHash: s.SecretHash, StartedAt: s.StartedAt, EndedAt: at}
}

// put adds the account, or replaces the account with the same sub, and moves it to the front.
func (s *Session) put(account Account) {
	others := slices.DeleteFunc(s.Accounts, func(a Account) bool { return a.Sub == account.Sub })
	s.Accounts = slices.Insert(others, 0, account)
}
