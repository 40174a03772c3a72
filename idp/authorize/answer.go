package authorize

import "net/url"

// The values of response_mode: how the parameters of the answer travel back.
// https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes
// https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html
const (
	modeQuery    = "query"
	modeFragment = "fragment"
	modeFormPost = "form_post"
)

// ResponseModes lists the values of response_mode that the endpoint answers in, the default first.
func ResponseModes() []string { return []string{modeQuery, modeFragment, modeFormPost} }

func isResponseMode(mode string) bool {
	return mode == modeQuery || mode == modeFragment || mode == modeFormPost
}

// Outcome is what the endpoint decided: one of Redirect, Form, or Screen.
type Outcome struct {
	Redirect string // 303 to this URL
	Form     *Form  // a page that posts itself (response_mode=form_post)
	Screen   string // 303 to this path of the provider
	Refused  error  // why the answer is an error, for the log
}

// Form is an answer for response_mode=form_post: the redirect_uri, and the fields that the browser posts to it.
type Form struct {
	Action string
	Values url.Values
	Silent bool // under prompt=none: the page may be framed by the client it posts to
}

// answer sends the parameters back to the client, in its response_mode.
func (a ReturnAddress) answer(values url.Values, silent bool) Outcome {
	if a.responseMode == modeFormPost {
		return Outcome{Form: &Form{Action: a.redirectURI, Values: a.complete(values), Silent: silent}}
	}
	return Outcome{Redirect: a.URL(values)}
}
