package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// forms are the clients of each form that an access token can have.
var forms = map[string]oidc.Client{
	"RFC 9068 §2 a JWT":             {ClientID: "spa"},
	"RFC 6749 §1.4 an opaque token": {ClientID: "spa", AccessTokenFormat: oidc.FormatOpaque},
	"Core §8.1 a JWT with a pairwise sub": {
		ClientID: "spa", SubjectType: oidc.SubjectPairwise, RedirectURIs: []string{"https://app.test/cb"},
	},
}

func TestWhatIsMadeCanBeRead(t *testing.T) {
	for name, client := range forms {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			want := f.good("spa")
			got, err := f.Read(t.Context(), f.make(t, client, want))
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("Read: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestWhichTokensAreRefused(t *testing.T) {
	for name, client := range forms {
		for _, row := range []struct {
			name   string
			change func(*access.Token)
			happen func(t *testing.T, f *fixture)
			good   bool
		}{
			{
				name: "good until the last second", happen: func(_ *testing.T, f *fixture) { f.clock.Pass(59 * time.Second) },
				good: true,
			},
			{name: "RFC 6750 §3.1 expired", happen: func(_ *testing.T, f *fixture) { f.clock.Pass(time.Minute) }},
			{name: "RFC 6750 §3.1 expired long ago", happen: func(_ *testing.T, f *fixture) { f.clock.Pass(time.Hour) }},
			{name: "RFC 9068 §4 of another issuer", change: func(token *access.Token) { token.Issuer = "http://other.test" }},
			{
				name:   "RFC 7009 §2.1 revoked",
				happen: func(t *testing.T, f *fixture) { wantNil(t, f.Revoke(t.Context(), f.good("spa"))) },
			},
			{name: "RFC 6749 §4.1.2 its grant revoked", happen: func(t *testing.T, f *fixture) {
				wantNil(t, f.grants.Revoked.Put(t.Context(), storage.GroupKey("g", ""), f.clock.Now(), time.Hour))
			}},
			{name: "RFC 7009 §2.1 another token of the grant revoked", good: true, happen: func(t *testing.T, f *fixture) {
				another := f.good("spa")
				another.JTI = "another"
				wantNil(t, f.Revoke(t.Context(), another))
			}},
		} {
			t.Run(name+", "+row.name, func(t *testing.T) {
				f := newFixture(t)
				token := f.good("spa")
				if row.change != nil {
					row.change(&token)
				}
				raw := f.make(t, client, token)
				if row.happen != nil {
					row.happen(t, f)
				}
				_, err := f.Read(t.Context(), raw)
				if row.good != (err == nil) || err != nil && oidc.AsError(err).Code != oidc.InvalidToken {
					t.Errorf("Read: %v", err)
				}
			})
		}
	}
}

func TestWhatIsNoAccessTokenIsRefused(t *testing.T) {
	f := newFixture(t)
	raw := f.make(t, oidc.Client{ClientID: "spa"}, f.good("spa"))
	f.make(t, forms["Core §8.1 a JWT with a pairwise sub"], f.good("spa"))
	for _, wrong := range []string{
		"", ".", "..", "garbage", "g.secret", raw + "x", strings.Replace(raw, ".", "", 1), "g.the jti", "g.jwt the jti",
	} {
		if _, err := f.Read(t.Context(), wrong); err == nil || oidc.AsError(err).Code != oidc.InvalidToken {
			t.Errorf("Read(%q): %v; want invalid_token", wrong, err)
		}
	}
}

func TestAnOpaqueTokenSaysNothing(t *testing.T) { // RFC 6749 §1.4
	f := newFixture(t)
	raw := f.make(t, oidc.Client{AccessTokenFormat: oidc.FormatOpaque}, f.good("spa"))
	if id, secret, _ := strings.Cut(raw, "."); id != "g" || len(secret) < 26 ||
		strings.Contains(f.store.Keys()+f.store.Values(), secret) {
		t.Errorf("got %q; want the grant's id and a secret that the store does not see", raw)
	}
}

func TestAClientThatAsksForItselfHasNoPairwiseSub(t *testing.T) { // RFC 9068 §2.2
	f := newFixture(t)
	token := f.good("spa")
	token.Subject, token.AuthTime = "spa", 0
	read, err := f.Read(t.Context(), f.make(t, forms["Core §8.1 a JWT with a pairwise sub"], token))
	if err != nil || read.Subject != "spa" || read.HasRecord {
		t.Errorf("Read = %+v, %v", read, err)
	}
}

func TestAFailingStoreIsNoInvalidToken(t *testing.T) {
	for name, client := range forms {
		f := newFixture(t)
		raw := f.make(t, client, f.good("spa"))
		f.store.Gone(true)
		if _, err := f.Read(t.Context(), raw); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("%s: %v; want the engine's error", name, err)
		}
		if _, err := f.Make(t.Context(), &client, f.good("spa")); strings.HasSuffix(name, "a JWT") != (err == nil) {
			t.Errorf("%s: Make: %v", name, err)
		}
	}
}
