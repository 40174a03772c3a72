// Package fetch sends all requests of the provider to addresses that a client named: jwks_uri, request_uri,
// sector_identifier_uri and the back-channel logout.
//
//	URL ─► address.go: https, a host, no user ─► resolve ─► dial: is this a public address? ─► TLS
//	    ─► answer.go: 200, no redirect, small, the right type ─► bytes
//
// A client could make the provider connect to its own host, to hosts behind the firewall, or to the metadata service of
// a cloud (OWASP: server-side request forgery). So the address is checked when it is dialled, after the name was
// resolved, and cannot change in between. The server may also be slow or send without end, so time, size and the number
// of concurrent requests are limited.
//
//	client.go     Client: Get, GetType, Post
//	address.go    which addresses are public
//	answer.go     what is taken from an answer
//	config.go     the section fetch: of the configuration
//
// The full error is for the log. Why tells the client's developer only what the client's server knows anyway, so that
// errors do not reveal the network behind the provider.
//
// Where teaching ends: no proxy is used, not even that of the environment, because behind a proxy the dialled address
// is unknown. Where a proxy is the only way out, let it check addresses, and write another RoundTripper.
package fetch
