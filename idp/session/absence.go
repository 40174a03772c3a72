package session

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"slices"

	"golang.org/x/net/publicsuffix"

	"github.com/hush-idp/hush/oidc"
)

// Absence is the reason why a request has no session. It is an error, distinct from errors of the store; its text may
// be an error_description.
type Absence string

// The reasons that the provider can distinguish. A browser that has no cookie and a browser that withholds it send the
// same request; Fetch Metadata says whether withholding is possible.
const (
	NoCookie Absence = "no session cookie: nobody signed in with this browser, or the user signed out"
	Withheld Absence = "no session cookie in a cross-site iframe: either the browser blocks third-party cookies, " +
		"or nobody is signed in"
	LaxOnly Absence = "no session cookie in a cross-site iframe: this browser has the cookie with SameSite=Lax only, " +
		"and sends it to no cross-site iframe"
	Denied Absence = "no session cookie in a hidden iframe: the browser denied the iframe access to the cookies of the " +
		"provider, so it is unknown whether anybody is signed in"
	Unsupported Absence = "no session cookie in a hidden iframe: this browser gives the iframe no way to ask for access " +
		"to the cookies of the provider, so it is unknown whether anybody is signed in"
	CookieUnreadable Absence = "the session cookie cannot be read: it was changed, or made with another key " +
		"(was the provider restarted?)"
	Unknown    Absence = "the session cookie names no session: it was ended long ago, or the provider was restarted"
	SignedOut  Absence = "the session was signed out"
	Superseded Absence = "the session cookie is outdated: a later sign-in replaced it"
	Idle       Absence = "the session was not used for too long"
	// UserRemoved is the absence of a session whose users are no longer in the configuration.
	UserRemoved Absence = "the user of the session was removed from the provider, so the session was ended"
	Expired     Absence = "the session has reached its absolute lifetime"
)

var reasons = map[Absence]oidc.Reason{
	NoCookie: oidc.SessionNone, Withheld: oidc.CookieWithheldOrAbsent, LaxOnly: oidc.CookieSameSite,
	Denied: oidc.CookieAccessDenied, Unsupported: oidc.CookieAccessUnsupported,
	CookieUnreadable: oidc.SessionCookieUnreadable, Unknown: oidc.SessionUnknown, SignedOut: oidc.SessionSignedOut,
	Superseded: oidc.SessionSuperseded, Idle: oidc.SessionIdle, Expired: oidc.SessionExpired,
	UserRemoved: oidc.UserRemoved,
}

// Error implements error.
func (a Absence) Error() string { return string(a) }

// Between is the text of Error. For an application whose iframe got no cookie it adds both origins, if their hosts
// are of one site and only the schemes differ.
// https://html.spec.whatwg.org/#schemelessly-same-site
func (a Absence) Between(app, provider string) string {
	from, err := url.Parse(oidc.Origin(app))
	to, failed := url.Parse(oidc.Origin(provider))
	isInFrame := slices.Contains([]Absence{Withheld, LaxOnly, Denied, Unsupported}, a)
	if !isInFrame || cmp.Or(err, failed) != nil || from.Scheme == to.Scheme || site(from) != site(to) {
		return a.Error()
	}
	return a.Error() + "; " + from.String() + " and " + to.String() +
		" are two sites because their schemes differ: serve both by https or both by http"
}

// site is the registrable domain of the address. A single label, and an IP address, have none and stand for themselves.
func site(u *url.URL) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname())
	if err != nil || net.ParseIP(u.Hostname()) != nil {
		return u.Hostname()
	}
	return domain
}

// Reason is the stable code of the absence.
func (a Absence) Reason() oidc.Reason { return reasons[a] }

// OrNone turns an Absence into a nil session without an error.
func OrNone(s *Session, err error) (*Session, error) {
	if _, absent := errors.AsType[Absence](err); absent {
		return nil, nil
	}
	return s, err
}
