package authorize

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// mode is a value of response_mode: how the parameters of the answer travel back.
// https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes
type mode struct {
	name string
	send func(a ReturnAddress, answer url.Values, silent bool) Outcome
	// signed: the answer travels as one JWT (JARM).
	signed bool
}

// modes are all of them, the default first.
var modes = []mode{
	{name: query, send: inQuery},
	{name: fragment, send: inFragment},
	{name: formPost, send: byForm},
	{name: webMessage, send: byMessage},
	{name: query + dotJWT, send: inQuery, signed: true},
	{name: fragment + dotJWT, send: inFragment, signed: true},
	{name: formPost + dotJWT, send: byForm, signed: true},
	{name: onlyJWT, send: inQuery, signed: true},
}

// ResponseModes lists the values of response_mode that the endpoint answers in, the default first.
func ResponseModes() []string {
	names := make([]string, len(modes))
	for i, mode := range modes {
		names[i] = mode.name
	}
	return names
}

func isResponseMode(name string) bool {
	return slices.ContainsFunc(modes, func(m mode) bool { return m.name == name })
}

// modeOf is the mode that errors, too, are answered in: the one asked for, or query if that one is unknown or cannot
// work.
func modeOf(params url.Values) mode {
	wanted := params.Get("response_mode")
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == wanted })
	if i < 0 || wanted == webMessage && oidc.Origin(params.Get("redirect_uri")) == "" {
		return modes[0]
	}
	return modes[i]
}

// send sends the parameters back to the client, in its response_mode.
func (e *Endpoint) send(
	ctx context.Context, a ReturnAddress, values url.Values, seen Browser, silent bool,
) (Outcome, error) {
	e.complete(a, values, seen)
	if !a.mode.signed {
		return a.mode.send(a, values, silent), nil
	}
	response, err := e.signAnswer(ctx, a.client, values)
	return a.mode.send(a, url.Values{"response": {response}}, silent), err
}

// complete adds to the answer the state, byte for byte as it came; iss, by which a client of several providers knows
// which of them answers (RFC 9207 §2); and session_state, by which the client's scripts notice later that another
// user is signed in, or no user. Session Management §2: "When the OP supports session management, it MUST also
// return the Session State as an additional session_state parameter in the Authentication Response"; §3.1: "Session
// state SHOULD be returned upon an authentication failure."
// https://openid.net/specs/openid-connect-session-1_0.html#CreatingUpdatingSessions
func (e *Endpoint) complete(a ReturnAddress, answer url.Values, seen Browser) {
	answer.Set("iss", e.Issuer)
	if a.state != "" {
		answer.Set("state", a.state)
	}
	if seen.Looked {
		state := session.SessionState(a.client.ClientID, a.redirectURI, seen.Session.BrowserState(), e.Random())
		answer.Set("session_state", state)
	}
}

// showAnswer writes the page that takes the answer back to the client. Under prompt=none it is shown in the client's
// hidden iframe.
func (e *Endpoint) showAnswer(w http.ResponseWriter, r *http.Request, outcome Outcome) error {
	frame := e.Pages.Frame(r, e.Issuer)
	if m := outcome.Message; m != nil {
		if err := posted.Judge(r.Context(), Posted(m.Values)); err != nil {
			return err
		}
		policy := pages.Policy{FramedBy: m.RedirectURI}
		return e.Pages.Render(w, http.StatusOK, "web_message", pages.NewWebMessage(frame, m.Target, m.Values), policy)
	}
	form := outcome.Form
	if err := posted.Judge(r.Context(), Posted(form.Values)); err != nil {
		return err
	}
	policy := pages.Policy{FormAction: form.Action}
	if form.Silent {
		policy.FramedBy = form.Action
	}
	return e.Pages.Render(w, http.StatusOK, "form_post", pages.NewFormPost(frame, form.Action, form.Values), policy)
}

// Posted are the parameters of an answer that a page posts. The table below always holds: it shows the observer of
// rules the answer, which stands in no header.
type Posted url.Values

var posted = oidc.Table[Posted]{{
	Spec: "OAuth 2.0 Form Post Response Mode §2",
	Text: "a page posts the answer", Holds: func(Posted) bool { return true },
}}

// query is the response_mode that puts the answer into the query of the redirect_uri (RFC 6749 §4.1.2).
const query = "query"

// inQuery keeps a registered query (RFC 6749 §3.1.2).
func inQuery(a ReturnAddress, answer url.Values, _ bool) Outcome {
	if strings.Contains(a.redirectURI, "?") {
		return Outcome{Redirect: a.redirectURI + "&" + answer.Encode()}
	}
	return Outcome{Redirect: a.redirectURI + "?" + answer.Encode()}
}

// fragment is the response_mode that puts the answer behind the # of the redirect_uri, where no server sees it.
const fragment = "fragment"

func inFragment(a ReturnAddress, answer url.Values, _ bool) Outcome {
	return Outcome{Redirect: a.redirectURI + "#" + answer.Encode()}
}

// formPost is the response_mode that posts the answer to the redirect_uri from a page.
// https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html
const formPost = "form_post"

// Form is an answer for response_mode=form_post: the redirect_uri, and the fields that the browser posts to it.
type Form struct {
	Action string
	Values url.Values
	Silent bool // under prompt=none: the page may be framed by the client it posts to
}

func byForm(a ReturnAddress, answer url.Values, silent bool) Outcome {
	return Outcome{Form: &Form{Action: a.redirectURI, Values: answer, Silent: silent}}
}

// webMessage is the response_mode that posts the answer to the window around the page, or to the one that opened it.
// The code passes no URL, and the application need not be loaded a second time.
// https://datatracker.ietf.org/doc/html/draft-sakimura-oauth-wmrm-00
const webMessage = "web_message"

// Message is an answer for response_mode=web_message. It may be posted to Target only, the origin of the verified
// redirect_uri: with any other, or "*", any page that frames this one would get the code.
type Message struct {
	Target      string
	RedirectURI string
	Values      url.Values
}

func byMessage(a ReturnAddress, answer url.Values, _ bool) Outcome {
	return Outcome{Message: &Message{Target: oidc.Origin(a.redirectURI), RedirectURI: a.redirectURI, Values: answer}}
}

// The response modes of JARM: as another mode, and the answer is one JWT in the parameter response. jwt alone means the
// default mode of response_type=code, query.
// https://openid.net/specs/oauth-v2-jarm.html
const (
	dotJWT  = ".jwt"
	onlyJWT = "jwt"
)

// answerLifetime: JARM §2.1: "The JWT MUST have […] exp […] A maximum JWT lifetime of 10 minutes is RECOMMENDED."
const answerLifetime = 10 * time.Minute

// signAnswer makes the JWT of JARM §2.1: the parameters of the answer, and iss, aud and exp.
func (e *Endpoint) signAnswer(ctx context.Context, client oidc.Client, answer url.Values) (string, error) {
	claims := map[string]any{}
	for name := range answer {
		claims[name] = answer.Get(name)
	}
	claims["iss"], claims["aud"], claims["exp"] = e.Issuer, client.ClientID, e.Now().Add(answerLifetime).Unix()
	alg := cmp.Or(client.AuthorizationSignedResponseAlg, client.DefaultAlg(), e.DefaultAlg)
	return e.Keys.Sign(ctx, alg, keys.TypeIDToken, claims)
}
