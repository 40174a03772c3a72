package authorize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// ReturnAddress is a verified place to send the browser back to. Only returnAddress makes one, from a client_id that is
// registered and a redirect_uri that is registered for it, so code that has one may redirect.
type ReturnAddress struct {
	client      oidc.Client
	redirectURI string
	mode        mode
	state       string
}

// Address is a place to send the browser back to that is not yet verified.
type Address struct {
	ClientID, RedirectURI string
	Client                oidc.Client // without a ClientID: there is no such client
}

// addresses are the conditions under which an Address becomes a ReturnAddress.
var addresses = oidc.Table[Address]{
	{
		Spec: "RFC 6749 §4.1.1", Text: "client_id names a registered client",
		Else: oidc.UnauthorizedClient, Reason: oidc.ClientUnknown,
		Holds: func(a Address) bool { return a.Client.ClientID != "" },
		Got:   func(a Address) string { return quote(a.ClientID) },
		Help:  "check its spelling, or add the client to the configuration",
	},
	{
		Spec: "Core §3.1.2.1", Text: "redirect_uri is registered for the client", Else: oidc.InvalidRequest,
		Reason: oidc.RedirectUnregistered,
		Holds:  func(a Address) bool { return oidc.MatchRedirectURI(a.Client.RedirectURIs, a.RedirectURI) },
		Got: func(a Address) string {
			return fmt.Sprintf("%s, which is not registered for client %s; registered: %s",
				clip(a.RedirectURI), a.ClientID, strings.Join(a.Client.RedirectURIs, ", "))
		},
		Help: "it has to be equal to the letter, but for the port of a loopback address",
	},
}

// unregistered is the error of an Address that is not verified. It knows the redirect URIs that would be.
type unregistered struct {
	cause  *oidc.Error
	client oidc.Client
}

// Error implements error.
func (u unregistered) Error() string { return u.cause.Error() }

// Unwrap lets oidc.AsError find the error.
func (u unregistered) Unwrap() error { return u.cause }

// Registered returns the redirect URIs that would have been accepted, for the page that shows the error.
func (u unregistered) Registered() []string { return u.client.RedirectURIs }

// returnAddress verifies client_id and redirect_uri. Its errors must be shown to the person in front of the browser:
// RFC 6749 §4.1.2.1: "the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically
// redirect the user-agent to the invalid redirection URI."
// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
func (e *Endpoint) returnAddress(ctx context.Context, params url.Values) (ReturnAddress, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(params[name]) > 1 {
			return ReturnAddress{}, oidc.InvalidRequest.Errorf(
				"%s came %d times; send it once (RFC 6749 §3.1)", name, len(params[name]))
		}
		if params.Get(name) == "" {
			return ReturnAddress{}, oidc.InvalidRequest.Errorf(
				"%s is missing; every authentication request needs it (Core §3.1.2.1)", name)
		}
	}
	client, err := e.Clients.ByID(ctx, params.Get("client_id"))
	if err != nil && !errors.Is(err, clients.ErrUnknown) {
		return ReturnAddress{}, err
	}
	asked := Address{ClientID: params.Get("client_id"), RedirectURI: params.Get("redirect_uri"), Client: client}
	if rule := addresses.Broken(ctx, asked); rule != nil {
		if rule.Reason == oidc.ClientUnknown {
			return ReturnAddress{}, rule.Breach(asked)
		}
		return ReturnAddress{}, unregistered{client: client, cause: rule.Breach(asked)}
	}
	return ReturnAddress{
		client:      client,
		redirectURI: asked.RedirectURI,
		mode:        modeOf(params),
		state:       params.Get("state"),
	}, nil
}

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

// faults are why parameters that have a form of their own, or all of them, could not be read. packed: the request
// object.
type faults struct{ claims, resource, packed error }

// parse reads the parameters. It judges nothing: what is wrong with them is for the rules to say. RFC 6749 §3.1:
// "Parameters sent without a value MUST be treated as if they were omitted from the request."
func (e *Endpoint) parse(
	ctx context.Context, client oidc.Client, params url.Values, startedAt time.Time,
) (Request, error) {
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
		CodeChallenge:       params.Get("code_challenge"),
		CodeChallengeMethod: params.Get("code_challenge_method"),
		DPoPJKT:             params.Get("dpop_jkt"),
		ACRValues:           strings.Fields(params.Get("acr_values")), // in order of preference (Core §3.1.2.1)
	}
	if len(r.ACRValues) == 0 {
		// Registration §2: default_acr_values "specifies the default acr values […] Explicit values […] override these
		// default values".
		r.ACRValues = client.DefaultACRValues
	}
	if r.IDTokenHint != "" {
		if hint, err := e.Hints.Read(ctx, r.IDTokenHint); err == nil { // an error: need "id_token_hint is an ID token"
			r.HintedSub = hint.Subject
		}
	}
	if resources := params["resource"]; len(resources) > 0 {
		r.Resource, r.faults.resource = oidc.ParseResources(resources, client.AllowedResources(e.Resources))
	}
	if claims := params.Get("claims"); claims != "" {
		return r, e.parseClaims(&r, claims)
	}
	return r, nil
}

// boundTo is the sub of the only user that the request accepts; empty: it accepts any. Core §3.1.2.2: where a sub is
// requested with a value, the provider "MUST only send a positive response if the End-User identified by that sub
// value has an active session […] or has been Authenticated as a result of the request", and "MUST NOT reply with an
// ID Token […] for a different user".
func (r Request) boundTo() string { return cmp.Or(r.HintedSub, r.WantedSub) }

// scope is what provider and client know of what was asked. Core §11: the provider "MUST ignore the offline_access
// request unless the Client is using a response_type value that would result in an Authorization Code being returned";
// and it means nothing to a client without refresh tokens.
func scope(client oidc.Client, wire string, known oidc.Scope) oidc.Scope {
	asked := oidc.ParseScope(wire).Within(client.AllowedScope(known))
	if !client.Grants(oidc.GrantRefreshToken) {
		return asked.Without(oidc.Scope{oidc.ScopeOffline})
	}
	return asked
}

// wantsNoPage tells whether the request forbids pages, even if the rest of prompt makes no sense.
func wantsNoPage(params url.Values) bool {
	return slices.Contains(strings.Fields(params.Get("prompt")), string(oidc.PromptNone))
}

// maxAge reads a number of seconds, at most about a century so that no sum overflows. nil: none was asked, or a bad
// one, for which there is a rule.
func maxAge(client oidc.Client, wire string) *time.Duration {
	seconds, err := strconv.ParseUint(wire, 10, 31)
	age := time.Duration(seconds) * time.Second
	if wire == "" && client.DefaultMaxAge != nil {
		age, err = time.Duration(*client.DefaultMaxAge)*time.Second, nil
	}
	if err != nil {
		return nil
	}
	return &age
}

// clip shortens text from outside for a message.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
}
