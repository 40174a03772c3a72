// Package requestobject reads authorization requests that are JWTs: request objects, by value or by reference (RFC 9101,
// Core §6).
//
//	request ──────────────────────────────────────────────┐
//	                                                      ├──► header ─► signature ─► rules ─► Object: the parameters
//	request_uri ─► registered? ─► fetch ─► hash as said? ─┘
//
//	object.go     a JWT to parameters
//	rules.go      what its header and its claims must keep: a table, in order
//	reference.go  request_uri: which are allowed, and what is behind one
//
// What the parameters say is judged by the authorization endpoint, as if they had come without a JWT around them.
//
// Where teaching ends: encrypted request objects are refused. A request that nobody else may read is better pushed (RFC 9126).
package requestobject
