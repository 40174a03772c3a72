package token

import (
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// row is a known-good token request, one change, and the answer that the specification demands: an error, or tokens.
type row struct {
	name   string
	client string            // spa (default), web, post, basic
	change string            // a=b sets, -a removes, +a=b adds a second value; separated by spaces, values form-encoded
	basic  string            // user:password for the Authorization header
	grant  string            // a change to the authorization: -challenge, other (another client's), elsewhere
	wait   time.Duration     // between the code and its redemption
	header func(http.Header) // a change to the headers
	err    oidc.ErrorCode
	proof  *ecdsa.PrivateKey // the key whose DPoP proof the request carries
}

var rows = []row{
	{name: "RFC 6749 §4.1.3 a public client redeems its code"},
	{name: "RFC 6749 §4.1.3 a confidential client redeems its code, secret in the body", client: "web"},
	{
		name: "RFC 6749 §2.3.1 secret in the header", client: "web", change: "-client_secret -client_id",
		basic: "web:s%2Fecret",
	},
	{
		name: "RFC 6749 §2.3.1 client_id may stand beside the header if it is the same", client: "web",
		change: "-client_secret", basic: "web:s%2Fecret",
	},
	{
		name:   "RFC 6749 §4.1.3 a charset in the content type does no harm",
		header: set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
	},
	{
		name: "RFC 7636 §4.4 a confidential client may go without PKCE", client: "web", grant: "-challenge",
		change: "-code_verifier",
	},
	{name: "RFC 6749 §3.2 unknown parameters are ignored", change: "foo=bar"},
	{name: "RFC 6749 §3.2 parameters without a value count as omitted", change: "client_secret="},
	{name: "RFC 6749 §4.1.2 a code may be redeemed for 60 seconds", wait: 59 * time.Second},

	// the form
	{
		name: "RFC 6749 §4.1.3 another content type", header: set("Content-Type", "application/json"),
		err: oidc.InvalidRequest,
	},
	{name: "RFC 6749 §3.2 a repeated parameter", change: "+grant_type=authorization_code", err: oidc.InvalidRequest},
	{name: "RFC 6749 §3.2 a repeated code", change: "+code=another", err: oidc.InvalidRequest},
	{name: "RFC 6749 appendix B bad UTF-8", change: "code_verifier=%ff", err: oidc.InvalidRequest},
	{name: "RFC 6749 §4.1.3 grant_type is required", change: "-grant_type", err: oidc.InvalidRequest},
	{name: "RFC 6749 §5.2 an unknown grant_type", change: "grant_type=password", err: oidc.UnsupportedGrantType},
	{
		name: "RFC 6749 §5.2 a grant_type the client is not registered for", client: "codeless",
		err: oidc.UnauthorizedClient,
	},
	{name: "RFC 6749 §4.1.3 code is required", change: "-code", err: oidc.InvalidRequest},

	// client authentication
	{name: "RFC 6749 §5.2 no client at all", change: "-client_id", err: oidc.InvalidClient},
	{name: "RFC 6749 §5.2 an unknown client", change: "client_id=nobody", err: oidc.InvalidClient},
	{
		name: "RFC 6749 §5.2 a wrong secret in the body", client: "web", change: "client_secret=wrong",
		err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §5.2 a wrong secret in the header", client: "web", change: "-client_secret", basic: "web:wrong",
		err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §5.2 a confidential client without its secret", client: "web", change: "-client_secret",
		err: oidc.InvalidClient,
	},
	{name: "RFC 6749 §2.3 two methods at once", client: "web", basic: "web:s%2Fecret", err: oidc.InvalidClient},
	{name: "RFC 6749 §2.3 a public client with a secret", change: "client_secret=s", err: oidc.InvalidClient},
	{
		name: "RFC 6749 §2.3 a public client with a secret in the header", change: "-client_id", basic: "spa:s",
		err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §2.3.1 header and body name different clients", client: "web",
		change: "-client_secret client_id=spa", basic: "web:s%2Fecret", err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §2.3.1 a header that is not Basic", header: set("Authorization", "Bearer abc"),
		err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §2.3 two headers with the credentials", client: "web", change: "-client_secret",
		basic: "web:s%2Fecret", header: func(h http.Header) { h.Add("Authorization", h.Get("Authorization")) },
		err: oidc.InvalidClient,
	},
	{
		name: "RFC 6749 §2.3.1 a header that is not form-encoded inside", client: "web", change: "-client_secret",
		basic: "web:%zz", err: oidc.InvalidClient,
	},
	{name: "RFC 7591 §2 a client registered for client_secret_basic uses post", client: "basic", err: oidc.InvalidClient},
	{
		name: "RFC 7591 §2 a client registered for client_secret_post uses basic", client: "post",
		change: "-client_secret", basic: "post:s%2Fecret", err: oidc.InvalidClient,
	},

	// the code
	{name: "RFC 6749 §5.2 a code nobody issued", change: "code=invented", err: oidc.InvalidGrant},
	{name: "RFC 6749 §4.1.3 a code of another client", grant: "other", err: oidc.InvalidGrant},
	{name: "RFC 9700 §4.4 a code of another issuer of the process", grant: "elsewhere", err: oidc.InvalidGrant},
	{name: "RFC 9700 §4.4 a grant that does not name the issuer", grant: "before"},
	{name: "RFC 6749 §4.1.2 an expired code", wait: 60 * time.Second, err: oidc.InvalidGrant},
	{name: "RFC 6749 §4.1.2 a code that expired long ago", wait: time.Hour, err: oidc.InvalidGrant},
	{name: "RFC 6749 §4.1.2 a code from before the clock was set back", wait: -time.Hour, err: oidc.InvalidGrant},
	{name: "RFC 6749 §4.1.3 another redirect_uri", change: "redirect_uri=https://app.test/other", err: oidc.InvalidGrant},
	{name: "RFC 6749 §4.1.3 no redirect_uri", change: "-redirect_uri", err: oidc.InvalidGrant},
	{
		name: "RFC 7636 §4.6 a wrong code_verifier", change: "code_verifier=" + strings.Repeat("w", 43),
		err: oidc.InvalidGrant,
	},
	{name: "RFC 7636 §4.5 no code_verifier", change: "-code_verifier", err: oidc.InvalidGrant},
	{name: "RFC 7636 §4.1 a code_verifier that is too short", change: "code_verifier=short", err: oidc.InvalidGrant},
	{
		name: "RFC 9700 §4.8.2 a code_verifier although there was no code_challenge", client: "web",
		grant: "-challenge", err: oidc.InvalidGrant,
	},

	{
		name: "RFC 7636 §4.1 a code_verifier that is too long", change: "code_verifier=" + strings.Repeat("v", 129),
		err: oidc.InvalidGrant,
	},
	{
		name:   "RFC 7636 §4.1 a code_verifier with other characters",
		change: "code_verifier=" + strings.Repeat("v", 42) + "%2B", err: oidc.InvalidGrant,
	},
	{
		name:   "RFC 7636 §4.6 the code_challenge itself is no code_verifier",
		change: "code_verifier=" + codeChallenge, err: oidc.InvalidGrant,
	},
	{
		name:   "RFC 9700 §4.5.3.1 a code that was injected has another verifier",
		change: "code_verifier=" + strings.Repeat("i", 43), err: oidc.InvalidGrant,
	},
	{
		name:   "RFC 9700 §2.4 the password grant is not offered",
		change: "grant_type=password username=alice password=alice", err: oidc.UnsupportedGrantType,
	},
	{
		name: "RFC 9700 §2.5 a confidential client authenticates", client: "web", change: "-client_secret",
		err: oidc.InvalidClient,
	},
	{
		name: "RFC 9700 §2.3 an access token is for no other API than was granted", change: "resource=https://b.test",
		err: oidc.InvalidTarget,
	},
	{name: "RFC 8707 §2.2 a resource that is no absolute URI", change: "resource=b", err: oidc.InvalidTarget},
	{name: "RFC 8707 §2.2 a resource with a fragment", change: "resource=https://b.test%23x", err: oidc.InvalidTarget},
	{
		name:   "RFC 6749 §3.2 an assertion without a value counts as omitted",
		change: "client_assertion= client_assertion_type=",
	},
	{
		name:   "RFC 7523 §2.2 an assertion_type alone is no authentication",
		change: "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer", err: oidc.InvalidClient,
	},

	{name: "RFC 9449 §10 the code is bound to a key, and no proof comes", grant: "bound", err: oidc.InvalidGrant},
	{
		name: "RFC 9449 §10 the code is bound to a key, and the proof is of another", grant: "bound", proof: anotherKey,
		err: oidc.InvalidGrant,
	},
	{name: "RFC 9449 §10 the code is bound to a key, and the proof is of it", grant: "bound", proof: boundKey},
	{name: "RFC 9449 §5 the code is bound to no key, and a proof comes", proof: boundKey},
}

func TestToken(t *testing.T) {
	eachIsBroken(t, rules)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { row.check(t) })
	}
}

func (row row) check(t *testing.T) {
	e := newEndpoint(t)
	client := row.client
	if client == "" {
		client = "spa"
	}
	code := e.issue(t, client, row.grant)
	e.key = row.proof
	e.clock.Pass(row.wait)
	form := change(t, goodForm(client, code), row.change)
	r := post(t, form)
	if row.basic != "" {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(row.basic)))
	}
	if row.header != nil {
		row.header(r.Header)
	}
	response, err := e.Exchange(r)
	if row.err == "" {
		if err != nil || response.AccessToken == "" || response.IDToken == "" {
			t.Fatalf("got %+v, %v; want tokens", response, err)
		}
		return
	}
	if err == nil || oidc.AsError(err).Code != row.err {
		t.Fatalf("got %+v, %v; want %s", response, err, row.err)
	}
	if response != (Response{}) {
		t.Errorf("the error came with %+v", response)
	}
}

func TestParametersInTheURLDoNotCount(t *testing.T) { // RFC 6749 §3.2: requests use the body; URLs end in logs
	e := newEndpoint(t)
	form := goodForm("spa", e.issue(t, "spa", ""))
	r := post(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {"spa"}})
	r.URL.RawQuery = form.Encode()
	if _, err := e.Exchange(r); err == nil || oidc.AsError(err).Code != oidc.InvalidRequest {
		t.Errorf("got %v; want invalid_request", err)
	}
}

func TestASecondUseOfACodeIsRefusedAndRevokesTheFirst(t *testing.T) { // RFC 6749 §4.1.2
	e := newEndpoint(t)
	code := e.issue(t, "spa", "")
	first, err := e.Exchange(post(t, goodForm("spa", code)))
	if err != nil {
		t.Fatal(err)
	}
	grantID := claimsOf[access.Token](t, first.AccessToken).GrantID
	if revoked, err := e.grants.IsRevoked(t.Context(), grantID); revoked || err != nil {
		t.Fatalf("before the replay: revoked = %v, %v", revoked, err)
	}
	e.clock.Pass(30 * time.Second)
	if _, err := e.Exchange(post(t, goodForm("spa", code))); err == nil || oidc.AsError(err).Code != oidc.InvalidGrant {
		t.Fatalf("the replay gave %v; want invalid_grant", err)
	}
	if revoked, err := e.grants.IsRevoked(t.Context(), grantID); !revoked || err != nil {
		t.Errorf("after the replay: revoked = %v, %v; want true", revoked, err)
	}
	e.clock.Pass(oidc.DefaultTokenLifetime - 31*time.Second) // the token's last second
	if revoked, err := e.grants.IsRevoked(t.Context(), grantID); !revoked || err != nil {
		t.Errorf("while a token could still live: revoked = %v, %v; want true", revoked, err)
	}
}

// RFC 6749 §4.1.2 "The client MUST NOT use the authorization code more than once"
func TestOfRacingRedemptionsExactlyOneWins(t *testing.T) {
	e := newEndpoint(t)
	for range 20 {
		code := e.issue(t, "spa", "")
		var won atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			r := post(t, goodForm("spa", code))
			group.Go(func() {
				if _, err := e.Exchange(r); err == nil {
					won.Add(1)
				} else if oidc.AsError(err).Code != oidc.InvalidGrant {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d requests redeemed one code", won.Load())
		}
	}
}

func TestAFailedRedemptionSpendsTheCode(t *testing.T) { // spend, then judge
	e := newEndpoint(t)
	code := e.issue(t, "spa", "")
	if _, err := e.Exchange(post(t, change(t, goodForm("spa", code), "-code_verifier"))); err == nil {
		t.Fatal("a redemption without code_verifier worked")
	}
	if _, err := e.Exchange(post(t, goodForm("spa", code))); err == nil {
		t.Error("the code was still good after a failed redemption")
	}
}

func TestAFailingStoreIsNoInvalidGrant(t *testing.T) {
	e := newEndpoint(t)
	code := e.issue(t, "spa", "")
	e.store.Gone(true)
	_, err := e.Exchange(post(t, goodForm("spa", code)))
	if code := oidc.AsError(err).Code; code != oidc.ServerError || !errors.Is(err, storagetest.ErrEngine) {
		t.Errorf("got %v; want a server_error that keeps its cause", err)
	}
}

func TestTheResponse(t *testing.T) { // RFC 6749 §5.1
	e := newEndpoint(t)
	response, err := e.Exchange(post(t, goodForm("web", e.issue(t, "web", ""))))
	if err != nil {
		t.Fatal(err)
	}
	if response.TokenType != "Bearer" || response.ExpiresIn != 90 || response.Scope != "openid profile" {
		t.Errorf("got %+v", response)
	}
}

func TestIDToken(t *testing.T) { // Core §2, §3.1.3.6
	e := newEndpoint(t)
	response, err := e.Exchange(post(t, goodForm("spa", e.issue(t, "spa", ""))))
	if err != nil {
		t.Fatal(err)
	}
	got, now := claimsOf[IDToken](t, response.IDToken), e.clock.Now().Unix()
	want := IDToken{
		Issuer: testIssuer, Subject: "alice", Audience: "spa", IssuedAt: now, Expiry: now + 300, AuthTime: now - 100,
		Nonce:           "n",
		AccessTokenHash: AtHash("RS256", response.AccessToken), SID: "the sid", ACR: "1", AMR: []string{"pwd"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAccessToken(t *testing.T) { // RFC 9068 §2.2
	e := newEndpoint(t)
	jtis := map[string]bool{}
	for client, audience := range map[string]string{"spa": "urn:the-api", "web": "urn:its-own-api"} {
		response, err := e.Exchange(post(t, goodForm(client, e.issue(t, client, ""))))
		if err != nil {
			t.Fatal(err)
		}
		got, now := claimsOf[access.Token](t, response.AccessToken), e.clock.Now().Unix()
		if got.Issuer != testIssuer || got.Subject != "alice" || !slices.Equal(got.Audience, oidc.Audience{audience}) ||
			got.ClientID != client ||
			got.Scope != "openid profile" || got.IssuedAt != now || got.Expiry != now+int64(response.ExpiresIn) ||
			got.AuthTime != now-100 {
			t.Errorf("%s: got %+v", client, got)
		}
		if got.JTI == "" || jtis[got.JTI] {
			t.Errorf("%s: jti %q is empty or used twice", client, got.JTI)
		}
		jtis[got.JTI] = true
	}
}

func TestAtHash(t *testing.T) { // Core appendix A.3 has the values of its example
	const accessToken = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
	if got := AtHash("RS256", accessToken); got != "77QmUPtjPfzWtF2AnpK9RQ" {
		t.Errorf("at_hash = %s", got)
	}
	if got := AtHash("EdDSA", accessToken); len(got) != 43 {
		t.Errorf("at_hash for EdDSA is half of a SHA-512, 43 characters; got %q", got)
	}
}

func (e *testEndpoint) issue(t *testing.T, client, how string) string {
	t.Helper()
	g := grant.Grant{
		Issuer: testIssuer, ClientID: client, RedirectURI: "https://app.test/cb", CodeChallenge: codeChallenge, Nonce: "n",
		Scope: oidc.Scope{"openid", "profile"}, Sub: "alice", SID: "the sid", AuthTime: e.clock.Now().Add(-100 * time.Second),
		ACR: "1", AMR: []string{"pwd"},
	}
	switch how {
	case "elsewhere":
		g.Issuer = testIssuer + "/realms/two"
	case "before":
		g.Issuer = ""
	case "-challenge":
		g.CodeChallenge = ""
	case "other":
		g.ClientID = "somebody-else"
	case "bound":
		g.DPoPJKT = thumbprint(boundKey)
	case "offline":
		g.Scope = append(g.Scope, "offline_access")
	default:
		g.Resource = strings.Fields(how)
	}
	code, err := e.grants.Issue(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func set(name, value string) func(http.Header) {
	return func(h http.Header) { h.Set(name, value) }
}
