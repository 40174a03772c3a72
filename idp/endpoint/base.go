package endpoint

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Base is the path of an issuer: /realms/demo of http://localhost:8080/realms/demo, and empty for an issuer that is an
// origin. The provider serves everything below it:
//
//	request ─ Below ─► a handler, which knows the Path of its Endpoint only ─ Below ─► Location
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

// CookiePath is the Path of cookies: a browser sends them to this path and to every path below it, also to an issuer
// there.
func (b Base) CookiePath() string { return cmp.Or(string(b), "/") }

// Below returns a handler that removes the base from requests, calls next, and adds the base to redirects within the
// provider. Without a base it is next.
func (b Base) Below(next http.Handler) http.Handler {
	if b == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&redirecting{w, b}, b.strip(r))
	})
}

// redirecting adds the base to a Location that is a path.
type redirecting struct {
	http.ResponseWriter
	base Base
}

// WriteHeader implements http.ResponseWriter.
func (w *redirecting) WriteHeader(status int) {
	if location := w.Header().Get("Location"); strings.HasPrefix(location, "/") {
		w.Header().Set("Location", string(w.base)+location)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the underlying writer to http.ResponseController.
func (w *redirecting) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Has tells whether the request is for a path below the base. Every path is below an empty base.
func (b Base) Has(r *http.Request) bool {
	_, found := b.cut(r.URL.EscapedPath())
	return found
}

// strip returns the request as it would be if the issuer were an origin. It does not change a request for another path:
// the path of the issuer is already missing behind a proxy that removes it.
func (b Base) strip(r *http.Request) *http.Request {
	below, found := b.cut(r.URL.EscapedPath())
	if !found {
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
