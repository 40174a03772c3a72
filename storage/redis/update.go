package redis

import (
	"context"
	"crypto/sha1"
	_ "embed" // the script
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/hush-idp/hush/storage"
)

// swapSource replaces or removes a value if it is still the one that was seen.
//
//go:embed swap.lua
var swapSource string

// swapName is how Redis calls a script that it has seen before.
var swapName = func() string {
	sum := sha1.Sum([]byte(swapSource))
	return hex.EncodeToString(sum[:])
}()

// Update implements storage.Store. change runs again when its old value was a guess that the server refused, or when
// another writer came first.
func (s *Store) Update(ctx context.Context, key string, ttl time.Duration, change func(old []byte) ([]byte, error)) error {
	if ttl < 0 {
		return errBadTTL
	}
	limited, end := storage.Spend(ctx)
	defer end()
	u := &update{store: s, key: prefix + key, ttl: ttl}
	if err := u.begin(limited); err != nil {
		return s.fail(ctx, err)
	}
	for tries := 0; ; tries++ {
		value, refused := u.run(change)
		isNothing := value == nil && !u.old.found // and stays it
		done, err := false, error(nil)
		switch {
		case u.isRead && (refused != nil || isNothing):
			return refused
		case refused != nil || isNothing: // no swap judges that guess
			err = u.reread(limited)
		default:
			done, err = u.swap(limited, value)
		}
		if err != nil {
			return s.fail(ctx, err)
		}
		if done {
			return nil
		}
		switch {
		case tries == 1: // others change it, too
			leave, err := u.queue(limited)
			if err != nil {
				return s.fail(ctx, err)
			}
			defer leave()
		case tries > 1:
			u.wait(limited, tries)
		}
	}
}

// update is one Update under way.
type update struct {
	store *Store
	key   string
	ttl   time.Duration

	old    record
	isRead bool // old came from the server during this Update: it is no guess
}

// begin finds the old value: by a guess where there is one, by a read where not.
func (u *update) begin(ctx context.Context) (err error) {
	value, known := u.store.wrote.take(u.key)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case known:
		u.old = record{value, true}
	case strings.HasPrefix(u.key, cached):
		u.old, err = u.store.read(ctx, u.key)
	case u.ttl == storage.KeepTTL: // there must be something
		err = u.reread(ctx)
	}
	return err
}

// run runs change, and refuses a record that would have no ttl.
func (u *update) run(change func(old []byte) ([]byte, error)) (value []byte, refused error) {
	value, refused = change(u.old.bytes())
	if refused == nil && value != nil && !u.old.found && u.ttl == storage.KeepTTL {
		refused = errNoTTL
	}
	return value, refused
}

func (u *update) reread(ctx context.Context) (err error) {
	u.old, err = u.store.readThrough(ctx, u.key)
	u.isRead = true
	return err
}

// swap replaces the old value, or removes it where value is nil. When the key held something else by now, it is not done,
// and the update knows what.
func (u *update) swap(ctx context.Context, value []byte) (done bool, err error) {
	reply := u.store.write(ctx, u.key, u.store.client.B().Evalsha().Sha1(swapName).Numkeys(1).Key(u.key).Arg(u.arguments(value)...).Build())
	if known, ok := rueidis.IsRedisErr(reply.Error()); ok && known.IsNoScript() {
		reply = u.store.write(ctx, u.key, u.store.client.B().Eval().Script(swapSource).Numkeys(1).Key(u.key).Arg(u.arguments(value)...).Build())
	}
	answer, err := reply.ToArray()
	if err != nil || len(answer) == 0 {
		return err == nil, err
	}
	actual, err := answer[0].ToString()
	u.old, u.isRead = record{actual, err == nil}, true
	if rueidis.IsRedisNil(err) {
		err = nil
	}
	return false, err
}

// arguments are the script's; see there.
func (u *update) arguments(value []byte) []string {
	old, action := []string{"missing", ""}, []string{"remove"}
	if u.old.found {
		old = []string{"holds", u.old.value}
	}
	switch {
	case value == nil:
	case u.ttl == storage.KeepTTL:
		action = []string{"keep", string(value)}
	default:
		action = []string{"set", string(value), strconv.FormatInt(milliseconds(u.ttl), 10)}
	}
	return append(old, action...)
}

// queue waits until this Update is the only one of this process that tries the key again, and reads it then.
func (u *update) queue(ctx context.Context) (leave func(), err error) {
	leave, err = u.store.turns.take(ctx, u.key)
	if err != nil {
		return nil, err
	}
	if err := u.reread(ctx); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// wait lets writers of the key in other processes finish; longer, and by chance, the more often they came first.
func (u *update) wait(ctx context.Context, tries int) {
	timer := time.NewTimer(rand.N(time.Millisecond << min(tries-2, 5)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
