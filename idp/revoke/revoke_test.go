package revoke_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/revoke"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

type desk struct {
	*revoke.Endpoint
	grants *grant.Grants
	tokens *access.Tokens
	clock  *storagetest.Clock
	store  *storagetest.Spy
}

var ring = sync.OnceValues(func() (*keys.Ring, error) { return keys.New([]keys.Spec{{Alg: "ES256"}}) })

func newDesk(t *testing.T) *desk {
	t.Helper()
	signer, err := ring()
	if err != nil {
		t.Fatal(err)
	}
	clock := storagetest.NewClock()
	store := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	grants := grant.New(store, clock.Now, rand.Text)
	tokens := &access.Tokens{
		Issuer: "http://idp.test", Verify: signer.Verify, Grants: grants, Kept: storage.NewBucket[access.Token]("access", store), Now: clock.Now, Random: rand.Text,
		Sign: func(_ context.Context, alg, typ string, claims any) (string, error) {
			return signer.Sign(alg, typ, claims)
		},
	}
	register := clients.New([]oidc.Client{
		{ClientID: "spa", RedirectURIs: []string{"https://app.test/cb"}, TokenEndpointAuthMethod: oidc.AuthMethodNone},
		{ClientID: "web", RedirectURIs: []string{"https://app.test/cb"}, ClientSecret: oidc.NewSecret("secret")},
	})
	return &desk{clock: clock, store: store, grants: grants, tokens: tokens, Endpoint: &revoke.Endpoint{
		Clients: &clientauth.Authenticator{Clients: register}, Grants: grants, Tokens: tokens,
	}}
}

var terms = grant.Terms{Idle: time.Hour, Absolute: time.Hour, Access: 5 * time.Minute, Rotate: true}

// issued are the tokens of one grant of a client: two access tokens of each form, and a refresh token that was replaced by another.
type issued struct{ jwt, jwt2, opaque, opaque2, old, refresh string }

func (d *desk) issue(t *testing.T, clientID string) (tokens issued) {
	t.Helper()
	id := "the grant of " + clientID
	make := func(jti, format string) string {
		raw, err := d.tokens.Make(t.Context(), oidc.Client{ClientID: clientID, AccessTokenFormat: format}, access.Token{
			Issuer: "http://idp.test", Subject: "alice", JTI: jti, ClientID: clientID, GrantID: id, Expiry: d.clock.Now().Add(5 * time.Minute).Unix(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	tokens = issued{jwt: make("1", ""), jwt2: make("2", ""), opaque: make("3", "opaque"), opaque2: make("4", "opaque")}
	var err error
	if tokens.old, err = d.grants.Begin(t.Context(), grant.Grant{ID: id, ClientID: clientID, Sub: "alice"}, "", terms); err == nil {
		tokens.refresh, err = d.grants.Use(t.Context(), tokens.old, terms)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.clock.Pass(time.Minute)
	return tokens
}

// alive names the tokens that are good still.
func (d *desk) alive(t *testing.T, tokens issued) string {
	t.Helper()
	var names []string
	for _, token := range []struct{ name, raw string }{{"jwt", tokens.jwt}, {"jwt2", tokens.jwt2}, {"opaque", tokens.opaque}, {"opaque2", tokens.opaque2}} {
		if _, err := d.tokens.Read(t.Context(), token.raw); err == nil {
			names = append(names, token.name)
		}
	}
	if _, err := d.grants.Look(t.Context(), tokens.refresh); err == nil {
		names = append(names, "refresh")
	}
	return strings.Join(names, " ")
}

const all = "jwt jwt2 opaque opaque2 refresh"

var rows = []struct {
	name   string
	client string // who asks; "" is spa, whose tokens they are
	form   func(tokens issued) url.Values
	header http.Header
	alive  string // what is good afterwards
	err    oidc.ErrorCode
}{
	{name: "RFC 7009 §2.1 a refresh token, and with it all of its grant", form: token(func(i issued) string { return i.refresh })},
	{name: "RFC 7009 §2.1 a refresh token that was replaced is one of the grant still", form: token(func(i issued) string { return i.old })},
	{name: "RFC 7009 §2.1 an access token: the others of its grant stay", form: token(func(i issued) string { return i.jwt }), alive: "jwt2 opaque opaque2 refresh"},
	{name: "RFC 7009 §2.1 an opaque access token", form: token(func(i issued) string { return i.opaque }), alive: "jwt jwt2 opaque2 refresh"},
	{name: "RFC 7009 §2.1 a hint that is true", form: token(func(i issued) string { return i.refresh }, "refresh_token")},
	{name: "RFC 7009 §2.1 a hint that is wrong: it MUST extend its search across all of its supported token types", form: token(func(i issued) string { return i.refresh }, "access_token")},
	{name: "RFC 7009 §2.1 a wrong hint for an access token", form: token(func(i issued) string { return i.jwt }, "refresh_token"), alive: "jwt2 opaque opaque2 refresh"},
	{name: "RFC 7009 §2.2 invalid token type hint values are ignored", form: token(func(i issued) string { return i.jwt }, "nonsense"), alive: "jwt2 opaque opaque2 refresh"},
	{name: "RFC 7009 §2.2 an invalid token is no error", form: token(func(issued) string { return "garbage" }), alive: all},
	{name: "RFC 7009 §2.2 an invented refresh token is no error", form: token(func(issued) string { return "a.b.c" }), alive: all},
	{name: "RFC 7009 §2.2 an invented opaque token is no error", form: token(func(issued) string { return "a.b" }), alive: all},

	{name: "RFC 7009 §2.1 token is required", form: func(issued) url.Values { return url.Values{} }, alive: all, err: oidc.InvalidRequest},
	{name: "RFC 6749 §3.2 a repeated token", form: func(i issued) url.Values { return url.Values{"token": {i.jwt, i.jwt}} }, alive: all, err: oidc.InvalidRequest},
	{name: "RFC 7009 §2.1 the request is a form", form: token(func(i issued) string { return i.jwt }), header: http.Header{"Content-Type": {"application/json"}}, alive: all, err: oidc.InvalidRequest},
	{name: "RFC 7009 §2.1 the client MUST authenticate: none", client: "-", form: token(func(i issued) string { return i.jwt }), alive: all, err: oidc.InvalidClient},
	{name: "RFC 7009 §2.1 the client MUST authenticate: an unknown one", client: "nobody", form: token(func(i issued) string { return i.jwt }), alive: all, err: oidc.InvalidClient},
	{name: "RFC 7009 §2.1 the client MUST authenticate: a confidential one without its secret", client: "web-", form: token(func(i issued) string { return i.jwt }), alive: all, err: oidc.InvalidClient},
	{name: "RFC 7009 §2.1 an access token of another client", client: "web", form: token(func(i issued) string { return i.jwt }), alive: all, err: oidc.InvalidGrant},
	{name: "RFC 7009 §2.1 an opaque token of another client", client: "web", form: token(func(i issued) string { return i.opaque }), alive: all, err: oidc.InvalidGrant},
	{name: "RFC 7009 §2.1 a refresh token of another client", client: "web", form: token(func(i issued) string { return i.refresh }), alive: all, err: oidc.InvalidGrant},
	{name: "RFC 7009 §2.1 a replaced refresh token of another client is no replay either", client: "web", form: token(func(i issued) string { return i.old }), alive: all, err: oidc.InvalidGrant},
}

func token(of func(issued) string, hint ...string) func(issued) url.Values {
	return func(tokens issued) url.Values {
		form := url.Values{"token": {of(tokens)}}
		if len(hint) > 0 {
			form["token_type_hint"] = hint
		}
		return form
	}
}

func TestRevoke(t *testing.T) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(t)
			tokens, others := d.issue(t, "spa"), d.issue(t, "web")
			err := d.Revoke(request(t, row.client, row.form(tokens), row.header))
			if row.err == "" && err != nil || row.err != "" && (err == nil || oidc.AsError(err).Code != row.err) {
				t.Errorf("got %v; want %q", err, row.err)
			}
			if got := d.alive(t, tokens); got != row.alive {
				t.Errorf("good afterwards: %s; want %s", got, row.alive)
			}
			if got := d.alive(t, others); got != all {
				t.Errorf("of another client: %s; want %s", got, all)
			}
		})
	}
}

func TestRevokingTwiceIsNoError(t *testing.T) { // RFC 7009 §2.2
	d := newDesk(t)
	tokens := d.issue(t, "spa")
	for range 2 {
		for _, raw := range []string{tokens.jwt, tokens.opaque, tokens.refresh, tokens.old} {
			if err := d.Revoke(request(t, "", url.Values{"token": {raw}}, nil)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWhatExpiredIsNothingToRevoke(t *testing.T) { // RFC 7009 §2.2
	d := newDesk(t)
	tokens := d.issue(t, "spa")
	d.clock.Pass(65 * time.Minute)
	for _, raw := range []string{tokens.jwt, tokens.opaque, tokens.refresh} {
		if err := d.Revoke(request(t, "", url.Values{"token": {raw}}, nil)); err != nil {
			t.Error(err)
		}
	}
}

func TestAFailingStoreIsNoSuccess(t *testing.T) { // RFC 7009 §2.2.1: the client "must assume the token still exists"
	d := newDesk(t)
	tokens := d.issue(t, "spa")
	d.store.Gone(true)
	for _, raw := range []string{tokens.jwt, tokens.opaque, tokens.refresh} {
		if err := d.Revoke(request(t, "", url.Values{"token": {raw}}, nil)); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("got %v; want the engine's error", err)
		}
	}
}

func request(t *testing.T, client string, form url.Values, header http.Header) *http.Request {
	t.Helper()
	switch client {
	case "-":
	case "":
		form.Set("client_id", "spa")
	case "web":
		form.Set("client_id", "web")
		form.Set("client_secret", "secret")
	default:
		form.Set("client_id", strings.TrimSuffix(client, "-"))
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/revoke", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name := range header {
		r.Header.Set(name, header.Get(name))
	}
	return r
}
