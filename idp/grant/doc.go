// Package grant is the room of what a user granted a client: the authorization code that stands for it on its way
// through the browser, its one redemption, its refresh tokens, its revocation; and the consents that are remembered.
//
//	/authorize ── Issue ──► code (fresh) ── Redeem ──► code (spent: a tombstone) ── Redeem again ──► ErrReplayed,
//	                                          │                                                     and Revoke
//	                                          ▼
//	                                        Grant ──► tokens, which carry its grant_id
//	                                          │
//	                                          └─ Begin ──► refresh token 1 ── Use ──► 2 ── Use ──► 3 …   (a family)
//	                                                            │
//	                                                            └─ Use again ──► within Grace: 2, the same
//	                                                                       └──► later: ErrReplayed, and Revoke
//
// A code is spent before anything about it is judged, in one atomic step, so of two racing requests one always loses
// and is a replay. What is left of a spent code names its grant: RFC 6749 §4.1.2: "If an authorization code is used
// more than once, the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens
// previously issued based on that authorization code."
//
// A refresh token is the grant's id, what all tokens of its family have in common, and what only it has. The second
// part tells a token that was replaced, whose use revokes everything, from one that somebody made up. The next token is
// computed from the one before it and a salt of the record: tabs that race with one token get the same next one, and
// the store alone can compute none.
//
// A grant outlives the session that it came from: Back-Channel Logout §2.7: "Refresh tokens issued with the
// offline_access property to a session being logged out SHOULD NOT be revoked." The user ends it where they see it (Of,
// Revoke), or by forgetting the consent.
//
//	grant.go    codes
//	refresh.go  refresh tokens
//	revoke.go   what is not good any more
//	held.go     which applications hold something in a user's name
//	consent.go  what a user allowed
//
// Where teaching ends: revoked access tokens are refused by this provider's endpoints. An API that checks the JWT
// by itself does not learn of it before the token expires, which is why they live for minutes.
package grant
