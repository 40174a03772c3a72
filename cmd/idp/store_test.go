package main

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

const testSecret = "a-secret-of-these-tests-which-has-more-than-32-characters"

// rounds is how often a long test does what it does: a few times, or, for make soak, many.
func rounds(few, many int) int {
	if os.Getenv("SOAK") != "" {
		return many
	}
	return few
}

// person is somebody who signed in and saw the provider acknowledge it.
type person struct {
	*idptest.Browser
	redeemed []string // codes that gave tokens
}

func (p *person) renew() {
	code := p.Code(idptest.Request("spa", "prompt", "none"))
	p.Tokens("spa", code)
	p.redeemed = append(p.redeemed, code)
}

// at is the same person at another address of the provider: cookies ignore ports.
func (p *person) at(t *testing.T, address string) *person {
	b := (&idptest.Provider{Issuer: "http://" + address}).Browser(t)
	b.SetCookies(p.Cookies())
	return &person{Browser: b}
}

func newPerson(t *testing.T, address, name string) *person {
	b := (&idptest.Provider{Issuer: "http://" + address}).Browser(t)
	b.SignIn(name)
	return &person{Browser: b}
}

// answered sends a request of which an answer may never come, because the provider is killed meanwhile. It tells whether one came.
func answered(request func() (*http.Response, error)) bool {
	response, err := request()
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode < http.StatusInternalServerError
}

// checkSpent holds that no code redeems twice.
func (p *person) checkSpent(t *testing.T) {
	t.Helper()
	for _, code := range p.redeemed {
		form := url.Values{
			"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {code}, "code_verifier": {idptest.CodeVerifier},
			"redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
		}
		if page := p.Post("/token", form); page.Status != http.StatusBadRequest || !strings.Contains(page.Body, "invalid_grant") {
			t.Errorf("RFC 6749 §4.1.2 a code redeemed before gives %d %s", page.Status, page.Body)
		}
	}
	p.redeemed = nil
}

// kid is the key that signs now.
func kid(t *testing.T, address string) string {
	t.Helper()
	_, body := get(t, "http://"+address+"/jwks")
	_, after, _ := strings.Cut(string(body), `"kid":"`)
	id, _, _ := strings.Cut(after, `"`)
	return id
}

// TestKilledAtRandomMomentsNothingAcknowledgedIsLost: with a file, kill -9 under a load of silent renewals, again and again.
func TestKilledAtRandomMomentsNothingAcknowledgedIsLost(t *testing.T) {
	path, store := binary(t), "file:"+filepath.Join(t.TempDir(), "hush.db")
	address := freeAddress(t, "127.0.0.1")
	args := []string{"--listen", address, "--issuer", "http://" + address, "--store", store, "--log-level", "error"}
	p := startServing(t, path, args...)
	people := []*person{newPerson(t, address, "alice")}
	key := kid(t, address)
	for round := range rounds(4, 100) {
		people[0].renew()
		unredeemed := people[0].Code(idptest.Request("spa", "prompt", "none"))
		stop := load(t, people[0], address)
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond) // the moment is what varies
		p.signal(t, syscall.SIGKILL)
		p.exit(t)
		stop()

		p = startServing(t, path, args...)
		people[0].Tokens("spa", unredeemed)
		for _, person := range people {
			person.renew() // still signed in
		}
		people[0].checkSpent(t)
		if got := kid(t, address); got != key {
			t.Fatalf("after the restart tokens are signed with %s; want %s", got, key)
		}
		if round < 5 {
			people = append(people, newPerson(t, address, []string{"alice", "bob", "carol"}[round%3]))
		}
	}
}

// load renews without asking for success, until stop is called.
func load(t *testing.T, p *person, address string) (stop func()) {
	t.Helper()
	target := "http://" + address + "/authorize?" + idptest.Request("spa", "prompt", "none").Encode()
	client := &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var over sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		over.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				r, err := http.NewRequest(http.MethodGet, target, nil)
				if err != nil {
					return
				}
				for _, cookie := range p.Cookies() {
					r.AddCookie(cookie)
				}
				answered(func() (*http.Response, error) { return client.Do(r) })
			}
		})
	}
	return func() { close(done); over.Wait() }
}

// TestTwoProvidersOnOneRedisAreOne: what begins at one goes on at the other, and a code redeems once, wherever.
func TestTwoProvidersOnOneRedisAreOne(t *testing.T) {
	server := redistest.Start(t, redistest.Durable...)
	path := binary(t)
	addresses := []string{freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1")}
	for _, address := range addresses {
		startServing(t, path, "--listen", address, "--issuer", "http://"+addresses[0], "--store", server.URL, "--cookie-keys", testSecret, "--log-level", "error")
	}
	if a, b := kid(t, addresses[0]), kid(t, addresses[1]); a != b {
		t.Fatalf("two providers sign with %s and %s", a, b)
	}
	alice := newPerson(t, addresses[0], "alice")
	elsewhere := alice.at(t, addresses[1])
	for range rounds(20, 2000) {
		code := alice.Code(idptest.Request("spa", "prompt", "none"))
		elsewhere.Tokens("spa", code)
		alice.redeemed = append(alice.redeemed, code)
		elsewhere.renew()
	}
	alice.checkSpent(t)
	page := elsewhere.Submit(elsewhere.Get("/logout"), url.Values{"decision": {"sign_out"}})
	if page.Status != http.StatusOK {
		t.Fatalf("signing out gave %d\n%s", page.Status, page.Body)
	}
	eventually(t, "the other provider hears of the sign-out", func() bool {
		answer := alice.Authorize(idptest.Request("spa", "prompt", "none"))
		return answer.Location != nil && answer.Location.Query().Get("error") == "login_required"
	})
}

// TestKeysRotateAndProvidersRestartUnderOneRedis: one user goes back and forth between two providers while keys rotate and one of
// them restarts; each token is by a key that the other publishes.
func TestKeysRotateAndProvidersRestartUnderOneRedis(t *testing.T) {
	server, path := redistest.Start(t), binary(t)
	addresses := []string{freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1")}
	begin := func(address string) *program {
		return startServing(t, path, "--listen", address, "--issuer", "http://"+addresses[0], "--store", server.URL, "--cookie-keys", testSecret, "--log-level", "error")
	}
	begin(addresses[0])
	second := begin(addresses[1])
	alice := newPerson(t, addresses[0], "alice")
	elsewhere := alice.at(t, addresses[1])
	cycles, turns := rounds(40, 10_000), rounds(2, 5)
	for i := range cycles {
		checkPublished(t, addresses[1], alice.Tokens("spa", elsewhere.Code(idptest.Request("spa", "prompt", "none"))))
		checkPublished(t, addresses[0], elsewhere.Tokens("spa", alice.Code(idptest.Request("spa", "prompt", "none"))))
		if turn := cycles / turns; i%turn == turn/2 {
			rotate(t, addresses[0])
			second.signal(t, syscall.SIGTERM)
			second.exit(t)
			second = begin(addresses[1])
		}
	}
}

// TestEitherProviderOrRedisIsKilled: two providers on a Redis that writes before it answers; in turn one of the three is killed
// under load. What was acknowledged is there afterwards, and no code redeems twice.
func TestEitherProviderOrRedisIsKilled(t *testing.T) {
	server, path := redistest.Start(t, redistest.Durable...), binary(t)
	addresses := []string{freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1")}
	begin := func(i int) *program {
		return startServing(t, path, "--listen", addresses[i], "--issuer", "http://"+addresses[0], "--store", server.URL, "--cookie-keys", testSecret, "--log-level", "error")
	}
	providers := []*program{begin(0), begin(1)}
	alice := newPerson(t, addresses[0], "alice")
	elsewhere := alice.at(t, addresses[1])
	for round := range rounds(6, 99) {
		alice.renew()
		unredeemed := elsewhere.Code(idptest.Request("spa", "prompt", "none"))
		stop := load(t, alice, addresses[0])
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond) // the moment is what varies
		if victim := round % 3; victim < 2 {
			providers[victim].signal(t, syscall.SIGKILL)
			providers[victim].exit(t)
			stop()
			providers[victim] = begin(victim)
		} else {
			server.Stop()
			server.Restart()
			stop()
		}
		for _, person := range []*person{alice, elsewhere} {
			eventually(t, "service returns", func() bool {
				answer := person.Authorize(idptest.Request("spa", "prompt", "none"))
				return answer.Location != nil && answer.Location.Query().Get("code") != ""
			})
		}
		alice.Tokens("spa", unredeemed)
		alice.checkSpent(t)
	}
}

// checkPublished holds that a relying party that asks this provider for keys can verify the tokens.
func checkPublished(t *testing.T, address string, tokens map[string]any) {
	t.Helper()
	_, jwks := get(t, "http://"+address+"/jwks")
	for _, name := range []string{"id_token", "access_token"} {
		header, _, _ := strings.Cut(tokens[name].(string), ".")
		text, err := base64.RawURLEncoding.DecodeString(header)
		var named struct{ Kid string }
		if err == nil {
			err = json.Unmarshal(text, &named)
		}
		if err != nil || !strings.Contains(string(jwks), `"kid":"`+named.Kid+`"`) {
			t.Fatalf("RFC 7517 §5 the %s is signed with %s (%v), which %s does not publish:\n%s", name, named.Kid, err, address, jwks)
		}
	}
}

// rotate presses the button of the console.
func rotate(t *testing.T, address string) {
	t.Helper()
	var token struct{ CSRF string }
	_, body := get(t, "http://"+address+"/console/token")
	if err := json.Unmarshal(body, &token); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/console/keys", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Hush-CSRF", token.CSRF)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("rotating the keys gave %s", response.Status)
	}
}

// TestRedisStoppedUnderLoad: every answer comes in time and says what is the matter, and service returns by itself.
func TestRedisStoppedUnderLoad(t *testing.T) {
	server := redistest.Start(t)
	address := freeAddress(t, "127.0.0.1")
	startServing(t, binary(t), "--listen", address, "--issuer", "http://"+address, "--store", server.URL, "--cookie-keys", testSecret, "--log-level", "error")
	alice := newPerson(t, address, "alice")
	alice.renew()
	server.Pause()
	for range rounds(3, 20) {
		answer := alice.Authorize(idptest.Request("spa", "prompt", "none"))
		if answer.Location == nil || answer.Location.Query().Get("error") != "temporarily_unavailable" {
			t.Errorf("RFC 6749 §4.1.2.1 while Redis hangs prompt=none gives %d %v", answer.Status, answer.Location)
		}
	}
	if status, body := get(t, "http://"+address+"/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz gives %d %s", status, body)
	}
	if status, body := get(t, "http://"+address+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz gives %d %s", status, body)
	}
	server.Resume()
	eventually(t, "service returns", func() bool {
		answer := alice.Authorize(idptest.Request("spa", "prompt", "none"))
		return answer.Location != nil && answer.Location.Query().Get("code") != ""
	})
}

func TestMetricsAtAnAddressOfTheirOwn(t *testing.T) {
	address, numbers := freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1")
	startServing(t, binary(t), "--listen", address, "--issuer", "http://"+address, "--metrics-listen", numbers)
	newPerson(t, address, "alice").renew()
	status, body := get(t, "http://"+numbers+"/metrics")
	if status != http.StatusOK || !strings.Contains(string(body), `hush_requests_total{endpoint="token"`) {
		t.Errorf("/metrics gives %d\n%s", status, body)
	}
	if status, _ := get(t, "http://"+numbers+"/authorize"); status != http.StatusNotFound {
		t.Errorf("the provider's own pages are there, too: %d", status)
	}
}

func TestStoreFaultsSayWhatToDo(t *testing.T) {
	path, folder := binary(t), t.TempDir()
	held := "file:" + filepath.Join(folder, "held.db")
	address := freeAddress(t, "127.0.0.1")
	startServing(t, path, "--listen", address, "--issuer", "http://"+address, "--store", held)
	for _, row := range []struct{ name, store, says string }{
		{"no store", "postgres://x:hunter2@db", "memory, file:PATH"},
		{"a file in a folder that is not there", "file:" + filepath.Join(folder, "missing", "x.db"), "missing"},
		{"a file that another process has", held, "another"},
		{"Redis that is not there", "redis://127.0.0.1:1", "127.0.0.1:1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, said := runToEnd(t, path, "--listen", freeAddress(t, "127.0.0.1"), "--issuer", "http://localhost:8080", "--store", row.store, "--cookie-keys", testSecret)
			if code == 0 || !strings.Contains(said, row.says) || strings.Contains(said, "hunter2") {
				t.Errorf("it ended with %d and said %s; want %q", code, said, row.says)
			}
		})
	}
	if code, said := runToEnd(t, path, "--store", "redis://127.0.0.1:1"); code == 0 || !strings.Contains(said, "cookie_keys") {
		t.Errorf("Redis without cookie_keys: it ended with %d and said %s", code, said)
	}
}

func eventually(t *testing.T, what string, happens func() bool) {
	t.Helper()
	if !redistest.Eventually(happens) {
		t.Fatalf("it does not happen that %s", what)
	}
}
