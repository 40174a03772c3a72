// Package fetch is the one way out: whatever the provider asks at an address that a client named goes through its
// Client. That is jwks_uri, request_uri, sector_identifier_uri and the back-channel logout.
//
//	URL ─► address.go: https, a host, no user ─► resolve ─► dial: is this a public address? ─► TLS
//	    ─► answer.go: 200, no redirect, small, the right type ─► bytes
//
// A client is a stranger with influence on where the provider connects to: to the provider's own host, to its
// neighbours behind the firewall, to the metadata service of a cloud (OWASP calls it server-side request forgery). So
// the address is judged when it is dialled, after the name was resolved, and nothing between the two can change it. A
// stranger's server may also be slow, or send without end: everything has a limit, and so has the number of requests at
// once.
//
//	client.go     Client: Get, GetType, Post
//	address.go    which addresses are public
//	answer.go     what is taken from an answer
//	config.go     the section fetch: of the configuration
//
// What went wrong on the way is for the log; Why tells the client's developer no more than its own server may know, or
// the errors would map the network behind the provider.
//
// Where teaching ends: no proxy is used, the environment's neither, since behind a proxy nobody sees which address was
// dialled. Where only a proxy leads out, let that proxy judge, and write another RoundTripper.
package fetch
