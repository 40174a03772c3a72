package idp_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage"
)

// scale is a decorator that weighs what is written: of each bucket how many records, the largest, and the one that is
// kept longest.
type scale struct {
	storage.Store
	mutex   sync.Mutex
	records map[string]map[string]int // by bucket and key: bytes
	longest map[string]time.Duration
}

func newScale() *scale {
	return &scale{records: map[string]map[string]int{}, longest: map[string]time.Duration{}}
}

func (s *scale) around(store storage.Store) storage.Store { s.Store = store; return s }

func (s *scale) weigh(key string, value []byte, ttl time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	bucket, _, _ := strings.Cut(key, ":")
	if s.records[bucket] == nil {
		s.records[bucket] = map[string]int{}
	}
	s.records[bucket][key] = len(value)
	s.longest[bucket] = max(s.longest[bucket], ttl)
}

// Put implements storage.Store.
func (s *scale) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.weigh(key, value, ttl)
	return s.Store.Put(ctx, key, value, ttl)
}

// Update implements storage.Store.
func (s *scale) Update(ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error)) error {
	return s.Store.Update(ctx, key, ttl, func(old []byte) ([]byte, error) {
		value, err := change(old)
		if err == nil && value != nil {
			s.weigh(key, value, ttl)
		}
		return value, err
	})
}

// heaviest is the size of the bucket's largest record.
func (s *scale) heaviest(bucket string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Max(append(slices.Collect(maps.Values(s.records[bucket])), 0))
}

const (
	hour = time.Hour
	day  = 24 * hour
	year = 365 * day
)

// bounds are what a record of each bucket may weigh, and how long it may be kept after it was last written. A bucket
// that is not here has no bound that somebody thought of.
var bounds = map[string]struct {
	bytes int
	kept  time.Duration
}{
	"access":        {4 << 10, hour},       // as long as the token lives
	"assertion":     {100, 2 * hour},       // as long as the assertion could come again
	"client":        {128 << 10, year},     // since its last use
	"client-origin": {100, year},           // a number
	"code":          {100, 10 * year},      // marks, which are kept for hours, and one record with their ID
	"consent":       {256 << 10, year},     // of one user; the oldest are deleted
	"device":        {8 << 10, hour},       // waits for a person
	"dpop":          {100, hour},           // as long as the proof could come again
	"holding":       {64 << 10, year},      // of one user; the oldest are deleted
	"keys":          {64 << 10, 10 * year}, // there is one
	"par":           {64 << 10, 25 * hour}, // as a tombstone; before that some minutes
	"refresh":       {32 << 10, year + hour},
	"revoked":       {100, year},
	"users":         {64 << 10, 10 * year}, // there is one, with the sub of each user
	"session":       {64 << 10, 2 * day},
	"session-index": {32 << 10, 2 * day}, // of one user
	"taken-back":    {64 << 10, year},    // of one user; the oldest are deleted
	"user-code":     {100, hour},
	"console":       {1 << 20, 10 * year}, // development mode only
}

// check holds that no record is larger than its bucket's bound, or kept longer.
func (s *scale) check(t *testing.T) {
	t.Helper()
	for bucket, records := range s.records {
		bound, ok := bounds[bucket]
		if !ok {
			t.Errorf("bucket %s has no bound", bucket)
		}
		if largest := s.heaviest(bucket); largest > bound.bytes || s.longest[bucket] > bound.kept {
			t.Errorf(
				"%s: a record of %d bytes, one kept for %v; want %d and %v at the most", bucket, largest, s.longest[bucket],
				bound.bytes, bound.kept,
			)
		}
		t.Logf(
			"%-13s %6d records, the largest %6d bytes, kept for %v", bucket, len(records), s.heaviest(bucket), s.longest[bucket],
		)
	}
}

// wide is text that fills a form without much of a request around it.
func wide(bytes int) string { return strings.Repeat("<", bytes) }

// crowds are requests that anybody can send as often as they like, in the form in which their records grow the most.
var crowds = []struct {
	name    string
	send    func(t *testing.T, p *idptest.Provider, i int) (status int)
	status  int
	buckets []string // where one record comes about for each request
}{
	{"RFC 9126 §7.1 pushed requests", func(t *testing.T, p *idptest.Provider, _ int) int {
		return serve(p, get(t, "POST", "/par", idptest.Request("spa"))).Code
	}, http.StatusCreated, []string{"par"}},
	{"RFC 8628 §5.1 devices", func(t *testing.T, p *idptest.Provider, _ int) int {
		return serve(p, get(t, "POST", "/device_authorization", url.Values{"client_id": {"tv"}, "scope": {"openid"}})).Code
	}, http.StatusOK, []string{"device", "user-code"}},
	{"RFC 7591 §5 registrations of one origin", func(t *testing.T, p *idptest.Provider, _ int) int {
		return sendJSON(t, p, "POST", "/register", map[string]any{"redirect_uris": []string{"https://late.test/cb"}}, "").Code
	}, http.StatusCreated, []string{"client"}},
}

// TestManyRequestsMakeNoRecordGrow: each of many anonymous requests has records of its own, which go by themselves;
// none that they share grows with their number.
func TestManyRequestsMakeNoRecordGrow(t *testing.T) {
	const many = 10_000
	for _, crowd := range crowds {
		t.Run(crowd.name, func(t *testing.T) {
			s := newScale()
			p := idptest.Start(
				t, withRecordClients(func(c *idp.Config) { off := false; c.Dev = &off; c.Registration.Mode = "open" }), s.around,
			)
			var first map[string]int
			for i := range many {
				if status := crowd.send(t, p, i); status != crowd.status {
					t.Fatalf("request %d gives %d", i, status)
				}
				if i == 0 {
					first = s.sizes()
				}
			}
			for bucket, size := range s.sizes() {
				if size > first[bucket]+100 {
					t.Errorf(
						"%s: the largest record has %d bytes after one request and %d after %d", bucket, first[bucket], size, many,
					)
				}
			}
			for _, bucket := range crowd.buckets {
				if n := len(s.records[bucket]); n != many {
					t.Errorf("%d records in %s after %d requests", n, bucket, many)
				}
			}
			s.check(t)
		})
	}
}

// sizes are those of the largest records, by bucket.
func (s *scale) sizes() map[string]int {
	sizes := map[string]int{}
	for bucket := range s.records {
		sizes[bucket] = s.heaviest(bucket)
	}
	return sizes
}

// TestTheLargestRequestsMakeBoundedRecords fills requests to their limits with characters that JSON writes in six bytes
// each. The provider makes a record within the bounds, or refuses the request.
func TestTheLargestRequestsMakeBoundedRecords(t *testing.T) {
	s := newScale()
	p := idptest.Start(t, withRecordClients(func(c *idp.Config) { c.Registration.Mode = "open" }), s.around)
	b := p.Browser(t)
	b.SignIn("alice")
	for _, bytes := range []int{100, 1000, 5_000, 10_000, 15_000, 20_000, 60_000, 70_000} {
		for _, name := range []string{"state", "nonce", "dpop_jkt", "ui_locales", "x-unknown", "login_hint"} {
			request := idptest.Request("spa", name, wide(bytes))
			serve(p, get(t, "POST", "/par", request))
			if page := b.Authorize(
				idptest.Request("spa", "prompt", "none", name, wide(min(bytes, 5000))),
			); page.Location != nil &&
				page.Location.Query().Has("code") {
				b.Post("/token", tokenForm(page.Location.Query().Get("code")))
			}
		}
		serve(
			p,
			get(
				t, "POST", "/device_authorization",
				url.Values{"client_id": {"tv"}, "scope": {strings.Repeat("openid email ", bytes/13)}},
			),
		)
		many := slices.Repeat([]string{"https://late.test/cb?" + strings.Repeat("&", 100)}, bytes/100)
		for _, document := range []map[string]any{
			{"redirect_uris": many}, {"redirect_uris": []string{"https://late.test/cb"}, "client_name": wide(bytes)},
			{
				"redirect_uris": []string{"https://late.test/cb"}, "contacts": many, "request_uris": many,
				"post_logout_redirect_uris": many,
			},
			{"redirect_uris": []string{"https://late.test/cb"}, "logo_uri": "https://late.test/" + strings.Repeat("&", bytes)},
			{"redirect_uris": []string{"https://late.test/cb"}, "default_acr_values": many, "client_name#fr": wide(bytes)},
		} {
			sendJSON(t, p, "POST", "/register", document, "")
		}
	}
	s.check(t)
}

// TestTheListsOfAUserAreCapped: what one user does again and again makes their lists grow to a limit.
func TestTheListsOfAUserAreCapped(t *testing.T) {
	for _, row := range []struct {
		name, bucket string
		times, most  int // most is where it stops
		again        func(b *idptest.Browser, i int)
	}{
		{"RFC 6749 §6 grants with refresh tokens, of one client", "holding", 40, 20, func(b *idptest.Browser, _ int) {
			b.Tokens("spa", b.Code(idptest.Request("spa", "scope", "openid offline_access")))
		}},
		{"sessions of one user", "session-index", 150, 100, func(b *idptest.Browser, _ int) {
			other := b.Provider().Browser(t)
			other.Submit(other.Get("/login"), url.Values{"one_click": {"alice"}})
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScale()
			p := idptest.Start(t, withRecordClients(), s.around)
			b := p.Browser(t)
			b.SignIn("alice")
			for i := range row.most {
				row.again(b, i)
			}
			full := s.heaviest(row.bucket)
			for i := range row.times - row.most {
				row.again(b, row.most+i)
			}
			if most := s.heaviest(row.bucket); full < 100 || most > full+full/10 {
				t.Errorf("%s has %d bytes after %d times and %d after %d", row.bucket, full, row.most, most, row.times)
			}
		})
	}
}
