package idp_test

import (
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/idptest"
)

// argon2idHash is one that idp hash-password wrote: 64 MiB for each comparison.
const argon2idHash = "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// startHashed starts a provider whose users have hashes.
func startHashed(t *testing.T) *idptest.Provider {
	t.Helper()
	return idptest.Start(t, func(c *idp.Config) {
		c.Users = []users.User{{
			Username: "alice", PasswordHash: argon2idHash, Claims: map[string]any{"email": "alice@example.com"},
		}}
	})
}

// signIns sends wrong passwords at the same moment, and returns the answers by status.
func signIns(t *testing.T, p *idptest.Provider, attempts int) map[int][]idptest.Page {
	var mutex sync.Mutex
	var all sync.WaitGroup
	answers := map[int][]idptest.Page{}
	for range attempts {
		all.Go(func() {
			form := url.Values{"username": {"nobody"}, "password": {"wrong"}}
			r := get(t, http.MethodPost, p.Issuer+"/login", form, "Sec-Fetch-Site", "same-origin")
			r.RequestURI = ""
			page := p.Browser(t).Do(r)
			mutex.Lock()
			defer mutex.Unlock()
			answers[page.Status] = append(answers[page.Status], page)
		})
	}
	all.Wait()
	return answers
}

// during measures while work runs: how long another request takes (the median), and the largest heap in bytes.
func during(p *idptest.Provider, b *idptest.Browser, work func()) (median time.Duration, heap uint64) {
	done := make(chan struct{})
	go func() { defer close(done); work() }()
	var took []time.Duration
	for {
		began := time.Now()
		b.Get("/.well-known/openid-configuration")
		took = append(took, time.Since(began))
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		heap = max(heap, m.HeapInuse)
		select {
		case <-done:
			slices.Sort(took)
			return took[len(took)/2], heap
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// CWE-770: what is expensive before authentication has a bound of its own. Only ratios are asserted; a busy machine may
// spoil a round, so the best of three counts.
func TestManyPasswordsAtOnceNeitherStopOtherRequestsNorFillTheMemory(t *testing.T) {
	p := startHashed(t)
	b := p.Browser(t)
	var idle, busy time.Duration
	for range 3 {
		runtime.GC()
		var before uint64
		idle, before = during(p, b, func() { time.Sleep(500 * time.Millisecond) })
		var answers map[int][]idptest.Page
		var heap uint64
		busy, heap = during(p, b, func() { answers = signIns(t, p, 100) })
		if len(answers[http.StatusForbidden]) == 0 || len(answers[http.StatusServiceUnavailable]) == 0 ||
			len(answers[http.StatusForbidden])+len(answers[http.StatusServiceUnavailable]) != 100 {
			t.Fatalf("%d were compared, %d refused as too many; want some of each, and nothing else",
				len(answers[http.StatusForbidden]), len(answers[http.StatusServiceUnavailable]))
		}
		for _, page := range answers[http.StatusServiceUnavailable] {
			if page.Header.Get("Retry-After") == "" || !strings.Contains(page.Body, "Your password was not checked") {
				t.Fatalf("Retry-After %q, and the person is told:\n%s", page.Header.Get("Retry-After"), page.Body)
			}
		}
		if grown := (heap - min(heap, before)) >> 20; grown > 10*64 {
			t.Fatalf("100 attempts of 64 MiB took %d MiB; want the memory of a few", grown)
		}
		if busy <= 5*idle {
			return
		}
	}
	t.Errorf("the median of other requests rose from %v to %v; want five times at most", idle, busy)
}

func TestBothNamesOfAUserShareTheLimitOfWrongPasswords(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Password.PerUserAndAddress = "4/4m" })
	b := p.Browser(t)
	compared := 0
	for range 4 {
		for _, name := range []string{"alice", "alice@example.com", " ALICE@example.com "} {
			if guess(b, name).Status == http.StatusForbidden {
				compared++
			}
		}
	}
	if compared != 4 {
		t.Errorf("%d guesses at a user by name and email were compared; want 4", compared)
	}
}

func TestHashesOfDifferentCostAreWarnedAbout(t *testing.T) {
	a, b := users.User{Username: "a", PasswordHash: argon2idHash}, users.User{Username: "b", PasswordHash: argon2idHash}
	c := idp.Config{Issuer: idp.DefaultIssuer, Users: []users.User{a, b}}
	const cost10 = "$2a$10$IqtYIirOf20f7bolEBP1OeGxqEuRYN5VNC.iA4fHjX2P7a9NsVyzm"
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("with hashes of one cost the warnings are %q; want none", w)
	}
	c.Users[1].PasswordHash = cost10
	if w := c.Warnings(); len(w) != 1 || !strings.Contains(w[0], "$2b$10, $argon2id$v=19$m=65536,t=3,p=1") {
		t.Errorf("the warnings are %q; want one with both costs and what to do", w)
	}
}
