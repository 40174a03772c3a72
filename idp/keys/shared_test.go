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
	seen        = 3 * time.Second // after that every ring looks before it works
)

// house is where rings share a record. Its tests run in bubbles of synctest: time passes when everybody sleeps.
type house struct {
	store   *storagetest.Spy
	sharing keys.Sharing
}

func newHouse(t *testing.T, secrets ...string) *house {
	t.Helper()
	h := &house{store: &storagetest.Spy{Store: storage.NewMemory(time.Now)}}
	h.sharing = keys.Sharing{Now: time.Now, Propagation: propagation, Lifetime: lifetime}
	h.sharing.Records = storage.NewBucket[keys.Stored]("keys", h.store)
	h.sharing.Seal = seal(t, append(secrets, "first")...)
	return h
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

// ring is a new one, as a provider makes it at start: it has keys for algs, ES256 without any.
func (h *house) ring(t *testing.T, algs ...jose.SignatureAlgorithm) *keys.Ring {
	t.Helper()
	if len(algs) == 0 {
		algs = []jose.SignatureAlgorithm{jose.ES256}
	}
	var specs []keys.Spec
	for _, alg := range algs {
		specs = append(specs, keys.Spec{Alg: alg})
	}
	ring, err := keys.NewShared(specs, h.sharing)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func rotate(t *testing.T, ring *keys.Ring) {
	t.Helper()
	if err := ring.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func kids(t *testing.T, ring *keys.Ring) []string {
	t.Helper()
	var all []string
	for _, key := range mustPublic(t, ring).Keys {
		all = append(all, key.KeyID)
	}
	return all
}

// signer is the kid in the header of a token that ring signs now.
func signer(t *testing.T, ring *keys.Ring) string {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(mustSign(t, ring, "", keys.TypeIDToken), keys.Algorithms())
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Signatures[0].Header.KeyID
}

func TestRingsThatStartAtOnceHaveTheSameKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var rings []*keys.Ring
		for range 8 {
			rings = append(rings, h.ring(t, jose.EdDSA, jose.ES256))
		}
		want := kids(t, rings[0])
		for _, ring := range rings {
			if diff := cmp.Diff(want, kids(t, ring)); diff != "" || len(want) != 2 {
				t.Fatalf("two rings on one store publish different keys (-one +other):\n%s", diff)
			}
			if err := ring.Verify(mustSign(t, rings[0], "", keys.TypeIDToken), keys.TypeIDToken, &claims{}); err != nil {
				t.Errorf("a token of the first ring at another: %v", err)
			}
		}
	})
}

func TestEveryAlgorithmIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		one, other := h.ring(t, keys.Algorithms()...), h.ring(t, keys.Algorithms()...)
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
		h := newHouse(t)
		before := h.ring(t)
		token := mustSign(t, before, "", keys.TypeAccessToken)
		after := h.ring(t)
		if err := after.Verify(token, keys.TypeAccessToken, &claims{}); err != nil {
			t.Errorf("a token of before the restart: %v", err)
		}
		if signer(t, before) != signer(t, after) {
			t.Error("after the restart another key signs")
		}
	})
}

func TestWithoutPropagationANewKeySignsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.sharing.Propagation = 0
		ring := h.ring(t)
		before := signer(t, ring)
		rotate(t, ring)
		rotate(t, ring)
		if got := kids(t, ring); signer(t, ring) == before || len(got) != 3 {
			t.Errorf("after two rotations %v are published; want three, of which the last made signs", got)
		}
	})
}

func TestAnAlgThatIsConfiguredLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		before := h.ring(t)
		kid := signer(t, before)
		after := h.ring(t, jose.EdDSA, jose.ES256)
		token := mustSign(t, after, "EdDSA", keys.TypeAccessToken)
		if got := kids(t, after); len(got) != 2 || got[1] != kid {
			t.Errorf("published are %v; want the new EdDSA key and the ES256 key %s", got, kid)
		}
		if err := before.Verify(token, keys.TypeAccessToken, &claims{}); err != nil {
			t.Errorf("the ring without the alg does not know its tokens: %v", err)
		}
	})
}

func TestAnAlgThatIsNotConfiguredAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		token := mustSign(t, h.ring(t, jose.EdDSA, jose.ES256), "EdDSA", keys.TypeAccessToken)
		after := h.ring(t, jose.ES256)
		if _, err := after.Sign("EdDSA", keys.TypeAccessToken, claims{}); err == nil {
			t.Error("it still signs")
		}
		rotate(t, after)
		time.Sleep(propagation + lifetime)
		if err := after.Verify(token, keys.TypeAccessToken, &claims{}); err != nil {
			t.Errorf("its tokens, before they expire: %v", err)
		}
		time.Sleep(propagation)
		if got := kids(t, after); len(got) != 1 {
			t.Errorf("published are %v; want the ES256 key that signs", got)
		}
		if mustSign(t, h.ring(t, jose.EdDSA), "", keys.TypeIDToken) == "" || len(kids(t, h.ring(t))) != 2 {
			t.Error("configured again, it has no new key")
		}
	})
}

// An engine that judges by comparing runs a change again when another writer came first.
func TestAChangeThatRunsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.sharing.Records = storage.NewBucket[keys.Stored]("keys", twice{h.store})
		one := h.ring(t)
		rotate(t, one)
		if got := kids(t, one); len(got) != 2 || !slices.Equal(got, kids(t, h.ring(t))) {
			t.Errorf("published are %v; want two keys, the same at a new ring", got)
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
		h := newHouse(t)
		file := write(t, pkcs8(t, makeKeys(t).p256))
		ring, err := keys.NewShared([]keys.Spec{{Alg: jose.EdDSA}, {Alg: jose.ES256, File: file}}, h.sharing)
		if err != nil {
			t.Fatal(err)
		}
		before := kids(t, ring)
		rotate(t, ring)
		time.Sleep(propagation)
		after := kids(t, ring)
		if len(after) != 3 || after[0] == before[0] || after[1] != before[1] || after[2] != before[0] {
			t.Errorf("a rotation made %v of %v; want another EdDSA key, the key of the file, and the old EdDSA key", after, before)
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
	for _, ring := range []*keys.Ring{shared, mustRing(t, spec)} {
		before := kids(t, ring)
		err := ring.Rotate(t.Context())
		refused, ok := errors.AsType[*oidc.Error](err)
		if !ok || refused.Code != oidc.InvalidRequest || !strings.Contains(err.Error(), spec.File) || !strings.Contains(err.Error(), "leave out the file") {
			t.Errorf("Rotate = %v; want an invalid_request that names the file and says what to do", err)
		}
		if diff := cmp.Diff(before, kids(t, ring)); diff != "" {
			t.Errorf("the keys changed:\n%s", diff)
		}
	}
}

func TestNewSharedRefusesWhatNewRefuses(t *testing.T) {
	h := newHouse(t)
	if _, err := keys.NewShared([]keys.Spec{{Alg: "none"}}, h.sharing); err == nil {
		t.Error("alg none is accepted")
	}
	if _, err := keys.NewShared(nil, h.sharing); err == nil {
		t.Error("no spec is accepted")
	}
}
