package authorize

import (
	"net/url"
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
	CodeChallenge       string
	CodeChallengeMethod string
}

// parse reads the parameters. It judges nothing: what is wrong with them is for the rules to say. RFC 6749 §3.1:
// "Parameters sent without a value MUST be treated as if they were omitted from the request."
func (e *Endpoint) parse(client oidc.Client, params url.Values, startedAt time.Time) Request {
	prompt, _ := oidc.ParsePrompts(params.Get("prompt")) // a bad one: rule "prompt"
	return Request{
		Client:              client,
		Params:              params,
		StartedAt:           startedAt,
		ResponseType:        params.Get("response_type"),
		ResponseMode:        params.Get("response_mode"),
		RedirectURI:         params.Get("redirect_uri"),
		Scope:               oidc.ParseScope(params.Get("scope")).Within(client.AllowedScope(e.Scopes)),
		Nonce:               params.Get("nonce"),
		Prompt:              prompt,
		MaxAge:              maxAge(client, params.Get("max_age")),
		LoginHint:           params.Get("login_hint"),
		IDTokenHint:         params.Get("id_token_hint"),
		HintedSub:           e.hintedSub(params.Get("id_token_hint")),
		CodeChallenge:       params.Get("code_challenge"),
		CodeChallengeMethod: params.Get("code_challenge_method"),
	}
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
