package grant_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/grant"
)

func (d *fixture) beginFor(t *testing.T, id, clientID string) string {
	t.Helper()
	token, err := d.Begin(
		t.Context(), grant.Grant{ID: id, ClientID: clientID, Sub: "alice", Scope: []string{"openid", "offline_access"}}, "",
		terms,
	)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (d *fixture) of(t *testing.T, sub string) (ids []string) {
	t.Helper()
	held, err := d.Of(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range held {
		ids = append(ids, h.ID)
	}
	return ids
}

func TestAUserSeesWhichApplicationsHaveAccess(t *testing.T) {
	d := newFixture()
	d.beginFor(t, "g1", "spa")
	d.clock.Pass(time.Hour)
	token := d.beginFor(t, "g2", "web")
	d.clock.Pass(time.Hour)
	d.use(t, token)
	held, err := d.Of(t.Context(), "alice")
	if err != nil || len(held) != 2 || held[0].ClientID != "web" || held[1].ClientID != "spa" {
		t.Fatalf("Of = %+v, %v; want web's and spa's, the youngest first", held, err)
	}
	now := d.clock.Now()
	if h := held[0]; !h.BegunAt.Equal(now.Add(-time.Hour)) || !h.UsedAt.Equal(now) ||
		!h.Until.Equal(now.Add(terms.Idle)) || h.Scope.String() != "openid offline_access" {
		t.Errorf("got %+v", h)
	}
	if ids := d.of(t, "bob"); ids != nil {
		t.Errorf("bob sees %v", ids)
	}
	d.clock.Pass(terms.Idle - 2*time.Hour)
	if ids := d.of(t, "alice"); fmt.Sprint(ids) != "[g2]" {
		t.Errorf("after g1 was not used for a day alice sees %v; want g2", ids)
	}
}

func TestAUserEndsTheAccessOfAnApplication(t *testing.T) {
	d := newFixture()
	spa, web := d.beginFor(t, "g1", "spa"), d.beginFor(t, "g2", "web")
	other := d.beginFor(t, "g3", "web")
	if err := d.Revoke(t.Context(), "g2"); err != nil {
		t.Fatal(err)
	}
	if ids := d.of(t, "alice"); fmt.Sprint(ids) != "[g3 g1]" {
		t.Errorf("alice sees %v; want g3 and g1", ids)
	}
	if err := d.RevokeClient(t.Context(), "alice", "web"); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]error{spa: nil, web: grant.ErrRevoked, other: grant.ErrRevoked} {
		if _, err := d.Family(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", token, err, want)
		}
	}
	revoke(t, d, "g1")
	revoke(t, d, "g1")
	if ids := d.of(t, "alice"); ids != nil {
		t.Errorf("alice sees %v; want nothing", ids)
	}
}

func TestForgettingAConsentEndsWhatWasHeldByIt(t *testing.T) { // Core §11
	d := newFixture()
	d.consents.Grants = d.Grants
	spa, web := d.beginFor(t, "g1", "spa"), d.beginFor(t, "g2", "web")
	if err := d.consents.Forget(t.Context(), "alice", "spa"); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]error{spa: grant.ErrRevoked, web: nil} {
		if _, err := d.Family(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", token, err, want)
		}
	}
}

func TestWhatAUserHoldsIsBounded(t *testing.T) {
	d := newFixture()
	web := d.beginFor(t, "of-web", "web")
	var tokens []string
	for i := range 25 {
		tokens = append(tokens, d.beginFor(t, fmt.Sprint("g", i), "spa"))
	}
	for i, token := range tokens {
		want := error(nil)
		if i < 5 {
			want = grant.ErrRevoked
		}
		if _, err := d.Look(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("the token of g%d gives %v; want %v: the oldest of the client end", i, err, want)
		}
	}
	if _, err := d.Look(t.Context(), web); err != nil {
		t.Errorf("another client's token gives %v", err)
	}
	for i := range 250 {
		d.beginFor(t, fmt.Sprint("h", i), fmt.Sprint("client", i))
	}
	if ids := d.of(t, "alice"); len(ids) != 200 {
		t.Errorf("alice holds %d grants; want 200", len(ids))
	}
}
