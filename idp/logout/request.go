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
	"github.com/hush-idp/hush/storage"
)

// Request is a judged logout request. What did not validate is not in it (§4). The browser carries it, sealed, from
// page to page, without the ID token.
type Request struct {
	Proof      string `json:"-"`                     // the sid of the sign-in that the request may end without asking
	ClientID   string `json:"client_id,omitempty"`   // a registered client; empty: not named, or unknown
	ReturnTo   string `json:"return_to,omitempty"`   // a registered post_logout_redirect_uri, with the state
	Problem    string `json:"problem,omitempty"`     // the faults of the request, for the developer of the client
	LogoutHint string `json:"logout_hint,omitempty"` // a username, an email address, a sub or a sid
	UILocales  string `json:"ui_locales,omitempty"`  // languages of the pages, by preference
}

// received is a logout request before it is judged, by the names of §2.
type received struct {
	url.Values
	hint     access.Hint
	badHint  error       // why the hint is empty; nil also without id_token_hint
	client   oidc.Client // of client_id, or of the hint; empty: not named, or unknown
	sessions []session.Account
}

// once are the parameters that may come once. RFC 6749 §3.1: "Request and response parameters MUST NOT be included more
// than once."
var once = []string{"id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"}

func (r received) repeated() string {
	i := slices.IndexFunc(once, func(name string) bool { return len(r.Values[name]) > 1 })
	if i < 0 {
		return ""
	}
	return once[i]
}

// common are the rules that a request must not break for a redirect, nor for a sign-out without a question.
var common = oidc.Table[received]{
	{Spec: "RFC 6749 §3.1", Text: "each parameter comes once",
		Holds: func(r received) bool { return r.repeated() == "" },
		Got:   func(r received) string { return r.repeated() + " more than once" }},
	{Spec: "RP-Initiated Logout §2", Text: "client_id is registered at this provider", Params: []string{"client_id"},
		Reason: oidc.ClientUnknown,
		Holds:  func(r received) bool { return r.Get("client_id") == "" || r.client.ClientID != "" },
		Got:    func(r received) string { return r.Get("client_id") }},
	// §2: "When both client_id and id_token_hint are present, the OP MUST verify that the Client Identifier matches the
	// one used when issuing the ID Token."
	{Spec: "RP-Initiated Logout §2", Text: "the id_token_hint was issued to the client that client_id names",
		Params: []string{"client_id", "id_token_hint"},
		Holds: func(r received) bool {
			return r.Get("client_id") == "" || r.hint.Audience == "" || r.hint.Audience == r.Get("client_id")
		},
		Got: func(r received) string { return "one that was issued to another client, " + r.hint.Audience }},
}

// proof are the rules for a sign-out without a question.
var proof = oidc.Table[received]{
	{Spec: "RP-Initiated Logout §2", Text: "an id_token_hint shows that the request comes from a client of the sign-in",
		Params: []string{"id_token_hint"},
		Holds:  func(r received) bool { return r.Get("id_token_hint") != "" }},
	{Spec: "RP-Initiated Logout §4", Text: "the id_token_hint is an ID token of this provider",
		Params: []string{"id_token_hint"}, Reason: oidc.HintUnreadable,
		Holds: func(r received) bool { return r.badHint == nil },
		Got:   func(r received) string { return "one that is not used: " + r.badHint.Error() }},
	{Spec: "RP-Initiated Logout §2", Text: "the id_token_hint names a sign-in by sid", Params: []string{"id_token_hint"},
		Holds: func(r received) bool { return r.hint.SID != "" }},
	// An ID token of an earlier sign-in must not end a later one.
	{Spec: "RP-Initiated Logout §2", Text: "the id_token_hint is of a sign-in in this browser",
		Params: []string{"id_token_hint"}, Reason: oidc.SessionOtherUser,
		Holds: func(r received) bool {
			return len(r.sessions) == 0 || slices.ContainsFunc(r.sessions, hasSID(r.hint.SID))
		},
		Got: func(received) string { return "one of another sign-in" }},
}

// back are the rules for the redirect after the sign-out.
var back = oidc.Table[received]{
	{Spec: "RP-Initiated Logout §2", Text: "client_id or id_token_hint names the client of post_logout_redirect_uri",
		Params: []string{"client_id", "id_token_hint"},
		Holds:  func(r received) bool { return r.client.ClientID != "" },
		Help:   "send one of both, so that the provider knows the client that the address belongs to"},
	{Spec: "RP-Initiated Logout §3", Text: "post_logout_redirect_uri is registered for the client",
		Params: []string{"post_logout_redirect_uri"}, Reason: oidc.RedirectUnregistered,
		Holds: func(r received) bool {
			return oidc.MatchRedirectURI(r.client.PostLogoutRedirectURIs, r.Get("post_logout_redirect_uri"))
		},
		Got: func(r received) string {
			uri := r.Get("post_logout_redirect_uri")
			return uri + ", which is not registered for client " + r.client.ClientID +
				"; registered: " + oidc.Listing(r.client.PostLogoutRedirectURIs, uri)
		}},
}

// read judges the parameters. Its error comes from the store; the faults of the request are in Problem.
func (e *Endpoint) read(ctx context.Context, params url.Values, current *session.Session) (Request, error) {
	judged := Request{UILocales: params.Get("ui_locales"), LogoutHint: params.Get("logout_hint")}
	r := received{Values: params}
	if current != nil {
		r.sessions = current.Accounts
	}
	clientID := params.Get("client_id")
	if token := params.Get("id_token_hint"); token != "" {
		r.hint, r.badHint = e.Hints.Read(ctx, token)
		switch {
		case errors.Is(r.badHint, storage.ErrUnavailable):
			return Request{}, r.badHint
		case r.badHint != nil:
			r.hint = access.Hint{}
		}
	}
	if clientID == "" {
		clientID = r.hint.Audience
	}
	if clientID != "" {
		client, err := e.Clients.ByID(ctx, clientID)
		if err != nil && !errors.Is(err, clients.ErrUnknown) {
			return Request{}, err
		}
		r.client = *client
	}
	if judged.breaks(ctx, common, r) {
		return judged, nil
	}
	judged.ClientID = r.client.ClientID
	isProven := !judged.breaks(ctx, proof, r)
	if uri := params.Get("post_logout_redirect_uri"); uri != "" {
		if judged.breaks(ctx, back, r) {
			return judged, nil
		}
		judged.ReturnTo = uri
		if state := params.Get("state"); state != "" {
			judged.ReturnTo = withQuery(uri, url.Values{"state": {state}})
		}
	}
	if isProven {
		judged.Proof = r.hint.SID
	}
	return judged, nil
}

// breaks judges by the rules, and keeps the text of the fault. A request without id_token_hint has no fault: the
// page asks.
func (r *Request) breaks(ctx context.Context, rules oidc.Table[received], of received) bool {
	rule := rules.Broken(ctx, of)
	if rule == nil {
		return false
	}
	if rule != &proof[0] {
		r.Problem = strings.TrimPrefix(r.Problem+". "+rule.Breach(of).Description, ". ")
	}
	return true
}
