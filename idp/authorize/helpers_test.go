package authorize

import (
	"context"
	"crypto/rand"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const testIssuer = "http://idp.test"

type testEndpoint struct {
	*Endpoint
	sessions *session.Manager
	clock    *storagetest.Clock
	store    *lateStore
}

// newEndpoint has the users alice, bob and carol, who allowed the client other the scope openid.
func newEndpoint(t testing.TB) *testEndpoint {
	t.Helper()
	clock := storagetest.NewClock()
	store := newStore(clock)
	directory, err := users.New([]users.User{
		{Username: "alice", Password: "alice"}, {Username: "carol", Password: "carol"},
		{Username: "bob", Password: "bob", Claims: map[string]any{"email": "bob@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	key := [][]byte{[]byte(strings.Repeat("k", 32))}
	consents := newConsents(t, store, clock)
	sessions := newSessions(store, clock, key)
	nonces, err := dpop.NewNonces(key, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	register, subjects := clients.New(testClients()), clients.NewSubjects("a salt of this test", directory)
	return &testEndpoint{sessions: sessions, clock: clock, store: store, Endpoint: &Endpoint{
		Issuer: testIssuer, Scopes: append(oidc.StandardScope(), oidc.ScopeOffline, "staff"), Clients: register,
		Users:    directory,
		Sessions: sessions, Browsers: sessions, Subjects: subjects,
		Grants:   grant.New(grant.Config{}, 0, store, key, clock.Now, rand.Text),
		Consents: consents,
		Interactions: session.Seal[session.Interaction]{
			Purpose: session.ForAuthorize, SealTerms: session.SealTerms{Secrets: key, Lifetime: 24 * time.Hour, Now: clock.Now},
		},
		Levels: Levels{
			{
				Value: "gold", AMR: []string{"hwk"}}, {Value: "1", AMR: []string{"pwd"}}, {Value: "0",
				AMR: []string{"user", "pwd"},
			},
		},
		Release:   claims.Release{Scopes: map[string][]string{"staff": {"room"}}},
		Resources: []string{"https://api.test", "https://other.test"},
		Objects: &ObjectReader{
			Issuer: testIssuer, Keys: clients.NewKeys(nil, clock.Now), Documents: fetch.NewCache(fetcher(), clock.Now),
			Now: clock.Now,
		},
		Pushed: &PushedRequests{
			Records: storage.NewBucket[PushedRequest]("par", store), Lifetime: time.Minute, Now: clock.Now, Random: rand.Text,
		},
		Auth: &clientauth.Authenticator{Clients: register},
		Proofs: &dpop.Checker{
			Issuer: testIssuer, Nonces: nonces, Used: storage.NewBucket[time.Time]("dpop", store), Now: clock.Now,
		},
		Keys: testKeys(), DefaultAlg: "RS256",
		Hints: &access.Hints{Issuer: testIssuer, Keys: testKeys(), Clients: register, Subjects: subjects},
		Now:   clock.Now, Random: rand.Text,
	}}
}

func newSessions(store storage.Store, clock *storagetest.Clock, key [][]byte) *session.Manager {
	issuer := &url.URL{Scheme: "http", Host: "idp.test"}
	return &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", store),
		Index:    storage.NewBucket[[]session.Entry]("session-index", store),
		Cookies:  session.NewCookies(issuer, key, 12*time.Hour),
		Idle:     2 * time.Hour, Absolute: 12 * time.Hour, Now: clock.Now, Random: rand.Text,
	}
}

// newConsents are the consents that newEndpoint describes.
func newConsents(t testing.TB, store storage.Store, clock *storagetest.Clock) *grant.Consents {
	t.Helper()
	consents := &grant.Consents{Records: storage.NewBucket[map[string]grant.Consent]("consent", store), Now: clock.Now}
	if err := consents.Remember(t.Context(), "carol", "other", oidc.Scope{"openid"}); err != nil {
		t.Fatal(err)
	}
	if err := consents.Remember(t.Context(), "carol", "lasting", oidc.Scope{"openid"}); err != nil {
		t.Fatal(err)
	}
	if err := consents.Remember(t.Context(), "alice", "lasting", oidc.Scope{"openid", "offline_access"}); err != nil {
		t.Fatal(err)
	}
	return consents
}

// testKeys are the provider's.
var testKeys = sync.OnceValue(func() *keys.KeySet {
	set, err := keys.New([]keys.Spec{{Alg: "RS256"}, {Alg: "PS256"}, {Alg: "ES256"}}, time.Now)
	if err != nil {
		panic(err)
	}
	return set
})

// hintOf is an ID token of the user.
func hintOf(sub string) string {
	claims := map[string]any{"iss": testIssuer, "sub": sub, "aud": "spa", "exp": 1, "sid": "s"}
	token, err := testKeys().Sign(context.Background(), "ES256", keys.TypeIDToken, claims)
	if err != nil {
		panic(err)
	}
	return token
}

// fetcher fetches from servers of the test.
var fetcher = sync.OnceValue(func() *fetch.Client {
	private := true
	client, err := fetch.New(fetch.Config{AllowPrivate: &private})
	if err != nil {
		panic(err)
	}
	return client
})

// objectServer answers with the query of the request: the address of a request object there is its own content.
var objectServer = sync.OnceValue(func() string {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.RawQuery)
	})).URL
})

// objectWith is a good request object with a change, as a value of row.change: a=b sets, a= removes. signed=1 signs it.
var objectWith = func() func(change string) string {
	made := map[string]string{}
	return func(change string) string {
		if made[change] == "" {
			made[change] = makeObject(change)
		}
		return made[change]
	}
}()

func makeObject(change string) string {
	changes, err := url.ParseQuery(change)
	if err != nil {
		panic(err)
	}
	params := goodParams("")
	params.Del("client_id")
	maps.Copy(params, changes)
	return objectOf(params)
}

// objectOf is a request object with these parameters; a signed one has aud, nbf and exp too.
func objectOf(params url.Values) string {
	o := draft{alg: none, claims: map[string]any{}}
	if params.Has("signed") {
		now := storagetest.NewClock().Now()
		o.alg, o.kid, o.key = "ES256", "es", keyES
		o.claims = map[string]any{"aud": testIssuer, "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix()}
		params.Del("signed")
	}
	for name := range params {
		if value := params.Get(name); value != "" {
			o.claims[name] = value
		}
	}
	compact, err := o.compactForm()
	if err != nil {
		panic(err)
	}
	return compact
}

func testClients() []oidc.Client {
	list := plainClients()
	for i := range list {
		list[i].JWKS = objectClient().JWKS
		for _, change := range []string{"", "signed=1"} {
			list[i].RequestURIs = append(list[i].RequestURIs, objectServer()+"/?"+objectWith(change))
		}
	}
	return list
}

func plainClients() []oidc.Client {
	uris := []string{"https://app.test/cb", "http://localhost:9090/cb", "https://app.test/cb?tenant=7"}
	minute := 60
	return []oidc.Client{
		{ClientID: "spa", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true},
		{ClientID: "web", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true},
		{ClientID: "strict", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true, RequirePKCE: true},
		{
			ClientID: "max-age", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true,
			DefaultMaxAge: &minute,
		},
		{ClientID: "other", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s")},
		{
			ClientID: "pushing", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true,
			RequirePushedAuthorizationRequests: true,
		},
		{
			ClientID: "fapi", RedirectURIs: append(uris, "http://intranet.test/cb"), ClientSecret: oidc.NewSecret("s"),
			FirstParty: true, Profile: oidc.ProfileFAPI2,
		},
		{
			ClientID: "signing", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true,
			RequireSignedRequestObject: true,
		},
		{
			ClientID: "native", RedirectURIs: []string{"com.example.app:/cb"},
			TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true,
		},
		{
			ClientID: "lasting", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"),
			GrantTypes: []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken},
		},
		{
			ClientID: "staying", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true,
			GrantTypes: []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken},
		},
		{
			ClientID: "narrow", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true,
			Scope: "openid profile",
		},
		{
			ClientID: "golden", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true,
			DefaultACRValues: []string{"gold", "0"},
		},
	}
}

func goodParams(client string) url.Values {
	return url.Values{
		"client_id": {client}, "redirect_uri": {"https://app.test/cb"}, "response_type": {"code"},
		"scope": {"openid profile"},
		"state": {strings.Repeat("s;", 64)}, "nonce": {"n"},
		"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"},
	}
}

// request is a GET of the authorization endpoint by a browser in which signed, separated by commas, are signed in.
func (e *testEndpoint) request(t *testing.T, params url.Values, signed string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/authorize?"+params.Encode(), nil)
	names := slices.DeleteFunc(strings.Split(signed, ","), func(s string) bool { return s == "" })
	slices.Reverse(names)
	e.signIn(t, r, names...)
	return r
}

// signIn puts the cookies of a session with these accounts into r.
func (e *testEndpoint) signIn(t testing.TB, r *http.Request, subs ...string) {
	t.Helper()
	for _, sub := range subs {
		w := httptest.NewRecorder()
		if _, err := e.sessions.SignIn(w, r, session.Account{Sub: sub, ACR: "1", AMR: []string{"pwd"}}); err != nil {
			t.Fatal(err)
		}
		r.Header.Del("Cookie")
		for _, cookie := range w.Result().Cookies() {
			r.AddCookie(cookie)
		}
	}
}

// watchRules notes which rules are broken, until the test ends.
func watchRules(t *testing.T) map[int]bool {
	broken, original := map[int]bool{}, slices.Clone(rules)
	for i, rule := range original {
		rules[i].Holds = func(r *Request) bool {
			holds := rule.Holds(r)
			broken[i] = broken[i] || !holds
			return holds
		}
	}
	t.Cleanup(func() { copy(rules, original) })
	return broken
}

// watchNeeds notes which needs are not met, until the test ends.
func watchNeeds(t *testing.T) map[int]bool {
	arisen, original := map[int]bool{}, slices.Clone(needs)
	for i, need := range original {
		needs[i].Holds = func(s *Situation) bool {
			holds := need.Holds(s)
			arisen[i] = arisen[i] || !holds
			return holds
		}
	}
	t.Cleanup(func() { copy(needs, original) })
	return arisen
}

// lateStore is an engine that may collect its garbage late: it then keeps records past their ttl.
type lateStore struct {
	*storagetest.Spy
	clock *storagetest.Clock
	keep  bool
}

func newStore(clock *storagetest.Clock) *lateStore {
	s, start := &lateStore{clock: clock}, clock.Now()
	s.Spy = &storagetest.Spy{Store: storage.NewMemory(func() time.Time {
		if s.keep {
			return start
		}
		return clock.Now()
	})}
	return s
}
