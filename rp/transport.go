package rp

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
)

const (
	exchangeTimeout = 10 * time.Second // for one request to the provider, its body included
	maxResponse     = 1 << 20          // bytes; discovery, keys and tokens are a few kilobytes
)

// newClient returns the one HTTP client that talks to the provider. It follows no redirects: no endpoint has a reason to
// send one, and a code or a secret must not travel on.
func newClient(issuer, backChannelURL string) *http.Client {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.DialContext = dialLocalhost(base.DialContext)
	base.Proxy = proxyUnlessLoopback
	return &http.Client{
		Transport:     backChannel{issuer: oidc.Origin(issuer), target: oidc.Origin(backChannelURL), next: base},
		Timeout:       exchangeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// backChannel sends requests for the issuer's origin to another address and limits what comes back.
type backChannel struct {
	issuer, target string // origins; target is empty when there is no other address
	next           http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b backChannel) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(b.rewrite(r))
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxResponse)
	return response, nil
}

// rewrite changes where the request goes, not what it says: the Host header stays the issuer's, so the provider sees the
// request that the browser would have made.
func (b backChannel) rewrite(r *http.Request) *http.Request {
	if b.target == "" || oidc.Origin(r.URL.String()) != b.issuer {
		return r
	}
	moved := r.Clone(r.Context())
	moved.Host = r.URL.Host
	scheme, host, _ := strings.Cut(b.target, "://")
	moved.URL.Scheme, moved.URL.Host = scheme, host
	return moved
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialLocalhost dials names under localhost at the loopback address. RFC 6761 §6.3: "Name resolution APIs and libraries
// SHOULD recognize localhost names as special and SHOULD always return the IP loopback address". Browsers do; the C
// library's resolver, and Go's, do so for the bare name only.
func dialLocalhost(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && underLocalhost(host) {
			address = net.JoinHostPort("127.0.0.1", port)
		}
		return dial(ctx, network, address)
	}
}

func underLocalhost(host string) bool {
	return strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".localhost")
}

// proxyUnlessLoopback: a proxy's localhost is another machine's.
func proxyUnlessLoopback(r *http.Request) (*url.URL, error) {
	if oidc.IsLoopback(r.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}
