package token

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

func TestMoreClaimsInTheIDToken(t *testing.T) { // Core §5.5
	e := newEndpoint(t)
	asked := map[string]*oidc.ClaimRequest{"email": {Essential: true}}
	e.Claims = func(sub string, scope oidc.Scope, requested map[string]*oidc.ClaimRequest) map[string]any {
		if sub != "alice" || !scope.Has("profile") || requested["email"] == nil {
			t.Errorf("Core §5.5 asked for %s, %s, %v", sub, scope, requested)
		}
		return map[string]any{"email": "alice@example.com", "iss": "https://evil.test"}
	}
	response := e.exchange(t, goodForm("spa", e.issueClaims(t, &oidc.ClaimsRequest{IDToken: asked, Userinfo: map[string]*oidc.ClaimRequest{"name": nil}})))
	got := claimsOf[map[string]any](t, response.IDToken)
	if got["email"] != "alice@example.com" || got["iss"] != testIssuer {
		t.Errorf("Core §5.5 the ID token says %v; want the email, and the provider's own iss", got)
	}
	if userinfo := claimsOf[access.Token](t, response.AccessToken).Claims; len(userinfo) != 1 {
		t.Errorf("Core §5.5 the access token brings %v to userinfo; want name", userinfo)
	}
}

func (e *testEndpoint) issueClaims(t *testing.T, claims *oidc.ClaimsRequest) string {
	t.Helper()
	granted, err := e.grants.Redeem(t.Context(), e.issue(t, "spa", ""), oidc.DefaultTokenLifetime)
	if err != nil {
		t.Fatal(err)
	}
	granted.Claims = claims
	code, err := e.grants.Issue(t.Context(), granted)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestAnEncryptedIDToken(t *testing.T) { // Core §10.2
	e := newEndpoint(t)
	e.Encrypt = func(_ context.Context, client oidc.Client, signed string) (string, error) {
		if client.ClientID != "spa" || strings.Count(signed, ".") != 2 {
			t.Errorf("Core §10.2 to be encrypted to %s: %s; want a token that was signed before", client.ClientID, signed)
		}
		return "encrypted", nil
	}
	if got := e.exchange(t, goodForm("spa", e.issue(t, "spa", ""))).IDToken; got != "encrypted" {
		t.Errorf("the ID token is %q", got)
	}
	failure := errors.New("no key")
	e.Encrypt = func(context.Context, oidc.Client, string) (string, error) { return "", failure }
	if _, err := e.Exchange(post(t, goodForm("spa", e.issue(t, "spa", "")))); !errors.Is(err, failure) {
		t.Errorf("got %v; want no token in clear", err)
	}
}

func TestPairwiseSubjects(t *testing.T) { // Core §8.1
	e := newEndpoint(t)
	e.access.Subjects = clients.NewSubjects("a salt of this test", nil)
	pairwise := oidc.Client{SubjectType: oidc.SubjectPairwise, RedirectURIs: []string{"https://app.test/cb"}}
	want, err := e.access.Subjects.Of(pairwise, "alice")
	if err != nil {
		t.Fatal(err)
	}
	response := e.exchange(t, goodForm("pairwise", e.issue(t, "pairwise", "offline")))
	if got := claimsOf[IDToken](t, response.IDToken).Subject; got != want {
		t.Errorf("Core §8.1 the ID token's sub is %q", got)
	}
	if payload := claimsOf[map[string]any](t, response.AccessToken); payload["sub"] != want {
		t.Errorf("Core §8.1 the access token says %v", payload)
	}
	if token, err := e.access.Read(t.Context(), response.AccessToken); err != nil || token.Subject != "alice" {
		t.Errorf("the provider reads %q, %v; want alice", token.Subject, err)
	}
	form := e.refreshForm(t, "pairwise")
	form.Set("client_secret", "s/ecret")
	if got := claimsOf[IDToken](t, e.exchange(t, form).IDToken).Subject; got != want {
		t.Errorf("Core §12.2 the refreshed ID token's sub is %q", got)
	}
}

func TestADPoPBoundToken(t *testing.T) { // RFC 9449 §5, §6.1
	e := newEndpoint(t)
	e.prove("the-thumbprint")
	response := e.exchange(t, goodForm("spa", e.issue(t, "spa", "")))
	if response.TokenType != "DPoP" {
		t.Errorf("RFC 9449 §5 token_type is %q", response.TokenType)
	}
	if cnf := claimsOf[access.Token](t, response.AccessToken).Confirmation; cnf == nil || cnf.JKT != "the-thumbprint" {
		t.Errorf("RFC 9449 §6.1 cnf is %v", cnf)
	}
}
