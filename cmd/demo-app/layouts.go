package main

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// layout is a pair of host names for app and provider. The relation of the two decides which cookies reach the hidden
// iframe, so each pair behaves as another kind of installation. Every name under localhost means this machine (RFC 6761
// §6.3), so one process serves them all.
type layout struct {
	Name, Relation string
	Expect         string // the fate of the provider's cookie in the hidden iframe
	app, idp       string // host names
}

var layouts = []layout{
	{"One host", "two ports of localhost", "One site: a port is no part of a site. Every cookie arrives, " +
		"even where third-party cookies are blocked. So this layout hides what happens in production.", "localhost",
		"localhost"},
	{"One site", "two names under demo.localhost", "One site with two names, as app.example.com and login.example.com. " +
		"Every cookie arrives: this is the layout to choose in production.", "app.demo.localhost", "idp.demo.localhost"},
	{"Two sites", "app.localhost and idp.localhost",
		"Two sites, as app.example and login.example. The cookie is a third-party cookie in the iframe: " +
			"it arrives only where the browser allows that.", "app.localhost", "idp.localhost"},
}

// everywhere is this configuration for every layout, the given one first. A pair of names that is no layout is alone.
func (c config) everywhere() []config {
	all := []config{c}
	if c.layout() == nil {
		return all
	}
	for _, l := range layouts {
		if other := c.in(l); other != c {
			all = append(all, other)
		}
	}
	return all
}

// layout is the layout of this configuration; nil: it is none of them.
func (c config) layout() *layout {
	if !strings.HasPrefix(c.BaseURL, "http:") || !strings.HasPrefix(c.Issuer, "http:") {
		return nil
	}
	for i, l := range layouts {
		if c.in(l) == c {
			return &layouts[i]
		}
	}
	return nil
}

// in is the same configuration at the host names of a layout. The ports stay.
func (c config) in(l layout) config {
	c.BaseURL, c.Issuer = withHost(c.BaseURL, l.app), withHost(c.Issuer, l.idp)
	return c
}

// withHost replaces the host name in an address that has been checked before.
func withHost(address, host string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if u.Port() != "" {
		host = net.JoinHostPort(host, u.Port())
	}
	u.Host = host
	return u.String()
}

// hostOf is the host name in an address that has been checked before.
func hostOf(address string) string {
	_, authority, _ := strings.Cut(address, "://")
	return (&url.URL{Host: authority}).Hostname()
}

// sites are the handlers of the layouts by the app's host name. The first answers under every other name.
type sites struct {
	byHost map[string]http.Handler
	first  http.Handler
}

// ServeHTTP implements http.Handler.
func (s sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = r.Host // without a port
	}
	if site, ok := s.byHost[strings.ToLower(name)]; ok {
		site.ServeHTTP(w, r)
		return
	}
	s.first.ServeHTTP(w, r)
}

// place is a layout in the navigation bar of every page.
type place struct {
	layout
	URL     string // the app's address there
	Current bool
}

// places are the layouts that this process serves, in their own order; nil when there is only one.
func (c config) places() []place {
	if c.layout() == nil {
		return nil
	}
	all := make([]place, len(layouts))
	for i, l := range layouts {
		there := c.in(l)
		all[i] = place{layout: l, URL: there.BaseURL, Current: there == c}
	}
	return all
}
