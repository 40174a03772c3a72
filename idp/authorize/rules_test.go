package authorize

import (
	"net/url"
	"strings"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// ruleRows are requests that end at the return address, at a rule, or with a code.
var ruleRows = []row{
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
		name: "a state with a semicolon that was not encoded comes back", raw: "&ui_locales=;", change: "prompt=none",
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
}
