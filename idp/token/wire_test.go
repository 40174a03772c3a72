package token

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

// onTheWire is what a good request of the client gives, as a client sees it.
type onTheWire struct {
	answer, header, claims, id map[string]any
}

func (e *testEndpoint) onTheWire(t *testing.T, form url.Values) (w onTheWire) {
	t.Helper()
	response := e.exchange(t, form)
	text, err := json.Marshal(response)
	if err == nil {
		err = json.Unmarshal(text, &w.answer)
	}
	head, _, _ := strings.Cut(response.AccessToken, ".")
	decoded, bad := base64.RawURLEncoding.DecodeString(head)
	if err != nil || bad != nil || json.Unmarshal(decoded, &w.header) != nil {
		t.Fatalf("%v, %v in %+v", err, bad, response)
	}
	w.claims = claimsOf[map[string]any](t, response.AccessToken)
	if response.IDToken != "" {
		w.id = claimsOf[map[string]any](t, response.IDToken)
	}
	return w
}

// What an answer of the token endpoint says, to the letter.
func TestTheAnswerOnTheWire(t *testing.T) {
	e := newEndpoint(t)
	form := goodForm("offline", e.issue(t, "offline", "offline"))
	w := e.onTheWire(t, form)
	machine := e.onTheWire(t, url.Values{"grant_type": {"client_credentials"}, "client_id": {"machine"},
		"client_secret": {"s/ecret"}, "resource": {"https://a.test"}})
	now := float64(e.clock.Now().Unix())
	for _, row := range slices.Concat(onTheWireRows(w, machine, now), idTokenRows(w, now)) {

		if !row.holds {
			t.Errorf(
				"%s: answer %v, header %v, access token %v, ID token %v; of the machine %v", row.name, w.answer, w.header,
				w.claims, w.id, machine.claims,
			)
		}
	}
}

type wireRow struct {
	name  string
	holds bool
}

func onTheWireRows(w, machine onTheWire, now float64) []wireRow {
	return []wireRow{
		{"RFC 6749 §5.1 access_token is REQUIRED", w.answer["access_token"] != ""},
		{"RFC 6749 §5.1 token_type is REQUIRED", w.answer["token_type"] == "Bearer"},
		{"RFC 6749 §5.1 expires_in is the lifetime in seconds", w.answer["expires_in"] == 300.0},
		{"RFC 6749 §5.1 refresh_token is there where one was granted", w.answer["refresh_token"] != nil},
		{
			"RFC 6749 §5.1 scope is REQUIRED if it is not the one that was asked for: it always is there",
			w.answer["scope"] == "openid profile offline_access",
		},
		{"Core §3.1.3.3 id_token is REQUIRED", w.answer["id_token"] != nil},
		{"RFC 6749 §5.1 token_type of an answer without a user", machine.answer["token_type"] == "Bearer"},
		{
			"RFC 6749 §4.4.3 no refresh_token for a client that asks for itself",
			machine.answer["refresh_token"] == nil && machine.answer["id_token"] == nil,
		},

		{"RFC 9068 §2.1 the token MUST be signed, and MUST NOT use none", w.header["alg"] == "ES256"},
		{"RFC 9068 §2.1 the header's typ is at+jwt", w.header["typ"] == "at+jwt"},
		{"RFC 9068 §2.1 the key is named", w.header["kid"] != nil},
		{"RFC 9068 §2.2 iss is REQUIRED", w.claims["iss"] == testIssuer},
		{"RFC 9068 §2.2 exp is REQUIRED", w.claims["exp"] == now+300},
		{"RFC 9068 §2.2 aud is REQUIRED", w.claims["aud"] == "urn:the-api"},
		{"RFC 9068 §2.2 sub is REQUIRED: the user", w.claims["sub"] == "alice"},
		{"RFC 9068 §2.2 sub is REQUIRED: the client, where no user is involved", machine.claims["sub"] == "machine"},
		{
			"RFC 9068 §2.2 client_id is REQUIRED",
			w.claims["client_id"] == "offline" && machine.claims["client_id"] == "machine",
		},
		{"RFC 9068 §2.2 iat is REQUIRED", w.claims["iat"] == now},
		{"RFC 9068 §2.2 jti is REQUIRED", w.claims["jti"] != nil && w.claims["jti"] != machine.claims["jti"]},
		{
			"RFC 9068 §2.2.1 auth_time, acr and amr are those of the sign-in",
			w.claims["auth_time"] == now-100 && w.claims["acr"] == "1" && w.claims["amr"] != nil,
		},
		{
			"RFC 9068 §2.2.1 of a client without a user they are left out",
			machine.claims["auth_time"] == nil && machine.claims["acr"] == nil && machine.claims["amr"] == nil,
		},
		{"RFC 9068 §2.2.3 scope is there where the request had one", w.claims["scope"] == "openid profile offline_access"},
		{"RFC 9068 §3 aud MUST have the same value as the resource parameter", machine.claims["aud"] == "https://a.test"},
		{"RFC 9068 §3 without resource aud MUST be a default resource indicator", w.claims["aud"] == "urn:the-api"},
		{
			"RFC 9068 §6 no more about the user than the API needs: no profile claims",
			w.claims["name"] == nil && w.claims["email"] == nil,
		},
	}
}

func idTokenRows(w onTheWire, now float64) []wireRow {
	return []wireRow{
		{"Core §2 the ID token's iss is the issuer", w.id["iss"] == testIssuer},
		{"Core §2 the ID token's sub is at most 255 characters", w.id["sub"] == "alice"},
		{"Core §2 the ID token's aud MUST contain the client_id", w.id["aud"] == "offline"},
		{"Core §2 the ID token's exp", w.id["exp"] == now+300},
		{"Core §2 the ID token's iat", w.id["iat"] == now},
		{
			"Core §2 the ID token's auth_time, REQUIRED with max_age or require_auth_time, always is there",
			w.id["auth_time"] == now-100,
		},
		{"Core §2 the ID token's nonce MUST be the one of the request, unmodified", w.id["nonce"] == "n"},
		{"Core §2 the ID token's acr and amr", w.id["acr"] == "1" && w.id["amr"] != nil},
		{"Core §5.4 the claims of scope profile come from userinfo, not in the ID token", w.id["name"] == nil},
	}
}

func TestTheErrorOnTheWire(t *testing.T) { // RFC 6749 §5.2
	e := newEndpoint(t)
	for _, row := range []struct {
		name   string
		form   url.Values
		code   oidc.ErrorCode
		status int
	}{
		{"RFC 6749 §5.2 errors have status 400", url.Values{"client_id": {"spa"}}, oidc.InvalidRequest, 400},
		{
			"RFC 6749 §5.2 invalid_client may have 401, which tells the scheme",
			url.Values{"client_id": {"web"}, "client_secret": {"wrong"}}, oidc.InvalidClient, 401,
		},
		{
			"RFC 6749 §5.2 invalid_grant",
			url.Values{"client_id": {"offline"}, "grant_type": {"refresh_token"}, "refresh_token": {"x"}},
			oidc.InvalidGrant, 400,
		},
		{
			"RFC 6749 §5.2 unauthorized_client", url.Values{"client_id": {"spa"}, "grant_type": {"refresh_token"}},
			oidc.UnauthorizedClient, 400,
		},
		{
			"RFC 6749 §5.2 unsupported_grant_type", url.Values{"client_id": {"spa"}, "grant_type": {"password"}},
			oidc.UnsupportedGrantType, 400,
		},
		{"RFC 6749 §5.2 invalid_scope", url.Values{"client_id": {"machine"}, "client_secret": {"s/ecret"},
			"grant_type": {"client_credentials"}, "scope": {"x"}}, oidc.InvalidScope, 400},
		{"RFC 8707 §2 invalid_target", url.Values{"client_id": {"machine"}, "client_secret": {"s/ecret"},
			"grant_type": {"client_credentials"}, "resource": {"x"}}, oidc.InvalidTarget, 400},
	} {
		_, err := e.Exchange(post(t, row.form))
		if got := oidc.AsError(err); got == nil || got.Code != row.code || got.Status() != row.status ||
			got.Description == "" {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
