package authorize

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// ReturnAddress is a verified place to send the browser back to. Only returnAddress makes one, from a client_id that is
// registered and a redirect_uri that is registered for it, so whoever holds one may redirect.
type ReturnAddress struct {
	client      oidc.Client
	redirectURI string
	mode        mode
	state       string
	iss         string
	sign        func(client oidc.Client, answer url.Values) (string, error) // for the modes of JARM
}

// Address is a place to send the browser back to that is not yet verified.
type Address struct {
	ClientID, RedirectURI string
	Client                oidc.Client // without a ClientID: there is no such client
}

// addresses are the conditions under which an Address becomes a ReturnAddress.
var addresses = oidc.Table[Address]{
	{
		Spec: "RFC 6749 §4.1.1", Text: "client_id names a registered client", Else: oidc.UnauthorizedClient, Reason: oidc.ClientUnknown,
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
			return ReturnAddress{}, oidc.InvalidRequest.Errorf("%s came %d times; send it once (RFC 6749 §3.1)", name, len(params[name])).Blame(oidc.RequestMalformed)
		}
		if params.Get(name) == "" {
			return ReturnAddress{}, oidc.InvalidRequest.Errorf("%s is missing; every authentication request needs it (Core §3.1.2.1)", name).Blame(oidc.RequestMalformed)
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
		iss:         e.Issuer,
		sign:        e.signAnswer,
	}, nil
}

// complete adds to the answer the state, byte for byte as it came, and iss, by which a client of several providers knows whose
// answer it is (RFC 9207 §2).
func (a ReturnAddress) complete(answer url.Values) url.Values {
	complete := url.Values{"iss": {a.iss}}
	if a.state != "" {
		complete.Set("state", a.state)
	}
	for name, values := range answer {
		complete[name] = values
	}
	return complete
}

// clip keeps a stranger's text short enough for a message.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
}
