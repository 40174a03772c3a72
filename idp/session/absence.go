package session

import (
	"errors"

	"github.com/hush-idp/hush/oidc"
)

// Absence says why a request has no session. It is an error, so that a caller can tell it from a store that failed, and
// its text is fit for an error_description.
type Absence string

// The reasons that the provider can tell apart. A browser that never had the cookie and one that withheld it send the
// same request; what the browser says about the request itself (Fetch Metadata) tells where withholding is possible.
const (
	NoCookie         Absence = "no session cookie came with the request: nobody signed in with this browser, or they signed out"
	Withheld         Absence = "no session cookie came with the request, which is a cross-site iframe's: the browser withheld it as a third-party cookie, or nobody signed in"
	LaxOnly          Absence = "no session cookie came with the request, which is a cross-site iframe's: this browser has the cookie with SameSite=Lax only, which never reaches one"
	CookieUnreadable Absence = "the session cookie cannot be read: it was changed, or made with another key (was the provider restarted?)"
	Unknown          Absence = "the session cookie names no session: it was ended long ago, or the provider was restarted"
	SignedOut        Absence = "the session was signed out"
	Superseded       Absence = "the session cookie is an old one: somebody signed in since it was set"
	Idle             Absence = "the session was not used for too long"
	Expired          Absence = "the session has reached its absolute lifetime"
)

var reasons = map[Absence]oidc.Reason{
	NoCookie: oidc.SessionNone, Withheld: oidc.CookieWithheldOrAbsent, LaxOnly: oidc.CookieSameSite,
	CookieUnreadable: oidc.SessionCookieUnreadable, Unknown: oidc.SessionUnknown, SignedOut: oidc.SessionSignedOut,
	Superseded: oidc.SessionSuperseded, Idle: oidc.SessionIdle, Expired: oidc.SessionExpired,
}

// Error implements error.
func (a Absence) Error() string { return string(a) }

// Reason is the stable code of the absence.
func (a Absence) Reason() oidc.Reason { return reasons[a] }

// OrNone turns an Absence into a nil session without an error, for callers that do not care why.
func OrNone(s *Session, err error) (*Session, error) {
	if _, absent := errors.AsType[Absence](err); absent {
		return nil, nil
	}
	return s, err
}
