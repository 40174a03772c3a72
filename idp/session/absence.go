package session

import "errors"

// Absence says why a request has no session. It is an error, so that a caller can tell it from a store that failed, and
// its text is fit for an error_description.
type Absence string

// The reasons that the provider can tell apart. NoCookie covers both a browser that never had the cookie and one that
// withheld it: the request alone does not show the difference.
const (
	NoCookie         Absence = "no session cookie came with the request: nobody signed in with this browser, or the browser withheld the cookie"
	CookieUnreadable Absence = "the session cookie cannot be read: it was changed, or made with another key (was the provider restarted?)"
	Unknown          Absence = "the session cookie names no session: it was signed out, has expired, or the provider was restarted"
	Superseded       Absence = "the session cookie is an old one: somebody signed in since it was set"
	Idle             Absence = "the session was not used for too long"
	Expired          Absence = "the session has reached its absolute lifetime"
)

// Error implements error.
func (a Absence) Error() string { return string(a) }

// OrNone turns an Absence into a nil session without an error, for callers that do not care why.
func OrNone(s *Session, err error) (*Session, error) {
	if _, absent := errors.AsType[Absence](err); absent {
		return nil, nil
	}
	return s, err
}
