package grant_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

// RFC 6749 §4.1.2: "The client MUST NOT use the authorization code more than once." The marks and their ID are on one
// server of a Cluster, so a server that loses its records loses all of them.
func TestASpentCodeStaysSpentWhicheverServerOfAClusterLosesItsRecords(t *testing.T) {
	cluster := redistest.StartCluster(t)
	store, err := redis.Open(t.Context(), cluster.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	g := grant.New(grant.Config{}, grant.CodeLifetime, store, secrets, time.Now, rand.Text)
	for i, node := range cluster.Nodes {
		spent := make([]string, 20)
		for n := range spent {
			if spent[n], err = g.Issue(t.Context(), good(time.Now())); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Redeem(t.Context(), spent[n], tokenLifetime); err != nil {
				t.Fatal(err)
			}
		}
		node.Command("FLUSHALL")
		time.Sleep(1100 * time.Millisecond) // the provider sees the loss of the ID within a second
		for _, code := range spent {
			if _, err := g.Redeem(t.Context(), code, tokenLifetime); err == nil {
				t.Fatalf("after the loss of server %d a spent code gave its grant again", i)
			}
		}
	}
}
