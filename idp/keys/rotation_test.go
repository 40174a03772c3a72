package keys_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

func TestRotationsOfAllKeySetsAtOnceAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		sets := []*keys.KeySet{h.keySet(t), h.keySet(t), h.keySet(t), h.keySet(t), h.keySet(t), h.keySet(t)}
		for round := range 3 {
			var rotations sync.WaitGroup
			for _, set := range sets {
				rotations.Go(func() { rotate(t, set) })
			}
			rotations.Wait()
			time.Sleep(seen)
			for _, set := range sets {
				if got := kids(t, set); len(got) != round+2 || !slices.Equal(got, kids(t, sets[0])) {
					t.Fatalf("after rotation %d of six sets these are published: %v", round+1, got)
				}
			}
			time.Sleep(propagation)
		}
	})
}

func TestARotationSoonAfterAnotherIsTheSame(t *testing.T) {
	for _, row := range []struct {
		name   string
		within time.Duration
		after  time.Duration
		want   int
	}{
		{"within MergeWithin", time.Minute, time.Minute - 1, 2},
		{"after MergeWithin", time.Minute, time.Minute, 3},
		{"within Propagation, when nothing is said", 0, propagation - 1, 2},
		{"after Propagation, when nothing is said", 0, propagation, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newFixture(t)
				h.sharing.MergeWithin = row.within
				one, other := h.keySet(t), h.keySet(t)
				rotate(t, one)
				time.Sleep(row.after)
				rotate(t, other)
				if got := kids(t, other); len(got) != row.want {
					t.Errorf("%d keys are published; want %d", len(got), row.want)
				}
			})
		})
	}
}

// OpenID Connect Core §10.1.1 has a client fetch the keys when it sees a new kid: then all sets must publish it.
func TestNoKeySetSignsWithAKeyThatAnotherDoesNotPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		sets := []*keys.KeySet{h.keySet(t), h.keySet(t), h.keySet(t)}
		first, signedBy := signer(t, sets[0]), map[string]bool{}
		for step := range 120 {
			if step == 4 {
				rotate(t, sets[1])
			}
			for _, set := range sets {
				kid := signer(t, set)
				signedBy[kid] = true
				for _, other := range sets {
					if !slices.Contains(kids(t, other), kid) {
						t.Fatalf("step %d: a set signs with %s, which another does not publish", step, kid)
					}
				}
			}
			time.Sleep(250 * time.Millisecond)
		}
		if len(signedBy) != 2 || signer(t, sets[2]) == first {
			t.Errorf("%d keys signed; want the first and the one that replaced it", len(signedBy))
		}
	})
}

func TestANewKeyIsPublishedAtOnceAndSignsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		one, other := h.keySet(t), h.keySet(t)
		before := signer(t, one)
		rotate(t, one)
		rotatedAt := time.Now()
		list, err := one.List(t.Context())
		if err != nil || len(list) != 2 || list[0].JWK.KeyID != before || !list[0].Signs || list[1].Signs {
			t.Fatalf("List = %+v, %v; want the old key, which signs, and the new one, which does not", list, err)
		}
		if want := rotatedAt.Add(propagation); !list[1].SignsAt.Equal(want) || !list[1].CreatedAt.Equal(rotatedAt) {
			t.Errorf(
				"the new key was made at %v and signs at %v; want %v and %v", list[1].CreatedAt, list[1].SignsAt, rotatedAt, want,
			)
		}
		time.Sleep(propagation - 1)
		for _, set := range []*keys.KeySet{one, other} {
			if signer(t, set) != before {
				t.Error("the new key signs before its time")
			}
		}
		time.Sleep(time.Nanosecond)
		for _, set := range []*keys.KeySet{one, other} {
			if got := signer(t, set); got != list[1].JWK.KeyID || kids(t, set)[0] != got {
				t.Errorf("%s signs; want the new key, first among the published: %v", got, kids(t, set))
			}
		}
	})
}

func TestAReplacedKeyIsPublishedUntilItsLastTokenHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		one, other := h.keySet(t), h.keySet(t)
		rotate(t, one)
		time.Sleep(propagation - 1)
		token := mustSign(t, other, "", keys.TypeAccessToken)
		for _, step := range []struct {
			passes time.Duration
			want   int
		}{{lifetime, 2}, {propagation, 2}, {1, 1}} {
			time.Sleep(step.passes)
			if got := len(kids(t, one)); got != step.want {
				t.Errorf("%v later %d keys are published; want %d", step.passes, got, step.want)
			}
			if err := other.Verify(t.Context(), token, keys.TypeAccessToken, &claims{}); (err == nil) != (step.want == 2) {
				t.Errorf("%v later the last token of the replaced key: %v", step.passes, err)
			}
		}
		rotate(t, one)
		if got := len(h.stored(t).Keys); got != 2 {
			t.Errorf("after the next rotation the store holds %d keys; want two: the retired one is gone", got)
		}
	})
}

func TestTheNextRotationDoesNotProlongTheLifeOfAReplacedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		set := h.keySet(t)
		rotate(t, set)
		before := h.stored(t).Keys[1]
		time.Sleep(time.Minute)
		rotate(t, set)
		if after := h.stored(t).Keys[2]; after.KeyID != before.KeyID || !after.RetireAt.Equal(before.RetireAt) ||
			before.RetireAt.IsZero() {
			t.Errorf("%s retires at %v; want %v as before", after.KeyID, after.RetireAt, before.RetireAt)
		}
	})
}

func (h *fixture) stored(t *testing.T) keys.Stored {
	t.Helper()
	stored, err := records(h.sharing).Get(context.Background(), "ring")
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func TestTooManyRotationsAreRefusedRatherThanAKeyInUseDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t)
		h.sharing.Lifetime = time.Hour
		set := h.keySet(t)
		token := mustSign(t, set, "", keys.TypeIDToken)
		var err error
		rotations := 0
		for ; err == nil; rotations++ {
			err = set.Rotate(t.Context())
			time.Sleep(propagation)
		}
		refused, ok := errors.AsType[*oidc.Error](err)
		if rotations != 16 || !ok || refused.Code != oidc.InvalidRequest || !strings.Contains(
			err.Error(), "rotate again after 2000-01-01T01:",
		) {
			t.Errorf("rotation %d: %v; want the sixteenth refused, and when to try again", rotations, err)
		}
		if err := set.Verify(t.Context(), token, keys.TypeIDToken, &claims{}); err != nil {
			t.Errorf("the first token: %v", err)
		}
		time.Sleep(time.Hour)
		rotate(t, set)
	})
}
