package grant_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// fixture is where grants and consents are handled, with a clock that the test moves and a store that it watches.
type fixture struct {
	*grant.Grants
	consents *grant.Consents
	clock    *storagetest.Clock
	store    *storagetest.Spy
}

func newFixture() *fixture {
	c := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(c.Now)}
	return &fixture{
		clock: c, store: store,
		Grants:   grant.New(grant.Config{}, grant.CodeLifetime, store, secrets, c.Now, rand.Text),
		consents: &grant.Consents{Records: storage.NewBucket[map[string]grant.Consent]("consent", store), Now: c.Now},
	}
}

// good is a grant with every field that /authorize fills.
func good(now time.Time) grant.Grant {
	return grant.Grant{
		ClientID: "spa", RedirectURI: "https://app.test/cb", CodeChallenge: strings.Repeat("c", 43), Nonce: "n",
		Scope: []string{"openid", "email"},
		Sub:   "alice", SID: "session.1", AuthTime: now.Add(-time.Hour), ACR: "1", AMR: []string{"pwd"},
	}
}

func (d *fixture) issue(t testing.TB) string {
	t.Helper()
	code, err := d.Issue(t.Context(), good(d.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// redeem redeems for tokens that live five minutes.
func (d *fixture) redeem(t *testing.T, code string) (grant.Grant, error) {
	t.Helper()
	return d.Redeem(t.Context(), code, tokenLifetime)
}

// secrets encrypt the codes of tests.
var secrets = [][]byte{[]byte(rand.Text() + rand.Text())}

const tokenLifetime = 5 * time.Minute
