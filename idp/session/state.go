package session

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// BrowserState identifies the accounts that are signed in: it changes with each sign-in and each sign-out, and is empty
// for a nil Session. A script can read it from a cookie, so it is a hash that includes the hash of the secret. It opens
// no session, and only the provider can compute it.
func (s *Session) BrowserState() string {
	if s == nil || len(s.Accounts) == 0 {
		return ""
	}
	sids := make([]string, len(s.Accounts))
	for i, account := range s.Accounts {
		sids[i] = account.SID
	}
	slices.Sort(sids)
	var place [256]byte // on the stack: the text of one or two accounts fits
	text := append(append(place[:0], "browser state\n"...), s.ID...)
	text = append(append(text, '\n'), s.SecretHash...)
	for _, sid := range sids {
		text = append(append(text, '\n'), sid...)
	}
	sum := sha256.Sum256(text)
	return string(base64.RawURLEncoding.AppendEncode(place[:0], sum[:16]))
}

// SessionState is the session_state of an authentication response, which the page behind check_session_iframe computes
// once more. Session Management §2: it is "based on a salted cryptographic hash of Client ID, origin URL, and OP
// browser state", and "MUST NOT contain the space (" ") character". The origin is that of the redirect_uri; salt is
// random. https://openid.net/specs/openid-connect-session-1_0.html#CreatingUpdatingSessions
func SessionState(clientID, redirectURI, browserState, salt string) string {
	var place [256]byte // on the stack: usual texts fit
	text := append(append(place[:0], clientID...), ' ')
	text = append(append(text, oidc.Origin(redirectURI)...), ' ')
	text = append(append(text, browserState...), ' ')
	sum := sha256.Sum256(append(text, salt...))
	return string(append(append(base64.RawURLEncoding.AppendEncode(place[:0], sum[:]), '.'), salt...))
}

// StateNames lists the cookies that hold the browser state, the one that reaches a cross-site iframe first.
func (c Cookies) StateNames() []string { return slices.Clone(c.states) }

// stateCookies are like the session cookies, but a script may read them.
func (c Cookies) stateCookies() []*http.Cookie {
	cookies := c.cookies()
	for i, name := range c.states {
		cookies[i].Name, cookies[i].HttpOnly = name, false
	}
	return cookies
}

// SetBrowserState sets the cookie to the browser state of s, the browser's session or nil, if the cookie has another
// value. The next poll of a check_session_iframe detects the change, also if the session was ended in another browser.
// With the cookie goes the login status (FedCM).
func (m *Manager) SetBrowserState(w http.ResponseWriter, r *http.Request, s *Session) {
	state := s.BrowserState()
	if state == m.Cookies.shown(r) {
		return
	}
	age, status := -1, loggedOut
	if state != "" {
		status = loggedIn
		age = int(s.StartedAt.Add(m.Absolute).Sub(m.Now()) / time.Second)
	}
	m.Cookies.setLogin(w, status)
	for _, cookie := range m.Cookies.stateCookies() {
		cookie.Value, cookie.MaxAge = state, age
		http.SetCookie(w, cookie)
	}
}

// The values of Set-Login: whether somebody is signed in with this browser. Without it, or after loggedOut, FedCM shows
// no account. https://w3c-fedid.github.io/login-status/
const (
	loggedIn  = "logged-in"
	loggedOut = "logged-out"
)

// setLogin tells the browser the login status of the provider.
func (c Cookies) setLogin(w http.ResponseWriter, status string) { w.Header().Set("Set-Login", status) }

// shown is the browser state in the request's cookie; empty for none.
func (c Cookies) shown(r *http.Request) string {
	for _, name := range c.states {
		if cookie, err := r.Cookie(name); err == nil {
			return cookie.Value
		}
	}
	return ""
}
