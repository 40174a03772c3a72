package clients_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

func register() *clients.Register { return clients.New(configured()) }

func configured() []oidc.Client {
	return []oidc.Client{
		{
			ClientID:     "spa",
			RedirectURIs: []string{"https://App.test/cb", "https://app.test:443/other", "https://app.test:8443/cb?x=1"},
		},
		{
			ClientID: "dev", RedirectURIs: []string{"http://localhost:9090/cb", "http://[::1]:9090/cb"},
			PostLogoutRedirectURIs: []string{"https://logout.test/"},
		},
		{ClientID: "native", RedirectURIs: []string{"com.example.app:/cb"}, ClientURI: "https://home.test"},
	}
}

func TestByID(t *testing.T) {
	r := register()
	for _, row := range []struct {
		name, id string
		known    bool
	}{
		{"RFC 6749 §2.2 a registered client_id", "spa", true},
		{"an unknown client_id", "nobody", false},
		{"RFC 6749 §2.2 in other case", "SPA", false},
		{"with a space", "spa ", false},
		{"none", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, err := r.ByID(t.Context(), row.id)
			if row.known != (err == nil) || !row.known && !errors.Is(err, clients.ErrUnknown) ||
				row.known && client.ClientID != row.id {
				t.Errorf("ByID(%q) = %q, %v; want known: %t", row.id, client.ClientID, err, row.known)
			}
		})
	}
}

func TestAllKeepsTheOrderOfTheConfiguration(t *testing.T) {
	var ids string
	for _, client := range register().All() {
		ids += client.ClientID + " "
	}
	if ids != "spa dev native " {
		t.Errorf("All() = %s; want spa dev native", ids)
	}
}

func TestAllowsOrigin(t *testing.T) {
	r := register()
	for _, row := range []struct {
		name, origin string
		want         bool
	}{
		{"RFC 6454 §7 the origin of a redirect URI, in lower case", "https://app.test", true},
		{"the same host with another registered port", "https://app.test:8443", true},
		{"a loopback origin with the registered port", "http://localhost:9090", true},
		{"RFC 8252 §7.3 a loopback origin with another port", "http://localhost:5173", true},
		{"RFC 8252 §7.3 a loopback origin without a port", "http://localhost", true},
		{"RFC 8252 §7.3 an IPv6 loopback origin with another port", "http://[::1]:5173", true},

		{"an unknown origin", "https://evil.test", false},
		{"another port of a real host", "https://app.test:9443", false},
		{"another scheme", "http://app.test", false},
		{"https on localhost", "https://localhost:9090", false},
		{"a subdomain", "https://www.app.test", false},
		{"a host that begins alike", "https://app.test.evil.test", false},
		{"a host that ends alike", "https://evil-app.test", false},
		{"another loopback name", "http://other.localhost:9090", false},
		{"RFC 6454 §6.1 no origin has a path", "https://app.test/", false},
		{"a whole redirect URI", "https://app.test/cb", false},
		{"a loopback origin with a path", "http://localhost:9090/", false},
		{"a user name", "http://x@localhost:9090", false},
		{"RFC 6454 §6.1 a browser sends lower case", "https://App.test", false},
		{"the origin of a post-logout URI", "https://logout.test", false},
		{"the origin of a client's home page", "https://home.test", false},
		{"a native app's scheme", "com.example.app:", false},
		{"Fetch §3.2 null, as sandboxed frames send it", "null", false},
		{"*", "*", false},
		{"two origins", "https://app.test https://app.test:8443", false},
		{"none", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := r.AllowsOrigin(t.Context(), row.origin); got != row.want {
				t.Errorf("AllowsOrigin(%q) = %t; want %t", row.origin, got, row.want)
			}
		})
	}
}

func TestAllowedCORSOriginsMatchToTheLetter(t *testing.T) { // Fetch §3.2
	r := clients.New([]oidc.Client{{
		ClientID: "app", AllowedCORSOrigins: []string{"capacitor://localhost", "http://localhost:5173"},
	}})
	for origin, want := range map[string]bool{
		"capacitor://localhost": true, "http://localhost:5173": true, "http://localhost:5174": false,
		"http://localhost": false, "ionic://localhost": false, "capacitor://localhost:80": false,
		"Capacitor://localhost": false, "capacitor://localhost/": false, "null": false, "": false,
	} {
		if got := r.AllowsOrigin(t.Context(), origin); got != want {
			t.Errorf("AllowsOrigin(%q) = %t; want %t", origin, got, want)
		}
	}
}

func TestWithoutWebClientsNoOriginIsAllowed(t *testing.T) {
	r := clients.New([]oidc.Client{{ClientID: "native", RedirectURIs: []string{"com.example.app:/cb"}}})
	for _, origin := range []string{"", "null", "https://app.test", "com.example.app:"} {
		if r.AllowsOrigin(t.Context(), origin) {
			t.Errorf("AllowsOrigin(%q) is true", origin)
		}
	}
}

func TestAClientAddedAtRunTime(t *testing.T) {
	r := clients.New([]oidc.Client{{ClientID: "spa", RedirectURIs: []string{"https://app.test/cb"}}})
	put(t, r, oidc.Client{ClientID: "late", RedirectURIs: []string{"https://late.test/cb"}})
	if _, err := r.ByID(t.Context(), "late"); err != nil || !r.AllowsOrigin(t.Context(), "https://late.test") ||
		len(r.All()) != 2 {
		t.Errorf("the register holds %v", r.All())
	}
	put(t, r, oidc.Client{ClientID: "spa", RedirectURIs: []string{"https://moved.test/cb"}})
	if spa, _ := r.ByID(t.Context(), "spa"); spa.RedirectURIs[0] != "https://moved.test/cb" ||
		r.AllowsOrigin(t.Context(), "https://app.test") ||
		r.All()[0].ClientID != "spa" {
		t.Errorf("after a change the register holds %v", r.All())
	}
}

func TestUpdatesLoseNothing(t *testing.T) {
	r := clients.New(nil)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			err := r.Update(t.Context(), "spa", func(client oidc.Client, _ bool) (oidc.Client, error) {
				client.ClientID = "spa"
				client.RedirectURIs = append(slices.Clone(client.RedirectURIs), fmt.Sprintf("https://app.test/%d", i))
				return client, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if spa, _ := r.ByID(t.Context(), "spa"); len(spa.RedirectURIs) != 50 {
		t.Errorf("of 50 redirect URIs %d are there", len(spa.RedirectURIs))
	}
}

func put(t *testing.T, r *clients.Register, client oidc.Client) {
	t.Helper()
	if err := r.Put(t.Context(), client); err != nil {
		t.Fatal(err)
	}
}

// A restart is another register on the same store.
func TestChangesSurviveWithTheStoreAndTellNoSecret(t *testing.T) {
	spy := &storagetest.Spy{Store: storage.NewMemory(storagetest.NewClock().Now)}
	place := storage.Place{Store: spy, Now: storagetest.NewClock().Now}
	configured := []oidc.Client{
		{ClientID: "web", ClientSecret: oidc.NewSecret("configured"), RedirectURIs: []string{"https://web.test/cb"}},
	}
	first := clients.On(place, configured, nil, nil)
	put(
		t,
		first,
		oidc.Client{
			ClientID:     "late",
			ClientSecret: oidc.NewSecret("s3cret of late"),
			RedirectURIs: []string{"https://late.test/cb"},
		},
	)
	put(
		t,
		first,
		oidc.Client{
			ClientID:     "web",
			ClientSecret: oidc.NewSecret("configured"),
			RedirectURIs: []string{"https://changed.test/cb"},
		},
	)

	after := clients.On(place, configured, nil, nil)
	if err := after.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, _ := after.ByID(t.Context(), "late")
	if web, _ := after.ByID(t.Context(), "web"); !late.ClientSecret.Matches("s3cret of late") ||
		web.RedirectURIs[0] != "https://changed.test/cb" ||
		!web.ClientSecret.Matches("configured") {
		t.Errorf("after a restart the clients are %+v", after.All())
	}
	if strings.Contains(spy.Values(), "s3cret") {
		t.Errorf("the store was shown the secret: %s", spy.Values())
	}

	configured[0].RedirectURIs = []string{"https://edited.test/cb"}
	edited := clients.On(place, configured, nil, nil)
	if err := edited.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if web, _ := edited.ByID(t.Context(), "web"); web.RedirectURIs[0] != "https://edited.test/cb" ||
		len(edited.All()) != 2 {
		t.Errorf("a configuration that was edited since says %+v", edited.All())
	}
}
