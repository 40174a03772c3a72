package keys_test

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/keys"
)

func TestAStolenStoreSignsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		set := h.keySet(t, jose.EdDSA, jose.ES256)
		rotate(t, set)
		stored := h.stored(t)
		if len(stored.Keys) != 4 {
			t.Fatalf("the store holds %d keys; want four", len(stored.Keys))
		}
		for _, k := range stored.Keys {
			if _, err := x509.ParsePKCS8PrivateKey(k.PKCS8); err == nil {
				t.Errorf("the %s key %s can be read without the secret", k.Alg, k.KeyID)
			}
		}
		if text := h.store.Values(); strings.Contains(text, "first---") || strings.Contains(text, `"d":`) {
			t.Errorf("the store was given a secret: %s", text)
		}
	})
}

func TestAnotherSecretOpensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		kid := signer(t, h.keySet(t))
		h.sharing.Seal = seal(t, "another")
		other := h.keySet(t)
		_, errSign := other.Sign(t.Context(), "", keys.TypeIDToken, claims{"alice"})
		_, errPublic := other.Public(t.Context())
		for _, err := range []error{
			errSign, errPublic, other.Ready(t.Context()), other.Rotate(t.Context()), other.Verify(t.Context(), "", "", nil),
		} {
			if err == nil {
				t.Error("with another secret there is no error")
			}
		}
		for _, part := range []string{kid, "ES256", "cookie_keys", "none of cookie_keys opens it"} {
			if !strings.Contains(errSign.Error(), part) {
				t.Errorf("Sign = %v; want %q in it", errSign, part)
			}
		}
		if got := h.stored(t).Keys; len(got) != 1 || got[0].KeyID != kid {
			t.Errorf("the set with another secret changed the store to %+v", got)
		}
	})
}

func TestTheFirstSecretSealsAndAllOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		kid := signer(t, h.keySet(t))
		h.sharing.Seal = seal(t, "second", "first")
		set := h.keySet(t)
		if got := signer(t, set); got != kid {
			t.Fatalf("with a new secret in front %s signs; want %s", got, kid)
		}
		rotate(t, set)
		h.sharing.Seal = seal(t, "second")
		if got := kids(t, h.keySet(t)); len(got) != 2 || got[0] != kid {
			t.Errorf("after a rotation the new secret alone opens %v; want the old key and the new one", got)
		}
		h.sharing.Seal = seal(t, "first")
		if err := h.keySet(t).Ready(t.Context()); err == nil {
			t.Error("after a rotation the old secret still opens the keys")
		}
	})
}

func TestAKeyWhoseSecretIsGoneDoesNoHarmOnceItRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		set := h.keySet(t)
		rotate(t, set)
		time.Sleep(propagation + propagation + lifetime)
		h.change(t, func(stored *keys.Stored) { stored.Keys[1].PKCS8[20] ^= 1 })
		fresh := h.keySet(t)
		if got := len(kids(t, fresh)); got != 1 {
			t.Errorf("%d keys are published; want the one that has not retired", got)
		}
		rotate(t, fresh)
	})
}

func (h *fixture) change(t *testing.T, change func(*keys.Stored)) {
	t.Helper()
	records := records(h.sharing)
	err := records.Update(context.Background(), "ring", time.Hour, func(stored *keys.Stored) (*keys.Stored, error) {
		change(stored)
		return stored, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAChangedRecordIsRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*keys.Stored)
	}{
		{"a changed key", func(s *keys.Stored) { s.Keys[0].PKCS8[20] ^= 1 }},
		{"an empty key", func(s *keys.Stored) { s.Keys[0].PKCS8 = nil }},
		{"a cut key", func(s *keys.Stored) { s.Keys[0].PKCS8 = s.Keys[0].PKCS8[:40] }},
		{"another kid", func(s *keys.Stored) { s.Keys[0].KeyID = "other" }},
		{"another alg", func(s *keys.Stored) { s.Keys[0].Alg = "HS256" }},
		{"two keys exchanged", func(s *keys.Stored) { s.Keys[0].PKCS8, s.Keys[1].PKCS8 = s.Keys[1].PKCS8, s.Keys[0].PKCS8 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newFixture(t)
				kids(t, h.keySet(t, jose.ES256, jose.EdDSA))
				h.change(t, row.change)
				if err := h.keySet(t, jose.ES256, jose.EdDSA).Ready(t.Context()); err == nil {
					t.Error("the set works with it")
				}
			})
		})
	}
}

// A set that runs goes on with the keys it knows, and says in Ready what is wrong.
func TestAKeySetOutlivesARecordItCannotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		set := h.keySet(t)
		kid := signer(t, set)
		other := *h
		other.sharing.Seal = seal(t, "another")
		h.change(t, func(stored *keys.Stored) { stored.Keys = nil })
		kids(t, other.keySet(t))
		time.Sleep(seen)
		if got := signer(t, set); got != kid {
			t.Errorf("%s signs; want %s as before", got, kid)
		}
		if err := set.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "cookie_keys") {
			t.Errorf("Ready = %v; want it to say that the secret is wrong", err)
		}
	})
}

func TestNoSecretNoSharing(t *testing.T) {
	h := newFixture(t)
	h.sharing.Seal = keys.Seal{}
	_, errNone := keys.NewShared([]keys.Spec{{Alg: jose.ES256}}, h.sharing)
	_, errEmpty := keys.NewSeal(nil)
	_, errShort := keys.NewSeal([][]byte{[]byte(strings.Repeat("k", 31))})
	for want, err := range map[string]error{"cookie_keys": errors.Join(errNone, errEmpty), "32": errShort} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want an error that says %q", err, want)
		}
	}
	if errNone == nil || errEmpty == nil {
		t.Errorf("without a secret NewShared gives %v and NewSeal %v", errNone, errEmpty)
	}
}
