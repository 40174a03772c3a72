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

// The values of response_mode. With .jwt the answer is one JWT (JARM); jwt alone means query.jwt.
const (
	query      = "query"       // RFC 6749 §4.1.2
	fragment   = "fragment"    // no server sees the answer
	formPost   = "form_post"   // https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html
	webMessage = "web_message" // https://datatracker.ietf.org/doc/html/draft-sakimura-oauth-wmrm-00
	dotJWT     = ".jwt"        // https://openid.net/specs/oauth-v2-jarm.html
	onlyJWT    = "jwt"
)

// mode says how the parameters of the answer go back to the client.
// https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes
type mode struct {
	name   string
	send   func(a ReturnAddress, answer url.Values, silent bool) Outcome
	signed bool // the answer is one JWT (JARM)
}

// modes are all modes, the default first.
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

// ResponseModes lists the supported values of response_mode, the default first.
func ResponseModes() []string {
	names := make([]string, len(modes))
	for i, mode := range modes {
		names[i] = mode.name
	}
	return names
}

// modeOf returns the mode of the answer or error: the requested mode, or query if that is unknown or cannot work.
func modeOf(params url.Values) mode {
	wanted := params.Get("response_mode")
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == wanted })
	if i < 0 || wanted == webMessage && oidc.Origin(params.Get("redirect_uri")) == "" {
		return modes[0]
	}
	return modes[i]
}

// send sends the parameters back to the client, in its response_mode. It adds the unchanged state, iss (RFC 9207 §2)
// and session_state, by which the client's scripts detect a change of the user (Session Management §2, and §3.1 for
// errors).
func (e *Endpoint) send(
	ctx context.Context, a ReturnAddress, values url.Values, seen Browser, silent bool,
) (Outcome, error) {
	values.Set("iss", e.Issuer)
	if a.state != "" {
		values.Set("state", a.state)
	}
	if seen.Looked {
		state := session.SessionState(a.client.ClientID, a.redirectURI, seen.Session.BrowserState(), e.Random())
		values.Set("session_state", state)
	}
	if !a.mode.signed {
		return a.mode.send(a, values, silent), nil
	}
	response, err := e.signAnswer(ctx, a.client, values)
	return a.mode.send(a, url.Values{"response": {response}}, silent), err
}

// showAnswer writes the page that posts the answer. With prompt=none the page is in the client's hidden iframe.
func (e *Endpoint) showAnswer(w http.ResponseWriter, r *http.Request, outcome Outcome) error {
	frame, answer := e.Pages.Frame(r, e.Issuer), outcome.Post
	if err := posted.Judge(r.Context(), Posted(answer.Values)); err != nil {
		return err
	}
	if answer.Target != "" {
		page := pages.NewWebMessage(frame, answer.Target, answer.Values)
		return e.Pages.Render(w, http.StatusOK, page, pages.Policy{FramedBy: answer.RedirectURI})
	}
	policy := pages.Policy{FormsLeave: true}
	if answer.Silent {
		policy.FramedBy = answer.RedirectURI
	}
	return e.Pages.Render(w, http.StatusOK, pages.NewFormPost(frame, answer.RedirectURI, answer.Values), policy)
}

// Posted are the parameters of a posted answer. Their only rule always holds; it shows them to the observer.
type Posted url.Values

var posted = oidc.Table[Posted]{{
	Spec: "OAuth 2.0 Form Post Response Mode §2",
	Text: "a page posts the answer", Holds: func(Posted) bool { return true },
}}

// inQuery adds the answer to the query that redirect_uri may already have (RFC 6749 §3.1.2).
func inQuery(a ReturnAddress, answer url.Values, _ bool) Outcome {
	separator := "?"
	if strings.Contains(a.redirectURI, "?") {
		separator = "&"
	}
	return Outcome{Redirect: a.redirectURI + separator + oidc.EncodeQuery(answer)}
}

func inFragment(a ReturnAddress, answer url.Values, _ bool) Outcome {
	return Outcome{Redirect: a.redirectURI + "#" + oidc.EncodeQuery(answer)}
}

// Post is an answer that a page posts: as a form to RedirectURI or, with a Target, as a message to a window.
type Post struct {
	RedirectURI string
	Values      url.Values
	// Target is the origin of RedirectURI. With "*" any page that frames this one would get the code.
	Target string
	Silent bool // a form under prompt=none: the client may frame the page
}

func byForm(a ReturnAddress, answer url.Values, silent bool) Outcome {
	return Outcome{Post: &Post{RedirectURI: a.redirectURI, Values: answer, Silent: silent}}
}

func byMessage(a ReturnAddress, answer url.Values, _ bool) Outcome {
	return Outcome{Post: &Post{RedirectURI: a.redirectURI, Values: answer, Target: oidc.Origin(a.redirectURI)}}
}

// answerLifetime is the maximum that JARM §2.1 recommends.
const answerLifetime = 10 * time.Minute

// signAnswer makes the JWT of JARM §2.1: the parameters of the answer, and iss, aud and exp.
func (e *Endpoint) signAnswer(ctx context.Context, client *oidc.Client, answer url.Values) (string, error) {
	claims := map[string]any{}
	for name := range answer {
		claims[name] = answer.Get(name)
	}
	claims["iss"], claims["aud"], claims["exp"] = e.Issuer, client.ClientID, e.Now().Add(answerLifetime).Unix()
	alg := cmp.Or(client.AuthorizationSignedResponseAlg, client.DefaultAlg(), e.DefaultAlg)
	return e.Keys.Sign(ctx, alg, keys.TypeIDToken, claims)
}
