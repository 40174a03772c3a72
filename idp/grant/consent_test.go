package grant_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

func (d *fixture) remember(t *testing.T, sub, clientID, scope string) {
	t.Helper()
	if err := d.consents.Remember(t.Context(), sub, clientID, oidc.ParseScope(scope)); err != nil {
		t.Fatal(err)
	}
}

func (d *fixture) forget(t *testing.T, sub, clientID string) {
	t.Helper()
	if err := d.consents.Forget(t.Context(), sub, clientID); err != nil {
		t.Fatal(err)
	}
}

// scopes are what sub allowed, by client_id.
func (d *fixture) scopes(t *testing.T, sub string) map[string]string {
	t.Helper()
	consents, err := d.consents.Of(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	scopes := map[string]string{}
	for clientID, consent := range consents {
		scopes[clientID] = consent.Scope.String()
	}
	return scopes
}

// Core §3.1.2.4: consent is remembered per user, client and scope.
func TestConsents(t *testing.T) {
	d := newFixture()
	for _, step := range []struct {
		name string
		do   func()
		want map[string]string // of alice
	}{
		{"nobody was asked", func() {}, map[string]string{}},
		{"alice allows", func() { d.remember(t, "alice", "a", "openid") }, map[string]string{"a": "openid"}},
		{
			"more of the same client is added", func() { d.remember(t, "alice", "a", "email openid") },
			map[string]string{"a": "openid email"},
		},
		{"less takes nothing away", func() { d.remember(t, "alice", "a", "openid") }, map[string]string{"a": "openid email"}},
		{
			"another client has its own", func() { d.remember(t, "alice", "b", "phone") },
			map[string]string{"a": "openid email", "b": "phone"},
		},
		{
			"another user's consent is theirs", func() { d.remember(t, "bob", "c", "address") },
			map[string]string{"a": "openid email", "b": "phone"},
		},
		{
			"forgetting what was never allowed changes nothing", func() { d.forget(t, "alice", "c") },
			map[string]string{"a": "openid email", "b": "phone"},
		},
		{"one client is forgotten", func() { d.forget(t, "alice", "a") }, map[string]string{"b": "phone"}},
		{"the last client is forgotten", func() { d.forget(t, "alice", "b") }, map[string]string{}},
		{"forgetting again is no error", func() { d.forget(t, "alice", "b") }, map[string]string{}},
		{
			"after forgetting the scope starts anew", func() { d.remember(t, "alice", "a", "phone") },
			map[string]string{"a": "phone"},
		},
	} {
		step.do()
		if diff := cmp.Diff(step.want, d.scopes(t, "alice")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"c": "address"}, d.scopes(t, "bob")); diff != "" {
		t.Errorf("bob's consents (-want +got):\n%s", diff)
	}
}

func TestAConsentIsRememberedForAYearAfterTheLastOne(t *testing.T) {
	const year = 365 * 24 * time.Hour
	d := newFixture()
	d.remember(t, "alice", "a", "openid")
	d.clock.Pass(year - time.Second)
	d.remember(t, "alice", "b", "openid")
	d.clock.Pass(year - time.Second)
	if got := len(d.scopes(t, "alice")); got != 2 {
		t.Errorf("just before a year has passed %d consents are remembered; want 2", got)
	}
	d.clock.Pass(time.Second)
	if got := len(d.scopes(t, "alice")); got != 0 {
		t.Errorf("after a year %d consents are remembered; want none", got)
	}
}

func TestConsentsAreCapped(t *testing.T) {
	d := newFixture()
	for i := range 510 {
		d.clock.Pass(time.Second)
		d.remember(t, "alice", fmt.Sprint("client-", i), "openid")
		if i == 499 {
			d.remember(t, "alice", "client-0", "email") // now it is a young one
		}
	}
	got := d.scopes(t, "alice")
	for client, want := range map[string]string{
		"client-0": "openid email", "client-1": "", "client-10": "", "client-11": "openid", "client-509": "openid",
	} {
		if got[client] != want {
			t.Errorf("of %d consents that of %s is %q; want %q", len(got), client, got[client], want)
		}
	}
	if len(got) != 500 {
		t.Errorf("%d consents are remembered; want 500", len(got))
	}
}

func TestForgettingDoesNotProlongTheOtherConsents(t *testing.T) {
	d := newFixture()
	d.remember(t, "alice", "a", "openid")
	d.remember(t, "alice", "b", "openid")
	d.clock.Pass(364 * 24 * time.Hour)
	d.forget(t, "alice", "a")
	d.clock.Pass(24 * time.Hour)
	if got := d.scopes(t, "alice"); len(got) != 0 {
		t.Errorf("a year after the last consent %v is remembered", got)
	}
}

func TestWhenAConsentWasGiven(t *testing.T) {
	d := newFixture()
	d.remember(t, "alice", "a", "openid")
	d.clock.Pass(time.Hour)
	d.remember(t, "alice", "a", "email")
	consents, err := d.consents.Of(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]grant.Consent{"a": {Scope: oidc.Scope{"openid", "email"}, GrantedAt: d.clock.Now()}}
	if diff := cmp.Diff(want, consents); diff != "" {
		t.Errorf("the last yes counts (-want +got):\n%s", diff)
	}
}

func TestRacingConsentsAreAllRemembered(t *testing.T) {
	d := newFixture()
	clientIDs := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var done sync.WaitGroup
	for _, id := range clientIDs {
		done.Go(func() {
			if err := d.consents.Remember(t.Context(), "alice", id, oidc.Scope{"openid"}); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if got := d.scopes(t, "alice"); len(got) != len(clientIDs) {
		t.Errorf("of %d consents at once %v are remembered", len(clientIDs), got)
	}
}

func TestAStoreThatFailsIsNoMissingConsent(t *testing.T) {
	d := newFixture()
	d.remember(t, "alice", "a", "openid")
	d.store.Gone(true)
	if _, err := d.consents.Of(t.Context(), "alice"); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("Of = %v; want the engine's error, or users are asked again whenever it fails", err)
	}
	if _, err := d.IsRevoked(t.Context(), "g1"); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("IsRevoked = %v; want the engine's error, or revoked tokens pass whenever it fails", err)
	}
}
