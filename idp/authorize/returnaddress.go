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

// unregistered is the error for a redirect_uri that is not the client's. It knows those that are.
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
	if errors.Is(err, clients.ErrUnknown) {
		return ReturnAddress{}, oidc.UnauthorizedClient.Errorf("client_id %q is not registered at this provider; "+
			"check its spelling, or add the client to the configuration", clip(params.Get("client_id"))).Blame(oidc.ClientUnknown)
	}
	if err != nil {
		return ReturnAddress{}, err
	}
	redirectURI := params.Get("redirect_uri")
	if !oidc.MatchRedirectURI(client.RedirectURIs, redirectURI) {
		return ReturnAddress{}, notRegistered(client, redirectURI)
	}
	return ReturnAddress{
		client:      client,
		redirectURI: redirectURI,
		mode:        modeOf(params),
		state:       params.Get("state"),
		iss:         e.Issuer,
		sign:        e.signAnswer,
	}, nil
}

func notRegistered(client oidc.Client, redirectURI string) error {
	return unregistered{client: client, cause: oidc.InvalidRequest.Errorf(
		"redirect_uri %s is not registered for client %s; registered: %s. It has to be equal to the letter, but for the port of a loopback address",
		clip(redirectURI), client.ClientID, strings.Join(client.RedirectURIs, ", ")).Blame(oidc.RedirectUnregistered)}
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
