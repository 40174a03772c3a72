package keys_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const (
	propagation = 10 * time.Second
	lifetime    = 5 * time.Minute
	seen        = 3 * time.Second // after that every set looks before it works
)

// fixture is a store whose record key sets share. Its tests run in bubbles of synctest: time passes when all goroutines
// sleep.
type fixture struct {
	store   *storagetest.Spy
	sharing keys.Sharing
}

func newFixture(t *testing.T, secrets ...string) *fixture {
	t.Helper()
	h := &fixture{store: &storagetest.Spy{Store: storage.NewMemory(time.Now)}}
	h.sharing = keys.Sharing{Now: time.Now, Propagation: propagation, Lifetime: lifetime}
	h.sharing.Store = h.store
	h.sharing.Seal = seal(t, append(secrets, "first")...)
	return h
}

// records is the bucket of the record that key sets share.
func records(sharing keys.Sharing) storage.Bucket[keys.Stored] {
	return storage.NewBucket[keys.Stored]("keys", sharing.Store)
}

// seal is one with secrets that are told apart by a word.
func seal(t testing.TB, words ...string) keys.Seal {
	t.Helper()
	var secrets [][]byte
	for _, word := range words {
		secrets = append(secrets, []byte(word+strings.Repeat("-", 32)))
	}
	made, err := keys.NewSeal(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// set is a new one, as a provider makes it at start: it has keys for algs, ES256 without any.
func (h *fixture) keySet(t *testing.T, algs ...jose.SignatureAlgorithm) *keys.KeySet {
	t.Helper()
	if len(algs) == 0 {
		algs = []jose.SignatureAlgorithm{jose.ES256}
	}
	var specs []keys.Spec
	for _, alg := range algs {
		specs = append(specs, keys.Spec{Alg: alg})
	}
	set, err := keys.NewShared(specs, h.sharing)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func rotate(t *testing.T, set *keys.KeySet) {
	t.Helper()
	if err := set.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func kids(t *testing.T, set *keys.KeySet) []string {
	t.Helper()
	var all []string
	for _, key := range mustPublic(t, set).Keys {
		all = append(all, key.KeyID)
	}
	return all
}

// signer is the kid in the header of a token that set signs now.
func signer(t *testing.T, set *keys.KeySet) string {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(mustSign(t, set, "", keys.TypeIDToken), keys.Algorithms())
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Signatures[0].Header.KeyID
}

func TestRingsThatStartAtOnceHaveTheSameKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		var sets []*keys.KeySet
		for range 8 {
			sets = append(sets, h.keySet(t, jose.EdDSA, jose.ES256))
		}
		want := kids(t, sets[0])
		for _, set := range sets {
			if diff := cmp.Diff(want, kids(t, set)); diff != "" || len(want) != 2 {
				t.Fatalf("two sets on one store publish different keys (-one +other):\n%s", diff)
			}
			if err := set.Verify(
				t.Context(), mustSign(t, sets[0], "", keys.TypeIDToken), keys.TypeIDToken, &claims{},
			); err != nil {
				t.Errorf("a token of the first set at another: %v", err)
			}
		}
	})
}

func TestEveryAlgorithmIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		one, other := h.keySet(t, keys.Algorithms()...), h.keySet(t, keys.Algorithms()...)
		jwks, _ := published(t, one)
		for _, alg := range keys.Algorithms() {
			checkSigned(t, other, jwks, alg, keys.TypeAccessToken)
		}
		if diff := cmp.Diff(keys.Algorithms(), one.Algs()); diff != "" {
			t.Errorf("Algs (-want +got):\n%s", diff)
		}
	})
}

func TestARestartKeepsTheKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		before := h.keySet(t)
		token := mustSign(t, before, "", keys.TypeAccessToken)
		after := h.keySet(t)
		if err := after.Verify(t.Context(), token, keys.TypeAccessToken, &claims{}); err != nil {
			t.Errorf("a token of before the restart: %v", err)
		}
		if signer(t, before) != signer(t, after) {
			t.Error("after the restart another key signs")
		}
	})
}

func TestWithoutPropagationANewKeySignsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		h.sharing.Propagation = 0
		set := h.keySet(t)
		before := signer(t, set)
		rotate(t, set)
		rotate(t, set)
		if got := kids(t, set); signer(t, set) == before || len(got) != 3 {
			t.Errorf("after two rotations %v are published; want three, of which the last made signs", got)
		}
	})
}

func TestAnAlgThatIsConfiguredLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		before := h.keySet(t)
		kid := signer(t, before)
		after := h.keySet(t, jose.EdDSA, jose.ES256)
		token := mustSign(t, after, "EdDSA", keys.TypeAccessToken)
		if got := kids(t, after); len(got) != 2 || got[1] != kid {
			t.Errorf("published are %v; want the new EdDSA key and the ES256 key %s", got, kid)
		}
		if err := before.Verify(t.Context(), token, keys.TypeAccessToken, &claims{}); err != nil {
			t.Errorf("the set without the alg does not know its tokens: %v", err)
		}
	})
}

func TestAnAlgThatIsNotConfiguredAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		token := mustSign(t, h.keySet(t, jose.EdDSA, jose.ES256), "EdDSA", keys.TypeAccessToken)
		after := h.keySet(t, jose.ES256)
		if _, err := after.Sign(t.Context(), "EdDSA", keys.TypeAccessToken, claims{}); err == nil {
			t.Error("it still signs")
		}
		rotate(t, after)
		time.Sleep(propagation + lifetime)
		if err := after.Verify(t.Context(), token, keys.TypeAccessToken, &claims{}); err != nil {
			t.Errorf("its tokens, before they expire: %v", err)
		}
		time.Sleep(propagation)
		if got := kids(t, after); len(got) != 1 {
			t.Errorf("published are %v; want the ES256 key that signs", got)
		}
		if mustSign(t, h.keySet(t, jose.EdDSA), "", keys.TypeIDToken) == "" || len(kids(t, h.keySet(t))) != 2 {
			t.Error("configured again, it has no new key")
		}
	})
}

// An engine that judges by comparing runs a change again when another writer came first.
func TestAChangeThatRunsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		h.sharing.Store = twice{h.store}
		one := h.keySet(t)
		rotate(t, one)
		if got := kids(t, one); len(got) != 2 || !slices.Equal(got, kids(t, h.keySet(t))) {
			t.Errorf("published are %v; want two keys, the same in a new key set", got)
		}
	})
}

type twice struct{ storage.Store }

func (s twice) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	return s.Store.Update(ctx, key, ttl, func(old []byte) ([]byte, error) {
		if _, err := change(slices.Clone(old)); err != nil {
			return nil, err
		}
		return change(old)
	})
}

func TestKeysFromFilesAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		file := write(t, pkcs8(t, makeKeys(t).p256))
		set, err := keys.NewShared([]keys.Spec{{Alg: jose.EdDSA}, {Alg: jose.ES256, File: file}}, h.sharing)
		if err != nil {
			t.Fatal(err)
		}
		before := kids(t, set)
		rotate(t, set)
		time.Sleep(propagation)
		after := kids(t, set)
		if len(after) != 3 || after[0] == before[0] || after[1] != before[1] || after[2] != before[0] {
			t.Errorf(
				"a rotation made %v of %v; want another EdDSA key, the key of the file, and the old EdDSA key", after, before,
			)
		}
		for _, k := range h.stored(t).Keys {
			if k.Alg != jose.EdDSA {
				t.Errorf("the %s key of the file is in the store", k.Alg)
			}
		}
	})
}

func TestARotationWithKeysFromFilesOnlySaysWhatToDo(t *testing.T) {
	spec := keys.Spec{Alg: jose.ES256, File: write(t, pkcs8(t, makeKeys(t).p256))}
	shared, err := keys.NewShared([]keys.Spec{spec}, keys.Sharing{}) // which needs no store
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []*keys.KeySet{shared, mustNew(t, spec)} {
		before := kids(t, set)
		err := set.Rotate(t.Context())
		refused, ok := errors.AsType[*oidc.Error](err)
		if !ok || refused.Code != oidc.InvalidRequest || !strings.Contains(err.Error(), spec.File) || !strings.Contains(
			err.Error(), "leave out the file",
		) {
			t.Errorf("Rotate = %v; want an invalid_request that names the file and says what to do", err)
		}
		if diff := cmp.Diff(before, kids(t, set)); diff != "" {
			t.Errorf("the keys changed:\n%s", diff)
		}
	}
}

func TestNewSharedRefusesWhatNewRefuses(t *testing.T) {
	h := newFixture(t)
	if _, err := keys.NewShared([]keys.Spec{{Alg: "none"}}, h.sharing); err == nil {
		t.Error("alg none is accepted")
	}
	if _, err := keys.NewShared(nil, h.sharing); err == nil {
		t.Error("no spec is accepted")
	}
}
