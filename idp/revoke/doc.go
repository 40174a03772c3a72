// Package revoke is the revocation endpoint (RFC 7009): where a client gives back a token that it needs no more.
//
//	form ─► clientauth ─► a refresh token? ── yes ► the client's own? ─► its whole grant ends, access tokens too
//	                             │ no
//	                             └► an access token? ── yes ► the client's own? ─► this one is refused from now on
//	                                      │ no
//	                                      └► nothing to do: 200
//
// A token of another client is left alone and the request refused. A token that nobody knows is answered like one that was revoked.
//
// Where teaching ends: an API that checks a JWT by itself does not learn that it was revoked before it expires; see package access.
package revoke
