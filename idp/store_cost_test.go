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

func TestASilentRefreshCostsThreeStoreOperations(t *testing.T) {
	p, spy := startWithSpy(t)
	b := p.Browser(t)
	b.SignIn("alice")
	b.Code(idptest.Request("spa", "prompt", "none"))
	if want := []string{"Get", "Update", "Put"}; !slices.Equal(spy.Operations()[len(spy.Operations())-3:], want) {
		t.Errorf(
			"the first code of a client did %v; want %v at the end: the session notes once whom to tell of its end",
			spy.Operations(), want,
		)
	}
	for range 3 {
		spy.Reset()
		b.Tokens("spa", b.Code(idptest.Request("spa", "prompt", "none")))
		if want := []string{"Get", "Put", "Update"}; !slices.Equal(spy.Operations(), want) {
			t.Errorf("a silent refresh did %v; want %v: read the session, write the code, spend it", spy.Operations(), want)
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

// The session comes from the provider's own cache; the code is written, and spent by a script that guesses right.
func TestASilentRefreshOnRedisCostsTwoRoundTrips(t *testing.T) {
	server := redistest.Start(t)
	store, err := redis.Open(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	provider := forBenchmark(t, false, store)
	cookies, query := signedIn(provider), idptest.Request("spa", "prompt", "none").Encode()
	for range 3 { // the session notes the client, the cache learns the session, the server the script
		silentCycle(t, provider, cookies, query)
	}
	server.ForgetCalls()
	const cycles = 10
	for range cycles {
		silentCycle(t, provider, cookies, query)
	}
	calls := server.Calls()
	// What a script does is counted too: it reads, and writes.
	trips := calls["get"] + calls["set"] - calls["evalsha"] + calls["eval"] + calls["exists"] + calls["multi"]
	if trips != 2*cycles || calls["evalsha"] != cycles {
		t.Errorf("%d silent refreshes took %d round trips; want %d: %v", cycles, trips, 2*cycles, calls)
	}
}
