package idp_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage"
)

func TestASilentRefreshCostsThreeStoreOperations(t *testing.T) {
	counter := &counter{}
	p := idptest.Start(t, nil, func(s storage.Store) storage.Store {
		counter.Store = s
		return counter
	})
	b := p.Browser(t)
	b.SignIn("alice")
	for range 3 {
		counter.reset()
		b.Tokens("spa", b.Code(idptest.Request("spa", "prompt", "none")))
		if want := []string{"Get", "Put", "Update"}; !slices.Equal(counter.done, want) {
			t.Errorf("a silent refresh did %v; want %v: read the session, write the code, spend it", counter.done, want)
		}
	}
}

func TestASessionInUseIsWrittenRarely(t *testing.T) {
	counter := &counter{}
	p := idptest.Start(t, nil, func(s storage.Store) storage.Store {
		counter.Store = s
		return counter
	})
	b := p.Browser(t)
	b.SignIn("alice")
	updates := 0
	for range 110 { // eleven hours of renewals, six minutes apart: longer than the idle lifetime, within the absolute one
		p.Clock.Pass(6 * time.Minute)
		counter.reset()
		b.Code(idptest.Request("spa", "prompt", "none"))
		if slices.Contains(counter.done, "Update") {
			updates++
		}
	}
	if updates == 0 || updates > 55 {
		t.Errorf("the session was written %d times in 110 renewals; want once in a tenth of the idle lifetime", updates)
	}
}

func TestRecordsThatExpiredDoNotPileUp(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	for range 2000 {
		p.Clock.Pass(10 * time.Second)
		b.Code(idptest.Request("spa", "prompt", "none"))
	}
	if held := p.Store.Len(); held > 500 {
		t.Errorf("after 2000 codes %d records are held; want those of the last minutes", held)
	}
}

// counter notes the store operations that pass through it.
type counter struct {
	storage.Store
	mutex sync.Mutex
	done  []string
}

func (c *counter) note(operation string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.done = append(c.done, operation)
}

func (c *counter) reset() { c.done = nil }

func (c *counter) Get(ctx context.Context, key string) ([]byte, error) {
	c.note("Get")
	return c.Store.Get(ctx, key)
}

func (c *counter) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	c.note("Put")
	return c.Store.Put(ctx, key, value, ttl)
}

func (c *counter) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	c.note("Update")
	return c.Store.Update(ctx, key, ttl, change)
}
