package idp_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/lab"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
	"github.com/hush-idp/hush/trace"
)

// linked are two providers on one real Redis.
type linked struct {
	a, b  *idp.Provider
	redis *redistest.Server
}

func newLinked(t *testing.T, options ...string) *linked {
	t.Helper()
	server := redistest.Start(t, options...)
	l := &linked{redis: server}
	l.a, l.b = onRedis(t, server.URL, time.Now), onRedis(t, server.URL, time.Now)
	if !redistest.Eventually(func() bool { return l.hears(l.a, l.b) && l.hears(l.b, l.a) }) {
		t.Fatal("the two do not hear each other")
	}
	l.a.Trace().Reset()
	if !redistest.Eventually(func() bool { return len(l.b.Trace().Flows()) == 0 }) {
		t.Fatal("what one console forgets stays at the other")
	}
	return l
}

// onRedis is a provider as cmd/idp makes it; its clock tells the age of views.
func onRedis(t *testing.T, url string, now func() time.Time) *idp.Provider {
	t.Helper()
	store, err := redis.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ending := make(chan struct{})
	t.Cleanup(func() { close(ending) })
	p, err := idp.New(idp.Config{CookieKeys: []string{strings.Repeat("k", 32)}, SigningKeys: []idp.SigningKey{{Alg: "ES256"}}}, idp.Surroundings{
		Store: storage.Within(2*time.Second, time.Now, store), Durable: true, Propagation: time.Second, Bus: store, Usable: store.Ping, Now: now, Ending: ending,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hears lets one provider see something, and tells whether the other hears of it soon.
func (l *linked) hears(from, to *idp.Provider) bool {
	answerOf(from, http.MethodGet, "/login", "", nil)
	id := from.Trace().Flows()[0].ID
	for range 20 {
		if _, heard := to.Trace().Flow(id); heard {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// consoleFlows is GET /console/flows.
func consoleFlows(t *testing.T, p *idp.Provider) (text string, flows []trace.Flow) {
	t.Helper()
	w := answerOf(p, http.MethodGet, "/console/flows", "", nil)
	var answer struct{ Flows []trace.Flow }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); w.Code != http.StatusOK || err != nil {
		t.Fatalf("GET /console/flows: %d %v", w.Code, err)
	}
	return w.Body.String(), answer.Flows
}

// bothShow waits until both consoles show the same, and so many records in the newest flow.
func (l *linked) bothShow(t *testing.T, records int) trace.Flow {
	t.Helper()
	var textA, textB string
	var flows []trace.Flow
	if !redistest.Eventually(func() bool {
		textA, _ = consoleFlows(t, l.a)
		textB, flows = consoleFlows(t, l.b)
		return textA == textB && len(flows) > 0 && len(flows[0].Records) == records
	}) {
		t.Fatalf("the consoles show\n%s\nand\n%s", textA, textB)
	}
	return flows[0]
}

func authorizeAt(t *testing.T, p http.Handler, cookies string, change ...string) (code string) {
	t.Helper()
	w := answerOf(p, http.MethodGet, "/authorize?"+idptest.Request("spa", append([]string{"prompt", "none"}, change...)...).Encode(), cookies, nil)
	location, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther {
		t.Fatalf("%d %v", w.Code, err)
	}
	return location.Query().Get("code")
}

func redeemAt(p http.Handler, code string) *httptest.ResponseRecorder {
	return answerOf(p, http.MethodPost, "/token", "", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {code},
		"redirect_uri": {"http://localhost:9090/spa/callback.html"}, "code_verifier": {idptest.CodeVerifier},
	})
}

func TestAFlowThatTwoReplicasServedIsWholeInBothConsoles(t *testing.T) {
	l := newLinked(t)
	cookies := signedIn(l.a)
	l.a.Trace().Reset()
	code := authorizeAt(t, l.a, cookies)
	if w := redeemAt(l.b, code); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if f := l.bothShow(t, 2); f.State != trace.FlowDone || endpoints(f) != "authorize token" || len(f.Reasons) > 0 {
		t.Errorf("the flow is %s: %s, %s", f.State, endpoints(f), codes(f))
	}

	if w := redeemAt(l.a, code); w.Code != http.StatusBadRequest {
		t.Fatalf("the second redemption gives %d", w.Code)
	}
	if f := l.bothShow(t, 3); codes(f) != "code.replayed" || !strings.Contains(f.Reasons[0].Text, "same code_verifier") {
		t.Errorf("a replay at the other replica: %+v", f.Reasons)
	}

	authorizeAt(t, l.b, "")
	if f := l.bothShow(t, 1); codes(f) != string(oidc.SessionNone) || f.State != trace.FlowFailed {
		t.Errorf("without a cookie: %s, %s", f.State, codes(f))
	}

	for i := range 4 {
		authorizeAt(t, []http.Handler{l.a, l.b}[i%2], cookies, "state", "state-"+string(rune('a'+i)))
	}
	if f := l.bothShow(t, 1); !strings.Contains(codes(f), string(oidc.RenewalLooping)) {
		t.Errorf("four renewals, two at each: %s", codes(f))
	}
}

// A change is heard, and then counts at once: here no view becomes old by itself.
func TestAChangeAtOneConsoleCountsAtOnceAtTheOther(t *testing.T) {
	server := redistest.Start(t)
	still := time.Now()
	now := func() time.Time { return still }
	a, b := onRedis(t, server.URL, now), onRedis(t, server.URL, now)
	l := &linked{a: a, b: b}
	if !redistest.Eventually(func() bool { return l.hears(a, b) }) {
		t.Fatal("b does not hear a")
	}
	if w := answerOf(b, http.MethodGet, "/jwks", "", nil); w.Code != http.StatusOK { // from here on b has views
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if _, err := a.Lab().Add(lab.Fault{Fault: lab.Status, Endpoint: "jwks", Status: 503}); err != nil {
		t.Fatal(err)
	}
	if !redistest.Eventually(func() bool {
		return answerOf(b, http.MethodGet, "/jwks", "", nil).Code == http.StatusServiceUnavailable
	}) {
		t.Error("the fault does not appear")
	}
	if err := a.Lab().Clock.Forward(time.Hour); err != nil {
		t.Fatal(err)
	}
	if !redistest.Eventually(func() bool { answerOf(b, http.MethodGet, "/jwks", "", nil); return b.Lab().Clock.Offset() == time.Hour }) {
		t.Error("the clock of the other replica stays behind")
	}
	if allowedAt(b, "http://localhost.test:7777") {
		t.Error("the origin is allowed before its client is there")
	}
	addClient(t, a, "http://localhost.test:7777/cb")
	if !redistest.Eventually(func() bool { return allowedAt(b, "http://localhost.test:7777") }) {
		t.Error("the client does not appear")
	}
}

// addClient makes a client at the console.
func addClient(t *testing.T, p *idp.Provider, redirectURI string) {
	t.Helper()
	w := answerOf(p, http.MethodGet, "/console/token", "", nil)
	var token struct{ CSRF string }
	if err := json.Unmarshal(w.Body.Bytes(), &token); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost:8080/console/clients/new/redirect_uris", strings.NewReader(`{"redirect_uri":"`+redirectURI+`"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("X-Hush-CSRF", token.CSRF)
	added := httptest.NewRecorder()
	p.ServeHTTP(added, r)
	if added.Code != http.StatusOK {
		t.Fatalf("%d %s", added.Code, added.Body)
	}
}

// allowedAt tells whether a page of the origin may read the key set.
func allowedAt(p *idp.Provider, origin string) bool {
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8080/jwks", nil)
	r.Header.Set("Origin", origin)
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Header().Get("Access-Control-Allow-Origin") == origin
}

// CORS is asked before the console's changes were once read: an origin was refused once more after its client was there.
func TestAClientOfAnotherReplicaIsAllowedWithItsFirstRequest(t *testing.T) {
	l := newLinked(t)
	addClient(t, l.a, "http://localhost.test:7777/cb")
	time.Sleep(time.Second) // no view is that old, whether the link has carried the change or not
	if !allowedAt(l.b, "http://localhost.test:7777") {
		t.Error("the first request of its origin is not allowed")
	}
}

func TestWithoutRedisTheOwnConsoleGoesOn(t *testing.T) {
	l := newLinked(t)
	l.redis.Pause()
	begin := time.Now()
	for range 300 { // more than the link holds
		l.a.Trace().Reset()
	}
	w := answerOf(l.a, http.MethodGet, "/login", "", nil)
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("that took %v", took)
	}
	if _, flows := consoleFlows(t, l.a); w.Code != http.StatusOK || len(flows) == 0 || endpoints(flows[0]) != "login" {
		t.Errorf("%d; the own console shows %d flows", w.Code, len(flows))
	}
	l.redis.Resume()
	if !redistest.Eventually(func() bool { return l.hears(l.a, l.b) && l.hears(l.b, l.a) }) {
		t.Error("after its return the two do not hear each other")
	}
}

// Without cookie keys in common nobody could read what is said, and without development mode nobody would.
func TestNothingIsSaidWhereNobodyIsToHear(t *testing.T) {
	server := redistest.Start(t)
	store, err := redis.Open(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	off, keys := false, []string{strings.Repeat("k", 32)}
	for _, config := range []idp.Config{{}, {Dev: &off, CookieKeys: keys}} {
		config.SigningKeys = []idp.SigningKey{{Alg: "ES256"}}
		p, err := idp.New(config, idp.Surroundings{Store: store, Bus: store, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		silentCycle(t, p, signedIn(p), idptest.Request("spa", "prompt", "none").Encode())
	}
	if calls := server.Calls(); calls["publish"]+calls["subscribe"] > 0 {
		t.Errorf("Redis was asked %v", calls)
	}
}

// TestWhatOneRenewalSays: two messages, of so many bytes as docs/console.md says, or one where the second does not wait for the first.
func TestWhatOneRenewalSays(t *testing.T) {
	server := redistest.Start(t)
	p := onRedis(t, server.URL, time.Now)
	cookies, query := signedIn(p), idptest.Request("spa", "prompt", "none").Encode()
	store, err := redis.Open(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	sizes := make(chan int, 100)
	go func() { // it ends with the test
		_ = store.Subscribe(t.Context(), "console", func(m []byte) { sizes <- len(m) }, func(error) {})
	}()
	if !redistest.Eventually(func() bool { answerOf(p, http.MethodGet, "/login", "", nil); return len(sizes) > 0 }) {
		t.Fatal("nothing is said")
	}
	time.Sleep(100 * time.Millisecond)
	for len(sizes) > 0 {
		<-sizes
	}
	silentCycle(t, p, cookies, query)
	said := []int{<-sizes}
	time.Sleep(100 * time.Millisecond)
	for len(sizes) > 0 {
		said = append(said, <-sizes)
	}
	if len(said) > 2 || said[0]+said[len(said)-1] > 20_000 {
		t.Errorf("one renewal says messages of %d bytes", said)
	}
	t.Logf("one renewal says messages of %d bytes", said)
}
