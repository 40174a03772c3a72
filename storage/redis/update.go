package redis

import (
	"context"
	"crypto/sha1"
	_ "embed" // the script
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/hush-idp/hush/storage"
)

// swapSource replaces or removes a value if it is still the expected one.
//
//go:embed swap.lua
var swapSource string

// swapName is the name of the script in Redis.
var swapName = fmt.Sprintf("%x", sha1.Sum([]byte(swapSource)))

// Update implements storage.Store. It calls change again if the guess of the old value was wrong, or if another writer
// came first.
func (s *Store) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	if ttl < 0 {
		return storage.ErrBadTTL
	}
	limited, end := storage.Spend(ctx)
	defer end()
	key = prefix + key
	old, certain, err := s.guess(limited, key, ttl)
	for tries := 0; err == nil; tries++ {
		value, refused := change(old.bytes())
		if refused == nil && value != nil && !old.found && ttl == storage.KeepTTL {
			refused = storage.ErrNoTTL
		}
		var done bool
		switch changesNothing := refused != nil || value == nil && !old.found; {
		case changesNothing && certain:
			return refused
		case changesNothing: // the guess may be wrong
			old, err = s.readThrough(limited, key)
		default:
			old, done, err = s.replace(limited, key, old, value, ttl)
		}
		if done {
			return nil
		}
		// Without turns, most of five hundred Updates of one key at once would lose each round, and the last would not end
		// within the budget.
		if certain = true; tries == 1 && err == nil {
			turn := s.turns[maphash.String(s.seed, key)%uint64(len(s.turns))]
			if err = turn.Acquire(limited, 1); err == nil {
				defer turn.Release(1)
				old, err = s.readThrough(limited, key)
			}
		}
		if tries > 1 {
			pause(limited, tries)
		}
	}
	return s.fail(ctx, err)
}

// guess returns the likely old value of an Update, without a round trip to the server where possible. It is certain
// after a read.
func (s *Store) guess(ctx context.Context, key string, ttl time.Duration) (old record, certain bool, err error) {
	switch {
	case strings.HasPrefix(key, cached):
		old, err = s.read(ctx, key)
		return old, false, err
	case ttl == storage.KeepTTL: // which only changes a record that exists
		old, err = s.readThrough(ctx, key)
		return old, true, err
	}
	return record{}, false, ctx.Err()
}

// replace writes value in the place of old, or removes the record if value is nil. If the server has another value than
// old, done is false and actual is that value.
func (s *Store) replace(ctx context.Context, key string, old record, value []byte, ttl time.Duration) (
	actual record, done bool, err error) {
	if !old.found {
		return s.create(ctx, key, value, ttl)
	}
	return s.swap(ctx, key, swapArguments(old, value, ttl))
}

// create writes the first value of a key. It needs no script, which the server would run for ten times as long.
func (s *Store) create(ctx context.Context, key string, value []byte, ttl time.Duration) (
	actual record, done bool, err error) {
	set := s.client.B().Set().Key(key).Value(string(value)).Nx().PxMilliseconds(milliseconds(ttl)).Build()
	if err = s.write(ctx, key, set).Error(); rueidis.IsRedisNil(err) {
		actual, err = s.readThrough(ctx, key)
		return actual, false, err
	}
	return record{}, err == nil, err
}

// swap runs the script with these arguments.
func (s *Store) swap(ctx context.Context, key string, arguments []string) (actual record, done bool, err error) {
	reply := s.write(ctx, key, s.client.B().Evalsha().Sha1(swapName).Numkeys(1).Key(key).Arg(arguments...).Build())
	if known, ok := rueidis.IsRedisErr(reply.Error()); ok && known.IsNoScript() {
		reply = s.write(ctx, key, s.client.B().Eval().Script(swapSource).Numkeys(1).Key(key).Arg(arguments...).Build())
	}
	answer, err := reply.ToArray()
	if err != nil || len(answer) == 0 {
		return record{}, err == nil, err
	}
	text, err := answer[0].ToString()
	if rueidis.IsRedisNil(err) {
		return record{}, false, nil
	}
	return record{text, true}, false, err
}

// swapArguments returns the arguments that swap.lua documents.
func swapArguments(old record, value []byte, ttl time.Duration) []string {
	switch {
	case value == nil:
		return []string{old.value, "remove"}
	case ttl == storage.KeepTTL:
		return []string{old.value, "keep", string(value)}
	}
	return []string{old.value, "set", string(value), strconv.FormatInt(milliseconds(ttl), 10)}
}

// pause waits a random time, longer after each try, so that writers of other processes finish.
func pause(ctx context.Context, tries int) {
	select {
	case <-time.After(rand.N(time.Millisecond << min(tries-2, 5))):
	case <-ctx.Done():
	}
}
