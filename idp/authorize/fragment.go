package authorize

import "net/url"

// fragment is the response_mode that puts the answer behind the # of the redirect_uri, where no server sees it.
const fragment = "fragment"

func inFragment(a ReturnAddress, answer url.Values, _ bool) Outcome {
	return Outcome{Redirect: a.redirectURI + "#" + answer.Encode()}
}
