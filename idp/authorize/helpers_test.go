package authorize

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/par"
	"github.com/hush-idp/hush/idp/requestobject"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/userinfo"
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
	issuer, err := url.Parse(testIssuer)
	if err != nil {
		t.Fatal(err)
	}
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
	sessions := &session.Manager{
		Sessions: storage.NewBucket[session.Session]("session", store),
		Index:    storage.NewBucket[[]session.Entry]("session-index", store),
		Cookies:  session.NewCookies(issuer, key, 12*time.Hour),
		Idle:     2 * time.Hour, Absolute: 12 * time.Hour, Now: clock.Now, Random: rand.Text,
	}
	return &testEndpoint{sessions: sessions, clock: clock, store: store, Endpoint: &Endpoint{
		Issuer: testIssuer, Scopes: append(oidc.StandardScope(), oidc.ScopeOffline, "staff"), Clients: clients.New(testClients()), Users: directory,
		Sessions: sessions, Explain: oidc.AsError,
		Grants: &grant.Grants{
			Codes: storage.NewBucket[grant.Code]("code", store), Revoked: storage.NewBucket[time.Time]("revoked", store),
			Now: clock.Now, Random: rand.Text,
		},
		Consents: consents, Interactions: session.Seal[session.Interaction]{Purpose: session.ForAuthorize, Codecs: session.Codecs(key, 24*time.Hour)}, Now: clock.Now,
		Levels:  Levels{{Value: "gold", AMR: []string{"hwk"}}, {Value: "1", AMR: []string{"pwd"}}, {Value: "0", AMR: []string{"user", "pwd"}}},
		Release: userinfo.Release{Scopes: map[string][]string{"staff": {"room"}}}, Resources: []string{"https://api.test", "https://other.test"},
		Objects: objects{}, Pushed: &par.Requests{Records: storage.NewBucket[par.Request]("par", store), Lifetime: time.Minute, Now: clock.Now, Random: rand.Text},
		ClientAuth: trusting{clients.New(testClients())},
		Sign: func(alg string, claims any) (string, error) {
			text, err := json.Marshal(map[string]any{"alg": alg, "claims": claims})
			return string(text), err
		},
		Hints: func(token string) (string, error) {
			if slices.Contains([]string{"alice", "bob"}, token) {
				return token, nil
			}
			return "", errors.New("no token of ours")
		},
	}}
}

func testClients() []oidc.Client {
	uris := []string{"https://app.test/cb", "http://localhost:9090/cb", "https://app.test/cb?tenant=7"}
	minute := 60
	return []oidc.Client{
		{ClientID: "spa", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true},
		{ClientID: "web", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true},
		{ClientID: "strict", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true, RequirePKCE: true},
		{ClientID: "impatient", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true, DefaultMaxAge: &minute},
		{ClientID: "other", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s")},
		{ClientID: "pushing", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true, RequirePushedAuthorizationRequests: true},
		{ClientID: "fapi", RedirectURIs: append(uris, "http://intranet.test/cb"), ClientSecret: oidc.NewSecret("s"), FirstParty: true, Profile: oidc.ProfileFAPI2},
		{ClientID: "signing", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true, RequireSignedRequestObject: true},
		{ClientID: "native", RedirectURIs: []string{"com.example.app:/cb"}, TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true},
		{ClientID: "lasting", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), GrantTypes: []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken}},
		{ClientID: "staying", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true, GrantTypes: []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken}},
		{ClientID: "narrow", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true, Scope: "openid profile"},
		{ClientID: "golden", RedirectURIs: uris, ClientSecret: oidc.NewSecret("s"), FirstParty: true, DefaultACRValues: []string{"gold", "0"}},
	}
}

// objects reads request objects that are query strings: signed=1 among them stands for a signature.
type objects struct{}

// Read implements Objects.
func (objects) Read(_ context.Context, client oidc.Client, compact string) (requestobject.Object, error) {
	params, err := url.ParseQuery(compact)
	if err != nil || params.Has("bad") {
		return requestobject.Object{}, oidc.InvalidRequestObject.Errorf("it is bad")
	}
	signed := params.Has("signed")
	params.Del("signed")
	params.Set("client_id", client.ClientID)
	return requestobject.Object{Params: params, Signed: signed}, nil
}

// Fetch implements Objects.
func (o objects) Fetch(ctx context.Context, client oidc.Client, requestURI string) (requestobject.Object, error) {
	content, found := strings.CutPrefix(requestURI, "https://app.test/?")
	if !found {
		return requestobject.Object{}, oidc.InvalidRequestURI.Errorf("it is not registered")
	}
	return o.Read(ctx, client, content)
}

// trusting believes whoever says client_id, unless the secret is wrong.
type trusting struct{ Clients }

// Authenticate implements ClientAuth.
func (c trusting) Authenticate(r *http.Request, form url.Values) (oidc.Client, error) {
	client, err := c.ByID(r.Context(), form.Get("client_id"))
	if err != nil || form.Get("client_secret") == "wrong" {
		return oidc.Client{}, oidc.InvalidClient.Errorf("the client is not who it says")
	}
	return client, nil
}

func goodParams(client string) url.Values {
	return url.Values{
		"client_id": {client}, "redirect_uri": {"https://app.test/cb"}, "response_type": {"code"}, "scope": {"openid profile"},
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
		rules[i].Holds = func(r Request) bool {
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
		needs[i].Holds = func(s Situation) bool {
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
