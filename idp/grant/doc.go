// Package grant issues, redeems and revokes grants, and stores consents. A grant is the access that a user gave to a
// client. It has an authorization code, which the client redeems, and refresh tokens, and it can be revoked.
//
//	/authorize ── Issue ──► code (fresh) ── Redeem ──► code (spent: a mark) ── Redeem again ──► ErrReplayed,
//	                                          │                                                     and Revoke
//	                                          ▼
//	                                        Grant ──► tokens, which carry its grant_id
//	                                          │
//	                                          └─ Begin ──► refresh token 1 ── Use ──► 2 ── Use ──► 3 …   (a family)
//	                                                            │
//	                                                            └─ Use again ──► within Grace: 2, the same
//	                                                                       └──► later: ErrReplayed, and Revoke
//
// A code is the encrypted grant, so nothing is stored before it is redeemed. It is spent in one atomic step before the
// request is judged, so one of two concurrent requests is always a replay. The record of a spent code is a mark, which
// is stored until the code and its access tokens have expired.
// RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the
// request and SHOULD revoke (when possible) all tokens previously issued based on that authorization code."
//
// A refresh token has three parts: the grant's id, a part common to its family, and a part of its own. The second part
// distinguishes a replaced token, whose use revokes the family, from an invented token. The next token is computed from
// the previous token and a salt in the record. So concurrent tabs with the same token get the same next token, and
// nobody can compute a token from the store alone.
//
// A grant does not end with its session. Back-Channel Logout §2.7: "Refresh tokens issued with the offline_access
// property to a session being logged out SHOULD NOT be revoked." The user ends it in the list of applications (Of,
// Revoke), or by withdrawing the consent.
//
// Where teaching ends: revoked access tokens are refused by this provider's endpoints. An API that verifies the JWT by
// itself accepts it until it expires, so access tokens live for minutes only.
package grant
