package session_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/session"
)

// attributes are what a Set-Cookie header says besides the value.
type attributes struct {
	Name             string
	Path, Domain     string
	SameSite         http.SameSite
	Secure, HttpOnly bool
	MaxAge           int
}

func setCookies(t *testing.T, w *httptest.ResponseRecorder) []attributes {
	t.Helper()
	var list []attributes
	for _, line := range w.Header()["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatalf("RFC 6265 §4.1.1: %q: %v", line, err)
		}
		list = append(list, attributes{c.Name, c.Path, c.Domain, c.SameSite, c.Secure, c.HttpOnly, c.MaxAge})
	}
	return list
}

// cookieRows are the cookies that one provider sets. HASH stands for the eight hexadecimal digits of its issuer.
var cookieRows = []struct {
	name, issuer string
	want         []attributes
}{
	{"RFC 6265bis §4.1.2.7 over http two cookies of each: None with Secure, Lax without", httpIssuer, []attributes{
		{Name: "hush-HASH", Path: "/", SameSite: http.SameSiteNoneMode, Secure: true, HttpOnly: true},
		{Name: "hush-HASH-lax", Path: "/", SameSite: http.SameSiteLaxMode, HttpOnly: true},
		{Name: "hush-HASH-state", Path: "/", SameSite: http.SameSiteNoneMode, Secure: true},
		{Name: "hush-HASH-state-lax", Path: "/", SameSite: http.SameSiteLaxMode},
	}},
	{"RFC 6265bis §4.1.3.2 over https one __Host- cookie of each: Secure, Path=/, no Domain", httpsIssuer, []attributes{
		{Name: "__Host-hush-HASH", Path: "/", SameSite: http.SameSiteNoneMode, Secure: true, HttpOnly: true},
		{Name: "__Host-hush-HASH-state", Path: "/", SameSite: http.SameSiteNoneMode, Secure: true},
	}},
	{"RFC 6265 §5.1.4 the cookies of an issuer with a path have that Path", httpIssuer + "/realms/demo", []attributes{
		{Name: "hush-HASH", Path: "/realms/demo", SameSite: http.SameSiteNoneMode, Secure: true, HttpOnly: true},
		{Name: "hush-HASH-lax", Path: "/realms/demo", SameSite: http.SameSiteLaxMode, HttpOnly: true},
		{Name: "hush-HASH-state", Path: "/realms/demo", SameSite: http.SameSiteNoneMode, Secure: true},
		{Name: "hush-HASH-state-lax", Path: "/realms/demo", SameSite: http.SameSiteLaxMode},
	}},
	{"RFC 6265bis §4.1.3.1 over https a cookie with another Path than / is a __Secure- one", httpsIssuer + "/auth",
		[]attributes{
			{Name: "__Secure-hush-HASH", Path: "/auth", SameSite: http.SameSiteNoneMode, Secure: true, HttpOnly: true},
			{Name: "__Secure-hush-HASH-state", Path: "/auth", SameSite: http.SameSiteNoneMode, Secure: true},
		}},
}

var eightHex = regexp.MustCompile(`[0-9a-f]{8}`)

func TestTheCookiesOfASignIn(t *testing.T) {
	for _, row := range cookieRows {
		t.Run(row.name, func(t *testing.T) {
			h := newFixture(t)
			h.Cookies = cookies(t, row.issuer, newKey)
			w := httptest.NewRecorder()
			if _, err := h.SignIn(w, (&browser{}).request(t), session.Account{Sub: "alice"}); err != nil {
				t.Fatal(err)
			}
			checkCookies(t, w, row.want, int(absolute.Seconds()))
		})
	}
}

func TestTheCookiesOfASignOut(t *testing.T) {
	for _, row := range cookieRows {
		t.Run(row.name, func(t *testing.T) {
			h := newFixture(t)
			h.Cookies = cookies(t, row.issuer, newKey)
			b, w := h.signedIn(t, "alice"), httptest.NewRecorder()
			if _, err := h.SignOut(w, b.request(t)); err != nil {
				t.Fatal(err)
			}
			checkCookies(t, w, row.want, -1)
			if b.keep(w); len(b.cookies) > 0 {
				t.Errorf("after the sign-out the browser still has %v", b.cookies)
			}
		})
	}
}

func checkCookies(t *testing.T, w *httptest.ResponseRecorder, want []attributes, maxAge int) {
	t.Helper()
	got := setCookies(t, w)
	for i := range got {
		if got[i].MaxAge != maxAge {
			t.Errorf("RFC 6265 §5.2.2: Max-Age of %s = %d; want %d", got[i].Name, got[i].MaxAge, maxAge)
		}
		got[i].MaxAge, got[i].Name = 0, eightHex.ReplaceAllString(got[i].Name, "HASH")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Set-Cookie (-want +got):\n%s", diff)
	}
}

// RFC 6265 §8.5: "Cookies do not provide isolation by port."
func TestProvidersOnOneHostDoNotShareCookieNames(t *testing.T) {
	a, b := cookies(t, "http://localhost:8080", newKey).Names(), cookies(t, "http://localhost:8081", newKey).Names()
	for i := range a {
		if a[i] == b[i] {
			t.Errorf("two ports have the cookie %s in common", a[i])
		}
	}
}

func TestEitherCookieAloneSuffices(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	if len(b.cookies) != 4 {
		t.Fatalf("the browser has %d cookies; want the pair, and that of the browser state", len(b.cookies))
	}
	for _, name := range h.Cookies.Names() {
		if got := h.subs(t, b.only(name)); got != "alice" {
			t.Errorf("with the cookie %s alone the session is of %q; want alice", name, got)
		}
	}
}

func TestABrokenCookieDoesNotHideTheGoodOne(t *testing.T) {
	h := newFixture(t)
	for _, broken := range h.Cookies.Names() {
		b := h.signedIn(t, "alice")
		b.cookies[broken] = "broken"
		if got := h.subs(t, b); got != "alice" {
			t.Errorf("with %s broken the session is of %q; want alice", broken, got)
		}
	}
}

func TestAChangedCookieIsRefused(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice")
	name := h.Cookies.Names()[0]
	raw, err := base64.URLEncoding.DecodeString(b.cookies[name])
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		_, err := h.current(t, b.with(name, base64.URLEncoding.EncodeToString(raw)))
		if err != session.CookieUnreadable {
			t.Fatalf("with byte %d of %d changed: %v; want CookieUnreadable", i, len(raw), err)
		}
		raw[i] ^= 1
	}
	if got := h.subs(t, b.with(name, base64.URLEncoding.EncodeToString(raw))); got != "alice" {
		t.Errorf("unchanged it opens the session of %q; want alice", got)
	}
}

// TestCookiesThatWereMadeElsewhere has one good session, whose cookie value is signed in different ways.
func TestCookiesThatWereMadeElsewhere(t *testing.T) {
	h := newFixture(t)
	id, secret := h.value(t, h.signedIn(t, "alice"))
	name, value, now := h.Cookies.Names()[0], id+"."+secret, time.Now()
	for _, row := range []struct {
		name   string
		cookie string
		want   error
	}{
		{"signed with the provider's key", sign(newKey, name, value, now), nil},
		{
			"signed with the provider's key, almost as long ago as a session may last",
			sign(newKey, name, value, now.Add(time.Minute-absolute)), nil,
		},
		{
			"signed longer ago than a session may last", sign(newKey, name, value, now.Add(-absolute-time.Minute)),
			session.CookieUnreadable,
		},
		{"signed with another key", sign(oldKey, name, value, now), session.CookieUnreadable},
		{
			"signed for another issuer with the same key",
			sign(newKey, cookies(t, "http://localhost:8081", newKey).Names()[0], value, now), session.CookieUnreadable,
		},
		{"signed as an interaction with the same key", sign(newKey, "interaction", value, now), session.CookieUnreadable},
		{"not signed", value, session.CookieUnreadable},
		{"empty", "", session.CookieUnreadable},
		{"very long", strings.Repeat("A", 32<<10), session.CookieUnreadable},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := h.current(t, new(browser).with(name, row.cookie)); err != row.want {
				t.Errorf("Current = %v; want %v", err, row.want)
			}
		})
	}
}

// sign makes a cookie by the format of securecookie, as of a given time: base64(date|base64(value)|mac), the mac over
// name|date|value.
func sign(key []byte, name, value string, at time.Time) string {
	payload := fmt.Sprintf("%d|%s", at.Unix(), base64.URLEncoding.EncodeToString([]byte(value)))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(name + "|" + payload))
	return base64.URLEncoding.EncodeToString(append([]byte(payload+"|"), mac.Sum(nil)...))
}

func TestKeysRotate(t *testing.T) {
	h := newFixture(t)
	h.Cookies = cookies(t, httpIssuer, oldKey)
	b := h.signedIn(t, "alice")
	h.Cookies = cookies(t, httpIssuer, newKey, oldKey)
	if got := h.subs(t, b); got != "alice" {
		t.Errorf("a cookie signed with the second key opens the session of %q; want alice", got)
	}
	h.signIn(t, b, "alice")
	h.Cookies = cookies(t, httpIssuer, newKey)
	if got := h.subs(t, b); got != "alice" {
		t.Errorf(
			"after the old key is retired a new cookie opens the session of %q; want alice, for the first key signs", got,
		)
	}
}

func TestTheCookieHoldsAnIDOnly(t *testing.T) {
	h := newFixture(t)
	b := h.signedIn(t, "alice-in-wonderland")
	s, err := h.current(t, b)
	if err != nil {
		t.Fatal(err)
	}
	id, secret := h.value(t, b)
	if id != s.ID {
		t.Errorf("the cookie names %s; want the session's id %s", id, s.ID)
	}
	if len(secret) < 26 { // 128 bits in base32
		t.Errorf("the secret has %d characters; 128 bits need 26", len(secret))
	}
	raw, err := base64.URLEncoding.DecodeString(b.cookies[h.Cookies.Names()[0]])
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw)+id+secret, "alice") {
		t.Errorf("the cookie tells who is signed in: %q", raw)
	}
}
