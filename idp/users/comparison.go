package users

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/hush-idp/hush/oidc"
)

const (
	// maxMemory bounds the memory of all comparisons that run at the same time, in KiB. One that needs more runs alone.
	maxMemory = 256 << 10
	// maxWaiting is the number of attempts that wait, for each comparison that may run.
	maxWaiting = 15
	// maxWait is how long an attempt waits at most.
	maxWait = 5 * time.Second
)

// ErrBusy is the error of an attempt whose password was not compared, because too many other attempts wait.
var ErrBusy = oidc.TemporarilyUnavailable.Errorf(
	"too many people are signing in at the moment: the password was not compared; try again in a few seconds",
).Blame(oidc.RequestTooMany)

// kind decides the cost of a comparison. It is the algorithm and the parameters of a hash. The name of plain text is
// empty.
type kind struct {
	name    string
	memory  int64                      // KiB
	threads int                        // that one comparison uses
	compare func(password string) bool // with one hash of this kind
}

// kindOf returns the kind of a hash that decodeHash accepts, in the form that Encode writes.
func kindOf(encoded string) kind {
	parts, secrets := strings.Split(encoded, "$"), 2 // salt and key
	if parts[1] == "2b" {
		secrets = 1 // bcrypt writes both in one
	}
	k := kind{name: strings.Join(parts[:len(parts)-secrets], "$"), threads: 1}
	if parts[1] == "argon2id" {
		var time int
		_, _ = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &k.memory, &time, &k.threads) // Encode has written it
	}
	return k
}

// comparisons runs comparisons. Each attempt makes one comparison of every kind, so that its time tells nothing about
// the user. Attempts wait while others use the memory and the processors that comparisons may use.
type comparisons struct {
	kinds    []kind
	running  *semaphore.Weighted
	admitted *semaphore.Weighted // attempts that run or wait
}

// add adds the kind if it is new. Its comparison stands for that of every user with a hash of another kind.
func (c *comparisons) add(k kind) {
	if !slices.ContainsFunc(c.kinds, func(known kind) bool { return known.name == k.name }) {
		c.kinds = append(c.kinds, k)
	}
}

// limit sets how many attempts may run at once: one processor stays free for other requests.
func (c *comparisons) limit(processors int) {
	memory, threads := int64(1), 1
	for _, k := range c.kinds {
		memory, threads = max(memory, k.memory), max(threads, k.threads)
	}
	atOnce := max(1, min(int64((processors-1)/threads), maxMemory/memory))
	c.running, c.admitted = semaphore.NewWeighted(atOnce), semaphore.NewWeighted(atOnce*(1+maxWaiting))
}

// matches compares the password with the user's own hash, which is of kind own, and with one hash of every other kind.
// A nil compare stands for no user. The error is ErrBusy, also if ctx ends first.
func (c *comparisons) matches(
	ctx context.Context, own string, compare func(string) bool, password string,
) (matches bool, err error) {
	if !c.admitted.TryAcquire(1) {
		return false, ErrBusy
	}
	defer c.admitted.Release(1)
	waiting, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if c.running.Acquire(waiting, 1) != nil {
		return false, ErrBusy
	}
	defer c.running.Release(1)
	for _, k := range c.kinds {
		if compare != nil && k.name == own {
			matches = compare(password)
		} else {
			k.compare(password)
		}
	}
	return matches, nil
}

// Costs returns the different kinds of the hashes of the users: algorithms with parameters.
func Costs(list []User) (names []string) {
	for _, user := range list {
		if digest, err := decodeHash(user.PasswordHash); err == nil {
			names = append(names, kindOf(digest.Encode()).name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
