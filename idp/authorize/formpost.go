package authorize

import "net/url"

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
