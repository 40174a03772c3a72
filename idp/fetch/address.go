package fetch

import (
	"net/url"

	"code.dny.dev/ssrf"
)

// public lets a net.Dialer connect to public unicast addresses only, by the IANA special-purpose address registries.
// The dialer calls it after the name was resolved.
var public = ssrf.New(ssrf.WithAnyPort())

// check validates the URL itself, before its host is resolved.
func (c *Client) check(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, &Error{URL: address, Text: "it is no URL", cause: err}
	case u.Scheme != "https" && (u.Scheme != "http" || !c.private):
		return nil, &Error{URL: address, Text: "it is not https"}
	case u.Hostname() == "":
		return nil, &Error{URL: address, Text: "it names no host"}
	case u.User != nil:
		return nil, &Error{URL: u.Redacted(), Text: "it carries a user name"}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}
