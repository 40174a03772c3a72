package session_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestASignInIsRecognised(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	s, err := h.current(t, b)
	if err != nil {
		t.Fatal(err)
	}
	account, ok := s.Account("alice")
	want := session.Account{
		Sub: "alice", AuthTime: h.clock.Now(), SelectedAt: h.clock.Now(), ACR: "1", AMR: []string{"pwd"},
	}
	if diff := cmp.Diff(want, account, cmpopts.IgnoreFields(session.Account{}, "SID")); !ok || diff != "" {
		t.Errorf("Account(alice) (-want +got):\n%s", diff)
	}
	if account.SID == "" {
		t.Error("Front-Channel Logout §3: the account has no sid")
	}
}

// absences are what can become of a browser in which alice signed in, and what Current says of it then.
var absences = []struct {
	name   string
	change func(t *testing.T, h *fixture, b *browser)
	want   error
}{
	{"a session is there", func(*testing.T, *fixture, *browser) {}, nil},
	{"no cookie came", func(_ *testing.T, _ *fixture, b *browser) { b.cookies = nil }, session.NoCookie},
	{
		"only a cookie of somebody else came", func(_ *testing.T, _ *fixture, b *browser) { *b = *b.with("theme", "dark") },
		session.NoCookie,
	},
	{"both cookies are broken", func(_ *testing.T, _ *fixture, b *browser) {
		for name := range b.cookies {
			b.cookies[name] = "broken"
		}
	}, session.CookieUnreadable},
	{"the provider was restarted with other keys", func(t *testing.T, h *fixture, _ *browser) {
		h.Cookies = cookies(t, httpIssuer, oldKey)
	}, session.CookieUnreadable},
	{"the provider was restarted with the same keys and an empty store", func(_ *testing.T, h *fixture, _ *browser) {
		h.Sessions = storage.NewBucket[session.Session]("session", storage.NewMemory(h.clock.Now))
	}, session.Unknown},
	{
		"somebody signed in since", func(t *testing.T, h *fixture, b *browser) { h.signIn(t, b.copy(), "bob") },
		session.Superseded,
	},
	{
		"it was not used for just less than the idle lifetime",
		func(_ *testing.T, h *fixture, _ *browser) { h.clock.Pass(idle - 1) }, nil,
	},
	{
		"it was not used for the idle lifetime", func(_ *testing.T, h *fixture, _ *browser) { h.clock.Pass(idle) },
		session.Idle,
	},
	{"it was used until just before its absolute lifetime", func(t *testing.T, h *fixture, b *browser) {
		h.keepUsing(t, b, absolute-1)
	}, nil},
	{"it was used for all its absolute lifetime", func(t *testing.T, h *fixture, b *browser) {
		h.keepUsing(t, b, absolute)
	}, session.Expired},
	{
		"a cross-site iframe whose cookies the browser withholds",
		func(_ *testing.T, _ *fixture, b *browser) { b.cookies, b.inFrame = nil, "none" }, session.Withheld,
	},
	{
		"a cross-site iframe whose cookies the browser would send",
		func(_ *testing.T, _ *fixture, b *browser) { b.cookies, b.inFrame = nil, "active" }, session.NoCookie,
	},
	{"it was signed out", func(t *testing.T, h *fixture, b *browser) { h.signOut(t, b.copy()) }, session.SignedOut},
}

func TestWhyThereIsNoSession(t *testing.T) {
	for _, row := range absences {
		t.Run(row.name, func(t *testing.T) {
			h := newFixture(t)
			b := h.signedIn(t, "alice")
			row.change(t, h, b)
			s, err := h.current(t, b)
			if err != row.want {
				t.Fatalf("Current = %v; want %v", err, row.want)
			}
			if (s == nil) != (row.want != nil) {
				t.Errorf("Current gave the session %+v with %v", s, err)
			}
		})
	}
}

// keepUsing lets d pass, with a request every hour.
func (h *fixture) keepUsing(t *testing.T, b *browser, d time.Duration) {
	t.Helper()
	for ; d > time.Hour; d -= time.Hour {
		h.clock.Pass(time.Hour)
		if _, err := h.current(t, b); err != nil {
			t.Fatalf("used every hour, and then: %v", err)
		}
	}
	h.clock.Pass(d)
}

func (h *fixture) signOut(t *testing.T, b *browser) {
	t.Helper()
	if _, err := h.SignOut(httptest.NewRecorder(), b.request(t)); err != nil {
		t.Fatal(err)
	}
}

func TestTheStoreKeepsTheRecordAnHourLongerThanTheSessionMayLast(t *testing.T) {
	h := newFixture(t)
	h.store.Store = storage.NewMemory(h.clock.Now) // an engine that collects its garbage at once
	b := h.signedIn(t, "alice")
	h.keepUsing(t, b, absolute/2)
	h.signIn(t, b, "bob")
	h.keepUsing(t, b, absolute/2-1)
	if got := h.subs(t, b); got != "bob alice" {
		t.Errorf("just before its end the session is of %q; want bob alice", got)
	}
	h.clock.Pass(1)
	if _, err := h.current(t, b); err != session.Expired {
		t.Errorf("at its end: %v; want Expired", err)
	}
	h.clock.Pass(time.Hour)
	if _, err := h.current(t, b); err != session.Unknown {
		t.Errorf("an hour after its end: %v; want Unknown, since the record may be collected", err)
	}
}

func TestEverySignInGivesANewCookie(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	planted := b.copy() // session fixation: somebody knows the cookie before the sign-in
	_, before := h.value(t, b)
	h.signIn(t, b, "alice")
	if _, after := h.value(t, b); after == before {
		t.Error("OWASP ASVS 7.2.4: the sign-in kept the cookie's secret")
	}
	if _, err := h.current(t, planted); err != session.Superseded {
		t.Errorf("the cookie from before the sign-in: %v; want Superseded", err)
	}
	if got := h.subs(t, b); got != "alice" {
		t.Errorf("the new cookie opens the session of %q; want alice", got)
	}
}

func TestAStolenStoreOpensNoSession(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	id, secret := h.value(t, b)
	stolen := h.store.Values()
	if !strings.Contains(stolen, "alice") {
		t.Fatal("the record that was written is not the session's")
	}
	if strings.Contains(stolen, secret) || strings.Contains(stolen, base64.StdEncoding.EncodeToString([]byte(secret))) {
		t.Fatalf("the secret lies in the store: %s", stolen)
	}
	hash := sha256.Sum256([]byte(secret))
	for _, guess := range []string{"", base64.StdEncoding.EncodeToString(hash[:])} {
		name := h.Cookies.Names()[0]
		cookie := b.with(name, sign(newKey, name, id+"."+guess, time.Now()))
		if _, err := h.current(t, cookie); err != session.Superseded {
			t.Errorf("a cookie made from the stolen record: %v; want Superseded, even with the signing key", err)
		}
	}
	if strings.Contains(h.store.Keys(), id) {
		t.Error("the store's key tells the session's id")
	}
}

func TestCurrentReadsOnceAndWritesAtATenthOfTheIdleLifetime(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	for _, row := range []struct {
		name       string
		pass       time.Duration
		operations []string
	}{
		{"at once", 0, []string{"Get"}},
		{"just before a tenth", idle/10 - 1, []string{"Get"}},
		{"at a tenth", 1, []string{"Get", "Update"}},
		{"right after that", 0, []string{"Get"}},
		{"just before another tenth", idle/10 - 1, []string{"Get"}},
		{"at another tenth", 1, []string{"Get", "Update"}},
	} {
		h.clock.Pass(row.pass)
		h.store.Reset()
		if _, err := h.current(t, b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.operations, h.store.Operations()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestARequestWithoutACookieCostsNothing(t *testing.T) {
	h := newFixture(t)
	for _, b := range []*browser{{}, new(browser).with(h.Cookies.Names()[0], "broken")} {
		h.store.Reset()
		if _, err := h.current(t, b); err == nil {
			t.Fatal("there is a session")
		}
		if done := h.store.Operations(); len(done) != 0 {
			t.Errorf("a request without a session caused %v", done)
		}
	}
}

func TestATouchDoesNotBringBackASessionThatWasSignedOut(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	h.clock.Pass(idle / 2)
	h.store.BeforeWrite(func() { h.signOut(t, b.copy()) }) // between the read and the touch
	if _, err := h.current(t, b); err != nil {
		t.Fatal(err)
	}
	if h.store.BeforeWrite(nil) {
		t.Fatal("there was no touch")
	}
	if _, err := h.current(t, b); err != session.SignedOut {
		t.Errorf("after the sign-out: %v; want SignedOut", err)
	}
}

func TestASignInDoesNotBringBackWhatWasSignedOut(t *testing.T) {
	for _, row := range []struct {
		name     string
		meantime func(t *testing.T, h *fixture, b *browser) // between the sign-in's read and its write
		want     string
	}{
		{"alice signed out",
			func(t *testing.T, h *fixture, b *browser) { h.signOutSID(t, h.sid(t, b, "alice")) }, "carol bob"},
		{"everybody signed out", func(t *testing.T, h *fixture, b *browser) { h.signOut(t, b) }, "carol"},
		{"dave signed in", func(t *testing.T, h *fixture, b *browser) { h.signIn(t, b, "dave") }, "carol dave bob alice"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newFixture(t)
			b := h.signedIn(t, "alice", "bob")
			h.store.BeforeWrite(func() { row.meantime(t, h, b.copy()) })
			h.signIn(t, b, "carol")
			if h.store.BeforeWrite(nil) {
				t.Fatal("the sign-in wrote nothing")
			}
			if got := h.subs(t, b); got != row.want {
				t.Errorf("the session is of %q; want %s", got, row.want)
			}
		})
	}
}

func TestAStoreThatFailsIsNoAbsence(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	h.store.Gone(true)
	_, err := h.current(t, b)
	if _, absent := errors.AsType[session.Absence](err); absent || !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("Current = %v; want the engine's error", err)
	}
	if _, err := session.OrNone(h.current(t, b)); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("OrNone hides %v", err)
	}
	_, signOut := h.SignOut(httptest.NewRecorder(), b.request(t))
	_, signOutSID := h.SignOutSID(t.Context(), "a.b")
	for what, err := range map[string]error{
		"SignOut": signOut, "Select": h.Select(b.request(t), "alice"), "SignOutSID": signOutSID,
	} {
		if !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("%s = %v; want the engine's error", what, err)
		}
	}
}
