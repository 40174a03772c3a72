package access_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// introspect returns the answer as JSON, or as a JWT.
func (f *fixture) introspect(r *http.Request) (info access.Info, jwt string, err error) {
	w := httptest.NewRecorder()
	if err := f.introspection.Endpoints()[0].Serve(w, r); err != nil {
		return info, "", err
	}
	if w.Header().Get("Content-Type") == "application/token-introspection+jwt" {
		return info, w.Body.String(), nil
	}
	return info, "", json.Unmarshal(w.Body.Bytes(), &info)
}

// subOfWeb is the pairwise sub of alice at the client web.
func (f *fixture) subOfWeb() string {
	sub, err := f.Subjects.Of(&registered()[1], "alice")
	if err != nil {
		panic(err)
	}
	return sub
}

// saysOfGood is what is to be said of the good token.
func (f *fixture) saysOfGood() access.Info {
	token := f.good("web")
	return access.Info{
		Active: true, Scope: "openid email", ClientID: "web", TokenType: "DPoP", Expiry: token.Expiry,
		IssuedAt: token.IssuedAt, Subject: f.subOfWeb(),
		Audience: token.Audience, Issuer: issuer, JTI: "the jti", Confirmation: &access.Confirmation{JKT: "key"},
		AuthTime: token.AuthTime, ACR: "1",
	}
}

func TestWhatIsSaidOfAnAccessToken(t *testing.T) { // RFC 7662 §2.2, RFC 9449 §6.2, Core §8.1
	for _, format := range []string{"", oidc.FormatOpaque} {
		f := newFixture(t)
		got := f.ask(t, "web", f.makeFor(t, format, nil))
		if diff := cmp.Diff(f.saysOfGood(), got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", format, diff)
		}
		bearer := f.makeFor(t, format, func(token *access.Token) { token.Confirmation = nil })
		if got := f.ask(t, "web", bearer); got.TokenType != "Bearer" || got.Confirmation != nil {
			t.Errorf("RFC 9449 §6.2 of a bearer token it says %+v", got)
		}
	}
}

// activeRows are the rows of TestWhichTokensAreActive.
var activeRows = []struct {
	name   string
	client string
	change func(*access.Token)
	happen func(t *testing.T, f *fixture)
	want   bool
}{
	{name: "RFC 7662 §2.2 the client it was issued to", client: "web", want: true},
	{name: "RFC 7662 §2.2 the client whose audience it is for", client: "api", want: true},
	{name: "RFC 7662 §2.2 the client whose client_id it is for", client: "urn:its-id", want: true},
	{name: "RFC 7662 §2.2 a first-party client", client: "first-party", want: true},
	{
		name:   "RFC 7662 §2.2 if the resource is not allowed to introspect this particular token, active MUST be false",
		client: "other",
	},
	{
		name: "RFC 7662 §2.2 an expired token", client: "web",
		happen: func(_ *testing.T, f *fixture) { f.clock.Pass(time.Minute) },
	},
	{
		name: "RFC 7662 §2.2 a token of another issuer", client: "web",
		change: func(token *access.Token) { token.Issuer = "http://other.test" },
	},
	{
		name: "RFC 7662 §2.2 a revoked token", client: "web",
		happen: func(t *testing.T, f *fixture) { wantNil(t, f.Revoke(t.Context(), f.good("web"))) },
	},
	{name: "RFC 7662 §2.2 a token whose grant was revoked", client: "web", happen: func(t *testing.T, f *fixture) {
		wantNil(t, f.grants.Revoked.Put(t.Context(), storage.GroupKey("g", ""), f.clock.Now(), time.Hour))
	}},
	{
		name: "RFC 7662 §2.2 a token of a deleted user", client: "web",
		happen: func(_ *testing.T, f *fixture) { f.Users = nobody },
	},
	{name: "RFC 7662 §2.2 a client's own token has no user", client: "web", want: true,
		change: func(token *access.Token) { token.Subject, token.AuthTime = "web", 0 },
		happen: func(_ *testing.T, f *fixture) { f.Users = nobody }},
	{
		name:   "RFC 7662 §4 it MUST determine whether the token has expired: in its last second it has not",
		client: "web", want: true,
		happen: func(_ *testing.T, f *fixture) { f.clock.Pass(time.Minute - 1) }},
	{
		name:   "RFC 7662 §4 it MUST determine whether the token was revoked: by the user, with its whole grant",
		client: "web",
		happen: func(t *testing.T, f *fixture) { wantNil(t, f.beginAndRevoke(t)) }},
	{
		name: "RFC 7662 §4 it MUST determine whether the token can be used at the resource server that asks", client: "api",
		change: func(token *access.Token) { token.Audience = oidc.Audience{"urn:other"} },
	},
	{
		name: "RFC 7662 §2.2 a token of a client that is gone", client: "api",
		change: func(token *access.Token) { token.ClientID = "gone" },
	},
}

// Each row is one client that asks about a good access token of web, for urn:api and urn:its-id, or one change of it.
func TestWhichTokensAreActive(t *testing.T) {
	for _, row := range activeRows {
		for _, format := range []string{"", oidc.FormatOpaque} {
			t.Run(row.name, func(t *testing.T) {
				f := newFixture(t)
				raw := f.makeFor(t, format, row.change)
				if row.happen != nil {
					row.happen(t, f)
				}
				got := f.ask(t, row.client, raw)
				if got.Active != row.want || !got.Active && !cmp.Equal(got, access.Info{}) {
					t.Errorf("%q: got %+v; want active %v, and of an inactive token nothing more", format, got, row.want)
				}
			})
		}
	}
}

func TestWhatIsSaidOfARefreshToken(t *testing.T) { // RFC 7662 §2.2
	f := newFixture(t)
	terms := grant.Terms{Idle: time.Hour, Absolute: time.Hour, Access: time.Minute, Rotate: true}
	authTime := f.clock.Now()
	granted := grant.Grant{
		ID:       "g",
		ClientID: "web",
		Sub:      "alice",
		Scope:    oidc.Scope{"openid", "offline_access"},
		AuthTime: authTime,
		ACR:      "1",
	}
	old, err := f.grants.Begin(t.Context(), granted, "key", terms)
	wantNil(t, err)
	f.clock.Pass(time.Minute)
	refresh, err := f.grants.Use(t.Context(), old, terms)
	wantNil(t, err)
	want := access.Info{
		Active: true, Scope: "openid offline_access", ClientID: "web", Subject: f.subOfWeb(), Issuer: issuer,
		ACR: "1", AuthTime: authTime.Unix(),
		IssuedAt: f.clock.Now().
			Unix(),
		Expiry: authTime.Add(time.Hour).Unix(), Confirmation: &access.Confirmation{JKT: "key"},
	}
	if diff := cmp.Diff(want, f.ask(t, "web", refresh)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := f.ask(t, "first-party", refresh); got.Active {
		t.Errorf("RFC 7662 §4 a refresh token is its client's only; another one reads %+v", got)
	}
	alice := f.Users
	f.Users = nobody
	if got := f.ask(t, "web", refresh); got.Active {
		t.Errorf("RFC 7662 §2.2 of a deleted user it says %+v", got)
	}
	f.Users = alice
	f.clock.Pass(time.Minute)
	if got := f.ask(t, "web", old); got.Active {
		t.Errorf("RFC 7662 §2.2 of a token that was replaced it says %+v", got)
	}
	if got := f.ask(t, "web", refresh); !got.Active {
		t.Error("RFC 7662 §2.2 asking about an old token revoked the new one")
	}
	f.clock.Pass(time.Hour)
	if got := f.ask(t, "web", refresh); got.Active {
		t.Errorf("RFC 7662 §2.2 of an expired token it says %+v", got)
	}
}

// questions are the rows of TestWhichQuestionsAreRefused.
var questions = []struct {
	name   string
	change url.Values
	header string
	forge  func(raw string) string
	err    oidc.ErrorCode
	active bool
}{
	{name: "RFC 7662 §2.1 a hint that is true", change: url.Values{"token_type_hint": {"access_token"}}, active: true},
	{
		name:   "RFC 7662 §2.1 a wrong hint: it MUST extend its search across all of its supported token types",
		change: url.Values{"token_type_hint": {"refresh_token"}}, active: true,
	},
	{name: "RFC 7662 §2.1 an unknown hint", change: url.Values{"token_type_hint": {"nonsense"}}, active: true},
	{
		name: "RFC 7662 §2.2 a token of no issuer is inactive, and no error", change: url.Values{"token": {"garbage"}},
	},
	{
		name:  "RFC 7662 §4 it MUST validate the signature: changed",
		forge: func(raw string) string { return raw[:len(raw)-8] + "AAAAAAAA" },
	},
	{name: "RFC 7662 §4 it MUST validate the signature: none", forge: func(raw string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`)) +
			"." + strings.Split(raw, ".")[1] + "."
	}},
	{name: "RFC 7662 §2.2 an invented opaque token", change: url.Values{"token": {"a.b"}}},
	{name: "RFC 7662 §2.2 an invented refresh token", change: url.Values{"token": {"a.b.c"}}},
	{name: "RFC 7662 §2.1 token is required", change: url.Values{"token": {""}}, err: oidc.InvalidRequest},
	{name: "RFC 7662 §2.1 a form is required", header: "application/json", err: oidc.InvalidRequest},
	{name: "RFC 6749 §3.2 a repeated token", change: url.Values{"token": {"a", "b"}}, err: oidc.InvalidRequest},
	{
		name:   "RFC 7662 §2.1 the endpoint MUST require some form of authorization: none came",
		change: url.Values{"client_id": {""}, "client_secret": {""}}, err: oidc.InvalidClient,
	},
	{name: "RFC 7662 §2.1 a wrong secret", change: url.Values{"client_secret": {"wrong"}}, err: oidc.InvalidClient},
	{
		name:   "RFC 7662 §2.1 a public client proves nothing",
		change: url.Values{"client_id": {"spa"}, "client_secret": {""}}, err: oidc.InvalidClient,
	},
}

func TestWhichQuestionsAreRefused(t *testing.T) {
	for _, row := range questions {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t)
			raw := f.makeFor(t, "", nil)
			if row.forge != nil {
				raw = row.forge(raw)
			}
			r := question(t, "web", raw, row.change)
			if row.header != "" {
				r.Header.Set("Content-Type", row.header)
			}
			info, _, err := f.introspect(r)
			switch {
			case row.err == "" && (err != nil || info.Active != row.active):
				t.Errorf("got %+v, %v; want active %v", info, err, row.active)
			case row.err != "" && (err == nil || oidc.AsError(err).Code != row.err):
				t.Errorf("got %v; want %s", err, row.err)
			}
		})
	}
}

func TestAFailingStoreIsNoInactiveToken(t *testing.T) {
	f := newFixture(t)
	tokens := []string{f.makeFor(t, "", nil), f.makeFor(t, oidc.FormatOpaque, nil), "a.b.c"}
	f.store.Gone(true)
	for _, raw := range tokens {
		if info, _, err := f.introspect(question(t, "web", raw, nil)); !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("got %+v, %v; want the engine's error", info, err)
		}
	}
}

// absent is a register that cannot be asked.
type absent struct{}

func (absent) ByID(context.Context, string) (*oidc.Client, error) {
	return &oidc.Client{}, storagetest.ErrEngine
}

func TestAFailingRegisterIsNoInactiveToken(t *testing.T) {
	f := newFixture(t)
	raw := f.makeFor(t, "", nil)
	f.introspection.Clients = absent{}
	if info, _, err := f.introspect(question(t, "web", raw, nil)); !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("got %+v, %v; want the engine's error", info, err)
	}
}

func (f *fixture) ask(t *testing.T, client, raw string) access.Info {
	t.Helper()
	info, _, err := f.introspect(question(t, client, raw, nil))
	wantNil(t, err)
	return info
}

// request is a good question, and what replaces its parameters; a value of "" removes one.
func question(t *testing.T, client, raw string, change url.Values) *http.Request {
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
func (f *fixture) beginAndRevoke(t *testing.T) error {
	terms := grant.Terms{Idle: time.Hour, Absolute: time.Hour, Access: time.Minute, Rotate: true}
	_, err := f.grants.Begin(t.Context(), grant.Grant{ID: "g", ClientID: "web", Sub: "alice"}, "", terms)
	wantNil(t, err)
	return f.grants.Revoke(t.Context(), "g")
}

func (f *fixture) makeFor(t *testing.T, format string, change func(*access.Token)) string {
	t.Helper()
	token := f.good("web")
	if change != nil {
		change(&token)
	}
	client := oidc.Client{ClientID: token.ClientID, AccessTokenFormat: format}
	if token.ClientID == "web" {
		client.SubjectType, client.RedirectURIs = oidc.SubjectPairwise, []string{"https://app.test/cb"}
	}
	return f.make(t, client, token)
}

// nobody is a directory without users.
var nobody = func() *users.Directory {
	none, err := users.New(nil)
	if err != nil {
		panic(err)
	}
	return none
}()
