package storage_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// twoCells are one record as two processes see it, on an engine that is watched.
func twoCells(t *testing.T) (a, b *storage.Cell[note], clock *storagetest.Clock, spy *storagetest.Spy) {
	t.Helper()
	clock = storagetest.NewClock()
	spy = &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	place := storage.Place{Store: spy, Now: clock.Now, Age: time.Second}
	return storage.NewCell[note](place, "note", "k"), storage.NewCell[note](place, "note", "k"), clock, spy
}

func write(t *testing.T, c *storage.Cell[note], text string) {
	t.Helper()
	if err := c.Change(t.Context(), func(note) (note, error) { return note{text}, nil }); err != nil {
		t.Fatal(err)
	}
}

func TestACellShowsAChangeAtOnceHereAndLaterElsewhere(t *testing.T) {
	here, there, clock, spy := twoCells(t)
	if err := there.CatchUp(t.Context()); err != nil || there.View() != nil {
		t.Fatalf("before any change the view is %v, %v", there.View(), err)
	}
	write(t, here, "new")
	if here.View() == nil || here.View().Text != "new" {
		t.Errorf("after a change the view here is %v", here.View())
	}
	spy.Reset()
	for range 3 {
		if err := there.CatchUp(t.Context()); err != nil || there.View() != nil {
			t.Errorf("within the age of its view another process sees %v, %v", there.View(), err)
		}
	}
	if asked := spy.Operations(); len(asked) != 0 {
		t.Errorf("a young view asked the store: %v", asked)
	}
	clock.Pass(time.Second)
	if err := there.CatchUp(t.Context()); err != nil || there.View() == nil || there.View().Text != "new" {
		t.Errorf("afterwards another process sees %v, %v", there.View(), err)
	}
	if asked := spy.Operations(); !slices.Equal(asked, []string{"Get"}) {
		t.Errorf("catching up asked %v; want one Get", asked)
	}
}

func TestACellThatExpiredLooksAgain(t *testing.T) {
	here, there, _, _ := twoCells(t)
	if err := there.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, here, "new")
	there.Expire()
	if err := there.CatchUp(t.Context()); err != nil || there.View() == nil {
		t.Errorf("the view is %v, %v", there.View(), err)
	}
}

func TestACellKeepsItsViewWhileTheEngineIsGone(t *testing.T) {
	here, _, clock, spy := twoCells(t)
	write(t, here, "kept")
	spy.Gone(true)
	clock.Pass(time.Minute)
	if err := here.CatchUp(t.Context()); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("CatchUp = %v; want ErrEngine", err)
	}
	spy.Reset()
	if err := here.CatchUp(t.Context()); !errors.Is(err, storagetest.ErrEngine) || len(spy.Operations()) != 0 {
		t.Errorf("right after it CatchUp = %v and asked %v; want the same error, and no question", err, spy.Operations())
	}
	if here.View() == nil || here.View().Text != "kept" {
		t.Errorf("the view is %v", here.View())
	}
}

func TestAChangeThatIsRefusedChangesNothing(t *testing.T) {
	here, _, _, _ := twoCells(t)
	write(t, here, "old")
	refused := errors.New("refused")
	err := here.Change(t.Context(), func(note) (note, error) { return note{"new"}, refused })
	if !errors.Is(err, refused) {
		t.Errorf("Change = %v; want its own error", err)
	}
	if here.View().Text != "old" {
		t.Errorf("the view is %v", here.View())
	}
}

func TestOfTwoProcessesOneMakesTheRecord(t *testing.T) {
	here, there, _, _ := twoCells(t)
	for _, row := range []struct {
		cell *storage.Cell[note]
		text string
	}{{here, "first"}, {there, "second"}, {here, "third"}} {
		made, err := row.cell.Make(t.Context(), func() note { return note{row.text} })
		if err != nil || made.Text != "first" || row.cell.View() != made {
			t.Errorf("Make of %q = %v, %v; want the first, and the view", row.text, made, err)
		}
	}
}

// Otherwise each of these requests would wait for the others, and each would cost an operation of the engine.
func TestRequestsThatMakeTheRecordAtOnceAskTheEngineOnce(t *testing.T) {
	here, _, _, spy := twoCells(t)
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			if _, err := here.Make(t.Context(), func() note { return note{"made"} }); err != nil {
				t.Error(err)
			}
		})
	}
	if done.Wait(); !slices.Equal(spy.Operations(), []string{"Get", "Update"}) {
		t.Errorf("the engine was asked %v; want one Get and one Update", spy.Operations())
	}
}

// A request whose earlier operations took most of its Budget learns nothing about the engine.
func TestACallerWithLittleTimeLeftMakesNoOtherFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newSlowStore(300 * time.Millisecond)
		cell := storage.NewCell[note](storage.Place{Store: slow, Now: time.Now, Age: time.Second}, "note", "k")
		poor := storage.WithBudget(t.Context())
		_, end := storage.Spend(poor)
		time.Sleep(storage.Budget - 100*time.Millisecond)
		end()
		if err := cell.CatchUp(poor); err == nil {
			t.Error("a caller with 100 ms left read in 300 ms")
		}
		if err := cell.CatchUp(storage.WithBudget(t.Context())); err != nil {
			t.Errorf("the next caller: %v", err)
		}
	})
}

// Requests that come ten times in each round trip, and give up while the engine hangs, leave no queue behind in which
// each has too little time.
func TestAfterAHangAllRequestsSucceedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newSlowStore(time.Minute)
		cell := storage.NewCell[note](storage.Place{Store: slow, Now: time.Now, Age: time.Second}, "note", "k")
		var failed atomic.Int64
		request := func() {
			ctx, leave := context.WithTimeout(storage.WithBudget(t.Context()), time.Second)
			defer leave()
			if cell.CatchUp(ctx) != nil {
				failed.Add(1)
			}
		}
		for i := range 5000 { // ten seconds, of which the engine hangs for three
			time.Sleep(2 * time.Millisecond)
			go request()
			if i == 1500 {
				slow.takes.Store(int64(20 * time.Millisecond))
			}
			if i == 1500+int(storage.Budget/(2*time.Millisecond))+10 {
				synctest.Wait()
				failed.Store(0)
			}
		}
		synctest.Wait()
		if n := failed.Load(); n != 0 {
			t.Errorf("%d requests failed although the engine answers again for Budget", n)
		}
	})
}

// Otherwise each request would wait for a Budget of its own, one after the other.
func TestAFailedMakeIsRemembered(t *testing.T) {
	here, _, clock, spy := twoCells(t)
	if err := here.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	spy.Gone(true)
	first := func() note { return note{"made"} }
	for range 3 {
		if _, err := here.Make(t.Context(), first); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("Make: %v; want ErrEngine", err)
		}
	}
	if want := []string{"Get", "Update"}; !slices.Equal(spy.Operations(), want) {
		t.Errorf("the engine was asked %v; want %v", spy.Operations(), want)
	}
	spy.Gone(false)
	clock.Pass(200 * time.Millisecond)
	if made, err := here.Make(t.Context(), first); err != nil || made.Text != "made" {
		t.Errorf("afterwards Make gives %v, %v", made, err)
	}
}

// slowStore answers a Get after some time, or when the ctx ends.
type slowStore struct {
	storage.Store
	takes atomic.Int64
}

func newSlowStore(takes time.Duration) *slowStore {
	s := &slowStore{Store: storage.NewMemory(time.Now)}
	s.takes.Store(int64(takes))
	return s
}

func (s *slowStore) Get(ctx context.Context, key string) ([]byte, error) {
	ctx, end := storage.Spend(ctx)
	defer end()
	select {
	case <-time.After(time.Duration(s.takes.Load())):
		return s.Store.Get(ctx, key)
	case <-ctx.Done():
		return nil, storage.ErrUnavailable
	}
}

// After an error that came at once the engine is asked again soon; an engine that hangs is left alone for longer.
func TestHowLongACellReturnsTheSameError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			takes time.Duration
			pause time.Duration
		}{{0, 200 * time.Millisecond}, {time.Minute, storage.Budget}} {
			spy := &storagetest.Spy{Store: newSlowStore(row.takes)}
			spy.Gone(row.takes == 0)
			cell := storage.NewCell[note](storage.Place{Store: spy, Now: time.Now, Age: time.Second}, "note", "k")
			first := cell.CatchUp(t.Context())
			time.Sleep(row.pause - 1)
			again := cell.CatchUp(t.Context())
			if reads := len(spy.Operations()); first == nil || again == nil || reads > 1 {
				t.Errorf("%v: %v, %v after %d reads; want two errors, and one read", row.takes, first, again, reads)
			}
			time.Sleep(time.Nanosecond)
			spy.Reset()
			if _ = cell.CatchUp(t.Context()); row.takes == 0 && len(spy.Operations()) != 1 {
				t.Errorf("%v: no read after %v", row.takes, row.pause)
			}
		}
	})
}

func TestACallerThatGoesAwayMakesNoOtherFail(t *testing.T) {
	here, there, _, _ := twoCells(t)
	write(t, here, "kept")
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := there.CatchUp(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("CatchUp: %v; want context.Canceled", err)
	}
	if err := there.CatchUp(t.Context()); err != nil || there.View() == nil {
		t.Errorf("CatchUp of the next caller: %v; the view is %v", err, there.View())
	}
}
