package session_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage/storagetest"
)

// listed are the states of the sessions of sub, in their order, separated by spaces.
func (h *fixture) listed(t *testing.T, sub string) string {
	t.Helper()
	list, err := h.Of(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, s := range list {
		states = append(states, h.State(s))
	}
	return strings.Join(states, " ")
}

func TestTheSessionsOfAUserAreListedTheNewestFirst(t *testing.T) {
	h := newFixture(t)
	if got := h.listed(t, "alice"); got != "" {
		t.Errorf("before anybody signed in alice has %s", got)
	}
	var want []string
	for range 3 {
		h.clock.Pass(time.Minute)
		want = append([]string{h.signIn(t, &browser{}, "alice").ID}, want...)
	}
	h.signedIn(t, "bob")
	list, err := h.Of(t.Context(), "alice")
	var got []string
	for _, s := range list {
		got = append(got, s.ID)
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestASessionIsListedForEachOfItsAccounts(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice", "bob", "alice")
	for _, sub := range []string{"alice", "bob"} {
		if got := h.listed(t, sub); got != "signed_in" {
			t.Errorf("%s has %q; want the one session", sub, got)
		}
	}
	h.signOutSID(t, h.sid(t, b, "alice"))
	if alice, bob := h.listed(t, "alice"), h.listed(t, "bob"); alice != "" || bob != "signed_in" {
		t.Errorf("after alice signed out of it she has %q, and bob has %q", alice, bob)
	}
}

func TestWhatBecomesOfAListedSession(t *testing.T) {
	h := newFixture(t)
	h.signedIn(t, "alice")
	b := h.signedIn(t, "alice")
	h.signOut(t, b)
	for _, row := range []struct {
		pass time.Duration
		want string
	}{
		{0, "signed_in signed_out"}, {time.Hour - 1, "signed_in signed_out"}, {1, "signed_in"}, {idle - time.Hour, "idle"},
		{time.Hour - 1, "idle"}, {1, ""},
	} {
		h.clock.Pass(row.pass)
		if got := h.listed(t, "alice"); got != row.want {
			t.Errorf("%v later alice has %q; want %q", row.pass, got, row.want)
		}
	}
}

// What lasts comes first, however long ago it began.
func TestASessionInUseIsListedUntilAnHourAfterItsEnd(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	for range int(absolute/time.Hour) - 1 {
		h.clock.Pass(time.Hour)
		h.subs(t, b)
	}
	h.signOut(t, h.signedIn(t, "alice"))
	for _, row := range []struct {
		pass time.Duration
		want string
	}{
		{0, "signed_in signed_out"}, {time.Hour - 1, "signed_in signed_out"}, {1, "expired"}, {time.Hour - 1, "expired"},
		{1, ""},
	} {
		h.clock.Pass(row.pass)
		if got := h.listed(t, "alice"); got != row.want {
			t.Errorf("%v later alice has %q; want %q", row.pass, got, row.want)
		}
	}
}

func TestSessionsThatAreOverDoNotCrowdOutOneInUse(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	for range 110 {
		h.clock.Pass(5 * time.Minute)
		h.subs(t, b)
		h.signedIn(t, "alice")
	}
	first, _ := h.value(t, b)
	list, err := h.Of(t.Context(), "alice")
	if err != nil || !slices.ContainsFunc(list, func(s session.Session) bool { return s.ID == first }) {
		t.Errorf("of %d sessions, %v, none is the one in use", len(list), err)
	}
}

// The failure lab's clock goes forth, and back.
func TestAClockThatGoesBackFindsSessionsListed(t *testing.T) {
	h := newFixture(t)
	h.signedIn(t, "alice")
	h.clock.Pass(24 * time.Hour)
	h.signOut(t, h.signedIn(t, "alice"))
	if got := h.listed(t, "alice"); got != "signed_out" {
		t.Errorf("a day later alice has %q; want signed_out", got)
	}
	h.clock.Pass(-24 * time.Hour)
	if got := h.listed(t, "alice"); !strings.HasPrefix(got, "signed_in") {
		t.Errorf("a day earlier alice has %q; want signed_in first", got)
	}
}

func TestAUserWhoSignsInAgainDuringASignOutIsListed(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice", "bob")
	sid := h.sid(t, b, "alice")
	h.store.BeforeWrite(func() { // the session's
		h.store.BeforeWrite(func() { h.signIn(t, b, "alice") }) // the list's
	})
	h.signOutSID(t, sid)
	for range 2 {
		h.clock.Pass(time.Hour)
		h.subs(t, b)
	}
	if got := h.listed(t, "alice"); got != "signed_in" {
		t.Errorf("two hours later alice has %q; want signed_in", got)
	}
}

func TestTheListIsBoundedAndWhatEndedGoesFirst(t *testing.T) {
	h := newFixture(t)
	first := h.signedIn(t, "alice")
	for range 150 {
		h.signOut(t, h.signedIn(t, "alice"))
	}
	if got := h.listed(t, "alice"); strings.Count(got, " ") > 99 || !strings.HasPrefix(got, "signed_in signed_out") {
		t.Errorf("at most a hundred are listed, and first what lasts: got %q", got)
	}
	for range 150 {
		h.signedIn(t, "alice")
	}
	if got := h.listed(t, "alice"); strings.Count(got, "signed_in") != 100 || strings.Contains(got, "signed_out") {
		t.Errorf("of more than a hundred that last a hundred are listed: got %q", got)
	}
	if got := h.subs(t, first); got != "alice" {
		t.Errorf("one that is listed no more is of %q; want alice, it goes on", got)
	}
}

// A session that lasts and is in no list could not be found and ended.
func TestNoSessionIsUnlisted(t *testing.T) {
	h := newFixture(t)
	var unlisted error
	h.store.BeforeWrite(func() { // the list's
		h.store.BeforeWrite(func() { // the session's
			if entries, err := h.Index.Get(t.Context(), "alice"); err != nil || len(entries) != 1 {
				unlisted = errors.Join(err, errors.New("the session comes before its entry in the list"))
			}
		})
	})
	h.signedIn(t, "alice")
	if h.store.BeforeWrite(nil) || unlisted != nil {
		t.Error(unlisted)
	}
	h.store.Gone(true)
	if _, err := h.SignIn(
		httptest.NewRecorder(), new(browser).request(t), session.Account{Sub: "alice"},
	); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("SignIn = %v; want the engine's error", err)
	}
	if _, err := h.Of(t.Context(), "alice"); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("Of = %v; want the engine's error", err)
	}
}

func TestWhatTheListCostsASignInAndASignOut(t *testing.T) {
	h := newFixture(t)
	b := &browser{}
	for _, row := range []struct {
		name string
		do   func()
		want []string
	}{
		{"the first sign-in", func() { h.signIn(t, b, "alice") }, []string{"Update", "Update"}},
		{"another one", func() { h.signIn(t, b, "bob") }, []string{"Get", "Update", "Update"}},
		{"the sign-out of both", func() { h.signOut(t, b) }, []string{"Get", "Update", "Update", "Update", "Get"}},
		{"a second sign-out", func() { h.signOut(t, b) }, []string{"Get"}},
	} {
		h.store.Reset()
		row.do()
		if diff := cmp.Diff(row.want, h.store.Operations()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// Samples are what browsers of 2026 send, shortened.
func TestASessionKnowsWhatItsBrowserIsCalled(t *testing.T) {
	h := newFixture(t)
	for userAgent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Fir" +
			"efox/140.0": "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36" +
			" (KHTML, like Gecko) Chrome/140.0 Safari/537.36": "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, lik" +
			"e Gecko) Chrome/140.0 Safari/537.36 Edg/140.0": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/" +
			"605.1.15 (KHTML, like Gecko) Version/19 Safari/605.1": "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Apple" +
			"WebKit/605.1.15 CriOS/140.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, l" +
			"ike Gecko) Chrome/140.0 Mobile Safari/537.36": "Chrome on Android",
		"curl/8.14.1": "curl/8.14.1",
		"Firefox/1":   "Firefox",
		"\x1b[31mred\u202e " + strings.Repeat("x", 99):    "[31mred",
		strings.Repeat("é", 50) + strings.Repeat("x", 50): strings.Repeat("x", 40),
		"": "",
	} {
		r := new(browser).request(t)
		r.Header.Set("User-Agent", userAgent)
		s, err := h.SignIn(httptest.NewRecorder(), r, session.Account{Sub: "alice"})
		if err != nil || s.Browser != want {
			t.Errorf("%q is called %q, %v; want %q", userAgent, s.Browser, err, want)
		}
	}
}
