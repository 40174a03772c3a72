package keys_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// quick are algs whose keys are made in no time.
var quick = []keys.Spec{{Alg: jose.EdDSA}, {Alg: jose.ES256}}

// FuzzStoredKeys: whatever the store holds, a set fails by an error, or signs what it verifies by a key that it
// publishes, which came out of the record as it went in or was made just now. A record that can be read is written as
// it was read.
func FuzzStoredKeys(f *testing.F) {
	clock := storagetest.NewClock()
	sharing := keys.Sharing{Seal: seal(f, "first"), Now: clock.Now, Propagation: propagation, Lifetime: lifetime}
	for _, record := range storedSeeds(f, clock, sharing) {
		f.Add(record)
	}
	now := clock.Now()
	f.Fuzz(func(t *testing.T, record []byte) {
		sharing := sharing
		sharing.Now = func() time.Time { return now }
		sharing.Store = storeWith(t, record, sharing.Now)
		set, err := keys.NewShared(quick, sharing)
		if err != nil {
			t.Fatal(err)
		}
		var stored keys.Stored
		readable := json.Unmarshal(record, &stored) == nil
		token, err := set.Sign(t.Context(), "", keys.TypeIDToken, claims{"alice"})
		if err != nil || !readable && len(record) > 0 {
			checkUnusable(t, record, set, err)
			return
		}
		checkUsable(t, set, token, stored, now)
		if err := set.Rotate(t.Context()); err == nil {
			checkUsable(t, set, token, stored, now)
		}
		checkRewritten(t, stored)
	})
}

// storeWith is a store with the record in it. One that is no JSON cannot be written, and so stays what it is.
func storeWith(t *testing.T, record []byte, now func() time.Time) storage.Store {
	t.Helper()
	if !json.Valid(record) {
		return storagetest.Holding(record)
	}
	store := storage.NewMemory(now)
	if err := storage.NewBucket[json.RawMessage]("keys", store).Put(t.Context(), "ring", record, time.Hour); err != nil {
		t.Fatal(err)
	}
	return store
}

// storedSeeds are records as sets leave them, and some that none does.
func storedSeeds(f *testing.F, clock *storagetest.Clock, sharing keys.Sharing) [][]byte {
	f.Helper()
	sharing.Store = storage.NewMemory(clock.Now)
	seeds := [][]byte{nil, []byte("null"), []byte(`{"keys":[null]}`),
		[]byte(`{"keys":null,"rotated_at":"9999-12-31T23:59:59Z"}`),
		[]byte(`{"keys":[{"kid":"k","alg":"none","pkcs8":"","signs_at":"0001-01-01T00:00:00Z"}]}`)}
	set, err := keys.NewShared(quick, sharing)
	if err != nil {
		f.Fatal(err)
	}
	for range 3 {
		if err := set.Ready(f.Context()); err != nil {
			f.Fatal(err)
		}
		stored, err := records(sharing).Get(f.Context(), "ring")
		if err != nil {
			f.Fatal(err)
		}
		whole := written(f, stored)
		// the halves belong to other names
		stored.Keys[0].KeyID, stored.Keys[1].KeyID = stored.Keys[1].KeyID, stored.Keys[0].KeyID
		seeds = append(seeds, whole, written(f, stored))
		clock.Pass(2 * propagation)
		if err := set.Rotate(f.Context()); err != nil {
			f.Fatal(err)
		}
	}
	return seeds
}

func written(t testing.TB, stored keys.Stored) []byte {
	t.Helper()
	text, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkUnusable holds that a set that cannot sign publishes nothing and recognises nothing.
func checkUnusable(t *testing.T, record []byte, set *keys.KeySet, err error) {
	t.Helper()
	published, errList := set.List(t.Context())
	if err == nil || errList == nil || set.Ready(t.Context()) == nil {
		t.Errorf(
			"%s: Sign: %v, Ready: %v, List: %v, %v; want errors", record, err, set.Ready(t.Context()), published, errList,
		)
	}
}

// checkUsable holds that the token is verified, and that all published keys are of the record or new, and public.
func checkUsable(t *testing.T, set *keys.KeySet, token string, stored keys.Stored, now time.Time) {
	t.Helper()
	var got claims
	if err := set.Verify(t.Context(), token, keys.TypeIDToken, &got); err != nil || got.Subject != "alice" {
		t.Errorf("the set signed %s, and says of it: %v", token, err)
	}
	published, err := set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range published {
		known := slices.ContainsFunc(stored.Keys, func(k keys.StoredKey) bool {
			return k.KeyID == p.JWK.KeyID && string(k.Alg) == p.JWK.Algorithm
		})
		if !p.JWK.IsPublic() || !known && !p.CreatedAt.Equal(now) {
			t.Errorf("published is %+v, which is private, or neither stored nor new", p)
		}
	}
}

func checkRewritten(t *testing.T, stored keys.Stored) {
	t.Helper()
	if stored.Keys == nil {
		return // a set writes at least one key
	}
	var again keys.Stored
	if err := json.Unmarshal(written(t, stored), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stored, again); diff != "" {
		t.Errorf("it is read again as something else:\n%s", diff)
	}
}
