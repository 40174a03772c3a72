package endpoint

import (
	"net/http"
	"net/url"
)

// Machine knows the hosts of the provider's own machine. Powers of development mode demand a request from there.
type Machine struct {
	IsLocal     func(host string) bool // whether a name without a port means this machine
	BackChannel BackChannel            // the hosts at which programs reach the provider
}

// Sent tells whether the request names a host of this machine, and whether the page that caused the request, as far as
// the browser names one, has a local host too. A page of another site that the browser does not name counts as foreign.
// A foreign page must not use the powers of development mode, not even by a name that resolves to this machine (DNS
// rebinding). A host of the back channel is for programs: a page there is foreign.
func (m Machine) Sent(r *http.Request) bool {
	if _, isBackChannel := m.BackChannel[r.Host]; !isBackChannel && !m.isAt("//"+r.Host) {
		return false
	}
	named := false
	for _, page := range []string{r.Header.Get("Origin"), r.Referer()} {
		if page == "" || page == "null" {
			continue
		}
		if named = true; !m.isAt(page) {
			return false
		}
	}
	return named || r.Header.Get("Sec-Fetch-Site") != "cross-site"
}

func (m Machine) isAt(address string) bool {
	u, err := url.Parse(address)
	return err == nil && m.IsLocal(u.Hostname())
}
