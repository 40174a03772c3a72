package idp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idptest"
)

// RFC 7591 §3.1: a document needs the content type application/json, so a page elsewhere needs a preflight, and learns
// the answer only if the preflight allows its origin.
func TestAFormOfAForeignPageRegistersNoClient(t *testing.T) {
	p := idptest.Start(t, nil)
	const document = `{"redirect_uris":["https://evil.test/cb"]}`
	for _, simple := range []string{
		"text/plain", "text/plain; x=application/json", "application/x-www-form-urlencoded",
		"multipart/form-data; boundary=x", "",
	} {
		r := get(t, http.MethodPost, "/register?"+document, nil, "Origin", "https://evil.test", "Content-Type", simple)
		if w := serve(p, r); w.Code != http.StatusBadRequest {
			t.Errorf("RFC 7591 §3.1 a document as %q, which needs no preflight, gives %d", simple, w.Code)
		}
	}
}

func TestWhatIsTooLargeIsNotRegistered(t *testing.T) {
	p := idptest.Start(t, nil)
	w := sendJSON(
		t, p, http.MethodPost, "/register",
		map[string]any{"redirect_uris": []string{"https://late.test/cb"}, "contacts": []string{strings.Repeat("x", 1<<20)}},
		"",
	)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("RFC 7591 §5 a megabyte of metadata gives %d", w.Code)
	}
	long := strings.Repeat("x", 8<<10)
	public := guarded(t, func(c *registration.Config) { c.Mode = "open" })
	asked := serve(
		public,
		get(t, "GET", "/authorize?"+url.Values{"client_id": {long}, "redirect_uri": {"https://late.test/cb"}}.Encode(), nil),
	)
	if asked.Code != http.StatusBadRequest || strings.Contains(asked.Body.String(), long) {
		t.Errorf("RFC 6749 §4.1.2.1 a client_id without end gives %d", asked.Code)
	}
}

func TestRegisteredClientsTakeNobodysPlace(t *testing.T) {
	p := idptest.Start(t, nil)
	client := registered(
		t, p, "client_id", "spa", "first_party", true, "redirect_uris", []string{"http://localhost:9090/spa/callback.html"},
	)
	token := client["registration_access_token"].(string)
	for _, row := range []struct {
		name, method, path string
		status             int
	}{
		{"RFC 7592 §2.1 a configured client has no registration to read", "GET", "/register/spa", 401},
		{"RFC 7592 §2.2 nor to change", "PUT", "/register/spa", 401},
		{"RFC 7592 §2.3 nor to delete", "DELETE", "/register/spa", 401},
		{
			"RFC 7592 §2 a path that leads elsewhere", "GET",
			"/register/../register/" + client["client_id"].(string) + "%2F..%2Fspa", 401,
		},
		{"RFC 7592 §2 PATCH is not supported", "PATCH", "/register/" + client["client_id"].(string), 405},
		{"RFC 7591 §3 GET lists nobody", "GET", "/register", 405},
	} {
		if w := sendJSON(t, p, row.method, row.path, map[string]any{"client_id": "spa"}, token); w.Code != row.status {
			t.Errorf("%s: got %d %s; want %d", row.name, w.Code, w.Body, row.status)
		}
	}
	if client["client_id"] == "spa" || client["first_party"] != nil {
		t.Errorf("RFC 7591 §3.2.1 the provider chooses the client_id, which is unique: %v", client)
	}
}

// RFC 7592 §2.3: after the deletion the client_id is good nowhere, and neither is what it was given.
func TestADeletedClientIsGoneEverywhere(t *testing.T) {
	p := idptest.Start(t, nil)
	client := registered(
		t, p, "scope", "openid offline_access", "grant_types", []string{"authorization_code", "refresh_token"},
	)
	id := client["client_id"].(string)
	b := p.Browser(t)
	b.SignIn("alice")
	request := url.Values{
		"client_id": {id}, "redirect_uri": {"https://late.test/cb"}, "response_type": {"code"},
		"scope": {"openid offline_access"},
	}
	back := b.Submit(open(t, b, request), url.Values{"decision": {"allow"}})
	code := b.Get(back.Location.String()).Location.Query().Get("code")
	redeem := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://late.test/cb"}}
	tokens := object(t, serve(p, basic(get(t, "POST", "/token", redeem), client)), http.StatusOK)
	gone := sendJSON(t, p, http.MethodDelete, "/register/"+id, nil, client["registration_access_token"].(string))
	refresh := serve(
		p,
		basic(
			get(
				t, "POST", "/token",
				url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}},
			),
			client,
		),
	)
	asked := b.Authorize(request)
	introspected := serve(
		p, basic(get(t, "POST", "/introspect", url.Values{"token": {tokens["access_token"].(string)}}), client),
	)
	checkSayings(t, []saying{
		{
			"RFC 7592 §2.3 a deletion is answered with 204 and nothing else",
			gone.Code == http.StatusNoContent && gone.Body.Len() == 0,
		},
		{
			"RFC 7592 §2.3 the client_id MUST NOT be used at the authorization endpoint",
			asked.Status == http.StatusBadRequest && asked.Location == nil,
		},
		{"RFC 7592 §2.3 the client_secret MUST NOT be used at the token endpoint", refresh.Code == http.StatusUnauthorized},
		{"RFC 7592 §2.3 nor at another endpoint", introspected.Code == http.StatusUnauthorized},
		{"RFC 7592 §2.3 its access tokens SHOULD be invalid", userinfo(t, b, tokens).Status == http.StatusUnauthorized},
	}, gone.Code, asked.Status, refresh.Code, introspected.Code)
	if page := b.Get("/account"); page.Status != http.StatusOK {
		t.Errorf("RFC 7592 §2.3 the page of a user who allowed it something gives %d", page.Status)
	}
}

// Core §8.1: what one client is told of a user says nothing to another one, by whatever way it asks.
func TestPairwiseSubsLeakNowhere(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Users[0].Sub = "the-sub-of-alice"
	})
	b := p.Browser(t)
	b.SignIn("alice")
	client := registered(
		t, p, "subject_type", "pairwise", "scope", "openid offline_access", "grant_types",
		[]string{"authorization_code", "refresh_token"},
	)
	request := url.Values{
		"client_id": {client["client_id"].(string)}, "redirect_uri": {"https://late.test/cb"}, "response_type": {"code"},
		"scope": {"openid offline_access"},
	}
	back := b.Submit(open(t, b, request), url.Values{"decision": {"allow"}})
	answer := b.Get(back.Location.String()).Location
	redeem := url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "redirect_uri": {"https://late.test/cb"},
	}
	tokens := object(t, serve(p, basic(get(t, "POST", "/token", redeem), client)), http.StatusOK)
	again := object(
		t,
		serve(
			p,
			basic(
				get(
					t, "POST", "/token",
					url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}},
				),
				client,
			),
		),
		http.StatusOK,
	)
	ask := func(token any) string {
		return serve(p, basic(get(t, "POST", "/introspect", url.Values{"token": {token.(string)}}), client)).Body.String()
	}
	theirs := claims(t, tokens["id_token"])["sub"].(string)
	for name, text := range map[string]string{
		"Core §8.1 the ID Token":                            decoded(t, tokens["id_token"]),
		"Core §8.1 the access token":                        decoded(t, tokens["access_token"]),
		"Core §8.1 userinfo":                                userinfo(t, b, tokens).Body,
		"Core §8.1 introspection of an access token":        ask(tokens["access_token"]),
		"Core §8.1 introspection of a refresh token":        ask(again["refresh_token"]),
		"Core §8.1 the ID Token that a refresh token gives": decoded(t, again["id_token"]),
		"Core §8.1 the authorization response":              answer.String() + theirs,
	} {
		if strings.Contains(text, "the-sub-of-alice") || !strings.Contains(text, theirs) {
			t.Errorf("%s MUST have the client's own sub, %s, and no other: %s", name, theirs, text)
		}
	}
}

// decoded is the payload of a JWT as it travelled.
func decoded(t *testing.T, token any) string {
	t.Helper()
	return fmt.Sprint(claims(t, token))
}
