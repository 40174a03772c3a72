package authorize

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Request is an authentication request by the names of Core §3.1.2.1, of a client that is known. Until the rules have
// passed its fields hold whatever came.
type Request struct {
	Client    oidc.Client
	Params    url.Values // as they came
	Malformed error      // why some of them could not be read
	StartedAt time.Time  // when the request first came, before any page

	ResponseType        string
	ResponseMode        string
	RedirectURI         string
	Scope               oidc.Scope // of what was asked, what provider and client know
	Nonce               string
	Prompt              oidc.Prompts
	MaxAge              *time.Duration // nil: any age
	LoginHint           string
	IDTokenHint         string
	HintedSub           string // the sub of a valid id_token_hint
	WantedSub           string // the value that the claims parameter wants sub to have
	CodeChallenge       string
	CodeChallengeMethod string
	Resource            []string // the APIs that access tokens are to be for (RFC 8707)
	DPoPJKT             string   // RFC 9449 §10

	Claims       *oidc.ClaimsRequest // of what was asked by name, what the client may ask for
	ClaimsScope  oidc.Scope          // the scope values that cover it: what the user is asked to allow for it
	ACRValues    []string            // wanted, the most wanted first
	EssentialACR []string            // one of these, or no code; nil: any will do

	FromObject bool   // they came in a signed request object
	Pushed     bool   // they were pushed
	RequestURI string // by which, to be spent with the code

	faults faults
}

// faults are why parameters that have a form of their own, or all of them, could not be read. packed: the request object.
type faults struct{ claims, resource, packed error }

// parse reads the parameters. It judges nothing: what is wrong with them is for the rules to say. RFC 6749 §3.1:
// "Parameters sent without a value MUST be treated as if they were omitted from the request."
func (e *Endpoint) parse(ctx context.Context, client oidc.Client, params url.Values, startedAt time.Time) (Request, error) {
	prompt, _ := oidc.ParsePrompts(params.Get("prompt")) // a bad one: rule "prompt"
	r := Request{
		Client:              client,
		Params:              params,
		StartedAt:           startedAt,
		ResponseType:        params.Get("response_type"),
		ResponseMode:        params.Get("response_mode"),
		RedirectURI:         params.Get("redirect_uri"),
		Scope:               scope(client, params.Get("scope"), e.Scopes),
		Nonce:               params.Get("nonce"),
		Prompt:              prompt,
		MaxAge:              maxAge(client, params.Get("max_age")),
		LoginHint:           params.Get("login_hint"),
		IDTokenHint:         params.Get("id_token_hint"),
		HintedSub:           e.hintedSub(params.Get("id_token_hint")),
		CodeChallenge:       params.Get("code_challenge"),
		CodeChallengeMethod: params.Get("code_challenge_method"),
		DPoPJKT:             params.Get("dpop_jkt"),
	}
	r.Resource, r.faults.resource = oidc.ParseResources(params["resource"], client.AllowedResources(e.Resources))
	return r, e.parseClaims(ctx, &r)
}

// boundTo is the user whom the request must be about; "": anybody. Core §3.1.2.2: where a sub is requested with a value, the provider
// "MUST only send a positive response if the End-User identified by that sub value has an active session […] or has been
// Authenticated as a result of the request", and "MUST NOT reply with an ID Token […] for a different user".
func (r Request) boundTo() string { return cmp.Or(r.HintedSub, r.WantedSub) }

// scope is what provider and client know of what was asked. Core §11: the provider "MUST ignore the offline_access request
// unless the Client is using a response_type value that would result in an Authorization Code being returned"; and it means
// nothing to a client without refresh tokens.
func scope(client oidc.Client, wire string, known oidc.Scope) oidc.Scope {
	asked := oidc.ParseScope(wire).Within(client.AllowedScope(known))
	if !client.Grants(oidc.GrantRefreshToken) {
		return without(asked, oidc.ScopeOffline)
	}
	return asked
}

func without(scope oidc.Scope, value string) oidc.Scope {
	return slices.DeleteFunc(slices.Clone(scope), func(v string) bool { return v == value })
}

// wantsNoPage tells whether the request forbids pages, even if the rest of prompt makes no sense.
func wantsNoPage(params url.Values) bool {
	for _, prompt := range strings.Fields(params.Get("prompt")) {
		if oidc.Prompt(prompt) == oidc.PromptNone {
			return true
		}
	}
	return false
}

func maxAge(client oidc.Client, wire string) *time.Duration {
	seconds, err := parseMaxAge(wire)
	if wire == "" && client.DefaultMaxAge != nil {
		seconds, err = *client.DefaultMaxAge, nil
	}
	if err != nil { // none asked, or a bad one: rule "max_age"
		return nil
	}
	age := time.Duration(seconds) * time.Second
	return &age
}

// parseMaxAge reads a number of seconds, at most about a century so that no sum overflows.
func parseMaxAge(wire string) (int, error) {
	seconds, err := strconv.ParseUint(wire, 10, 31)
	return int(seconds), err
}

// hintedSub returns the sub of an ID token that this provider issued, an expired one too (Core §3.1.2.1, id_token_hint), or
// "" for anything else.
func (e *Endpoint) hintedSub(token string) string {
	if token == "" {
		return ""
	}
	hint, err := e.Hints(token)
	if err != nil {
		return ""
	}
	return hint
}
