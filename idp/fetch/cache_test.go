package fetch_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestADocumentIsFetchedAgainWhenItsServerOrItsAddressSaysSo(t *testing.T) {
	for _, row := range []struct {
		name, fragment, control string
		after                   time.Duration
		want                    int32 // fetches of three requests, the third after this time
	}{
		{"RFC 9111 §5.2.2.1 max-age: it is used again for so long", "", "public, max-age=60", 59 * time.Second, 1},
		{"RFC 9111 §5.2.2.1 max-age: and not for longer", "", `max-age="60"`, 61 * time.Second, 2},
		{"RFC 9111 §4.2.1 a max-age that cannot be read is stale", "", "max-age=x", 0, 3},
		{"RFC 9111 §5.2.2.5 no-store", "#v1", "no-store, max-age=60", 0, 3},
		{"RFC 9111 §5.2.2.4 no-cache", "#v1", "no-cache", 0, 3},
		{"without Cache-Control and fragment it is fetched each time", "", "", 0, 3},
		{"Core §6.2 a fragment says that the content does not change", "#v1", "", 59 * time.Minute, 1},
		{"nothing is kept for longer than an hour", "#v1", "max-age=99999999999999999999", 61 * time.Minute, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			var fetched atomic.Int32
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				fetched.Add(1)
				w.Header().Set("Cache-Control", row.control)
				inJSON(w, r)
			})
			clock := storagetest.NewClock()
			cache := fetch.NewCache(client(t, nil), clock.Now)
			for _, passed := range []time.Duration{0, 0, row.after} {
				clock.Pass(passed)
				if body, err := cache.Get(t.Context(), s.URL+row.fragment, "application/json"); string(body) != "{}" {
					t.Fatalf("got %q, %v", body, err)
				}
			}
			if n := fetched.Load(); n != row.want {
				t.Errorf("%d fetches; want %d", n, row.want)
			}
		})
	}
}

// Core §6.2: "If the fragment value used for a URI changes, that signals the server that any cached value for that URI
// with the old fragment value is no longer valid."
func TestAnotherFragmentIsAnotherDocument(t *testing.T) {
	var fetched atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { fetched.Add(1); inJSON(w, r) })
	cache := fetch.NewCache(client(t, nil), time.Now)
	for _, fragment := range []string{"#v1", "#v2", "#v1"} {
		_, _ = cache.Get(t.Context(), s.URL+fragment, "application/json")
	}
	if n := fetched.Load(); n != 2 {
		t.Errorf("%d fetches; want one for each fragment", n)
	}
}

func TestRequestsForOneDocumentAtTheSameTimeShareAFetch(t *testing.T) {
	var fetched atomic.Int32
	answer := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { fetched.Add(1); <-answer; inJSON(w, r) })
	cache := fetch.NewCache(client(t, func(c *fetch.Config) { c.Timeout = 10 * time.Second }), time.Now)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if body, err := cache.Get(t.Context(), s.URL, "application/json"); string(body) != "{}" {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond) // the requests are there
	close(answer)
	all.Wait()
	if n := fetched.Load(); n >= 4 { // four are what one host may have at once
		t.Errorf("%d fetches for 40 requests; want them to share", n)
	}
}

func TestErrorsAndLargeDocumentsAreNotKept(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"a large document": func(w http.ResponseWriter, r *http.Request) {
			inJSON(w, r)
			_, _ = w.Write([]byte(strings.Repeat(" ", 40<<10)))
		},
	} {
		var fetched atomic.Int32
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			fetched.Add(1)
			w.Header().Set("Cache-Control", "max-age=60")
			answer(w, r)
		})
		cache := fetch.NewCache(client(t, nil), time.Now)
		for range 2 {
			_, _ = cache.Get(t.Context(), s.URL+"#v1", "application/json")
		}
		if n := fetched.Load(); n != 2 {
			t.Errorf("%s: %d fetches; want 2", name, n)
		}
	}
}
