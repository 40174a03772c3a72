package authorize

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hush-idp/hush/oidc"
)

// Rule is one sentence of the specification that a request must keep. Rules stand in the order in which they are judged.
type Rule struct {
	Spec, Text string                 // "RFC 7636 §4.2", "code_challenge_method is S256"
	Holds      func(r Request) bool   // true when the request keeps the rule
	Else       oidc.ErrorCode         // the answer when it does not
	Got        func(r Request) string // what came instead; nil where that is plain, or not to be repeated
	Help       string                 // what to do
	Reason     oidc.Reason            // why, by its stable code; empty: oidc.RequestMalformed
	Params     []string               // the parameters that it is about, for the trace
}

// maxParams limits all parameters together, so that the request still fits into a URL after it was sealed.
const maxParams = 16 << 10

var rules = []Rule{
	{
		Spec: "RFC 6749 appendix B", Text: "parameters are form-encoded",
		Holds: func(r Request) bool { return r.Malformed == nil },
		Else:  oidc.InvalidRequest,
		Got:   func(r Request) string { return clip(oidc.FormFault(r.Malformed)) },
		Help:  "percent-encode every name and value, as URLSearchParams does",
	},
	{
		Spec: "RFC 6749 §3.1", Text: "no parameter is sent more than once",
		Holds: func(r Request) bool { return repeated(r.Params) == "" },
		Else:  oidc.InvalidRequest,
		Got:   func(r Request) string { return repeated(r.Params) + " came more than once" },
		Help:  "send each parameter once",
	},
	{
		Spec: "RFC 6749 appendix B", Text: "parameters are UTF-8",
		Holds: func(r Request) bool { return badUTF8(r.Params) == "" },
		Else:  oidc.InvalidRequest,
		Got:   func(r Request) string { return badUTF8(r.Params) + " is not" },
		Help:  "encode parameters as UTF-8 before percent-encoding them",
	},
	{
		Spec: "a limit of this provider", Text: "all parameters together have at most 16 KiB",
		Holds: func(r Request) bool { return len(r.Params.Encode()) <= maxParams },
		Else:  oidc.InvalidRequest,
		Help:  "keep state short: store what it stands for in the application",
	},
	{
		Spec: "Core §6.1", Text: "request objects are not used",
		Params: []string{"request"},
		Holds:  func(r Request) bool { return r.Params.Get("request") == "" },
		Else:   oidc.RequestNotSupported,
		Help:   "send the parameters themselves",
	},
	{
		Spec: "Core §6.2", Text: "request_uri is not used",
		Params: []string{"request_uri"},
		Holds:  func(r Request) bool { return r.Params.Get("request_uri") == "" },
		Else:   oidc.RequestURINotSupported,
		Help:   "send the parameters themselves",
	},
	{
		Spec: "Core §7.2.1", Text: "registration is not used",
		Params: []string{"registration"},
		Holds:  func(r Request) bool { return r.Params.Get("registration") == "" },
		Else:   oidc.RegistrationNotSupported,
		Help:   "register the client in the provider's configuration",
	},
	{
		Spec: "Core §3.1.2.1", Text: "response_type is present",
		Params: []string{"response_type"},
		Holds:  func(r Request) bool { return r.ResponseType != "" },
		Else:   oidc.InvalidRequest,
		Help:   "send response_type=code",
	},
	{
		Spec: "RFC 6749 §3.1.1", Text: "response_type is code",
		Params: []string{"response_type"},
		Holds:  func(r Request) bool { return r.ResponseType == "code" },
		Else:   oidc.UnsupportedResponseType,
		Got:    func(r Request) string { return quote(r.ResponseType) },
		Help:   "implicit and hybrid flows put tokens into URLs (RFC 9700 §2.1.2): use the code flow",
	},
	{
		Spec: "OAuth 2.0 Multiple Response Type Encoding Practices §2.1", Text: "response_mode is query, fragment or form_post",
		Params: []string{"response_mode"},
		Holds:  func(r Request) bool { return r.ResponseMode == "" || isResponseMode(r.ResponseMode) },
		Else:   oidc.InvalidRequest,
		Got:    func(r Request) string { return quote(r.ResponseMode) },
		Help:   "leave response_mode out for query",
	},
	{
		Spec: "Core §3.1.2.1", Text: "scope contains openid",
		Params: []string{"scope"},
		Holds:  func(r Request) bool { return r.Scope.Has(oidc.ScopeOpenID) },
		Else:   oidc.InvalidScope,
		Got:    func(r Request) string { return quote(r.Params.Get("scope")) },
		Help:   "ask for scope=openid, and let the client have it if its registration lists scopes",
	},
	{
		Spec: "Core §3.1.2.1", Text: "prompt is none alone, or any of login, consent and select_account",
		Params: []string{"prompt"},
		Holds:  func(r Request) bool { _, err := oidc.ParsePrompts(r.Params.Get("prompt")); return err == nil },
		Else:   oidc.InvalidRequest,
		Got:    func(r Request) string { return quote(r.Params.Get("prompt")) },
		Help:   "prompt=none forbids every page, so nothing can stand beside it",
	},
	{
		Spec: "Core §3.1.2.1", Text: "max_age is a number of seconds",
		Params: []string{"max_age"},
		Holds:  func(r Request) bool { return r.Params.Get("max_age") == "" || r.MaxAge != nil },
		Else:   oidc.InvalidRequest,
		Got:    func(r Request) string { return quote(r.Params.Get("max_age")) },
		Help:   "send whole seconds from 0 up, such as max_age=3600",
	},
	{
		Spec: "RFC 9700 §2.1.1", Text: "a public client sends a code_challenge",
		Params: []string{"client_id", "code_challenge"},
		Holds:  func(r Request) bool { return !r.Client.NeedsPKCE() || r.CodeChallenge != "" },
		Else:   oidc.InvalidRequest,
		Help:   "send code_challenge and code_challenge_method=S256, and the code_verifier to the token endpoint (RFC 7636)", Reason: oidc.PKCEMissing,
	},
	{
		Spec: "RFC 7636 §4.3", Text: "code_challenge_method comes with a code_challenge",
		Params: []string{"code_challenge", "code_challenge_method"},
		Holds:  func(r Request) bool { return r.CodeChallengeMethod == "" || r.CodeChallenge != "" },
		Else:   oidc.InvalidRequest,
		Help:   "send both, or neither",
	},
	{
		Spec: "RFC 9700 §2.1.1", Text: "code_challenge_method is S256",
		Params: []string{"code_challenge_method"},
		Holds:  func(r Request) bool { return r.CodeChallenge == "" || r.CodeChallengeMethod == "S256" },
		Else:   oidc.InvalidRequest,
		Got:    func(r Request) string { return method(r) },
		Help:   "plain shows the verifier to whoever sees the request, and is refused",
	},
	{
		Spec: "RFC 7636 §4.2", Text: "code_challenge is the base64url form of a SHA-256, 43 characters",
		Params: []string{"code_challenge"},
		Holds:  func(r Request) bool { return r.CodeChallenge == "" || s256.MatchString(r.CodeChallenge) },
		Else:   oidc.InvalidRequest,
		Got:    func(r Request) string { return fmt.Sprintf("%d characters", len(r.CodeChallenge)) },
		Help:   "compute BASE64URL(SHA256(code_verifier)) without padding",
	},
}

var s256 = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// broken is the answer to a request that does not keep the rule.
func (rule Rule) broken(r Request) *oidc.Error {
	text := "expected: " + rule.Text + " (" + rule.Spec + ")"
	if rule.Got != nil {
		text += "; got: " + rule.Got(r)
	}
	return rule.Else.Errorf("%s; %s", text, rule.Help).Blame(cmp.Or(rule.Reason, oidc.RequestMalformed))
}

func repeated(params url.Values) string {
	return firstName(params, func(values []string) bool { return len(values) > 1 })
}

func badUTF8(params url.Values) string {
	return firstName(params, func(values []string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) })
	})
}

// firstName returns the first parameter, by the alphabet, whose values are as asked.
func firstName(params url.Values, is func([]string) bool) string {
	var found []string
	for name, values := range params {
		if is(values) {
			found = append(found, clip(strings.ToValidUTF8(name, "?")))
		}
	}
	if len(found) == 0 {
		return ""
	}
	return slices.Min(found)
}

func method(r Request) string {
	if r.CodeChallengeMethod == "" {
		return "none, which means plain"
	}
	return quote(r.CodeChallengeMethod)
}

func quote(text string) string { return "'" + clip(text) + "'" }
