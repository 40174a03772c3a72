// Package grant is the room of what a user granted a client: the authorization code that stands for it on its way through
// the browser, its one redemption, its revocation; and the consents that are remembered.
//
//	/authorize ── Issue ──► code (fresh) ── Redeem ──► code (spent: a tombstone) ── Redeem again ──► ErrReplayed,
//	                                          │                                                     and Revoke
//	                                          ▼
//	                                        Grant ──► tokens, which carry its grant_id
//
// A code is spent before anything about it is judged, in one atomic step, so of two racing requests one always loses and
// is a replay. What is left of a spent code names its grant: RFC 6749 §4.1.2: "If an authorization code is used more than
// once, the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously issued
// based on that authorization code."
//
// Where teaching ends: revoked access tokens are refused by this provider's userinfo endpoint. An API that checks the JWT
// by itself does not learn of it before the token expires, which is why they live for minutes.
package grant
