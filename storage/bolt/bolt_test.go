package bolt_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestBoltKeepsTheContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storagetest.Engine {
		c := storagetest.NewClock()
		return storagetest.Engine{Store: open(t, newPath(t), c.Now), Pass: c.Pass}
	})
}

func TestWhatWasWrittenIsThereAfterAnotherStart(t *testing.T) {
	c, path := storagetest.NewClock(), newPath(t)
	s := open(t, path, c.Now)
	mustPut(t, s, "short", "v", time.Minute)
	mustPut(t, s, "long", "v", time.Hour)
	mustPut(t, s, "removed", "v", time.Hour)
	mustUpdate(t, s, "short", func(old []byte) ([]byte, error) { return append(old, '+'), nil })
	mustUpdate(t, s, "removed", func([]byte) ([]byte, error) { return nil, nil })
	closeStore(t, s)

	s = open(t, path, c.Now)
	want(t, s, "short", "v+")
	want(t, s, "long", "v")
	wantError(t, get(s, "removed"), storage.ErrNotFound)
	c.Pass(2 * time.Minute)
	wantError(t, get(s, "short"), storage.ErrNotFound)
	closeStore(t, s)

	s = open(t, path, c.Now)
	wantError(t, get(s, "short"), storage.ErrNotFound)
	want(t, s, "long", "v")
}

func TestATimeIsNeverTooFarOrTooEarly(t *testing.T) {
	for _, now := range []time.Time{{}, time.Unix(-5, 0), time.Unix(0, 0), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)} {
		s := open(t, newPath(t), func() time.Time { return now })
		mustPut(t, s, "longest", "v", 1<<63-1)
		mustPut(t, s, "shortest", "v", 1)
		want(t, s, "longest", "v")
		want(t, s, "shortest", "v")
		now = now.Add(time.Microsecond)
		wantError(t, get(s, "shortest"), storage.ErrNotFound)
	}
}

func TestAKeyThatCannotBeStoredHurtsNobodyElse(t *testing.T) {
	s := open(t, newPath(t), time.Now)
	inParallel(16, func(i int) {
		key := strconv.Itoa(i)
		if i%4 == 0 {
			key = strings.Repeat("x", i*5000)
		}
		err := s.Put(t.Context(), key, []byte("v"), time.Minute)
		if stored := key != "" && len(key) < 1<<15-8; stored != (err == nil) {
			t.Errorf("Put with a key of %d bytes = %v", len(key), err)
		}
	})
}

func TestWhatExpiredIsSweptThoughNobodyWrites(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path, time.Now)
		inParallel(50, func(i int) {
			for j := range 20 {
				mustPut(t, s, "dead"+strconv.Itoa(i)+"/"+strconv.Itoa(j), "v", time.Minute)
			}
		})
		mustPut(t, s, "alive", "v", time.Hour)
		time.Sleep(time.Minute + 10*time.Second) // of the bubble's time
		synctest.Wait()
		want(t, s, "alive", "v")
		closeStore(t, s)
	})
	if records, expiry := count(t, path); records != 1 || expiry != 1 {
		t.Errorf("the file holds %d records and %d times of expiry; want the live one", records, expiry)
	}
}

func TestWritersSweepMoreThanTheyAdd(t *testing.T) {
	c, path := storagetest.NewClock(), newPath(t)
	s := open(t, path, c.Now)
	for i := range 100 {
		mustPut(t, s, "dead"+strconv.Itoa(i), "v", time.Second)
	}
	c.Pass(time.Minute)
	for i := range 50 {
		mustPut(t, s, "alive"+strconv.Itoa(i), "v", time.Hour)
	}
	closeStore(t, s)
	if records, expiry := count(t, path); records != 50 || expiry != 50 {
		t.Errorf("the file holds %d records and %d times of expiry; want the 50 live ones", records, expiry)
	}
}

// hold keeps a transaction open, in a change that ends when release is called.
func hold(t *testing.T, s storage.Store) (release func() error) {
	t.Helper()
	holding, proceed, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Update(context.Background(), "held", time.Hour, func([]byte) ([]byte, error) {
			close(holding)
			<-proceed
			return []byte("v"), nil
		})
	}()
	<-holding
	return func() error {
		close(proceed)
		return <-ended
	}
}

func TestWritesAtTheSameTimeShareTransactions(t *testing.T) {
	s := open(t, newPath(t), time.Now)
	release := hold(t, s)
	before := transactions(s)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() { mustPut(t, s, strconv.Itoa(i), "v", time.Hour) })
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	group.Wait()
	if did := transactions(s) - before; did > 50 {
		t.Errorf("100 writes at the same time took %d transactions; want them to share some", did)
	}
}

func TestACallIsBoundedWhenTheDiskIsNot(t *testing.T) {
	s := open(t, newPath(t), time.Now)
	mustPut(t, s, "k", "old", time.Hour)
	release := hold(t, s)
	began := time.Now()
	wantError(t, s.Put(t.Context(), "k", []byte("new"), time.Hour), storage.ErrUnavailable)
	if took := time.Since(began); took < storage.Budget || took > storage.Budget+time.Second {
		t.Errorf("Put took %v; want the budget", took)
	}
	want(t, s, "k", "old") // reads do not wait
	_ = release()
	mustPut(t, s, "next", "v", time.Hour) // what waited before it is over
	want(t, s, "k", "old")
	mustPut(t, s, "k", "new", time.Hour)
}

func TestAContextThatEndsTakesAWaitingChangeBack(t *testing.T) {
	s := open(t, newPath(t), time.Now)
	release := hold(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantError(t, s.Put(ctx, "k", []byte("v"), time.Hour), context.DeadlineExceeded)
	if err := release(); err != nil {
		t.Error(err)
	}
	mustPut(t, s, "next", "v", time.Hour)
	wantError(t, get(s, "k"), storage.ErrNotFound)
}

func TestAPanicInAChangeIsItsCallersOwn(t *testing.T) {
	s := open(t, newPath(t), time.Now)
	inParallel(16, func(i int) {
		defer func() {
			if got := recover(); (got == "mine") != (i == 0) {
				t.Errorf("caller %d: recovered %v", i, got)
			}
		}()
		err := s.Update(t.Context(), strconv.Itoa(i), time.Hour, func([]byte) ([]byte, error) {
			if i == 0 {
				panic("mine")
			}
			return []byte("v"), nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	wantError(t, get(s, "0"), storage.ErrNotFound)
	want(t, s, "1", "v")
}

func TestCloseFinishesWhatWasTakenAndRefusesTheRest(t *testing.T) {
	path := newPath(t)
	s := open(t, path, time.Now)
	acknowledged := make(chan string, 10_000)
	var running atomic.Int32
	inParallel(33, func(i int) {
		if i == 32 {
			for running.Load() < 500 {
				time.Sleep(time.Millisecond)
			}
			closeStore(t, s)
			return
		}
		for j := range 300 {
			running.Add(1)
			key := strconv.Itoa(i) + "/" + strconv.Itoa(j)
			if err := s.Put(t.Context(), key, []byte("v"), time.Hour); err == nil {
				acknowledged <- key
			} else if !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("Put while closing = %v; want ErrUnavailable", err)
			}
		}
	})
	close(acknowledged)

	closeStore(t, s) // again
	wantError(t, get(s, "k"), storage.ErrUnavailable)
	wantError(t, s.Put(t.Context(), "k", nil, time.Hour), storage.ErrUnavailable)
	wantError(t, s.Ping(t.Context()), storage.ErrUnavailable)

	s, n := open(t, path, time.Now), 0
	for key := range acknowledged {
		want(t, s, key, "v")
		n++
	}
	if records, _ := countOpen(s); records != n || n == 0 {
		t.Errorf("%d records are there; %d were acknowledged", records, n)
	}
}
