// Package endpoint defines Endpoint, the description of one path that the provider serves.
//
// Routing, CORS, CSRF, limits, logs, metrics, spans, the trace, the failure lab, discovery and the home page all loop
// over Endpoint values and have no lists of their own. So a new endpoint needs one package and one literal.
package endpoint

import (
	"net/http"

	"github.com/hush-idp/hush/oidc"
)

// Endpoint describes what the provider serves at one path. Two endpoints may share a path if their Methods differ.
type Endpoint struct {
	Name     string   // "introspection": in metrics, spans, logs, the trace and the failure lab
	Path     string   // from the root, such as /token; a segment {name} is any value, which r.PathValue(name) returns
	Methods  []string // GET includes HEAD
	Audience Audience
	// AnyOrigin lets scripts of every origin read the answers to Programs (CORS), not only scripts of clients.
	AnyOrigin bool
	Serve     Handler
	// Limit is called before Serve. nil: no limit.
	Limit Limit
	// Describe adds the endpoint to the provider's metadata. nil: the metadata does not mention it.
	Describe func(*oidc.Metadata)
	// Untraced marks an endpoint that is not part of a protocol flow, such as the home page. The trace and the failure
	// lab ignore it.
	Untraced bool
	// Streams marks an endpoint whose answers last for hours. Metrics and spans ignore it.
	Streams bool
}

// IsForPrograms tells whether programs read the answers, and scripts of other origins by CORS.
func (e Endpoint) IsForPrograms() bool { return e.Audience == Programs || e.Audience == Files }

// Handler answers a request. If it returns an error, the server writes the answer: JSON or a page, by the endpoint's
// Audience. A handler that returns an error must not have written anything.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Limit returns an error if the request may not be served now; the error is the answer. After the request, the server
// calls done, which may be nil, with the error of Serve or nil.
type Limit func(r *http.Request) (done func(error), err error)

// Audience says for which readers the answers of an endpoint are. It selects the form of errors, and CORS or CSRF
// protection.
type Audience string

// The audiences.
const (
	// Programs are clients that send requests by themselves: JSON errors, CORS for registered clients, no-store. No
	// answer depends on a cookie, because scripts may send requests with the cookies of the browser.
	Programs Audience = "programs"
	// People fill in forms of this provider: HTML errors, a CSRF token.
	People Audience = "people"
	// Visitors are browsers that another site sends here on purpose, to /authorize for example: HTML errors, and no CSRF
	// token, because the request comes from another site by design.
	Visitors Audience = "visitors"
	// Files are public documents that may be cached, such as discovery: JSON errors, CORS for every origin.
	Files Audience = "files"
	// UserAgents are browsers that send requests by themselves, not for a page: those of FedCM. JSON errors, no-store.
	// Answers depend on the session cookie, so the handler decides which origin may read them, and no other script may.
	UserAgents Audience = "user agents"
	// Developers open pages and ask the same addresses by scripts and programs: HTML errors if ShowsPage, or else JSON.
	// The endpoint has its own protection against other sites.
	Developers Audience = "developers"
)
