package users

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Hashes of secret.
const (
	cheap   = "$2a$04$IqtYIirOf20f7bolEBP1OeGxqEuRYN5VNC.iA4fHjX2P7a9NsVyzm"
	prehash = "$bcrypt-sha256$v=2,t=2b,r=4$IqtYIirOf20f7bolEBP1Oe$GxqEuRYN5VNC.iA4fHjX2P7a9NsVyzm"
	argon   = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	larger  = "$argon2id$v=19$m=131072,t=3,p=2$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

func directoryOf(t *testing.T, hashes ...string) *Directory {
	t.Helper()
	list := []User{{Username: "plain", Password: "plain"}}
	for _, hash := range hashes {
		list = append(list, User{Username: "user" + string(rune('0'+len(list))), PasswordHash: hash})
	}
	directory, err := New(list)
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

// TestEachAttemptComparesWithEveryKindOfHash counts comparisons, since time itself proves nothing in a test. ASVS
// V6.3.8: the time of an answer does not tell which users exist.
func TestEachAttemptComparesWithEveryKindOfHash(t *testing.T) {
	directory := directoryOf(t, cheap, argon, argon, larger, prehash)
	var compared []string
	count := func(k *kind) {
		name := k.name
		k.compare = func(string) bool { compared = append(compared, name); return false }
	}
	for i := range directory.people.Load().compare.kinds {
		count(&directory.people.Load().compare.kinds[i])
	}
	for i := range directory.people.Load().own {
		count(&directory.people.Load().own[i])
	}
	want := []string{"", "$2b$4", "$argon2id$v=19$m=65536,t=3,p=4", "$argon2id$v=19$m=131072,t=3,p=2",
		"$bcrypt-sha256$v=2,t=2b,r=4"}
	for _, name := range []string{"nobody", "plain", "user1", "user2", "user3", "user4", "user5"} {
		compared = nil
		if _, ok, err := directory.Authenticate(t.Context(), name, "x"); ok || err != nil {
			t.Errorf("%s: %t, %v", name, ok, err)
		}
		if !slices.Equal(compared, want) {
			t.Errorf("for %s the comparisons were %q; want %q", name, compared, want)
		}
	}
}

// A hash of another user must not sign a user in, though it is compared too.
func TestOnlyTheOwnHashSignsIn(t *testing.T) {
	directory := directoryOf(t, cheap, argon)
	for name, want := range map[string]bool{"user1": true, "user2": false, "plain": false, "nobody": false} {
		if _, ok, err := directory.Authenticate(t.Context(), name, "secret"); ok != want || err != nil {
			t.Errorf("%s: %t, %v; want %t", name, ok, err, want)
		}
	}
}

// comparedAtOnce starts many attempts, and lets the comparisons end one after the other. It returns the largest number
// of comparisons that ran at the same time, and the number of attempts that were not compared.
func comparedAtOnce(directory *Directory, attempts int, each time.Duration) (most, busy int32) {
	var running, refused, peak atomic.Int32
	directory.people.Load().compare.kinds[0].compare = func(string) bool {
		peak.Store(max(peak.Load(), running.Add(1)))
		time.Sleep(each)
		running.Add(-1)
		return false
	}
	var all sync.WaitGroup
	for range attempts {
		all.Go(func() {
			if _, _, err := directory.Authenticate(context.Background(), "nobody", "x"); errors.Is(err, ErrBusy) {
				refused.Add(1)
			}
		})
	}
	all.Wait()
	return peak.Load(), refused.Load()
}

func TestComparisonsAtTheSameTimeAreBounded(t *testing.T) {
	for _, row := range []struct {
		name       string
		hashes     []string
		processors int
		atOnce     int32
	}{
		{"bcrypt uses one processor, and one stays free", []string{cheap}, 4, 3},
		{"one comparison runs, however few processors there are", []string{argon}, 1, 1},
		{"argon2id uses as many processors as its hash says", []string{argon}, 9, 2},
		{"all comparisons use 256 MiB at most", []string{argon}, 1000, 4},
		{"the dearest hash counts", []string{argon, cheap, larger}, 1000, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				directory := directoryOf(t, row.hashes...)
				directory.people.Load().compare.limit(row.processors)
				directory.people.Load().compare.kinds = directory.people.Load().compare.kinds[:1] // the real work takes real time
				const more = 7
				attempts := row.atOnce*(1+maxWaiting) + more
				most, busy := comparedAtOnce(directory, int(attempts), time.Millisecond)
				if most != row.atOnce || busy != more {
					t.Errorf("%d comparisons ran at once, and %d of %d attempts were refused; want %d and %d",
						most, busy, attempts, row.atOnce, more)
				}
			})
		})
	}
}

func TestAnAttemptWaitsForAShortTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		directory := directoryOf(t)
		directory.people.Load().compare.limit(2)
		if most, busy := comparedAtOnce(directory, 10, 2*time.Second); most != 1 || busy != 7 {
			t.Errorf("of 10 attempts of 2 s each %d were refused, and %d ran at once; want 7 and 1", busy, most)
		}
	})
}

func TestAnAttemptEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		directory := directoryOf(t)
		directory.people.Load().compare.limit(1)
		directory.people.Load().compare.kinds[0].compare = func(string) bool { time.Sleep(time.Second); return false }
		go func() { _, _, _ = directory.Authenticate(context.Background(), "nobody", "x") }()
		synctest.Wait()
		gone, leave := context.WithCancel(t.Context())
		leave()
		began := time.Now()
		_, _, err := directory.Authenticate(gone, "nobody", "x")
		if !errors.Is(err, ErrBusy) || time.Since(began) > 0 {
			t.Errorf("after %v: %v; want ErrBusy at once", time.Since(began), err)
		}
		time.Sleep(time.Second) // the other one ends
	})
}

func TestCosts(t *testing.T) {
	again := strings.Replace(argon, "c2Fs", "c2FS", 1) // another salt
	list := []User{{PasswordHash: argon}, {PasswordHash: again}, {Password: "x"}}
	if got := Costs(list); len(got) != 1 {
		t.Errorf("hashes of one cost: %q", got)
	}
	want := []string{"$2b$4", "$argon2id$v=19$m=65536,t=3,p=4"}
	if got := Costs(append(list, User{PasswordHash: cheap})); !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
}
