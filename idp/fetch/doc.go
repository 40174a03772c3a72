// Package fetch sends all requests of the provider to addresses that a client named: jwks_uri, request_uri,
// sector_identifier_uri and the back-channel logout.
//
//	URL ─► https, a host, no user ─► resolve ─► dial: is the address public? ─► TLS
//	    ─► 200, no redirect, small, the right type ─► bytes
//
// A client could make the provider connect to its own host, to hosts behind the firewall, or to the metadata service of
// a cloud (OWASP: server-side request forgery). So the address is checked when it is dialled, after the name was
// resolved, and cannot change in between. The server may also be slow or send without end, so time, size and the number
// of concurrent requests are limited: in total and for the hosts of one owner, for documents and for logout tokens
// apart.
//
// The full error is for the log. Why returns a text for the developer of the client that reveals nothing about the
// provider's network.
//
// Where teaching ends: no proxy is used, also not a proxy of the environment, because behind a proxy the dialled
// address is unknown. If a network requires a proxy, the proxy must check addresses, and this package needs another
// RoundTripper.
package fetch
