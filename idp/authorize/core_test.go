package authorize

import (
	"testing"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// coreRows are more rows: what a provider MUST do of Core §3.1 and RFC 6749 §3.1, and what people try with redirect
// URIs.
var coreRows = []row{
	{
		name:   "Core §3.1.2.1 OpenID Connect requests MUST contain the openid scope value",
		change: "scope=email+profile", err: oidc.InvalidScope, signed: "alice",
	},
	{
		name: "Core §3.1.2.1 prompt=none MUST NOT display any page, not even beside login", change: "prompt=login+none",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "Core §3.1.2.1 prompt=login, with a sign-in of a moment ago", change: "prompt=login max_age=86400",
		screen: session.PathLogin, signed: "alice",
	},
	{
		name: "Core §3.1.2.1 beyond max_age the provider MUST attempt to re-authenticate", change: "max_age=599",
		screen: session.PathLogin, signed: "alice",
	},
	{name: "Core §3.1.2.1 within max_age it need not", change: "max_age=601", signed: "alice"},
	{
		name: "Core §3.1.2.2 response_type MUST be there, in OAuth's syntax", change: "response_type=",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name:   "Core §3.1.2.2 a sub that is requested MUST have an active session or sign in: no answer about another",
		change: "prompt=none claims=" + claimOf("sub", `{"value":"bob"}`), err: oidc.LoginRequired,
		signed: "alice,carol",
	},
	{
		name: "Core §3.1.2.2 nor about another under id_token_hint", change: "prompt=none id_token_hint=bob",
		err: oidc.LoginRequired, signed: "alice,carol",
	},
	{
		name:   "Core §3.1.2.2 one of two sessions is that of the sub",
		change: "prompt=none claims=" + claimOf("sub", `{"value":"carol"}`), signed: "alice,carol",
	},
	{
		name: "Core §3.1.2.3 nobody is authenticated: the provider MUST attempt to authenticate", client: "web",
		screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.3 with prompt=login it MUST reauthenticate, even if already authenticated", client: "web",
		change: "prompt=login", screen: session.PathLogin, signed: "alice",
	},
	{
		name:   "Core §3.1.2.3 with prompt=none it MUST NOT interact with the user, and MUST return an error",
		client: "web", change: "prompt=none", err: oidc.LoginRequired,
	},
	{
		name: "Core §3.1.2.4 without a decision nothing is released", client: "other", change: "scope=openid+email",
		screen: session.PathConsent, signed: "carol",
	},
	{
		name: "Core §3.1.2.6 with prompt=none a decision that is missing is consent_required", client: "other",
		change: "prompt=none scope=openid+phone", err: oidc.ConsentRequired, signed: "carol",
	},
	{
		name: "Core §11 prompt=consent with offline_access asks for consent", client: "lasting",
		change: "prompt=consent scope=openid+offline_access", screen: session.PathConsent, signed: "alice",
	},
	{
		name:   "Core §11 offline_access MUST be ignored unless a code results: no other response_type is answered",
		client: "lasting", change: "response_type=id_token scope=openid+offline_access",
		err: oidc.UnsupportedResponseType, signed: "alice",
	},
	{
		name:   "Core §5.5.1 an essential claim that the user does not have is no error",
		change: "claims=" + claimOf("nickname", `{"essential":true}`), signed: "alice",
	},
	{
		name:   "Core §5.2 a claim with a language tag may be requested",
		change: "claims=" + claimOf("family_name#ja-Kana-JP", "null"), signed: "alice",
	},
	{name: "Core §5.2 claims_locales is no error", change: "claims_locales=ja+xx", signed: "alice"},

	{
		name:   "RFC 6749 §3.1 parameters without a value MUST be treated as if they were omitted: a required one is missing",
		change: "scope=", err: oidc.InvalidScope, signed: "alice",
	},
	{name: "RFC 6749 §3.1 unrecognized parameters MUST be ignored", change: "audience=x tenant=y %22=z", signed: "alice"},
	{
		name: "RFC 6749 §3.1.1 a response_type that is not understood MUST be an error", change: "response_type=Code",
		err: oidc.UnsupportedResponseType, signed: "alice",
	},
	{
		name:   "RFC 6749 §3.1.2 a query in the redirect URI MUST be retained",
		change: "redirect_uri=https://app.test/cb%3Ftenant=7 prompt=none", err: oidc.LoginRequired,
	},
	{
		name: "RFC 6749 §3.3 scope values in another order, and twice", change: "scope=profile+openid+profile",
		signed: "alice",
	},
	{
		name:   "RFC 6749 §4.1.2 state MUST be the exact value that was received",
		change: "state=%22%3E%3Cscript%3E%26%23%2B%20%C3%A9%F0%9F%98%80", signed: "alice",
	},
	{
		name: "RFC 6749 §4.1.2.1 state is REQUIRED in an error too", change: "state=%3C%26%2B%C3%A9 max_age=x",
		err: oidc.InvalidRequest, signed: "alice",
	},

	{
		name:   "RFC 6749 §3.1.2.4 a registered URI behind a user name MUST NOT be followed",
		change: "redirect_uri=https://app.test%40evil.test/cb", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.1.2.4 a registered URI with a user name MUST NOT be followed",
		change: "redirect_uri=https://me%40app.test/cb", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.1.2.4 a registered loopback URI with a user name MUST NOT be followed",
		change: "redirect_uri=http://localhost:9090%40evil.test/cb", page: oidc.InvalidRequest,
	},
	{
		name: "RFC 6749 §3.1.2.4 a backslash is no slash", change: "redirect_uri=https://evil.test%5C%40app.test/cb",
		page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.1.2.4 a path that leads up MUST NOT be followed",
		change: "redirect_uri=https://app.test/cb/../evil", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.1.2.4 nor one that leads up in code",
		change: "redirect_uri=https://app.test/cb/%252e%252e/evil", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.1.2.4 a host that begins like the registered one",
		change: "redirect_uri=https://app.test.evil.test/cb", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.1.2.4 a host with a letter that looks like another",
		change: "redirect_uri=https://%D0%B0pp.test/cb", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 6749 §3.1.2.4 a host that begins like loopback",
		change: "redirect_uri=http://localhost.evil.test:9090/cb", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 8252 §7.3 another loopback host than the registered one",
		change: "redirect_uri=http://127.0.0.1:9090/cb", page: oidc.InvalidRequest,
	},
	{
		name: "RFC 8252 §7.3 a port that is none", change: "redirect_uri=http://localhost:99999/cb",
		page: oidc.InvalidRequest,
	},
	{
		name: "RFC 6749 §3.1.2 a fragment MUST NOT be added", change: "redirect_uri=https://app.test/cb%23x",
		page: oidc.InvalidRequest,
	},
	{
		name: "RFC 9700 §4.1.3 the scheme in other case", change: "redirect_uri=HTTPS://app.test/cb",
		page: oidc.InvalidRequest,
	},
	{name: "RFC 9700 §4.1.3 the default port", change: "redirect_uri=https://app.test:443/cb", page: oidc.InvalidRequest},
	{name: "RFC 9700 §4.1.3 a space behind it", change: "redirect_uri=https://app.test/cb%20", page: oidc.InvalidRequest},
	{
		name: "RFC 9700 §4.1.3 a line break behind it", change: "redirect_uri=https://app.test/cb%0d%0aLocation:x",
		page: oidc.InvalidRequest,
	},
	{name: "RFC 6749 §10.15 script is no address", change: "redirect_uri=javascript:alert(1)", page: oidc.InvalidRequest},
	{
		name: "RFC 6749 §10.6 the redirect URI of another client", client: "native",
		change: "redirect_uri=https://app.test/cb", page: oidc.InvalidRequest,
	},
}

func TestMoreOfAuthorize(t *testing.T) {
	for _, row := range coreRows {
		t.Run(row.name, func(t *testing.T) { row.check(t) })
	}
}
