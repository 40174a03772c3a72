package grant_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/storage"
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
	id, box, _ := strings.Cut(code, ".")
	other, _, _ := strings.Cut(d.issue(t), ".")
	for _, guess := range []string{
		"", ".", "guess", code + "x", code + "\n", code[1:], strings.ToLower(code), id, id + ".", other + "." + box,
		id + "." + box[:len(box)-4],
	} {
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
	if !strings.Contains(stored, "spent") {
		t.Fatal("what the store saw are not the marks of the codes")
	}
	for code := range seen {
		if id, box, _ := strings.Cut(code, "."); strings.Contains(stored, id) || strings.Contains(stored, box) {
			t.Fatalf("the store saw the code %q", code)
		}
	}
}

// A code is in addresses and logs. RFC 9700 §4.3.1: the address with the code may be in the history of the browser.
func TestACodeTellsNothing(t *testing.T) {
	d := newFixture()
	_, encoded, _ := strings.Cut(d.issue(t), ".")
	box, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for _, told := range []string{"alice", "spa", "app.test", "session.1"} {
		if bytes.Contains(box, []byte(told)) {
			t.Errorf("%q can be read in the code", told)
		}
	}
}

// A proxy may refuse a redirect with more than 4 KiB of headers.
func TestACodeIsShort(t *testing.T) {
	d := newFixture()
	if code := d.issue(t); len(code) > 600 {
		t.Errorf("a usual code has %d characters; want 600 or fewer", len(code))
	}
}

func TestACodeThatWasNotRedeemedIsStoredNowhere(t *testing.T) {
	d := newFixture()
	d.issue(t)
	before := d.store.Keys()
	for range 100 {
		d.issue(t)
	}
	if after := d.store.Keys(); after != before {
		t.Errorf("the store saw the keys %s; want %s as after the first code", after, before)
	}
}

// The first of the secrets encrypts, all decrypt. So codes survive the rotation of cookie_keys.
func TestACodeOpensWithTheSecretsOfItsProviderOnly(t *testing.T) {
	d := newFixture()
	older, newer := []byte(rand.Text()), []byte(rand.Text())
	with := func(secrets ...[]byte) *grant.Grants {
		return grant.New(grant.Config{}, grant.CodeLifetime, d.store, secrets, d.clock.Now, rand.Text)
	}
	for _, row := range []struct {
		name           string
		issues, spends *grant.Grants
		want           error
	}{
		{"the same secret", with(older), with(older), nil},
		{"a new secret before the old one", with(older), with(newer, older), nil},
		{"a provider that does not have the new secret yet", with(newer, older), with(older), grant.ErrUnknown},
		{"another secret", with(older), with(newer), grant.ErrUnknown},
	} {
		code, err := row.issues.Issue(t.Context(), good(d.clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := row.spends.Redeem(t.Context(), code, tokenLifetime); !errors.Is(err, row.want) {
			t.Errorf("%s: %v; want %v", row.name, err, row.want)
		}
	}
}

// RFC 6749 §4.1.2: "The client MUST NOT use the authorization code more than once." Without the marks the provider does
// not know which codes are spent.
func TestAStoreThatLostTheMarksOpensNoCodeFromBefore(t *testing.T) {
	d := newFixture()
	spent, unspent := d.issue(t), d.issue(t)
	if _, err := d.redeem(t, spent); err != nil {
		t.Fatal(err)
	}
	d.store.Store = storage.NewMemory(d.clock.Now)
	d.clock.Pass(time.Second)
	for _, code := range []string{spent, unspent} {
		if _, err := d.redeem(t, code); !errors.Is(err, grant.ErrUnknown) {
			t.Errorf("a code from before: %v; want ErrUnknown", err)
		}
	}
	if _, err := d.redeem(t, d.issue(t)); err != nil {
		t.Errorf("a new code: %v", err)
	}
	if _, err := d.redeem(t, spent); !errors.Is(err, grant.ErrUnknown) {
		t.Errorf("a code from before, after a new one: %v; want ErrUnknown", err)
	}
}

// What is known of a code, and for how long. Redeem judges no expiry, so a late client can be told what happened.
func TestHowLongACodeIsRemembered(t *testing.T) {
	for _, row := range []struct {
		name  string
		spent bool
		wait  time.Duration
		want  error
	}{
		{"a code that nobody redeemed opens after its 60 seconds, with its expiry", false, time.Hour, nil},
		{"RFC 6749 §4.1.2 the mark stays while the tokens live", true, tokenLifetime, grant.ErrReplayed},
		{
			"RFC 6749 §4.1.2 the mark stays until the tokens have expired by any replica's clock", true,
			tokenLifetime + grant.ClockError - 1, grant.ErrReplayed,
		},
		{"the mark goes when no token of the code can be alive", true, tokenLifetime + grant.ClockError, nil},
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

func TestTheMarkStaysUntilTheCodeHasExpired(t *testing.T) {
	d := newFixture()
	d.CodeLifetime = 10 * time.Minute
	code := d.issue(t)
	for _, want := range []error{nil, grant.ErrReplayed} {
		if _, err := d.Redeem(t.Context(), code, time.Second); !errors.Is(err, want) {
			t.Errorf("%v; want %v", err, want)
		}
		d.clock.Pass(d.CodeLifetime + grant.ClockError - time.Millisecond)
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

// A code that stands in an old log must not end the access of the client, and must not cost writes.
func TestACodeThatExpiredLongAgoRevokesNothing(t *testing.T) {
	d := newFixture()
	code := d.issue(t)
	if _, err := d.redeem(t, code); err != nil {
		t.Fatal(err)
	}
	d.clock.Pass(100 * 24 * time.Hour)
	before := d.store.Values()
	for range 3 {
		if got, err := d.redeem(t, code); err != nil || d.clock.Now().Before(got.ExpiresAt) {
			t.Errorf("Redeem = %+v, %v; want the grant of the expired code", got, err)
		}
	}
	if written := strings.TrimSpace(strings.TrimPrefix(d.store.Values(), before)); written != "" {
		t.Errorf("the store was written: %q", written)
	}
}

// When the mark is gone the code has expired, so the caller refuses it.
func TestReplaysDoNotProlongTheMark(t *testing.T) {
	d := newFixture()
	code := d.issue(t)
	_, first := d.redeem(t, code)
	d.clock.Pass(tokenLifetime)
	_, second := d.redeem(t, code)
	d.clock.Pass(grant.ClockError)
	_, third := d.redeem(t, code)
	if first != nil || !errors.Is(second, grant.ErrReplayed) || third != nil {
		t.Errorf("got %v, %v, %v; want nil, ErrReplayed, nil", first, second, third)
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

// What the two encodings of a grant cost: written once and read once.
func BenchmarkEncoding(b *testing.B) {
	written := good(time.Now())
	b.Run("MessagePack", func(b *testing.B) {
		for b.Loop() {
			text, err := written.MarshalMsg(nil)
			if _, errRead := new(grant.Grant).UnmarshalMsg(text); err != nil || errRead != nil {
				b.Fatal(err, errRead)
			}
		}
	})
	b.Run("JSON", func(b *testing.B) {
		for b.Loop() {
			text, err := json.Marshal(written)
			if errRead := json.Unmarshal(text, new(grant.Grant)); err != nil || errRead != nil {
				b.Fatal(err, errRead)
			}
		}
	})
}
