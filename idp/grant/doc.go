// Package grant holds what a user granted a client: the authorization code that represents the grant in the browser,
// its redemption, its refresh tokens, its revocation; and the stored consents.
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
// A code is spent in one atomic step before the request is judged, so of two racing requests one is always a replay.
// The record of a spent code still names its grant: RFC 6749 §4.1.2: "If an authorization code is used more than once,
// the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously issued based
// on that authorization code."
//
// A refresh token has three parts: the grant's id, a part common to its family, and a part of its own. The second part
// distinguishes a replaced token, whose use revokes the family, from an invented one. The next token is computed from
// the previous one and a salt of the record: tabs that race with one token get the same next one, and the store alone
// can compute none.
//
// A grant outlives the session that it came from: Back-Channel Logout §2.7: "Refresh tokens issued with the
// offline_access property to a session being logged out SHOULD NOT be revoked." The user ends it in the list of
// applications (Of, Revoke), or by withdrawing the consent.
//
// Where teaching ends: revoked access tokens are refused by this provider's endpoints. An API that checks the JWT
// by itself does not learn of it before the token expires, which is why they live for minutes.
package grant
