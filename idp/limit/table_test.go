package limit

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

func table(t *testing.T, r Rate) (*Table[string], *storagetest.Clock) {
	t.Helper()
	clock := storagetest.NewClock()
	made, err := NewTable[string](r, "requests", clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return made, clock
}

// taken is how many events of key are let through of n that come at once.
func taken[K comparable](t *Table[K], key K, n int) int {
	through := 0
	for range n {
		if _, err := t.Take(key); err == nil {
			through++
		}
	}
	return through
}

func TestAllOfARateMayComeAtOnceAndComesBackEvenly(t *testing.T) {
	requests, clock := table(t, "60/1m")
	if n := taken(requests, "a", 100); n != 60 {
		t.Fatalf("%d of 100 at once were let through; want 60", n)
	}
	clock.Pass(3 * time.Second)
	if n := taken(requests, "a", 100); n != 3 {
		t.Errorf("3 seconds later %d were let through; want 3", n)
	}
	clock.Pass(time.Hour)
	if n := taken(requests, "a", 100); n != 60 {
		t.Errorf("an hour later %d were let through; want 60: what is not used does not pile up", n)
	}
}

func TestKeysDoNotShare(t *testing.T) {
	requests, _ := table(t, "2/1m")
	if a, b := taken(requests, "a", 5), taken(requests, "b", 5); a != 2 || b != 2 {
		t.Errorf("%d of a and %d of b were let through; want 2 of each", a, b)
	}
}

func TestARefusalSaysWhenToTryAgain(t *testing.T) {
	requests, clock := table(t, "2/1m")
	taken(requests, "a", 2)
	_, err := requests.Take("a")
	exceeded, ok := errors.AsType[*Exceeded](err)
	if !ok || exceeded.RetryAfter() != 30 {
		t.Fatalf("Take = %v; want an Exceeded of 30 seconds", err)
	}
	taken(requests, "a", 100) // trying on does not make it longer
	clock.Pass(time.Duration(exceeded.RetryAfter()) * time.Second)
	if _, err := requests.Take("a"); err != nil {
		t.Errorf("after Retry-After: %v", err)
	}
}

func TestTheErrorOfALimitIsOneThatClientsKnow(t *testing.T) {
	requests, _ := table(t, "1/1m")
	taken(requests, "a", 1)
	_, err := requests.Take("a")
	e := oidc.AsError(err)
	if e.Code != oidc.TemporarilyUnavailable || e.Reason != oidc.RequestTooMany ||
		e.Status() != http.StatusServiceUnavailable {
		t.Errorf("AsError = %+v", e)
	}
	if want := "there were too many requests; try again in 60 seconds"; e.Description != want {
		t.Errorf("the description is %q; want %q", e.Description, want)
	}
}

func TestRetryAfterIsWholeSeconds(t *testing.T) {
	for _, row := range []struct {
		wait  time.Duration
		want  int
		words string
	}{
		{time.Millisecond, 1, "a second"},
		{1500 * time.Millisecond, 2, "2 seconds"},
		{119 * time.Second, 119, "119 seconds"},
		{2 * time.Minute, 120, "2 minutes"},
		{61*time.Minute + time.Second, 3661, "62 minutes"},
	} {
		e := &Exceeded{Wait: row.wait, what: "x"}
		if e.RetryAfter() != row.want || !strings.HasSuffix(e.Error(), " in "+row.words) {
			t.Errorf("%v: Retry-After %d, %q; want %d, %s", row.wait, e.RetryAfter(), e.Error(), row.want, row.words)
		}
	}
}

func TestLookCountsNothing(t *testing.T) {
	requests, clock := table(t, "2/1m")
	for range 10 {
		if err := requests.Look("a"); err != nil {
			t.Fatal(err)
		}
	}
	if n := requests.buckets.Len(); n != 0 {
		t.Errorf("Look started %d buckets", n)
	}
	if n := taken(requests, "a", 5); n != 2 {
		t.Fatalf("%d were let through; want 2", n)
	}
	exceeded, ok := errors.AsType[*Exceeded](requests.Look("a"))
	if !ok || exceeded.RetryAfter() != 30 {
		t.Fatalf("Look = %v; want 30 seconds", exceeded)
	}
	clock.Pass(30 * time.Second)
	if err := requests.Look("a"); err != nil {
		t.Error(err)
	}
}

func TestWhatIsGivenBackNeverHappened(t *testing.T) {
	requests, clock := table(t, "2/1m")
	for range 10 {
		giveBack, err := requests.Take("a")
		if err != nil {
			t.Fatal(err)
		}
		giveBack()
	}
	giveBack, _ := requests.Take("a")
	clock.Pass(time.Hour) // it came back by itself
	giveBack()
	if n := taken(requests, "a", 10); n != 2 {
		t.Errorf("%d were let through; want 2, never more than the rate allows at once", n)
	}
}

func TestForgetBeginsAnew(t *testing.T) {
	requests, _ := table(t, "2/1m")
	taken(requests, "a", 5)
	requests.Forget("a")
	requests.Forget("never seen")
	if n := taken(requests, "a", 5); n != 2 {
		t.Errorf("%d were let through; want 2", n)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	requests, _ := table(t, "2/1m")
	requests.buckets.Resize(100)
	taken(requests, "busy", 2)
	for i := range 10_000 {
		taken(requests, fmt.Sprint(i), 1)
		if i%50 == 0 && taken(requests, "busy", 1) != 0 {
			t.Fatalf("a key in use was forgotten after %d others", i)
		}
	}
	if n := requests.buckets.Len(); n != 100 {
		t.Errorf("there are %d buckets; want 100", n)
	}
	if n := taken(requests, "0", 5); n != 2 {
		t.Errorf("the key used longest ago is still remembered: %d", n)
	}
}

func TestOfManyAtOnceNoneSlipsThrough(t *testing.T) {
	requests, _ := table(t, "50/1h")
	var through atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 20 {
				if _, err := requests.Take("a"); err == nil {
					through.Add(1)
				}
				_ = requests.Look("a")
				requests.Forget(fmt.Sprint("b", i))
				_, _ = requests.Take(fmt.Sprint("b", i))
			}
		})
	}
	all.Wait()
	if n := through.Load(); n != 50 {
		t.Errorf("%d of 320 were let through; want 50", n)
	}
}

func TestWithoutARateNothingIsLimited(t *testing.T) {
	for _, r := range []Rate{"", Off} {
		none, _ := table(t, r)
		if none != nil || taken(none, "a", 1000) != 1000 || none.Look("a") != nil {
			t.Errorf("%q limits", r)
		}
		none.Forget("a")
	}
}

func TestRates(t *testing.T) {
	for _, good := range []Rate{"", "off", "1/1s", "60/1m", "100/1h30m", "3/500ms"} {
		if err := good.Check(); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []Rate{
		"60", "60/m", "/1m", "60/", "0/1m", "-1/1m", "1/0s", "1/-1m", "1.5/1m", "60 / 1m", "60/1m/2", "99999999999/1m", "on",
		"false",
	} {
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), "such as 60/1m") {
			t.Errorf("%q: %v; want an error that says what to write", bad, err)
		}
		if _, err := NewTable[string](bad, "", time.Now); err == nil {
			t.Errorf("a table of %q", bad)
		}
	}
}
