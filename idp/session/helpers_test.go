package session_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const (
	httpIssuer  = "http://localhost:8080"
	httpsIssuer = "https://login.example.com"

	idle     = 2 * time.Hour
	absolute = 12 * time.Hour
)

var (
	oldKey = []byte(strings.Repeat("o", 32))
	newKey = []byte(strings.Repeat("n", 32))
)

// fixture is a session manager with a clock that the test moves and a store that it watches. The clock of the store
// stands still, like an engine that removes expired records late, so the manager decides whether a session is valid.
type fixture struct {
	*session.Manager
	clock *storagetest.Clock
	store *storagetest.Spy
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	c := storagetest.NewClock()
	start := c.Now()
	store := &storagetest.Spy{Store: storage.NewMemory(func() time.Time { return start })}
	return &fixture{clock: c, store: store, Manager: &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", store),
		Index:    storage.NewBucket[[]session.Entry]("session-index", store),
		Cookies:  cookies(t, httpIssuer, newKey), Idle: idle, Absolute: absolute, Now: c.Now, Random: rand.Text,
	}}
}

func cookies(t testing.TB, issuer string, keys ...[]byte) session.Cookies {
	t.Helper()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	return session.NewCookies(u, keys, absolute)
}

// signIn signs sub in with the browser, which keeps the cookies that it is given.
func (h *fixture) signIn(t testing.TB, b *browser, sub string) *session.Session {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := h.SignIn(w, b.request(t), session.Account{Sub: sub, ACR: "1", AMR: []string{"pwd"}})
	if err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	return s
}

// signedIn is a browser in which the subs are signed in, the last one last.
func (h *fixture) signedIn(t testing.TB, subs ...string) *browser {
	t.Helper()
	b := &browser{}
	for _, sub := range subs {
		h.signIn(t, b, sub)
	}
	return b
}

// current is who is signed in according to the cookies of b.
func (h *fixture) current(t *testing.T, b *browser) (*session.Session, error) {
	t.Helper()
	return h.Current(b.request(t))
}

// subs are the accounts of b in their order, separated by spaces; "" when there is no session.
func (h *fixture) subs(t *testing.T, b *browser) string {
	t.Helper()
	s, err := session.OrNone(h.current(t, b))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(s.Subs(), " ")
}

// value is what the cookie of b says once its signature is taken off: id and secret.
func (h *fixture) value(t testing.TB, b *browser) (id, secret string) {
	t.Helper()
	var value []byte
	name := h.Cookies.Names()[0]
	if err := securecookie.DecodeMulti(
		name, b.cookies[name], &value, session.Codecs([][]byte{newKey}, absolute)...,
	); err != nil {
		t.Fatal(err)
	}
	id, secret, ok := strings.Cut(string(value), ".")
	if !ok {
		t.Fatalf("the cookie says %q; want id and secret", value)
	}
	return id, secret
}

// browser keeps cookies by name; the empty one has none.
type browser struct {
	cookies map[string]string
	inFrame string // its requests come from a cross-site iframe with this Sec-Fetch-Storage-Access; "" for no iframe
}

func (b *browser) request(t testing.TB) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/authorize", nil)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if b.inFrame != "" {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Dest", "iframe")
		r.Header.Set("Sec-Fetch-Storage-Access", b.inFrame)
	}
	return r
}

func (b *browser) keep(w *httptest.ResponseRecorder) {
	kept := map[string]string{}
	for name, value := range b.cookies {
		kept[name] = value
	}
	for _, cookie := range w.Result().Cookies() {
		kept[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(kept, cookie.Name)
		}
	}
	b.cookies = kept
}

// copy is what somebody has who saw the cookies at this moment.
func (b *browser) copy() *browser { return &browser{cookies: b.cookies} }

// only is the same browser, of whose cookies just the one called name reaches the provider.
func (b *browser) only(name string) *browser { return b.with(name, b.cookies[name]) }

// with is a browser with one cookie.
func (*browser) with(name, value string) *browser {
	return &browser{cookies: map[string]string{name: value}}
}
