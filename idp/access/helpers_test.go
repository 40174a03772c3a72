package access_test

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

const issuer = "http://idp.test"

// fixture is the access tokens of a provider and the two endpoints about them, with a clock that the test moves and a
// store that it watches. The user is alice.
type fixture struct {
	*access.Tokens
	revocation    *access.Revocation
	introspection *access.Introspection
	grants        *grant.Grants
	clock         *storagetest.Clock
	store         *storagetest.Spy
}

var signingKeys = sync.OnceValues(
	func() (*keys.KeySet, error) { return keys.New([]keys.Spec{{Alg: "RS256"}, {Alg: "ES256"}}, time.Now) },
)

func newFixture(t *testing.T) *fixture {
	t.Helper()
	signer, err := signingKeys()
	wantNil(t, err)
	alice, err := users.New([]users.User{{Sub: "alice", Username: "alice", Password: "alice"}})
	wantNil(t, err)
	clock := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	grants := grant.New(grant.Config{}, grant.CodeLifetime, store, nil, clock.Now, rand.Text)
	tokens := &access.Tokens{
		Issuer: issuer, Signer: signer, Keys: signer, Grants: grants, Records: storage.NewBucket[access.Token](
			"access", store,
		),
		Subjects: clients.NewSubjects("a salt of this test", alice), Users: alice, Now: clock.Now, Random: rand.Text,
	}
	register := clients.New(registered())
	auth := &clientauth.Authenticator{Clients: register}
	return &fixture{
		Tokens: tokens, grants: grants, clock: clock, store: store,
		revocation: &access.Revocation{Auth: auth, Grants: grants, Tokens: tokens},
		introspection: &access.Introspection{
			Issuer: issuer, Auth: auth, Clients: register, Grants: grants, Tokens: tokens, Signer: signer,
			Algs: []string{"RS256", "ES256"}, DefaultAlg: "RS256", Now: clock.Now,
		},
	}
}

func registered() []oidc.Client {
	uris, secret := []string{"https://app.test/cb"}, oidc.NewSecret("secret")
	return []oidc.Client{
		{ClientID: "spa", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone},
		{ClientID: "web", RedirectURIs: uris, ClientSecret: secret, SubjectType: oidc.SubjectPairwise},
		{ClientID: "other", RedirectURIs: uris, ClientSecret: secret, Audience: "urn:other"},
		{ClientID: "api", RedirectURIs: uris, ClientSecret: secret, Audience: "urn:api"},
		{ClientID: "urn:its-id", RedirectURIs: uris, ClientSecret: secret},
		{ClientID: "first-party", RedirectURIs: uris, ClientSecret: secret, FirstParty: true},
		{
			ClientID: "signed", RedirectURIs: uris, ClientSecret: secret, FirstParty: true,
			IntrospectionSignedResponseAlg: "ES256",
		},
	}
}

// good is a token that is valid for a minute, bound to a key.
func (f *fixture) good(clientID string) access.Token {
	now := f.clock.Now()
	return access.Token{
		Issuer: issuer, Subject: "alice", Audience: oidc.Audience{"urn:api", "urn:its-id"},
		Expiry:   now.Add(time.Minute).Unix(),
		IssuedAt: now.Unix(), JTI: "the jti", ClientID: clientID, Scope: "openid email", AuthTime: now.Add(-time.Hour).Unix(),
		ACR: "1", AMR: []string{"pwd"}, SID: "s.1", GrantID: "g", Confirmation: &access.Confirmation{JKT: "key"},
		Claims: map[string]*oidc.ClaimRequest{"name": {Essential: true}},
	}
}

func (f *fixture) make(t *testing.T, client oidc.Client, token access.Token) string {
	t.Helper()
	raw, err := f.Make(t.Context(), &client, token)
	wantNil(t, err)
	return raw
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
