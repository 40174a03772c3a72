package session_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/session"
)

// shown is the browser state that the browser has; "" for none.
func (b *browser) shown(h *fixture) string { return b.cookies[h.Cookies.StateNames()[0]] }

func TestTheBrowserStateChangesWithTheUsersWhoAreSignedIn(t *testing.T) { // Session Management §3.2
	h := newFixture(t)
	b := &browser{}
	seen := map[string]string{"": "before anybody signed in"}
	check := func(when string) {
		t.Helper()
		if before, ok := seen[b.shown(h)]; ok {
			t.Errorf("%s the state is the same as %s", when, before)
		}
		seen[b.shown(h)] = when
	}
	h.signIn(t, b, "alice")
	check("after alice signed in")
	first := b.shown(h)
	h.signIn(t, b, "bob")
	check("after bob signed in too")
	s, err := h.current(t, b)
	if err != nil || s.BrowserState() != b.shown(h) {
		t.Errorf("the session's state is %q, the cookie's %q, %v", s.BrowserState(), b.shown(h), err)
	}
	if secrets := s.ID + " " + s.Accounts[0].SID; strings.Contains(secrets, b.shown(h)) ||
		!regexp.MustCompile(`^[\w-]{22}$`).MatchString(first) {
		t.Errorf("the state %s is no short hash", first)
	}
	w := httptest.NewRecorder()
	if _, err := h.SignOut(w, b.request(t)); err != nil {
		t.Fatal(err)
	}
	if b.keep(w); b.shown(h) != "" {
		t.Errorf("after the sign-out the state is %s; want none", b.shown(h))
	}
}

func TestTheBrowserIsShownWhatChangedElsewhere(t *testing.T) { // Session Management §3.2
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	s, err := h.current(t, b)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if h.SetBrowserState(w, b.request(t), s); len(w.Header()["Set-Cookie"]) > 0 {
		t.Errorf("nothing changed, and yet the answer sets %v", w.Header()["Set-Cookie"])
	}
	h.clock.Pass(time.Hour)
	other := *s
	other.Accounts = append(other.Accounts, session.Account{Sub: "bob", SID: s.ID + ".bob"})
	w = httptest.NewRecorder()
	h.SetBrowserState(w, b.request(t), &other)
	for _, c := range setCookies(t, w) {
		if c.MaxAge != int((absolute-time.Hour).Seconds()) || c.HttpOnly {
			t.Errorf("%+v: want the age that the session can still reach, and a script to read it", c)
		}
	}
	b.keep(w)
	w = httptest.NewRecorder()
	h.SetBrowserState(w, b.request(t), nil)
	if b.keep(w); b.shown(h) != "" {
		t.Errorf("when the session is gone the browser still has the state %s", b.shown(h))
	}
	w = httptest.NewRecorder()
	h.SetBrowserState(w, httptest.NewRequest(http.MethodGet, "/authorize", nil), nil)
	if len(w.Header()["Set-Cookie"]) > 0 {
		t.Error("a browser without anything is given a cookie")
	}
}

// Session Management §2: what clients compare by it, they cannot compare among each other
func TestTheBrowserStateTellsNothingOfTheUser(t *testing.T) {
	h := newFixture(t)
	one, two := h.signedIn(t, "alice"), h.signedIn(t, "alice")
	if one.shown(h) == two.shown(h) {
		t.Error("two browsers of one user have the same state")
	}
	if a, b := session.SessionState("spa", "https://app.test/", one.shown(h), "salt"), session.SessionState(
		"other", "https://app.test/", one.shown(h), "salt",
	); a == b {
		t.Error("two clients of one origin have the same session_state")
	}
}

func TestSessionState(t *testing.T) {
	good := session.SessionState("spa", "https://app.test/cb", "state", "salt")
	for name, other := range map[string]string{
		"Session Management §2 session_state depends on the client ID": session.SessionState(
			"web", "https://app.test/cb", "state", "salt",
		),
		"Session Management §2 session_state depends on the origin": session.SessionState(
			"spa", "https://app.test:444/cb", "state", "salt",
		),
		"Session Management §2 session_state depends on the browser state": session.SessionState(
			"spa", "https://app.test/cb", "other", "salt",
		),
		"Session Management §2 session_state is salted": session.SessionState(
			"spa", "https://app.test/cb", "state", "pepper",
		),
	} {
		if other == good {
			t.Error(name)
		}
	}
	if got := session.SessionState("spa", "https://app.test/elsewhere?x", "state", "salt"); got != good {
		t.Errorf("Session Management §2 session_state is of the origin and no path: %s, %s", got, good)
	}
	if strings.Contains(good, " ") {
		t.Errorf("Session Management §2 session_state MUST NOT contain the space character: %q", good)
	}
}
