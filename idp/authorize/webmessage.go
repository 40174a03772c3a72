package authorize

import (
	"net/url"

	"github.com/hush-idp/hush/oidc"
)

// webMessage is the response_mode that posts the answer to the window around the page, or to the one that opened it. The code
// passes no URL, and the application need not be loaded a second time.
// https://datatracker.ietf.org/doc/html/draft-sakimura-oauth-wmrm-00
const webMessage = "web_message"

// Message is an answer for response_mode=web_message. It may be posted to Target only, the origin of the verified redirect_uri:
// with any other, or "*", whoever frames the page would get the code.
type Message struct {
	Target      string
	RedirectURI string
	Values      url.Values
}

func byMessage(a ReturnAddress, answer url.Values, _ bool) Outcome {
	return Outcome{Message: &Message{Target: oidc.Origin(a.redirectURI), RedirectURI: a.redirectURI, Values: answer}}
}
