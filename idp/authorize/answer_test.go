package authorize

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// jarm reads the JWT of an answer.
func jarm(t *testing.T, response string) (alg string, claims map[string]any) {
	t.Helper()
	var header struct{ Alg string }
	parts := append(strings.Split(response, "."), "", "")
	for i, into := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatalf("%q: %v", response, err)
		}
	}
	return header.Alg, claims
}

func authorizeIn(t *testing.T, e *testEndpoint, mode, signed string) Outcome {
	t.Helper()
	params := goodParams("spa")
	params.Set("response_mode", mode)
	params.Set("prompt", "none")
	outcome, err := e.Authorize(e.request(t, params, signed))
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func TestSignedAnswers(t *testing.T) {
	for _, row := range []struct{ name, mode, where string }{
		{"JARM §2.3.1 query.jwt puts response into the query", "query.jwt", "?"},
		{"JARM §2.3.2 fragment.jwt puts response into the fragment", "fragment.jwt", "#"},
		{"JARM §2.3.3 form_post.jwt posts response", "form_post.jwt", ""},
		{"JARM §2.3.4 jwt is query.jwt, the default of response_type=code", "jwt", "?"},
	} {
		mode, where := row.mode, row.where
		for _, signed := range []string{"alice", ""} {
			e := newEndpoint(t)
			outcome := authorizeIn(t, e, mode, signed)
			values := url.Values{}
			if outcome.Post != nil {
				values = outcome.Post.Values
			} else if query, found := strings.CutPrefix(outcome.Redirect, "https://app.test/cb"+where); found {
				values, _ = url.ParseQuery(query)
			}
			if len(values) != 1 {
				t.Fatalf("JARM §2.3 %s gives %+v; want one parameter, response", mode, outcome)
			}
			_, claims := jarm(t, values.Get("response"))
			exp := claims["exp"].(float64)
			if claims["iss"] != testIssuer || claims["aud"] != "spa" || exp <= float64(e.clock.Now().Unix()) ||
				exp > float64(e.clock.Now().Unix()+600) {
				t.Errorf("JARM §2.1 %s has the claims %v; want iss, aud and exp", mode, claims)
			}
			if claims["state"] != goodParams("spa").Get("state") || (claims["code"] != nil) == (claims["error"] != nil) ||
				(claims["code"] != nil) != (signed != "") {
				t.Errorf("JARM §2.1 %s has the claims %v; want the parameters of the answer", mode, claims)
			}
		}
	}
}

func TestTheAlgOfAnAnswerIsTheClients(t *testing.T) { // JARM §3
	e := newEndpoint(t)
	list := testClients()
	list[0].AuthorizationSignedResponseAlg = "PS256"
	e.Clients = clients.New(list)
	redirect, err := url.Parse(authorizeIn(t, e, "jwt", "alice").Redirect)
	if err != nil {
		t.Fatal(err)
	}
	if alg, _ := jarm(t, redirect.Query().Get("response")); alg != "PS256" {
		t.Errorf("alg = %q; want that of authorization_signed_response_alg", alg)
	}
}

func TestTheAlgOfAnAnswerWithoutARegisteredOne(t *testing.T) { // FAPI 2.0 §5.4.1: no RS256
	for want, client := range map[string]oidc.Client{"RS256": {},
		"ES256": {Profile: oidc.ProfileFAPI2, IDTokenSignedResponseAlg: "ES256"}} {
		response, err := newEndpoint(t).signAnswer(t.Context(), &client, url.Values{})
		if alg, _ := jarm(t, response); err != nil || alg != want {
			t.Errorf("alg = %q, %v; want %q", alg, err, want)
		}
	}
}

func TestAnAnswerThatCannotBeSignedIsNotSent(t *testing.T) {
	e := newEndpoint(t)
	list := testClients()
	list[0].AuthorizationSignedResponseAlg = "EdDSA" // the provider has no such key
	e.Clients = clients.New(list)
	params := goodParams("spa")
	params.Set("response_mode", "jwt")
	if outcome, err := e.Authorize(e.request(t, params, "alice")); err == nil {
		t.Errorf("got %+v; want an error", outcome)
	}
}

func TestMessagesGoToTheExactOrigin(t *testing.T) { // OAuth 2.0 Web Message Response Mode §4, RFC 9700 §4.17.2
	for redirectURI, target := range map[string]string{
		"https://app.test/cb": "https://app.test", "https://app.test/cb?tenant=7": "https://app.test",
		"http://localhost:5173/cb": "http://localhost:5173",
	} {
		for _, signed := range []string{"alice", ""} {
			e := newEndpoint(t)
			params := goodParams("spa")
			params.Set("response_mode", "web_message")
			params.Set("prompt", "none")
			params.Set("redirect_uri", redirectURI)
			outcome, err := e.Authorize(e.request(t, params, signed))
			m := outcome.Post
			if err != nil || m == nil || m.Target != target || m.RedirectURI != redirectURI {
				t.Fatalf("%s gives %+v, %v; want a message for %s", redirectURI, outcome, err, target)
			}
			if m.Values.Get("state") != params.Get("state") || m.Values.Get("iss") != testIssuer ||
				m.Values.Has("code") != (signed != "") {
				t.Errorf("the message says %v", m.Values)
			}
		}
	}
}

var grantRows = []struct {
	name, client, change, signed string
	want                         func(g *grant.Grant) // a change of what is usual
}{
	{name: "Core §3.1.2.1 the highest acr where nothing is asked"},
	{
		name: "Core §3.1.2.1 acr_values in their order of preference", change: "acr_values=gold+0+1",
		want: func(g *grant.Grant) { g.ACR = "0" },
	},
	{
		name:   "Core §5.5.1.1 the acr that the claims parameter wants comes first",
		change: "acr_values=1 claims=" + claimOf("acr", `{"values":["0"]}`),
		want:   func(g *grant.Grant) { g.ACR = "0" },
	},
	{
		name: "Registration §2 default_acr_values stand in for acr_values", client: "golden",
		want: func(g *grant.Grant) { g.ACR = "0" },
	},
	{name: "Registration §2 acr_values override default_acr_values", client: "golden", change: "acr_values=1"},
	{
		name: "RFC 8707 §2 resource goes into the grant", change: "resource=https://api.test",
		want: func(g *grant.Grant) { g.Resource = []string{"https://api.test"} },
	},
	{
		name: "RFC 9449 §10 dpop_jkt goes into the grant", change: "dpop_jkt=" + strings.Repeat("k", 43),
		want: func(g *grant.Grant) { g.DPoPJKT = strings.Repeat("k", 43) },
	},
	{name: "Core §5.5 the claims that are asked for go into the grant", change: "claims=" + claimOf("email", "null"),
		want: func(g *grant.Grant) {
			g.Claims = &oidc.ClaimsRequest{IDToken: map[string]*oidc.ClaimRequest{"email": nil}}
		}},
	{
		name: "a claim whose scope the client may not ask for does not", client: "narrow",
		change: "claims=" + claimOf("email", "null"),
	},
	{
		name:   "Core §11 offline_access means nothing to a client without refresh tokens",
		change: "scope=openid+profile+offline_access",
	},
	{name: "Core §11 offline_access that the user allowed before", client: "lasting",
		change: "prompt=none scope=openid+offline_access",
		want:   func(g *grant.Grant) { g.Scope = oidc.Scope{"openid", "offline_access"} }},
	{name: "Core §11 a first-party client that is registered for refresh tokens has it without a page",
		client: "staying", change: "prompt=none scope=openid+offline_access",
		want: func(g *grant.Grant) { g.Scope = oidc.Scope{"openid", "offline_access"} }},
	{name: "Core §11 offline_access that was never allowed is ignored under prompt=none", client: "lasting",
		signed: "carol", change: "prompt=none scope=openid+offline_access",
		want: func(g *grant.Grant) { g.Scope = oidc.Scope{"openid"} }},
}

func TestWhatIsGranted(t *testing.T) {
	for _, row := range grantRows {
		t.Run(row.name, func(t *testing.T) {
			e := newEndpoint(t)
			r := changed(row.client, row.change)
			signed := row.signed
			if signed == "" {
				signed = "alice"
			}
			outcome, err := e.Authorize(e.request(t, r.params(t), signed))
			if err != nil || outcome.Refused != nil {
				t.Fatalf("got %+v, %v", outcome, err)
			}
			redirect, err := url.Parse(outcome.Redirect)
			if err != nil {
				t.Fatal(err)
			}
			got := e.grantOf(t, redirect.Query().Get("code"))
			want := grant.Grant{ACR: "1", Scope: oidc.Scope{"openid", "profile"}}
			if row.want != nil {
				row.want(&want)
			}
			if diff := cmp.Diff(want, grant.Grant{ACR: got.ACR, Scope: got.Scope, Resource: got.Resource, DPoPJKT: got.DPoPJKT,
				Claims: got.Claims}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func (e *testEndpoint) grantOf(t *testing.T, code string) grant.Grant {
	t.Helper()
	granted, err := e.Grants.(*grant.Grants).Redeem(t.Context(), code, 0)
	if err != nil {
		t.Fatal(err)
	}
	return granted
}

func TestClaimsOfAPairwiseClientNameItsOwnSubs(t *testing.T) { // Core §8.1
	for sub, want := range map[string]oidc.ErrorCode{"alice": "", "bob": oidc.LoginRequired, "": oidc.LoginRequired} {
		e := newEndpoint(t)
		list := testClients()
		list[0].SubjectType = oidc.SubjectPairwise
		list[0].SectorIdentifierURI = "https://sector.test/uris"
		e.Clients = clients.New(list)
		shown := "alice" // the client knows nobody by this sub
		if sub != "" {
			var err error
			if shown, err = e.Subjects.Of(&list[0], sub); err != nil {
				t.Fatal(err)
			}
		}
		params := changed("", "prompt=none claims="+claimOf("sub", `{"value":"`+shown+`"}`)).params(t)
		outcome, err := e.Authorize(e.request(t, params, "alice"))
		if err != nil {
			t.Fatal(err)
		}
		checkAnswer(t, e, outcome, params, want)
	}
}
