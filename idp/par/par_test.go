package par_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/par"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

type desk struct {
	*par.Requests
	clock *storagetest.Clock
	store *storagetest.Spy
}

func newDesk() desk {
	clock := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	return desk{clock: clock, store: store, Requests: &par.Requests{
		Records: storage.NewBucket[par.Request]("par", store), Lifetime: time.Minute, Now: clock.Now, Random: rand.Text,
	}}
}

func (d desk) push(t *testing.T) string {
	t.Helper()
	uri, _, err := d.Push(t.Context(), par.Request{ClientID: "app", Params: url.Values{"scope": {"openid"}}})
	if err != nil {
		t.Fatal(err)
	}
	return uri
}

func (d desk) spend(t *testing.T, uri string, want error) {
	t.Helper()
	if err := d.Spend(t.Context(), uri); !errors.Is(err, want) {
		t.Errorf("Spend = %v; want %v", err, want)
	}
}

func TestPushedRequests(t *testing.T) {
	for _, row := range []struct {
		name   string
		client string // default: app
		then   func(t *testing.T, d desk, uri string)
		want   error
	}{
		{name: "RFC 9126 §4 the client gets what it pushed"},
		{name: "RFC 9126 §4 a page may be reloaded", then: func(t *testing.T, d desk, uri string) {
			if _, err := d.Open(t.Context(), uri, "app"); err != nil {
				t.Error(err)
			}
		}},
		{name: "RFC 9126 §2.2 a request_uri is bound to the client that pushed", client: "other", want: par.ErrUnknown},
		{name: "RFC 9126 §2.2 a request_uri expires", then: func(_ *testing.T, d desk, _ string) { d.clock.Pass(time.Minute) }, want: par.ErrExpired},
		{name: "RFC 9126 §2.2 an expired request is forgotten", then: func(_ *testing.T, d desk, _ string) { d.clock.Pass(3 * time.Minute) }, want: par.ErrUnknown},
		{name: "RFC 9126 §4 a request_uri is used once", then: func(t *testing.T, d desk, uri string) { d.spend(t, uri, nil) }, want: par.ErrSpent},
		{name: "RFC 9126 §4 and of another client nothing is told", client: "other", then: func(t *testing.T, d desk, uri string) { d.spend(t, uri, nil) }, want: par.ErrSpent},
		{name: "a store that fails is no unknown request", then: func(_ *testing.T, d desk, _ string) { d.store.Gone(true) }, want: storagetest.ErrEngine},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			uri := d.push(t)
			if row.then != nil {
				row.then(t, d, uri)
			}
			client := row.client
			if client == "" {
				client = "app"
			}
			request, err := d.Open(t.Context(), uri, client)
			if !errors.Is(err, row.want) {
				t.Fatalf("Open = %v; want %v", err, row.want)
			}
			if diff := cmp.Diff(url.Values{"scope": {"openid"}}, request.Params); err == nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOfRacingRequestsOneGoesOn(t *testing.T) { // RFC 9126 §4
	d := newDesk()
	uri := d.push(t)
	var mutex sync.Mutex
	var racing sync.WaitGroup
	won := 0
	for range 16 {
		racing.Go(func() {
			if err := d.Spend(t.Context(), uri); err == nil {
				mutex.Lock()
				won++
				mutex.Unlock()
			} else if !errors.Is(err, par.ErrSpent) {
				t.Error(err)
			}
		})
	}
	racing.Wait()
	if won != 1 {
		t.Errorf("%d of 16 went on; want one", won)
	}
}

func TestARequestIsSpentOnceHoweverLongThePersonTakes(t *testing.T) {
	d := newDesk()
	uri := d.push(t)
	d.clock.Pass(20 * time.Hour)
	d.spend(t, uri, nil)
	d.clock.Pass(20 * time.Hour)
	d.spend(t, uri, par.ErrSpent)
}

func TestATombstoneHoldsNoParameters(t *testing.T) {
	d := newDesk()
	uri := d.push(t)
	d.spend(t, uri, nil)
	left, err := d.Records.Get(t.Context(), uri)
	if err != nil || left.ClientID != "" || left.Params != nil {
		t.Errorf("left is %+v, %v", left, err)
	}
}

func TestRequestURIsCannotBeGuessed(t *testing.T) { // RFC 9126 §2.2, §7.1
	d := newDesk()
	a, b := d.push(t), d.push(t)
	if a == b || len(a) < len("urn:ietf:params:oauth:request_uri:")+26 || !par.Is(a) || par.Is("https://app.test/r") {
		t.Errorf("%s\n%s", a, b)
	}
}

// FuzzStoredRequest: whatever the store holds, a spent, expired or foreign request gives nothing.
func FuzzStoredRequest(f *testing.F) {
	now := storagetest.NewClock().Now()
	for _, record := range []any{par.Request{ClientID: "app", ExpiresAt: now.Add(time.Minute)}, par.Request{SpentAt: now}, par.Request{}, nil, "", 7} {
		text, err := json.Marshal(record)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		d := newDesk()
		d.Records = storage.NewBucket[par.Request]("par", storagetest.Holding(record))
		request, err := d.Open(t.Context(), "urn:x", "app")
		if err == nil && (request.ClientID != "app" || !request.SpentAt.IsZero() || !d.clock.Now().Before(request.ExpiresAt)) {
			t.Errorf("%s gives %+v", record, request)
		}
		var stored par.Request
		if spent := d.Spend(t.Context(), "urn:x"); spent == nil && json.Unmarshal(record, &stored) == nil && !stored.SpentAt.IsZero() {
			t.Errorf("%s is spent twice", record)
		}
	})
}
