package grant_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// FuzzCode: no text but the code gives the grant.
func FuzzCode(f *testing.F) {
	const theCode = "THECODE"
	for _, seed := range []string{"", ".", theCode, theCode + "A", "." + theCode, theCode + "." + theCode, "\x00.AAAA"} {
		f.Add(seed)
	}
	d := newFixture()
	f.Fuzz(func(t *testing.T, text string) {
		code := d.issue(t)
		shown := strings.ReplaceAll(text, theCode, code)
		granted, err := d.Redeem(t.Context(), shown, tokenLifetime)
		if (err == nil) != (shown == code) || err != nil && !errors.Is(err, grant.ErrUnknown) {
			t.Errorf("Redeem(%q) = %+v, %v", text, granted, err)
		}
	})
}

// FuzzStoredMark: whatever the store holds in the place of a mark, the code gives nothing.
func FuzzStoredMark(f *testing.F) {
	for _, record := range []string{"", "null", "7", `{"spent":9e18}`, `{"spent":null}`, `["x"]`, "\x81\xa5spent\xdd"} {
		f.Add([]byte(record))
	}
	packed, err := grant.Mark{Spent: 300}.MarshalMsg(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, record []byte) {
		d := newFixture()
		code := d.issue(t)
		d.Marks = storage.NewBucket[grant.Mark]("code", storagetest.Holding(record))
		granted, err := d.Redeem(t.Context(), code, tokenLifetime)
		if readable := decode(record, new(grant.Mark)) == nil; err == nil || errors.Is(err, grant.ErrReplayed) != readable {
			t.Errorf("%q: Redeem = %+v, %v", record, granted, err)
		}
	})
}

// endlessList is a grant that claims a list of 16 million texts and has none of them.
const endlessList = "\x81\xa3amr\xdd\x01\x00\x00\x00"

func TestADamagedListCostsNoMemory(t *testing.T) {
	grants := storage.NewBucket[grant.Grant]("test", storagetest.Holding([]byte(endlessList)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := grants.Get(t.Context(), "g")
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "a test record cannot be read") {
		t.Errorf("Get: %v; want an error that names the record", err)
	}
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 1 {
		t.Errorf("a record of %d bytes took %d MiB", len(endlessList), took)
	}
}

// decode reads the JSON of earlier versions, which begins with a brace, or MessagePack.
func decode(record []byte, mark *grant.Mark) error {
	if len(record) > 0 && record[0] == '{' {
		return json.Unmarshal(record, mark)
	}
	_, err := msgp.Skip(record)
	if err == nil {
		_, err = mark.UnmarshalMsg(record)
	}
	return err
}

func seed(f *testing.F, record any) []byte {
	f.Helper()
	text, err := json.Marshal(record)
	if err != nil {
		f.Fatal(err)
	}
	return text
}

// FuzzStoredConsents: whatever the store holds for a user, it can be added to or is an error.
func FuzzStoredConsents(f *testing.F) {
	now := storagetest.NewClock().Now()
	for _, record := range []any{
		map[string]grant.Consent{"spa": {Scope: oidc.Scope{"openid"}, GrantedAt: now}}, map[string]any{"spa": nil},
		map[string]any{}, nil, "", 7,
	} {
		f.Add(seed(f, record))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		d := newFixture()
		d.consents.Records = storage.NewBucket[map[string]grant.Consent]("consent", storagetest.Holding(record))
		before, err := d.consents.Of(t.Context(), "alice")
		if remembered := d.consents.Remember(
			t.Context(), "alice", "spa", oidc.Scope{"email"},
		); len(record) > 0 && (err == nil) != (remembered == nil) {
			t.Errorf("%s: Of = %v, %v; Remember = %v", record, before, err, remembered)
		}
		if forgotten := d.consents.Forget(
			t.Context(), "alice", "spa",
		); len(record) > 0 && (err == nil) != (forgotten == nil) {
			t.Errorf("%s: Of = %v, %v; Forget = %v", record, before, err, forgotten)
		}
	})
}

// FuzzStoredFamily: whatever the store holds for a family, a token that its record does not name gives nothing, and
// nothing panics.
func FuzzStoredFamily(f *testing.F) {
	d := newFixture()
	token, _ := d.begin(f)
	family, err := d.Family(f.Context(), token)
	if err != nil {
		f.Fatal(err)
	}
	for _, record := range []any{
		family, grant.Family{}, grant.Family{RevokedAt: d.clock.Now()}, nil, "", 7, []string{"x"},
	} {
		f.Add(seed(f, record), token)
		f.Add(seed(f, record), "a.b.c")
	}
	f.Add([]byte(`{"mark":"","current":"","until":"9999-12-31T23:59:59Z","idle_until":"9999-12-31T23:59:59Z"}`), "a.b.c")
	f.Fuzz(func(t *testing.T, record []byte, token string) {
		d := newFixture()
		d.Families = storage.NewBucket[grant.Family]("refresh", storagetest.Holding(record))
		found, looked := d.Look(t.Context(), token)
		next, used := d.Use(t.Context(), token, terms)
		if len(record) > 0 && (looked == nil) != (used == nil) {
			t.Errorf("%s: Look = %+v, %v; Use = %q, %v", record, found, looked, next, used)
		}
		if looked == nil && !strings.HasPrefix(next, strings.Split(token, ".")[0]+".") {
			t.Errorf("%s: %q gave %q, of another grant", record, token, next)
		}
		_, _ = d.Of(t.Context(), "alice")
		_ = d.Revoke(t.Context(), "g")
	})
}

// listing is an engine that holds one list of entries for everybody, and everything else as it should. It keeps what
// was made of the list.
type listing struct {
	storage.Store
	list    storage.Store
	changed []byte
}

func (l *listing) Get(ctx context.Context, key string) ([]byte, error) {
	if strings.HasPrefix(key, "holding:") {
		return l.list.Get(ctx, key)
	}
	return l.Store.Get(ctx, key)
}

func (l *listing) Update(
	ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error),
) error {
	if !strings.HasPrefix(key, "holding:") {
		return l.Store.Update(ctx, key, ttl, change)
	}
	return l.list.Update(ctx, key, ttl, func(old []byte) (_ []byte, err error) {
		l.changed, err = change(old)
		return l.changed, err
	})
}

// FuzzStoredIndex: whatever the store holds as the list of what a user's applications have, it can be read, added to
// and ended, or each of these is an error; and what is added to stays within its bounds.
func FuzzStoredIndex(f *testing.F) {
	const entry = `{"grant_id":"g","client_id":"spa","until":"9999-12-31T23:59:59Z"}`
	for _, record := range []string{
		"[" + entry + "]", `[{"grant_id":"","client_id":""}]`, "[]", "null", "", "7", `{"x":[]}`, `[null,null]`,
	} {
		f.Add([]byte(record))
	}
	f.Add([]byte("[" + strings.Repeat(entry+",", 300) + "{}]"))
	f.Add([]byte("[" + strings.Repeat(strings.Replace(entry, "spa", "x", 1)+",", 300) + "{}]"))
	f.Fuzz(func(t *testing.T, record []byte) {
		clock := storagetest.NewClock()
		store := &listing{Store: storage.NewMemory(clock.Now), list: storagetest.Holding(record)}
		g := grant.New(grant.Config{}, grant.CodeLifetime, store, secrets, clock.Now, rand.Text)
		_, read := g.Of(t.Context(), "alice")
		_, begun := g.Begin(t.Context(), grant.Grant{ID: "new", ClientID: "spa", Sub: "alice"}, "", terms)
		if (read == nil) != (begun == nil) {
			t.Errorf("%s: Of: %v; Begin: %v", record, read, begun)
		}
		var list []struct {
			ClientID string `json:"client_id"`
		}
		if begun == nil && (json.Unmarshal(
			store.changed, &list,
		) != nil || len(list) == 0 || len(list) > 200 || list[len(list)-1].ClientID != "spa") {
			t.Errorf("%s became %s", record, store.changed)
		}
		if err := g.RevokeClient(t.Context(), "alice", "spa"); (read == nil) != (err == nil) {
			t.Errorf("%s: Of: %v; RevokeClient: %v", record, read, err)
		}
	})
}
