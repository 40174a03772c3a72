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
	"github.com/hush-idp/hush/trace"
)

// ReturnAddress is a verified address of the client. Only returnAddress makes one, so code with one may redirect.
type ReturnAddress struct {
	client      *oidc.Client
	redirectURI string
	mode        mode
	state       string
}

// Address is an address of a client before it is verified.
type Address struct {
	ClientID, RedirectURI string
	Known                 bool     // there is such a client
	Registered            []string // the redirect URIs of the client
}

// addresses are the conditions under which an Address becomes a ReturnAddress.
var addresses = oidc.Table[Address]{{
	Spec: "RFC 6749 §4.1.1", Text: "client_id names a registered client", Else: oidc.UnauthorizedClient,
	Reason: oidc.ClientUnknown,
	Holds:  func(a Address) bool { return a.Known },
	Got:    func(a Address) string { return quote(a.ClientID) },
	Help:   "check its spelling, or add the client to the configuration",
}, {
	Spec: "Core §3.1.2.1", Text: "redirect_uri is registered for the client",
	Reason: oidc.RedirectUnregistered,
	Holds:  func(a Address) bool { return oidc.MatchRedirectURI(a.Registered, a.RedirectURI) },
	Got: func(a Address) string {
		return fmt.Sprintf("%s, which is not registered for client %s; registered: %s",
			clip(a.RedirectURI), a.ClientID, oidc.Listing(a.Registered, a.RedirectURI))
	},
	Help: "it must match exactly; only the port of a loopback address may differ",
}}

// unregistered is the error of a redirect_uri that the client has not registered.
type unregistered struct {
	error
	client *oidc.Client
}

// Unwrap lets oidc.AsError find the error.
func (u unregistered) Unwrap() error { return u.error }

// Registered returns the redirect URIs of the client, for the page that shows the error.
func (u unregistered) Registered() []string { return u.client.RedirectURIs }

// returnAddress verifies client_id and redirect_uri. Its errors must be shown on a page, without a redirect (RFC 6749
// §4.1.2.1). https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
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
	asked := Address{params.Get("client_id"), params.Get("redirect_uri"), client.ClientID != "", client.RedirectURIs}
	if rule := addresses.Broken(ctx, asked); rule != nil {
		if rule.Reason == oidc.ClientUnknown {
			return ReturnAddress{}, rule.Breach(asked)
		}
		return ReturnAddress{}, unregistered{rule.Breach(asked), client}
	}
	return ReturnAddress{client, asked.RedirectURI, modeOf(params), params.Get("state")}, nil
}

// Request is an authentication request of a known client (Core §3.1.2.1). Its fields are not yet checked (see rules).
type Request struct {
	Client    *oidc.Client
	Params    url.Values // as received
	Malformed error      // the error of reading them
	Bridged   bool       // the browser was asked for access to the cookies (see Activation)
	StartedAt time.Time  // when the request was first received

	ResponseType        string
	ResponseMode        string
	RedirectURI         string
	Scope               oidc.Scope // the requested values that provider and client know
	Nonce               string
	Prompt              oidc.Prompts
	MaxAge              *time.Duration // nil: any age
	LoginHint           string
	IDTokenHint         string
	HintedSub           string // the sub of a valid id_token_hint
	WantedSub           string // the value that the claims parameter wants sub to have
	CodeChallenge       string
	CodeChallengeMethod string
	Resource            []string // the APIs of the access tokens (RFC 8707)
	DPoPJKT             string   // RFC 9449 §10

	Claims       *oidc.ClaimsRequest // the requested claims that the client may ask for
	ClaimsScope  oidc.Scope          // the scope values of these claims, for the consent page
	ACRValues    []string            // requested, in order of preference
	EssentialACR []string            // a code needs one of these; nil: any acr

	FromObject bool   // the parameters came in a signed request object
	Pushed     bool   // the request was pushed
	RequestURI string // of a pushed request; spent with the code
	SignedIn   bool   // the redirect here set the session cookie

	ChosenSub string // the account that the user chose in the browser's own dialog (FedCM); the request is about no other
	Path      string // the endpoint to which a page returns; empty: Path of this package

	faults struct{ prompt, claims, resource, packed error } // errors of reading them; packed: the request object
}

// parse reads the parameters; the rules judge them. A parameter without a value counts as omitted (RFC 6749 §3.1).
func (e *Endpoint) parse(
	ctx context.Context, client *oidc.Client, params url.Values, startedAt time.Time,
) (Request, error) {
	prompt, errPrompt := oidc.ParsePrompts(params.Get("prompt"))
	asked := oidc.ParseScope(params.Get("scope"))
	r := Request{
		Client: client, Params: params, StartedAt: startedAt, Prompt: prompt,
		ResponseType: params.Get("response_type"), ResponseMode: params.Get("response_mode"),
		RedirectURI: params.Get("redirect_uri"), Nonce: params.Get("nonce"),
		Scope:  asked.Within(client.AllowedScope(e.Scopes)),
		MaxAge: maxAge(client, params.Get("max_age")), ACRValues: strings.Fields(params.Get("acr_values")),
		LoginHint: params.Get("login_hint"), IDTokenHint: params.Get("id_token_hint"), DPoPJKT: params.Get("dpop_jkt"),
		CodeChallenge: params.Get("code_challenge"), CodeChallengeMethod: params.Get("code_challenge_method"),
	}
	r.faults.prompt = errPrompt
	if len(asked) > len(r.Scope) {
		trace.Narrow(ctx, "Core §3.1.2.1", client.Refused(asked, e.Scopes)...)
	}
	if len(r.ACRValues) == 0 {
		r.ACRValues = client.DefaultACRValues // Registration §2
	}
	if r.IDTokenHint != "" {
		if hint, err := e.Hints.Read(ctx, r.IDTokenHint); err == nil { // a need reports an error (see needs)
			r.HintedSub = hint.Subject
		}
	}
	resources := params["resource"]
	if client.AudienceAsResource && len(resources) == 0 {
		resources = params["audience"]
	}
	if len(resources) > 0 {
		r.Resource, r.faults.resource = oidc.ParseResources(resources, client.AllowedResources(e.Resources))
	}
	if claims := params.Get("claims"); claims != "" {
		return r, e.parseClaims(&r, claims)
	}
	return r, nil
}

// boundTo returns the sub of the only user that the request accepts (Core §3.1.2.2); "": it accepts every user.
func (r *Request) boundTo() string { return cmp.Or(r.ChosenSub, r.HintedSub, r.WantedSub) }

// wantsNoPage tells whether prompt contains none, even if other values of prompt are invalid.
func wantsNoPage(params url.Values) bool {
	return slices.Contains(strings.Fields(params.Get("prompt")), string(oidc.PromptNone))
}

// maxAge reads a number of seconds, below 2^31 so that no sum overflows. nil: it is missing or invalid (see rules).
func maxAge(client *oidc.Client, wire string) *time.Duration {
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

// parseClaims reads the claims parameter (Core §5.5).
func (e *Endpoint) parseClaims(r *Request, wire string) error {
	asked, err := oidc.ParseClaims(wire)
	if r.faults.claims = err; asked == nil {
		return nil
	}
	allowed := r.Client.AllowedScope(e.Scopes)
	r.Claims, r.ClaimsScope = e.Release.Within(asked, allowed), e.Release.Scope(asked, allowed)
	if acr := asked.IDToken["acr"]; acr != nil {
		wanted := texts(acr)
		r.ACRValues = append(slices.Clone(wanted), r.ACRValues...)
		if acr.Essential {
			r.EssentialACR = wanted
		}
	}
	r.WantedSub, err = e.reveal(r.Client, wantedSub(asked))
	return err
}

// wantedSub returns the value that the request requires for the claim sub (Core §5.5.1), or "".
func wantedSub(asked *oidc.ClaimsRequest) string {
	for _, member := range []map[string]*oidc.ClaimRequest{asked.IDToken, asked.Userinfo} {
		if sub := member["sub"]; sub != nil && (sub.Value != nil || len(sub.Values) > 0) {
			return append(texts(sub), foreign)[0] // a sub is always a string
		}
	}
	return ""
}

// texts returns the requested values that are strings.
func texts(request *oidc.ClaimRequest) []string {
	var found []string
	for _, value := range append([]any{request.Value}, request.Values...) {
		if text, ok := value.(string); ok && text != "" {
			found = append(found, text)
		}
	}
	return found
}

// foreign is a sub that no user has.
const foreign = "\x00"

// reveal returns the provider's sub of the user with the given sub at the client (pairwise subs: Core §8.1).
func (e *Endpoint) reveal(client *oidc.Client, shown string) (string, error) {
	if shown == "" {
		return "", nil
	}
	sub, err := e.Subjects.Reveal(client, shown)
	return cmp.Or(sub, foreign), err
}

// clip shortens text from outside for a message.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
}
