// Package clientauth finds out which client is asking, wherever clients ask by themselves: at the token endpoint and its
// neighbours (RFC 6749 §2.3, Core §9).
//
//	request ─► ReadForm ─► which methods does it use? exactly one ─► the client ─► its registered method? ─► proof good? ─► Client
//	                                                                                                           │
//	                                                       a secret: compare ◄────────────────────────────────┤
//	                       an assertion: signature ─► the rules ─► jti not used before ◄──────────────────────┘
//
//	clientauth.go    the walk, and the methods with a secret
//	assertion.go     private_key_jwt and client_secret_jwt (RFC 7523)
//	rules.go         what an assertion must say, as a table
//	form.go          the body of a request
//
// An assertion is spent when it is accepted, before anything else about the request is known: a second request needs a second one.
//
// Where teaching ends: mutual TLS (RFC 8705) is not among the methods; a proxy in front of the provider usually ends TLS.
package clientauth
