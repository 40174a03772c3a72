package endpoint

import (
	"errors"
	"net/http"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// MaxBody is the maximum size of a request's body in bytes; no valid request needs as much.
const MaxBody = 64 << 10

// TooLarge returns the answer for an error about a body of more than MaxBody, whose status is 413; nil: the error is
// about something else.
func TooLarge(err error) *oidc.Error {
	exceeded, ok := errors.AsType[*http.MaxBytesError](err)
	if !ok || exceeded.Limit != MaxBody {
		return nil
	}
	return oidc.InvalidRequest.Errorf("the request's body is larger than %d KiB", MaxBody>>10)
}

// ShowsPage tells whether a browser shows the answer of the request to a person. A script and a program ask for other
// types. https://fetch.spec.whatwg.org/#document-accept-header-value
func ShowsPage(r *http.Request) bool { return strings.HasPrefix(r.Header.Get("Accept"), "text/html") }
