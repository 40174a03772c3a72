package endpoint

import (
	"net/http"
	"net/url"

	"github.com/hush-idp/hush/oidc"
)

// IsFromThisMachine tells whether the request names a loopback host, and whether the page that caused it, as far as the
// browser names one, has a loopback host too. Powers of development mode demand it: a foreign page must not use them,
// not even by a name that resolves to this machine (DNS rebinding).
func IsFromThisMachine(r *http.Request) bool {
	for _, page := range []string{"//" + r.Host, r.Header.Get("Origin"), r.Referer()} {
		u, err := url.Parse(page)
		if err != nil || page != "" && page != "null" && !oidc.IsLoopback(u.Hostname()) {
			return false
		}
	}
	return true
}
