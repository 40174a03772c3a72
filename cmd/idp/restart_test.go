package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

// maxTries is how often the client tries one renewal, and pause is the time between.
const (
	maxTries = 50
	pause    = 20 * time.Millisecond
)

// alternating is an application that renews at two providers in turn. What fails is tried again, with a new silent
// request, at the next: it waits for no provider.
type alternating struct {
	visitors [2]*visitor
	issuer   string

	cycles, retries, raced, unsure atomic.Int64

	mutex sync.Mutex
	kids  map[string]bool // that signed
}

// run renews until done or until something failed that trying again does not cure.
func (a *alternating) run(done <-chan struct{}) error {
	for turn := 0; ; turn++ {
		select {
		case <-done:
			return nil
		default:
		}
		if err := a.cycle(turn); err != nil {
			return fmt.Errorf("cycle %d: %w", turn, err)
		}
		a.cycles.Add(1)
	}
}

// cycle is one renewal, tried until it succeeds.
func (a *alternating) cycle(turn int) (err error) {
	for try := range maxTries {
		if err = a.renew(turn, try); err == nil || !isPassing(err) {
			return err
		}
		a.retries.Add(1)
		time.Sleep(pause)
	}
	return fmt.Errorf("%d tries do not cure: %w", maxTries, err)
}

// renew asks the one provider for a code, redeems it at the other, and verifies the tokens with the keys of the first.
// Now and then the code goes to both at the same moment.
func (a *alternating) renew(turn, try int) error {
	asked, other := a.visitors[(turn+try)%2], a.visitors[(turn+try+1)%2]
	var code string
	if err := asked.try(func() { code = asked.Code(silent) }); err != nil {
		return err
	}
	redeem := a.once
	if turn%10 == 0 {
		redeem = a.race
	}
	tokens, err := redeem(code, other, asked)
	if err != nil {
		return err
	}
	return a.checkVerifies(tokens, asked)
}

// once redeems the code at the one, and sends it to the other again.
func (a *alternating) once(code string, at, again *visitor) (idptest.Page, error) {
	var page, second idptest.Page
	err := at.try(func() { page = at.Post("/token", tokenForm(code)) })
	if err == nil && page.Status != 200 {
		return page, fmt.Errorf("the token endpoint gave %d: %s", page.Status, page.Body)
	}
	lost := err
	if lost != nil {
		a.unsure.Add(1) // the answer was lost: the code may be spent or not
		if err := again.try(func() { page = again.Post("/token", tokenForm(code)) }); err != nil {
			return page, err
		}
		if page.Status != 200 && !isSpent(page) {
			return page, fmt.Errorf("a code that was sent without an answer gives %d: %s", page.Status, page.Body)
		}
	}
	err = again.try(func() { second = again.Post("/token", tokenForm(code)) })
	if err == nil && second.Status == 200 {
		return page, fmt.Errorf("RFC 6749 §4.1.2 a code was redeemed twice: %s", second.Body)
	}
	return page, lost
}

// race sends the code to both at the same moment. Exactly one gives tokens, if both answer.
func (a *alternating) race(code string, at, again *visitor) (idptest.Page, error) {
	var pages [2]idptest.Page
	var errs [2]error
	var both sync.WaitGroup
	for i, v := range []*visitor{at, again} {
		both.Go(func() { errs[i] = v.try(func() { pages[i] = v.Post("/token", tokenForm(code)) }) })
	}
	both.Wait()
	switch err := errors.Join(errs[:]...); {
	case pages[0].Status == 200 && pages[1].Status == 200:
		return pages[0], fmt.Errorf("RFC 6749 §4.1.2 a code was redeemed twice, at the same moment")
	case err != nil:
		a.unsure.Add(1)
		return pages[0], err
	case pages[0].Status == 200 && isSpent(pages[1]):
		a.raced.Add(1)
		return pages[0], nil
	case pages[1].Status == 200 && isSpent(pages[0]):
		a.raced.Add(1)
		return pages[1], nil
	}
	return pages[0], fmt.Errorf("a code at two providers gives %d %s and %d %s", pages[0].Status, pages[0].Body,
		pages[1].Status, pages[1].Body)
}

// checkVerifies checks that the keys of this provider verify the tokens. It retries while the provider is away.
func (a *alternating) checkVerifies(page idptest.Page, at *visitor) error {
	address := at.Provider().Issuer[len("http://"):]
	set, err := keySet(at.attempt.TB.Context(), address)
	for try := 0; err != nil && isPassing(err) && try < 20*maxTries; try++ {
		time.Sleep(pause)
		set, err = keySet(at.attempt.TB.Context(), address)
	}
	if err != nil {
		return fmt.Errorf("the key set: %w", err)
	}
	var tokens map[string]any
	if err := at.try(func() { tokens = page.JSON(at.attempt) }); err != nil {
		return err
	}
	for _, name := range []string{"id_token", "access_token"} {
		kid, err := verify(tokens[name].(string), set, a.issuer)
		if err != nil {
			return fmt.Errorf("the %s does not verify with the keys of %s: %w", name, address, err)
		}
		a.mutex.Lock()
		a.kids[kid] = true
		a.mutex.Unlock()
	}
	return nil
}

func (a *alternating) signed() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return len(a.kids)
}

// TestKeysRotateAndAProviderRestartsBehindTheClientsRetry: two providers on one Redis and a client that alternates
// between them. Keys rotate, by the console or the command, and each time one provider ends twice, by request and by
// force.
func TestKeysRotateAndAProviderRestartsBehindTheClientsRetry(t *testing.T) {
	server, path := redistest.Start(t, redistest.Durable...), binary(t)
	addresses := []string{freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1")}
	shared := []string{"--issuer", "http://" + addresses[0], "--store", server.URL, "--cookie-keys", testSecret,
		"--log-level", "error"}
	begin := func(i int) *program { return startServing(t, path, append(shared, "--listen", addresses[i])...) }
	begin(0)
	second := begin(1)
	alice := newPerson(t, addresses[0], "alice")
	client := &alternating{issuer: "http://" + addresses[0], kids: map[string]bool{}}
	for i := range client.visitors {
		client.visitors[i] = alice.visitor(t, addresses[i])
	}
	done, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- client.run(done) }()
	turns, cycles := rounds(1, 5), rounds(200, 10_000)
	for turn := range turns {
		if turn%2 == 0 {
			if code, said := runToEnd(t, path, append([]string{"keys", "rotate"}, shared...)...); code != 0 {
				t.Fatalf("idp keys rotate ended with %d: %s", code, said)
			}
		} else if err := tryRotate(t.Context(), addresses[0]); err != nil {
			t.Fatal(err)
		}
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			second.signal(t, signal)
			second.exit(t)
			second = begin(1)
		}
		awaitCycles(t, client, ended, turn+2, cycles*(turn+1)/turns)
	}
	close(done)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if client.raced.Load() == 0 {
		t.Error("no code was redeemed at both at the same moment")
	}
	t.Logf("%d cycles with %d retries, %d restarts; %d keys signed; %d codes raced, %d lost an answer",
		client.cycles.Load(), client.retries.Load(), 2*turns, client.signed(), client.raced.Load(), client.unsure.Load())
}

// awaitCycles waits until so many keys have signed and so many cycles are through.
func awaitCycles(t *testing.T, client *alternating, ended chan error, keys, cycles int) {
	t.Helper()
	for limit := time.Now().Add(10 * testTimeout); client.signed() < keys || client.cycles.Load() < int64(cycles); {
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(pause):
		}
		if time.Now().After(limit) {
			t.Fatalf("after %d cycles %d keys have signed; want %d", client.cycles.Load(), client.signed(), keys)
		}
	}
}
