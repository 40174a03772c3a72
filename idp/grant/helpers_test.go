package grant_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/storage"
)

// desk is where grants and consents are handled, with a clock that the test moves and a store that it watches.
type desk struct {
	*grant.Grants
	consents *grant.Consents
	clock    *clock
	store    *watchedStore
}

func newDesk() *desk {
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	store := &watchedStore{Store: storage.NewMemory(c.Now)}
	return &desk{
		clock: c, store: store,
		Grants: &grant.Grants{
			Codes: storage.NewBucket[grant.Code]("code", store), Revoked: storage.NewBucket[time.Time]("revoked", store),
			Now: c.Now, Random: rand.Text,
		},
		consents: &grant.Consents{Records: storage.NewBucket[map[string]grant.Consent]("consent", store), Now: c.Now},
	}
}

// good is a grant with every field that /authorize fills.
func good(now time.Time) grant.Grant {
	return grant.Grant{
		ClientID: "spa", RedirectURI: "https://app.test/cb", CodeChallenge: strings.Repeat("c", 43), Nonce: "n", Scope: []string{"openid", "email"},
		Sub: "alice", SID: "session.1", AuthTime: now.Add(-time.Hour), ACR: "1", AMR: []string{"pwd"},
	}
}

func (d *desk) issue(t *testing.T) string {
	t.Helper()
	code, err := d.Issue(t.Context(), good(d.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// redeem redeems for tokens that live five minutes.
func (d *desk) redeem(t *testing.T, code string) (grant.Grant, error) {
	t.Helper()
	return d.Redeem(t.Context(), code, tokenLifetime)
}

const tokenLifetime = 5 * time.Minute

type clock struct {
	sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.Lock()
	defer c.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.Lock()
	defer c.Unlock()
	c.now = c.now.Add(d)
}

// watchedStore keeps what reaches the engine.
type watchedStore struct {
	storage.Store
	sync.Mutex
	seen strings.Builder
}

func (s *watchedStore) note(key string, value []byte) {
	s.Lock()
	defer s.Unlock()
	s.seen.WriteString(key + "\n" + string(value) + "\n")
}

func (s *watchedStore) Get(ctx context.Context, key string) ([]byte, error) {
	s.note(key, nil)
	return s.Store.Get(ctx, key)
}

func (s *watchedStore) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.note(key, value)
	return s.Store.Put(ctx, key, value, ttl)
}

func (s *watchedStore) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	return s.Store.Update(ctx, key, ttl, func(old []byte) ([]byte, error) {
		value, err := change(old)
		s.note(key, value)
		return value, err
	})
}

var errEngine = errors.New("the engine is gone")

// failingStore is an engine that is gone.
type failingStore struct{ storage.Store }

func (failingStore) Get(context.Context, string) ([]byte, error) { return nil, errEngine }
