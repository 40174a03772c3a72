package introspect_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/introspect"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

type desk struct {
	*introspect.Endpoint
	grants *grant.Grants
	tokens *access.Tokens
	ring   *keys.Ring
	clock  *storagetest.Clock
	store  *storagetest.Spy
}

const issuer = "http://idp.test"

var ring = sync.OnceValues(func() (*keys.Ring, error) { return keys.New([]keys.Spec{{Alg: "ES256"}, {Alg: "RS256"}}) })

func newDesk(t *testing.T) *desk {
	t.Helper()
	signer, err := ring()
	if err != nil {
		t.Fatal(err)
	}
	clock := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	grants := grant.New(store, clock.Now, rand.Text)
	sign := func(_ context.Context, alg, typ string, claims any) (string, error) {
		return signer.Sign(alg, typ, claims)
	}
	tokens := &access.Tokens{
		Issuer: issuer, Sign: sign, Verify: signer.Verify, Grants: grants, Kept: storage.NewBucket[access.Token]("access", store), Now: clock.Now, Random: rand.Text,
		Subject: func(_ context.Context, client oidc.Client, sub string) (string, error) {
			return sub + " of " + client.ClientID, nil
		},
	}
	register := clients.New(registered())
	return &desk{clock: clock, store: store, ring: signer, grants: grants, tokens: tokens, Endpoint: &introspect.Endpoint{
		Issuer: issuer, Clients: &clientauth.Authenticator{Clients: register}, Register: register, Grants: grants, Tokens: tokens, Sign: sign, Alg: "RS256", Now: clock.Now,
	}}
}

func registered() []oidc.Client {
	uris, secret := []string{"https://app.test/cb"}, oidc.NewSecret("secret")
	return []oidc.Client{
		{ClientID: "spa", RedirectURIs: uris, TokenEndpointAuthMethod: oidc.AuthMethodNone},
		{ClientID: "web", RedirectURIs: uris, ClientSecret: secret},
		{ClientID: "other", RedirectURIs: uris, ClientSecret: secret, Audience: "urn:other"},
		{ClientID: "api", RedirectURIs: uris, ClientSecret: secret, Audience: "urn:api"},
		{ClientID: "urn:its-id", RedirectURIs: uris, ClientSecret: secret},
		{ClientID: "house", RedirectURIs: uris, ClientSecret: secret, FirstParty: true},
		{ClientID: "signed", RedirectURIs: uris, ClientSecret: secret, FirstParty: true, IntrospectionSignedResponseAlg: "ES256"},
	}
}

// good is a token of client web, bound to a key.
func (d *desk) good() access.Token {
	now := d.clock.Now()
	return access.Token{
		Issuer: issuer, Subject: "alice", Audience: oidc.Audience{"urn:api", "urn:its-id"}, Expiry: now.Add(time.Minute).Unix(), IssuedAt: now.Unix(), JTI: "the jti",
		ClientID: "web", Scope: "openid email", AuthTime: now.Add(-time.Hour).Unix(), ACR: "1", AMR: []string{"pwd"}, SID: "s.1", GrantID: "g",
		Confirmation: &access.Confirmation{JKT: "key"},
	}
}

func (d *desk) make(t *testing.T, format string, change func(*access.Token)) string {
	t.Helper()
	token := d.good()
	if change != nil {
		change(&token)
	}
	raw, err := d.tokens.Make(t.Context(), oidc.Client{ClientID: token.ClientID, AccessTokenFormat: format}, token)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// saysOfGood is what is to be said of the good token.
func (d *desk) saysOfGood() introspect.Claims {
	token := d.good()
	return introspect.Claims{
		Active: true, Scope: "openid email", ClientID: "web", TokenType: "DPoP", Expiry: token.Expiry, IssuedAt: token.IssuedAt, Subject: "alice of web",
		Audience: token.Audience, Issuer: issuer, JTI: "the jti", Confirmation: &access.Confirmation{JKT: "key"}, AuthTime: token.AuthTime, ACR: "1",
	}
}

func TestWhatIsSaidOfAnAccessToken(t *testing.T) { // RFC 7662 §2.2, RFC 9449 §6.2, Core §8.1
	for _, format := range []string{"", oidc.FormatOpaque} {
		d := newDesk(t)
		got := d.ask(t, "web", d.make(t, format, nil))
		if diff := cmp.Diff(d.saysOfGood(), got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", format, diff)
		}
		bearer := d.make(t, format, func(token *access.Token) { token.Confirmation = nil })
		if got := d.ask(t, "web", bearer); got.TokenType != "Bearer" || got.Confirmation != nil {
			t.Errorf("RFC 9449 §6.2 of a bearer token it says %+v", got)
		}
	}
}

// Who asks about a good access token of web, for urn:api and urn:its-id; and what may be wrong with it.
func TestWhichTokensAreActive(t *testing.T) {
	for _, row := range []struct {
		name   string
		client string
		change func(*access.Token)
		happen func(t *testing.T, d *desk)
		want   bool
	}{
		{name: "RFC 7662 §2.2 the client it was issued to", client: "web", want: true},
		{name: "RFC 7662 §2.2 the client whose audience it is for", client: "api", want: true},
		{name: "RFC 7662 §2.2 the client whose client_id it is for", client: "urn:its-id", want: true},
		{name: "RFC 7662 §2.2 a client of the provider's own house", client: "house", want: true},
		{name: "RFC 7662 §2.2 if the protected resource is not allowed to introspect this particular token, active MUST be false", client: "other"},
		{name: "RFC 7662 §2.2 an expired token", client: "web", happen: func(_ *testing.T, d *desk) { d.clock.Pass(time.Minute) }},
		{name: "RFC 7662 §2.2 a token of another issuer", client: "web", change: func(token *access.Token) { token.Issuer = "http://other.test" }},
		{name: "RFC 7662 §2.2 a revoked token", client: "web", happen: func(t *testing.T, d *desk) { wantNil(t, d.tokens.Revoke(t.Context(), d.good())) }},
		{name: "RFC 7662 §2.2 a token whose grant was revoked", client: "web", happen: func(t *testing.T, d *desk) {
			wantNil(t, d.grants.Revoked.Put(t.Context(), storage.Together("g", ""), d.clock.Now(), time.Hour))
		}},
		{name: "RFC 7662 §2.2 a token of a user who is gone", client: "web", happen: func(_ *testing.T, d *desk) { d.Knows = func(string) bool { return false } }},
		{name: "RFC 7662 §2.2 a client's own token has no user who could be gone", client: "web", want: true,
			change: func(token *access.Token) { token.Subject, token.AuthTime = "web", 0 },
			happen: func(_ *testing.T, d *desk) { d.Knows = func(string) bool { return false } }},
		{name: "RFC 7662 §4 it MUST determine whether the token has expired: in its last second it has not", client: "web", want: true,
			happen: func(_ *testing.T, d *desk) { d.clock.Pass(time.Minute - 1) }},
		{name: "RFC 7662 §4 it MUST determine whether the token was revoked: by the user, with its whole grant", client: "web",
			happen: func(t *testing.T, d *desk) { wantNil(t, d.beginAndRevoke(t)) }},
		{name: "RFC 7662 §4 it MUST determine whether the token can be used at the resource server that asks", client: "api", change: func(token *access.Token) { token.Audience = oidc.Audience{"urn:other"} }},
		{name: "RFC 7662 §2.2 a token of a client that is gone", client: "api", change: func(token *access.Token) { token.ClientID = "gone" }},
	} {
		for _, format := range []string{"", oidc.FormatOpaque} {
			t.Run(row.name, func(t *testing.T) {
				d := newDesk(t)
				raw := d.make(t, format, row.change)
				if row.happen != nil {
					row.happen(t, d)
				}
				got := d.ask(t, row.client, raw)
				if got.Active != row.want || !got.Active && !cmp.Equal(got, introspect.Claims{}) {
					t.Errorf("%q: got %+v; want active %v, and of an inactive token nothing more", format, got, row.want)
				}
			})
		}
	}
}

func TestWhatIsSaidOfARefreshToken(t *testing.T) { // RFC 7662 §2.2
	d := newDesk(t)
	terms := grant.Terms{Idle: time.Hour, Absolute: time.Hour, Access: time.Minute, Rotate: true}
	authTime := d.clock.Now()
	granted := grant.Grant{ID: "g", ClientID: "web", Sub: "alice", Scope: oidc.Scope{"openid", "offline_access"}, AuthTime: authTime, ACR: "1"}
	old, err := d.grants.Begin(t.Context(), granted, "key", terms)
	wantNil(t, err)
	d.clock.Pass(time.Minute)
	refresh, err := d.grants.Use(t.Context(), old, terms)
	wantNil(t, err)
	want := introspect.Claims{
		Active: true, Scope: "openid offline_access", ClientID: "web", Subject: "alice of web", Issuer: issuer, ACR: "1", AuthTime: authTime.Unix(),
		IssuedAt: d.clock.Now().Unix(), Expiry: authTime.Add(time.Hour).Unix(), Confirmation: &access.Confirmation{JKT: "key"},
	}
	if diff := cmp.Diff(want, d.ask(t, "web", refresh)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := d.ask(t, "house", refresh); got.Active {
		t.Errorf("RFC 7662 §4 a refresh token is its client's only; another one reads %+v", got)
	}
	d.Knows = func(string) bool { return false }
	if got := d.ask(t, "web", refresh); got.Active {
		t.Errorf("RFC 7662 §2.2 of a user who is gone it says %+v", got)
	}
	d.Knows = nil
	d.clock.Pass(time.Minute)
	if got := d.ask(t, "web", old); got.Active {
		t.Errorf("RFC 7662 §2.2 of a token that was replaced it says %+v", got)
	}
	if got := d.ask(t, "web", refresh); !got.Active {
		t.Error("RFC 7662 §2.2 asking about an old token revoked the new one")
	}
	d.clock.Pass(time.Hour)
	if got := d.ask(t, "web", refresh); got.Active {
		t.Errorf("RFC 7662 §2.2 of an expired token it says %+v", got)
	}
}

func TestWhichQuestionsAreRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		change url.Values
		header string
		forge  func(raw string) string
		err    oidc.ErrorCode
		active bool
	}{
		{name: "RFC 7662 §2.1 a hint that is true", change: url.Values{"token_type_hint": {"access_token"}}, active: true},
		{name: "RFC 7662 §2.1 a wrong hint: it MUST extend its search across all of its supported token types", change: url.Values{"token_type_hint": {"refresh_token"}}, active: true},
		{name: "RFC 7662 §2.1 a hint that nobody knows", change: url.Values{"token_type_hint": {"nonsense"}}, active: true},
		{name: "RFC 7662 §2.2 a token that nobody issued is inactive, and no error", change: url.Values{"token": {"garbage"}}},
		{name: "RFC 7662 §4 it MUST validate the signature: changed", forge: func(raw string) string { return raw[:len(raw)-8] + "AAAAAAAA" }},
		{name: "RFC 7662 §4 it MUST validate the signature: none", forge: func(raw string) string {
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`)) + "." + strings.Split(raw, ".")[1] + "."
		}},
		{name: "RFC 7662 §2.2 an invented opaque token", change: url.Values{"token": {"a.b"}}},
		{name: "RFC 7662 §2.2 an invented refresh token", change: url.Values{"token": {"a.b.c"}}},
		{name: "RFC 7662 §2.1 token is required", change: url.Values{"token": {""}}, err: oidc.InvalidRequest},
		{name: "RFC 7662 §2.1 a form is required", header: "application/json", err: oidc.InvalidRequest},
		{name: "RFC 6749 §3.2 a repeated token", change: url.Values{"token": {"a", "b"}}, err: oidc.InvalidRequest},
		{name: "RFC 7662 §2.1 the endpoint MUST require some form of authorization: none came", change: url.Values{"client_id": {""}, "client_secret": {""}}, err: oidc.InvalidClient},
		{name: "RFC 7662 §2.1 a wrong secret", change: url.Values{"client_secret": {"wrong"}}, err: oidc.InvalidClient},
		{name: "RFC 7662 §2.1 a public client proves nothing", change: url.Values{"client_id": {"spa"}, "client_secret": {""}}, err: oidc.InvalidClient},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(t)
			raw := d.make(t, "", nil)
			if row.forge != nil {
				raw = row.forge(raw)
			}
			r := request(t, "web", raw, row.change)
			if row.header != "" {
				r.Header.Set("Content-Type", row.header)
			}
			answer, err := d.Introspect(r)
			switch {
			case row.err == "" && (err != nil || answer.Claims.Active != row.active):
				t.Errorf("got %+v, %v; want active %v", answer, err, row.active)
			case row.err != "" && (err == nil || oidc.AsError(err).Code != row.err):
				t.Errorf("got %v; want %s", err, row.err)
			}
		})
	}
}

func TestAFailingStoreIsNoInactiveToken(t *testing.T) {
	d := newDesk(t)
	tokens := []string{d.make(t, "", nil), d.make(t, oidc.FormatOpaque, nil), "a.b.c"}
	d.store.Gone(true)
	for _, raw := range tokens {
		if answer, err := d.Introspect(request(t, "web", raw, nil)); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("got %+v, %v; want the engine's error", answer, err)
		}
	}
}

// absent is a register that cannot be asked.
type absent struct{}

func (absent) ByID(context.Context, string) (oidc.Client, error) {
	return oidc.Client{}, storagetest.ErrEngine
}

func TestAFailingRegisterIsNoInactiveToken(t *testing.T) {
	d := newDesk(t)
	raw := d.make(t, "", nil)
	d.Register = absent{}
	if answer, err := d.Introspect(request(t, "web", raw, nil)); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("got %+v, %v; want the engine's error", answer, err)
	}
}

func (d *desk) ask(t *testing.T, client, raw string) introspect.Claims {
	t.Helper()
	answer, err := d.Introspect(request(t, client, raw, nil))
	wantNil(t, err)
	return answer.Claims
}

// request is a good question, and what replaces its parameters; a value of "" removes one.
func request(t *testing.T, client, raw string, change url.Values) *http.Request {
	t.Helper()
	form := url.Values{"token": {raw}, "client_id": {client}, "client_secret": {"secret"}}
	for name, values := range change {
		form[name] = values
		if values[0] == "" {
			form.Del(name)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/introspect", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// beginAndRevoke begins a family of the good token's grant, and revokes it.
func (d *desk) beginAndRevoke(t *testing.T) error {
	terms := grant.Terms{Idle: time.Hour, Absolute: time.Hour, Access: time.Minute, Rotate: true}
	_, err := d.grants.Begin(t.Context(), grant.Grant{ID: "g", ClientID: "web", Sub: "alice"}, "", terms)
	wantNil(t, err)
	return d.grants.Revoke(t.Context(), "g")
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
