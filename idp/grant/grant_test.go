package grant_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hush-idp/hush/idp/grant"
)

func TestACodeGivesWhatWasGranted(t *testing.T) {
	d := newFixture()
	issuedAt := d.clock.Now()
	code := d.issue(t)
	d.clock.Pass(time.Second)
	got, err := d.redeem(t, code)
	if err != nil {
		t.Fatal(err)
	}
	want := good(issuedAt)
	want.GrantedAt = issuedAt
	want.ExpiresAt = issuedAt.Add(60 * time.Second) // FAPI 2.0 Security Profile §5.3.2.1: at most 60 seconds
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(grant.Grant{}, "ID")); diff != "" {
		t.Errorf("Redeem (-want +got):\n%s", diff)
	}
	if got.ID == "" || got.ID == code {
		t.Errorf("the grant's id is %q; it goes into tokens, so it is neither empty nor the code", got.ID)
	}
}

func TestTheCallerDoesNotChooseIDAndExpiry(t *testing.T) {
	d := newFixture()
	forged := good(d.clock.Now())
	forged.ID, forged.ExpiresAt = "mine", d.clock.Now().Add(time.Hour)
	code, err := d.Issue(t.Context(), forged)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.redeem(t, code)
	if err != nil || got.ID == "mine" || !got.ExpiresAt.Equal(d.clock.Now().Add(grant.CodeLifetime)) {
		t.Errorf("Redeem = %+v, %v; want an id of its own and %v to live", got, err, grant.CodeLifetime)
	}
}

// RFC 6749 §4.1.2: "The client MUST NOT use the authorization code more than once."
func TestACodeIsRedeemedOnce(t *testing.T) {
	d := newFixture()
	code := d.issue(t)
	first, err := d.redeem(t, code)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := d.redeem(t, code)
		if !errors.Is(err, grant.ErrReplayed) {
			t.Fatalf("again: %v; want ErrReplayed", err)
		}
		if diff := cmp.Diff(grant.Grant{ID: first.ID}, again); diff != "" {
			t.Errorf("a replay gives the grant's id and nothing else (-want +got):\n%s", diff)
		}
	}
}

func TestOfRacingRedeemersExactlyOneWins(t *testing.T) {
	d := newFixture()
	for range 50 {
		code := d.issue(t)
		const racers = 8
		errs := make([]error, racers)
		var start, done sync.WaitGroup
		start.Add(1)
		for i := range racers {
			done.Go(func() {
				start.Wait()
				_, errs[i] = d.Redeem(t.Context(), code, tokenLifetime)
			})
		}
		start.Done()
		done.Wait()
		wins, replays := count(errs)
		if wins != 1 || replays != racers-1 {
			t.Fatalf("of %d redeemers %d won and %d were told of the replay", racers, wins, replays)
		}
	}
}

func count(errs []error) (wins, replays int) {
	for _, err := range errs {
		switch {
		case err == nil:
			wins++
		case errors.Is(err, grant.ErrReplayed):
			replays++
		}
	}
	return wins, replays
}

func TestACodeThatWasNeverIssued(t *testing.T) {
	d := newFixture()
	code := d.issue(t)
	for _, guess := range []string{"", "guess", code + "x", code[1:], strings.ToLower(code)} {
		if got, err := d.redeem(t, guess); !errors.Is(err, grant.ErrUnknown) || got.ID != "" {
			t.Errorf("Redeem(%q) = %+v, %v; want ErrUnknown", guess, got, err)
		}
	}
	if _, err := d.redeem(t, code); err != nil {
		t.Errorf("guesses spent the real code: %v", err)
	}
}

// RFC 6749 §10.10: "The probability of an attacker guessing generated tokens […] MUST be less than or equal to
// 2^(-128)".
func TestCodesAreRandomAndNotStoredInClear(t *testing.T) {
	d := newFixture()
	seen := map[string]bool{}
	for range 100 {
		code := d.issue(t)
		if bits := 5 * len(code); bits < 128 { // base32 carries five bits a character
			t.Fatalf("%q has %d bits; want 128 or more", code, bits)
		}
		if seen[code] {
			t.Fatalf("%q was issued twice", code)
		}
		seen[code] = true
		if _, err := d.redeem(t, code); err != nil {
			t.Fatal(err)
		}
	}
	stored := d.store.Keys() + d.store.Values()
	if !strings.Contains(stored, "alice") {
		t.Fatal("what the store saw is not the codes' records")
	}
	for code := range seen {
		if strings.Contains(stored, code) {
			t.Fatalf("the store saw the code %q", code)
		}
	}
}

// What is remembered of a code, and for how long. Redeem judges no expiry, so a late client can be told what happened.
func TestHowLongACodeIsRemembered(t *testing.T) {
	for _, row := range []struct {
		name  string
		spent bool
		wait  time.Duration
		want  error
	}{
		{
			"a code that nobody redeemed is there after its 60 seconds, with its expiry", false,
			grant.CodeLifetime + time.Second, nil,
		},
		{"a code that nobody redeemed is there for almost five minutes", false, 5*time.Minute - 1, nil},
		{"a code that nobody redeemed is unknown after five minutes", false, 5 * time.Minute, grant.ErrUnknown},
		{"RFC 6749 §4.1.2 the mark stays while the tokens live", true, tokenLifetime, grant.ErrReplayed},
		{
			"RFC 6749 §4.1.2 the mark stays until the tokens have expired by any replica's clock", true,
			tokenLifetime + grant.ClockError - 1, grant.ErrReplayed,
		},
		{"the mark goes when no token of the code can be alive", true, tokenLifetime + grant.ClockError, grant.ErrUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newFixture()
			code := d.issue(t)
			if row.spent {
				if _, err := d.redeem(t, code); err != nil {
					t.Fatal(err)
				}
			}
			d.clock.Pass(row.wait)
			if _, err := d.redeem(t, code); !errors.Is(err, row.want) {
				t.Errorf("after %v: %v; want %v", row.wait, err, row.want)
			}
		})
	}
}

// The marks of all codes of some minutes are in the store at the same time.
func TestTheMarkOfASpentCodeIsShort(t *testing.T) {
	d := newFixture()
	code := d.issue(t)
	if _, err := d.redeem(t, code); err != nil {
		t.Fatal(err)
	}
	values := strings.Fields(d.store.Values())
	if mark := values[len(values)-1]; len(mark) > 15 {
		t.Errorf("the mark is %s; want 15 bytes or fewer, which storage.Memory keeps without a pointer", mark)
	}
}

func TestReplaysDoNotProlongTheMark(t *testing.T) {
	d := newFixture()
	code := d.issue(t)
	_, first := d.redeem(t, code)
	d.clock.Pass(tokenLifetime)
	_, second := d.redeem(t, code)
	d.clock.Pass(grant.ClockError)
	_, third := d.redeem(t, code)
	if first != nil || !errors.Is(second, grant.ErrReplayed) || !errors.Is(third, grant.ErrUnknown) {
		t.Errorf("got %v, %v, %v; want nil, ErrReplayed, ErrUnknown", first, second, third)
	}
}

func TestASecondUseRevokesForAsLongAsATokenCanLive(t *testing.T) {
	d := newFixture()
	code, err := d.Issue(t.Context(), good(d.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	first, err := d.redeem(t, code)
	if err != nil {
		t.Fatal(err)
	}
	if revoked, err := d.IsRevoked(t.Context(), first.ID); revoked || err != nil {
		t.Errorf("a grant that nobody revoked: %t, %v", revoked, err)
	}
	for _, lifetime := range []time.Duration{tokenLifetime, time.Second} { // the second by a client with shorter tokens
		if _, err := d.Redeem(t.Context(), code, lifetime); !errors.Is(err, grant.ErrReplayed) {
			t.Fatalf("the replay gave %v", err)
		}
	}
	for _, row := range []struct {
		name, id string
		pass     time.Duration
		want     bool
	}{
		{"RFC 6749 §4.1.2 at once", first.ID, 0, true},
		{"another grant", "g2", 0, false},
		{"provider checklist: also 30 seconds later", first.ID, 30 * time.Second, true},
		{"as long as a token can live", first.ID, tokenLifetime - 30*time.Second - 1, true},
		{"also a token that the first use got a moment after the second", first.ID, grant.ClockError, true},
		{"not longer, since no token is left", first.ID, 1, false},
	} {
		d.clock.Pass(row.pass)
		if got, err := d.IsRevoked(t.Context(), row.id); got != row.want || err != nil {
			t.Errorf("%s: %t, %v; want %t", row.name, got, err, row.want)
		}
	}
}

// What the store's two encodings of a code cost: written once and read once.
func BenchmarkEncoding(b *testing.B) {
	written := good(time.Now())
	code := grant.Code{Grant: &written}
	b.Run("MessagePack", func(b *testing.B) {
		for b.Loop() {
			text, err := code.MarshalMsg(nil)
			if _, errRead := new(grant.Code).UnmarshalMsg(text); err != nil || errRead != nil {
				b.Fatal(err, errRead)
			}
		}
	})
	b.Run("JSON", func(b *testing.B) {
		for b.Loop() {
			text, err := json.Marshal(code)
			if errRead := json.Unmarshal(text, new(grant.Code)); err != nil || errRead != nil {
				b.Fatal(err, errRead)
			}
		}
	})
}
