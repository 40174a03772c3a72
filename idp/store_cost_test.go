package idp_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestASilentRefreshCostsTwoStoreOperations(t *testing.T) {
	p, spy := startWithSpy(t)
	b := p.Browser(t)
	b.SignIn("alice")
	b.Code(idptest.Request("spa", "prompt", "none"))
	if want := []string{"Get", "Update"}; !slices.Equal(spy.Operations()[len(spy.Operations())-2:], want) {
		t.Errorf(
			"the first code of a client did %v; want %v at the end: the session notes once whom to tell of its end",
			spy.Operations(), want,
		)
	}
	for range 3 {
		spy.Reset()
		b.Tokens("spa", b.Code(idptest.Request("spa", "prompt", "none")))
		if want := []string{"Get", "Update"}; !slices.Equal(spy.Operations(), want) {
			t.Errorf("a silent refresh did %v; want %v: read the session, spend the code", spy.Operations(), want)
		}
	}
}

func TestASessionInUseIsWrittenRarely(t *testing.T) {
	p, spy := startWithSpy(t)
	b := p.Browser(t)
	b.SignIn("alice")
	b.Code(idptest.Request("spa", "prompt", "none"))
	updates := 0
	for range 110 { // eleven hours of renewals, six minutes apart: longer than the idle lifetime, within the absolute one
		p.Clock.Pass(6 * time.Minute)
		spy.Reset()
		b.Code(idptest.Request("spa", "prompt", "none"))
		if slices.Contains(spy.Operations(), "Update") {
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

func startWithSpy(t *testing.T) (*idptest.Provider, *storagetest.Spy) {
	t.Helper()
	spy := &storagetest.Spy{}
	p := idptest.Start(t, nil, func(s storage.Store) storage.Store {
		spy.Store = s
		return spy
	})
	return p, spy
}

// The session comes from the provider's own cache, and the mark of the spent code is written without a script.
func TestASilentRefreshOnRedisCostsOneRoundTrip(t *testing.T) {
	server := redistest.Start(t)
	store, err := redis.Open(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	provider := forBenchmark(t, false, store)
	cookies, query := signedIn(provider), idptest.Request("spa", "prompt", "none").Encode()
	for range 3 { // the session notes the client, the cache learns the session
		silentCycle(t, provider, cookies, query)
	}
	server.ForgetCalls()
	const cycles = 10
	for range cycles {
		silentCycle(t, provider, cookies, query)
	}
	calls := server.Calls()
	reads := calls["get"] // the ID of the marks, once in a second
	if delete(calls, "get"); reads > 2 || calls["set"] != cycles || len(calls) > 2 {
		t.Errorf("%d silent refreshes did %d × get and %v; want %d × set", cycles, reads, calls, cycles)
	}
}
