package limit

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// The headers in which proxies name the client and its host. Forwarded is not used; the others are used only from a
// trusted proxy.
const (
	headerXForwardedFor  = "X-Forwarded-For"
	headerForwarded      = "Forwarded"
	headerXForwardedHost = "X-Forwarded-Host"
)

// Addresses determines the networks that requests come from.
type Addresses struct{ trusted []netip.Prefix }

// NewAddresses trusts the proxies, which are addresses or networks in CIDR notation.
func NewAddresses(proxies []string) (*Addresses, error) {
	a := &Addresses{}
	for _, proxy := range proxies {
		network, err := parseNetwork(proxy)
		if err != nil {
			return nil, err
		}
		a.trusted = append(a.trusted, network)
	}
	return a, nil
}

// Of returns the network of the request: an IPv4 address, or the first 64 bits of an IPv6 address, because one customer
// can use all the other bits (RFC 6177 §2). Behind trusted proxies the address is the last in X-Forwarded-For that is
// not a trusted proxy; the client may have written the addresses before it. All requests without a readable address
// have the same network.
func (a *Addresses) Of(r *http.Request) netip.Prefix {
	client := peer(r)
	hops := strings.Split(strings.Join(r.Header.Values(headerXForwardedFor), ","), ",")
	for _, hop := range slices.Backward(hops) {
		before, ok := parseAddress(strings.TrimSpace(hop))
		if !ok || !a.trusts(client) {
			break
		}
		client = before
	}
	return networkOf(client)
}

// Host returns the host, with its port if any, that the browser asked for: X-Forwarded-Host from a trusted proxy, or
// else the Host header. Of several proxies each may add a host: the first is that of the browser.
func (a *Addresses) Host(r *http.Request) string {
	host, _, _ := strings.Cut(r.Header.Get(headerXForwardedHost), ",")
	if host = strings.TrimSpace(host); host != "" && a.trusts(peer(r)) {
		return host
	}
	return r.Host
}

// Unheard tells whether an untrusted proxy seems to forward the request.
func (a *Addresses) Unheard(r *http.Request) (proxy netip.Addr, is bool) {
	proxy = peer(r)
	forwards := r.Header.Get(headerXForwardedFor) != "" || r.Header.Get(headerForwarded) != ""
	return proxy, forwards && (proxy.IsPrivate() || proxy.IsLoopback()) && !a.trusts(proxy)
}

func (a *Addresses) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(a.trusted, func(network netip.Prefix) bool { return network.Contains(address) })
}

// peer returns the address of the other end of the connection, or the zero Addr if it cannot be read.
func peer(r *http.Request) netip.Addr {
	address, _ := parseAddress(r.RemoteAddr)
	return address
}

// parseAddress reads an address, with or without a port.
func parseAddress(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(text)
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(text)
		address = withPort.Addr()
	}
	return address.Unmap().WithZone(""), err == nil
}

// networkOf returns the network of the address, or the zero Prefix for no address.
func networkOf(address netip.Addr) netip.Prefix {
	bits := 64
	if address.Is4() {
		bits = 32
	}
	network, _ := address.Prefix(bits)
	return network
}

// parseNetwork reads an address, or a network in CIDR notation.
func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return network, fmt.Errorf("%q is neither an address nor a network: write one such as 10.0.0.7 or 10.0.0.0/8", text)
	}
	return network.Masked(), nil
}
