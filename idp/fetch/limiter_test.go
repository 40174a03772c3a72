package fetch

import (
	"net/url"
	"testing"
	"testing/synctest"
)

func TestHostsOfOneOwnerShareALimit(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.b.example.com/keys":  "example.com",
		"https://example.com:8443/keys": "example.com",
		"https://x.example.co.uk":       "example.co.uk",
		"https://alice.github.io":       "alice.github.io", // anyone can get a name below github.io
		"https://8.8.8.8:1":             "8.8.8.8",
		"http://127.0.0.1:3000":         "127.0.0.1:3000",
		"http://[::1]:3000":             "[::1]:3000",
		"http://localhost:3000":         "localhost:3000",
		"http://app:3000":               "app:3000",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := ownerOf(u); got != want {
			t.Errorf("the owner of %s is %s; want %s", address, got, want)
		}
	}
}

// Requests that wait for their own host leave the total to others, and hosts without requests are forgotten.
func TestARequestThatWaitsForItsHostDoesNotCountInTheTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter, release := newLimiter(), make(chan struct{})
		for range 100 {
			go func() {
				end, err := limiter.begin(t.Context(), "slow")
				if err != nil {
					t.Error(err)
					return
				}
				<-release
				end()
			}()
		}
		synctest.Wait()
		for range maxAtOnce - maxPerHost {
			if !limiter.total.TryAcquire(1) {
				t.Fatal("requests that wait for a slow host use up the total")
			}
		}
		if limiter.total.TryAcquire(1) {
			t.Error("there is no limit in total")
		}
		close(release)
		synctest.Wait()
		if len(limiter.hosts) != 0 {
			t.Errorf("%d hosts are remembered without a request; want 0", len(limiter.hosts))
		}
	})
}
