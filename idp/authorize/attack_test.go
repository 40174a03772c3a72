package authorize

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// attacks are more rows: what somebody tries who is up to no good, and what specifications demand because of that.
var attacks = []row{
	{
		name: "RFC 9700 §2.1 a redirect_uri is compared to the letter", page: oidc.InvalidRequest,
		change: "redirect_uri=https://app.test/cb%3F",
	},
	{
		name: "RFC 9700 §4.1.3 a redirect_uri below the registered one", page: oidc.InvalidRequest,
		change: "redirect_uri=https://app.test/cb/more",
	},
	{
		name: "RFC 9700 §4.1.3 a redirect_uri that climbs out of the registered one", page: oidc.InvalidRequest,
		change: "redirect_uri=https://app.test/cb/../evil",
	},
	{
		name: "RFC 9700 §4.1.3 a redirect_uri on a subdomain", page: oidc.InvalidRequest,
		change: "redirect_uri=https://sub.app.test/cb",
	},
	{
		name: "RFC 9700 §4.1.3 a redirect_uri with the registered host as user name", page: oidc.InvalidRequest,
		change: "redirect_uri=https://app.test@evil.test/cb",
	},
	{
		name: "RFC 9700 §4.1.3 a redirect_uri with a fragment", page: oidc.InvalidRequest,
		change: "redirect_uri=https://app.test/cb%23x",
	},
	{
		name: "RFC 9700 §4.1.3 a redirect_uri without TLS", page: oidc.InvalidRequest,
		change: "redirect_uri=http://app.test/cb",
	},
	{
		name: "RFC 9700 §4.1.3 of a loopback redirect_uri only the port varies", page: oidc.InvalidRequest,
		change: "redirect_uri=http://localhost:9090/evil",
	},
	{
		name: "RFC 9700 §4.1.3 another name of this machine is another redirect_uri", page: oidc.InvalidRequest,
		change: "redirect_uri=http://127.0.0.1:9090/cb",
	},
	{
		name: "RFC 9700 §4.1.3 a host that only begins like this machine", page: oidc.InvalidRequest,
		change: "redirect_uri=http://localhost.evil.test:9090/cb",
	},
	{
		name: "RFC 9700 §4.11 an error does not make a redirector of an address that is not verified",
		page: oidc.InvalidRequest, change: "redirect_uri=https://evil.test/ scope=nothing prompt=none",
	},
	{
		name: "RFC 9700 §4.11 nor does another response_mode", page: oidc.InvalidRequest,
		change: "redirect_uri=https://evil.test/ response_mode=web_message prompt=none",
	},
	{
		name: "RFC 9700 §4.11 nor a request object", page: oidc.InvalidRequest,
		change: "request=" + objectWith("redirect_uri=https://evil.test/"),
	},
	{
		name: "RFC 9700 §4.11 nor a request object that is not good", page: oidc.InvalidRequestObject,
		change: "redirect_uri=https://evil.test/ request=bad",
	},
	{
		name: "RFC 9700 §4.5.3.1 PKCE cannot be left out of a request object", err: oidc.InvalidRequest,
		change: "-scope request=" + objectWith("code_challenge="),
	},

	{
		name: "RFC 7636 §4.4.1 no code_challenge where one is required is an invalid_request", err: oidc.InvalidRequest,
		signed: "alice", change: "-code_challenge -code_challenge_method",
	},
	{
		name: "RFC 7636 §4.4.1 a transformation that is not supported is an invalid_request", err: oidc.InvalidRequest,
		signed: "alice", change: "code_challenge_method=S512",
	},
	{
		name: "RFC 7636 §4.2 the name of the transformation is case-sensitive", err: oidc.InvalidRequest,
		signed: "alice", change: "code_challenge_method=s256",
	},
	{
		name: "RFC 7636 §4.2 a code_challenge in plain base64", err: oidc.InvalidRequest, signed: "alice",
		change: "code_challenge=" + strings.Repeat("a", 42) + "%2B",
	},

	{name: "RFC 9207 §2 iss is in an answer with a code", signed: "alice"},
	{
		name: "RFC 9207 §2.2 iss is in an answer with an error", signed: "alice", change: "scope=nothing",
		err: oidc.InvalidScope,
	},
	{
		name: "RFC 9207 §2 an iss of the request is not the one of the answer", signed: "alice",
		change: "iss=https://evil.test",
	},

	{name: "RFC 8707 §2.1 the authorization request names the API", signed: "alice", change: "resource=https://api.test"},
	{
		name: "RFC 8707 §2.1 an API that the provider does not know is invalid_target", signed: "alice",
		change: "resource=https://api.test.evil.test", err: oidc.InvalidTarget,
	},
	{
		name: "RFC 8707 §2.1 one good API does not excuse another", signed: "alice",
		change: "resource=https://api.test +resource=https://evil.test", err: oidc.InvalidTarget,
	},
	{
		name: "RFC 8707 §2.1 the API may be named in the request object", signed: "alice",
		change: "request=" + objectWith("resource=https://api.test"),
	},

	{
		name: "RFC 9101 §5.2 a request_uri that is no registered https URL is not followed", signed: "alice",
		err: oidc.InvalidRequestURI, change: "request_uri=http://app.test/%3F" + objectWith(""),
	},
	{
		name: "RFC 9101 §10.5 nor may a client that must sign add to what it signed", client: "signing",
		signed: "alice", change: "max_age=soon request=" + objectWith("signed=1"),
	},
	{
		name: "RFC 9126 §5 a request object is no push", client: "pushing", signed: "alice", err: oidc.InvalidRequest,
		change: "request=" + objectWith("signed=1"),
	},
	{
		name: "RFC 9126 §5 nor is a request_uri of the client's own", client: "pushing", signed: "alice",
		err: oidc.InvalidRequest, change: "request_uri=https://app.test/%3F" + objectWith("signed=1"),
	},
	{
		name: "RFC 9126 §4 request and a pushed request_uri are not used together", signed: "alice",
		err:    oidc.InvalidRequest,
		change: "request=" + objectWith("") + " request_uri=urn:ietf:params:oauth:request_uri:x",
	},

	{
		name: "Core §5.5 values that nest deeply do no harm", signed: "alice",
		change: "claims=" + claimOf("email", `{"value":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`}`),
	},
	{
		name: "Core §5.5 claims without end", signed: "alice", err: oidc.InvalidRequest,
		change: "claims=" + claimOf("email", `{"values":["`+strings.Repeat("x", maxParams)+`"]}`),
	},
	{
		name: "Core §5.5 claims with something behind them", signed: "alice", err: oidc.InvalidRequest,
		change: "claims=%7B%7D%7B%7D",
	},
	{
		name: "Core §5.5.1 a value of sub that is no string is nobody's", signed: "alice", err: oidc.LoginRequired,
		change: "prompt=none claims=" + claimOf("sub", `{"value":7}`),
	},
	{
		name: "Core §5.5.1 sub without a value is anybody", signed: "alice",
		change: "prompt=none claims=" + claimOf("sub", `{"essential":true}`),
	},
	{
		name: "Core §3.1.2.2 an id_token_hint that is none of ours is not healed by a value of sub", signed: "alice",
		err:    oidc.LoginRequired,
		change: "prompt=none id_token_hint=forged claims=" + claimOf("sub", `{"value":"alice"}`),
	},
	{
		name: "Core §5.5.1 essential is true or false", signed: "alice", err: oidc.InvalidRequest,
		change: "claims=" + claimOf("email", `{"essential":"yes"}`),
	},
	{
		name: "Core §5.5.1 values are an array", signed: "alice", err: oidc.InvalidRequest,
		change: "claims=" + claimOf("acr", `{"values":"1"}`),
	},
	{
		name: "RFC 6749 §3.1 the answer to a repeated response_mode goes to the verified address too", signed: "alice",
		err: oidc.InvalidRequest, change: "response_mode=query +response_mode=fragment",
	},
}

// A request for one user never gives a code for another user, even if another user signs in meanwhile and whatever the
// other parameters are.
func TestARequestForOneUserGivesNoCodeForAnother(t *testing.T) { // Core §3.1.2.2, §5.5.1
	for _, hint := range []string{"", "forged"} {
		e := newEndpoint(t)
		params := changed("spa", "id_token_hint="+hint+" claims="+claimOf("sub", `{"value":"bob"}`)).params(t)
		outcome, err := e.Authorize(e.request(t, params, "alice"))
		screen, failed := url.Parse(outcome.Screen)
		if err != nil || failed != nil || screen.Path != session.PathLogin {
			t.Fatalf("got %+v, %v; want the sign-in page", outcome, err)
		}
		e.clock.Pass(time.Minute)
		back := url.Values{session.InteractionParam: {screen.Query().Get(session.InteractionParam)}}
		if outcome, err := e.Authorize(e.request(t, back, "alice")); err != nil ||
			!strings.HasPrefix(outcome.Screen, session.PathLogin) {
			t.Errorf("id_token_hint=%q: alice signed in: got %+v, %v", hint, outcome, err)
		}
		if outcome, err := e.Authorize(e.request(t, back, "alice,bob")); err != nil ||
			!strings.Contains(outcome.Redirect, "code=") {
			t.Errorf("id_token_hint=%q: bob signed in: got %+v, %v", hint, outcome, err)
		}
	}
}

// RFC 7636 §4.4: "MUST NOT include the "code_challenge" value in client requests in a form that other entities can
// extract"
func TestACodeTellsNothingOfItsChallenge(t *testing.T) {
	e := newEndpoint(t)
	outcome, err := e.Authorize(e.request(t, goodParams("spa"), "alice"))
	if err != nil || !strings.Contains(outcome.Redirect, "code=") ||
		strings.Contains(outcome.Redirect, goodParams("spa").Get("code_challenge")) {
		t.Errorf("got %+v, %v", outcome, err)
	}
}
