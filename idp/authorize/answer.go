package authorize

import (
	"net/url"
	"slices"

	"github.com/hush-idp/hush/oidc"
)

// mode is a value of response_mode: how the parameters of the answer travel back. Each has a file of its own.
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

// modeOf is the mode that errors, too, are answered in: the one asked for, or query where that is none of ours, or cannot work.
func modeOf(params url.Values) mode {
	wanted := params.Get("response_mode")
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == wanted })
	if i < 0 || wanted == webMessage && oidc.Origin(params.Get("redirect_uri")) == "" {
		return modes[0]
	}
	return modes[i]
}

// Outcome is what the endpoint decided: one of Redirect, Form, Message, or Screen.
type Outcome struct {
	Redirect string   // 303 to this URL
	Form     *Form    // a page that posts itself (response_mode=form_post)
	Message  *Message // a page that posts a message to the window around it (response_mode=web_message)
	Screen   string   // 303 to this path of the provider
	Refused  error    // why the answer is an error, for the log
	Sight
}

// answer sends the parameters back to the client, in its response_mode.
func (a ReturnAddress) answer(values url.Values, silent bool) (Outcome, error) {
	if !a.mode.signed {
		return a.mode.send(a, a.complete(values), silent), nil
	}
	response, err := a.sign(a.client, a.complete(values))
	return a.mode.send(a, url.Values{"response": {response}}, silent), err
}
