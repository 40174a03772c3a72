package idp_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
	"github.com/hush-idp/hush/storage/storagetest"
)

// opened is an engine until close; what it holds is there when it is opened again.
type opened struct {
	storage.Store
	close func() error
}

// engines are all that a provider can keep its records in. Each is prepared once, and opened as often as the provider
// begins.
var engines = []struct {
	name    string
	prepare func(t *testing.T, now func() time.Time) (open func() (opened, error))
}{
	{"memory", func(_ *testing.T, now func() time.Time) func() (opened, error) {
		memory := storage.NewMemory(now)
		return func() (opened, error) { return opened{memory, func() error { return nil }}, nil }
	}},
	{"file", func(t *testing.T, now func() time.Time) func() (opened, error) {
		path := filepath.Join(t.TempDir(), "hush.db")
		return func() (opened, error) {
			store, err := bolt.Open(path, now)
			if err != nil {
				return opened{}, err
			}
			return opened{store, store.Close}, nil
		}
	}},
	{"Redis", func(t *testing.T, _ func() time.Time) func() (opened, error) {
		server := redistest.Start(t)
		return func() (opened, error) {
			store, err := redis.Open(t.Context(), server.URL)
			if err != nil {
				return opened{}, err
			}
			return opened{store, store.Close}, nil
		}
	}},
}

// outlived are two replicas of a provider, which answer in turn, on an engine that outlives them.
type outlived struct {
	*testing.T
	Issuer string
	config func(*idp.Config)
	clock  *idptest.Clock
	open   func() (opened, error)

	engine   opened
	replicas [2]atomic.Pointer[idp.Provider]
	turn     atomic.Int64

	spies   []*storagetest.Spy
	secrets []string
}

// last starts the replicas.
func last(
	t *testing.T, prepare func(*testing.T, func() time.Time) func() (opened, error), config func(*idp.Config),
) *outlived {
	t.Helper()
	l := &outlived{T: t, config: config, clock: &idptest.Clock{}}
	l.open = prepare(t, l.clock.Now)
	server := httptest.NewServer(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.next().ServeHTTP(w, r) }),
	)
	l.Issuer = server.URL
	l.begin()
	t.Cleanup(func() {
		server.Close()
		l.end()
	})
	return l
}

func (l *outlived) begin() {
	l.Helper()
	var err error
	if l.engine, err = l.open(); err != nil {
		l.Fatal(err)
	}
	spy := &storagetest.Spy{Store: l.engine.Store}
	l.spies = append(l.spies, spy)
	for i := range l.replicas {
		config := idp.Config{
			Issuer: l.Issuer, SigningKeys: []idp.SigningKey{{Alg: "ES256"}}, CookieKeys: []string{strings.Repeat("k", 32)},
		}
		l.config(&config)
		p, _, err := dev.Provider(config, idp.Dependencies{
			Store: spy, Durable: true, Propagation: time.Second, Now: l.clock.Now, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			l.Fatal(err)
		}
		l.replicas[i].Store(p)
	}
}

func (l *outlived) end() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for i := range l.replicas {
		l.replicas[i].Load().Close(over)
	}
	if err := l.engine.close(); err != nil {
		l.Error(err)
	}
}

// restart ends the provider and its engine, and begins both anew. What replicas may remember for a moment is over then.
func (l *outlived) restart() {
	l.Helper()
	l.end()
	l.clock.Pass(time.Second)
	l.begin()
}

// next is the replica whose turn it is.
func (l *outlived) next() *idp.Provider {
	return l.replicas[l.turn.Add(1)%int64(len(l.replicas))].Load()
}

// provider is the one whose turn it is, as the helpers of other tests know it.
func (l *outlived) provider() *idptest.Provider {
	return &idptest.Provider{Provider: l.next(), Issuer: l.Issuer, Clock: l.clock}
}

// signedIn is a browser in which somebody signed in.
func (l *outlived) signedIn(username string) *idptest.Browser {
	l.Helper()
	b := l.provider().Browser(l.T)
	b.SignIn(username)
	return b
}

// secret notes what somebody could use who finds it in a stolen store. Of a token with an id of its grant in front,
// which is no secret, it is the rest, each part of it.
func (l *outlived) secret(tokens ...any) {
	for _, token := range tokens {
		parts := strings.Split(token.(string), ".")
		l.secrets = append(l.secrets, parts[min(1, len(parts)-1):]...)
	}
}

// checkSecrets holds that the engine saw none of them, neither in plain nor as JSON writes bytes.
func (l *outlived) checkSecrets() {
	l.Helper()
	var seen strings.Builder
	for _, spy := range l.spies {
		seen.WriteString(spy.Keys() + spy.Values())
	}
	if !strings.Contains(seen.String(), "alice") || len(l.secrets) == 0 {
		l.Fatalf("what the engine saw are not the records, or there is no secret: %.200s", seen.String())
	}
	for _, secret := range l.secrets {
		for _, form := range []string{
			secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			if strings.Contains(seen.String(), form) {
				l.Errorf("RFC 6819 §5.1.4.1.3 the engine saw the secret %q", secret)
			}
		}
	}
}

// withRecordClients is the configuration of these tests: clients for all kinds of records.
func withRecordClients(change ...func(*idp.Config)) func(*idp.Config) {
	return func(c *idp.Config) {
		both := []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken}
		c.Clients = []oidc.Client{
			{
				ClientID: "spa", RedirectURIs: []string{
					"http://localhost:9090/spa/callback.html",
				}, TokenEndpointAuthMethod: oidc.AuthMethodNone,
				GrantTypes: both, FirstParty: true,
			},
			{
				ClientID: "lean", RedirectURIs: []string{"http://localhost:9090"}, TokenEndpointAuthMethod: oidc.AuthMethodNone,
				FirstParty:        true,
				AccessTokenFormat: oidc.FormatOpaque,
			},
			{
				ClientID: "api", Audience: "urn:hush:demo-api", ClientSecret: oidc.NewSecret("api-secret"),
				GrantTypes: []string{oidc.GrantClientCredentials},
			},
			{
				ClientID: "tv", TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true,
				GrantTypes: []string{oidc.GrantDeviceCode, oidc.GrantRefreshToken},
			},
		}
		for _, f := range change {
			f(c)
		}
	}
}
