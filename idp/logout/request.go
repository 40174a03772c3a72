// Package logout is the end_session_endpoint: RP-initiated logout.
// https://openid.net/specs/openid-connect-rpinitiated-1_0.html
//
//	/logout ─► Read ─► id_token_hint good, address registered or none? ── yes ► SignOutSID ► post_logout_redirect_uri
//	                        │
//	                        └─ no ► a page that asks ► POST /logout/confirm ► SignOut ► the signed-out page
//
// A good id_token_hint proves that the request comes from a client that the user signed in to, so nobody is asked again;
// without it anybody's link could sign the user out (§6), so the page asks, and never redirects afterwards.
//
// Where teaching ends: other clients of the session are not told. Front-channel and back-channel logout are other rooms.
package logout

import (
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Hint is what a valid id_token_hint says.
type Hint struct {
	Subject  string `json:"sub"`
	SID      string `json:"sid"`
	Audience string `json:"aud"`
}

// Request is a logout request by the names of §2.
type Request struct {
	Hint     *Hint        // nil: absent, or not a token of ours
	Client   *oidc.Client // nil: not named
	ReturnTo string       // a registered post_logout_redirect_uri with state; empty: none asked, or Problem says why not
	Problem  string       // what was wrong, for the developer of the client
}

// Read judges the parameters. hints reads an id_token_hint: a token that this provider signed, expired or not.
func Read(params url.Values, register *clients.Register, hints func(string) (Hint, error)) Request {
	var r Request
	if token := params.Get("id_token_hint"); token != "" {
		hint, err := hints(token)
		if err != nil {
			r.Problem = "the id_token_hint is not an ID token of this provider: " + err.Error() + "."
		} else {
			r.Hint = &hint
		}
	}
	r.findClient(params.Get("client_id"), register)
	r.findReturn(params)
	return r
}

// findClient takes the client from client_id or from the hint. §2: "When both client_id and id_token_hint are present, the
// OP MUST verify that the Client Identifier matches the one used when issuing the ID Token."
func (r *Request) findClient(clientID string, register *clients.Register) {
	switch {
	case clientID == "" && r.Hint == nil:
		return
	case clientID == "":
		clientID = r.Hint.Audience
	case r.Hint != nil && r.Hint.Audience != clientID:
		r.Hint, r.Problem = nil, "the id_token_hint was issued to another client than client_id names."
	}
	if client, ok := register.ByID(clientID); ok {
		r.Client = &client
	} else if r.Problem == "" {
		r.Problem = "the client_id is not registered at this provider."
	}
}

// findReturn verifies post_logout_redirect_uri: it must have been registered for the client before (§2), and to the letter (§3).
func (r *Request) findReturn(params url.Values) {
	uri := params.Get("post_logout_redirect_uri")
	if uri == "" || r.Problem != "" {
		return
	}
	switch {
	case len(params["post_logout_redirect_uri"]) > 1:
		r.Problem = "post_logout_redirect_uri came more than once."
	case r.Client == nil:
		r.Problem = "post_logout_redirect_uri came without an id_token_hint or client_id, so nobody knows whose address it is."
	case !oidc.MatchRedirectURI(r.Client.PostLogoutRedirectURIs, uri):
		r.Problem = "post_logout_redirect_uri " + uri + " is not registered for client " + r.Client.ClientID +
			"; registered: " + strings.Join(r.Client.PostLogoutRedirectURIs, ", ") + "."
	default:
		r.ReturnTo = withState(uri, params.Get("state"))
	}
}

// compare holds the hint against who is signed in with this browser. A hint whose sid is none of theirs makes the request
// suspect (§2, id_token_hint): a token of a sign-in that is over must not end a later one.
func (r *Request) compare(current *session.Session) {
	if r.Hint == nil || r.Problem != "" || current == nil {
		return
	}
	if !slices.ContainsFunc(current.Accounts, func(a session.Account) bool { return a.SID == r.Hint.SID }) {
		r.Problem = "the id_token_hint is of another sign-in than the ones in this browser."
	}
}

// Proven tells whether the request may sign the user out without asking.
func (r Request) Proven() bool { return r.Hint != nil && r.Problem == "" }

func withState(uri, state string) string {
	if state == "" {
		return uri
	}
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + url.Values{"state": {state}}.Encode()
}
