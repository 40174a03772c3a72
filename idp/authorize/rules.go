package authorize

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hush-idp/hush/oidc"
)

// maxParams limits all parameters together, so that the request still fits into a URL after it was sealed.
const maxParams = 16 << 10

// rules are judged in this order, before the session is looked up.
var rules = oidc.Table[*Request]{{
	Spec: "RFC 6749 appendix B", Text: "parameters are form-encoded",
	Holds: func(r *Request) bool { return r.Malformed == nil },
	Got:   func(r *Request) string { return clip(oidc.FormFault(r.Malformed)) },
	Help:  "percent-encode every name and value, as URLSearchParams does",
}, {
	Spec: "RFC 6749 §3.1", Text: "no parameter is sent more than once",
	Holds: func(r *Request) bool { return repeated(r.Params) == "" },
	Got:   func(r *Request) string { return repeated(r.Params) + " came more than once" },
	Help:  "send each parameter once",
}, {
	Spec: "RFC 6749 appendix B", Text: "parameters are UTF-8",
	Holds: func(r *Request) bool { return badUTF8(r.Params) == "" },
	Got:   func(r *Request) string { return badUTF8(r.Params) + " is not" },
	Help:  "encode parameters as UTF-8 before percent-encoding them",
}, {
	Spec: "a limit of this provider", Text: "all parameters together have at most 16 KiB",
	Holds: func(r *Request) bool { return isAtMost(maxParams, r.Params) },
	Help:  "keep state short: store what it stands for in the application",
}, {
	// FAPI 2.0 §5.3.2.2 requires it of a client with profile fapi2.
	Spec: "RFC 9126 §5", Text: "the request was pushed, where the client must push", Params: []string{"request_uri"},
	Holds: func(r *Request) bool {
		return r.Pushed || !r.Client.RequirePushedAuthorizationRequests && !r.Client.FAPI2()
	},
	Help: "post the parameters to the pushed_authorization_request_endpoint, and send client_id and its request_uri",
}, {
	Spec: "RFC 9101 §10.5", Text: "the request came in a signed request object, where the client must sign",
	Params: []string{"request", "request_uri"},
	Holds:  func(r *Request) bool { return r.FromObject || !r.Client.RequireSignedRequestObject },
	Help:   "the client is registered with require_signed_request_object",
}, {
	Spec: "Core §7.2.1", Text: "registration is not used", Params: []string{"registration"},
	Else:  oidc.RegistrationNotSupported,
	Holds: func(r *Request) bool { return r.Params.Get("registration") == "" },
	Help:  "register the client in the provider's configuration",
}, {
	Spec: "Core §3.1.2.1", Text: "response_type is present", Params: []string{"response_type"},
	Holds: func(r *Request) bool { return r.ResponseType != "" },
	Help:  "send response_type=code",
}, {
	Spec: "RFC 6749 §3.1.1", Text: "response_type is code", Params: []string{"response_type"},
	Else:  oidc.UnsupportedResponseType,
	Holds: func(r *Request) bool { return r.ResponseType == "code" },
	Got:   func(r *Request) string { return quote(r.ResponseType) },
	Help:  "implicit and hybrid flows put tokens into URLs (RFC 9700 §2.1.2): use the code flow",
}, {
	Spec: "OAuth 2.0 Multiple Response Type Encoding Practices §2.1",
	Text: "response_mode is one of " + strings.Join(ResponseModes(), ", "), Params: []string{"response_mode"},
	Holds: func(r *Request) bool { return r.ResponseMode == "" || slices.Contains(ResponseModes(), r.ResponseMode) },
	Got:   func(r *Request) string { return quote(r.ResponseMode) }, Help: "leave response_mode out for query",
}, {
	Spec:   "OAuth 2.0 Web Message Response Mode §4",
	Text:   "response_mode=web_message has a redirect_uri with a web origin, to which the message is posted",
	Params: []string{"response_mode", "redirect_uri"},
	Holds:  func(r *Request) bool { return r.ResponseMode != webMessage || oidc.Origin(r.RedirectURI) != "" },
	Help:   "an app with a scheme of its own has no window to post to: leave response_mode out",
}, {
	Spec: "Core §3.1.2.1", Text: "scope contains openid", Params: []string{"scope"}, Else: oidc.InvalidScope,
	Holds: func(r *Request) bool { return r.Scope.Has(oidc.ScopeOpenID) },
	Got:   func(r *Request) string { return quote(r.Params.Get("scope")) },
	Help:  "ask for scope=openid, and let the client have it if its registration lists scopes",
}, {
	Spec: "Core §3.1.2.1", Text: "prompt is none alone, or any of login, consent and select_account",
	Params: []string{"prompt"},
	Holds:  func(r *Request) bool { return r.faults.prompt == nil },
	Got:    func(r *Request) string { return quote(r.Params.Get("prompt")) },
	Help:   "prompt=none forbids every page, so nothing can stand beside it",
}, {
	Spec: "Core §3.1.2.1", Text: "max_age is a number of seconds", Params: []string{"max_age"},
	Holds: func(r *Request) bool { return r.Params.Get("max_age") == "" || r.MaxAge != nil },
	Got:   func(r *Request) string { return quote(r.Params.Get("max_age")) },
	Help:  "send whole seconds from 0 up, such as max_age=3600",
}, {
	Spec: "RFC 9700 §2.1.1", Text: "a public client sends a code_challenge",
	Params: []string{"client_id", "code_challenge"}, Reason: oidc.PKCEMissing,
	Holds: func(r *Request) bool { return !r.Client.NeedsPKCE() || r.CodeChallenge != "" },
	Help:  "send code_challenge and code_challenge_method=S256, and the code_verifier to the token endpoint (RFC 7636)",
}, {
	Spec: "RFC 7636 §4.3", Text: "code_challenge_method comes with a code_challenge",
	Params: []string{"code_challenge", "code_challenge_method"},
	Holds:  func(r *Request) bool { return r.CodeChallengeMethod == "" || r.CodeChallenge != "" },
	Help:   "send both, or neither",
}, {
	Spec: "RFC 9700 §2.1.1", Text: "code_challenge_method is S256", Params: []string{"code_challenge_method"},
	Holds: func(r *Request) bool { return r.CodeChallenge == "" || r.CodeChallengeMethod == "S256" },
	Got:   func(r *Request) string { return method(r) },
	Help:  "plain shows the verifier to everybody who sees the request, and is refused",
}, {
	Spec: "RFC 7636 §4.2", Text: "code_challenge is the base64url form of a SHA-256, 43 characters",
	Params: []string{"code_challenge"},
	Holds:  func(r *Request) bool { return r.CodeChallenge == "" || isSHA256(r.CodeChallenge) },
	Got:    func(r *Request) string { return fmt.Sprintf("%d characters", len(r.CodeChallenge)) },
	Help:   "compute BASE64URL(SHA256(code_verifier)) without padding",
}, {
	Spec: "Core §5.5", Text: "claims is a JSON object by the form of Core §5.5", Params: []string{"claims"},
	Holds: func(r *Request) bool { return r.faults.claims == nil },
	Got:   func(r *Request) string { return clip(r.faults.claims.Error()) },
	Help:  "write claims like {'userinfo':{'email':null},'id_token':{'acr':{'essential':true}}}, with double quotes",
}, {
	Spec: "Core §5.5.1", Text: "the claims parameter wants the same sub as the id_token_hint",
	Params: []string{"claims", "id_token_hint"},
	Holds:  func(r *Request) bool { return r.WantedSub == "" || r.HintedSub == "" || r.WantedSub == r.HintedSub },
	Help:   "a request is about one user: send one of the two",
}, {
	Spec: "RFC 8707 §2", Text: "resource is an API that this provider has access tokens for",
	Params: []string{"resource"}, Else: oidc.InvalidTarget,
	Holds: func(r *Request) bool { return r.faults.resource == nil },
	Got:   func(r *Request) string { return oidc.AsError(r.faults.resource).Description },
	Help:  "name the API as the provider's configuration does",
}, {
	Spec: "RFC 9449 §10", Text: "dpop_jkt is the SHA-256 thumbprint of a key, 43 characters of base64url",
	Params: []string{"dpop_jkt"},
	Holds:  func(r *Request) bool { return r.DPoPJKT == "" || isSHA256(r.DPoPJKT) },
	Got:    func(r *Request) string { return fmt.Sprintf("%d characters", len(r.DPoPJKT)) },
	Help:   "compute it as RFC 7638 says, without padding",
}, {
	Spec:   "FAPI 2.0 §5.3.2.2",
	Text:   "redirect_uri of a client with profile fapi2 is https, or a native app's own or loopback address",
	Params: []string{"redirect_uri"},
	Holds:  func(r *Request) bool { return !r.Client.FAPI2() || !isPlainHTTP(r.RedirectURI) },
	Help:   "register an https address: the profile fapi2 lets no code travel in the clear",
}}

func isPlainHTTP(uri string) bool {
	u, err := url.Parse(uri)
	return err != nil || u.Scheme == "http" && !oidc.IsLoopback(u.Hostname())
}

func isSHA256(text string) bool {
	return len(text) == 43 && oidc.IsMadeOf(text, oidc.LettersAndDigits+"-_")
}

// repeated returns the first parameter with several values; only resource may have several (RFC 8707 §2).
func repeated(params url.Values) string {
	return firstName(params, func(name string, values []string) bool { return len(values) > 1 && name != "resource" })
}

func badUTF8(params url.Values) string {
	return firstName(params, func(_ string, values []string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) })
	})
}

// isAtMost tells whether a query of the parameters has at most so many bytes. An encoded text is at most three times as
// long, so a usual request is not encoded to be counted.
func isAtMost(most int, params url.Values) bool {
	return 3*sizeOf(params, func(text string) int { return len(text) }) <= most ||
		sizeOf(params, func(text string) int { return len(url.QueryEscape(text)) }) <= most
}

// sizeOf is the number of bytes of the parameters in a query, with names and values of these lengths.
func sizeOf(params url.Values, length func(text string) int) (size int) {
	for name, values := range params {
		for _, value := range values {
			size += length(name) + len("=") + length(value) + len("&")
		}
	}
	return size
}

// firstName returns the first matching parameter in alphabetical order, or "".
func firstName(params url.Values, is func(name string, values []string) bool) string {
	var found []string
	for name, values := range params {
		if is(name, values) {
			found = append(found, clip(strings.ToValidUTF8(name, "?")))
		}
	}
	if len(found) == 0 {
		return ""
	}
	return slices.Min(found)
}

func method(r *Request) string {
	if r.CodeChallengeMethod == "" {
		return "none, which means plain"
	}
	return quote(r.CodeChallengeMethod)
}

func quote(text string) string { return "'" + clip(text) + "'" }
