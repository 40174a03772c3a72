package authorize

import (
	"net/url"
	"strings"
)

// query is the response_mode that puts the answer into the query of the redirect_uri (RFC 6749 §4.1.2).
const query = "query"

// inQuery keeps a registered query (RFC 6749 §3.1.2).
func inQuery(a ReturnAddress, answer url.Values, _ bool) Outcome {
	if strings.Contains(a.redirectURI, "?") {
		return Outcome{Redirect: a.redirectURI + "&" + answer.Encode()}
	}
	return Outcome{Redirect: a.redirectURI + "?" + answer.Encode()}
}
