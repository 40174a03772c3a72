package authorize

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hush-idp/hush/idp/session"
)

// decision is what becomes of a request: a code, or a page to show first.
type decision struct {
	code, page string
	Sight
}

// Sight is who the endpoint saw in front of the browser. A request that breaks a rule is refused before it looks.
type Sight struct {
	Looked  bool
	Session *session.Session // nil: nobody is signed in
}

// withState adds the session_state, in which the client's scripts will see that somebody else is signed in, or nobody any more. Session
// Management §2: "When the OP supports session management, it MUST also return the Session State as an additional session_state
// parameter in the Authentication Response"; §3.1: "Session state SHOULD be returned upon an authentication failure."
// https://openid.net/specs/openid-connect-session-1_0.html#CreatingUpdatingSessions
func (e *Endpoint) withState(answer url.Values, to ReturnAddress, sight Sight) url.Values {
	if e.SessionState != nil && sight.Looked {
		answer.Set("session_state", e.SessionState(to.client, to.redirectURI, sight.Session))
	}
	return answer
}

// look is for an answer that does not depend on who is there, and goes without where the store does not tell.
func (e *Endpoint) look(r *http.Request) Sight {
	current, err := session.OrNone(e.Sessions.Current(r))
	return Sight{Looked: err == nil, Session: current}
}

// visit comes before the code: once a client has something, it is told when the session ends.
func (e *Endpoint) visit(ctx context.Context, s Situation) error {
	if e.Visit == nil {
		return nil
	}
	return e.Visit(ctx, s.Session, *s.Account, s.Client.ClientID)
}
