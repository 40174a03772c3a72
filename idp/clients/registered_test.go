package clients_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// fixture is where clients register, with a clock that the test moves and a store that it watches.
type fixture struct {
	*clients.Registered
	register *clients.Register // of a provider with one configured client
	clock    *storagetest.Clock
	store    *storagetest.Spy
}

// sealed is the seal of all replicas.
var sealed = must(keys.NewSealFor("a test", [][]byte{make([]byte, 32)}))

func newFixture() *fixture {
	clock := storagetest.NewClock()
	spy := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	return fixtureOn(spy, clock)
}

// fixtureOn is one of several replicas on a store.
func fixtureOn(spy *storagetest.Spy, clock *storagetest.Clock) *fixture {
	registered := clients.NewRegistered(spy, sealed, clock.Now)
	return &fixture{
		Registered: registered, register: clients.On(storage.Alone(), configured(), registered, nil),
		clock: clock, store: spy,
	}
}

func (o *fixture) add(t *testing.T, id string, uris ...string) clients.Entry {
	t.Helper()
	client := oidc.Client{ClientID: id, ClientSecret: oidc.NewSecret("the secret of " + id), RedirectURIs: uris}
	entry := o.NewEntry(client, oidc.NewSecret("the token of "+id))
	if err := o.Add(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	return entry
}

func (o *fixture) knows(t *testing.T, id string) bool {
	t.Helper()
	_, err := o.register.ByID(t.Context(), id)
	if err != nil && !errors.Is(err, clients.ErrUnknown) {
		t.Fatal(err)
	}
	return err == nil
}

func TestAClientThatRegisteredIsFound(t *testing.T) {
	o := newFixture()
	o.add(t, "late", "https://late.test/cb")
	client, err := o.register.ByID(t.Context(), "late")
	if err != nil || client.RedirectURIs[0] != "https://late.test/cb" ||
		!client.ClientSecret.Matches("the secret of late") {
		t.Errorf("ByID = %+v, %v", client, err)
	}
	if o.knows(t, "nobody") || o.knows(t, "") {
		t.Error("a client is known that did not register")
	}
	if stored := o.store.Keys() + o.store.Values(); strings.Contains(stored, "the secret") ||
		strings.Contains(stored, "the token") {
		t.Errorf("the store was shown a secret: %s", stored)
	}
}

func TestTheConfigurationComesFirstAndCostsNothing(t *testing.T) {
	o := newFixture()
	o.add(t, "spa", "https://evil.test/cb")
	o.store.Reset()
	client, err := o.register.ByID(t.Context(), "spa")
	if err != nil || client.RedirectURIs[0] == "https://evil.test/cb" || len(o.store.Operations()) != 0 {
		t.Errorf("ByID = %+v, %v after %v", client, err, o.store.Operations())
	}
	if !o.register.AllowsOrigin(t.Context(), "https://app.test") || len(o.store.Operations()) != 0 {
		t.Errorf("a configured origin cost %v", o.store.Operations())
	}
}

func TestWhichClientsMayBeChangedByRegistration(t *testing.T) {
	o := newFixture()
	o.add(t, "late", "https://late.test/cb")
	o.add(t, "other", "https://other.test/cb")
	for _, row := range []struct {
		name, id, token string
		want            error
	}{
		{"RFC 7592 §1.2 the registration access token of the client", "late", "the token of late", nil},
		{
			"RFC 7592 §3 the token of another client is unauthorized to this one", "late", "the token of other",
			clients.ErrUnknown,
		},
		{"RFC 7592 §2.1 of a client that does not exist no token is good", "nobody", "the token of late", clients.ErrUnknown},
		{"RFC 7592 §2 no token", "late", "", clients.ErrUnknown},
		{"a configured client has none", "spa", "", clients.ErrUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := o.ByToken(t.Context(), row.id, row.token); !errors.Is(err, row.want) {
				t.Errorf("ByToken = %v; want %v", err, row.want)
			}
		})
	}
}

func TestOriginsOfRegisteredClients(t *testing.T) {
	o := newFixture()
	o.add(t, "first", "https://app2.test/cb", "https://app2.test/silent", "http://127.0.0.1:7000/cb")
	o.add(t, "second", "https://app2.test/cb")
	for _, row := range []struct {
		name, origin string
		want         bool
	}{
		{"Fetch §3.2 the origin of a registered redirect URI", "https://app2.test", true},
		{"RFC 8252 §7.3 a loopback origin with any port", "http://127.0.0.1:1234", true},
		{"another origin", "https://app3.test", false},
		{"a whole redirect URI", "https://app2.test/cb", false},
		{"a user name", "http://x@127.0.0.1:7000", false},
		{"null", "null", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := o.register.AllowsOrigin(t.Context(), row.origin); got != row.want {
				t.Errorf("AllowsOrigin(%q) = %t; want %t", row.origin, got, row.want)
			}
		})
	}
	if err := o.Remove(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	if !o.register.AllowsOrigin(t.Context(), "https://app2.test") ||
		o.register.AllowsOrigin(t.Context(), "http://127.0.0.1:1234") {
		t.Error("after one of its two clients is gone an origin is still allowed, and one without a client is not")
	}
}

func TestAChangedRegistration(t *testing.T) {
	o := newFixture()
	entry := o.add(t, "late", "https://a.test/cb", "https://b.test/cb")
	changed := o.With(
		entry,
		oidc.Client{ClientID: "late", RedirectURIs: []string{"https://b.test/cb", "https://c.test/cb"}},
	)
	o.knows(t, "late") // now it is cached
	if err := o.Replace(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	client, err := o.register.ByID(t.Context(), "late")
	if err != nil || client.RedirectURIs[1] != "https://c.test/cb" {
		t.Errorf("ByID = %+v, %v", client, err)
	}
	for origin, want := range map[string]bool{"https://a.test": false, "https://b.test": true, "https://c.test": true} {
		if got := o.register.AllowsOrigin(t.Context(), origin); got != want {
			t.Errorf("AllowsOrigin(%s) = %t", origin, got)
		}
	}
	if _, err := o.ByToken(t.Context(), "late", "the token of late"); err != nil {
		t.Errorf("the registration access token is good no more: %v", err)
	}
}

func TestAClientThatWasDeletedStaysSo(t *testing.T) {
	o := newFixture()
	entry := o.add(t, "late", "https://a.test/cb")
	o.knows(t, "late")
	if err := o.Remove(t.Context(), "late"); err != nil || o.knows(t, "late") {
		t.Errorf("RFC 7592 §2.3 after Remove = %v the client is known: %t", err, o.knows(t, "late"))
	}
	if err := o.Replace(t.Context(), entry); !errors.Is(err, clients.ErrUnknown) || o.knows(t, "late") {
		t.Errorf("an update that comes late = %v", err)
	}
	if err := o.Remove(t.Context(), "late"); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("a second Remove = %v", err)
	}
}

func TestAReplicaNoticesWithinASecond(t *testing.T) {
	here := newFixture()
	there := fixtureOn(here.store, here.clock)
	here.add(t, "late", "https://a.test/cb")
	if !there.knows(t, "late") || !there.register.AllowsOrigin(t.Context(), "https://a.test") {
		t.Error("a client that registered here is not known there")
	}
	if err := here.Remove(t.Context(), "late"); err != nil {
		t.Fatal(err)
	}
	here.clock.Pass(time.Second)
	if there.knows(t, "late") || there.register.AllowsOrigin(t.Context(), "https://a.test") {
		t.Error("a second after a client was deleted here it is known there")
	}
}

func TestWhatTheStoreIsAskedAboutARegisteredClient(t *testing.T) {
	o := newFixture()
	o.add(t, "late", "https://a.test/cb")
	o.store.Reset()
	for range 10 {
		o.knows(t, "late")
		o.knows(t, "nobody")
	}
	if got := len(o.store.Operations()); got != 2 {
		t.Errorf("ten looks at each of two clients asked %d times; want once each", got)
	}
}

func TestAClientThatIsUsedIsKept(t *testing.T) {
	o := newFixture()
	o.add(t, "used", "https://used.test/cb")
	o.add(t, "unused", "https://unused.test/cb")
	for range 13 {
		o.clock.Pass(31 * 24 * time.Hour)
		o.knows(t, "used")
	}
	if !o.knows(t, "used") || !o.register.AllowsOrigin(t.Context(), "https://used.test") {
		t.Error("a client that is used is forgotten after a year")
	}
	if o.knows(t, "unused") || o.register.AllowsOrigin(t.Context(), "https://unused.test") {
		t.Error("a client that was unused for a year is known")
	}
}

func TestAStoreThatFailsIsNoUnknownClient(t *testing.T) {
	o := newFixture()
	o.add(t, "late", "https://a.test/cb")
	o.store.Gone(true)
	if _, err := o.register.ByID(t.Context(), "late"); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("ByID = %v; want the engine's error", err)
	}
	if o.register.AllowsOrigin(t.Context(), "https://a.test") {
		t.Error("an origin is allowed while the store does not answer")
	}
	if _, err := o.register.ByID(t.Context(), "spa"); err != nil {
		t.Errorf("a configured client needs no store: %v", err)
	}
}

// Core §9: client_secret_jwt authenticates an assertion by an HMAC with the secret itself.
func TestTheSecretOfClientSecretJWTIsKeptSealed(t *testing.T) {
	o := newFixture()
	client := oidc.Client{
		ClientID:                "jwt",
		ClientSecret:            oidc.NewSecret("the secret of jwt"),
		TokenEndpointAuthMethod: oidc.AuthMethodSecretJWT,
	}
	if err := o.Add(t.Context(), o.NewEntry(client, oidc.NewSecret("token"))); err != nil {
		t.Fatal(err)
	}
	found, err := o.register.ByID(t.Context(), "jwt")
	if err != nil || found.ClientSecret.Plain() != "the secret of jwt" {
		t.Errorf("ByID = %v; the secret is not readable", err)
	}
	if strings.Contains(o.store.Values(), "the secret of jwt") {
		t.Error("the store was shown the secret")
	}
	o.add(t, "basic", "https://a.test/cb")
	if found, err := o.register.ByID(t.Context(), "basic"); err != nil || found.ClientSecret.Plain() != "" {
		t.Errorf("of client_secret_basic the hash is enough: %v", err)
	}
}

func TestRacingUpdatesLoseNoOrigin(t *testing.T) {
	o := newFixture()
	o.add(t, "other", "https://a.test/cb")
	entry := o.add(t, "late", "https://a.test/cb")
	changed := o.With(entry, oidc.Client{ClientID: "late", RedirectURIs: []string{"https://b.test/cb"}})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := o.Replace(t.Context(), changed); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if !o.register.AllowsOrigin(t.Context(), "https://a.test") || !o.register.AllowsOrigin(t.Context(), "https://b.test") {
		t.Error("an origin is gone whose client is there")
	}
	if err := o.Remove(t.Context(), "late"); err != nil || o.register.AllowsOrigin(t.Context(), "https://b.test") ||
		!o.register.AllowsOrigin(t.Context(), "https://a.test") {
		t.Errorf("after the end of the client its origin stays, or another's does not: %v", err)
	}
}

// A name that is too long for a client_id costs no request to the store, and no memory.
func TestNamesWithoutEndAreNotLookedFor(t *testing.T) {
	o := newFixture()
	long := strings.Repeat("x", 301)
	before := len(o.store.Operations())
	if o.knows(t, long) || o.register.AllowsOrigin(t.Context(), "https://"+long+".test") {
		t.Error("RFC 6749 §2.2 a client_id without end is known")
	}
	if got := len(o.store.Operations()); got != before {
		t.Errorf("it cost %d operations of the store", got-before)
	}
}
