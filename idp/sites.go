package idp

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/limit"
)

// sites are the handlers of one configuration.
type sites struct {
	config Config
	limits *limit.Limits
	all    []site       // one for each issuer: that of Issuer, then those of Layouts
	first  http.Handler // of all[0]
}

// site is the provider at one issuer.
type site struct {
	host    string
	base    endpoint.Base
	handler func() http.Handler // builds the handler when it is called first
}

// sites builds the handlers: the one of Issuer now, the others when their first request comes.
func (c *common) sites() *sites {
	built := &sites{config: c.config, limits: c.limits}
	for _, issuer := range append([]string{c.config.Issuer}, c.config.Layouts...) {
		built.all = append(built.all, site{
			host: parseIssuer(issuer).Host, base: endpoint.BaseOf(issuer),
			handler: sync.OnceValue(func() http.Handler { return endpoint.BaseOf(issuer).Below(c.at(issuer)) }),
		})
	}
	built.first = built.all[0].handler()
	return built
}

// at returns the site for the request: among the issuers of the Host header, the one with the longest path that the
// request is below. An unknown host counts as the first issuer's. A request below no path is for the first issuer of
// the host: a proxy may have removed the path, and health checks do not know it.
func (s *sites) at(r *http.Request) site {
	host := r.Host
	if !slices.ContainsFunc(s.all, func(one site) bool { return one.host == host }) {
		host = s.all[0].host
	}
	var found *site
	isBelow := false
	for i, one := range s.all {
		below := one.base.Has(r)
		switch {
		case one.host != host:
		case found == nil, below && (!isBelow || len(one.base) > len(found.base)):
			found, isBelow = &s.all[i], below
		}
	}
	return *found
}

// ServeHTTP implements http.Handler. The Host header and the path select the issuer. HEAD is served as GET, and the
// HTTP server omits the body (RFC 9110 §9.3.2).
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if host := strings.ToLower(r.Host); host != r.Host {
		r = withHost(r, host)
	}
	sites := p.sites.Load()
	handler := sites.first
	if len(sites.all) > 1 {
		handler = sites.at(r).handler()
	}
	if r.Method == http.MethodHead {
		asGET := *r // a copy: the HTTP server reads the method of the original
		asGET.Method = http.MethodGet
		r = &asGET
	}
	handler.ServeHTTP(w, r)
}

// withHost returns the request with its Host in lower case, as the configuration writes hosts. RFC 9110 §4.2.3: a host
// is "case-insensitive and normally provided in lowercase".
func withHost(r *http.Request, lower string) *http.Request {
	changed := *r
	changed.Host = lower
	return &changed
}
