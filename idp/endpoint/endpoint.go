// Package endpoint says what the provider serves at one path.
//
// Routing, CORS, CSRF, limits, logs, metrics, spans, the trace, the failure lab, discovery and the home page all loop
// over Endpoint values. None of them keeps a list of its own, so a new endpoint is one package and one literal.
package endpoint

import (
	"net/http"

	"github.com/hush-idp/hush/oidc"
)

// Endpoint is what the provider serves at one path. Two endpoints may share a path if their Methods differ.
type Endpoint struct {
	Name     string   // "introspection": in metrics, spans, logs, the trace and the failure lab
	Path     string   // from the root, such as /token; a segment {name} is any value, which r.PathValue(name) returns
	Methods  []string // GET stands for HEAD too
	Audience Audience
	Serve    Handler
	// Limit is asked before Serve. nil: there is none.
	Limit Limit
	// Describe writes the endpoint into the provider's metadata. nil: the metadata does not mention it.
	Describe func(*oidc.Metadata)
	// Untraced endpoints are no part of a protocol flow, such as the home page and the console: trace and failure lab
	// leave them out.
	Untraced bool
	// Streams marks an endpoint whose answers last for hours: metrics and spans leave it out.
	Streams bool
}

// Handler answers a request. An error that it returns becomes the answer: JSON or a page, by the endpoint's Audience.
// It must not have written anything then.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Limit says whether a request may be served now: its error is the answer if not. done is told how the request ended:
// nil or the error of Serve. done may be nil.
type Limit func(r *http.Request) (done func(error), err error)

// Audience is who reads the answers of an endpoint. It decides the form of errors, and which guard stands before the
// endpoint.
type Audience string

// The audiences.
const (
	// Programs are clients that send requests by themselves: JSON errors, CORS for registered clients, no-store.
	Programs Audience = "programs"
	// People fill in forms of this provider: HTML errors, a CSRF token.
	People Audience = "people"
	// Visitors are browsers that another site sends here on purpose, to /authorize for example: HTML errors, and no CSRF
	// token, because the request comes from another site by design.
	Visitors Audience = "visitors"
	// Files are documents that anybody may read and cache, such as discovery: JSON errors, CORS.
	Files Audience = "files"
)
