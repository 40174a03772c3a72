package limit_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/storage/storagetest"
)

var generous = limit.PasswordConfig{PerAddress: "30/1m", PerUser: "100/1h", PerUserAndAddress: "10/10m"}

func passwords(t *testing.T, c limit.PasswordConfig) (*limit.Passwords, *storagetest.Clock) {
	t.Helper()
	clock := storagetest.NewClock()
	p, err := limit.NewPasswords(c, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return p, clock
}

func address(n int) netip.Prefix {
	return netip.MustParsePrefix(fmt.Sprintf("10.0.%d.%d/32", n/256, n%256))
}

// wrong is how many wrong passwords, one for each name, are compared.
func wrong(p *limit.Passwords, from netip.Prefix, names ...string) int {
	compared := 0
	for _, name := range names {
		if _, err := p.Attempt(from, name); err == nil {
			compared++
		}
	}
	return compared
}

func times(n int, name string) []string {
	return strings.Split(strings.Repeat(name+"\n", n-1)+name, "\n")
}

func TestOneAddressGuessesOneUsersPasswordTenTimes(t *testing.T) {
	p, clock := passwords(t, generous)
	if n := wrong(p, address(1), times(50, "alice")...); n != 10 {
		t.Errorf("%d guesses were compared; want 10", n)
	}
	clock.Pass(2 * time.Minute)
	if n := wrong(p, address(1), times(50, "alice")...); n != 2 {
		t.Errorf("two minutes later %d were compared; want 2", n)
	}
}

func TestAUserCanSignInWhileAnotherAddressGuesses(t *testing.T) {
	p, _ := passwords(t, generous)
	wrong(p, address(1), times(500, "alice")...)
	if _, err := p.Attempt(address(2), "alice"); err != nil {
		t.Errorf("the user is locked out by one address that guesses: %v", err)
	}
}

// NIST SP 800-63B §5.2.2: "no more than 100" consecutive failed attempts on a single account.
func TestManyAddressesTogetherGuessAHundredTimes(t *testing.T) {
	p, _ := passwords(t, generous)
	compared := 0
	for i := range 100 {
		compared += wrong(p, address(i), times(5, "alice")...)
	}
	if compared != 100 {
		t.Errorf("%d guesses were compared; want 100", compared)
	}
	if wrong(p, address(1000), "bob") != 1 {
		t.Error("another user cannot sign in")
	}
}

func TestOneAddressTriesOnePasswordWithManyUsers(t *testing.T) {
	p, _ := passwords(t, generous)
	compared := 0
	for i := range 500 {
		compared += wrong(p, address(1), fmt.Sprint("user", i))
	}
	if compared != 30 {
		t.Errorf("%d users were tried; want 30", compared)
	}
}

// NIST SP 800-63B §5.2.2: "When the subscriber successfully authenticates, the verifier SHOULD disregard any previous
// failed attempts for that user from the same IP address."
func TestARightPasswordMakesUpForWrongOnesOfTheSameUserAndAddress(t *testing.T) {
	p, _ := passwords(t, generous)
	wrong(p, address(1), times(9, "alice")...)
	wrong(p, address(2), times(9, "alice")...)
	settle, err := p.Attempt(address(1), "alice")
	if err != nil {
		t.Fatal(err)
	}
	settle(true, nil)
	if n := wrong(p, address(1), times(20, "alice")...); n != 10 {
		t.Errorf("after a sign-in %d guesses of the same address were compared; want 10", n)
	}
	if n := wrong(p, address(2), times(20, "alice")...); n != 1 {
		t.Errorf("after a sign-in elsewhere %d guesses were compared; want the 1 that was left", n)
	}
}

func TestRightPasswordsAreNotCounted(t *testing.T) {
	p, _ := passwords(t, generous)
	for i := range 1000 {
		settle, err := p.Attempt(address(1), "alice")
		if err != nil {
			t.Fatalf("sign-in %d: %v", i, err)
		}
		settle(true, nil)
	}
}

func TestWhatIsRefusedByOneLimitIsNotCountedByTheOthers(t *testing.T) {
	p, _ := passwords(t, limit.PasswordConfig{PerAddress: "5/1h", PerUser: "2/1h", PerUserAndAddress: "3/1h"})
	wrong(p, address(2), times(2, "alice")...) // now alice is guessed enough
	if n := wrong(p, address(1), times(20, "alice")...); n != 0 {
		t.Fatalf("%d were compared", n)
	}
	if n := wrong(p, address(1), "bob", "bob", "carol", "carol", "dave"); n != 5 {
		t.Errorf("%d guesses about others were compared; want 5: refused ones used up nothing", n)
	}
}

func TestWhatWasNotComparedIsNotCounted(t *testing.T) {
	p, _ := passwords(t, generous)
	for i := range 1000 {
		settle, err := p.Attempt(address(1), "alice")
		if err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		settle(false, errors.New("too many others wait"))
	}
}

func TestGuessesAtTheSameMomentAreCounted(t *testing.T) {
	p, _ := passwords(t, generous)
	var compared atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { compared.Add(int32(wrong(p, address(1), "alice"))) })
	}
	all.Wait()
	if n := compared.Load(); n != 10 {
		t.Errorf("%d of 50 guesses at once were compared; want 10", n)
	}
}

func TestPasswordsWithoutLimits(t *testing.T) {
	off, _ := passwords(t, limit.PasswordConfig{PerAddress: limit.Off})
	for name, p := range map[string]*limit.Passwords{"nil": nil, "off": off} {
		if n := wrong(p, address(1), times(500, "alice")...); n != 500 {
			t.Errorf("%s: %d were compared; want all", name, n)
		}
	}
	if settle, err := (*limit.Passwords)(nil).Attempt(address(1), "alice"); err != nil {
		t.Error(err)
	} else {
		settle(true, nil)
	}
}

func TestARateThatCannotBeReadIsAnError(t *testing.T) {
	for _, c := range []limit.PasswordConfig{{PerAddress: "x"}, {PerUser: "x"}, {PerUserAndAddress: "x"}} {
		if _, err := limit.NewPasswords(c, time.Now); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
