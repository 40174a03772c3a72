package token

import (
	"crypto/ecdsa"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// A good refresh request of client "offline", plus one change a row.
var refreshRows = []struct {
	name   string
	client string            // whose token; "" is offline, a public client
	change string            // of the form; see change
	wait   time.Duration     // between the sign-in and the request
	bound  *ecdsa.PrivateKey // the key that the token is bound to; nil: to none
	proof  *ecdsa.PrivateKey // the key whose proof the request carries; nil: it carries none
	gone   bool              // the user is not known any more
	other  bool              // the token is sent to another issuer of the process
	err    oidc.ErrorCode
}{
	{name: "RFC 6749 §6 a public client refreshes"},
	{name: "RFC 6749 §6 a confidential client refreshes and authenticates", client: "confidential"},
	{name: "RFC 6749 §6 scope may be left out"},
	{name: "RFC 6749 §6 scope may ask for all that was granted", change: "scope=openid+profile+offline_access"},
	{name: "RFC 6749 §6 scope may ask for less", change: "scope=openid"},
	{name: "RFC 8707 §2.2 resource may name what was granted", change: "resource=urn:the-api"},
	{name: "Core §12.1 a refresh token may be used for almost thirty days", wait: 30*24*time.Hour - time.Minute},
	{name: "RFC 9449 §5 the proof of the key that the token is bound to", bound: boundKey, proof: boundKey},
	{name: "RFC 9449 §5 a token that is bound to no key may be used with any proof", proof: boundKey},

	{name: "RFC 6749 §6 refresh_token is required", change: "-refresh_token", err: oidc.InvalidRequest},
	{name: "RFC 6749 §3.2 a repeated refresh_token", change: "+refresh_token=x", err: oidc.InvalidRequest},
	{name: "RFC 6749 §6 an invented token", change: "refresh_token=a.b.c", err: oidc.InvalidGrant},
	{name: "RFC 6749 §6 something that is no token", change: "refresh_token=%00", err: oidc.InvalidGrant},
	{name: "RFC 6749 §6 the token of another client", change: "client_id=second", err: oidc.InvalidGrant},
	{
		name:   "RFC 6749 §6 the authorization server MUST require client authentication for confidential clients",
		client: "confidential", change: "-client_secret", err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §6 a confidential client with a wrong secret", client: "confidential",
		change: "client_secret=wrong", err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §5.2 a client that is not registered for refresh_token", change: "client_id=spa",
		err: oidc.UnauthorizedClient,
	},
	{
		name:   "RFC 6749 §6 the requested scope MUST NOT include any scope not originally granted",
		change: "scope=openid+email", err: oidc.InvalidScope,
	},
	{name: "RFC 6749 §6 a scope that nobody knows", change: "scope=openid+nonsense", err: oidc.InvalidScope},
	{
		name: "RFC 8707 §2.2 resource names an API that was not granted", change: "resource=https://other.test",
		err: oidc.InvalidTarget,
	},
	{name: "Core §12.1 a token that was not used for thirty days", wait: 30 * 24 * time.Hour, err: oidc.InvalidGrant},
	{name: "RFC 9449 §5 no proof for a token that is bound to a key", bound: boundKey, err: oidc.InvalidGrant},
	{name: "RFC 9449 §5 the proof of another key", bound: boundKey, proof: anotherKey, err: oidc.InvalidGrant},
	{name: "RFC 9700 §4.14.2 the user does not exist any more", gone: true, err: oidc.InvalidGrant},
	{name: "RFC 9700 §4.4 a token of another issuer of the process", other: true, err: oidc.InvalidGrant},
}

func TestRefresh(t *testing.T) {
	eachIsBroken(t, refreshRules)
	eachIsBroken(t, holderRules)
	for _, row := range refreshRows {
		t.Run(row.name, func(t *testing.T) {
			e := newEndpoint(t)
			client := row.client
			if client == "" {
				client = "offline"
			}
			e.key = row.bound
			form := change(t, e.refreshForm(t, client), row.change)
			e.key = row.proof
			if row.gone {
				e.issuer.Users = directory(t)
			}
			if row.other {
				e.issuer.Issuer += "/realms/two"
			}
			e.clock.Pass(row.wait)
			response, err := e.Exchange(post(t, form))
			checkRefreshed(t, response, err, row.err)
		})
	}
}

func checkRefreshed(t *testing.T, response Response, err error, want oidc.ErrorCode) {
	t.Helper()
	switch {
	case want == "" && (err != nil || response.AccessToken == "" || response.IDToken == "" || response.RefreshToken == ""):
		t.Fatalf("got %+v, %v; want tokens", response, err)
	case want != "" && (err == nil || oidc.AsError(err).Code != want || response != (Response{})):
		t.Fatalf("got %+v, %v; want %s", response, err, want)
	}
}

// judge, then spend: unlike a code it was not in a browser's address
func TestARequestThatIsRefusedSpendsNoRefreshToken(t *testing.T) {
	e := newEndpoint(t)
	form := e.refreshForm(t, "offline")
	for _, wrong := range []string{"scope=email", "client_id=second", "resource=https://other.test"} {
		if _, err := e.Exchange(post(t, change(t, clone(form), wrong))); err == nil {
			t.Fatalf("%s was not refused", wrong)
		}
	}
	e.clock.Pass(time.Minute)
	if _, err := e.Exchange(post(t, form)); err != nil {
		t.Errorf("after wrong requests the right one gives %v", err)
	}
}

// RFC 9700 §4.14.2, RFC 9700 §2.2.2: "Refresh tokens for public clients MUST be sender-constrained or use refresh
// token rotation"
func TestRefreshTokensAreRotated(t *testing.T) {
	for _, client := range []string{"offline", "confidential"} {
		e := newEndpoint(t)
		form := e.refreshForm(t, client)
		first := form.Get("refresh_token")
		response := e.exchange(t, form)
		if response.RefreshToken == first {
			t.Errorf("%s: the refresh token stays the same", client)
		}
		again := e.exchange(t, form) // a racing tab
		if again.RefreshToken != response.RefreshToken || again.AccessToken == response.AccessToken {
			t.Errorf("%s: within the grace the tabs get %q and %q", client, again.RefreshToken, response.RefreshToken)
		}
		e.clock.Pass(grant.Grace)
		_, err := e.Exchange(post(t, form))
		if e := oidc.AsError(err); e == nil || e.Code != oidc.InvalidGrant || e.Reason != oidc.RefreshReplayed {
			t.Fatalf("%s: the replay gave %v", client, err)
		}
		form.Set("refresh_token", response.RefreshToken)
		if _, err := e.Exchange(post(t, form)); err == nil {
			t.Errorf("%s: after a replay the newest token is good still", client)
		}
		if _, err := e.access.Read(t.Context(), response.AccessToken); err == nil {
			t.Errorf("%s: after a replay the access token is good still", client)
		}
	}
}

func TestAFAPI2ClientKeepsItsRefreshToken(t *testing.T) { // FAPI 2.0 §5.3.2.1: "shall not use refresh token rotation"
	refresh := Refresh{Idle: 30 * 24 * time.Hour, Absolute: 365 * 24 * time.Hour}
	if terms := refresh.terms(&oidc.Client{Profile: oidc.ProfileFAPI2}); terms.Rotate {
		t.Errorf("got %+v", terms)
	}
	if terms := refresh.terms(&oidc.Client{RefreshTokenLifetime: time.Hour}); !terms.Rotate || terms.Idle != time.Hour ||
		terms.Access != oidc.DefaultTokenLifetime {
		t.Errorf("got %+v", terms)
	}
}

func TestARefreshedIDToken(t *testing.T) { // Core §12.2
	e := newEndpoint(t)
	first := e.exchange(t, goodForm("offline", e.issue(t, "offline", "offline")))
	e.clock.Pass(time.Hour)
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"offline"}, "refresh_token": {first.RefreshToken}}
	refreshed := e.exchange(t, form)
	before, after := claimsOf[IDToken](t, first.IDToken), claimsOf[IDToken](t, refreshed.IDToken)
	for _, row := range []struct {
		name string
		same bool
	}{
		{"Core §12.2 its iss MUST be the same", after.Issuer == before.Issuer},
		{"Core §12.2 its sub MUST be the same", after.Subject == before.Subject && after.Subject == "alice"},
		{
			"Core §12.2 its iat MUST represent the time that the new ID Token is issued",
			after.IssuedAt == before.IssuedAt+3600,
		},
		{"Core §12.2 its aud MUST include the original one", after.Audience == before.Audience},
		{
			"Core §12.2 its auth_time MUST represent the time of the original authentication",
			after.AuthTime == before.AuthTime,
		},
		{"Core §12.2 it SHOULD NOT have a nonce", before.Nonce == "n" && after.Nonce == ""},
		{
			"Core §12.2 otherwise it follows the rules of the first: sid, acr, amr",
			after.SID == before.SID && after.ACR == before.ACR && slices.Equal(after.AMR, before.AMR),
		},
		{
			"Core §12.2 the original has no azp, so an azp MUST NOT be present",
			azp(t, first.IDToken) == nil && azp(t, refreshed.IDToken) == nil,
		},
		{"Core §3.1.3.6 its at_hash is of the new access token", after.AccessTokenHash != before.AccessTokenHash},
	} {
		if !row.same {
			t.Errorf("%s: %+v, then %+v", row.name, before, after)
		}
	}
}

func azp(t *testing.T, idToken string) any { return claimsOf[map[string]any](t, idToken)["azp"] }

func TestANarrowedRefresh(t *testing.T) { // RFC 6749 §6
	e := newEndpoint(t)
	form := e.refreshForm(t, "offline")
	form.Set("scope", "profile")
	narrow := e.exchange(t, form)
	if narrow.Scope != "profile" || narrow.IDToken != "" ||
		claimsOf[access.Token](t, narrow.AccessToken).Scope != "profile" {
		t.Errorf("got %+v; want an access token for profile, and no ID token without openid", narrow)
	}
	form.Set("refresh_token", narrow.RefreshToken)
	form.Del("scope")
	if wide := e.exchange(t, form); wide.Scope != "openid profile offline_access" {
		t.Errorf("RFC 6749 §6 the refresh token scope MUST be identical to that of the one before: got %q", wide.Scope)
	}
}

func TestWhichClientsGetARefreshToken(t *testing.T) { // Core §11
	for _, row := range []struct {
		name, client, how string
		want              bool
	}{
		{"Core §11 offline_access was granted", "offline", "offline", true},
		{"Core §11 offline_access was not granted", "offline", "", false},
		{"Core §11 the client is not registered for refresh tokens", "spa", "offline", false},
	} {
		e := newEndpoint(t)
		if got := e.exchange(t, goodForm(row.client, e.issue(t, row.client, row.how))).RefreshToken; (got != "") != row.want {
			t.Errorf("%s: refresh_token is %q", row.name, got)
		}
	}
}

func TestWhichAPIsAnAccessTokenIsFor(t *testing.T) { // RFC 8707 §2.2
	for _, row := range []struct {
		name, granted, asked string
		want                 []string
		err                  oidc.ErrorCode
	}{
		{name: "RFC 8707 §2 without resource it is the default", want: []string{"urn:the-api"}},
		{
			name: "RFC 8707 §2.2 all that was granted", granted: "https://a.test https://b.test",
			want: []string{"https://a.test", "https://b.test"},
		},
		{
			name: "RFC 8707 §2.2 a subset of it", granted: "https://a.test https://b.test", asked: "https://b.test",
			want: []string{"https://b.test"},
		},
		{
			name: "RFC 8707 §2 several, each once", granted: "https://a.test https://b.test",
			asked: "https://b.test https://a.test https://b.test", want: []string{"https://b.test", "https://a.test"},
		},
		{
			name: "RFC 8707 §2.2 one that was not granted", granted: "https://a.test", asked: "https://b.test",
			err: oidc.InvalidTarget,
		},
		{name: "RFC 8707 §2 one that is no absolute URI", granted: "https://a.test", asked: "/a", err: oidc.InvalidTarget},
		{
			name: "RFC 8707 §2 one with a fragment", granted: "https://a.test", asked: "https://a.test#f",
			err: oidc.InvalidTarget,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEndpoint(t)
			form := goodForm("spa", e.issue(t, "spa", row.granted))
			form["resource"] = strings.Fields(row.asked)
			response, err := e.Exchange(post(t, form))
			if row.err != "" {
				if err == nil || oidc.AsError(err).Code != row.err {
					t.Fatalf("got %v; want %s", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := claimsOf[access.Token](t, response.AccessToken).Audience; !slices.Equal(got, row.want) {
				t.Errorf("aud = %v; want %v", got, row.want)
			}
		})
	}
}

// refreshForm is a good refresh request of the client.
func (e *testEndpoint) refreshForm(t *testing.T, client string) url.Values {
	t.Helper()
	response := e.exchange(t, goodForm(client, e.issue(t, client, "offline")))
	if response.RefreshToken == "" {
		t.Fatalf("the code gave no refresh token: %+v", response)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {response.RefreshToken}}
	if client == "confidential" {
		form.Set("client_secret", "s/ecret")
	}
	return form
}

func (e *testEndpoint) exchange(t *testing.T, form url.Values) Response {
	t.Helper()
	response, err := e.Exchange(post(t, form))
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func clone(form url.Values) url.Values {
	copied := url.Values{}
	for name, values := range form {
		copied[name] = slices.Clone(values)
	}
	return copied
}
