// Package introspect is the introspection endpoint (RFC 7662): where an API asks what a token is good for.
//
//	form ─► clientauth ─► a confidential client? ─► Find ─► good, and the client's to ask about? ── yes ► what it says
//	                                                              │ no
//	                                                              └► {"active": false}, whatever the reason
//
// Who may ask about an access token: the client it was issued to; the client that it is for, by its client_id or its registered audience
// among the token's aud; and the first-party clients, which belong to the provider's own house. About a refresh token: only the client it was
// issued to.
//
//	introspect.go  the walk, and who may ask
//	answer.go      what is said, as JSON or as a JWT (RFC 9701)
//
// Where teaching ends: answers are made anew for each question; who asks about every request does well to remember them for seconds.
package introspect
