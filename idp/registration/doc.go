// Package registration is the room where clients register themselves: RFC 7591 (and OpenID Connect Dynamic Client Registration),
// and where they come back to read, change and delete what they registered (RFC 7592).
//
//	POST /register ──► may anybody? else an initial access token ──► read ──► defaults ──► Problems, rules ──► clients.Registered
//	      201 {client_id, client_secret, registration_access_token, registration_client_uri, … all metadata}
//	                                                       │
//	GET, PUT, DELETE /register/{client_id} ◄───────────────┘  by the registration access token
//
//	endpoint.go   the four requests
//	document.go   what of a request's JSON counts, and the defaults
//	rules.go      what the metadata must keep, as a table
//	information.go   the answer
//
// The store keeps hashes of the secret and of the registration access token. So a later answer repeats the token that it was asked
// with, and leaves out the secret, unless the request is one that makes a new one.
//
// Where teaching ends: software statements are refused; names in several languages (client_name#ja) are ignored, as all metadata
// that is not known. Deleting a client leaves its access tokens as they are: they live for minutes.
package registration
