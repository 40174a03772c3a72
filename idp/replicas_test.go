package idp_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
	"github.com/hush-idp/hush/storage/storagetest"
)

// replica is one of several providers on the same store.
type replica struct {
	*idp.Provider
	*dev.Mode
}

func newReplica(t *testing.T, store storage.Store, now func() time.Time) replica {
	t.Helper()
	config := idp.Config{Issuer: "http://localhost:8080", SigningKeys: []idp.SigningKey{{Alg: "ES256"}}}
	p, mode, err := dev.Provider(config, idp.Dependencies{
		Store: store, Propagation: time.Second, Now: now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return replica{p, mode}
}

// A change at one console counts at the other replica a second later.
func TestReplicasShareFaultsAndTheClock(t *testing.T) {
	clock := storagetest.NewClock()
	store := storage.NewMemory(clock.Now)
	a, b := newReplica(t, store, clock.Now), newReplica(t, store, clock.Now)
	ask := func(p replica) int { return answerOf(p, http.MethodGet, "/jwks", "", nil).Code }
	ask(b)
	if _, err := a.Lab().Add(lab.Fault{Fault: lab.Status, Endpoint: "jwks", Status: 503}); err != nil {
		t.Fatal(err)
	}
	if err := a.Lab().Clock.Forward(time.Hour); err != nil {
		t.Fatal(err)
	}
	clock.Pass(time.Second)
	if got := ask(b); got != http.StatusServiceUnavailable || b.Lab().Clock.Offset() != time.Hour {
		t.Errorf("the other replica answers %d, and its clock is %v ahead", got, b.Lab().Clock.Offset())
	}
	if got := ask(a); got != http.StatusOK {
		t.Errorf("a fault for one request met another, at the first replica: %d", got)
	}
}

// CORS is decided after the changes of other consoles were read: the first request of a new client's origin is allowed.
func TestAClientOfAnotherReplicaIsAllowedWithItsFirstRequest(t *testing.T) {
	clock := storagetest.NewClock()
	store := storage.NewMemory(clock.Now)
	a, b := newReplica(t, store, clock.Now), newReplica(t, store, clock.Now)
	const origin = "http://localhost.test:7777"
	if allowedAt(b, origin) {
		t.Error("the origin is allowed before its client exists")
	}
	addClient(t, a, origin+"/cb")
	clock.Pass(time.Second)
	if !allowedAt(b, origin) {
		t.Error("the first request of the origin is refused")
	}
}

// addClient makes a client at the console.
func addClient(t *testing.T, p http.Handler, redirectURI string) {
	t.Helper()
	w := answerOf(p, http.MethodGet, "/console/token", "", nil)
	var token struct{ CSRF string }
	if err := json.Unmarshal(w.Body.Bytes(), &token); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://localhost:8080/console/clients/new/redirect_uris", strings.NewReader(`{"redirect_uri":"`+redirectURI+`"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("X-Hush-CSRF", token.CSRF)
	added := httptest.NewRecorder()
	p.ServeHTTP(added, r)
	if added.Code != http.StatusOK {
		t.Fatalf("%d %s", added.Code, added.Body)
	}
}

// allowedAt reports whether a page of the origin may read the key set.
func allowedAt(p http.Handler, origin string) bool {
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8080/userinfo", nil)
	r.Header.Set("Origin", origin)
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Header().Get("Access-Control-Allow-Origin") == origin
}

func TestTheConsoleAnswersWhileRedisIsAway(t *testing.T) {
	server := redistest.Start(t)
	store, err := redis.Open(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p := newReplica(t, store, time.Now)
	server.Pause()
	t.Cleanup(server.Resume)
	begin := time.Now()
	login := answerOf(p, http.MethodGet, "/login", "", nil)
	flows := p.Trace().Flows()
	console := answerOf(p, http.MethodGet, "/console/flows", "", nil)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("that took %v", took)
	}
	if login.Code != http.StatusOK || console.Code != http.StatusOK || len(flows) != 1 || endpoints(flows[0]) != "login" {
		t.Errorf("%d, %d; the console shows %d flows", login.Code, console.Code, len(flows))
	}
}
