package session_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/session"
)

// Core §3.1.2.1, prompt=select_account: "the End-User might have current sessions for" several accounts.
func TestAccountsStandSideBySide(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice", "bob", "carol")
	if got := h.subs(t, b); got != "carol bob alice" {
		t.Errorf("the session is of %q; want carol bob alice, the last used first", got)
	}
	h.signIn(t, b, "alice")
	if got := h.subs(t, b); got != "alice carol bob" {
		t.Errorf("after alice signed in again it is of %q; want alice carol bob", got)
	}
}

func TestAnotherAccountLeavesTheFirstAsItWas(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	before := h.account(t, b, "alice")
	h.clock.Pass(time.Minute)
	h.signIn(t, b, "bob")
	after := h.account(t, b, "alice")
	if !after.AuthTime.Equal(before.AuthTime) || !after.SelectedAt.Equal(before.SelectedAt) || after.SID != before.SID {
		t.Errorf("bob's sign-in changed alice's account from %+v to %+v", before, after)
	}
	if bob := h.account(t, b, "bob"); bob.SID == after.SID || !bob.AuthTime.After(after.AuthTime) {
		t.Errorf("bob's account is %+v beside alice's %+v; want a sid and an auth_time of its own", bob, after)
	}
}

func TestSigningInAgainRenewsAuthTimeAndKeepsTheSID(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	before := h.account(t, b, "alice")
	h.clock.Pass(time.Minute)
	h.signIn(t, b, "alice")
	after := h.account(t, b, "alice")
	if got := after.AuthTime.Sub(before.AuthTime); got != time.Minute {
		t.Errorf("Core §2: auth_time moved by %v; want the minute that passed", got)
	}
	if after.SID != before.SID {
		t.Errorf("Front-Channel Logout §3: the sid changed from %s to %s", before.SID, after.SID)
	}
}

func TestSigningInAgainDoesNotProlongTheAbsoluteLifetime(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	h.keepUsing(t, b, absolute-time.Hour)
	h.signIn(t, b, "bob")
	h.clock.Pass(time.Hour)
	if _, err := h.current(t, b); err != session.Expired {
		t.Errorf("Current = %v; want Expired: the session began with its first sign-in", err)
	}
}

func TestASignInAfterTheEndBeginsANewSession(t *testing.T) {
	for _, row := range absences {
		if row.want == nil {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			h := newFixture(t)
			b := h.signedIn(t, "alice")
			before, err := h.current(t, b)
			if err != nil {
				t.Fatal(err)
			}
			row.change(t, h, b)
			after := h.signIn(t, b, "carol")
			if after.ID == before.ID || !after.StartedAt.Equal(h.clock.Now()) {
				t.Errorf("carol's sign-in went on with the session that ended: %+v", after)
			}
			if got := h.subs(t, b); got != "carol" {
				t.Errorf("the new session is of %q; want carol alone", got)
			}
		})
	}
}

func TestSelectMovesTheAccountToTheFront(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice", "bob")
	authTime := h.account(t, b, "alice").AuthTime
	h.clock.Pass(time.Minute)
	if err := h.Select(b.request(t), "alice"); err != nil {
		t.Fatal(err)
	}
	if got := h.subs(t, b); got != "alice bob" {
		t.Errorf("after alice was chosen the session is of %q; want alice bob", got)
	}
	alice := h.account(t, b, "alice")
	if !alice.SelectedAt.Equal(h.clock.Now()) || !alice.AuthTime.Equal(authTime) {
		t.Errorf(
			"Core §2: choosing an account is no authentication: selected at %v, auth_time %v", alice.SelectedAt, alice.AuthTime,
		)
	}
}

func TestSelectOfAUserWithoutASession(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	if err := h.Select(b.request(t), "bob"); err != session.Unknown {
		t.Errorf("choosing bob: %v; want Unknown", err)
	}
	if err := h.Select(new(browser).request(t), "alice"); err != session.NoCookie {
		t.Errorf("choosing without a cookie: %v; want NoCookie", err)
	}
	if got := h.subs(t, b); got != "alice" {
		t.Errorf("the session is of %q now; want alice", got)
	}
}

func TestSelectDoesNotBringBackASessionThatWasSignedOut(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	h.store.BeforeWrite(func() { h.signOut(t, b.copy()) }) // between the read and the write
	if err := h.Select(b.request(t), "alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.current(t, b); err != session.SignedOut {
		t.Errorf("after the sign-out: %v; want SignedOut", err)
	}
}

func TestSignOutEndsAllAccountsEverywhere(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice", "bob")
	thief := b.copy()
	w := httptest.NewRecorder()
	if _, err := h.SignOut(w, b.request(t)); err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	if _, err := h.current(t, b); err != session.NoCookie {
		t.Errorf("the browser that signed out: %v; want NoCookie", err)
	}
	if _, err := h.current(t, thief); err != session.SignedOut {
		t.Errorf("a copy of its cookie: %v; want SignedOut", err)
	}
}

func TestSigningOutTwiceIsNoError(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	h.signOut(t, b)
	h.signOut(t, b)
	h.signOut(t, &browser{})
}

func TestAnOldCookieSignsNobodyOut(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	old := b.copy()
	h.signIn(t, b, "alice")
	h.signOut(t, old)
	if got := h.subs(t, b); got != "alice" {
		t.Errorf("a superseded cookie ended the session: it is of %q; want alice", got)
	}
}

// Back-Channel Logout §2.4: "a sid Claim […] identifies the End-User's session".
func TestSignOutSIDEndsOneAccount(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice", "bob")
	elsewhere := h.signedIn(t, "alice")
	sids := map[string]string{"alice": h.sid(t, b, "alice"), "bob": h.sid(t, b, "bob")}
	for _, step := range []struct{ name, sid, left string }{
		{"a sid that names nothing", "nothing", "bob alice"},
		{"no sid", "", "bob alice"},
		{"the id of the session without an account", beforeDot(sids["alice"]), "bob alice"},
		{"alice's sid", sids["alice"], "bob"},
		{"alice's sid again", sids["alice"], "bob"},
		{"bob's sid", sids["bob"], ""},
		{"bob's sid again", sids["bob"], ""},
	} {
		h.signOutSID(t, step.sid)
		if got := h.subs(t, b); got != step.left {
			t.Errorf("after %s the session is of %q; want %q", step.name, got, step.left)
		}
	}
	if got := h.subs(t, elsewhere); got != "alice" {
		t.Errorf("alice's session in another browser is of %q; want alice", got)
	}
	if _, err := h.current(t, b); err != session.SignedOut {
		t.Errorf("a session whose last account is gone: %v; want SignedOut", err)
	}
}

func TestANilSessionHasNoAccounts(t *testing.T) {
	var s *session.Session
	if _, ok := s.Account("alice"); ok || len(s.Subs()) > 0 {
		t.Error("a nil session has accounts")
	}
}

func (h *fixture) account(t *testing.T, b *browser, sub string) session.Account {
	t.Helper()
	s, err := h.current(t, b)
	if err != nil {
		t.Fatal(err)
	}
	account, ok := s.Account(sub)
	if !ok {
		t.Fatalf("%s is not among %v", sub, s.Subs())
	}
	return account
}

func (h *fixture) sid(t *testing.T, b *browser, sub string) string {
	t.Helper()
	return h.account(t, b, sub).SID
}

func (h *fixture) signOutSID(t *testing.T, sid string) {
	t.Helper()
	if _, err := h.SignOutSID(t.Context(), sid); err != nil {
		t.Fatal(err)
	}
}

func beforeDot(sid string) string {
	id, _, _ := strings.Cut(sid, ".")
	return id
}
