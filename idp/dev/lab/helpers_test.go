package lab_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
	"github.com/hush-idp/hush/trace"
)

// fixture is development mode with the parts of a provider: alice is signed in and allowed spa everything.
type fixture struct {
	*lab.Lab
	clock    *storagetest.Clock
	hub      *trace.Hub
	parts    idp.Parts // as development mode decorates them
	sessions *session.Manager
	grants   *grant.Grants
	consents *grant.Consents
	keys     *keys.KeySet
	cookies  []*http.Cookie
}

// newFixture returns development mode of a provider to which these users were added after its start.
func newFixture(t *testing.T, names ...string) *fixture {
	t.Helper()
	clock := storagetest.NewClock()
	store := storage.NewMemory(clock.Now)
	set, err := keys.New([]keys.Spec{{Alg: jose.ES256}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	directory, err := users.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	mode := dev.New(idp.Config{}, idp.Dependencies{Store: store, Now: clock.Now, Random: rand.Text})
	h := &fixture{
		Lab: mode.Lab(), clock: clock, hub: mode.Trace(), keys: set,
		sessions: &session.Manager{
			Sessions: storage.NewBucket[session.Session]("session", store),
			Index:    storage.NewBucket[[]session.Entry]("session-index", store),
			Cookies: session.NewCookies(&url.URL{Scheme: "http", Host: "localhost:8080"},
				[][]byte{[]byte(strings.Repeat("k", 32))}, time.Hour),
			Idle: time.Hour, Absolute: time.Hour, Now: clock.Now, Random: rand.Text,
		},
		grants: grant.New(grant.Config{}, grant.CodeLifetime, store, [][]byte{[]byte("a secret of the tests")}, clock.Now,
			rand.Text),
		consents: &grant.Consents{Records: storage.NewBucket[map[string]grant.Consent]("consent", store), Now: clock.Now},
	}
	h.parts = mode.At(idp.Site{
		Clients: clients.New([]oidc.Client{firstParty("spa"), firstParty("other")}), Sessions: h.sessions,
		Consents: h.consents, Grants: h.grants, Keys: set, Signer: set, Users: directory,
	}).Parts()
	if err := directory.Change(func(all []users.User) ([]users.User, error) {
		for _, name := range names {
			all = append(all, users.User{Username: name, Password: name})
		}
		return all, nil
	}); err != nil {
		t.Fatal(err)
	}
	h.signIn(t)
	return h
}

// firstParty is a client whose access tokens live for an hour.
func firstParty(id string) oidc.Client {
	return oidc.Client{ClientID: id, FirstParty: true, AccessTokenLifetime: time.Hour}
}

func (h *fixture) signIn(t *testing.T) {
	t.Helper()
	w := httptest.NewRecorder()
	if _, err := h.sessions.SignIn(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", nil),
		session.Account{Sub: "alice"}); err != nil {
		t.Fatal(err)
	}
	h.cookies = w.Result().Cookies()
	if err := h.consents.Remember(t.Context(), "alice", "spa", oidc.Scope{"openid"}); err != nil {
		t.Fatal(err)
	}
}

// cause adds a fault, written as to the console.
func (h *fixture) cause(t *testing.T, text string) lab.Fault {
	t.Helper()
	var f lab.Fault
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	added, err := h.Add(f)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// silent is the silent authorization request of client in a hidden iframe on another site, with alice's cookies.
func (h *fixture) silent(t *testing.T, client string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/authorize?prompt=none&client_id="+client, nil)
	r.Header.Set("Sec-Fetch-Dest", "iframe")
	r.Header.Set("Sec-Fetch-Site", "same-site")
	for _, cookie := range h.cookies {
		r.AddCookie(cookie)
	}
	return r
}

// tokenRequest is that of a script of client.
func tokenRequest(t *testing.T, client, more string) *http.Request {
	t.Helper()
	body := strings.NewReader("grant_type=authorization_code&client_id=" + client + more)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://app.test")
	return r
}

// enter takes the request past Intercept and fails the test when it does not get past.
func (h *fixture) enter(t *testing.T, r *http.Request, endpoint string) *http.Request {
	t.Helper()
	next, handled, err := h.Intercept(httptest.NewRecorder(), r, endpoint)
	if handled || err != nil {
		t.Fatalf("Intercept: handled %v, error %v; want the request to go on", handled, err)
	}
	return next
}

// current is who is signed in according to the silent request of client.
func (h *fixture) current(t *testing.T, client string) (*session.Session, error) {
	t.Helper()
	return h.parts.Recognise.Current(h.enter(t, h.silent(t, client), "authorize"))
}

// answer is what Intercept answered to the request, in the place of the endpoint.
func (h *fixture) answer(t *testing.T, r *http.Request, endpoint string) (*httptest.ResponseRecorder, error) {
	t.Helper()
	w := httptest.NewRecorder()
	w.Header().Set("X-Frame-Options", "DENY")
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	w.Header().Set("Access-Control-Allow-Origin", "https://app.test")
	_, handled, err := h.Intercept(w, r, endpoint)
	if !handled && err == nil {
		t.Fatal("Intercept let the request go on")
	}
	return w, err
}

// claims are those of an ID token, as a struct like the token endpoint's.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Nonce    string `json:"nonce"`
	IssuedAt int64  `json:"iat"`
	Expiry   int64  `json:"exp"`
	SID      string `json:"sid"`
}

func (h *fixture) rightClaims() claims {
	now := h.Clock.Now()
	return claims{"http://localhost:8080", "alice", "spa", "n", now.Unix(), now.Add(5 * time.Minute).Unix(), "s.1"}
}

// idToken is what spa gets.
func (h *fixture) idToken(t *testing.T) string {
	t.Helper()
	signed, err := h.parts.Signer.Sign(h.enter(t, tokenRequest(t, "spa", ""), "token").Context(), "", keys.TypeIDToken,
		h.rightClaims())
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// part decodes the header (0) or the payload (1) of a JWT.
func part[T any](t *testing.T, token string, i int) T {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT in compact form", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	var decoded T
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// wantUsed fails the test unless all faults are used up.
func (h *fixture) wantUsed(t *testing.T) {
	t.Helper()
	if left := h.List(); len(left) > 0 {
		t.Errorf("after its use fault %s is still there: used %d of %d", left[0].Fault, left[0].Used, left[0].Times)
	}
}
