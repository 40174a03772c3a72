package session_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hush-idp/hush/idp/session"
)

// recordClient records the client for the first account of the current session of the browser.
func (h *fixture) recordClient(t *testing.T, b *browser, clientID string) {
	t.Helper()
	s, err := h.current(t, b)
	if err == nil {
		err = h.RecordClient(t.Context(), s, s.Accounts[0], clientID)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestEndReturnsTheClientsOfTheSession(t *testing.T) { // Back-Channel Logout §2.3
	h := newFixture(t)
	h.Issuer = httpIssuer
	b := h.signedIn(t, "alice")
	h.recordClient(t, b, "one")
	h.recordClient(t, b, "two")
	h.store.Reset()
	h.recordClient(t, b, "one")
	if got := h.store.Operations(); !slices.Equal(got, []string{"Get"}) {
		t.Errorf("a client that is known costs %v; want nothing but the look at the session", got)
	}
	h.signIn(t, b, "alice")
	s, err := h.current(t, b)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := h.End(t.Context(), s.ID)
	if err != nil || len(gone) != 1 || gone[0].Issuer != httpIssuer || gone[0].SID != s.Accounts[0].SID || !slices.Equal(
		gone[0].Clients, []string{"one", "two"},
	) {
		t.Errorf("End = %+v, %v; want alice with both clients, whom a second sign-in does not make forget", gone, err)
	}
	if gone, err := h.End(t.Context(), s.ID); err != nil || len(gone) > 0 {
		t.Errorf("End once more = %v, %v; want nobody", gone, err)
	}
}

func TestTheClientsOfAnAccountAreBounded(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	for i := range 120 {
		h.recordClient(t, b, fmt.Sprint("client ", i))
	}
	s, err := h.current(t, b)
	if clients := s.Accounts[0].Clients; err != nil || len(clients) != 100 || clients[99] != "client 119" {
		t.Errorf("%d clients are written down, %v; want the last 100", len(clients), err)
	}
}

func TestRecordClientAfterSignOutChangesNothing(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	s, err := h.current(t, b)
	if err == nil {
		_, err = h.End(t.Context(), s.ID)
	}
	if err == nil {
		err = h.RecordClient(t.Context(), s, s.Accounts[0], "one")
	}
	if err == nil {
		err = h.RecordClient(t.Context(), &session.Session{ID: "nobody's"}, s.Accounts[0], "one")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.current(t, b); err != session.SignedOut {
		t.Errorf("after RecordClient the session is %v; want signed out", err)
	}
}
