package access_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

var terms = grant.Terms{Idle: time.Hour, Absolute: time.Hour, Access: 5 * time.Minute, Rotate: true}

// issued are the tokens of one grant of a client: two access tokens of each form, and a refresh token that was replaced
// by another.
type issued struct{ jwt, jwt2, opaque, opaque2, old, refresh string }

func (f *fixture) issue(t *testing.T, clientID string) (tokens issued) {
	t.Helper()
	id := "the grant of " + clientID
	make := func(jti, format string) string {
		raw, err := f.Make(t.Context(), &oidc.Client{ClientID: clientID, AccessTokenFormat: format}, access.Token{
			Issuer: "http://idp.test", Subject: "alice", JTI: jti, ClientID: clientID, GrantID: id,
			Expiry: f.clock.Now().Add(5 * time.Minute).Unix(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	tokens = issued{jwt: make("1", ""), jwt2: make("2", ""), opaque: make("3", "opaque"), opaque2: make("4", "opaque")}
	var err error
	granted := grant.Grant{ID: id, ClientID: clientID, Sub: "alice"}
	if tokens.old, err = f.grants.Begin(t.Context(), granted, "", terms); err == nil {
		tokens.refresh, err = f.grants.Use(t.Context(), tokens.old, terms)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Pass(time.Minute)
	return tokens
}

// alive names the tokens that are good still.
func (f *fixture) alive(t *testing.T, tokens issued) string {
	t.Helper()
	var names []string
	for _, token := range []struct{ name, raw string }{
		{"jwt", tokens.jwt}, {"jwt2", tokens.jwt2}, {"opaque", tokens.opaque}, {"opaque2", tokens.opaque2},
	} {
		if _, err := f.Read(t.Context(), token.raw); err == nil {
			names = append(names, token.name)
		}
	}
	if _, err := f.grants.Look(t.Context(), tokens.refresh); err == nil {
		names = append(names, "refresh")
	}
	return strings.Join(names, " ")
}

const all = "jwt jwt2 opaque opaque2 refresh"

var revocations = []struct {
	name   string
	client string // sends the request; "" is spa, the client of the tokens
	form   func(tokens issued) url.Values
	header http.Header
	alive  string // what is good afterwards
	err    oidc.ErrorCode
}{
	{
		name: "RFC 7009 §2.1 a refresh token, and with it all of its grant",
		form: tokenForm(func(i issued) string { return i.refresh }),
	},
	{
		name: "RFC 7009 §2.1 a refresh token that was replaced is one of the grant still",
		form: tokenForm(func(i issued) string { return i.old }),
	},
	{
		name: "RFC 7009 §2.1 an access token: the others of its grant stay",
		form: tokenForm(func(i issued) string { return i.jwt }), alive: "jwt2 opaque opaque2 refresh",
	},
	{
		name: "RFC 7009 §2.1 an opaque access token", form: tokenForm(func(i issued) string { return i.opaque }),
		alive: "jwt jwt2 opaque2 refresh",
	},
	{
		name: "RFC 7009 §2.1 a hint that is true",
		form: tokenForm(func(i issued) string { return i.refresh }, "refresh_token"),
	},
	{
		name: "RFC 7009 §2.1 a hint that is wrong: it MUST extend its search across all of its supported token types",
		form: tokenForm(func(i issued) string { return i.refresh }, "access_token"),
	},
	{
		name: "RFC 7009 §2.1 a wrong hint for an access token",
		form: tokenForm(func(i issued) string { return i.jwt }, "refresh_token"), alive: "jwt2 opaque opaque2 refresh",
	},
	{
		name: "RFC 7009 §2.2 invalid token type hint values are ignored",
		form: tokenForm(func(i issued) string { return i.jwt }, "nonsense"), alive: "jwt2 opaque opaque2 refresh",
	},
	{
		name: "RFC 7009 §2.2 an invalid token is no error", form: tokenForm(func(issued) string { return "garbage" }),
		alive: all,
	},
	{
		name: "RFC 7009 §2.2 an invented refresh token is no error", form: tokenForm(func(issued) string { return "a.b.c" }),
		alive: all,
	},
	{
		name: "RFC 7009 §2.2 an invented opaque token is no error", form: tokenForm(func(issued) string { return "a.b" }),
		alive: all,
	},

	{
		name: "RFC 7009 §2.1 token is required", form: func(issued) url.Values { return url.Values{} }, alive: all,
		err: oidc.InvalidRequest,
	},
	{
		name: "RFC 6749 §3.2 a repeated token",
		form: func(i issued) url.Values { return url.Values{"token": {i.jwt, i.jwt}} }, alive: all, err: oidc.InvalidRequest,
	},
	{
		name: "RFC 7009 §2.1 the request is a form", form: tokenForm(func(i issued) string { return i.jwt }),
		header: http.Header{"Content-Type": {"application/json"}}, alive: all, err: oidc.InvalidRequest,
	},
	{
		name: "RFC 7009 §2.1 the client MUST authenticate: none", client: "-",
		form: tokenForm(func(i issued) string { return i.jwt }), alive: all, err: oidc.InvalidClient,
	},
	{
		name: "RFC 7009 §2.1 the client MUST authenticate: an unknown one", client: "nobody",
		form: tokenForm(func(i issued) string { return i.jwt }), alive: all, err: oidc.InvalidClient,
	},
	{
		name: "RFC 7009 §2.1 the client MUST authenticate: a confidential one without its secret", client: "web-",
		form: tokenForm(func(i issued) string { return i.jwt }), alive: all, err: oidc.InvalidClient,
	},
	{
		name: "RFC 7009 §2.1 an access token of another client", client: "web",
		form: tokenForm(func(i issued) string { return i.jwt }), alive: all, err: oidc.InvalidGrant,
	},
	{
		name: "RFC 7009 §2.1 an opaque token of another client", client: "web",
		form: tokenForm(func(i issued) string { return i.opaque }), alive: all, err: oidc.InvalidGrant,
	},
	{
		name: "RFC 7009 §2.1 a refresh token of another client", client: "web",
		form: tokenForm(func(i issued) string { return i.refresh }), alive: all, err: oidc.InvalidGrant,
	},
	{
		name: "RFC 7009 §2.1 a replaced refresh token of another client is no replay either", client: "web",
		form: tokenForm(func(i issued) string { return i.old }), alive: all, err: oidc.InvalidGrant,
	},
}

func tokenForm(of func(issued) string, hint ...string) func(issued) url.Values {
	return func(tokens issued) url.Values {
		form := url.Values{"token": {of(tokens)}}
		if len(hint) > 0 {
			form["token_type_hint"] = hint
		}
		return form
	}
}

func TestRevoke(t *testing.T) {
	for _, row := range revocations {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t)
			tokens, others := f.issue(t, "spa"), f.issue(t, "web")
			err := f.revoke(revocationRequest(t, row.client, row.form(tokens), row.header))
			if row.err == "" && err != nil || row.err != "" && (err == nil || oidc.AsError(err).Code != row.err) {
				t.Errorf("got %v; want %q", err, row.err)
			}
			if got := f.alive(t, tokens); got != row.alive {
				t.Errorf("good afterwards: %s; want %s", got, row.alive)
			}
			if got := f.alive(t, others); got != all {
				t.Errorf("of another client: %s; want %s", got, all)
			}
		})
	}
}

func TestRevokingTwiceIsNoError(t *testing.T) { // RFC 7009 §2.2
	f := newFixture(t)
	tokens := f.issue(t, "spa")
	for range 2 {
		for _, raw := range []string{tokens.jwt, tokens.opaque, tokens.refresh, tokens.old} {
			if err := f.revoke(revocationRequest(t, "", url.Values{"token": {raw}}, nil)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWhatExpiredIsNothingToRevoke(t *testing.T) { // RFC 7009 §2.2
	f := newFixture(t)
	tokens := f.issue(t, "spa")
	f.clock.Pass(65 * time.Minute)
	for _, raw := range []string{tokens.jwt, tokens.opaque, tokens.refresh} {
		if err := f.revoke(revocationRequest(t, "", url.Values{"token": {raw}}, nil)); err != nil {
			t.Error(err)
		}
	}
}

func TestAFailingStoreIsNoSuccess(t *testing.T) { // RFC 7009 §2.2.1: the client "must assume the token still exists"
	f := newFixture(t)
	tokens := f.issue(t, "spa")
	f.store.Gone(true)
	for _, raw := range []string{tokens.jwt, tokens.opaque, tokens.refresh} {
		if err := f.revoke(revocationRequest(t, "", url.Values{"token": {raw}}, nil)); !errors.Is(
			err,
			storagetest.ErrEngine,
		) {
			t.Errorf("got %v; want the engine's error", err)
		}
	}
}

func revocationRequest(t *testing.T, client string, form url.Values, header http.Header) *http.Request {
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

func (f *fixture) revoke(r *http.Request) error {
	return f.revocation.Endpoints()[0].Serve(httptest.NewRecorder(), r)
}
