// Package access is the room of access tokens: it makes them and, when one comes back, tells what it allows.
//
//	Make ──► a JWT that an API checks by itself (RFC 9068)        ──┐
//	     └─► an opaque one, whose record stays in the store       ──┴─► Read ──► Token, or an invalid_token error
//
// A client has one or the other by its access_token_format. Both can be taken back one by one (Revoke), and with the whole grant
// (grant.Grants).
//
//	access.go    what a token says; Make, Read, Revoke
//	opaque.go    tokens that mean nothing to anybody else
//
// Where teaching ends: an API that checks the JWT by itself does not learn that its grant was revoked; it asks
// /introspect, or waits until the token expires.
package access
