package endpoint

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Base is the path of an issuer: /realms/demo of http://localhost:8080/realms/demo, and empty for an issuer that is an
// origin. The provider serves everything below it, in three steps:
//
//	request ─ Strip ─► a handler, which knows the Path of its Endpoint only ─ Redirect ─► Location
//	                                                  └─► a page or a cookie: Base before the path
type Base string

// BaseOf returns the path of the issuer, which the configuration has checked.
func BaseOf(issuer string) Base {
	_, address, _ := strings.Cut(issuer, "://")
	_, path, found := strings.Cut(address, "/")
	if !found {
		return ""
	}
	return Base("/" + path)
}

// CookiePath is the Path of cookies: a browser sends them to this path and below, and to no other issuer of the host.
func (b Base) CookiePath() string { return cmp.Or(string(b), "/") }

// Redirect returns the location for the browser: a path of the provider is below the base, and another URL stays.
func (b Base) Redirect(location string) string {
	if strings.HasPrefix(location, "/") {
		return string(b) + location
	}
	return location
}

// Has tells whether the request is for a path below the base. Every path is below an empty base.
func (b Base) Has(r *http.Request) bool {
	_, found := b.cut(r.URL.EscapedPath())
	return found
}

// Strip returns the request as it would be if the issuer were an origin. It does not change a request for another path:
// the path of the issuer is already missing behind a proxy that removes it.
func (b Base) Strip(r *http.Request) *http.Request {
	below, found := b.cut(r.URL.EscapedPath())
	if b == "" || !found {
		return r
	}
	u := *r.URL
	u.Path, _ = url.PathUnescape(below) // EscapedPath returned it
	if u.RawPath != "" {
		u.RawPath = below
	}
	stripped := *r
	stripped.URL, stripped.RequestURI = &u, u.RequestURI()
	return &stripped
}

// cut returns the path without the base. The path of a metadata document may also have the base at its end (RFC 8414
// §3.1): /.well-known/oauth-authorization-server/realms/demo.
func (b Base) cut(asked string) (string, bool) {
	if document, found := strings.CutSuffix(asked, string(b)); found && path.Dir(document) == "/.well-known" {
		return document, true
	}
	below, found := strings.CutPrefix(asked, string(b))
	return cmp.Or(below, "/"), found && (below == "" || below[0] == '/')
}
