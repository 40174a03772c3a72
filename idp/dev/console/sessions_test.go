package console_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
)

// signIn signs sub in and returns the session and the browser's Cookie header.
func (h *fixture) signIn(t *testing.T, sub string) (*session.Session, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := h.Sessions.SignIn(w, httptest.NewRequest(http.MethodGet, "/", nil),
		session.Account{Sub: sub, ACR: "1", AMR: []string{"pwd"}})
	must(t, err)
	var cookies []string
	for _, cookie := range w.Result().Cookies() {
		cookies = append(cookies, cookie.Name+"="+cookie.Value)
	}
	return s, strings.Join(cookies, "; ")
}

// current is what a browser with the cookies finds.
func (h *fixture) current(t *testing.T, cookies string) (*session.Session, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", cookies)
	return h.Sessions.Current(r)
}

func (h *fixture) sessions(t *testing.T) []any {
	t.Helper()
	return h.json(t, 200, "GET", "/console/sessions", "")["sessions"].([]any)
}

func TestSessions(t *testing.T) {
	h := newFixture(t)
	if got := h.sessions(t); len(got) != 0 {
		t.Errorf("before anybody signed in there are %v", got)
	}
	h.signIn(t, "alice")
	s, cookies := h.signIn(t, "bob")
	response := h.ask(t, "GET", "/console/sessions", "", "Cookie", cookies)
	text := read(t, response)
	if strings.Contains(text, s.ID) || !strings.Contains(text, `"this_browser":true`) {
		t.Errorf("the list tells the session's id, or does not know this browser: %s", text)
	}
	list := h.sessions(t)
	if len(list) != 2 {
		t.Fatalf("there are %d sessions; want 2", len(list))
	}
	newest := list[0].(map[string]any)
	account := newest["accounts"].([]any)[0].(map[string]any)
	if newest["state"] != "signed_in" || newest["this_browser"] != false || account["username"] != "bob" ||
		account["name"] != "The bob" {
		t.Errorf("the newest is %v; want bob's", newest)
	}
}

// What the console does to a session, and what its browser finds then.
func TestChangingASession(t *testing.T) {
	for body, want := range map[string]struct {
		state string
		err   error
	}{
		`{"do":"end"}`:                 {"signed_out", session.SignedOut},
		`{"do":"expire"}`:              {"expired", session.Expired},
		`{"do":"idle"}`:                {"idle", session.Idle},
		`{"do":"user","user":"bob"}`:   {"signed_in", nil},
		`{"do":"user","user":"alice"}`: {"signed_in", nil},
	} {
		t.Run(body, func(t *testing.T) {
			h := newFixture(t)
			before, cookies := h.signIn(t, "alice")
			path := "/console/sessions/" + h.sessions(t)[0].(map[string]any)["id"].(string)
			if got := h.json(t, 200, "POST", path, body)["state"]; got != want.state {
				t.Errorf("the session's state is %v; want %s", got, want.state)
			}
			after, err := h.current(t, cookies)
			if err != want.err {
				t.Fatalf("the browser finds %v; want %v", err, want.err)
			}
			if err == nil && (!strings.Contains(body, after.Accounts[0].Sub) ||
				after.Accounts[0].SID == before.Accounts[0].SID) {
				t.Errorf("the session is of %+v", after.Accounts)
			}
		})
	}
}

func TestChangesOfASessionThatCannotBe(t *testing.T) {
	h := newFixture(t)
	h.signIn(t, "alice")
	path := "/console/sessions/" + h.sessions(t)[0].(map[string]any)["id"].(string)
	for _, body := range []string{"{}", `{"do":"steal"}`, `{"do":"user"}`, `{"do":"user","user":"mallory"}`} {
		h.json(t, 400, "POST", path, body)
	}
	h.json(t, 404, "POST", "/console/sessions/unknown", `{"do":"end"}`)
	h.json(t, 200, "POST", path, `{"do":"end"}`)
	h.json(t, 400, "POST", path, `{"do":"user","user":"bob"}`) // a tombstone stays one
	if _, err := h.Sessions.Index.Get(t.Context(), "bob"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("bob's list: %v; want ErrNotFound, for nothing was his", err)
	}
}

func TestTheSessionsListedAreBounded(t *testing.T) {
	h := newFixture(t)
	for range 60 {
		h.signIn(t, "alice")
		h.signIn(t, "bob")
	}
	if got := h.sessions(t); len(got) != 100 {
		t.Errorf("%d sessions are listed; want the newest 100", len(got))
	}
}

// Who is made another's is found there, and can be ended there.
func TestASessionThatIsAnothersNowIsListedOnce(t *testing.T) {
	h := newFixture(t)
	_, cookies := h.signIn(t, "alice")
	path := "/console/sessions/" + h.sessions(t)[0].(map[string]any)["id"].(string)
	h.json(t, 200, "POST", path, `{"do":"user","user":"bob"}`)
	alices, err := h.Sessions.Index.Get(t.Context(), "alice")
	bobs, err2 := h.Sessions.Index.Get(t.Context(), "bob")
	if errors.Join(err, err2) != nil || !alices[0].Until.Before(bobs[0].Until) {
		t.Errorf("alice's list is %v, bob's %v, %v %v; want her entry to go first", alices, bobs, err, err2)
	}
	if list := h.sessions(t); len(list) != 1 ||
		list[0].(map[string]any)["accounts"].([]any)[0].(map[string]any)["username"] != "bob" {
		t.Errorf("listed are %v; want bob's", list)
	}
	h.json(t, 200, "POST", path, `{"do":"end"}`)
	if _, err := h.current(t, cookies); err != session.SignedOut {
		t.Errorf("the browser finds %v; want SignedOut", err)
	}
}
