package session_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// theCookie stands in a fuzzed header for the cookie of a session.
const theCookie = "THECOOKIE"

// FuzzCookie: no Cookie header opens a session but one that carries the session's own cookie, and what opens none is
// told apart by an Absence.
func FuzzCookie(f *testing.F) {
	h := newQuietFixture(f)
	names := h.Cookies.Names()
	good := h.signedIn(f, "alice").cookies[names[0]]
	for _, name := range append(names, "else") {
		for _, value := range []string{
			theCookie, `"` + theCookie + `"`, theCookie + "=", "", "=", "AAAA", strings.Repeat("A", 1<<10),
			sign(newKey, name, "a.b", time.Now()),
		} {
			f.Add(name + "=" + value)
			f.Add(name + "=x; " + names[0] + "=" + value + "; " + names[1] + "=y")
		}
	}
	genuine := decoded(good)
	f.Fuzz(func(t *testing.T, header string) {
		r := new(browser).request(t)
		r.Header.Set("Cookie", strings.ReplaceAll(header, theCookie, good))
		s, err := h.Current(r)
		switch absence, absent := errors.AsType[session.Absence](err); {
		case err != nil && (!absent || absence.Reason() == ""):
			t.Errorf("%q: %v; want an Absence", header, err)
		case err == nil && (s == nil || !carries(r, genuine)):
			t.Errorf("%q opens %+v", header, s)
		}
	})
}

// newQuietFixture has a store that records no operations.
func newQuietFixture(f *testing.F) *fixture {
	f.Helper()
	h := newFixture(f)
	h.Sessions = storage.NewBucket[session.Session]("session", storage.NewMemory(h.clock.Now))
	return h
}

func decoded(value string) []byte {
	raw, _ := base64.URLEncoding.DecodeString(value) // none for what is none
	return raw
}

// carries tells whether one of the cookies is the genuine one: base64 can write the same bytes in more than one way.
func carries(r *http.Request, genuine []byte) bool {
	for _, cookie := range r.Cookies() {
		if bytes.Equal(decoded(cookie.Value), genuine) {
			return true
		}
	}
	return false
}

// FuzzCookieValue: with the provider's own signature under it, too, no value opens a session but its id and secret.
func FuzzCookieValue(f *testing.F) {
	h := newQuietFixture(f)
	id, secret := h.value(f, h.signedIn(f, "alice"))
	for _, value := range []string{
		"ID.SECRET", "ID.", "ID", ".SECRET", "", ".", "ID.SECRET.", "ID.SECRET\x00", "id.secret", "SECRET.ID", "\xff.\xff",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		value = strings.NewReplacer("ID", id, "SECRET", secret).Replace(value)
		name := h.Cookies.Names()[0]
		_, err := h.current(t, new(browser).with(name, sign(newKey, name, value, time.Now())))
		if _, absent := errors.AsType[session.Absence](err); (err == nil) != (value == id+"."+secret) ||
			err != nil && !absent {
			t.Errorf("%q: %v", value, err)
		}
	})
}

// FuzzStoredSession: whatever the store answers, the manager opens no session whose secret the cookie does not have,
// and fails by an error at the worst. A record that can be read is written as it was read.
func FuzzStoredSession(f *testing.F) {
	h := newFixture(f)
	b := h.signedIn(f, "alice", "bob")
	s, err := h.Current(b.request(f))
	if err != nil {
		f.Fatal(err)
	}
	ended := session.Session{ID: s.ID, SecretHash: s.SecretHash, StartedAt: s.StartedAt, EndedAt: s.LastSeen}
	for _, record := range []any{s, ended, session.Session{}, nil, "", []int{}} {
		text, err := json.Marshal(record)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	packed, err := s.MarshalMsg(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add(packed[:len(packed)-1])
	f.Add([]byte("\x81\xa8accounts\xdd\x01\x00\x00\x00"))
	f.Add([]byte(`{"accounts":[null],"started_at":"9999-12-31T23:59:59Z"}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		m := *h.Manager
		m.Sessions = storage.NewBucket[session.Session]("session", storagetest.Holding(record))
		m.Index = storage.NewBucket[[]session.Entry]("session-index", storage.NewMemory(m.Now))
		got, err := m.Current(b.request(t))
		if err == nil && !bytes.Equal(got.SecretHash, s.SecretHash) {
			t.Errorf("%s opens for a cookie without its secret", record)
		}
		signedIn, err := m.SignIn(httptest.NewRecorder(), b.request(t), session.Account{Sub: "carol"})
		if _, ok := signedIn.Account("carol"); ok != (err == nil) {
			t.Errorf("%s: SignIn = %+v, %v", record, signedIn, err)
		}
		_ = m.Select(b.request(t), "alice") // whether it can is not the question, only that it ends
		_, _ = m.SignOutSID(t.Context(), s.ID+".x")
		_, _ = m.SignOut(httptest.NewRecorder(), b.request(t))
		checkRewritten(t, record)
	})
}

func checkRewritten(t *testing.T, record []byte) {
	t.Helper()
	var first, second session.Session
	if json.Unmarshal(record, &first) != nil {
		return
	}
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatalf("%s can be read but not written: %v", record, err)
	}
	if err := json.Unmarshal(text, &second); err != nil {
		t.Fatalf("%s cannot be read again: %v", text, err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("%s is read again as something else:\n%s", record, diff)
	}
}

// FuzzStoredIndex: whatever the store answers for a user's list, only sessions of that user are found in it, and one
// who signs in is listed or not signed in.
func FuzzStoredIndex(f *testing.F) {
	h := newQuietFixture(f)
	b := h.signedIn(f, "alice")
	id, _ := h.value(f, b)
	h.signedIn(f, "bob")
	f.Add([]byte(`[{"id":"` + id + `","until":"9999-12-31T23:59:59Z"}]`))
	for _, record := range []string{
		"[]", "null", "", "[null]", "{}", `["` + id + `"]`, `[{"id":""},{"id":"x","until":"0001-01-01T00:00:00Z"}]`,
		`[{"until":7}]`,
	} {
		f.Add([]byte(record))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		m := *h.Manager
		m.Sessions = storage.NewBucket[session.Session]("session", copied(t, h, id))
		m.Index = storage.NewBucket[[]session.Entry]("session-index", storagetest.Holding(record))
		list, err := m.Of(t.Context(), "alice")
		for _, s := range list {
			if _, ok := s.Account("alice"); !ok || err != nil {
				t.Errorf("%s: Of(alice) = %+v, %v", record, list, err)
			}
		}
		if _, err := m.SignIn(
			httptest.NewRecorder(), b.request(t), session.Account{Sub: "carol"},
		); len(record) > 0 && (err == nil) != (json.Unmarshal(record, new([]session.Entry)) == nil) {
			t.Errorf("%s: SignIn: %v", record, err)
		}
		if _, err := m.End(t.Context(), id); err != nil {
			t.Errorf("%s: End: %v", record, err)
		}
	})
}

// copied is a store with the one session in it.
func copied(t *testing.T, h *fixture, id string) storage.Store {
	t.Helper()
	store := storage.NewMemory(h.clock.Now)
	s, err := h.Sessions.Get(t.Context(), id)
	if err == nil {
		err = storage.NewBucket[session.Session]("session", store).Put(t.Context(), id, s, time.Hour)
	}
	if err != nil {
		t.Fatal(err)
	}
	return store
}
