package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

func TestMoreClaimsInTheIDToken(t *testing.T) { // Core §5.5
	e := newEndpoint(t)
	asked := map[string]*oidc.ClaimRequest{"email": {Essential: true}, "iss": nil}
	response := e.exchange(t, goodForm("spa", e.issueClaims(t,
		&oidc.ClaimsRequest{IDToken: asked, Userinfo: map[string]*oidc.ClaimRequest{"name": nil}})))
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
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := func(jwks *oidc.KeySet) (Response, error) {
		client := oidc.Client{
			ClientID: "spa", RedirectURIs: []string{"https://app.test/cb"}, TokenEndpointAuthMethod: oidc.AuthMethodNone,
			IDTokenEncryptedResponseAlg: "ECDH-ES", IDTokenEncryptedResponseEnc: "A256GCM", JWKS: jwks,
		}
		e.Auth = &clientauth.Authenticator{Clients: clients.New([]oidc.Client{client})}
		return e.Exchange(post(t, goodForm("spa", e.issue(t, "spa", ""))))
	}
	response, err := encrypted(&oidc.KeySet{JSONWebKeySet: jose.JSONWebKeySet{
		Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Use: "enc", Algorithm: "ECDH-ES"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := jose.ParseEncryptedCompact(
		response.IDToken, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A256GCM},
	)
	if err != nil {
		t.Fatalf("Core §10.2 the ID token is not encrypted: %v", err)
	}
	signed, err := sealed.Decrypt(key)
	if err != nil || claimsOf[IDToken](t, string(signed)).Subject != "alice" {
		t.Errorf("Core §10.2 it holds %s, %v; want a token that was signed before", signed, err)
	}
	if response, err := encrypted(nil); err == nil {
		t.Errorf("a client without a key gets %+v; want no token in clear", response)
	}
}

func TestPairwiseSubjects(t *testing.T) { // Core §8.1
	e := newEndpoint(t)
	e.access.Subjects = clients.NewSubjects("a salt of this test", nil)
	pairwise := oidc.Client{SubjectType: oidc.SubjectPairwise, RedirectURIs: []string{"https://app.test/cb"}}
	want, err := e.access.Subjects.Of(&pairwise, "alice")
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
	e.key = boundKey
	response := e.exchange(t, goodForm("spa", e.issue(t, "spa", "")))
	if response.TokenType != "DPoP" {
		t.Errorf("RFC 9449 §5 token_type is %q", response.TokenType)
	}
	if cnf := claimsOf[access.Token](t, response.AccessToken).Confirmation; cnf == nil || cnf.JKT != thumbprint(boundKey) {
		t.Errorf("RFC 9449 §6.1 cnf is %v", cnf)
	}
}
