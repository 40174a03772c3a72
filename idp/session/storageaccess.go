package session

import (
	"context"
	"fmt"
	"net/http"
)

// The headers by which a browser says whether it lets cookies into a cross-site iframe, and by which a server asks for
// them. https://privacycg.github.io/storage-access-headers/
const (
	HeaderStorageAccess = "Sec-Fetch-Storage-Access"
	HeaderActivate      = "Activate-Storage-Access"
)

// SetChallenge sets the WWW-Authenticate header of a 401 that a request without the session cookie gets, because each
// 401 must have a challenge (RFC 9110 §11.6.1). No registered scheme is about cookies. Browsers ignore a scheme that
// they do not know, and show no dialog.
func SetChallenge(w http.ResponseWriter, issuer string) {
	w.Header().Set("WWW-Authenticate", fmt.Sprintf("Cookie realm=%q", issuer))
}

// The values of HeaderStorageAccess that the provider acts on. The third is none.
const (
	AccessActive   = "active"   // the request has the cookies that there are
	AccessInactive = "inactive" // the user gave the app access to them, and this request does not use it
)

// The answers of document.requestStorageAccess() in a hidden iframe (https://privacycg.github.io/storage-access/).
const (
	AccessGranted     = "granted"
	AccessDenied      = "denied"
	AccessUnsupported = "unsupported" // the browser has no such function, or the iframe is in no secure context
)

type accessKey struct{}

// WithAccess returns the request with the answer of the browser that a page in its iframe got. The page writes the
// answer into an address, so anybody can. It only changes what Missing returns.
func WithAccess(r *http.Request, answer string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), accessKey{}, answer))
}
