// Package authorize is the authorization endpoint (RFC 6749 §3.1, Core §3.1.2): a browser arrives with an
// authentication request and leaves with a code, an error, or for a page that a person has to see.
//
//	parameters ─► unpack ─► returnAddress ─► parse ─► rules ─► Sessions.Current ─► needs ─► Grants.Issue ─► send the code
//	   ▲            │             │                     │                            │                          ▲
//	   │            ▼             ▼                     ▼                            ├─ prompt=none: error ─────┤
//	   │     request object,   page: unknown client,  error ─────────────────────────┼──────────────────────────┘
//	   │     pushed request    unregistered redirect_uri                             └─ else: a page, after which
//	   │                                                                                the request starts again
//	   └── /par: a client posts the parameters before, and they are judged up to the rules (RFC 9126)
//
//	endpoint.go     HTTP, and the steps of a request
//	request.go      ReturnAddress: client_id and redirect_uri, verified; Request: the parameters by their names
//	rules.go        is the request well formed? a table, in order
//	needs.go        must a person see a page first? a table, in order; and which sign-ins reach which acr
//	answer.go       response_mode: query, fragment, form_post, web_message, and each signed (JARM)
//	claims.go       the claims parameter
//	unpack.go       request and request_uri: the parameters come from elsewhere
//	object.go       request objects: a JWT to parameters (RFC 9101)
//	objectrules.go  the conditions on the header and the claims of a request object
//	pushed.go       /par, and the store of pushed requests
//
// An error before a ReturnAddress exists is shown on a page: a provider that redirects to an unverified address is
// an open redirector (RFC 9700 §4.11). After it, a request with prompt=none ends in exactly one answer to the
// client, because a page in a hidden iframe would not be seen.
//
// Where teaching ends: encrypted request objects are refused; a request that nobody else may read can be pushed. The
// levels of authentication are those of a password and, in development mode, one click. A second factor would be
// another page and another amr, and nothing here would change.
package authorize
