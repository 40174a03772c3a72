package logout

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Request is a logout request by the names of §2.
type Request struct {
	Hint       *access.Hint // nil: absent or invalid
	Client     *oidc.Client // nil: not named, or unknown
	ReturnTo   string       // a registered post_logout_redirect_uri with state; empty: absent, or refused by Problem
	Problem    string       // the fault of the request, for the developer of the client
	LogoutHint string       // a username, an email address, a sub or a sid
	UILocales  string       // languages of the pages, by preference
}

// Proven reports whether the request may sign the user out without asking.
func (r Request) Proven() bool { return r.Hint != nil && r.Problem == "" }

// read judges the parameters. Its error comes from the store; faults of the request are in Problem.
func (e *Endpoint) read(ctx context.Context, params url.Values, current *session.Session) (r Request, err error) {
	r = Request{UILocales: params.Get("ui_locales"), LogoutHint: params.Get("logout_hint"), Problem: repeated(params)}
	if token := params.Get("id_token_hint"); token != "" {
		hint, err := e.Hints.Read(ctx, token)
		switch {
		case err != nil:
			r.Problem = "the id_token_hint is not an ID token of this provider: " + err.Error() + "."
		case hint.SID == "":
			r.Problem = "the id_token_hint has no sid, so it names no sign-in that could be ended."
		default:
			r.Hint = &hint
		}
	}
	if err := r.findClient(ctx, params.Get("client_id"), e.Clients); err != nil {
		return Request{}, err
	}
	r.findReturn(params)
	// §2, id_token_hint: an ID token of an earlier sign-in must not end a later one.
	if r.Proven() && current != nil && !slices.ContainsFunc(current.Accounts, hasSID(r.Hint.SID)) {
		r.Problem = "the id_token_hint is of another sign-in than the ones in this browser."
	}
	return r, nil
}

// repeated is the fault of a request that has a parameter twice. RFC 6749 §3.1: "Request and response parameters MUST
// NOT be included more than once."
func repeated(params url.Values) string {
	known := []string{"id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"}
	for _, name := range known {
		if len(params[name]) > 1 {
			return name + " came more than once."
		}
	}
	return ""
}

// findClient takes the client from client_id or from the hint. §2: "When both client_id and id_token_hint are present,
// the OP MUST verify that the Client Identifier matches the one used when issuing the ID Token."
func (r *Request) findClient(ctx context.Context, clientID string, register *clients.Register) error {
	switch {
	case clientID == "" && r.Hint == nil:
		return nil
	case clientID == "":
		clientID = r.Hint.Audience
	case r.Hint != nil && r.Hint.Audience != clientID:
		r.Hint, r.Problem = nil, "the id_token_hint was issued to another client than client_id names."
	}
	client, err := register.ByID(ctx, clientID)
	switch {
	case err == nil:
		r.Client = &client
	case !errors.Is(err, clients.ErrUnknown):
		return err
	case r.Problem == "":
		r.Problem = "the client_id is not registered at this provider."
	}
	return nil
}

// findReturn verifies post_logout_redirect_uri: the client must have registered it (§2), character by character (§3).
func (r *Request) findReturn(params url.Values) {
	uri := params.Get("post_logout_redirect_uri")
	switch {
	case uri == "" || r.Problem != "":
	case r.Client == nil:
		r.Problem = "post_logout_redirect_uri came without an id_token_hint or client_id, so the provider does not know " +
			"the client that it belongs to."
	case !oidc.MatchRedirectURI(r.Client.PostLogoutRedirectURIs, uri):
		r.Problem = "post_logout_redirect_uri " + uri + " is not registered for client " + r.Client.ClientID +
			"; registered: " + strings.Join(r.Client.PostLogoutRedirectURIs, ", ") + "."
	case params.Get("state") != "":
		r.ReturnTo = withQuery(uri, url.Values{"state": {params.Get("state")}})
	default:
		r.ReturnTo = uri
	}
}
