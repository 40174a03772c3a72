package authorize

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

type pushStore struct {
	*PushedRequests
	clock *storagetest.Clock
	store *storagetest.Spy
}

func newPushStore() pushStore {
	clock := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	return pushStore{clock: clock, store: store, PushedRequests: &PushedRequests{
		Records: storage.NewBucket[PushedRequest]("par", store), Lifetime: time.Minute, Now: clock.Now, Random: rand.Text,
	}}
}

func (d pushStore) push(t *testing.T) string {
	t.Helper()
	uri, _, err := d.Push(t.Context(), PushedRequest{ClientID: "app", Params: url.Values{"scope": {"openid"}}})
	if err != nil {
		t.Fatal(err)
	}
	return uri
}

func (d pushStore) spend(t *testing.T, uri string, want error) {
	t.Helper()
	if err := d.Spend(t.Context(), uri); !errors.Is(err, want) {
		t.Errorf("Spend = %v; want %v", err, want)
	}
}

func TestPushedRequests(t *testing.T) {
	for _, row := range []struct {
		name   string
		client string // default: app
		then   func(t *testing.T, d pushStore, uri string)
		want   error
	}{
		{name: "RFC 9126 §4 the client gets what it pushed"},
		{name: "RFC 9126 §4 a page may be reloaded", then: func(t *testing.T, d pushStore, uri string) {
			if _, err := d.Open(t.Context(), uri, "app"); err != nil {
				t.Error(err)
			}
		}},
		{name: "RFC 9126 §2.2 a request_uri is bound to the client that pushed", client: "other", want: errNotPushed},
		{
			name: "RFC 9126 §2.2 a request_uri expires",
			then: func(_ *testing.T, d pushStore, _ string) { d.clock.Pass(time.Minute) }, want: errPushExpired,
		},
		{
			name: "RFC 9126 §2.2 an expired request is forgotten",
			then: func(_ *testing.T, d pushStore, _ string) { d.clock.Pass(3 * time.Minute) }, want: errNotPushed,
		},
		{
			name: "RFC 9126 §4 a request_uri is used once",
			then: func(t *testing.T, d pushStore, uri string) { d.spend(t, uri, nil) }, want: errPushSpent,
		},
		{
			name: "RFC 9126 §4 and of another client nothing is told", client: "other",
			then: func(t *testing.T, d pushStore, uri string) { d.spend(t, uri, nil) }, want: errPushSpent,
		},
		{
			name: "a store that fails is no unknown request",
			then: func(_ *testing.T, d pushStore, _ string) { d.store.Gone(true) }, want: storagetest.ErrEngine,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newPushStore()
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
	d := newPushStore()
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
			} else if !errors.Is(err, errPushSpent) {
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
	d := newPushStore()
	uri := d.push(t)
	d.clock.Pass(20 * time.Hour)
	d.spend(t, uri, nil)
	d.clock.Pass(20 * time.Hour)
	d.spend(t, uri, errPushSpent)
}

func TestATombstoneHoldsNoParameters(t *testing.T) {
	d := newPushStore()
	uri := d.push(t)
	d.spend(t, uri, nil)
	left, err := d.Records.Get(t.Context(), uri)
	if err != nil || left.ClientID != "" || left.Params != nil {
		t.Errorf("left is %+v, %v", left, err)
	}
}

func TestRequestURIsCannotBeGuessed(t *testing.T) { // RFC 9126 §2.2, §7.1
	d := newPushStore()
	a, b := d.push(t), d.push(t)
	if a == b || len(a) < len("urn:ietf:params:oauth:request_uri:")+26 || !isPushed(a) || isPushed("https://app.test/r") {
		t.Errorf("%s\n%s", a, b)
	}
}

// FuzzStoredRequest: whatever the store holds, a spent, expired or foreign request gives nothing.
func FuzzStoredRequest(f *testing.F) {
	now := storagetest.NewClock().Now()
	for _, record := range []any{PushedRequest{ClientID: "app", ExpiresAt: now.Add(time.Minute)},
		PushedRequest{SpentAt: now}, PushedRequest{}, nil, "", 7} {
		text, err := json.Marshal(record)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		d := newPushStore()
		d.Records = storage.NewBucket[PushedRequest]("par", storagetest.Holding(record))
		request, err := d.Open(t.Context(), "urn:x", "app")
		if err == nil && (request.ClientID != "app" || !request.SpentAt.IsZero() ||
			!d.clock.Now().Before(request.ExpiresAt)) {
			t.Errorf("%s gives %+v", record, request)
		}
		var stored PushedRequest
		if spent := d.Spend(t.Context(), "urn:x"); spent == nil && json.Unmarshal(record, &stored) == nil &&
			!stored.SpentAt.IsZero() {
			t.Errorf("%s is spent twice", record)
		}
	})
}
