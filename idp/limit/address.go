package limit

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// The headers by which proxies tell whom they speak for. Only the first is believed, and only from a trusted one.
const (
	headerXForwardedFor = "X-Forwarded-For"
	headerForwarded     = "Forwarded"
)

// Addresses tells where requests come from.
type Addresses struct{ trusted []netip.Prefix }

// NewAddresses believes what the proxies, addresses or networks in CIDR notation, say of whom they speak for.
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

// Of is the network that the request comes from: an IPv4 address, or the 64 bits of IPv6 that one customer has at
// least, so that nobody is many by changing the rest (RFC 6177 §2). Behind trusted proxies it is the last address of
// X-Forwarded-For that is no trusted proxy's own: what stands before it, anybody may have written. Requests whose
// origin cannot be read count as one.
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

// Unheard tells whether a proxy that is not trusted seems to stand in front: all its users then count as one address.
func (a *Addresses) Unheard(r *http.Request) (proxy netip.Addr, is bool) {
	proxy = peer(r)
	speaks := r.Header.Get(headerXForwardedFor) != "" || r.Header.Get(headerForwarded) != ""
	return proxy, speaks && (proxy.IsPrivate() || proxy.IsLoopback()) && !a.trusts(proxy)
}

func (a *Addresses) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(a.trusted, func(network netip.Prefix) bool { return network.Contains(address) })
}

// peer is who holds the other end of the connection; the zero Addr if it is no address.
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

// networkOf is the zero Prefix for no address.
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
