package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

const (
	answerWithin = 3 * time.Second
	returnWithin = 5 * time.Second
	edge         = 200 * time.Millisecond // within which an engine is neither here nor away
)

// answer is one that a person got under load.
type answer struct {
	to           string
	begun, ended time.Time
	said         string
}

// What an answer can say. Anything else is a fault.
const (
	wasServed = "served"
	wasAway   = "away"
)

// renewers are browsers that renew without a pause, and one client that requests /readyz.
type renewers struct {
	*testing.T
	address string

	done chan struct{}
	over sync.WaitGroup

	mutex   sync.Mutex
	answers []answer
}

// gather lets so many people sign in, and begin.
func startRenewers(t *testing.T, address string, people int) *renewers {
	t.Helper()
	c := &renewers{T: t, address: address, done: make(chan struct{})}
	names := []string{"alice", "bob", "carol"}
	for i := range people {
		v := newPerson(t, address, names[i%len(names)]).visitor(t, address)
		c.over.Go(func() { c.repeat(func() error { return c.renew(v) }) })
	}
	prober := newVisitor(t, address)
	c.over.Go(func() {
		c.repeat(func() error {
			return c.ask("/readyz", prober, func() idptest.Page { return prober.Get("/readyz") }, readiness)
		})
	})
	return c
}

// leave ends the load.
func (c *renewers) stop() {
	close(c.done)
	c.over.Wait()
}

// repeat does something until the end, after a failure a little later.
func (c *renewers) repeat(do func() error) {
	for {
		wait := time.Duration(0)
		if do() != nil {
			wait = 20 * time.Millisecond
		}
		select {
		case <-c.done:
			return
		case <-time.After(wait):
		}
	}
}

// renew is one silent renewal.
func (c *renewers) renew(v *visitor) error {
	var page idptest.Page
	err := c.ask("/authorize", v, func() idptest.Page { page = v.Authorize(silent); return page }, renewal)
	if err != nil {
		return err
	}
	code := page.Location.Query().Get("code")
	return c.ask("/token", v, func() idptest.Page { return v.Post("/token", tokenForm(code)) }, readiness)
}

// ask notes the answer. An error says that it was not served.
func (c *renewers) ask(to string, v *visitor, ask func() idptest.Page, read func(idptest.Page) string) error {
	a := answer{to: to, begun: time.Now()}
	err := v.try(func() { a.said = read(ask()) })
	a.ended = time.Now()
	if err != nil {
		a.said = err.Error()
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.answers = append(c.answers, a)
	if a.said != wasServed {
		return fmt.Errorf("%s", a.said)
	}
	return nil
}

// renewal reads the answer to a silent request: a code, or by redirect that there is none now (RFC 6749 §4.1.2.1).
func renewal(page idptest.Page) string {
	query := url.Values{}
	if page.Location != nil {
		query = page.Location.Query()
	}
	switch {
	case query.Get("code") != "":
		return wasServed
	case query.Get("error") == "temporarily_unavailable":
		return wasAway
	}
	return fmt.Sprintf("the silent request gave %d %v %s", page.Status, page.Location, page.Body)
}

// readiness reads an answer by its status.
func readiness(page idptest.Page) string {
	switch page.Status {
	case http.StatusOK:
		return wasServed
	case http.StatusServiceUnavailable:
		return wasAway
	}
	return fmt.Sprintf("%d: %s", page.Status, page.Body)
}

// check holds that every answer came in time, and that between gone and back none was served; that before and, a little
// later, afterwards all were.
func (c *renewers) check(gone, back time.Time) {
	c.Helper()
	var longest, recovery time.Duration
	count := map[string]int{}
	for _, a := range c.answers {
		took := a.ended.Sub(a.begun)
		longest = max(longest, took)
		during := a.begun.After(gone.Add(edge)) && a.ended.Before(back)
		switch {
		case a.said != wasServed && a.said != wasAway:
			c.Errorf("%v after the engine went %s took %v to say %s", a.begun.Sub(gone), a.to, took, a.said)
		case took > answerWithin:
			c.Errorf("%v after the engine went %s took %v to say %q; want %v at the most", a.begun.Sub(gone), a.to, took, a.said,
				answerWithin)
		case during && a.said == wasServed:
			c.Errorf("%v after the engine went %s serves", a.begun.Sub(gone), a.to)
		case a.said == wasAway && a.ended.Before(gone):
			c.Errorf("%v before the engine went %s says that it is away", gone.Sub(a.begun), a.to)
		case a.said == wasAway && a.ended.After(back):
			recovery = max(recovery, a.ended.Sub(back))
		}
		if count[a.said]++; during {
			count["during"]++
		}
	}
	if recovery > returnWithin {
		c.Errorf("%v after the engine's return an answer says still that it is away; want %v at the most", recovery,
			returnWithin)
	}
	if count[wasAway] == 0 || count[wasServed] == 0 || count["during"] == 0 {
		c.Errorf("the load did not see the outage: %v", count)
	}
	c.Logf("answers: %v; the longest took %v; %v after its return the engine was last said to be away", count, longest,
		recovery)
}

// usage is what the process needs, by its own metrics.
type usage struct{ resident, goroutines float64 }

func usageOf(t *testing.T, address string) usage {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return usage{number(t, string(text), "process_resident_memory_bytes"), number(t, string(text), "go_goroutines")}
}

func number(t *testing.T, text, name string) float64 {
	t.Helper()
	_, after, _ := strings.Cut(text, "\n"+name+" ")
	line, _, _ := strings.Cut(after, "\n")
	value, err := strconv.ParseFloat(line, 64)
	if err != nil {
		t.Fatalf("/metrics has no number %s: %v", name, err)
	}
	return value
}

func (u usage) String() string {
	return fmt.Sprintf("%.0f MiB, %.0f goroutines", u.resident/(1<<20), u.goroutines)
}

// checkFlat holds that the process needs no more than before. The garbage collector may be late. A request that waits
// for Redis may have two goroutines more: the wait, and the watch of the client's connection.
func (u usage) checkFlat(t *testing.T, before usage) {
	t.Helper()
	if u.resident > 1.5*before.resident+32<<20 || u.goroutines > before.goroutines+float64(rounds(40, 140)) {
		t.Errorf("the process needs %v; before the outage %v", u, before)
	}
}

// TestRedisAwayUnderLoad: every answer comes in time and says what is the matter, service returns by itself, and memory
// is flat.
func TestRedisAwayUnderLoad(t *testing.T) {
	path := binary(t)
	for _, row := range []struct {
		name       string
		away, back func(*redistest.Server)
	}{
		{"it is stopped, and goes on", (*redistest.Server).Pause, (*redistest.Server).Resume},
		{"it is killed, and started again at the same port", (*redistest.Server).Stop, (*redistest.Server).Restart},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server, address := redistest.Start(t, redistest.Durable...), freeAddress(t, "127.0.0.1")
			startServing(t, path, "--listen", address, "--issuer", "http://"+address, "--store", server.URL, "--cookie-keys",
				testSecret, "--log-level", "error")
			c := startRenewers(t, address, rounds(12, 60))
			time.Sleep(seconds(2, 10))
			before, gone := usageOf(t, address), time.Now()
			row.away(server)
			time.Sleep(seconds(4, 20))
			if status, body := get(t, "http://"+address+"/healthz"); status != http.StatusOK {
				t.Errorf("/healthz gives %d %s", status, body)
			}
			during, returned := usageOf(t, address), time.Now()
			row.back(server)
			time.Sleep(returnWithin + seconds(1, 10))
			after := usageOf(t, address)
			c.stop()
			c.check(gone, returned)
			t.Logf("before: %v; at the end of the outage: %v; afterwards: %v", before, during, after)
			during.checkFlat(t, before)
			after.checkFlat(t, before)
		})
	}
}

func seconds(few, many int) time.Duration { return time.Duration(rounds(few, many)) * time.Second }

// TestRedisFarAwayIsOnlySlow: 200 ms between the provider and its Redis, and every renewal succeeds. A renewal
// waits for Redis once.
func TestRedisFarAwayIsOnlySlow(t *testing.T) {
	server := redistest.Start(t)
	link, address := redistest.Connect(t, server), freeAddress(t, "127.0.0.1")
	link.Delay(200 * time.Millisecond)
	startServing(t, binary(t), "--listen", address, "--issuer", "http://"+address, "--store", link.URL, "--cookie-keys",
		testSecret, "--log-level", "error")
	people := []*person{newPerson(t, address, "alice"), newPerson(t, address, "bob")}
	var over sync.WaitGroup
	for i := range 10 {
		v := people[i%2].visitor(t, address)
		over.Go(func() {
			for range 5 {
				begun := time.Now()
				if err := v.try(func() { v.Tokens("spa", v.Code(silent)) }); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took < 200*time.Millisecond {
					t.Errorf("a renewal took %v: the test delays nothing", took)
				}
			}
		})
	}
	over.Wait()
}
