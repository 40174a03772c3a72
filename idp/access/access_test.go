package access_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

type desk struct {
	*access.Tokens
	grants *grant.Grants
	clock  *storagetest.Clock
	store  *storagetest.Spy
}

var ring = sync.OnceValues(func() (*keys.Ring, error) { return keys.New([]keys.Spec{{Alg: "ES256"}}) })

func newDesk(t *testing.T) *desk {
	t.Helper()
	signer, err := ring()
	if err != nil {
		t.Fatal(err)
	}
	clock := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	grants := grant.New(store, clock.Now, rand.Text)
	return &desk{clock: clock, store: store, grants: grants, Tokens: &access.Tokens{
		Issuer: "http://idp.test", Verify: signer.Verify, Grants: grants, Kept: storage.NewBucket[access.Token]("access", store), Now: clock.Now, Random: rand.Text,
		Sign: func(_ context.Context, alg, typ string, claims any) (string, error) {
			return signer.Sign(alg, typ, claims)
		},
	}}
}

func (d *desk) good() access.Token {
	now := d.clock.Now()
	return access.Token{
		Issuer: "http://idp.test", Subject: "alice", Audience: oidc.Audience{"urn:api"}, Expiry: now.Add(time.Minute).Unix(), IssuedAt: now.Unix(), JTI: "the jti",
		ClientID: "spa", Scope: "openid", AuthTime: now.Unix(), ACR: "1", AMR: []string{"pwd"}, SID: "s.1", GrantID: "g",
		Confirmation: &access.Confirmation{JKT: "key"}, Claims: map[string]*oidc.ClaimRequest{"name": {Essential: true}},
	}
}

func (d *desk) make(t *testing.T, client oidc.Client, token access.Token) string {
	t.Helper()
	raw, err := d.Make(t.Context(), client, token)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// forms are the clients of each form that an access token can have.
var forms = map[string]oidc.Client{
	"RFC 9068 §2 a JWT":                   {ClientID: "spa"},
	"RFC 6749 §1.4 an opaque token":       {ClientID: "spa", AccessTokenFormat: oidc.FormatOpaque},
	"Core §8.1 a JWT with a pairwise sub": {ClientID: "spa", SubjectType: oidc.SubjectPairwise},
}

func pairwise(_ context.Context, client oidc.Client, sub string) (string, error) {
	if client.SubjectType == oidc.SubjectPairwise {
		return "somebody", nil
	}
	return sub, nil
}

func TestWhatIsMadeCanBeRead(t *testing.T) {
	for name, client := range forms {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.Subject = pairwise
			want := d.good()
			got, err := d.Read(t.Context(), d.make(t, client, want))
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
			happen func(t *testing.T, d *desk)
			good   bool
		}{
			{name: "good until the last second", happen: func(_ *testing.T, d *desk) { d.clock.Pass(59 * time.Second) }, good: true},
			{name: "RFC 6750 §3.1 expired", happen: func(_ *testing.T, d *desk) { d.clock.Pass(time.Minute) }},
			{name: "RFC 6750 §3.1 expired long ago", happen: func(_ *testing.T, d *desk) { d.clock.Pass(time.Hour) }},
			{name: "RFC 9068 §4 of another issuer", change: func(token *access.Token) { token.Issuer = "http://other.test" }},
			{name: "RFC 7009 §2.1 revoked", happen: func(t *testing.T, d *desk) { wantNil(t, d.Revoke(t.Context(), d.good())) }},
			{name: "RFC 6749 §4.1.2 its grant revoked", happen: func(t *testing.T, d *desk) {
				wantNil(t, d.grants.Revoked.Put(t.Context(), storage.Together("g", ""), d.clock.Now(), time.Hour))
			}},
			{name: "RFC 7009 §2.1 another token of the grant revoked", good: true, happen: func(t *testing.T, d *desk) {
				another := d.good()
				another.JTI = "another"
				wantNil(t, d.Revoke(t.Context(), another))
			}},
		} {
			t.Run(name+", "+row.name, func(t *testing.T) {
				d := newDesk(t)
				d.Subject = pairwise
				token := d.good()
				if row.change != nil {
					row.change(&token)
				}
				raw := d.make(t, client, token)
				if row.happen != nil {
					row.happen(t, d)
				}
				_, err := d.Read(t.Context(), raw)
				if row.good != (err == nil) || err != nil && oidc.AsError(err).Code != oidc.InvalidToken {
					t.Errorf("Read: %v", err)
				}
			})
		}
	}
}

func TestWhatIsNoAccessTokenIsRefused(t *testing.T) {
	d := newDesk(t)
	raw := d.make(t, oidc.Client{ClientID: "spa"}, d.good())
	d.Subject = pairwise
	d.make(t, oidc.Client{SubjectType: oidc.SubjectPairwise}, d.good())
	for _, wrong := range []string{"", ".", "..", "garbage", "g.secret", raw + "x", strings.Replace(raw, ".", "", 1), "g.the jti", "g.jwt the jti"} {
		if _, err := d.Read(t.Context(), wrong); err == nil || oidc.AsError(err).Code != oidc.InvalidToken {
			t.Errorf("Read(%q): %v; want invalid_token", wrong, err)
		}
	}
}

func TestAnOpaqueTokenSaysNothing(t *testing.T) { // RFC 6749 §1.4
	d := newDesk(t)
	raw := d.make(t, oidc.Client{AccessTokenFormat: oidc.FormatOpaque}, d.good())
	if id, secret, _ := strings.Cut(raw, "."); id != "g" || len(secret) < 26 || strings.Contains(d.store.Keys()+d.store.Values(), secret) {
		t.Errorf("got %q; want the grant's id and a secret that the store does not see", raw)
	}
}

func TestAClientThatAsksForItselfHasNoPairwiseSub(t *testing.T) { // RFC 9068 §2.2
	d := newDesk(t)
	d.Subject = pairwise
	token := d.good()
	token.Subject, token.AuthTime = "spa", 0
	read, err := d.Read(t.Context(), d.make(t, forms["Core §8.1 a JWT with a pairwise sub"], token))
	if err != nil || read.Subject != "spa" || read.Kept {
		t.Errorf("Read = %+v, %v", read, err)
	}
}

func TestAFailingStoreIsNoInvalidToken(t *testing.T) {
	for name, client := range forms {
		d := newDesk(t)
		d.Subject = pairwise
		raw := d.make(t, client, d.good())
		d.store.Gone(true)
		if _, err := d.Read(t.Context(), raw); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("%s: %v; want the engine's error", name, err)
		}
		if _, err := d.Make(t.Context(), client, d.good()); strings.HasSuffix(name, "a JWT") != (err == nil) {
			t.Errorf("%s: Make: %v", name, err)
		}
	}
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
