package authorize

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// row is a known-good request, one change, and the answer that the specification demands. Of the answer exactly one of
// page, err, screen and code is expected; code is the default.
type row struct {
	name   string
	client string // spa (default), web, other
	change string // a=b sets, -a removes, +a=b adds a second value; separated by spaces, values form-encoded
	raw    string // put behind the query as it is
	signed string // who is signed in, the last used first, separated by commas

	page   oidc.ErrorCode
	err    oidc.ErrorCode
	screen string
}

var rows = []row{
	// Core §3.1.2.1: the request
	{name: "Core §3.1.2.5 a good request of a signed-in user is answered with a code", signed: "alice"},
	{name: "Core §3.1.2.3 nobody is signed in: sign in", screen: session.PathLogin},
	{
		name: "Core §3.1.2.1 a confidential client needs no nonce and no PKCE", client: "web",
		change: "-nonce -code_challenge -code_challenge_method", signed: "alice",
	},
	{name: "Core §3.1.2.1 unknown parameters are ignored", change: "foo=bar claims_locales=fr", signed: "alice"},
	{
		name:   "Core §3.1.2.1 a parameter that happens to be called interaction is unknown too",
		change: "interaction=foo prompt=none", signed: "alice",
	},
	{
		name: "a state with a semicolon that was not encoded comes back", raw: "&login_hint=;", change: "prompt=none",
		signed: "alice",
	},
	{
		name:   "Core §3.1.2.1 display, ui_locales and acr_values are accepted",
		change: "display=popup ui_locales=fr+de acr_values=2+1", signed: "alice",
	},
	{name: "Core §3.1.2.1 unknown scope values are ignored", change: "scope=openid+telepathy", signed: "alice"},
	{
		name:   "RFC 6749 §3.1 a parameter without a value counts as omitted",
		change: "prompt= max_age= login_hint= id_token_hint= response_mode= request=", signed: "alice",
	},

	// before there is a return address
	{
		name: "RFC 6749 §4.1.2.1 an unknown client_id is shown, never redirected", change: "client_id=nobody",
		page: oidc.UnauthorizedClient,
	},
	{name: "RFC 6749 §4.1.2.1 a missing client_id is shown", change: "-client_id", page: oidc.InvalidRequest},
	{name: "RFC 6749 §4.1.2.1 a repeated client_id is shown", change: "+client_id=spa", page: oidc.InvalidRequest},
	{
		name:   "RFC 6749 §4.1.2.1 an unregistered redirect_uri is shown, never followed",
		change: "redirect_uri=https://evil.test/", page: oidc.InvalidRequest,
	},
	{name: "Core §3.1.2.1 redirect_uri has no default", change: "-redirect_uri", page: oidc.InvalidRequest},
	{
		name: "RFC 6749 §3.1 a repeated redirect_uri is shown", change: "+redirect_uri=https://app.test/cb",
		page: oidc.InvalidRequest,
	},
	{
		name:   "Core §3.1.2.1 a redirect_uri with an added query is not the registered one",
		change: "redirect_uri=https://app.test/cb%3Fx=1", page: oidc.InvalidRequest,
	},
	{
		name:   "Core §3.1.2.1 a redirect_uri with an added slash is not the registered one",
		change: "redirect_uri=https://app.test/cb/", page: oidc.InvalidRequest,
	},
	{
		name:   "Core §3.1.2.1 a redirect_uri in other case is not the registered one",
		change: "redirect_uri=https://app.test/CB", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 8252 §7.3 the port is free on a loopback address only",
		change: "redirect_uri=https://app.test:8443/cb", page: oidc.InvalidRequest,
	},
	{
		name:   "RFC 8252 §7.3 a loopback redirect_uri matches with any port",
		change: "redirect_uri=http://localhost:5173/cb", signed: "alice",
	},
	{
		name:   "RFC 6749 §3.1.2 the query of a registered redirect_uri is kept",
		change: "redirect_uri=https://app.test/cb%3Ftenant=7", signed: "alice",
	},
	{
		name:   "RFC 6749 §4.1.2.1 prompt=none changes nothing about an unknown client",
		change: "client_id=nobody prompt=none", page: oidc.UnauthorizedClient,
	},

	// rules, in their order
	{
		name: "RFC 6749 appendix B parameters are form-encoded", raw: "&login_hint=%zz", err: oidc.InvalidRequest,
		signed: "alice",
	},
	{name: "RFC 6749 §3.1 a repeated parameter", change: "+scope=openid", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 §3.1 a repeated unknown parameter", change: "x=1 +x=2", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 §3.1 a repeated state", change: "+state=2", err: oidc.InvalidRequest, signed: "alice"},
	{name: "RFC 6749 appendix B parameters are UTF-8", change: "nonce=%ff%fe", err: oidc.InvalidRequest, signed: "alice"},
	{
		name: "RFC 6749 appendix B parameter names are UTF-8 or harmless", change: "%ff=%ff", err: oidc.InvalidRequest,
		signed: "alice",
	},
	{
		name: "more than 16 KiB of parameters", change: "state=" + strings.Repeat("s", maxParams),
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 9126 §5 a client that must push does not send the request itself", client: "pushing",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "FAPI 2.0 §5.3.2.2 a request that was not pushed is refused", client: "fapi", err: oidc.InvalidRequest,
		signed: "alice",
	},
	{
		name: "FAPI 2.0 §5.3.2.2 so is one with a request object in the URL", client: "fapi",
		change: "request=" + objectWith("signed=1"), err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 9101 §10.5 a client that must sign does not send the parameters alone", client: "signing",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 9101 §10.5 nor a request object without a signature", client: "signing",
		change: "request=" + objectWith(""), err: oidc.InvalidRequestObject, signed: "alice",
	},
	{
		name: "RFC 9101 §10.5 a signed request object is what it must send", client: "signing",
		change: "request=" + objectWith("signed=1"), signed: "alice",
	},

	// request objects
	{name: "Core §6.1 a request object by value", change: "request=" + objectWith(""), signed: "alice"},
	{
		name: "Core §6.2 a request object by reference", change: "request_uri=https://app.test/%3F" + objectWith(""),
		signed: "alice",
	},
	{
		name:   "RFC 9101 §5 request and request_uri are not used together",
		change: "request=a%3Db request_uri=https://app.test/%3Fa%3Db", err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 9101 §7 a request object that is not good", change: "request=bad", err: oidc.InvalidRequestObject,
		signed: "alice",
	},
	{
		name: "RFC 9101 §7 a request_uri that is not registered", change: "request_uri=https://evil.test/r",
		err: oidc.InvalidRequestURI, signed: "alice",
	},
	{
		name:   "RFC 9101 §7 a bad request object without a verified address outside is shown",
		change: "request=bad -redirect_uri", page: oidc.InvalidRequestObject,
	},
	{
		name: "RFC 9101 §7 a request object of an unknown client is shown", change: "request=bad client_id=nobody",
		page: oidc.UnauthorizedClient,
	},
	{
		name:   "RFC 9101 §5 client_id is outside the request object too",
		change: "-client_id request=" + objectWith("client_id=spa"), page: oidc.InvalidRequest,
	},
	{
		name:   "Core §6.3.3 what is inside the request object counts",
		change: "request=" + objectWith("prompt=none") + " prompt=login", signed: "alice",
	},
	{
		name:   "Core §6.3.3 what is only outside counts too, with scope=openid there",
		change: "request=" + objectOf(url.Values{"response_type": {"code"}}) + " prompt=none", signed: "alice",
	},
	{
		name:   "Core §6.1 response_type outside is the one inside",
		change: "request=" + objectOf(url.Values{"response_type": {"token"}}), err: oidc.InvalidRequest,
		signed: "alice",
	},
	{
		name:   "RFC 9101 §6.3 without scope=openid outside only what is inside counts",
		change: "-scope max_age=soon request=" + objectWith(""), signed: "alice",
	},
	{
		name:   "RFC 9101 §6.3 a redirect_uri that is only outside is not looked at then",
		change: "-scope request=" + objectOf(url.Values{"response_type": {"code"}, "scope": {"openid"}}),
		page:   oidc.InvalidRequest,
	},
	{
		name:   "Core §6.3.3 an unregistered redirect_uri inside is shown, never followed",
		change: "request=" + objectOf(url.Values{"redirect_uri": {"https://evil.test/"}}), page: oidc.InvalidRequest,
	},
	{
		name: "RFC 6749 §3.1 a repeated request", change: "request=a%3Db +request=a%3Db", err: oidc.InvalidRequest,
		signed: "alice",
	},

	// pushed requests
	{
		name:   "RFC 9126 §4 a request_uri that nobody pushed is shown",
		change: "request_uri=urn:ietf:params:oauth:request_uri:x -redirect_uri", page: oidc.InvalidRequestURI,
	},

	{name: "Core §7.2.1 registration", change: "registration=%7B%7D", err: oidc.RegistrationNotSupported, signed: "alice"},
	{name: "Core §3.1.2.1 response_type is required", change: "-response_type", err: oidc.InvalidRequest, signed: "alice"},
	{
		name: "RFC 6749 §3.1.1 response_type=token is not offered", change: "response_type=token",
		err: oidc.UnsupportedResponseType, signed: "alice",
	},
	{
		name: "Core §3.3 response_type=code id_token is not offered", change: "response_type=code+id_token",
		err: oidc.UnsupportedResponseType, signed: "alice",
	},
	{
		name: "Multiple Response Types §2.1 an unknown response_mode", change: "response_mode=telegram",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{name: "Core §3.1.2.1 scope contains openid", change: "scope=profile", err: oidc.InvalidScope, signed: "alice"},
	{name: "Core §3.1.2.1 scope is required", change: "-scope", err: oidc.InvalidScope, signed: "alice"},
	{
		name: "Core §3.1.2.1 prompt=none stands alone", change: "prompt=none+login", err: oidc.InvalidRequest,
		signed: "alice",
	},
	{name: "Core §3.1.2.1 an unknown prompt", change: "prompt=dance", err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §3.1.2.1 max_age is a number", change: "max_age=soon", err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §3.1.2.1 max_age is not negative", change: "max_age=-1", err: oidc.InvalidRequest, signed: "alice"},
	{
		name:   "RFC 9700 §2.1.1 a public client without code_challenge",
		change: "-code_challenge -code_challenge_method", err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 9700 §2.1.1 a confidential client that requires PKCE", client: "strict",
		change: "-code_challenge -code_challenge_method", err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 7636 §4.3 code_challenge_method without code_challenge", client: "web", change: "-code_challenge",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 9700 §2.1.1 code_challenge_method=plain is refused", change: "code_challenge_method=plain",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 7636 §4.3 a missing code_challenge_method means plain", change: "-code_challenge_method",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name: "RFC 7636 §4.2 a code_challenge of the wrong length", change: "code_challenge=short",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name:   "RFC 7636 §4.2 a code_challenge with padding",
		change: "code_challenge=" + strings.Repeat("a", 42) + "%3D", err: oidc.InvalidRequest, signed: "alice",
	},

	{
		name:   "OAuth 2.0 Web Message Response Mode §4 web_message needs a redirect_uri with a web origin",
		client: "native", change: "response_mode=web_message redirect_uri=com.example.app:/cb",
		err: oidc.InvalidRequest, signed: "alice",
	},
	{name: "Core §5.5 claims that are no JSON", change: "claims=email", err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §5.5 claims that are no object", change: "claims=[]", err: oidc.InvalidRequest, signed: "alice"},
	{name: "Core §5.5 claims that are null", change: "claims=null", err: oidc.InvalidRequest, signed: "alice"},
	{
		name:   "Core §5.5.1 a claim that is requested by something else than null or an object",
		change: "claims=%7B%22id_token%22:%7B%22email%22:true%7D%7D", err: oidc.InvalidRequest, signed: "alice",
	},
	{
		name:   "Core §5.5 members of claims that are not understood are ignored",
		change: "claims=%7B%22telepathy%22:%7B%7D,%22id_token%22:%7B%22shoe_size%22:null%7D%7D", signed: "alice",
	},
	{
		name:   "Core §5.5.1 the sub of claims is not that of the id_token_hint",
		change: "id_token_hint=alice claims=%7B%22id_token%22:%7B%22sub%22:%7B%22value%22:%22bob%22%7D%7D%7D",
		err:    oidc.InvalidRequest, signed: "alice",
	},
	{name: "RFC 8707 §2 resource names an API", change: "resource=https://api.test", signed: "alice"},
	{
		name:   "RFC 8707 §2 several resource parameters",
		change: "resource=https://api.test +resource=https://other.test", signed: "alice",
	},
	{
		name: "RFC 8707 §2 a resource that is not known", change: "resource=https://nowhere.test",
		err: oidc.InvalidTarget, signed: "alice",
	},
	{
		name: "RFC 8707 §2 a resource with a fragment", change: "resource=https://api.test%23x",
		err: oidc.InvalidTarget, signed: "alice",
	},
	{
		name: "RFC 8707 §2 a resource that is no absolute URI", change: "resource=api", err: oidc.InvalidTarget,
		signed: "alice",
	},
	{name: "RFC 9449 §10 dpop_jkt is a thumbprint", change: "dpop_jkt=" + strings.Repeat("a", 43), signed: "alice"},
	{name: "RFC 9449 §10 a dpop_jkt that is none", change: "dpop_jkt=short", err: oidc.InvalidRequest, signed: "alice"},

	// needs, in their order, under prompt=none
	{name: "Core §3.1.2.1 prompt=none with a session", change: "prompt=none", signed: "alice"},
	{name: "Core §3.1.2.6 prompt=none without a session", change: "prompt=none", err: oidc.LoginRequired},
	{
		name: "Core §3.1.2.1 id_token_hint of the signed-in user", change: "prompt=none id_token_hint=alice",
		signed: "alice",
	},
	{
		name: "Core §3.1.2.1 id_token_hint of another user", change: "prompt=none id_token_hint=bob", signed: "alice",
		err: oidc.LoginRequired,
	},
	{
		name: "Core §3.1.2.1 an id_token_hint that is none of ours", change: "prompt=none id_token_hint=forged",
		signed: "alice", err: oidc.LoginRequired,
	},
	{
		name:   "Core §3.1.2.1 id_token_hint is stronger than login_hint",
		change: "prompt=none id_token_hint=alice login_hint=bob", signed: "alice",
	},
	{
		name: "Core §3.1.2.1 login_hint of another user", change: "prompt=none login_hint=bob", signed: "alice",
		err: oidc.LoginRequired,
	},
	{
		name:   "Core §3.1.2.1 login_hint of nobody we know is ignored",
		change: "prompt=none login_hint=buffy@sunnydale.test", signed: "alice",
	},
	{
		name: "Core §3.1.2.6 prompt=none with several accounts", change: "prompt=none", signed: "alice,bob",
		err: oidc.AccountSelectionRequired,
	},
	{
		name: "Core §3.1.2.1 id_token_hint chooses among several accounts", change: "prompt=none id_token_hint=bob",
		signed: "alice,bob",
	},
	{
		name:   "Core §3.1.2.1 login_hint chooses among several accounts",
		change: "prompt=none login_hint=bob@example.com", signed: "alice,bob",
	},
	{name: "Core §3.1.2.1 max_age exceeded", change: "prompt=none max_age=60", signed: "alice", err: oidc.LoginRequired},
	{
		name: "Core §3.1.2.1 max_age=0 is exceeded at once", change: "prompt=none max_age=0", signed: "alice",
		err: oidc.LoginRequired,
	},
	{name: "Core §3.1.2.1 max_age not exceeded", change: "prompt=none max_age=10000", signed: "alice"},
	{
		name: "Registration §2 default_max_age stands in for max_age", client: "impatient", change: "prompt=none",
		signed: "alice", err: oidc.LoginRequired,
	},
	{
		name: "Registration §2 max_age overrides default_max_age", client: "impatient",
		change: "prompt=none max_age=10000", signed: "alice",
	},
	{
		name: "Core §3.1.2.6 prompt=none without consent", client: "other", change: "prompt=none", signed: "alice",
		err: oidc.ConsentRequired,
	},
	{
		name: "Core §3.1.2.6 prompt=none with consent to less", client: "other",
		change: "prompt=none scope=openid+email", signed: "carol", err: oidc.ConsentRequired,
	},
	{name: "Core §3.1.2.4 prompt=none with consent", client: "other", change: "prompt=none scope=openid", signed: "carol"},

	{
		name:   "Core §5.5.1 the sub that claims wants is signed in",
		change: "prompt=none claims=" + claimOf("sub", `{"value":"alice"}`), signed: "alice",
	},
	{
		name:   "Core §5.5.1 the sub that claims wants is not signed in",
		change: "prompt=none claims=" + claimOf("sub", `{"value":"bob"}`), signed: "alice", err: oidc.LoginRequired,
	},
	{
		name:   "Core §5.5.1 the sub that claims wants chooses among several accounts",
		change: "prompt=none claims=" + claimOf("sub", `{"value":"bob"}`), signed: "alice,bob",
	},
	{
		name:   "Core §5.5.1.1 an essential acr that the sign-in reaches",
		change: "prompt=none claims=" + claimOf("acr", `{"essential":true,"values":["gold","1"]}`), signed: "alice",
	},
	{
		name:   "Core §5.5.1.1 an essential acr that the sign-in does not reach",
		change: "prompt=none claims=" + claimOf("acr", `{"essential":true,"value":"gold"}`), signed: "alice",
		err: oidc.UnmetAuthenticationRequirements,
	},
	{
		name:   "Core §5.5.1.1 an acr that is not essential is a wish",
		change: "prompt=none claims=" + claimOf("acr", `{"value":"gold"}`), signed: "alice",
	},
	{
		name:   "Core §5.5.1.1 an essential acr without a value is any",
		change: "prompt=none claims=" + claimOf("acr", `{"essential":true}`), signed: "alice",
	},
	{name: "Core §3.1.2.1 acr_values is a wish", change: "prompt=none acr_values=gold", signed: "alice"},
	{
		name: "Core §5.5 a claim whose scope the user allowed", client: "other",
		change: "prompt=none scope=openid claims=" + claimOf("profile", "null"), signed: "carol",
		err: oidc.ConsentRequired,
	},
	{
		name: "Core §11 offline_access without consent is ignored, not an error", client: "lasting",
		change: "prompt=none scope=openid+offline_access", signed: "carol",
	},

	// the same needs, where a page is allowed
	{
		name:   "Core §5.5.1.1 an essential acr that another sign-in may reach",
		change: "claims=" + claimOf("acr", `{"essential":true,"value":"gold"}`), signed: "alice",
		screen: session.PathLogin,
	},
	{
		name:   "Core §5.5.1.1 an essential acr that no sign-in reaches",
		change: "claims=" + claimOf("acr", `{"essential":true,"value":"platinum"}`), signed: "alice",
		err: oidc.UnmetAuthenticationRequirements,
	},
	{
		name:   "Core §5.5.1 the sub that claims wants is not signed in: sign in as that one",
		change: "claims=" + claimOf("sub", `{"value":"bob"}`), signed: "alice", screen: session.PathLogin,
	},
	{
		name: "Core §5.5 a claim whose scope the user has not allowed: ask", client: "other",
		change: "scope=openid claims=" + claimOf("email", "null"), signed: "carol", screen: session.PathConsent,
	},
	{
		name: "Core §11 offline_access that the user has not allowed: ask", client: "lasting",
		change: "scope=openid+offline_access", signed: "carol", screen: session.PathConsent,
	},
	{name: "Core §3.1.2.1 prompt=login", change: "prompt=login", signed: "alice", screen: session.PathLogin},
	{
		name: "Core §3.1.2.1 prompt=select_account", change: "prompt=select_account", signed: "alice",
		screen: session.PathSelectAccount,
	},
	{
		name: "Core §3.1.2.1 prompt=select_account without a session", change: "prompt=select_account",
		screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 prompt=login select_account asks whom first", change: "prompt=login+select_account",
		signed: "alice", screen: session.PathSelectAccount,
	},
	{
		name: "Core §3.1.2.1 prompt=consent, of a first-party client too", change: "prompt=consent", signed: "alice",
		screen: session.PathConsent,
	},
	{
		name: "Core §3.1.2.1 prompt=consent, although consent is remembered", client: "other",
		change: "prompt=consent scope=openid", signed: "carol", screen: session.PathConsent,
	},
	{
		name: "Core §3.1.2.1 prompt=login consent signs in first", change: "prompt=login+consent", signed: "alice",
		screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 max_age exceeded: sign in again", change: "max_age=60", signed: "alice",
		screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 id_token_hint of another user: sign in as that one", change: "id_token_hint=bob",
		signed: "alice", screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 an id_token_hint that is none of ours: sign in", change: "id_token_hint=forged",
		signed: "alice", screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 login_hint of another user: sign in as that one", change: "login_hint=bob",
		signed: "alice", screen: session.PathLogin,
	},
	{name: "Core §3.1.2.4 consent missing: ask", client: "other", signed: "alice", screen: session.PathConsent},
	{name: "several accounts: ask which", signed: "alice,bob", screen: session.PathSelectAccount},
}

// claimOf asks for one claim in the ID token, as a value of row.change.
func claimOf(name, how string) string {
	return url.QueryEscape(`{"id_token":{"` + name + `":` + how + `}}`)
}

func TestAuthorize(t *testing.T) {
	broken, arisen := watchRules(t), watchNeeds(t)
	for _, row := range slices.Concat(rows, attacks) {
		t.Run(row.name, func(t *testing.T) { row.check(t) })
	}
	for _, row := range pushed {
		t.Run(row.name, func(t *testing.T) { row.check(t) })
	}
	for i, rule := range rules {
		if !broken[i] {
			t.Errorf("no row breaks the rule %q (%s)", rule.Text, rule.Spec)
		}
	}
	for i, need := range needs {
		if !arisen[i] {
			t.Errorf("in no row arises the need %q (%s)", need.Text, need.Spec)
		}
	}
}

func (row row) check(t *testing.T) {
	e := newEndpoint(t)
	params := row.params(t)
	r := e.request(t, params, row.signed)
	r.URL.RawQuery += row.raw
	e.clock.Pass(10 * time.Minute) // between the sign-in and the request
	outcome, err := e.Authorize(r)
	if row.page != "" {
		if err == nil || oidc.AsError(err).Code != row.page {
			t.Fatalf("got %+v, %v; want a page with %s", outcome, err, row.page)
		}
		return
	}
	if err != nil {
		t.Fatalf("got a page with %v; want an answer to the client", err)
	}
	if row.screen != "" {
		if path, _, _ := strings.Cut(outcome.Screen, "?"); path != row.screen {
			t.Fatalf("got %+v; want the screen %s", outcome, row.screen)
		}
		return
	}
	checkAnswer(t, e, outcome, params, row.err)
}

// checkAnswer holds what is true of every answer to a client: where it goes, state, iss.
func checkAnswer(t *testing.T, e *testEndpoint, outcome Outcome, params url.Values, code oidc.ErrorCode) {
	t.Helper()
	redirectURI := params.Get("redirect_uri")
	if !strings.HasPrefix(outcome.Redirect, redirectURI) {
		t.Fatalf("got %+v; want a redirect to %s", outcome, redirectURI)
	}
	joint := "?"
	if strings.Contains(redirectURI, "?") {
		joint = "&"
	}
	if got := outcome.Redirect[len(redirectURI):][:1]; got != joint {
		t.Errorf("the answer is joined to %s by %q; want %q", redirectURI, got, joint)
	}
	answer, err := url.ParseQuery(outcome.Redirect[len(redirectURI)+1:])
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Get("error"); got != string(code) {
		t.Errorf("error = %q (%s); want %q", got, answer.Get("error_description"), code)
	}
	if answer.Has("code") == answer.Has("error") {
		t.Errorf("an answer has either a code or an error: %v", answer)
	}
	if answer.Get("state") != params.Get("state") {
		t.Errorf("state = %q; want it byte for byte", answer.Get("state"))
	}
	if answer.Get("iss") != e.Issuer {
		t.Errorf("RFC 9207 §2: iss = %q; want %q", answer.Get("iss"), e.Issuer)
	}
}

// params are those of a good request with the row's change.
func (row row) params(t testing.TB) url.Values {
	t.Helper()
	client := row.client
	if client == "" {
		client = "spa"
	}
	params := goodParams(client)
	for change := range strings.FieldsSeq(row.change) {
		name, value, _ := strings.Cut(change, "=")
		name, errName := url.QueryUnescape(strings.ReplaceAll(name, "+", "%2B"))
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			t.Fatalf("row %q: change %q cannot be read", row.name, change)
		}
		switch {
		case strings.HasPrefix(name, "-"):
			params.Del(name[1:])
		case strings.HasPrefix(name, "+"):
			params.Add(name[1:], value)
		default:
			params.Set(name, value)
		}
	}
	if sub := params.Get("id_token_hint"); sub == "alice" || sub == "bob" {
		params.Set("id_token_hint", hintOf(sub))
	}
	if object, ok := strings.CutPrefix(params.Get("request_uri"), "https://app.test/?"); ok {
		params.Set("request_uri", objectServer()+"/?"+object)
	}
	return params
}

func TestParametersArriveByGETAndByPOST(t *testing.T) { // Core §3.1.2.1
	e := newEndpoint(t)
	r := httptest.NewRequest(http.MethodPost, "/authorize", strings.NewReader(goodParams("spa").Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	e.signIn(t, r, "alice")
	outcome, err := e.Authorize(r)
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, e, outcome, goodParams("spa"), "")
}

func TestResponseModes(t *testing.T) {
	for _, silent := range []string{"", "none"} {
		for mode, where := range map[string]string{"query": "?", "fragment": "#", "form_post": ""} {
			params := goodParams("spa")
			params.Set("response_mode", mode)
			params.Set("prompt", silent)
			e := newEndpoint(t)
			outcome, err := e.Authorize(e.request(t, params, "alice"))
			if err != nil {
				t.Fatal(err)
			}
			if mode == "form_post" {
				form := outcome.Form
				if form == nil || form.Action != params.Get("redirect_uri") || form.Values.Get("code") == "" ||
					form.Values.Get("state") != params.Get("state") || form.Values.Get("iss") != e.Issuer {
					t.Errorf("form_post gave %+v", outcome)
				} else if form.Silent != (silent == "none") {
					t.Errorf("Silent = %v with prompt=%q", form.Silent, silent)
				}
			} else if !strings.HasPrefix(outcome.Redirect, params.Get("redirect_uri")+where) {
				t.Errorf("%s gave %+v", mode, outcome)
			}
		}
	}
}

func TestErrorsComeInTheResponseModeThatWasAsked(t *testing.T) {
	params := goodParams("spa")
	params.Set("response_mode", "fragment")
	params.Set("prompt", "none")
	e := newEndpoint(t)
	outcome, err := e.Authorize(e.request(t, params, ""))
	if err != nil || !strings.Contains(outcome.Redirect, "#error=login_required") {
		t.Errorf("got %+v, %v; want the error in the fragment", outcome, err)
	}
}

func TestPromptNoneIsAlwaysOneRedirectOnceTheAddressIsVerified(t *testing.T) {
	for _, row := range rows {
		if row.page != "" {
			continue
		}
		for _, failing := range []bool{false, true} {
			e := newEndpoint(t)
			params := row.params(t)
			if params.Get("prompt") == "" || params.Get("prompt") == "none" {
				params.Set("prompt", "none")
			} else {
				params.Set("prompt", params.Get("prompt")+" none") // makes no sense, and still forbids pages
			}
			r := e.request(t, params, row.signed)
			r.URL.RawQuery += row.raw
			e.store.Gone(failing) // the engine behind the store vanishes: still no page
			outcome, err := e.Authorize(r)
			if err != nil || outcome.Redirect == "" || outcome.Screen != "" {
				t.Errorf("%s (store failing: %v): got %+v, %v; want a redirect", row.name, failing, outcome, err)
			}
		}
	}
}

func TestWhyNobodyIsSignedInIsSaid(t *testing.T) {
	for absence, spoil := range map[session.Absence]func(*testEndpoint, *http.Request){
		session.NoCookie: func(_ *testEndpoint, r *http.Request) { r.Header.Del("Cookie") },
		session.CookieUnreadable: func(_ *testEndpoint, r *http.Request) {
			r.Header.Set("Cookie", r.Header.Get("Cookie")[:40]+"x")
		},
		session.Idle:    func(e *testEndpoint, _ *http.Request) { e.clock.Pass(3 * time.Hour) },
		session.Expired: func(e *testEndpoint, _ *http.Request) { e.clock.Pass(13 * time.Hour) },
	} {
		e := newEndpoint(t)
		params := goodParams("spa")
		params.Set("prompt", "none")
		r := e.request(t, params, "alice")
		e.store.keep = true // past its ttl a record may still be there
		spoil(e, r)
		outcome, err := e.Authorize(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := url.Parse(outcome.Redirect)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.Query().Get("error_description"); !strings.Contains(got, string(absence)) {
			t.Errorf("error_description = %q; want it to say %q", got, absence)
		}
	}
}
