package session

import (
	"slices"
	"time"
)

// Session is what the provider remembers of one browser. Times are absolute.
type Session struct {
	ID         string    `json:"id"`
	Issuer     string    `json:"issuer,omitempty"` // the issuer whose cookie opens it
	SecretHash []byte    `json:"secret_hash"`      // SHA-256 of the secret in the cookie
	StartedAt  time.Time `json:"started_at"`
	LastSeen   time.Time `json:"last_seen"` // brought up to date at a tenth of the idle lifetime, not at each request
	Accounts   []Account `json:"accounts"`  // the one used last first; never empty while the session lasts
	// Browser is what the browser of the last sign-in says it is, in words for a person: "Firefox on Linux".
	Browser string `json:"browser,omitempty"`
	// EndedAt is when the session was signed out. What is left then, a tombstone, only tells why the cookie opens nothing.
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// Account is one user signed in within a session.
type Account struct {
	Sub string `json:"sub"`
	// SID names this account in this session: the sid claim (OpenID Connect Front-Channel Logout 1.0 §3).
	SID string `json:"sid"`
	// AuthTime is when the user last proved who they are (Core §2, auth_time).
	AuthTime time.Time `json:"auth_time"`
	// SelectedAt is when the user last signed in as, or chose, this account.
	SelectedAt time.Time `json:"selected_at"`
	ACR        string    `json:"acr"`
	AMR        []string  `json:"amr"`
	// Clients got a code for this account, so they are told when it is signed out. RecordClient adds them.
	Clients []string `json:"clients,omitempty"`
}

// Ended is an account whose sign-in is over, and at which issuer it was: what its Clients have to be told.
type Ended struct {
	Account
	Issuer string
}

// Account returns the account of sub. A nil Session has none.
func (s *Session) Account(sub string) (Account, bool) {
	if s == nil {
		return Account{}, false
	}
	i := s.index(sub)
	if i < 0 {
		return Account{}, false
	}
	return s.Accounts[i], true
}

// Subs lists the subs of the accounts, the one used last first. A nil Session has none.
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

// ended is what remains of a session that was signed out.
func (s *Session) ended(at time.Time) *Session {
	return &Session{ID: s.ID, SecretHash: s.SecretHash, StartedAt: s.StartedAt, EndedAt: at}
}

// put adds the account, or replaces the one with the same sub, and moves it to the front.
func (s *Session) put(account Account) {
	s.remove(account.Sub)
	s.Accounts = slices.Insert(s.Accounts, 0, account)
}

func (s *Session) remove(sub string) {
	s.Accounts = slices.DeleteFunc(s.Accounts, func(a Account) bool { return a.Sub == sub })
}

func (s *Session) index(sub string) int {
	return slices.IndexFunc(s.Accounts, func(a Account) bool { return a.Sub == sub })
}
