package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"syscall"
)

// errNotPublic is the answer to an address that no client may make the provider connect to.
var errNotPublic = errors.New("the address is not public")

// reserved are the addresses that are no public unicast ones, besides those that package netip knows by name.
// https://www.iana.org/assignments/iana-ipv4-special-registry and its sibling of IPv6.
var reserved = prefixes(
	"0.0.0.0/8",       // this network
	"100.64.0.0/10",   // shared between a carrier and its customers
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // relays of 6to4
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"240.0.0.0/4",     // reserved, and broadcast
	"::/96",           // IPv4-compatible
	"::ffff:0:0:0/96", // IPv4-translated
	"64:ff9b::/96",    // IPv4 behind a translator
	"64:ff9b:1::/48",  // the same, locally
	"100::/64",        // discarded
	"2001::/23",       // protocol assignments, Teredo among them
	"2001:db8::/32",   // documentation
	"2002::/16",       // 6to4: IPv4 inside
	"3fff::/20",       // documentation
	"5f00::/16",       // segment routing
	"fec0::/10",       // site-local, of old
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// IsPublic tells whether address is one of the internet's, that anybody may be sent to. An IPv4 address in IPv6's
// clothes is judged as what it is.
func IsPublic(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	// so no loopback, link-local, multicast, unspecified; no RFC 1918, no ULA
	if !address.IsGlobalUnicast() || address.IsPrivate() {
		return false
	}
	for _, prefix := range reserved {
		if prefix.Contains(address) {
			return false
		}
	}
	return true
}

// onlyPublic is what a net.Dialer asks before it connects, when the name is resolved.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !IsPublic(to.Addr()) {
		return fmt.Errorf("%w: %s", errNotPublic, address)
	}
	return nil
}

// check judges what can be seen of the URL before anything is resolved.
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
