package session

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// InteractionParam is the name of the parameter and of the hidden form field for a sealed value.
const InteractionParam = "interaction"

// The paths that an authorization request passes: the endpoint that judges it, and the pages that may delay it.
const (
	PathAuthorize     = "/authorize"
	PathLogin         = "/login"
	PathConsent       = "/consent"
	PathSelectAccount = "/select_account"
	PathDevice        = "/device"
)

// Purposes of a Seal. A value that was sealed for one purpose opens for no other.
const (
	ForAuthorize = "interaction"
	ForLogout    = "logout"
)

// Interaction is an authorization request that waits until a person has signed in, chosen an account or given consent.
// The browser carries it from page to page, encrypted by Seal; the server stores nothing:
//
//	/authorize?client_id=… ─ Close ─► /login?interaction=… ─ form ─► /authorize?interaction=… ─ Open ─► judged again
//
// So an anonymous request uses no memory, and any replica can continue it. It includes StartedAt, because prompt=login
// requires an auth_time after StartedAt.
type Interaction struct {
	Params    url.Values `json:"params"`     // as /authorize received them
	StartedAt time.Time  `json:"started_at"` // when /authorize first received them

	FromObject bool   `json:"from_object,omitempty"` // the parameters came in a signed request object (RFC 9101)
	RequestURI string `json:"request_uri,omitempty"` // of a pushed request, which is spent with the code (RFC 9126)

	// The page shows these, as /authorize judged them.
	ClientID string     `json:"client_id"`
	Sub      string     `json:"sub,omitempty"`    // the user whose consent is asked
	Scope    oidc.Scope `json:"scope,omitempty"`  // the scope that the user is asked to allow
	Reason   string     `json:"reason,omitempty"` // why the page is needed: a key of tell in static/idp/languages

	Path   string `json:"path,omitempty"`   // the endpoint that judges the request; empty: PathAuthorize
	Denied string `json:"denied,omitempty"` // how the person refused; empty: the person did not refuse

	Bridged bool `json:"bridged,omitempty"` // the browser was asked for access to the cookies (see WithAccess)

	SignedIn bool `json:"signed_in,omitempty"` // the redirect follows a sign-in that set the session cookie
}

// CookieLost is the Reason of a sign-in page for a browser that did not send back the session cookie that it got by
// the redirect before.
const CookieLost = "cookie_lost"

// Back is the path of the endpoint that judges the request after the page.
func (i Interaction) Back() string { return cmp.Or(i.Path, PathAuthorize) }

// Serve returns a handler that calls serve with the session of the request; nil for a request without one.
func Serve(
	sessions interface {
		Current(*http.Request) (*Session, error)
	},
	serve func(http.ResponseWriter, *http.Request, *Session) error,
) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		current, err := OrNone(sessions.Current(r))
		if err != nil {
			return err
		}
		return serve(w, r, current)
	}
}
