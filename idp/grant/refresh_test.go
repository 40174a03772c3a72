package grant_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hush-idp/hush/idp/grant"
)

var terms = grant.Terms{Idle: 24 * time.Hour, Absolute: 72 * time.Hour, Access: tokenLifetime, Rotate: true}

// begin redeems a code and begins the family of its grant.
func (d *fixture) begin(t testing.TB) (token string, granted grant.Grant) {
	t.Helper()
	granted, err := d.Redeem(t.Context(), d.issue(t), tokenLifetime)
	if err != nil {
		t.Fatal(err)
	}
	if token, err = d.Begin(t.Context(), granted, "", terms); err != nil {
		t.Fatal(err)
	}
	return token, granted
}

func (d *fixture) use(t testing.TB, token string) string {
	t.Helper()
	next, err := d.Use(t.Context(), token, terms)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestARefreshTokenStandsForItsGrant(t *testing.T) { // RFC 6749 §1.5
	d := newFixture()
	token, granted := d.begin(t)
	family, err := d.Family(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	codes := cmpopts.IgnoreFields(grant.Grant{}, "RedirectURI", "CodeChallenge", "Nonce", "ExpiresAt")
	if diff := cmp.Diff(granted, family.Grant, codes); diff != "" {
		t.Errorf("Family (-want +got):\n%s", diff)
	}
	if family.Grant.Nonce != "" || family.Grant.CodeChallenge != "" {
		t.Errorf("the family keeps what was the code's: %+v", family.Grant)
	}
}

// refreshTokens are the third tokens of their families, after something happened.
var refreshTokens = []struct {
	name    string
	present func(tokens []string) string
	wait    time.Duration
	happen  func(t *testing.T, d *fixture, id string)
	want    error
}{
	{name: "RFC 6749 §6 the current token is good", present: nth(2)},
	{
		name: "RFC 9700 §4.14.2 the one before it gives the same successor for the racing tab", present: nth(1),
		wait: 9 * time.Second,
	},
	{
		name: "RFC 9700 §4.14.2 the one before it is a replay after the grace", present: nth(1), wait: 10 * time.Second,
		want: grant.ErrReplayed,
	},
	{name: "RFC 9700 §4.14.2 an older one is a replay at once", present: nth(0), want: grant.ErrReplayed},
	{
		name: "RFC 6749 §10.4 an invented token is not known", present: func([]string) string { return "a.b.c" },
		want: grant.ErrUnknown,
	},
	{
		name: "RFC 6749 §10.4 what is no token is not known", present: func([]string) string { return "nothing" },
		want: grant.ErrUnknown,
	},
	{
		name:    "RFC 6749 §10.4 an empty part makes no token",
		present: func(tokens []string) string { return strings.Split(tokens[2], ".")[0] + ".." }, want: grant.ErrUnknown,
	},
	{
		name:    "RFC 6749 §10.4 who knows only the grant's id revokes nothing",
		present: func(tokens []string) string { return strings.Split(tokens[2], ".")[0] + ".x.y" }, want: grant.ErrUnknown,
	},
	{name: "RFC 9700 §4.14.2 not used for almost a day", present: nth(2), wait: 24*time.Hour - 1},
	{
		name: "RFC 9700 §4.14.2 a token that is not used expires", present: nth(2), wait: 24 * time.Hour,
		want: grant.ErrExpired,
	},
	{name: "RFC 7009 §2.1 a revoked grant has no refresh tokens", present: nth(2), want: grant.ErrRevoked,
		happen: func(t *testing.T, d *fixture, id string) { revoke(t, d, id) }},
	{name: "RFC 7009 §2.1 an older token of a revoked grant is no replay", present: nth(0), want: grant.ErrRevoked,
		happen: func(t *testing.T, d *fixture, id string) { revoke(t, d, id) }},
}

func TestWhichRefreshTokensAreGood(t *testing.T) {
	for _, row := range refreshTokens {
		t.Run(row.name, func(t *testing.T) {
			d := newFixture()
			first, granted := d.begin(t)
			second := d.use(t, first)
			tokens := []string{first, second, d.use(t, second)}
			d.clock.Pass(row.wait)
			if row.happen != nil {
				row.happen(t, d, granted.ID)
			}
			_, looked := d.Look(t.Context(), row.present(tokens))
			_, found := d.Family(t.Context(), row.present(tokens))
			if !errors.Is(looked, row.want) || !errors.Is(found, row.want) {
				t.Errorf("Look: %v, Family: %v; want %v", looked, found, row.want)
			}
			_, current := d.Use(t.Context(), tokens[2], terms)
			replayed, revoked := errors.Is(row.want, grant.ErrReplayed), errors.Is(current, grant.ErrRevoked)
			if replayed != revoked && row.happen == nil {
				t.Errorf("afterwards the current token gives %v", current)
			}
		})
	}
}

func nth(n int) func([]string) string { return func(tokens []string) string { return tokens[n] } }

func revoke(t *testing.T, d *fixture, id string) {
	t.Helper()
	if err := d.Revoke(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

func TestAReplayedRefreshTokenRevokesTheAccessTokensToo(t *testing.T) { // RFC 9700 §4.14.2
	d := newFixture()
	first, granted := d.begin(t)
	d.clock.Pass(time.Hour) // the code's access token is over long ago
	d.use(t, d.use(t, first))
	if _, err := d.Use(t.Context(), first, terms); !errors.Is(err, grant.ErrReplayed) {
		t.Fatalf("the replay gave %v", err)
	}
	d.clock.Pass(tokenLifetime - 1)
	if revoked, err := d.IsRevoked(t.Context(), granted.ID); !revoked || err != nil {
		t.Errorf("while the last access token could live: revoked = %t, %v", revoked, err)
	}
}

func TestARacingTabGetsTheSameToken(t *testing.T) { // a grace for tabs that renew at the same moment
	d := newFixture()
	token, _ := d.begin(t)
	for range 20 {
		const racers = 8
		next := make([]string, racers)
		var group sync.WaitGroup
		for i := range racers {
			group.Go(func() {
				var err error
				if next[i], err = d.Use(t.Context(), token, terms); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, other := range next {
			if other != next[0] || other == token {
				t.Fatalf("tabs got different tokens: %q", next)
			}
		}
		token = next[0]
		d.clock.Pass(time.Minute)
	}
}

// What one replica does to a family counts at the others, since they share the store.
func TestReplicasShareTheFamily(t *testing.T) {
	for name, then := range map[string]func(t *testing.T, a, b *fixture, first string){
		"RFC 9700 §4.14.2 a token replaced at one is a replay at the other": func(t *testing.T, a, b *fixture, first string) {
			next := a.use(t, first)
			a.clock.Pass(grant.Grace)
			if _, err := b.Use(t.Context(), first, terms); !errors.Is(err, grant.ErrReplayed) {
				t.Errorf("the replay gave %v", err)
			}
			if _, err := a.Use(t.Context(), next, terms); !errors.Is(err, grant.ErrRevoked) {
				t.Errorf("at the first replica the newest token gives %v", err)
			}
		},
		"RFC 9700 §4.14.2 racing tabs get one token from two replicas": func(t *testing.T, a, b *fixture, first string) {
			if one, two := a.use(t, first), b.use(t, first); one != two {
				t.Errorf("%s and %s", one, two)
			}
		},
		"RFC 9700 §4.14.2 the grace of an old token ends, it is no chain": func(t *testing.T, a, b *fixture, first string) {
			for range 3 { // again and again, each time within the grace of the use before
				b.use(t, first)
				a.clock.Pass(grant.Grace / 3)
			}
			a.clock.Pass(1)
			if _, err := b.Use(t.Context(), first, terms); !errors.Is(err, grant.ErrReplayed) {
				t.Errorf("after the grace of the first use the old token gives %v", err)
			}
		},
		"RFC 7009 §2.1 no replica takes the token after the revocation": func(t *testing.T, a, b *fixture, first string) {
			revoke(t, a, strings.Split(first, ".")[0])
			if _, err := b.Use(t.Context(), first, terms); !errors.Is(err, grant.ErrRevoked) {
				t.Errorf("the other replica gives %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newFixture()
			b := *a
			b.Grants = grant.New(grant.Config{}, grant.CodeLifetime, a.store, secrets, a.clock.Now, a.Random)
			first, _ := a.begin(t)
			then(t, a, &b, first)
		})
	}
}

func TestWithoutGraceASecondUseIsAReplay(t *testing.T) {
	d := newFixture()
	d.Grace = 0
	token, _ := d.begin(t)
	d.use(t, token)
	if _, err := d.Use(t.Context(), token, terms); !errors.Is(err, grant.ErrReplayed) {
		t.Errorf("the second use gave %v; want ErrReplayed", err)
	}
}

func TestAFamilyEndsHoweverMuchItIsUsed(t *testing.T) {
	d := newFixture()
	token, _ := d.begin(t)
	for range 5 {
		d.clock.Pass(14 * time.Hour)
		token = d.use(t, token)
	}
	d.clock.Pass(2*time.Hour - 1)
	token = d.use(t, token)
	d.clock.Pass(1)
	if _, err := d.Use(t.Context(), token, terms); !errors.Is(err, grant.ErrExpired) {
		t.Errorf("72 hours after it began: %v; want ErrExpired", err)
	}
}

func TestWithoutRotationTheTokenStays(t *testing.T) { // FAPI 2.0 §5.3.2.1
	d := newFixture()
	token, _ := d.begin(t)
	still := terms
	still.Rotate = false
	for range 3 {
		d.clock.Pass(time.Minute)
		if next, err := d.Use(t.Context(), token, still); next != token || err != nil {
			t.Fatalf("Use = %q, %v; want the same token", next, err)
		}
	}
}

func TestTheStoreAloneHasNoRefreshToken(t *testing.T) { // RFC 6749 §10.4
	d := newFixture()
	token, _ := d.begin(t)
	var parts []string
	for range 3 {
		parts = append(parts, strings.Split(token, ".")[1:]...)
		token = d.use(t, token)
	}
	parts = append(parts, strings.Split(token, ".")[1:]...)
	for _, part := range parts {
		if strings.Contains(d.store.Keys()+d.store.Values(), part) {
			t.Errorf("the store saw %q of a refresh token", part)
		}
	}
}

func TestAReplayedCodeRevokesTheRefreshTokens(t *testing.T) { // RFC 6749 §4.1.2
	d := newFixture()
	code := d.issue(t)
	granted, err := d.redeem(t, code)
	if err != nil {
		t.Fatal(err)
	}
	token, err := d.Begin(t.Context(), granted, "", terms)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.redeem(t, code); !errors.Is(err, grant.ErrReplayed) {
		t.Fatal(err)
	}
	if _, err := d.Family(t.Context(), token); !errors.Is(err, grant.ErrRevoked) {
		t.Errorf("after the code was used twice the refresh token gives %v; want ErrRevoked", err)
	}
}

func TestACodeReplayedInTheMiddleLeavesNoRefreshToken(t *testing.T) { // RFC 6749 §4.1.2
	d := newFixture()
	code := d.issue(t)
	granted, err := d.redeem(t, code)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.redeem(t, code); !errors.Is(err, grant.ErrReplayed) {
		t.Fatal(err)
	}
	if _, err := d.Begin(t.Context(), granted, "", terms); !errors.Is(err, grant.ErrRevoked) {
		t.Errorf("the first redemption begins a family after the second: %v; want ErrRevoked", err)
	}
}

func TestOneAccessTokenIsRevoked(t *testing.T) { // RFC 7009 §2.1
	d := newFixture()
	until := d.clock.Now().Add(time.Minute)
	for _, at := range []time.Time{until, d.clock.Now()} { // the second is over already
		if err := d.RevokeToken(t.Context(), "g", "jti", at); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		id, jti string
		pass    time.Duration
		want    bool
	}{{"g", "jti", 0, true}, {"g", "another", 0, false}, {"g2", "jti", 0, false}, {"g", "jti", time.Minute, false}} {
		d.clock.Pass(row.pass)
		if got, err := d.IsTokenRevoked(t.Context(), row.id, row.jti); got != row.want || err != nil {
			t.Errorf("%s %s: %t, %v; want %t", row.id, row.jti, got, err, row.want)
		}
	}
}

func TestAFailingStoreIsNoVerdictOnARefreshToken(t *testing.T) {
	d := newFixture()
	token, granted := d.begin(t)
	d.store.Gone(true)
	_, looked := d.Look(t.Context(), token)
	_, used := d.Use(t.Context(), token, terms)
	_, begun := d.Begin(t.Context(), granted, "", terms)
	_, listed := d.Of(t.Context(), "alice")
	for _, err := range []error{
		looked, used, begun, listed, d.Revoke(t.Context(), granted.ID), d.RevokeClient(t.Context(), "alice", "spa"),
	} {
		for _, verdict := range []error{nil, grant.ErrUnknown, grant.ErrRevoked, grant.ErrReplayed} {
			if errors.Is(err, verdict) {
				t.Errorf("got %v; want the engine's error", err)
			}
		}
	}
	d.store.Gone(false)
	d.use(t, token)
}
