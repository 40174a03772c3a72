package session_test

import (
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/hush-idp/hush/idp/session"
)

func TestACookieHistoryKnowsTheBrowserThatHasOnlyTheLaxCookie(t *testing.T) {
	for _, row := range []struct {
		name          string
		keeps         func(name string) bool // which of the two cookies the browser has
		storageAccess string
		want          error
	}{
		{"both cookies, and third-party cookies are blocked", func(string) bool { return true }, "none", session.Withheld},
		{"the Lax cookie only, as WebKit over http", isLax, "none", session.LaxOnly},
		{"the Lax cookie only, and third-party cookies are allowed", isLax, "active", session.LaxOnly},
		{"no cookie", func(string) bool { return false }, "none", session.Withheld},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newFixture(t)
			history := session.NewCookieHistory(h.Manager)
			b := h.signedIn(t, "alice")
			for name := range b.cookies {
				if !row.keeps(name) {
					delete(b.cookies, name)
				}
			}
			_, _ = history.Current(b.request(t)) // a request outside of an iframe
			if _, err := history.Current((&browser{inFrame: row.storageAccess}).request(t)); err != row.want {
				t.Errorf("in the iframe: %v; want %v", err, row.want)
			}
		})
	}
}

func TestACookieHistoryForgetsABrowserThatSignedOut(t *testing.T) {
	h := newFixture(t)
	history := session.NewCookieHistory(h.Manager)
	b := h.signedIn(t, "alice")
	for name := range b.cookies {
		if !isLax(name) {
			delete(b.cookies, name)
		}
	}
	_, _ = history.Current(b.request(t))
	if _, err := history.SignOut(httptest.NewRecorder(), b.request(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := history.Current((&browser{inFrame: "none"}).request(t)); err != session.Withheld {
		t.Errorf("in the iframe of who signed out: %v; want Withheld, which leaves open whether anybody is signed in", err)
	}
}

func isLax(name string) bool { return len(name) > 4 && name[len(name)-4:] == "-lax" }

func TestACookieHistoryTellsBrowsersApart(t *testing.T) {
	h := newFixture(t)
	history := session.NewCookieHistory(h.Manager)
	b := h.signedIn(t, "alice")
	for name := range b.cookies {
		if !isLax(name) {
			delete(b.cookies, name)
		}
	}
	webkit := b.request(t)
	webkit.Header.Set("User-Agent", "WebKit")
	_, _ = history.Current(webkit)
	other := (&browser{inFrame: "none"}).request(t)
	other.Header.Set("User-Agent", "Chromium")
	if _, err := history.Current(other); err != session.Withheld {
		t.Errorf("another browser: %v; want Withheld", err)
	}
}

func TestACookieHistoryIsBounded(t *testing.T) {
	h := newFixture(t)
	history := session.NewCookieHistory(h.Manager)
	b := h.signedIn(t, "alice")
	for i := range 3000 {
		r := b.request(t)
		r.Header.Set("User-Agent", strconv.Itoa(i))
		if _, err := history.Current(r); err != nil {
			t.Fatal(err)
		}
	}
	if held := history.Len(); held > 1000 {
		t.Errorf("the history holds %d browsers", held)
	}
}

func TestTheMarkTellsSignedOutFromWithheld(t *testing.T) {
	h := newFixture(t)
	history := session.NewCookieHistory(h.Manager)
	b, w := &browser{}, httptest.NewRecorder()
	if _, err := history.SignIn(w, b.request(t), session.Account{Sub: "alice"}); err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	w = httptest.NewRecorder()
	if _, err := history.SignOut(w, b.request(t)); err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	b.inFrame = "none"
	if _, err := history.Current(b.request(t)); err != session.NoCookie {
		t.Errorf("where the mark arrives: %v; want NoCookie", err)
	}
	b.cookies = nil
	if _, err := history.Current(b.request(t)); err != session.Withheld {
		t.Errorf("where it does not: %v; want Withheld", err)
	}
}
