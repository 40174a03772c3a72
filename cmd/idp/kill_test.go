package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

// What one round acknowledges at the most, so that checking all of it stays possible.
const (
	consentsARound = 4
	signInsARound  = 2
)

// killTest is a load under which something is killed, and the list of what was acknowledged before: all of it has
// to be there after each restart.
type killTest struct {
	*testing.T
	addresses []string
	rounds    int

	mutex    sync.Mutex
	people   []*person
	consents []consent
	keys     []string // published before the last kill
	asked    int      // consents so far, acknowledged or not
	count    map[string]int

	// codesMayBeLost is for a store that has the marks of spent codes in memory: no code from before the kill opens
	// after it.
	codesMayBeLost bool

	given  []string // codes that nobody sent back
	spent  []string // codes that gave tokens
	unsure []string // codes that were sent back, without an answer

	flows killFlows
}

// consent is one that a person gave a client.
type consent struct {
	person *person
	client string
}

// newKillTest is one of the providers at these addresses, for so many rounds. Its first person signs in with begin.
func newKillTest(t *testing.T, rounds int, addresses ...string) *killTest {
	return &killTest{T: t, addresses: addresses, rounds: rounds, count: map[string]int{}, flows: newKillTestFlows(t)}
}

const guestURI = "http://localhost:9090/guest/callback"

// config is the file of its providers: one first-party client, and for each consent a third-party client.
func (s *killTest) config() string {
	var text strings.Builder
	text.WriteString("signing_keys: [{alg: ES256}]\nscopes: [{name: api.read, description: Read}]\nclients:\n" +
		"  - {client_id: spa, token_endpoint_auth_method: none, first_party: true, redirect_uris: [\"" +
		silent.Get("redirect_uri") + "\"]}\n")
	text.WriteString(s.flows.configuration(s.T))
	for i := range s.rounds * consentsARound {
		fmt.Fprintf(&text,
			"  - {client_id: guest-%d, token_endpoint_auth_method: none, first_party: false, redirect_uris: [\"%s\"]}\n", i,
			guestURI)
	}
	return file(s.T, text.String())
}

// begin is before the first round.
func (s *killTest) begin() {
	s.people = append(s.people, newPerson(s.T, s.addresses[0], "alice"))
	s.keys = kids(s.T, s.addresses[0])
}

// address is one of them.
func (s *killTest) address() string { return s.addresses[rand.IntN(len(s.addresses))] }

// under lets the load run, and kill, after a moment that varies, do its work.
func (s *killTest) under(round int, kill func()) {
	s.Helper()
	rotates := round%max(4, s.rounds/10) == 0 || s.count["rotations"] == 0 // a key set has sixteen keys at most
	done := make(chan struct{})
	var over sync.WaitGroup
	worker := func(most int, work func(*visitor) error) {
		v := s.people[rand.IntN(len(s.people))].visitor(s.T, s.address())
		over.Go(func() { s.work(done, v, most, work) })
	}
	for range 4 {
		worker(1_000_000, s.renew)
	}
	alice := s.people[0].visitor(s.T, s.address())
	over.Go(func() { s.work(done, alice, consentsARound, s.allow) })
	worker(signInsARound, s.signIn)
	for _, work := range s.flowWorkers() {
		worker(work.most, work.do)
	}
	if rotates {
		worker(1, s.rotate)
	}
	time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond) // the moment is what varies
	kill()
	close(done)
	over.Wait()
}

// work works until done, with a pause after what failed.
func (s *killTest) work(done <-chan struct{}, v *visitor, most int, work func(*visitor) error) {
	for range most {
		err := work(v)
		if err != nil && !isPassing(err) {
			s.Errorf("under load: %v", err)
			return
		}
		pause := time.Duration(0)
		if err != nil {
			pause = 5 * time.Millisecond
		}
		select {
		case <-done:
			return
		case <-time.After(pause):
		}
	}
}

// renew asks for a code and mostly redeems it.
func (s *killTest) renew(v *visitor) error {
	var code string
	if err := v.try(func() { code = v.Code(silent) }); err != nil {
		return err
	}
	if rand.IntN(4) == 0 {
		s.note("codes", func() { s.given = append(s.given, code) })
		return nil
	}
	err := v.try(func() { v.Tokens("spa", code) })
	s.note("codes", func() {
		if err == nil {
			s.spent = append(s.spent, code)
		} else {
			s.unsure = append(s.unsure, code)
		}
	})
	return err
}

// allow has alice consent to a client that nobody asked about before.
func (s *killTest) allow(v *visitor) error {
	s.mutex.Lock()
	client := fmt.Sprint("guest-", s.asked)
	s.asked++
	s.mutex.Unlock()
	err := v.try(func() {
		answer := v.Authorize(guest(client))
		if answer.Location == nil || answer.Location.Path != "/consent" {
			v.attempt.Fatalf("Core §3.1.2.4 %s is not asked about: %d %v\n%s", client, answer.Status, answer.Location,
				answer.Body)
		}
		page := v.Submit(v.Get(answer.Location.String()), url.Values{"decision": {"allow"}})
		if page.Status != http.StatusSeeOther {
			v.attempt.Fatalf("allowing %s gave %d\n%s", client, page.Status, page.Body)
		}
	})
	if err == nil {
		s.note("consents", func() { s.consents = append(s.consents, consent{s.people[0], client}) })
	}
	return err
}

func guest(client string, change ...string) url.Values {
	return idptest.Request(client, append([]string{"redirect_uri", guestURI}, change...)...)
}

// signIn is one more person.
func (s *killTest) signIn(v *visitor) error {
	b := newVisitor(s.T, v.Provider().Issuer[len("http://"):])
	b.Host = s.addresses[0]
	name := []string{"alice", "bob", "carol"}[rand.IntN(3)]
	err := b.try(func() {
		if page := b.Submit(b.Get("/login"), url.Values{"one_click": {name}}); page.Status != http.StatusSeeOther {
			b.attempt.Fatalf("signing in %s gave %d:\n%s", name, page.Status, page.Body)
		}
	})
	if err == nil {
		s.note("sessions", func() { s.people = append(s.people, &person{Browser: b.Browser}) })
	}
	return err
}

// rotate makes new keys. The new one is acknowledged when the key set has been seen with it.
func (s *killTest) rotate(*visitor) error {
	address := s.addresses[0] // the issuer: the console answers at no other name
	if err := tryRotate(s.Context(), address); err != nil {
		return err
	}
	published, err := tryKids(s.Context(), address)
	if err == nil {
		s.note("rotations", func() { s.keys = published })
	}
	return err
}

func (s *killTest) note(what string, change func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.count[what]++
	change()
}

// checkCount holds that the load had some of everything.
func (s *killTest) checkCount() {
	s.Helper()
	for _, what := range []string{"sessions", "consents", "codes", "rotations"} {
		if s.count[what] == 0 {
			s.Errorf("no %s were acknowledged", what)
		}
	}
	s.Log("acknowledged, and there after each restart:", s.count)
}

// check holds that all that was acknowledged is there.
func (s *killTest) check() {
	s.Helper()
	s.checkCodes()
	s.checkFlows()
	each(s, s.people, func(v *visitor, p *person) error {
		v.SetCookies(p.Cookies())
		if err := v.try(func() { v.Tokens("spa", v.Code(silent)) }); err != nil {
			return fmt.Errorf("a session that was acknowledged: %w", err)
		}
		return nil
	})
	each(s, s.consents, func(v *visitor, c consent) error {
		v.SetCookies(c.person.Cookies())
		if err := v.try(func() { v.Code(guest(c.client, "prompt", "none")) }); err != nil {
			return fmt.Errorf("a consent that was acknowledged: %w", err)
		}
		return nil
	})
	for _, address := range s.addresses {
		s.checkKeys(address)
	}
}

// checkCodes checks that each code gives tokens once: an unused code does, a redeemed code does not, and a code whose
// redemption had no answer may do either. After that no code does.
func (s *killTest) checkCodes() {
	s.Helper()
	if s.codesMayBeLost {
		s.unsure, s.given = append(s.unsure, s.given...), nil
	}
	each(s, s.given, func(v *visitor, code string) error { return v.try(func() { v.Tokens("spa", code) }) })
	each(s, s.unsure, func(v *visitor, code string) error {
		return v.try(func() {
			if page := v.Post("/token", tokenForm(code)); page.Status != http.StatusOK && !isSpent(page) {
				v.attempt.Fatalf("a code that was sent without an answer gives %d %s", page.Status, page.Body)
			}
		})
	})
	each(s, append(append(s.spent, s.given...), s.unsure...), func(v *visitor, code string) error {
		return v.try(func() {
			if page := v.Post("/token", tokenForm(code)); !isSpent(page) {
				v.attempt.Fatalf("RFC 6749 §4.1.2 a code redeemed before gives %d %s", page.Status, page.Body)
			}
		})
	})
	s.given, s.spent, s.unsure = nil, nil, nil
}

// checkKeys holds that no key is lost. A provider that was not killed may not have looked at the store since it was
// made.
func (s *killTest) checkKeys(address string) {
	s.Helper()
	eventually(s.T, "all keys are published", func() bool {
		published := kids(s.T, address)
		return !slices.ContainsFunc(s.keys, func(key string) bool { return !slices.Contains(published, key) })
	})
}

// each does something with every item, some at the same time, at any of the addresses.
func each[T any](s *killTest, items []T, do func(*visitor, T) error) {
	s.Helper()
	next := make(chan T)
	var over sync.WaitGroup
	var mutex sync.Mutex
	var failed []error
	for range min(8, len(items)) {
		v := newVisitor(s.T, s.address())
		v.Host = s.addresses[0]
		over.Go(func() {
			for item := range next {
				if err := do(v, item); err != nil {
					mutex.Lock()
					failed = append(failed, err)
					mutex.Unlock()
				}
			}
		})
	}
	for _, item := range items {
		next <- item
	}
	close(next)
	over.Wait()
	if len(failed) > 0 {
		s.Fatalf("%d of %d failed, such as:\n%v", len(failed), len(items), errors.Join(failed[:min(3, len(failed))]...))
	}
}

// TestKilledAtRandomMomentsNothingAcknowledgedIsLost: with a file, kill -9 under load, again and again. Codes are the
// exception: they may be unknown, and none gives tokens twice.
func TestKilledAtRandomMomentsNothingAcknowledgedIsLost(t *testing.T) {
	path, store, address := binary(t), "file:"+t.TempDir()+"/hush.db", freeAddress(t, "127.0.0.1")
	s := newKillTest(t, rounds(8, 100), address)
	s.codesMayBeLost = true
	args := []string{"--config", s.config(), "--listen", address, "--issuer", "http://" + address, "--store", store,
		"--log-level", "error"}
	p := startServing(t, path, args...)
	s.begin()
	for round := range s.rounds {
		s.under(round, func() {
			p.signal(t, syscall.SIGKILL)
			p.exit(t)
		})
		p = startServing(t, path, args...)
		s.check()
	}
	s.checkCount()
}

// TestEitherProviderOrRedisIsKilled: two providers on a Redis that writes before it answers; in turn one of the three
// is killed under load, while the others go on.
func TestEitherProviderOrRedisIsKilled(t *testing.T) {
	server, path := redistest.Start(t, redistest.Durable...), binary(t)
	s := newKillTest(t, rounds(12, 100), freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1"))
	config := s.config()
	begin := func(i int) *program {
		return startServing(t, path, "--config", config, "--listen", s.addresses[i], "--issuer", "http://"+s.addresses[0],
			"--store", server.URL,
			"--cookie-keys", testSecret, "--log-level", "error")
	}
	providers := []*program{begin(0), begin(1)}
	s.begin()
	for round := range s.rounds {
		victim := round % 3
		s.under(round, func() {
			if victim == 2 {
				server.Stop()
				server.Restart()
				return
			}
			providers[victim].signal(t, syscall.SIGKILL)
			providers[victim].exit(t)
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) // the other goes on
		})
		if victim < 2 {
			providers[victim] = begin(victim)
		}
		for _, address := range s.addresses {
			eventually(t, "service returns", func() bool {
				v := s.people[0].visitor(t, address)
				return v.try(func() { v.Tokens("spa", v.Code(silent)) }) == nil
			})
		}
		s.check()
	}
	s.checkCount()
}
